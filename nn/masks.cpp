// What all families of masks have in common: how a name becomes a table.
// Read next: mask_families.cpp.
#include "nn/masks.h"

namespace smoe {

Tensor draw_masks(const std::string& family, MaskSettings settings, int64_t width, Rng& rng) {
    check(settings.num_experts > 0, "masks: the number of experts must be positive, found {}",
          settings.num_experts);
    check(settings.rate >= 0 && settings.rate < 1, "masks: the rate must be in [0, 1), found {}",
          settings.rate);
    const Registry<MaskFamily>& families = mask_families();
    const auto [name, number] = split_number(families.kind(), family);
    const MaskFamily& found = families.find(name);
    check(!number.has_value() || !found.number.empty(),
          "the mask family '{}' takes no number, found '{}'", name, family);
    check(number.has_value() || found.number.empty(),
          "the mask family '{}' needs a number, {}, as in {}:{}", name, found.number, name,
          found.example);
    settings.number = number.value_or(0);
    const Tensor table = found.draw(settings, width, rng);
    check(table.shape() == Shape{settings.num_experts, width},
          "the mask family '{}' must make a table of shape {}, it made one of {}", name,
          Shape{settings.num_experts, width}.str(), table.shape().str());
    return table;
}

MaskTables draw_mask_tables(const std::string& family, const MaskSettings& settings,
                            MaskWhere where, int64_t width, int64_t hidden, Rng hidden_rng,
                            Rng output_rng) {
    const auto table = [&](bool masked, int64_t neurons, Rng& rng) {
        return masked ? draw_masks(family, settings, neurons, rng)
                      : Tensor::full({settings.num_experts, neurons}, 1);
    };
    return {table(where != MaskWhere::output, hidden, hidden_rng),
            table(where != MaskWhere::hidden, width, output_rng)};
}

const EnumNames<MaskWhere>& enum_names(MaskWhere) {
    static const EnumNames<MaskWhere> names = {
        {MaskWhere::hidden, "hidden"}, {MaskWhere::output, "output"}, {MaskWhere::both, "both"}};
    return names;
}

const EnumNames<MaskScale>& enum_names(MaskScale) {
    static const EnumNames<MaskScale> names = {
        {MaskScale::inverse, "inverse"}, {MaskScale::root, "root"}, {MaskScale::one, "one"}};
    return names;
}

}  // namespace smoe
