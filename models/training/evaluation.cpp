// Evaluation: one pass over the sequences, without a graph, summed in double.
// Read next: training_loop.cpp, which runs it every few hundred steps.
#include "models/training/evaluation.h"

#include <algorithm>
#include <numbers>

#include "autograd/variable.h"

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

}  // namespace

Evaluation evaluate(const SingleMoe& moe, const Dataset& data, uint64_t seed, int64_t max_tokens) {
    const NoGrad no_grad;
    const int64_t K = moe.router->num_experts();
    Rng chance = stream(seed, Stream::evaluation);
    Evaluation result;
    result.total.domain = "all";
    for (const std::string& domain : data.domains()) {
        result.domains.emplace_back().domain = domain;
    }
    for (const std::vector<int64_t>& indices : data.evaluation_batches(max_tokens)) {
        const Batch batch = data.batch(indices);
        const Experts experts = moe.router->choose(batch.inputs, chance);
        const auto trace = std::make_shared<ExpertTrace>();
        const Tensor losses =
            moe.model
                .losses(batch.inputs, experts, batch.targets, nullptr, moe.record(experts, trace))
                .value();
        for (size_t b = 0; b < batch.stories.size(); ++b) {
            result.sequences.push_back(sequence_loss(data, batch, losses, b));
            EvaluationPart& domain = result.domains[size_t(data.domain_of(batch.stories[b]))];
            for (EvaluationPart* part : {&result.total, &domain}) {
                part->expert_tokens.resize(trace->blocks.empty() ? 0 : size_t(K));
                for (int64_t n = batch.inputs.offsets()[b]; n < batch.inputs.offsets()[b + 1];
                     ++n) {
                    part->loss_sum += losses.data()[n];
                    part->tokens += 1;
                    part->bytes += data.bytes_of(batch.targets[size_t(n)]);
                    for (const Experts& of_block : trace->blocks) {
                        ++part->expert_tokens[size_t(of_block[size_t(n)])];
                    }
                }
            }
        }
    }
    return result;
}

}  // namespace smoe
