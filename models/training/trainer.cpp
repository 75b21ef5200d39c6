// Steps and their state. A step looks at losses and gradients before it changes a weight, so a step
// that fails leaves the run as it was.
// Read next: trainer_state.cpp, saving and going on; training_loop.cpp.
#include "models/training/trainer.h"

#include <cmath>

#include "autograd/autocast.h"
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/processes.h"
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

// The weights of `other` with the fixed buffers of `own`, which a resumed run draws again.
std::map<std::string, Tensor> weights_for(const Module& own, const Module& other,
                                          const std::string& origin) {
    std::map<std::string, Tensor> weights = other.state_dict();
    for (const auto& [name, buffer] : own.fixed_buffers()) {
        const Tensor found = weights.at(name);
        for (int64_t i = 0; i < buffer.numel(); ++i) {
            const double expected = double(buffer.data()[i]);
            check(std::abs(double(found.data()[i]) - expected) <= std::abs(expected) / 128 + 1e-5,
                  "'{}': '{}' is not what the settings beside it draw, so no run can go on from it",
                  origin, name);
        }
        weights[name] = buffer;
    }
    return weights;
}

}  // namespace

Trainer::Trainer(const Config& config, const Dataset& data)
    : config_(config),
      data_(data),
      moe_(config.model, config.seed, config.recompute),
      model_(
          moe_.model, config.optimizer,
          [&](const FlatParameters& flat) { return model_settings(config, moe_.model, flat); },
          config.shards, config.exchange, 1),
      stream_(data) {
    require_shards(config.shards);
    for (uint64_t shard = 0; shard < uint64_t(config.shards); ++shard) {
        chance_.push_back({stream(config.seed, Stream::experts, shard),
                           stream(config.seed, Stream::model_dropout, shard),
                           stream(config.seed, Stream::router_dropout, shard)});
    }
    moe_.router->see_text(data);
    if (moe_.router->learns()) {
        router_ = std::make_unique<Learner>(
            *moe_.router->module(), config.optimizer,
            [&](const FlatParameters&) { return router_optimizer_settings(config); }, config.shards,
            config.exchange, 2);
        if (config.model.router.steps == 0) {
            freeze_router();
        }
    }
    release_cached_memory();  // where the parameters lay before they became one buffer
}

void Trainer::start_from(const SingleMoe& other, const std::string& origin) {
    moe_.model.load_state_dict(weights_for(moe_.model, other.model, origin), origin);
    model_.restart();
    if (router_ != nullptr) {
        moe_.router->load_state_dict(
            weights_for(*moe_.router->module(), *other.router->module(), origin), origin);
        router_->restart();
    } else {
        moe_.router->load_state_dict(other.router->state_dict(), origin);
    }
}

void Trainer::freeze_router() {
    router_->eval();  // the averaged weights are the ones to keep
    router_.reset();
    moe_.router->module()->requires_grad_(false);
    moe_.router->eval();
    release_cached_memory();  // what it learned with: no later step needs as much
}

// The experts of a batch, chosen by a router that does not learn (any more). A router that does not
// draw chooses the same for a sequence each time, so it is asked only once.
Experts Trainer::chosen_experts(const Batch& batch, Rng& chance) {
    if (moe_.router->is_dense() || moe_.router->is_inside() || moe_.router->draws()) {
        return moe_.router->choose(batch.inputs, chance);
    }
    kept_experts_.resize(size_t(data_.size()));
    std::vector<int64_t> unknown;
    for (const int32_t sequence : batch.stories) {
        if (kept_experts_[size_t(sequence)].empty()) {
            unknown.push_back(sequence);
        }
    }
    const Batch asked = data_.batch(unknown);  // the new ones together, not one by one
    const Experts answers = moe_.router->choose(asked.inputs, chance);
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

ShardReport Trainer::learn_from(std::span<const int64_t> sequences, int64_t shard,
                                int64_t batch_tokens) {
    const Batch batch = data_.batch(sequences);
    Chance& chance = chance_[size_t(shard)];
    Router::Lesson lesson;
    if (router_ != nullptr) {
        try {
            lesson = moe_.router->explore(batch.inputs, chance.experts, chance.router_dropout);
        } catch (const Error& error) {
            return {.failure = error.what()};
        }
    } else {
        lesson.experts = chosen_experts(batch, chance.experts);
    }
    // Shared, since blocks that are computed again in backward write it once more.
    const auto trace = std::make_shared<ExpertTrace>();
    const auto model_losses = [&] {
        const Autocast autocast(config_.precision);
        return moe_.model.losses(batch.inputs, lesson.experts, batch.targets, &chance.model_dropout,
                                 moe_.record(lesson.experts, trace));
    };
    const auto part_of_batch = [&](const Variable& mean_of_shard) {
        return batch.size() == batch_tokens
                   ? mean_of_shard
                   : scale(mean_of_shard, real(double(batch.size()) / double(batch_tokens)));
    };
    const Variable losses = model_losses();
    const Variable loss = part_of_batch(mean(losses));  // losses (N)
    ShardReport report{.loss = loss.value().item()};
    Variable objective;
    if (router_ != nullptr) {
        // The model's losses go in as numbers, so no gradient of these objectives reaches the
        // model.
        for (const auto& [name, mean_of_shard] :
             moe_.router->objectives(lesson, losses.value(), batch.inputs)) {
            const Variable part = part_of_batch(mean_of_shard);
            report.router_losses.emplace_back(name, part.value().item());
            objective = objective.defined() ? add(objective, part) : part;
        }
    }
    for (const Experts& of_block : trace->blocks) {
        report.expert_rows.push_back(ExpertTrace{{of_block}}.counts(moe_.router->num_experts()));
    }
    if (report.is_finite()) {
        // There are two walks, since the graphs of model and router share no node.
        const bool overlap = !config_.recompute;  // see LeafDone
        backward(loss, overlap ? model_.sending(shard) : LeafDone());
        if (router_ != nullptr) {
            backward(objective, overlap ? router_->sending(shard) : LeafDone());
        }
    }
    return report;
}

StepReport Trainer::step() {
    // What a step draws and takes before it knows that all is finite. It is put back if not.
    const BatchStream::Position place = stream_.position();
    const std::vector<Chance> chance_before = chance_;
    std::vector<Learner*> learners = {&model_};
    if (router_ != nullptr) {
        learners.push_back(router_.get());
    }
    const auto forget_gradients = [&] {
        for (Learner* learner : learners) {
            learner->zero_grad();
        }
    };
    const auto stop = [&](const std::string& what) {
        stream_.seek(place);
        chance_ = chance_before;
        forget_gradients();
        fail_together(
            "step {}: {}, so training stops here; a lower --lr, a longer --warmup or a --clip may "
            "help",
            steps_ + 1, what);
    };
    const auto require_finite = [&](double value, const std::string& what) {
        if (!std::isfinite(value)) {
            stop(fmt::format("{} is {}", what, value));
        }
    };
    const std::vector<int64_t> sequences = stream_.next_sequences();
    StepReport report{.step = steps_ + 1};
    for (const int64_t sequence : sequences) {
        report.tokens += data_.tokens_of(sequence);
    }
    const std::vector<std::vector<int64_t>> shards =
        cut_into_shards(data_, sequences, config_.shards);
    const ShardRange own = shards_of(config_.shards, process_rank(), process_count());
    std::vector<ShardReport> reports;
    together([&] {
        for (int64_t shard = own.begin; shard < own.end; ++shard) {
            // The last batch of an epoch may have fewer sequences than there are shards.
            if (!shards[size_t(shard)].empty()) {
                reports.push_back(learn_from(shards[size_t(shard)], shard, report.tokens));
            }
            for (Learner* learner : learners) {
                learner->add_shard(shard);
            }
        }
    });
    // Messages are under way, so all gradients are added up before anybody looks at a loss.
    std::vector<double> norms;
    for (Learner* learner : learners) {
        norms.push_back(learner->finish_gradients(config_.clip > 0 ? config_.clip : HUGE_VAL));
    }
    std::vector<std::vector<int64_t>>
        expert_rows;  // of each router in the model, or of the one beside
    for (const ShardReport& shard : from_all(reports)) {
        if (!shard.failure.empty()) {
            stop(shard.failure);
        }
        report.loss += shard.loss;
        add_losses(report.router_losses, shard.router_losses);
        expert_rows.resize(shard.expert_rows.size());
        for (size_t r = 0; r < expert_rows.size(); ++r) {
            add_rows(expert_rows[r], shard.expert_rows[r]);
        }
    }
    require_finite(report.loss, "the loss");
    for (const auto& [name, loss] : report.router_losses) {
        require_finite(loss, "the router's loss '" + name + "'");
    }
    // All gradients are looked at before the first weight changes.
    for (size_t i = 0; i < learners.size(); ++i) {
        if (!std::isfinite(norms[i])) {
            const std::string name = learners[i]->first_not_finite_gradient();
            stop(fmt::format("the gradient of the {}'s '{}' is {}", i == 0 ? "model" : "router",
                             name, norms[i]));
        }
    }
    report.grad_norm = norms.front();
    report.learning_rate = model_.learning_rate();
    for (Learner* learner : learners) {
        learner->step();
        learner->zero_grad();
    }
    const std::vector<BlockRouter*> routers = moe_.model.routers();
    for (size_t r = 0; r < routers.size(); ++r) {
        routers[r]->balance(expert_rows[r]);
    }
    for (const std::vector<int64_t>& rows : expert_rows) {
        add_rows(report.expert_tokens, rows);
    }
    ++steps_;
    tokens_ += report.tokens;
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
        const Tensor& values = learner->flat().values();
        // One NaN or infinity makes the whole sum NaN or infinite, so this look is fast. The name
        // is looked up only if needed.
        if (!std::isfinite(sum(values.data(), values.numel()))) {
            fail_together(
                "step {}: the weights of the {}'s '{}' are no longer finite, so training stops "
                "here; a lower --lr, a longer --warmup or a --clip may help",
                steps_, learner == &model_ ? "model" : "router",
                learner->flat().first_not_finite(values));
        }
    }
}

void Trainer::set_mode(bool training) {
    const auto switch_mode = [training](Learner& learner) {
        if (training) {
            learner.train();
        } else {
            learner.eval();
        }
    };
    switch_mode(model_);
    moe_.model.train(training);
    if (router_ != nullptr) {
        switch_mode(*router_);
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
    return model_.flat().state_dict_with(model_.evaluation_values());
}

std::map<std::string, Tensor> Trainer::router_weights() const {
    return router_ != nullptr ? router_->flat().state_dict_with(router_->evaluation_values())
                              : moe_.router->state_dict();
}

}  // namespace smoe
