// Masks: which neurons of a layer each expert keeps, as a table (K, width) of 1 and 0. A family is
// a rule that makes such tables, chosen by its name; the layers receive finished tables and know no
// family. To add one, write a function and a line in masks.cpp, or, from a program of your own,
// call mask_families().add. Masks are not scaled here: a layer divides by the share that is kept.
// Read next: linear.h, the layer that a table belongs to.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/registry.h"
#include "core/rng.h"
#include "core/tensor.h"

namespace smoe {

struct MaskSettings {
    int64_t num_experts = 0;  // K
    double rate = 0;          // share of neurons switched off, in [0, 1)
    double number = 0;        // what follows the colon of the family's name
};

struct MaskFamily {
    // -> (K, width) of 1 and 0, determined by the settings and the numbers of `rng`.
    std::function<Tensor(const MaskSettings& settings, int64_t width, Rng& rng)> draw;
    // What the number after the colon means; empty for a family that takes none.
    std::string number = "";
};

//     bernoulli    each entry is 1 with probability 1 - rate, on its own
Registry<MaskFamily>& mask_families();

// The table (K, width) of `family`: a name such as "bernoulli", followed by ":0.25" if the family
// takes a number. Throws Error for an unknown family, settings out of range, a number that is
// missing or not wanted, and a family that makes a table of a different shape.
Tensor draw_masks(const std::string& family, MaskSettings settings, int64_t width, Rng& rng);

// Where the expert masks of a feed-forward network C -> F -> C apply: to the hidden neurons, to the
// outputs, or (the original) to both.
enum class MaskWhere { hidden, output, both };

struct MaskTables {
    Tensor hidden, output;  // (K, F), (K, C)
};

// Both tables of such a network. A table that does not apply is all ones.
MaskTables draw_mask_tables(const std::string& family, const MaskSettings& settings,
                            MaskWhere where, int64_t width, int64_t hidden, Rng hidden_rng,
                            Rng output_rng);

}  // namespace smoe
