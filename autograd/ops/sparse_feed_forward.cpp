// The feed-forward network of many experts at the cost of what they keep. The rows of a batch are
// taken expert by expert, and only the rows of weight_1, and the rows and columns of weight_2, that
// the expert keeps are multiplied: a product picks them while it packs. With a share p masked in
// both layers, this takes ((1-p) + (1-p)^2) / 2 of the dense products. Gradients of the weights are
// summed over the experts in their order, each element by one thread, so the bits are the same for
// any number of threads.
// Read next: block_feed_forward.cpp, for masks that keep whole blocks of neurons.
#include <algorithm>
#include <memory>
#include <numeric>

#include "autograd/autocast.h"
#include "autograd/ops/feed_forward.h"
#include "core/check.h"
#include "core/packed_gemm.h"
#include "core/scratch.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

using Indices = std::span<const int32_t>;

constexpr int64_t row_block = 512;  // most rows of an expert in a task

// Rising indices. Those that follow one another need no list.
struct Chosen {
    int64_t first = 0;
    const int32_t* list = nullptr;

    Chosen() = default;  // all, in order
    explicit Chosen(Indices indices) {
        if (!indices.empty() && indices.back() - indices.front() + 1 == int32_t(indices.size())) {
            first = indices.front();
        } else {
            list = indices.data();
        }
    }
};

// matrix[rows, cols] as a factor, lane by row or lane by column, and as a result.
Operand by_row(const real* matrix, int64_t ld, Chosen rows, Chosen cols) {
    return {matrix + rows.first * ld + cols.first, ld, 1, rows.list, cols.list};
}
Operand by_column(const real* matrix, int64_t ld, Chosen rows, Chosen cols) {
    return {matrix + rows.first * ld + cols.first, 1, ld, cols.list, rows.list};
}
ProductResult part_of(real* matrix, int64_t ld, Chosen rows, Chosen cols) {
    return {matrix + rows.first * ld + cols.first, ld, rows.list, cols.list};
}

// Numbers of a vector side by side, in scratch `slot` if they are not yet.
const real* values_at(const real* from, Indices indices, size_t slot) {
    const Chosen chosen(indices);
    if (chosen.list == nullptr) {
        return from + chosen.first;
    }
    real* const copy = scratch(slot, int64_t(indices.size()));
    std::ranges::transform(indices, copy, [from](int32_t i) { return from[i]; });
    return copy;
}

// The part of rising `indices` that lies in [begin, end).
Indices between(Indices indices, int64_t begin, int64_t end) {
    const auto first = std::lower_bound(indices.begin(), indices.end(), begin);
    return {first, std::lower_bound(first, indices.end(), end)};
}

// The neurons of a layer that an expert keeps.
struct Kept {
    std::vector<int32_t> neurons;  // rising
    const real* masks = nullptr;   // (width of the layer), of all neurons
    // A matrix of kept neurons holds the blocks (rows of the expert, kept neurons) of the experts
    // one after another. The expert's own begins here.
    int64_t begin = 0;

    int64_t size() const { return int64_t(neurons.size()); }
};

// One expert's share of a batch.
struct Expert {
    Indices rows;  // of the batch
    Kept hidden, output;
};

// How a batch is cut into work; forward and backward follow the same plan.
class Plan {
  public:
    const int64_t C, F;  // widths of the network's outputs and of its hidden layer

    Plan(const ExpertGroups& groups, const ExpertMasks& masks)
        : C(masks.output.size(1)), F(masks.hidden.size(1)), groups_(groups), masks_(masks) {
        for (size_t e = 0; e + 1 < groups_.begin.size(); ++e) {
            const int64_t begin = groups_.begin[e], count = groups_.begin[e + 1] - begin;
            if (count == 0) {
                continue;
            }
            Expert expert;
            expert.rows = Indices(groups_.rows).subspan(size_t(begin), size_t(count));
            expert.hidden = kept(masks_.hidden, int64_t(e), count, hidden_numel_);
            expert.output = kept(masks_.output, int64_t(e), count, output_numel_);
            const int64_t blocks = (count + row_block - 1) / row_block;
            const int64_t grain = (count + blocks - 1) / blocks;
            for (int64_t first = 0; first < count; first += grain) {
                tasks_.push_back({experts_.size(), first, std::min(grain, count - first)});
            }
            experts_.push_back(std::move(expert));
        }
        std::stable_sort(tasks_.begin(), tasks_.end(),
                         [](const Task& a, const Task& b) { return a.count > b.count; });
    }
    Plan(const Plan&) = delete;  // experts point into groups_
    Plan& operator=(const Plan&) = delete;

    const std::vector<Expert>& experts() const { return experts_; }
    int64_t hidden_numel() const { return hidden_numel_; }  // of a matrix of kept hidden neurons
    int64_t output_numel() const { return output_numel_; }  // likewise of kept outputs

    // Calls body(expert, first, count) for each block of rows of each expert, on all threads.
    template <class Body>
    void for_each_block(const Body& body) const {
        parallel_chunks(int64_t(tasks_.size()), [&](int64_t t) {
            const Task& task = tasks_[size_t(t)];
            body(experts_[task.expert], task.first, task.count);
        });
    }

  private:
    struct Task {
        size_t expert;
        int64_t first, count;  // of its rows
    };

    static Kept kept(const Tensor& masks, int64_t expert, int64_t rows, int64_t& numel) {
        Kept kept{{}, masks.data() + expert * masks.size(1), numel};
        for (int64_t i = 0; i < masks.size(1); ++i) {
            if (kept.masks[i] != 0) {
                kept.neurons.push_back(int32_t(i));
            }
        }
        numel += rows * kept.size();
        return kept;
    }

    const ExpertGroups groups_;
    const ExpertMasks masks_;
    std::vector<Expert> experts_;  // those with rows
    std::vector<Task> tasks_;      // longest first, so that threads end together
    int64_t hidden_numel_ = 0, output_numel_ = 0;
};

// y (rows, kept neurons) = mask * y
void multiply_by_masks(const Kept& kept, int64_t rows, real* y) {
    const int64_t size = kept.size();
    const real* const masks = values_at(kept.masks, kept.neurons, 0);
    for (int64_t n = 0; n < rows; ++n) {
        multiply<false>(size, masks, y + n * size, y + n * size);
    }
}

struct Weights {
    Tensor weight_1, bias_1, weight_2, bias_2;
};

// -> hidden (kept neurons), out (N, C)
void forward(const Plan& plan, Precision precision, const Weights& w, const Tensor& x,
             const Tensor& hidden, const Tensor& out) {
    const int64_t C = plan.C, F = plan.F;
    plan.for_each_block([&](const Expert& expert, int64_t first, int64_t count) {
        const Chosen rows(expert.rows.subspan(size_t(first), size_t(count))), all;
        const Chosen neurons(expert.hidden.neurons), outputs(expert.output.neurons);
        const int64_t kept = expert.hidden.size(), kept_outputs = expert.output.size();
        real* const h = hidden.data() + expert.hidden.begin + first * kept;
        // h (count, kept) = mask * relu(x (count, C) w1^T (C, kept) + b1 (kept))
        packed_gemm(precision, count, kept, C, by_row(x.data(), C, rows, all),
                    by_row(w.weight_1.data(), C, neurons, all), 0, {h, kept},
                    [&](const GemmBlock& block) {
                        const real* const b1 = values_at(w.bias_1.data(), expert.hidden.neurons, 1);
                        real* const part = h + block.row * kept;
                        for (int64_t n = 0; n < block.rows; ++n) {
                            bias_relu(kept, b1, part + n * kept);
                        }
                        multiply_by_masks(expert.hidden, block.rows, part);
                    });
        // y (count, kept outputs) = h (count, kept) w2^T (kept, kept outputs)
        real* const ys = scratch(2, count * kept_outputs);
        packed_gemm(precision, count, kept_outputs, kept, by_row(h, kept, all, all),
                    by_row(w.weight_2.data(), F, outputs, neurons), 0, {ys, kept_outputs},
                    [](const GemmBlock&) {});
        for (int64_t n = 0; n < count; ++n) {  // out = mask * (y + b2), and 0 where not kept
            real* const y = out.data() + expert.rows[size_t(first + n)] * C;
            std::fill_n(y, C, real(0));
            for (int64_t c = 0; c < kept_outputs; ++c) {
                const int32_t o = expert.output.neurons[size_t(c)];
                y[o] = expert.output.masks[o] * (ys[n * kept_outputs + c] + w.bias_2.data()[o]);
            }
        }
    });
}

// dout (N, C) -> dz = mask * dout (kept outputs), da = the gradient before the relu (kept hidden
// neurons); adds to dx (N, C) unless that is null.
void backward_to_inputs(const Plan& plan, Precision precision, const Weights& w,
                        const Tensor& hidden, const Tensor& dout, const Tensor& dz,
                        const Tensor& da, Tensor* dx) {
    const int64_t C = plan.C, F = plan.F;
    plan.for_each_block([&](const Expert& expert, int64_t first, int64_t count) {
        const Chosen rows(expert.rows.subspan(size_t(first), size_t(count))), all;
        const Chosen neurons(expert.hidden.neurons), outputs(expert.output.neurons);
        const int64_t kept = expert.hidden.size(), kept_outputs = expert.output.size();
        real* const z = dz.data() + expert.output.begin + first * kept_outputs;
        for (int64_t n = 0; n < count; ++n) {
            const real* const dy = dout.data() + expert.rows[size_t(first + n)] * C;
            std::ranges::transform(expert.output.neurons, z + n * kept_outputs,
                                   [&](int32_t o) { return dy[o]; });
        }
        multiply_by_masks(expert.output, count, z);
        const real* const h = hidden.data() + expert.hidden.begin + first * kept;
        real* const d = da.data() + expert.hidden.begin + first * kept;
        // dh (count, kept) = dz (count, kept outputs) w2 (kept outputs, kept);
        // h = mask * relu(a): da = mask * dh where h is not 0
        packed_gemm(precision, count, kept, kept_outputs, by_row(z, kept_outputs, all, all),
                    by_column(w.weight_2.data(), F, outputs, neurons), 0, {d, kept},
                    [&](const GemmBlock& block) {
                        const int64_t at = block.row * kept;
                        relu_backward(block.rows * kept, h + at, d + at);
                        multiply_by_masks(expert.hidden, block.rows, d + at);
                    });
        if (dx != nullptr) {  // dx (count, C) += da (count, kept) w1 (kept, C)
            packed_gemm(precision, count, C, kept, by_row(d, kept, all, all),
                        by_column(w.weight_1.data(), C, neurons, all), 1,
                        part_of(dx->data(), C, rows, all), [](const GemmBlock&) {});
        }
    });
}

// One factor of a gradient: the rows of an expert, and those of its neurons that a task asks for.
struct Part {
    Indices neurons;
    Operand factor;
};

// Neurons [begin, end) of a matrix of kept neurons.
Part kept_part(const Tensor& matrix, const Kept& kept, int64_t begin, int64_t end) {
    const Indices neurons = between(kept.neurons, begin, end);
    const int64_t first = neurons.data() - kept.neurons.data();
    return {neurons, by_column(matrix.data() + kept.begin + first, kept.size(), {}, {})};
}

// For a layer with outputs y = x w^T + b: dw (Y, X) += dy^T x, db (Y) += column sums of dy; dw or
// db is null if not wanted. Expert by expert, part_y(expert, begin, end) are outputs [begin, end) of
// dy, and part_x likewise inputs of x. Each task owns a rectangle of dw and goes through the experts
// in their order.
template <class PartY, class PartX>
void backward_to_weights(const Plan& plan, Precision precision, int64_t Y, int64_t X,
                         const PartY& part_y, const PartX& part_x, Tensor* dw, Tensor* db) {
    const auto tile = [](int64_t size) {
        return std::clamp<int64_t>((size / 2 + 15) / 16 * 16, 64, 512);
    };
    const int64_t rows = tile(Y), cols = tile(X), across = (X + cols - 1) / cols;
    parallel_chunks((Y + rows - 1) / rows * across, [&](int64_t task) {
        const int64_t row = task / across * rows, col = task % across * cols;
        for (const Expert& expert : plan.experts()) {
            const int64_t N = int64_t(expert.rows.size());
            const Part dy = part_y(expert, row, std::min(Y, row + rows));
            const int64_t height = int64_t(dy.neurons.size());
            if (dw != nullptr) {  // dw (height, width) += dy^T (height, N) x (N, width)
                const Part x = part_x(expert, col, std::min(X, col + cols));
                packed_gemm(precision, height, int64_t(x.neurons.size()), N, dy.factor, x.factor, 1,
                            part_of(dw->data(), X, Chosen(dy.neurons), Chosen(x.neurons)),
                            [](const GemmBlock&) {});
            }
            if (db != nullptr && col == 0) {
                real* const sums = scratch(0, height);
                std::fill_n(sums, height, real(0));
                for (int64_t n = 0; n < N; ++n) {
                    axpy(height, 1, dy.factor.data + n * dy.factor.depth_stride, sums);
                }
                for (int64_t i = 0; i < height; ++i) {
                    db->data()[dy.neurons[size_t(i)]] += sums[i];
                }
            }
        }
    });
}

}  // namespace

Variable sparse_feed_forward(const Variable& x, const FeedForwardWeights& weights,
                             const ExpertMasks& masks, const ExpertGroups& groups) {
    check_feed_forward("sparse_feed_forward", x, weights);
    const int64_t N = x.shape()[0], C = x.shape()[1], F = weights.weight_1.shape()[0];
    check_masks("sparse_feed_forward", masks, F, C);
    check(int64_t(groups.rows.size()) == N &&
              int64_t(groups.begin.size()) == masks.hidden.size(0) + 1,
          "sparse_feed_forward: {} rows and {} experts, but groups of {} rows and {} experts", N,
          masks.hidden.size(0), groups.rows.size(), int64_t(groups.begin.size()) - 1);
    const auto plan = std::make_shared<const Plan>(groups, masks);
    const Weights w{weights.weight_1.value(), weights.bias_1.value(), weights.weight_2.value(),
                    weights.bias_2.value()};
    const Tensor X = x.value(), hidden = Tensor::empty({plan->hidden_numel()});
    const Tensor out = Tensor::empty({N, C});
    const Precision precision = Autocast::precision();
    forward(*plan, precision, w, X, hidden, out);
    return record(
        "sparse_feed_forward", out,
        {x, weights.weight_1, weights.bias_1, weights.weight_2, weights.bias_2},
        [plan, precision, w, X, hidden, C, F](const Tensor& dout, std::span<Tensor* const> din) {
            const Tensor dz = Tensor::empty({plan->output_numel()});
            const Tensor da = Tensor::empty({plan->hidden_numel()});
            backward_to_inputs(*plan, precision, w, hidden, dout, dz, da, din[0]);
            const auto of_hidden = [&](const Tensor& matrix) {
                return [&matrix](const Expert& expert, int64_t begin, int64_t end) {
                    return kept_part(matrix, expert.hidden, begin, end);
                };
            };
            if (din[1] != nullptr || din[2] != nullptr) {
                std::vector<int32_t> inputs(static_cast<size_t>(C));
                std::iota(inputs.begin(), inputs.end(), 0);
                const auto of_input = [&](const Expert& expert, int64_t begin, int64_t end) {
                    const Indices neurons = between(inputs, begin, end);
                    return Part{neurons,
                                by_column(X.data(), C, Chosen(expert.rows), Chosen(neurons))};
                };
                backward_to_weights(*plan, precision, F, C, of_hidden(da), of_input, din[1],
                                    din[2]);
            }
            if (din[3] != nullptr || din[4] != nullptr) {
                const auto of_output = [&](const Expert& expert, int64_t begin, int64_t end) {
                    return kept_part(dz, expert.output, begin, end);
                };
                backward_to_weights(*plan, precision, C, F, of_output, of_hidden(hidden), din[3],
                                    din[4]);
            }
        });
}

}  // namespace smoe
