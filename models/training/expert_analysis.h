// What the experts of a trained model are, measured on text: what a token's expert tells about it,
// and what the model loses if tokens get other experts. Every number is one pass with a hook, so it
// works for all kinds of routers, block by block.
// Read next: examples/smoe/experts.cpp, which prints it.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "models/text/dataset.h"
#include "models/transformer/single_moe.h"

namespace smoe {

// Information in bits: H(expert) + H(label) - H(expert, label), from the counts of a sample. The
// floor is what the same sample gives with its labels shuffled: chance alone.
struct Information {
    double bits = 0, floor = 0;
};

struct BlockExperts {
    double entropy = 0;           // of the experts' shares, in bits; log2 K if all are equally busy
    std::vector<int64_t> tokens;  // (K)
    Information domain, token, position;
};

struct ExpertAnalysis {
    int64_t tokens = 0;
    double loss = 0;      // nats per token, as routed
    double permuted = 0;  // expert k replaced by k + 1 (mod K) everywhere
    // If they are asked for:
    std::vector<double> banned;  // (K) expert k's tokens go to the next best, or to k + 1 (mod K)
    std::vector<double> single;  // (K) expert k takes all tokens
    // The mean over tokens of the least loss that any single expert gives. It looks at the token
    // that is predicted, so no router can reach it.
    double oracle = std::nan("");
    std::vector<BlockExperts> blocks;
    // The expert of each token in each block, (blocks, tokens), in the order of the text.
    std::vector<std::vector<uint8_t>> assignments;
};

// Measures on at most `max_tokens` of `data` (0: all): in two passes, and if experts are also looked
// at one by one, in two more for each. Throws Error for a dense model.
ExpertAnalysis analyse_experts(const SingleMoe& moe, const Dataset& data, uint64_t seed,
                               int64_t max_tokens, bool one_by_one = true);

// How far two divisions of the same tokens agree, whatever their experts are called: information
// between them over the mean of their entropies, corrected for chance by shuffling; 1 if one
// determines the other, 0 if they are unrelated.
double agreement(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b, uint64_t seed);

}  // namespace smoe
