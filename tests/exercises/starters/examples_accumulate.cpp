// Exercise examples_accumulate: write the function, then run make exercise NAME=examples_accumulate FILE=(this file).
// Read next: tests/exercises/examples_accumulate.cpp, which says what is wanted and ends with two hints.
#include <cstdint>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "models/text/dataset.h"
#include "models/transformer/decoder.h"

double accumulate_gradients(const smoe::Decoder& model, const smoe::Batch& batch,
                            const smoe::Experts& experts, int64_t parts) {
    smoe::fail("examples_accumulate: accumulate_gradients is still to be written");
}
