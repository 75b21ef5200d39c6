// Evaluation: one pass over the sequences, without a graph. Losses are summed in double, sequence by
// sequence, so that it does not matter which process computed which.
// Read next: training_loop.cpp, which runs it every few hundred steps.
#include "models/training/evaluation.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <numbers>
#include <numeric>

#include "autograd/variable.h"
#include "core/check.h"
#include "core/processes.h"

namespace smoe {

double EvaluationPart::loss() const {
    return loss_sum / double(std::max<int64_t>(1, tokens));
}

double EvaluationPart::bits_per_byte() const {
    return loss_sum / std::numbers::ln2 / double(std::max<int64_t>(1, bytes));
}

namespace {

SequenceLoss sequence_loss(const Dataset& data, const Batch& batch, const Tensor& losses,
                           size_t b) {
    SequenceLoss found{.sequence = batch.stories[b]};
    for (int64_t n = batch.inputs.offsets()[b]; n < batch.inputs.offsets()[b + 1]; ++n) {
        found.loss_sum += losses.data()[n];
        found.tokens += 1;
        found.bytes += data.bytes_of(batch.targets[size_t(n)]);
    }
    return found;
}

// The domains and the total of `result`, from its sequences and expert_tokens (processes, domains, K).
void add_up(const Dataset& data, const std::vector<int64_t>& expert_tokens, size_t K,
            Evaluation& result) {
    result.total.domain = "all";
    for (const std::string& domain : data.domains()) {
        result.domains.emplace_back().domain = domain;
    }
    for (const SequenceLoss& sequence : result.sequences) {
        for (EvaluationPart* part :
             {&result.total, &result.domains[size_t(data.domain_of(sequence.sequence))]}) {
            part->loss_sum += sequence.loss_sum;
            part->tokens += sequence.tokens;
            part->bytes += sequence.bytes;
            part->expert_tokens.resize(expert_tokens.empty() ? 0 : K);
        }
    }
    for (size_t i = 0; i < expert_tokens.size(); ++i) {
        EvaluationPart& domain = result.domains[i / K % result.domains.size()];
        if (expert_tokens[i] > 0) {
            domain.expert_tokens[i % K] += expert_tokens[i];
            result.total.expert_tokens[i % K] += expert_tokens[i];
        }
    }
}

}  // namespace

Evaluation evaluate(const SingleMoe& moe, const Dataset& data, uint64_t seed, int64_t max_tokens) {
    const NoGrad no_grad;
    const size_t K = size_t(moe.router->num_experts()), domains = data.domains().size();
    Evaluation result;
    std::vector<int64_t> expert_tokens;  // (domains, K); empty when dense
    together([&] {
        const std::vector<std::vector<int64_t>> batches = data.evaluation_batches(max_tokens);
        for (size_t i = size_t(process_rank()); i < batches.size(); i += size_t(process_count())) {
            Rng chance = stream(seed, Stream::evaluation, i);
            const Batch batch = data.batch(batches[i]);
            const Experts experts = moe.router->choose(batch.inputs, chance);
            const auto trace = std::make_shared<ExpertTrace>();
            const Tensor losses = moe.model
                                      .losses(batch.inputs, experts, batch.targets, nullptr,
                                              moe.record(experts, trace))
                                      .value();
            expert_tokens.resize(trace->blocks.empty() ? 0 : domains * K);
            result.experts.resize(trace->blocks.size());
            for (size_t block = 0; block < trace->blocks.size(); ++block) {
                std::ranges::copy(trace->blocks[block], std::back_inserter(result.experts[block]));
            }
            for (size_t b = 0; b < batch.stories.size(); ++b) {
                result.sequences.push_back(sequence_loss(data, batch, losses, b));
                const size_t domain = size_t(data.domain_of(batch.stories[b]));
                for (const Experts& of_block : trace->blocks) {
                    for (int64_t n = batch.inputs.offsets()[b]; n < batch.inputs.offsets()[b + 1];
                         ++n) {
                        ++expert_tokens[domain * K + size_t(of_block[size_t(n)])];
                    }
                }
            }
        }
    });
    result.sequences = all_gather(result.sequences);
    std::ranges::sort(result.sequences, {}, &SequenceLoss::sequence);
    add_up(data, all_gather(expert_tokens), K, result);
    return result;
}

std::vector<double> experts_changed(const Evaluation& before, const Evaluation& now) {
    std::vector<int64_t> counts;  // block by block: the changed ones, and all
    for (size_t block = 0; block < std::min(before.experts.size(), now.experts.size()); ++block) {
        const std::vector<uint8_t>&old = before.experts[block], &found = now.experts[block];
        check(old.size() == found.size(), "experts: {} tokens before and {} now", old.size(),
              found.size());
        counts.push_back(std::inner_product(old.begin(), old.end(), found.begin(), int64_t(0),
                                            std::plus<>(), std::not_equal_to<>()));
        counts.push_back(int64_t(old.size()));
    }
    const std::vector<int64_t> all = all_gather(counts);
    std::vector<double> shares;
    for (size_t i = 0; i < counts.size(); i += 2) {
        int64_t changed = 0, tokens = 0;
        for (size_t of_process = i; of_process < all.size(); of_process += counts.size()) {
            changed += all[of_process];
            tokens += all[of_process + 1];
        }
        shares.push_back(double(changed) / double(tokens));
    }
    return shares;
}

}  // namespace smoe
