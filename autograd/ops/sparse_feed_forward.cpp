// The feed-forward network of many experts at the cost of what they keep. The rows of a batch are
// taken expert by expert. The rows of weight_1, and the rows and columns of weight_2, that the
// expert keeps are multiplied where they stand if they follow one another. Others are copied
// together, a block of hidden neurons at a time, so that the copy stays in cache. With a share p
// masked in both layers, this takes ((1-p) + (1-p)^2) / 2 of the dense products. Gradients of the
// weights are summed over the experts in their order, each element by one thread, so the bits are
// the same for any number of threads.
// Read next: block_feed_forward.cpp, for masks that keep whole blocks of neurons.
#include <algorithm>
#include <memory>
#include <numeric>

#include "autograd/ops/feed_forward.h"
#include "core/blas.h"
#include "core/check.h"
#include "core/scratch.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

using Indices = std::span<const int32_t>;

constexpr int64_t hidden_block = 256;  // hidden neurons whose weights are copied together
constexpr int64_t row_block = 512;     // most rows of an expert that share a copy

constexpr int32_t zero = 0;
const Indices one_row(&zero, 1);  // for vectors, as matrices of one row

bool contiguous(Indices indices) {
    return !indices.empty() && indices.back() - indices.front() + 1 == int32_t(indices.size());
}

// to (rows.size(), cols.size()) = from[rows, cols]; from has leading dimension ld
void gather(const real* from, int64_t ld, Indices rows, Indices cols, real* to) {
    const bool run = contiguous(cols);
    for (const int32_t row : rows) {
        const real* const source = from + row * ld;
        if (run) {
            to = std::copy_n(source + cols.front(), cols.size(), to);
        } else {
            for (const int32_t col : cols) {
                *to++ = source[col];
            }
        }
    }
}

struct Matrix {
    const real* data;
    int64_t ld;
};

// from[rows, cols]: a part of `from` if they follow one another, else a copy in scratch `slot`.
Matrix selected(const real* from, int64_t ld, Indices rows, Indices cols, size_t slot) {
    if (contiguous(rows) && contiguous(cols)) {
        return {from + rows.front() * ld + cols.front(), ld};
    }
    const int64_t width = int64_t(cols.size());
    real* const copy = scratch(slot, int64_t(rows.size()) * width);
    gather(from, ld, rows, cols, copy);
    return {copy, width};
}

// to[rows, cols] += from (rows.size(), cols.size()); to has leading dimension ld
void scatter_add(const real* from, Indices rows, Indices cols, real* to, int64_t ld) {
    const bool run = contiguous(cols);
    for (const int32_t row : rows) {
        real* const target = to + row * ld;
        if (run) {
            axpy(int64_t(cols.size()), 1, from, target + cols.front());
        } else {
            for (size_t c = 0; c < cols.size(); ++c) {
                target[cols[c]] += from[c];
            }
        }
        from += cols.size();
    }
}

// The part of rising `indices` that lies in [begin, end).
Indices between(Indices indices, int64_t begin, int64_t end) {
    const auto first = std::lower_bound(indices.begin(), indices.end(), begin);
    return {first, std::lower_bound(first, indices.end(), end)};
}

// Calls body(part) for the parts of rising `indices` in their order, of at most `most` numbers:
// a long run, or what lies between long runs.
template <class Body>
void for_each_part(Indices indices, int64_t most, const Body& body) {
    const auto run = [&](size_t begin) {  // how many indices from `begin` follow one another
        size_t end = begin + 1;
        while (end < indices.size() && indices[end] == indices[end - 1] + 1) {
            ++end;
        }
        return end - begin;
    };
    const auto cut = [&](Indices part) {
        for (size_t begin = 0; begin < part.size(); begin += size_t(most)) {
            body(part.subspan(begin, std::min(size_t(most), part.size() - begin)));
        }
    };
    size_t between = 0;  // where what lies between long runs begins
    for (size_t at = 0; at < indices.size();) {
        const size_t size = run(at);
        if (int64_t(size) >= long_run) {
            cut(indices.subspan(between, at - between));
            cut(indices.subspan(at, size));
            between = at + size;
        }
        at += size;
    }
    cut(indices.subspan(between));
}

// The neurons of a layer that an expert keeps (for the inputs of the network, all of them).
struct Kept {
    std::vector<int32_t> neurons;  // rising
    const real* masks = nullptr;   // (width of the layer), of all neurons
    // A matrix of kept neurons holds the blocks (rows of the expert, kept neurons) of the experts
    // one after another. The expert's own begins here.
    int64_t begin = 0;

    int64_t size() const { return int64_t(neurons.size()); }
    Indices part(int64_t first, int64_t count) const {
        return Indices(neurons).subspan(size_t(first), size_t(count));
    }
};

// One expert's share of a batch.
struct Expert {
    Indices rows;  // of the batch
    Kept input, hidden, output;
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
            expert.input.neurons.resize(size_t(C));
            std::iota(expert.input.neurons.begin(), expert.input.neurons.end(), 0);
            expert.input.begin = begin * C;
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
    int64_t rows() const { return int64_t(groups_.rows.size()); }
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

// Calls body(begin, neurons) for the blocks of an expert's kept hidden neurons.
template <class Body>
void for_each_hidden_block(const Expert& expert, const Body& body) {
    for_each_part(expert.hidden.neurons, hidden_block, [&](Indices neurons) {
        body(neurons.data() - expert.hidden.neurons.data(), neurons);
    });
}

// Multiplies the numbers of a block of rows by the masks of `neurons`, which are some of those that
// the expert keeps.
void multiply_by_masks(const Kept& kept, Indices neurons, int64_t rows, real* x, int64_t ld) {
    const int64_t size = int64_t(neurons.size());
    const real* const masks = selected(kept.masks, 0, one_row, neurons, 3).data;
    for (int64_t n = 0; n < rows; ++n) {
        multiply<false>(size, masks, x + n * ld, x + n * ld);
    }
}

struct Weights {
    Tensor weight_1, bias_1, weight_2, bias_2;
};

// -> hidden (kept neurons), out (N, C)
void forward(const Plan& plan, const Weights& w, const Tensor& x, const Tensor& hidden,
             const Tensor& out) {
    const int64_t C = plan.C, F = plan.F;
    plan.for_each_block([&](const Expert& expert, int64_t first, int64_t count) {
        const Indices rows = expert.rows.subspan(size_t(first), size_t(count));
        const int64_t kept = expert.hidden.size(), outputs = expert.output.size();
        real* const xs = scratch(0, count * C);
        gather(x.data(), C, rows, expert.input.neurons, xs);
        real* const hs = hidden.data() + expert.hidden.begin + first * kept;  // (count, kept)
        real* const ys = scratch(1, count * outputs);
        std::fill_n(ys, count * outputs, real(0));
        for_each_hidden_block(expert, [&](int64_t begin, Indices neurons) {
            const int64_t size = int64_t(neurons.size());
            real* const h = hs + begin;  // (count, size), leading dimension kept
            // h (count, size) = mask * relu(x (count, C) w1^T (C, size) + b1 (size))
            const Matrix w1 = selected(w.weight_1.data(), C, neurons, expert.input.neurons, 2);
            gemm_serial(Trans::no, Trans::yes, count, size, C, xs, C, w1.data, w1.ld, 0, h, kept);
            const real* const b1 = selected(w.bias_1.data(), 0, one_row, neurons, 3).data;
            for (int64_t n = 0; n < count; ++n) {
                bias_relu(size, b1, h + n * kept);
            }
            multiply_by_masks(expert.hidden, neurons, count, h, kept);
            // y (count, outputs) += h (count, size) w2^T (size, outputs)
            const Matrix w2 = selected(w.weight_2.data(), F, expert.output.neurons, neurons, 2);
            gemm_serial(Trans::no, Trans::yes, count, outputs, size, h, kept, w2.data, w2.ld, 1, ys,
                        outputs);
        });
        for (int64_t n = 0; n < count; ++n) {  // out = mask * (y + b2), and 0 where not kept
            real* const y = out.data() + rows[size_t(n)] * C;
            std::fill_n(y, C, real(0));
            for (int64_t c = 0; c < outputs; ++c) {
                const int32_t o = expert.output.neurons[size_t(c)];
                y[o] = expert.output.masks[o] * (ys[n * outputs + c] + w.bias_2.data()[o]);
            }
        }
    });
}

// dout (N, C) -> dz = mask * dout (kept outputs), da = the gradient before the relu (kept hidden
// neurons); adds to dx (N, C) unless that is null.
void backward_to_inputs(const Plan& plan, const Weights& w, const Tensor& hidden,
                        const Tensor& dout, const Tensor& dz, const Tensor& da, Tensor* dx) {
    const int64_t C = plan.C, F = plan.F;
    plan.for_each_block([&](const Expert& expert, int64_t first, int64_t count) {
        const Indices rows = expert.rows.subspan(size_t(first), size_t(count));
        const int64_t kept = expert.hidden.size(), outputs = expert.output.size();
        real* const dzs = dz.data() + expert.output.begin + first * outputs;  // (count, outputs)
        gather(dout.data(), C, rows, expert.output.neurons, dzs);
        multiply_by_masks(expert.output, expert.output.neurons, count, dzs, outputs);
        real* const dxs = scratch(0, count * C);
        std::fill_n(dxs, count * C, real(0));
        const real* const hs = hidden.data() + expert.hidden.begin + first * kept;
        real* const das = da.data() + expert.hidden.begin + first * kept;  // (count, kept)
        for_each_hidden_block(expert, [&](int64_t begin, Indices neurons) {
            const int64_t size = int64_t(neurons.size());
            real* const d = das + begin;  // (count, size), leading dimension kept
            // dh (count, size) = dz (count, outputs) w2 (outputs, size)
            const Matrix w2 = selected(w.weight_2.data(), F, expert.output.neurons, neurons, 2);
            gemm_serial(Trans::no, Trans::no, count, size, outputs, dzs, outputs, w2.data, w2.ld, 0,
                        d, kept);
            // h = mask * relu(a): da = mask * dh where h is not 0
            for (int64_t n = 0; n < count; ++n) {
                relu_backward(size, hs + begin + n * kept, d + n * kept);
            }
            multiply_by_masks(expert.hidden, neurons, count, d, kept);
            if (dx != nullptr) {  // dx (count, C) += da (count, size) w1 (size, C)
                const Matrix w1 = selected(w.weight_1.data(), C, neurons, expert.input.neurons, 2);
                gemm_serial(Trans::no, Trans::no, count, C, size, d, kept, w1.data, w1.ld, 1, dxs,
                            C);
            }
        });
        if (dx != nullptr) {
            scatter_add(dxs, rows, expert.input.neurons, dx->data(), C);
        }
    });
}

// For a layer with outputs y = x w^T + b: dw (Y, X) += dy^T x, db (Y) += column sums of dy; dw or
// db is null if not wanted. dy and x are matrices of kept neurons; `to` and `from` are those
// neurons. Each task owns a rectangle of dw and goes through the experts in their order.
void backward_to_weights(const Plan& plan, const Tensor& dy, Kept Expert::*to, const Tensor& x,
                         Kept Expert::*from, int64_t Y, int64_t X, Tensor* dw, Tensor* db) {
    const auto tile = [](int64_t size) {
        return std::clamp<int64_t>((size / 2 + 15) / 16 * 16, 64, 512);
    };
    const int64_t rows = tile(Y), cols = tile(X), across = (X + cols - 1) / cols;
    parallel_chunks((Y + rows - 1) / rows * across, [&](int64_t task) {
        const int64_t row = task / across * rows, col = task % across * cols;
        real* const product = scratch(4, rows * cols);
        for (const Expert& expert : plan.experts()) {
            const int64_t N = int64_t(expert.rows.size());
            const Kept &kept_y = expert.*to, &kept_x = expert.*from;
            const Indices ys = between(kept_y.neurons, row, row + rows);
            const Indices xs = between(kept_x.neurons, col, col + cols);
            const auto column = [](const Tensor& matrix, const Kept& kept, Indices neurons) {
                return matrix.data() + kept.begin + (neurons.data() - kept.neurons.data());
            };
            const auto add_product = [&](Indices y_part, Indices x_part) {
                const int64_t height = int64_t(y_part.size()), width = int64_t(x_part.size());
                const bool in_place = contiguous(y_part) && contiguous(x_part);
                real* const to_w =
                    in_place ? dw->data() + y_part.front() * X + x_part.front() : product;
                // (height, width) = or += dy^T (height, N) x (N, width)
                gemm_serial(Trans::yes, Trans::no, height, width, N, column(dy, kept_y, y_part),
                            kept_y.size(), column(x, kept_x, x_part), kept_x.size(), in_place, to_w,
                            in_place ? X : width);
                if (!in_place) {
                    scatter_add(product, y_part, x_part, dw->data(), X);
                }
            };
            if (dw != nullptr) {
                for_each_part(ys, rows, [&](Indices y_part) {
                    for_each_part(xs, cols, [&](Indices x_part) { add_product(y_part, x_part); });
                });
            }
            if (db != nullptr && col == 0) {
                const int64_t height = int64_t(ys.size());
                std::fill_n(product, height, real(0));
                for (int64_t n = 0; n < N; ++n) {
                    axpy(height, 1, column(dy, kept_y, ys) + n * kept_y.size(), product);
                }
                scatter_add(product, one_row, ys, db->data(), 0);
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
    forward(*plan, w, X, hidden, out);
    return record(
        "sparse_feed_forward", out,
        {x, weights.weight_1, weights.bias_1, weights.weight_2, weights.bias_2},
        [plan, w, X, hidden](const Tensor& dout, std::span<Tensor* const> din) {
            const Tensor dz = Tensor::empty({plan->output_numel()});
            const Tensor da = Tensor::empty({plan->hidden_numel()});
            backward_to_inputs(*plan, w, hidden, dout, dz, da, din[0]);
            if (din[1] != nullptr || din[2] != nullptr) {
                const int64_t width = plan->C;
                const Tensor sorted = Tensor::empty({plan->rows(), width});  // x, expert by expert
                plan->for_each_block([&](const Expert& expert, int64_t first, int64_t count) {
                    gather(X.data(), width, expert.rows.subspan(size_t(first), size_t(count)),
                           expert.input.neurons,
                           sorted.data() + expert.input.begin + first * width);
                });
                backward_to_weights(*plan, da, &Expert::hidden, sorted, &Expert::input, plan->F,
                                    plan->C, din[1], din[2]);
            }
            if (din[3] != nullptr || din[4] != nullptr) {
                backward_to_weights(*plan, dz, &Expert::output, hidden, &Expert::hidden, plan->C,
                                    plan->F, din[3], din[4]);
            }
        });
}

}  // namespace smoe
