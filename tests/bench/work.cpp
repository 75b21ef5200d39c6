// Counting multiply-adds, from sizes and masks alone: what is masked or padded is no work. The
// count for masks is the dense one less what they spare.
// Read next: roofline.cpp.
#include "tests/bench/work.h"

#include <fmt/core.h>

#include "core/vector_math.h"

namespace smoe::bench {
namespace {

// A gradient of each of the two operands costs as much as the product itself.
double passes(Pass pass) {
    return pass == Pass::training ? 3 : 1;
}

double feed_forward(const DecoderSettings& s, double tokens) {
    return 2 * tokens * double(s.width * s.hidden * s.layers);
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
    const auto state = model.state_dict();
    const auto kept = [&](int64_t layer, const char* name, int64_t expert) {
        const Tensor& mask = state.at(fmt::format("layers.{}.ffn.{}.mask", layer, name));
        return double(sum(mask.data() + expert * mask.cols(), mask.cols()));
    };
    double kept_feed_forward = 0;
    std::vector<double> tokens(size_t(s.num_experts), 0);  // of each expert
    for (const int32_t expert : experts) {
        ++tokens[size_t(expert)];
    }
    for (int64_t expert = 0; expert < s.num_experts; ++expert) {
        for (int64_t layer = 0; layer < s.layers; ++layer) {
            const double hidden = kept(layer, "lin_1", expert);
            const double outputs = kept(layer, "lin_2", expert);
            kept_feed_forward += tokens[size_t(expert)] * hidden * (double(s.width) + outputs);
        }
    }
    return multiply_adds(s, batch, pass) +
           passes(pass) * (kept_feed_forward - feed_forward(s, double(batch.size())));
}

}  // namespace smoe::bench
