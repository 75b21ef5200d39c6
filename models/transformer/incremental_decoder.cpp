// One layer is two parallel loops: over the heads and over the hidden neurons. A head needs nothing
// of the others until their contributions to x are added, and neither does a neuron. So queries,
// keys, values, attention and output projection of a head are one chunk of work, and so are some
// neurons with what leads to them and away from them.
// Read next: models/generation/generator.cpp.
#include "models/transformer/incremental_decoder.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/matvec.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

constexpr int64_t max_chunks = 64, min_neurons = 256;
constexpr double gaps_pay = 0.6;  // for this share of the rows or less, the others are left out

int64_t chunks_of(int64_t count, int64_t grain) {
    return (count + grain - 1) / grain;
}

const real* data(const Variable& variable) {
    return variable.value().data();
}

// x = (x - mean) / sqrt(variance + 1e-5) * weight + bias, as layer_norm does.
void normalise(int64_t count, const real* weight, const real* bias, real* x) {
    const real mean = sum(x, count) / real(count);
    real square = 0;
#pragma omp simd reduction(+ : square)
    for (int64_t i = 0; i < count; ++i) {
        square += (x[i] - mean) * (x[i] - mean);
    }
    const real rstd = 1 / std::sqrt(square / real(count) + real(1e-5));
    for (int64_t i = 0; i < count; ++i) {
        x[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
    }
}

// to (cols, rows) = from (rows, cols) transposed
void transpose(const Tensor& from, const Tensor& to) {
    const int64_t rows = from.size(0), cols = from.size(1);
    constexpr int64_t line = 16;
    parallel_for(cols, line, [&](int64_t begin, int64_t end) {
        for (int64_t row = 0; row < rows; ++row) {
            for (int64_t col = begin; col < end; ++col) {
                to.data()[col * rows + row] = from.data()[row * cols + col];
            }
        }
    });
}

}  // namespace

IncrementalDecoder::IncrementalDecoder(const Decoder& decoder, int64_t slots)
    : decoder_(decoder),
      settings_(decoder.settings()),
      head_size_(settings_.width / settings_.heads),
      head_grain_(chunks_of(settings_.heads, max_chunks)),
      hidden_grain_(std::max(min_neurons, chunks_of(settings_.hidden, max_chunks))),
      lengths_(size_t(slots), 0),
      wanted_(lengths_),
      positions_(size_t(max_rows)),
      neurons_(size_t(settings_.hidden)) {
    const int64_t L = settings_.layers, C = settings_.width, F = settings_.hidden;
    const int64_t H = settings_.heads, T = settings_.context;
    // Transposed, so that what a channel or neuron adds to x lies in one row: silent ones are rows
    // to skip. One tensor for all layers, so that they lie on large pages.
    const Tensor attention_out = Tensor::empty({L, C, C}), hidden_out = Tensor::empty({L, F, C});
    const Tensor keys = Tensor::empty({L, slots * H, T, head_size_});
    const Tensor values = Tensor::empty(keys.shape());
    for (int64_t l = 0; l < L; ++l) {
        const Block& block = *decoder.layers()[size_t(l)];
        layers_.push_back({&block, attention_out.narrow(l, 1).reshape({C, C}),
                           hidden_out.narrow(l, 1).reshape({F, C}), keys.narrow(l, 1),
                           values.narrow(l, 1)});
        transpose(block.attn.out_proj.weight.value(), layers_.back().attention_out);
        transpose(block.ffn.lin_2.linear.weight.value(), layers_.back().hidden_out);
    }
    ones_ = Tensor::full({std::max(C, F)}, 1);
    x_ = Tensor::empty({max_rows, C});
    qkv_ = Tensor::empty({max_rows * 3 * C});
    mixed_ = Tensor::empty({max_rows * C});
    scores_ = Tensor::empty({H, T});
    hidden_ = Tensor::empty({max_rows * F});
    sums_ = Tensor::empty(
        {std::max(chunks_of(H, head_grain_), chunks_of(F, hidden_grain_)), max_rows, C});
}

void IncrementalDecoder::append(std::span<const Next> next, std::span<real> logits) {
    check_next(next, logits);
    const int64_t C = settings_.width, V = settings_.outputs;
    const int64_t unwanted = int64_t(next.size()) - int64_t(logits.size()) / V;
    for (int64_t done = 0; done < int64_t(next.size()); done += max_rows) {
        const std::span<const Next> rows =
            next.subspan(size_t(done), std::min(next.size() - size_t(done), size_t(max_rows)));
        const int64_t M = int64_t(rows.size());
        embed(rows);
        for (const Layer& layer : layers_) {
            parallel_for(settings_.heads, head_grain_, [&](int64_t begin, int64_t end) {
                attend(layer, rows, begin, end, sums_.data() + begin / head_grain_ * M * C);
            });
            add_and_normalise(rows, chunks_of(settings_.heads, head_grain_), nullptr,
                              layer.block->norm1);
            parallel_for(settings_.hidden, hidden_grain_, [&](int64_t begin, int64_t end) {
                feed_forward(layer, rows, begin, end, sums_.data() + begin / hidden_grain_ * M * C);
            });
            add_and_normalise(rows, chunks_of(settings_.hidden, hidden_grain_),
                              &layer.block->ffn.lin_2, layer.block->norm2);
        }
        // Of a prompt only the last logits are asked for, which saves the others' product with the
        // output matrix.
        const int64_t skip = std::clamp<int64_t>(unwanted - done, 0, M);
        parallel_for(skip < M ? V : 0, row_grain(C), [&](int64_t begin, int64_t end) {
            multiply_rows(M - skip, x_.data() + skip * C, C,
                          {data(decoder_.decoder().weight) + begin * C, C, end - begin},
                          logits.data() + (done + skip - unwanted) * V + begin, V);
        });
    }
}

void IncrementalDecoder::check_next(std::span<const Next> next, std::span<const real> logits) {
    check(int64_t(logits.size()) % settings_.outputs == 0 &&
              logits.size() <= next.size() * size_t(settings_.outputs),
          "model: {} logits are no whole number of the last {} rows of {}", logits.size(),
          next.size(), settings_.outputs);
    wanted_ = lengths_;
    for (const Next& row : next) {
        check(row.slot >= 0 && size_t(row.slot) < lengths_.size(),
              "model: there is no slot {} among {}", row.slot, lengths_.size());
        check(row.token >= 0 && row.token < settings_.vocab,
              "model: token {} is not in the vocabulary of {}", row.token, settings_.vocab);
        check(row.expert >= -1 && row.expert < settings_.num_experts,
              "model: there is no expert {} among {}", row.expert, settings_.num_experts);
        check(++wanted_[size_t(row.slot)] <= settings_.context,
              "model: a sequence is longer than the context of {}", settings_.context);
    }
}

// x = E[token] + P[position]
void IncrementalDecoder::embed(std::span<const Next> next) {
    const int64_t C = settings_.width;
    for (size_t m = 0; m < next.size(); ++m) {
        const int64_t position = positions_[m] = lengths_[size_t(next[m].slot)]++;
        const real* const token = data(decoder_.token_embedding().weight) + next[m].token * C;
        const real* const place = decoder_.pos_embedding().data() + position * C;
        real* const x = x_.data() + int64_t(m) * C;
        for (int64_t c = 0; c < C; ++c) {
            x[c] = token[c] + place[c];
        }
    }
}

// sum (M, C) = what these heads add to x; their keys and values go into the cache.
void IncrementalDecoder::attend(const Layer& layer, std::span<const Next> next, int64_t first_head,
                                int64_t last_head, real* sum) {
    const int64_t M = int64_t(next.size()), C = settings_.width, D = head_size_;
    const int64_t first = first_head * D, width = (last_head - first_head) * D;
    const real* const weight = data(layer.block->attn.qkv_proj.weight);
    real* const q = qkv_.data() + 3 * first * max_rows;  // (M, width), and so are k and v
    real* const k = q + M * width;
    real* const v = k + M * width;
    real* const mixed = mixed_.data() + first * max_rows;  // (M, width)
    multiply_rows(M, x_.data(), C, {weight + first * C, C, width}, q, width);
    multiply_rows(M, x_.data(), C, {weight + (C + first) * C, C, width}, k, width);
    multiply_rows(M, x_.data(), C, {weight + (2 * C + first) * C, C, width}, v, width);
    for (int64_t head = first_head; head < last_head; ++head) {
        real* const scores = scores_.data() + head * settings_.context;
        for (int64_t m = 0; m < M; ++m) {
            const int64_t at = m * width + head * D - first, seen = positions_[size_t(m)] + 1;
            real* const keys = cached(layer.keys, next[size_t(m)].slot, head);
            real* const values = cached(layer.values, next[size_t(m)].slot, head);
            std::copy_n(k + at, D, keys + (seen - 1) * D);
            std::copy_n(v + at, D, values + (seen - 1) * D);
            multiply_rows(1, q + at, D, {keys, D, seen}, scores, seen);
            // softmax without a pass of its own: values are mixed by exp, and the mix is divided.
            const real factor =
                1 / exp_and_sum(scores, seen, 1 / std::sqrt(real(D)), largest(scores, seen));
            combine_rows(1, scores, seen, {values, D, seen}, mixed + at, D);
            for (int64_t d = 0; d < D; ++d) {
                mixed[at + d] *= factor;
            }
        }
    }
    combine_rows(M, mixed, width, {layer.attention_out.data() + first * C, C, width}, sum, C);
}

// sum (M, C) = what hidden neurons begin .. end-1 add to x, before bias and mask of the output.
void IncrementalDecoder::feed_forward(const Layer& layer, std::span<const Next> next, int64_t begin,
                                      int64_t end, real* sum) {
    const int64_t M = int64_t(next.size()), C = settings_.width, width = end - begin;
    const MaskedLinear& lin_1 = layer.block->ffn.lin_1;
    real* const hidden = hidden_.data() + begin * max_rows;  // (M, width)
    const auto mask = [&](int64_t m) { return masks(lin_1, next[size_t(m)].expert) + begin; };
    // The rows of `matrix`, one a neuron, that matter to any token. Of many tokens nearly all do,
    // and a product with all is faster; so it is where gaps are few, for rows that follow one
    // another are read faster.
    int32_t* const ids = neurons_.data() + begin;
    const auto rows_where = [&](const real* matrix, const auto& matters) {
        const Rows all{matrix, C, width};
        if (M > few_vectors) {
            return all;
        }
        int64_t count = 0;
        for (int32_t id = 0; id < width; ++id) {
            bool any = false;
            for (int64_t m = 0; m < M; ++m) {
                any |= mask(m)[id] != 0 && matters(m, id);
            }
            ids[count] = id;
            count += any;
        }
        return double(count) < gaps_pay * double(width) ? Rows{matrix, C, count, ids} : all;
    };
    const Rows inwards =
        rows_where(data(lin_1.linear.weight) + begin * C, [](int64_t, int32_t) { return true; });
    multiply_rows(M, x_.data(), C, inwards, hidden, width);
    const real* const bias = data(*lin_1.linear.bias) + begin;
    for (int64_t m = 0; m < M; ++m) {
        const real* const g = mask(m);
        for (int64_t j = 0; j < inwards.count; ++j) {
            const int64_t id = inwards.id(j);
            const real h = (hidden[m * width + id] + bias[id]) * g[id];
            hidden[m * width + id] = h < 0 ? 0 : h;
        }
    }
    const Rows outwards =
        rows_where(layer.hidden_out.data() + begin * C,
                   [&](int64_t m, int32_t id) { return hidden[m * width + id] != 0; });
    combine_rows(M, hidden, width, outwards, sum, C);
}

// x = norm(x + (the sums of all chunks + bias) * mask); without `masked` bias 0 and mask 1.
void IncrementalDecoder::add_and_normalise(std::span<const Next> next, int64_t chunks,
                                           const MaskedLinear* masked, const LayerNorm& norm) {
    const int64_t M = int64_t(next.size()), C = settings_.width;
    parallel_for(M, row_grain(C * chunks), [&](int64_t begin, int64_t end) {
        for (int64_t m = begin; m < end; ++m) {
            real* const sum = sums_.data() + m * C;
            for (int64_t chunk = 1; chunk < chunks; ++chunk) {
                axpy(C, 1, sum + chunk * M * C, sum);
            }
            real* const x = x_.data() + m * C;
            if (masked != nullptr) {
                const real* const bias = data(*masked->linear.bias);
                const real* const mask = masks(*masked, next[size_t(m)].expert);
                for (int64_t c = 0; c < C; ++c) {
                    x[c] += (sum[c] + bias[c]) * mask[c];
                }
            } else {
                axpy(C, 1, sum, x);
            }
            normalise(C, data(norm.weight), data(norm.bias), x);
        }
    });
}

const real* IncrementalDecoder::masks(const MaskedLinear& linear, int32_t expert) const {
    return expert < 0 ? ones_.data() : linear.masks().data() + expert * linear.masks().size(1);
}

// (context, D)
real* IncrementalDecoder::cached(const Tensor& cache, int64_t slot, int64_t head) const {
    return cache.data() + (slot * settings_.heads + head) * settings_.context * head_size_;
}

void IncrementalDecoder::clear() {
    std::fill(lengths_.begin(), lengths_.end(), 0);
}

void IncrementalDecoder::copy(int64_t from, int64_t to) {
    for (const Layer& layer : layers_) {
        for (int64_t head = 0; head < settings_.heads; ++head) {
            for (const Tensor& cache : {layer.keys, layer.values}) {
                std::copy_n(cached(cache, from, head), length(from) * head_size_,
                            cached(cache, to, head));
            }
        }
    }
    lengths_[size_t(to)] = length(from);
}

}  // namespace smoe
