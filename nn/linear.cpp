// Linear and MaskedLinear. A mask is saved with the model; the factors for the outputs are derived
// from it when it is handed in or loaded.
// Read next: feed_forward.cpp.
#include "nn/linear.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/matvec.h"
#include "core/threads.h"
#include "core/vector_math.h"
#include "nn/init.h"

namespace smoe {

Linear::Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias, Rng& rng)
    : Module(scope),
      weight(
          register_parameter("weight", uniform_tensor({out, in}, 1 / std::sqrt(double(in)), rng))),
      bias(with_bias
               ? &register_parameter("bias", uniform_tensor({out}, 1 / std::sqrt(double(in)), rng))
               : nullptr) {}

Variable Linear::forward(const Variable& x) const {
    return linear(x, weight, bias != nullptr ? *bias : Variable());
}

void Linear::step(int64_t rows, const real* x, const RowMatrix& weights, real* y) const {
    const int64_t in = weight.shape()[1], out = weight.shape()[0];
    // Each piece prepares the vectors anew, and none may cut a panel of weights in two.
    constexpr int64_t pieces = 16, whole_panels = 64;
    const int64_t wanted = std::max(row_grain(in), out / pieces);
    const int64_t grain = (wanted + whole_panels - 1) / whole_panels * whole_panels;
    parallel_for(out, grain, [&](int64_t begin, int64_t end) {
        multiply_rows(rows, x, in, weights.rows(begin, end - begin), y + begin, out);
        for (int64_t m = 0; bias != nullptr && m < rows; ++m) {
            axpy(end - begin, 1, bias->value().data() + begin, y + m * out + begin);
        }
    });
}

namespace {

// `ratio` is 1 / keep.
real factor(MaskScale scale, real ratio) {
    switch (scale) {
        case MaskScale::inverse:
            return ratio;
        case MaskScale::root:
            return std::sqrt(ratio);
        case MaskScale::one:
            return 1;
    }
    fail("masks: there is no scale {}", int(scale));
}

// The factors for each expert's neurons. Their scale follows from what the row keeps, not from the
// rate, so sums over neurons have the same size however many the mask happens to keep.
Tensor scaled(const Tensor& mask, MaskScale scale) {
    const Tensor masks = mask.clone();
    const int64_t width = mask.size(1);
    for (int64_t expert = 0; expert < mask.size(0); ++expert) {
        real* const row = masks.data() + expert * width;
        check(std::all_of(row, row + width, [](real entry) { return entry == 0 || entry == 1; }),
              "masks: the mask of expert {} holds numbers other than 0 and 1", expert);
        const real kept = sum(row, width);
        check(kept > 0,
              "masks: expert {} would keep none of the {} neurons: lower the rate or take another "
              "mask seed",
              expert, width);
        const real of_kept = factor(scale, real(width) / kept);
        for (int64_t c = 0; c < width; ++c) {
            row[c] *= of_kept;
        }
    }
    return masks;
}

// A copy, since loading another mask must change only this layer.
Tensor checked_copy(const Tensor& table, int64_t out) {
    check(table.shape().rank() == 2 && table.size(0) > 0 && table.size(1) == out,
          "masks: a layer of {} neurons needs a table of shape (K, {}), found {}", out, out,
          table.shape().str());
    return table.clone();
}

}  // namespace

MaskedLinear::MaskedLinear(const Scope& scope, int64_t in, int64_t out, const Tensor& table,
                           Rng& rng, MaskScale scale)
    : Module(scope),
      linear({this, "linear"}, in, out, true, rng),
      mask(register_buffer("mask", checked_copy(table, out))),
      scale_(scale),
      ones_(Tensor::full({out}, 1)) {
    state_loaded();
}

void MaskedLinear::check_buffer(const std::string&, const Tensor& value) const {
    scaled(value, scale_);
}

void MaskedLinear::state_loaded() {
    masks_ = scaled(mask, scale_);
    const std::span<real> entries = mask.values();
    all_kept_ = std::find(entries.begin(), entries.end(), real(0)) == entries.end();
}

Variable MaskedLinear::forward(const Variable& x, const Experts& experts) const {
    const Variable y = linear.forward(x);
    return experts.empty() || all_kept_ ? y : mask_rows(y, masks_, experts);
}

}  // namespace smoe
