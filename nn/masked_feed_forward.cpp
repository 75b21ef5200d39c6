// MaskedFeedForward: which form computes the network, what the choice costs, and the step. The
// layers hold the parameters; only the composed form calls their forward.
// Read next: autograd/ops/feed_forward.cpp.
#include "nn/masked_feed_forward.h"

#include <algorithm>
#include <array>

#include "autograd/autocast.h"
#include "autograd/ops.h"
#include "autograd/ops/feed_forward.h"
#include "core/matvec.h"
#include "core/tiles/tile.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

constexpr int64_t max_parts = 64, min_neurons = 256;

// Whether so few of `width` rows matter that it pays to leave the others out.
bool gaps(int64_t count, int64_t width) {
    constexpr double pay = 0.6;
    return double(count) < pay * double(width);
}

int64_t neurons_in_part(int64_t hidden) {
    return std::max(min_neurons, (hidden + max_parts - 1) / max_parts);
}

// Those of `all` rows, one for each neuron, that matter to any of M rows of x. For
// many rows of x nearly all matter, and a product with all is faster. It is also faster if gaps are
// few, since rows that follow one another are read faster. `ids` has room for `width` numbers.
template <class Matters>
Rows rows_that_matter(const Rows& all, int64_t M, int32_t* ids, const Matters& matters) {
    const int64_t width = all.count;
    if (M > few_vectors) {
        return all;
    }
    int64_t count = 0;
    for (int32_t id = 0; id < width; ++id) {
        bool any = false;
        for (int64_t m = 0; m < M; ++m) {
            any |= matters(m, id);
        }
        ids[count] = id;
        count += any;
    }
    if (!gaps(count, width)) {
        return all;
    }
    Rows some = all;
    some.count = count;
    some.ids = ids;
    return some;
}

// The number of neurons that the expert keeps in a table (K, width).
double kept(const Tensor& table, size_t expert) {
    const real* const row = table.data() + int64_t(expert) * table.size(1);
    return double(std::count_if(row, row + table.size(1), [](real g) { return g != 0; }));
}

}  // namespace

MaskedFeedForward::Kept::Kept(const Tensor& hidden, const Tensor& output) : blocks(hidden) {
    for (size_t e = 0; e < size_t(hidden.size(0)); ++e) {
        experts.push_back({kept(hidden, e), kept(output, e)});
    }
}

FeedForwardKind MaskedFeedForward::kind(FeedForwardForm form) {
    return {[form](const Scope& scope, const FeedForwardSizes& sizes, const MaskTables& masks,
                   Rng& init) {
                return std::make_unique<MaskedFeedForward>(scope, sizes, masks, init, form);
            },
            [](const FeedForwardSizes& s) {
                return std::vector<SavedTensor>{{"lin_1.linear.weight", {s.hidden, s.width}, true},
                                                {"lin_1.linear.bias", {s.hidden}, true},
                                                {"lin_1.mask", {s.num_experts, s.hidden}, false},
                                                {"lin_2.linear.weight", {s.width, s.hidden}, true},
                                                {"lin_2.linear.bias", {s.width}, true},
                                                {"lin_2.mask", {s.num_experts, s.width}, false}};
            }};
}

MaskedFeedForward::MaskedFeedForward(const Scope& scope, const FeedForwardSizes& s,
                                     const MaskTables& masks, Rng& init, FeedForwardForm form)
    : FeedForward(scope, s),
      lin_1({this, "lin_1"}, s.width, s.hidden, masks.hidden, init, masks.scale),
      lin_2({this, "lin_2"}, s.hidden, s.width, masks.output, init, masks.scale),
      form_(form),
      kept_(lin_1.mask, lin_2.mask) {}

void MaskedFeedForward::state_loaded() {
    kept_ = Kept(lin_1.mask, lin_2.mask);
}

namespace {

// The numbers of rows and of kept neurons decide, and the precision. Costs are multiply-adds of
// forward in the fused form; to each belong two of backward. What else a form does is counted as so
// many of them as take as long.
struct FormCosts {
    double packed;              // the sparse form: preparing a weight, as long as so many rows
    double by_rows, reordered;  // the block form: a multiply-add, and preparing a weight
};

FormCosts form_costs() {
    // The faster products are, the more weighs what is done beside them.
    if (rounds_to_bfloat16(Autocast::precision())) {
        return has_matrix_instructions() ? FormCosts{.packed = 300, .by_rows = 2, .reordered = 100}
                                         : FormCosts{.packed = 70, .by_rows = 1.2, .reordered = 50};
    }
    return {.packed = 25, .by_rows = 1.15, .reordered = 25};
}

}  // namespace

FeedForwardForm MaskedFeedForward::form_for(std::span<const double> rows) const {
    if (form_ != FeedForwardForm::automatic) {
        return form_;
    }
    const FormCosts costs = form_costs();
    constexpr int64_t smallest_block = 16;  // neurons that a block must have
    const double C = double(sizes().width), F = double(sizes().hidden);
    double fused = 0, sparse = 0, blocks = costs.reordered * F * C;
    for (size_t e = 0; e < rows.size(); ++e) {
        const Kept::Expert& expert = kept_.experts[e];
        if (rows[e] > 0) {
            fused += rows[e] * 2 * F * C;
            sparse += (rows[e] + costs.packed) * expert.hidden * (C + expert.output);
            blocks += costs.by_rows * rows[e] * expert.hidden * 2 * C;
        }
    }
    const bool has_blocks = kept_.blocks.size >= smallest_block && lin_2.all_kept();
    if (has_blocks && blocks < std::min(sparse, fused)) {
        return FeedForwardForm::blocks;
    }
    return sparse < fused ? FeedForwardForm::sparse : FeedForwardForm::fused;
}

Variable MaskedFeedForward::compute(const Variable& x, const Routing& routing) const {
    if (form_ == FeedForwardForm::composed) {
        return lin_2.forward(relu(lin_1.forward(x, routing.experts)), routing.experts);
    }
    const FeedForwardWeights weights{lin_1.linear.weight, *lin_1.linear.bias, lin_2.linear.weight,
                                     *lin_2.linear.bias};
    if (routing.is_dense() || (lin_1.all_kept() && lin_2.all_kept())) {
        return feed_forward(x, weights);
    }
    const std::vector<int64_t>& begin = routing.groups.begin;
    std::vector<double> rows;  // of each expert
    for (size_t e = 0; e + 1 < begin.size(); ++e) {
        rows.push_back(double(begin[e + 1] - begin[e]));
    }
    const ExpertMasks masks{lin_1.masks(), lin_2.masks()};
    switch (form_for(rows)) {
        case FeedForwardForm::sparse:
            return sparse_feed_forward(x, weights, masks, routing.groups);
        case FeedForwardForm::blocks:
            return block_feed_forward(x, weights, masks, kept_.blocks, routing.experts);
        default:
            return feed_forward(x, weights, masks, routing.experts);
    }
}

std::vector<RowMatrix> MaskedFeedForward::step_weights(Precision precision) const {
    return {RowMatrix(lin_1.linear.weight.value(), precision),
            RowMatrix(transpose(Variable(lin_2.linear.weight.value()), 0, 1).value(), precision,
                      RowMatrix::For::combine_rows, RowMatrix::Numbers::own)};
}

StepNeeds MaskedFeedForward::step_needs(int64_t rows) const {
    const int64_t F = sizes().hidden;
    return {
        .parts = (F + neurons_in_part(F) - 1) / neurons_in_part(F), .numbers = rows * F, .ids = F};
}

void MaskedFeedForward::step_part(int64_t part, const StepRows& rows, const real* x,
                                  const std::vector<RowMatrix>& step_weights, StepMemory& memory,
                                  real* y) const {
    const int64_t M = rows.size(), F = sizes().hidden, C = sizes().width;
    const int64_t first = part * neurons_in_part(F),
                  width = std::min(neurons_in_part(F), F - first);
    real* const hidden = memory.numbers.data() + first * M;  // (M, width)
    int32_t* const ids = memory.ids.data() + first;
    const auto mask = [&](int64_t m) { return lin_1.masks_of(rows.experts[size_t(m)]) + first; };
    std::array<const real*, few_vectors> row_masks = {};  // only used if M allows
    for (int64_t m = 0; m < std::min(M, few_vectors); ++m) {
        row_masks[size_t(m)] = mask(m);
    }
    // hidden = mask * relu(x w1^T + b1)
    const Rows inwards =
        rows_that_matter(step_weights[0].rows(first, width), M, ids,
                         [&](int64_t m, int32_t id) { return row_masks[size_t(m)][id] != 0; });
    multiply_rows(M, x, C, inwards, hidden, width);
    const real* const b1 = lin_1.linear.bias->value().data() + first;
    for (int64_t m = 0; m < M; ++m) {
        real* const h = hidden + m * width;
        const real* const g = mask(m);
        for (int64_t j = 0; j < inwards.count; ++j) {
            const int64_t id = inwards.id(j);
            h[id] = g[id] * bias_relu(h[id], b1[id]);
        }
    }
    // y = mask * (hidden w2^T + b2); the bias is in the first part
    const Rows outwards =
        rows_that_matter(step_weights[1].rows(first, width), M, ids, [&](int64_t m, int32_t id) {
            return row_masks[size_t(m)][id] != 0 && hidden[m * width + id] != 0;
        });
    combine_rows(M, hidden, width, outwards, y, C);
    for (int64_t m = 0; m < M; ++m) {
        if (part == 0) {
            axpy(C, 1, lin_2.linear.bias->value().data(), y + m * C);
        }
        multiply<false>(C, lin_2.masks_of(rows.experts[size_t(m)]), y + m * C, y + m * C);
    }
}

std::vector<ProductCost> MaskedFeedForward::costs(int32_t expert) const {
    const double F = double(sizes().hidden), C = double(sizes().width);
    const bool dense = expert == no_expert;
    const double hidden = dense ? F : kept_.experts[size_t(expert)].hidden;
    const bool all_outputs = dense || form_ == FeedForwardForm::blocks;
    const double outputs = all_outputs ? C : kept_.experts[size_t(expert)].output;
    return {{"lin_1", C * F, C * hidden}, {"lin_2", F * C, hidden * outputs}};
}

bool MaskedFeedForward::skips_masked(std::span<const double> rows) const {
    const FeedForwardForm form = form_for(rows);
    return form == FeedForwardForm::sparse || form == FeedForwardForm::blocks;
}

double MaskedFeedForward::step_cost(int32_t expert) const {
    const int64_t F = sizes().hidden, part = neurons_in_part(F);
    const real* const mask = lin_1.masks_of(expert);
    int64_t neurons = 0;  // that step_part multiplies with
    for (int64_t first = 0; first < F; first += part) {
        const int64_t width = std::min(part, F - first);
        const int64_t active = width - std::count(mask + first, mask + first + width, real(0));
        neurons += gaps(active, width) ? active : width;
    }
    return 2 * double(neurons) * double(sizes().width);
}

double MaskedFeedForward::active_parameters(int32_t expert) const {
    const double C = double(sizes().width);
    const bool dense = expert == no_expert;
    const double hidden = dense ? double(sizes().hidden) : kept_.experts[size_t(expert)].hidden;
    const double outputs = dense ? C : kept_.experts[size_t(expert)].output;
    return hidden * (C + 1) + outputs * (hidden + 1);  // with biases
}

std::vector<Tensor> MaskedFeedForward::masks() const {
    std::vector<Tensor> found;
    for (const MaskedLinear* layer : {&lin_1, &lin_2}) {
        if (!layer->all_kept()) {
            found.push_back(layer->mask);
        }
    }
    return found;
}

}  // namespace smoe
