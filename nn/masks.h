// Masks: which neurons of a layer each expert keeps, as a table (K, width) of 1 and 0. A family is
// a rule that makes such tables, chosen by its name; the layers receive finished tables and know no
// family. To add one, write a function and a line in mask_families.cpp, or, from a program of your
// own, call mask_families().add. Masks are not scaled here: a layer does that, as MaskScale says.
// Read next: linear.h, the layer that a table belongs to.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/enum_names.h"
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
    std::string example = "0.25";  // such a number, for people
};

// With A = round((1 - rate) width), the number of neurons that each expert keeps:
//     bernoulli    each neuron with probability 1 - rate, on its own, so A is the mean
//     exact        A random neurons, each expert on its own
//     partition    a block of A neurons that no other expert keeps. Such experts are the separate
//                  networks of a Switch layer (Fedus et al., 2021). Needs A K = width
//     shared:s     the first S = round(s A) neurons, as all do, and a block of A - S of its own
//                  (DeepSeekMoE, Dai et al., 2024). Needs S + K (A - S) <= width
//     blocks:b     A/b random ones of the width/b blocks of b neurons. b divides width and A
//     overlap:j    A random ones of the first round(A/j) neurons, so that two experts share about
//                  j A (Masksembles, Durasov et al., 2021). Needs A/width <= j <= 1
//     nested       the first round((2k + 1) A/K) neurons for expert k, so A is the mean. Needs
//                  (2K - 1) A/K <= width
// Each throws Error for settings that it cannot meet.
Registry<MaskFamily>& mask_families();

// The table (K, width) of `family`: a name such as "bernoulli", followed by ":0.25" if the family
// takes a number. Throws Error for an unknown family, settings out of range, a number that is
// missing or not wanted, and a family that makes a table of a different shape.
Tensor draw_masks(const std::string& family, MaskSettings settings, int64_t width, Rng& rng);

// Where the expert masks of a feed-forward network C -> F -> C apply: to the hidden neurons, to the
// outputs, or (the original) to both.
enum class MaskWhere { hidden, output, both };
const EnumNames<MaskWhere>& enum_names(MaskWhere);

// By what an expert's neurons are multiplied, if its mask keeps the share `keep` of a layer: 1/keep
// (the original), which keeps the mean of a sum over neurons; 1/sqrt(keep), which keeps the
// variance of a sum of independent ones; or nothing.
enum class MaskScale { inverse, root, one };
const EnumNames<MaskScale>& enum_names(MaskScale);

struct MaskTables {
    Tensor hidden, output;  // (K, F), (K, C)
    MaskScale scale = MaskScale::inverse;
};

// Both tables of such a network, with the scale of the original. A table that does not apply is all
// ones.
MaskTables draw_mask_tables(const std::string& family, const MaskSettings& settings,
                            MaskWhere where, int64_t width, int64_t hidden, Rng hidden_rng,
                            Rng output_rng);

}  // namespace smoe
