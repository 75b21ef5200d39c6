// One solution of the exercise examples_accumulate.cpp; write your own first.
// Read next: tests/exercises/examples_accumulate.cpp, its test.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "models/text/dataset.h"
#include "models/transformer/decoder.h"

double accumulate_gradients(const smoe::Decoder& model, const smoe::Batch& batch,
                            const smoe::Experts& experts, int64_t parts) {
    using namespace smoe;
    const std::vector<int64_t>& borders = batch.inputs.offsets();
    const int64_t sequences = batch.inputs.count();
    double total = 0;
    for (int64_t part = 0; part < parts; ++part) {
        const auto first = borders.begin() + sequences * part / parts;
        const auto last = borders.begin() + sequences * (part + 1) / parts;
        if (first == last) {
            continue;
        }
        std::vector<int64_t> offsets(first, last + 1);
        for (int64_t& offset : offsets) {
            offset -= *first;
        }
        const auto rows = [&](const std::vector<int32_t>& all) {
            return std::vector<int32_t>(all.begin() + *first, all.begin() + *last);
        };
        const Variable losses = model.losses({rows(batch.inputs.tokens()), offsets}, rows(experts),
                                             rows(batch.targets));
        const Variable share = scale(sum(losses), 1 / real(batch.size()));
        backward(share);
        total += double(share.value().item());
    }
    return total;
}
