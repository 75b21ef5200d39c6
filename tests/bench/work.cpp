// Counts multiply-adds from sizes and masks alone: what is masked or padded is not work. The count
// with masks is the dense one less what they spare.
// Read next: roofline.cpp.
#include "tests/bench/work.h"

namespace smoe::bench {
namespace {

// A gradient of each of the two operands costs as much as the product itself.
double passes(Pass pass) {
    return pass == Pass::training ? 3 : 1;
}

}  // namespace

std::vector<LinearShape> linear_shapes(const DecoderSettings& s) {
    return {{"qkv_proj", s.width, 3 * s.width, s.layers},
            {"out_proj", s.width, s.width, s.layers},
            {"lin_1", s.width, s.hidden, s.layers},
            {"lin_2", s.hidden, s.width, s.layers},
            {"decoder", s.width, s.outputs, 1}};
}

double multiply_adds(const DecoderSettings& settings, const Batch& batch, Pass pass) {
    double linear = 0, pairs = 0;
    for (const LinearShape& shape : linear_shapes(settings)) {
        linear += double(batch.size()) * double(shape.in * shape.out * shape.times);
    }
    for (size_t b = 0; b + 1 < batch.inputs.offsets().size(); ++b) {
        const double length = double(batch.inputs.offsets()[b + 1] - batch.inputs.offsets()[b]);
        pairs += length * (length + 1) / 2;  // of a query and a key that it sees
    }
    const double attention = 2 * pairs * double(settings.width * settings.layers);
    return passes(pass) * (linear + attention);
}

double kept_multiply_adds(const Decoder& model, const Batch& batch, const Experts& experts,
                          Pass pass) {
    const DecoderSettings& s = model.settings();
    std::vector<double> tokens(size_t(s.num_experts), 0);  // of each expert
    for (const int32_t expert : experts) {
        ++tokens[size_t(expert)];
    }
    double spared = 0;
    for (const std::unique_ptr<Block>& layer : model.layers()) {
        for (int32_t expert = 0; expert < int32_t(s.num_experts); ++expert) {
            for (const ProductCost& cost : layer->ffn->costs(expert)) {
                spared += tokens[size_t(expert)] * (cost.total - cost.active);
            }
        }
    }
    return multiply_adds(s, batch, pass) - passes(pass) * spared;
}

}  // namespace smoe::bench
