// One training run in memory: model, router, optimisers, random streams and the place in the data.
// It takes steps, and can be saved and continued bit for bit. Printing, timing and the disk are
// left to training_loop.h.
// Read next: training_loop.h.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "models/text/dataset.h"
#include "models/training/config.h"
#include "models/training/learner.h"
#include "models/training/shard_report.h"
#include "models/transformer/single_moe.h"

namespace smoe {

struct StepReport {
    int64_t step = 0;             // counted from 1
    int64_t tokens = 0;           // that were predicted
    double loss = 0;              // mean over them, in nats
    double grad_norm = 0;         // length of the model's gradient, before --clip
    double learning_rate = 0;     // of the model
    NamedLosses router_losses{};  // where it learned
    // (K) tokens each expert got, in all blocks if they choose; empty when dense
    std::vector<int64_t> expert_tokens{};
};

class Trainer {
  public:
    // Builds model and optimisers from `config`. `data` must outlive the trainer.
    Trainer(const Config& config, const Dataset& data);

    // Begins with the weights of another model of these settings instead of those drawn from the
    // seed; call it before the first step. A router that is to learn goes on from the other's
    // weights, too, and any other stays as it is there. Throws Error, naming `origin`, if what
    // settings draw, such as masks, is not the same in both, but for rounding to bfloat16.
    void start_from(const SingleMoe& other, const std::string& origin);

    // Learns from one batch, shard by shard. In phase 1 the router samples experts, and model and router learn.
    // From step config.model.router.steps on the router is frozen, in evaluation mode, and its
    // argmax decides. If the loss or a gradient is not finite, it changes nothing and throws Error,
    // naming the step and, if there is one, the tensor.
    StepReport step();

    // Throws Error, naming the step, if a step with a finite loss left weights that are not finite.
    // Such weights must not be evaluated or saved.
    void require_finite_weights() const;

    // The model holds evaluation-mode weights and uses no dropout while one of these lives.
    // Training goes on afterwards as if nothing had happened.
    class EvaluationMode {
      public:
        explicit EvaluationMode(Trainer& trainer);
        ~EvaluationMode();
        EvaluationMode(const EvaluationMode&) = delete;
        EvaluationMode& operator=(const EvaluationMode&) = delete;

      private:
        Trainer& trainer_;
    };

    // Evaluation-mode weights, by name. The weights in training are not touched.
    std::map<std::string, Tensor> model_weights() const;
    std::map<std::string, Tensor> router_weights() const;  // empty for routers without

    // state_dict gives everything that the next steps depend on, and load_state_dict takes it back.
    // It throws Error, naming `origin`, and changes nothing if the state does not fit the settings,
    // the masks or the data.
    TensorFile state_dict() const;
    void load_state_dict(const TensorFile& state, const std::string& origin);

    // Throws Error, naming its file, unless `state` is of the size that `config` asks for. Call it
    // before a trainer takes the memory.
    static void require_fitting(const Config& config, const TensorFile& state);

    SingleMoe& moe() { return moe_; }
    int64_t steps() const { return steps_; }    // that have been taken
    int64_t tokens() const { return tokens_; }  // that were predicted in them
    // The epoch of the next batch, counted from 0.
    int64_t epoch() const { return int64_t(stream_.position().epoch); }

  private:
    // The random streams of a shard, which continue from step to step.
    struct Chance {
        Rng experts, model_dropout, router_dropout;
    };
    // Forward and backward of the given sequences, which are shard number `shard` of a batch of so
    // many tokens. A router learns from each shard as from a batch of its own.
    ShardReport learn_from(std::span<const int64_t> sequences, int64_t shard, int64_t batch_tokens);
    // Of every shard, up to date.
    std::vector<Chance> chance_of_all() const;
    void freeze_router();
    Experts chosen_experts(const Batch& batch, Rng& chance);
    void set_mode(bool training);

    Config config_;
    const Dataset& data_;
    SingleMoe moe_;
    Learner model_;
    std::unique_ptr<Learner> router_;  // null once frozen, and for routers that never learn
    // The experts chosen for each sequence by a router that does not draw; empty until it is asked.
    std::vector<std::vector<uint8_t>> kept_experts_;
    std::vector<Chance> chance_;  // of each shard, up to date in the process that it belongs to
    BatchStream stream_;
    int64_t steps_ = 0, tokens_ = 0;
};

}  // namespace smoe
