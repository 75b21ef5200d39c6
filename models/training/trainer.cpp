// Steps and their state. A step looks at losses and gradients before it changes a weight, so a step
// that fails leaves the run as it was.
// Read next: trainer_state.cpp, saving and going on; training_loop.cpp.
#include "models/training/trainer.h"

#include <cmath>

#include "autograd/autocast.h"
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/storage.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

// The model's, with a group for the routers inside it.
OptimizerSettings model_settings(const Config& config, const Decoder& model,
                                 const FlatParameters& flat) {
    OptimizerSettings settings = model_optimizer_settings(config);
    const auto of_router = [&](const std::string& name) { return model.is_of_router(name); };
    for (const auto& [begin, end] : flat.ranges(of_router)) {
        settings.groups.push_back({.begin = begin, .end = end, .lr = config.model.router.gate_lr});
    }
    return settings;
}

}  // namespace

Trainer::Learner::Learner(
    Module& module, const std::string& kind,
    const std::function<OptimizerSettings(const FlatParameters& flat)>& settings)
    : flat(module), optimizer(make_optimizer(kind, flat.values(), flat.grads(), settings(flat))) {}

Trainer::Trainer(const Config& config, const Dataset& data)
    : config_(config),
      data_(data),
      moe_(config.model, config.seed, config.recompute),
      model_(moe_.model, config.optimizer,
             [&](const FlatParameters& flat) { return model_settings(config, moe_.model, flat); }),
      chance_{stream(config.seed, Stream::experts), stream(config.seed, Stream::model_dropout),
              stream(config.seed, Stream::router_dropout)},
      stream_(data) {
    moe_.router->see_text(data);
    if (moe_.router->learns()) {
        router_ = std::make_unique<Learner>(
            *moe_.router->module(), config.optimizer,
            [&](const FlatParameters&) { return router_optimizer_settings(config); });
        if (config.model.router.steps == 0) {
            freeze_router();
        }
    }
    release_cached_memory();  // where the parameters lay before they became one buffer
}

void Trainer::freeze_router() {
    router_->optimizer->eval();  // the averaged weights are the ones to keep
    router_.reset();
    moe_.router->module()->requires_grad_(false);
    moe_.router->eval();
    release_cached_memory();  // what it learned with: no later step needs as much
}

// The experts of a batch, chosen by a router that does not learn (any more). A router that does not
// draw chooses the same for a sequence each time, so it is asked only once.
Experts Trainer::chosen_experts(const Batch& batch) {
    if (moe_.router->is_dense() || moe_.router->is_inside() || moe_.router->draws()) {
        return moe_.router->choose(batch.inputs, chance_.experts);
    }
    kept_experts_.resize(size_t(data_.size()));
    std::vector<int64_t> unknown;
    for (const int32_t sequence : batch.stories) {
        if (kept_experts_[size_t(sequence)].empty()) {
            unknown.push_back(sequence);
        }
    }
    const Batch asked = data_.batch(unknown);  // the new ones together, not one by one
    const Experts answers = moe_.router->choose(asked.inputs, chance_.experts);
    for (size_t b = 0; b < unknown.size(); ++b) {
        kept_experts_[size_t(unknown[b])].assign(answers.begin() + asked.inputs.offsets()[b],
                                                 answers.begin() + asked.inputs.offsets()[b + 1]);
    }
    Experts experts;
    for (const int32_t sequence : batch.stories) {
        const std::vector<uint8_t>& kept = kept_experts_[size_t(sequence)];
        experts.insert(experts.end(), kept.begin(), kept.end());
    }
    return experts;
}

StepReport Trainer::step() {
    // What a step draws and takes before it knows that all is finite. It is put back if not.
    const BatchStream::Position place = stream_.position();
    const Chance chance_before = chance_;
    const auto stop = [&](const std::string& what) {
        stream_.seek(place);
        chance_ = chance_before;
        fail(
            "step {}: {}, so training stops here; a lower --lr, a longer --warmup or a --clip may "
            "help",
            steps_ + 1, what);
    };
    const auto require_finite = [&](double value, const std::string& what) {
        if (!std::isfinite(value)) {
            stop(fmt::format("{} is {}", what, value));
        }
    };
    const Batch batch = stream_.next();
    Router::Lesson lesson;
    if (router_ != nullptr) {
        try {
            lesson = moe_.router->explore(batch.inputs, chance_.experts, chance_.router_dropout);
        } catch (const Error& error) {
            stop(error.what());
        }
    } else {
        lesson.experts = chosen_experts(batch);
    }
    // Shared, since blocks that are computed again in backward write it once more.
    const auto trace = std::make_shared<ExpertTrace>();
    const auto model_losses = [&] {
        const Autocast autocast(config_.precision);
        return moe_.model.losses(batch.inputs, lesson.experts, batch.targets,
                                 &chance_.model_dropout, moe_.record(lesson.experts, trace));
    };
    const Variable losses = model_losses();
    const Variable loss = mean(losses);  // losses (N)
    StepReport report{.step = steps_ + 1,
                      .tokens = batch.size(),
                      .loss = loss.value().item(),
                      .expert_tokens = trace->counts(moe_.router->num_experts())};
    require_finite(report.loss, "the loss");
    Variable objective;
    if (router_ != nullptr) {
        // The model's losses go in as numbers, so no gradient of these objectives reaches the
        // model.
        for (const auto& [name, part] :
             moe_.router->objectives(lesson, losses.value(), batch.inputs)) {
            report.router_losses.emplace_back(name, part.value().item());
            require_finite(part.value().item(), "the router's loss '" + name + "'");
            objective = objective.defined() ? add(objective, part) : part;
        }
    }
    // There are two walks, since the graphs of model and router share no node.
    std::vector<Learner*> learners = {&model_};
    backward(loss);
    if (router_ != nullptr) {
        backward(objective);
        learners.push_back(router_.get());
    }
    // All gradients are looked at before the first weight changes.
    for (const Learner* learner : learners) {
        const double norm =
            learner->flat.clip_grad_norm(config_.clip > 0 ? config_.clip : HUGE_VAL);
        if (!std::isfinite(norm)) {
            const std::string name = learner->flat.first_not_finite(learner->flat.grads());
            for (const Learner* other : learners) {
                other->flat.zero_grad();
            }
            require_finite(norm, fmt::format("the gradient of the {}'s '{}'",
                                             learner == &model_ ? "model" : "router", name));
        }
        if (learner == &model_) {
            report.grad_norm = norm;
        }
    }
    for (const Learner* learner : learners) {
        learner->optimizer->step();
        learner->flat.zero_grad();
    }
    const std::vector<BlockRouter*> routers = moe_.model.routers();
    for (size_t r = 0; r < routers.size(); ++r) {
        routers[r]->balance(ExpertTrace{{trace->blocks[r]}}.counts(routers[r]->num_experts()));
    }
    ++steps_;
    tokens_ += batch.size();
    if (router_ != nullptr && steps_ >= config_.model.router.steps) {
        freeze_router();
    }
    return report;
}

void Trainer::require_finite_weights() const {
    for (const Learner* learner : {&model_, static_cast<const Learner*>(router_.get())}) {
        if (learner == nullptr) {
            continue;
        }
        const Tensor& values = learner->flat.values();
        // One NaN or infinity makes the whole sum NaN or infinite, so this look is fast. The name
        // is looked up only if needed.
        check(std::isfinite(sum(values.data(), values.numel())),
              "step {}: the weights of the {}'s '{}' are no longer finite, so training stops here; "
              "a lower --lr, a longer --warmup or a --clip may help",
              steps_, learner == &model_ ? "model" : "router",
              learner->flat.first_not_finite(values));
    }
}

void Trainer::set_mode(bool training) {
    const auto switch_mode = [training](Optimizer& optimizer) {
        if (training) {
            optimizer.train();
        } else {
            optimizer.eval();
        }
    };
    switch_mode(*model_.optimizer);
    moe_.model.train(training);
    if (router_ != nullptr) {
        switch_mode(*router_->optimizer);
        moe_.router->train(training);
    }
}

Trainer::EvaluationMode::EvaluationMode(Trainer& trainer) : trainer_(trainer) {
    trainer_.set_mode(false);
}
Trainer::EvaluationMode::~EvaluationMode() {
    trainer_.set_mode(true);
}

std::map<std::string, Tensor> Trainer::model_weights() const {
    return model_.flat.state_dict_with(model_.optimizer->evaluation_values());
}

std::map<std::string, Tensor> Trainer::router_weights() const {
    return router_ != nullptr
               ? router_->flat.state_dict_with(router_->optimizer->evaluation_values())
               : moe_.router->state_dict();
}

}  // namespace smoe
