// Evaluation: one pass over the sequences, without a graph. Losses are summed in double, sequence by
// sequence, so that it does not matter which process computed which.
// Read next: training_loop.cpp, which runs it every few hundred steps.
#include "models/training/evaluation.h"

#include <algorithm>
#include <numbers>

#include "autograd/variable.h"
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

}  // namespace smoe
