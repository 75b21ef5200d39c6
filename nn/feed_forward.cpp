// FeedForward.
#include "nn/feed_forward.h"

#include "autograd/ops.h"

namespace smoe {
namespace {

MaskDraw layer_masks(MaskDraw draw, uint64_t layer, bool masked) {
    draw.stream = 2 * draw.stream + layer;
    draw.rate = masked ? draw.rate : 0;
    return draw;
}

}  // namespace

FeedForward::FeedForward(const Scope& scope, int64_t width, int64_t hidden, const MaskDraw& draw,
                         MaskWhere where, Rng& rng)
    : Module(scope),
      lin_1({this, "lin_1"}, width, hidden, layer_masks(draw, 0, where != MaskWhere::output), rng),
      lin_2({this, "lin_2"}, hidden, width, layer_masks(draw, 1, where != MaskWhere::hidden), rng) {
}

Variable FeedForward::forward(const Variable& x, const Labels& labels) const {
    return lin_2.forward(relu(lin_1.forward(x, labels)), labels);
}

}  // namespace smoe
