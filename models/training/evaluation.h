// How well a model predicts text that it has not seen: loss per token and bits per byte, for each
// domain and for all, and the experts that it used. The caller chooses the text and reports the
// result.
// Read next: training_loop.h and examples/smoe/eval.cpp, which call it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/text/dataset.h"
#include "models/transformer/single_moe.h"

namespace smoe {

// Sums over the tokens of one domain, or of all.
struct EvaluationPart {
    std::string domain;
    double loss_sum = 0;
    int64_t tokens = 0, bytes = 0;
    std::vector<int64_t> expert_tokens;  // (K), in all blocks if they choose; empty when dense

    double loss() const;           // nats per token
    double bits_per_byte() const;  // of the text: comparable between tokenizers
};

struct SequenceLoss {
    int64_t sequence = 0;  // of the data
    double loss_sum = 0;
    int64_t tokens = 0, bytes = 0;
};

struct Evaluation {
    EvaluationPart total;
    std::vector<EvaluationPart> domains;
    std::vector<SequenceLoss> sequences;  // rising
    // The expert of each token in each block, (blocks, tokens), of what this process took.
    std::vector<std::vector<uint8_t>> experts;
};

// Token-weighted loss of `moe`, in evaluation mode, on the sequences of `data`. If `max_tokens` is
// not 0, it takes an even choice of them with at most that many tokens. Random routing starts from
// the same seed each time. Processes share the batches, so each has to call this; the result does
// not depend on how many they are.
Evaluation evaluate(const SingleMoe& moe, const Dataset& data, uint64_t seed, int64_t max_tokens);

// Of each block, the share of tokens whose expert is another one than in an evaluation of the same text
// before; empty without experts, or if there was none before. Each process has to call this.
std::vector<double> experts_changed(const Evaluation& before, const Evaluation& now);

}  // namespace smoe
