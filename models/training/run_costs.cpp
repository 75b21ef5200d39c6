// RunCosts: the mean batch, and what the router does when.
// Read next: trainer.cpp, whose steps are counted here.
#include "models/training/run_costs.h"

#include <algorithm>
#include <cmath>

#include "autograd/autocast.h"
#include "core/format.h"
#include "core/text.h"

namespace smoe {
namespace {

// The batch of `batch` sequences, each the mean of all.
BatchShape mean_batch(const Dataset& data, int64_t batch) {
    BatchShape all;
    for (int64_t sequence = 0; sequence < data.size(); ++sequence) {
        all.add_sequence(data.tokens_of(sequence));
    }
    const double share = std::min(1.0, double(batch) / double(data.size()));
    return {share * all.tokens, share * all.seen, share * all.pairs};
}

BatchShape full_batch(const Config& config) {
    BatchShape full;
    for (int64_t sequence = 0; sequence < config.batch; ++sequence) {
        full.add_sequence(config.model.context);
    }
    return full;
}

// In which every expert has an equal share.
BatchShape shared_out(BatchShape batch, const Router& router) {
    if (!router.is_dense()) {
        const size_t K = size_t(router.num_experts());
        batch.expert_tokens.assign(K, batch.tokens / double(K));
    }
    return batch;
}

}  // namespace

RunCosts::RunCosts(const SingleMoe& moe, const Config& config, const Dataset& data)
    : RunCosts(moe, config, mean_batch(data, config.batch), double(data.tokens())) {}

RunCosts::RunCosts(const SingleMoe& moe, const Config& config)
    : RunCosts(moe, config, full_batch(config), HUGE_VAL) {}

RunCosts::RunCosts(const SingleMoe& moe, const Config& config, const BatchShape& shape,
                   double text_tokens)
    : parameters(parameter_counts(moe)),
      asked_tokens_(moe.router->draws() ? HUGE_VAL : text_tokens) {
    const Autocast autocast(config.precision);  // in which the model is trained
    const Router& router = *moe.router;
    const BatchShape batch = shared_out(shape, router);
    const auto of_token = [&](Pass pass) {
        Costs costs = decoder_costs(moe.model, batch, pass);
        costs.router += router.cost(batch, pass);
        return costs.times(1 / batch.tokens);
    };
    training = of_token(Pass::training);
    generation = of_token(Pass::generation);
    learning = router.cost(batch, Pass::training) / batch.tokens;
    choosing = router.cost(batch, Pass::inference) / batch.tokens;
    if (router.learns()) {
        router_steps_ = double(config.model.router.steps);
    }
}

double RunCosts::multiply_adds(int64_t tokens, int64_t steps) const {
    const double share = steps > 0 ? std::min(1.0, router_steps_ / double(steps)) : 0;
    const double learned = share * double(tokens);
    // The trainer remembers the experts of a sequence, unless they are drawn.
    const double asked = std::min(double(tokens) - learned, asked_tokens_);
    return double(tokens) * (training.total() - learning) + learned * learning + asked * choosing;
}

std::vector<std::string> RunCosts::summary() const {
    const auto line = [](const char* when, const Costs& costs) {
        std::vector<std::string> parts;
        for (const auto& [name, part] :
             {std::pair("attention", costs.attention_projections),
              std::pair("its scores", costs.attention_scores),
              std::pair("feed-forward", costs.feed_forward),
              std::pair("output", costs.output_projection), std::pair("router", costs.router)}) {
            if (part > 0) {
                parts.push_back(fmt::format("{} {}", name, format_large(part)));
            }
        }
        return fmt::format("a token in {}: {} multiply-adds ({}", when, format_large(costs.total()),
                           join(parts, ", "));
    };
    const std::string active = parameters.active == parameters.total
                                   ? ""
                                   : fmt::format(", {} of the model's {} parameters active",
                                                 format_count(std::llround(parameters.active)),
                                                 format_count(std::llround(parameters.total)));
    return {line("training", training) + (router_steps_ > 0 ? " while it learns)" : ")"),
            line("generation", generation) + ")" + active};
}

}  // namespace smoe
