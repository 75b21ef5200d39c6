// RunCosts: the mean batch, and what the router does when.
// Read next: trainer.cpp, whose steps are counted here.
#include "models/training/run_costs.h"

#include <algorithm>
#include <cmath>

#include "core/format.h"
#include "core/text.h"

namespace smoe {
namespace {

// The batch of `batch` sequences, each the mean of all, in which every expert has an equal share.
BatchShape mean_batch(const Dataset& data, const Router& router, int64_t batch) {
    BatchShape all;
    for (int64_t sequence = 0; sequence < data.size(); ++sequence) {
        all.add_sequence(data.tokens_of(sequence));
    }
    const double share = std::min(1.0, double(batch) / double(data.size()));
    BatchShape mean{share * all.tokens, share * all.seen, share * all.pairs};
    if (!router.is_dense()) {
        const size_t K = size_t(router.num_experts());
        mean.expert_tokens.assign(K, mean.tokens / double(K));
    }
    return mean;
}

}  // namespace

RunCosts::RunCosts(const SingleMoe& moe, const Config& config, const Dataset& data)
    : parameters(parameter_counts(moe)),
      asked_tokens_(moe.router->draws() ? HUGE_VAL : double(data.tokens())) {
    const Router& router = *moe.router;
    const BatchShape batch = mean_batch(data, router, config.batch);
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
