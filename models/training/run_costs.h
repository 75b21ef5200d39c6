// What a run costs: parameters, and multiply-adds a token from the mean batch of its text, by part
// and added up over its steps. Evaluations and samples are left out.
// Read next: training_loop.cpp, which writes them down; models/transformer/costs.h.
#pragma once

#include <string>
#include <vector>

#include "models/text/dataset.h"
#include "models/training/config.h"
#include "models/transformer/costs.h"
#include "models/transformer/single_moe.h"

namespace smoe {

struct RunCosts {
    // Of a run with that model on the text `data`, all experts equally busy.
    RunCosts(const SingleMoe& moe, const Config& config, const Dataset& data);
    // The same before there is a text, for endless text whose sequences are as long as the context.
    RunCosts(const SingleMoe& moe, const Config& config);

    // Of the first `steps` steps, in which `tokens` tokens were predicted. It takes the router to
    // learn, and then to be asked, as if the run had never been stopped.
    double multiply_adds(int64_t tokens, int64_t steps) const;

    // The multiply-adds of a token in training and in generation, in two lines for people.
    std::vector<std::string> summary() const;

    ParameterCounts parameters;
    // Mean multiply-adds of a token. In training the router's are those while it learns.
    Costs training, generation;
    // Those of a router beside the model in training: while it learns, and of one that does not
    // learn (any more).
    double learning = 0, choosing = 0;

  private:
    RunCosts(const SingleMoe& moe, const Config& config, const BatchShape& batch,
             double text_tokens);

    double router_steps_ = 0;  // in which it learns
    double asked_tokens_;      // most that a router is asked about that does not learn (any more)
};

}  // namespace smoe
