// Passes with hooks, and counting.
// Read next: evaluation.cpp.
#include "models/training/expert_analysis.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <unordered_map>

#include "core/check.h"

namespace smoe {
namespace {

// Entropy in bits of the distribution that these counts estimate.
template <class Counts>
double entropy(const Counts& counts, double total) {
    double bits = 0;
    for (const auto& count : counts) {
        if (count > 0) {
            const double share = double(count) / total;
            bits -= share * std::log2(share);
        }
    }
    return bits;
}

std::vector<int64_t> histogram(const std::vector<int32_t>& labels) {
    std::vector<int64_t> counts;
    for (const int32_t label : labels) {
        counts.resize(std::max(counts.size(), size_t(label) + 1));
        ++counts[size_t(label)];
    }
    return counts;
}

double mutual_bits(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
    std::unordered_map<int64_t, int64_t> pairs;
    for (size_t n = 0; n < a.size(); ++n) {
        ++pairs[int64_t(a[n]) << 32 | b[n]];
    }
    std::vector<int64_t> joint;
    for (const auto& [pair, count] : pairs) {
        joint.push_back(count);
    }
    std::ranges::sort(joint);  // a sum in this order is the same everywhere
    const double total = double(a.size());
    return entropy(histogram(a), total) + entropy(histogram(b), total) - entropy(joint, total);
}

std::vector<int32_t> shuffled(std::vector<int32_t> labels, uint64_t seed) {
    stream(seed, Stream::analysis).shuffle(std::span(labels));
    return labels;
}

Information information(const std::vector<int32_t>& experts, const std::vector<int32_t>& labels,
                        uint64_t seed) {
    return {mutual_bits(experts, labels), mutual_bits(experts, shuffled(labels, seed))};
}

// Passes over the text with the experts that a hook leaves. The router outside is asked once.
class Passes {
  public:
    Passes(const SingleMoe& moe, const Dataset& data, uint64_t seed, int64_t max_tokens)
        : moe_(moe) {
        Rng chance = stream(seed, Stream::evaluation);
        for (const std::vector<int64_t>& indices : data.evaluation_batches(max_tokens)) {
            batches_.push_back(data.batch(indices));
            experts_.push_back(moe.router->choose(batches_.back().inputs, chance));
        }
    }

    // Calls see(batch, losses (N)) for each batch.
    void run(const ExpertHook& hook,
             const std::function<void(const Batch&, const Tensor&)>& see) const {
        const NoGrad no_grad;
        for (size_t i = 0; i < batches_.size(); ++i) {
            const Batch& batch = batches_[i];
            see(batch,
                moe_.model.losses(batch.inputs, experts_[i], batch.targets, nullptr, hook).value());
        }
    }

    // Losses of all tokens with such experts.
    std::vector<double> losses(const ExpertHook& hook) const {
        std::vector<double> all;
        run(hook, [&](const Batch&, const Tensor& losses) {
            all.insert(all.end(), losses.values().begin(), losses.values().end());
        });
        return all;
    }

  private:
    const SingleMoe& moe_;
    std::vector<Batch> batches_;
    std::vector<Experts> experts_;  // of each batch
};

double mean_of(const std::vector<double>& numbers) {
    double sum = 0;
    for (const double number : numbers) {
        sum += number;
    }
    return sum / double(std::max<size_t>(1, numbers.size()));
}

// Expert k's rows go to the next best by score, or to k + 1 where there are no scores.
ExpertHook without(int32_t banned, int64_t K) {
    return [banned, K](int64_t, const Tensor& scores, Experts& experts) {
        for (size_t n = 0; n < experts.size(); ++n) {
            if (experts[n] != banned) {
                continue;
            }
            int32_t next = int32_t((banned + 1) % K);
            for (int32_t k = 0; scores.defined() && k < K; ++k) {
                const real* const row = scores.data() + int64_t(n) * K;
                next = k != banned && row[k] > row[next] ? k : next;
            }
            experts[n] = next;
        }
    };
}

}  // namespace

ExpertAnalysis analyse_experts(const SingleMoe& moe, const Dataset& data, uint64_t seed,
                               int64_t max_tokens, bool one_by_one) {
    check(!moe.router->is_dense(), "this model is dense: it has no experts to look at");
    const int64_t K = moe.router->num_experts();
    const Passes passes(moe, data, seed, max_tokens);
    ExpertAnalysis result;

    std::vector<std::vector<int32_t>> experts;  // (blocks, tokens)
    std::vector<int32_t> domains, tokens, positions;
    std::vector<double> routed;
    passes.run(
        [&](int64_t block, const Tensor&, Experts& chosen) {
            experts.resize(std::max(experts.size(), size_t(block) + 1));
            experts[size_t(block)].insert(experts[size_t(block)].end(), chosen.begin(),
                                          chosen.end());
        },
        [&](const Batch& batch, const Tensor& losses) {
            routed.insert(routed.end(), losses.values().begin(), losses.values().end());
            for (size_t b = 0; b < batch.stories.size(); ++b) {
                domains.resize(domains.size() + size_t(batch.inputs.offsets()[b + 1] -
                                                       batch.inputs.offsets()[b]),
                               data.domain_of(batch.stories[b]));
            }
            const auto add = [](std::vector<int32_t>& all, const std::vector<int32_t>& more) {
                all.insert(all.end(), more.begin(), more.end());
            };
            add(tokens, batch.inputs.tokens());
            add(positions, batch.inputs.positions());
        });
    result.tokens = int64_t(routed.size());
    result.loss = mean_of(routed);
    for (const std::vector<int32_t>& of_block : experts) {
        BlockExperts& block = result.blocks.emplace_back();
        block.tokens = histogram(of_block);
        block.tokens.resize(size_t(K));
        block.entropy = entropy(block.tokens, double(of_block.size()));
        block.domain = information(of_block, domains, seed);
        block.token = information(of_block, tokens, seed);
        block.position = information(of_block, positions, seed);
        result.assignments.emplace_back(of_block.begin(), of_block.end());
    }

    result.permuted = mean_of(passes.losses([K](int64_t, const Tensor&, Experts& chosen) {
        for (int32_t& expert : chosen) {
            expert = int32_t((expert + 1) % K);
        }
    }));
    if (!one_by_one) {
        return result;
    }
    std::vector<double> least(routed.size(), std::numeric_limits<double>::infinity());
    for (int32_t k = 0; k < K; ++k) {
        const std::vector<double> alone = passes.losses(
            [k](int64_t, const Tensor&, Experts& chosen) { std::ranges::fill(chosen, k); });
        for (size_t n = 0; n < least.size(); ++n) {
            least[n] = std::min(least[n], alone[n]);
        }
        result.single.push_back(mean_of(alone));
        result.banned.push_back(K > 1 ? mean_of(passes.losses(without(k, K))) : result.loss);
    }
    result.oracle = mean_of(least);
    return result;
}

double agreement(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b, uint64_t seed) {
    check(a.size() == b.size() && !a.empty(),
          "agreement: expected two divisions of the same tokens, found {} and {}", a.size(),
          b.size());
    const std::vector<int32_t> first(a.begin(), a.end()), second(b.begin(), b.end());
    const double total = double(a.size());
    const double mean = (entropy(histogram(first), total) + entropy(histogram(second), total)) / 2;
    const Information found = information(first, second, seed);
    return mean > found.floor ? (found.bits - found.floor) / (mean - found.floor) : 1;
}

}  // namespace smoe
