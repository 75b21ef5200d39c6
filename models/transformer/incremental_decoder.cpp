// Checks, embeddings, the loop over the blocks, and logits for those rows that want them.
// Read next: models/generation/generator.cpp.
#include "models/transformer/incremental_decoder.h"

#include <algorithm>

#include "core/check.h"

namespace smoe {
namespace {

// Moves all that the blocks keep into one tensor, which lies on large pages. Each on small pages of
// its own, a token of `small` took 1.3 times as long.
void move_together(std::vector<Block::Cache>& caches, RowMatrix& outputs) {
    std::vector<Tensor*> parts;
    const auto add = [&parts](RowMatrix& weights) {
        if (weights.own() != nullptr) {
            parts.push_back(weights.own());
        }
    };
    for (Block::Cache& cache : caches) {
        parts.insert(parts.end(), {&cache.attn.keys, &cache.attn.values});
        add(cache.attn.qkv);
        add(cache.attn.out);
        for (RowMatrix& weights : cache.ffn) {
            add(weights);
        }
    }
    add(outputs);
    constexpr int64_t line = 16;  // numbers, so that each part begins with a line of the cache
    const auto room = [](const Tensor& part) { return (part.numel() + line - 1) / line * line; };
    int64_t numel = 0;
    for (const Tensor* part : parts) {
        numel += room(*part);
    }
    const Tensor all = Tensor::empty({numel});
    int64_t begin = 0;
    for (Tensor* part : parts) {
        const Tensor moved = all.narrow(begin, part->numel()).reshape(part->shape());
        moved.copy_from(*part);
        begin += room(*part);
        *part = moved;
    }
}

}  // namespace

IncrementalDecoder::IncrementalDecoder(const Decoder& decoder, int64_t slots, Precision weights)
    : decoder_(decoder),
      settings_(decoder.settings()),
      outputs_(decoder.decoder().weight.value(), weights),
      lengths_(size_t(slots), 0),
      wanted_(lengths_),
      slots_(size_t(max_rows)),
      tokens_(size_t(max_rows)),
      experts_(size_t(max_rows)),
      positions_(size_t(max_rows)),
      x_(Tensor::empty({max_rows, settings_.width})) {
    for (const std::unique_ptr<Block>& layer : decoder.layers()) {
        caches_.push_back(layer->make_cache(slots, settings_.context, max_rows, weights, memory_));
    }
    move_together(caches_, outputs_);
    if (decoder.router() != nullptr) {
        memory_.reserve(decoder.router()->step_needs(max_rows), max_rows, settings_.width);
    }
    if (settings_.token_input) {
        token_embeddings_ = Tensor::empty({max_rows, settings_.width});
        memory_.inputs = Tensor::empty({max_rows, settings_.width});
    }
}

void IncrementalDecoder::append(std::span<const Next> next, std::span<real> logits) {
    check_next(next, logits);
    const int64_t C = settings_.width, V = settings_.outputs;
    const int64_t unwanted = int64_t(next.size()) - int64_t(logits.size()) / V;
    for (int64_t done = 0; done < int64_t(next.size()); done += max_rows) {
        StepRows rows = embed(
            next.subspan(size_t(done), std::min(next.size() - size_t(done), size_t(max_rows))));
        if (decoder_.router() != nullptr) {
            rows = decoder_.router()->step(rows, x_.data(), memory_);
        }
        const real* const tokens = token_embeddings_.defined() ? token_embeddings_.data() : nullptr;
        for (size_t l = 0; l < caches_.size(); ++l) {
            decoder_.layers()[l]->step(rows, caches_[l], memory_, x_.data(), tokens);
        }
        // Only the last logits of a prompt are asked for, so the other rows skip the product with
        // the output matrix.
        const int64_t skip = std::clamp<int64_t>(unwanted - done, 0, rows.size());
        if (skip < rows.size()) {
            decoder_.decoder().step(rows.size() - skip, x_.data() + skip * C, outputs_,
                                    logits.data() + (done + skip - unwanted) * V);
        }
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
        check(row.expert >= no_expert && row.expert < settings_.num_experts,
              "model: there is no expert {} among {}", row.expert, settings_.num_experts);
        check(++wanted_[size_t(row.slot)] <= settings_.context,
              "model: a sequence is longer than the context of {}", settings_.context);
    }
}

// x = E[token] + P[position]
StepRows IncrementalDecoder::embed(std::span<const Next> next) {
    const int64_t C = settings_.width;
    for (size_t m = 0; m < next.size(); ++m) {
        slots_[m] = next[m].slot;
        tokens_[m] = next[m].token;
        experts_[m] = next[m].expert;
        positions_[m] = lengths_[size_t(next[m].slot)]++;
        const real* const token =
            decoder_.token_embedding().weight.value().data() + next[m].token * C;
        const real* const place = decoder_.pos_embedding().data() + positions_[m] * C;
        real* const x = x_.data() + int64_t(m) * C;
        for (int64_t c = 0; c < C; ++c) {
            x[c] = token[c] + place[c];
        }
        if (token_embeddings_.defined()) {
            std::copy_n(token, C, token_embeddings_.data() + int64_t(m) * C);
        }
    }
    const size_t M = next.size();
    return {.slots = std::span(slots_).first(M),
            .positions = std::span(positions_).first(M),
            .experts = std::span(experts_).first(M),
            .tokens = std::span(tokens_).first(M)};
}

void IncrementalDecoder::clear() {
    std::fill(lengths_.begin(), lengths_.end(), 0);
}

void IncrementalDecoder::clear(int64_t slot) {
    lengths_[size_t(slot)] = 0;
}

void IncrementalDecoder::copy(int64_t from, int64_t to) {
    for (size_t l = 0; l < caches_.size(); ++l) {
        decoder_.layers()[l]->attn.copy(caches_[l].attn, from, to, length(from));
    }
    lengths_[size_t(to)] = length(from);
}

}  // namespace smoe
