// Steps and their state. A step looks at losses and gradients before it changes a weight, so
// that one that fails leaves the run as it was.
// Read next: training_loop.cpp.
#include "models/training/trainer.h"

#include <charconv>
#include <cmath>
#include <sstream>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/storage.h"
#include "core/vector_math.h"
#include "models/transformer/router_loss.h"

namespace smoe {
namespace {

// (experts), or empty for the dense network.
std::vector<int64_t> count_experts(const Experts& experts, int64_t num_experts) {
    std::vector<int64_t> counts(experts.empty() ? 0 : size_t(num_experts), 0);
    for (const int32_t expert : experts) {
        ++counts[size_t(expert)];
    }
    return counts;
}

}  // namespace

DatasetSettings dataset_settings(const Config& config) {
    return {.context = int(config.context),
            .long_stories = config.long_stories == "cut"     ? LongStories::cut
                            : config.long_stories == "split" ? LongStories::split
                                                             : LongStories::drop,
            .pad = config.pad,
            .batch = int(config.batch),
            .seed = config.seed};
}

Trainer::Learner::Learner(Module& module, const std::string& kind,
                          const OptimizerSettings& settings)
    : flat(module), optimizer(make_optimizer(kind, flat.values(), flat.grads(), settings)) {}

Trainer::Trainer(const Config& config, const Dataset& data)
    : config_(config),
      data_(data),
      moe_(config),
      model_(moe_.model, config.optimizer, config.optim),
      expert_rng_(stream(config.seed, Stream::experts)),
      stream_(data) {
    if (moe_.router.network() != nullptr) {
        router_ = std::make_unique<Learner>(*moe_.router.network(), config.optimizer,
                                            router_optimizer_settings(config));
        if (config.router_steps == 0) {
            freeze_router();
        }
    }
    release_cached_memory();  // where the parameters lay before they were made one buffer
}

void Trainer::freeze_router() {
    router_->optimizer->eval();  // the averaged weights are the ones to keep
    router_.reset();
    moe_.router.network()->eval();
}

// A frozen network says the same of a sequence each time, so it is asked only once.
Experts Trainer::frozen_experts(const Batch& batch) {
    kept_experts_.resize(size_t(data_.size()));
    std::vector<int64_t> unknown;
    for (const int32_t sequence : batch.stories) {
        if (kept_experts_[size_t(sequence)].empty()) {
            unknown.push_back(sequence);
        }
    }
    const Batch asked = data_.batch(unknown);  // the new ones together, not one by one
    const Experts answers = moe_.router.choose(asked.inputs, asked.offsets, expert_rng_);
    for (size_t b = 0; b < unknown.size(); ++b) {
        kept_experts_[size_t(unknown[b])].assign(answers.begin() + asked.offsets[b],
                                                 answers.begin() + asked.offsets[b + 1]);
    }
    Experts experts;
    for (const int32_t sequence : batch.stories) {
        const std::vector<uint8_t>& kept = kept_experts_[size_t(sequence)];
        experts.insert(experts.end(), kept.begin(), kept.end());
    }
    return experts;
}

StepReport Trainer::step() {
    Decoder* const network = moe_.router.network();
    // What a step draws and takes before it knows that all is finite; put back if it is not.
    const BatchStream::Position place = stream_.position();
    const Rng experts_before = expert_rng_, dropout_before = moe_.model.dropout_rng();
    const Rng router_dropout_before = network != nullptr ? network->dropout_rng() : Rng(0, 0);
    const auto require_finite = [&](double value, const std::string& what) {
        if (!std::isfinite(value)) {
            stream_.seek(place);
            expert_rng_ = experts_before;
            moe_.model.dropout_rng() = dropout_before;
            if (network != nullptr) {
                network->dropout_rng() = router_dropout_before;
            }
            fail(
                "step {}: {} is {}, so training stops here; a lower --lr, a longer --warmup or a "
                "--clip may help",
                steps_ + 1, what, value);
        }
    };
    const Batch batch = stream_.next();
    // While the router learns, experts are drawn by its probabilities, so that each goes on being
    // tried; afterwards the likeliest one is taken.
    Variable routing;
    Experts experts;
    if (router_ != nullptr) {
        routing = softmax(network->forward(batch.inputs, batch.offsets, {}));  // (N, K)
        require_finite(sum(routing.value().data(), routing.shape().numel()), "the router's output");
        experts = sample_experts(routing.value(), expert_rng_);
    } else if (network != nullptr) {
        experts = frozen_experts(batch);
    } else {
        experts = moe_.router.choose(batch.inputs, batch.offsets, expert_rng_);
    }

    const Variable losses =
        moe_.model.losses(batch.inputs, batch.offsets, experts, batch.targets);  // (N)
    const Variable loss = mean(losses);
    StepReport report{.step = steps_ + 1,
                      .tokens = batch.size(),
                      .loss = loss.value().item(),
                      .expert_tokens = count_experts(experts, config_.num_experts)};
    require_finite(report.loss, "the loss");
    RouterLosses objectives;
    if (router_ != nullptr) {
        // The model's losses go in as numbers: no gradient of these objectives reaches the model.
        objectives = router_losses(routing, experts, losses.value(), positions_of(batch.offsets));
        report.router_learned = true;
        report.correctness = objectives.correctness.value().item();
        report.distribution = objectives.distribution.value().item();
        require_finite(report.correctness + report.distribution, "the router's loss");
    }
    // Two walks: the graphs of model and router share no node.
    std::vector<Learner*> learners = {&model_};
    backward(loss);
    if (router_ != nullptr) {
        backward(add(objectives.correctness, objectives.distribution));
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
    ++steps_;
    tokens_ += batch.size();
    if (router_ != nullptr && steps_ >= config_.router_steps) {
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
        // One NaN or infinity makes the whole sum one: a fast look, and names only in need.
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
        moe_.router.network()->train(training);
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
    if (router_ != nullptr) {
        return router_->flat.state_dict_with(router_->optimizer->evaluation_values());
    }
    return moe_.router.network() != nullptr ? moe_.router.network()->state_dict()
                                            : std::map<std::string, Tensor>();
}

namespace {

std::string to_text(const Rng::State& state) {
    return fmt::format("{} {} {}", state.seed, state.stream, state.position);
}

Rng::State rng_state(const std::string& text, const std::string& origin) {
    Rng::State state;
    std::istringstream stream(text);
    check(text.find_first_not_of("0123456789 ") == text.npos &&  // a stream would take "-1"
              stream >> state.seed >> state.stream >> state.position,
          "'{}': '{}' is not the place of a random stream", origin, text);
    return state;
}

double to_number(const std::string& text, const std::string& origin) {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    check(!text.empty() && *end == '\0' && std::isfinite(number), "'{}': '{}' is not a number",
          origin, text);
    return number;
}

int64_t to_count(const std::string& text, const std::string& origin) {
    constexpr int64_t most = int64_t(1) << 53;  // a double holds it, and steps can be added to it
    int64_t count = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    check(error == std::errc() && end == text.data() + text.size() && count >= 0 && count <= most,
          "'{}': '{}' is not a count", origin, text);
    return count;
}

// The tensors whose names begin with `prefix`, without it.
std::map<std::string, Tensor> part_of(const TensorFile& file, const std::string& prefix) {
    std::map<std::string, Tensor> part;
    for (const auto& [name, tensor] : file.tensors) {
        if (name.starts_with(prefix)) {
            part[name.substr(prefix.size())] = tensor;
        }
    }
    return part;
}

// Tensors go to the tensors, numbers to the metadata: as text, in as many digits as tell a double
// from its neighbours.
void save_optimizer(const std::string& prefix, const Optimizer& optimizer, TensorFile& file) {
    const Optimizer::State state = optimizer.state_dict();
    for (const auto& [name, tensor] : state.tensors) {
        file.tensors[prefix + name] = tensor;
    }
    for (const auto& [name, number] : state.numbers) {
        file.metadata[prefix + name] = fmt::format("{}", number);
    }
}

void load_optimizer(const std::string& prefix, const TensorFile& file, const std::string& origin,
                    Optimizer& optimizer) {
    Optimizer::State state{part_of(file, prefix), {}};
    for (const auto& [name, text] : file.metadata) {
        if (name.starts_with(prefix)) {
            const std::string key = name.substr(prefix.size());
            state.numbers[key] =
                key == "steps" ? double(to_count(text, origin)) : to_number(text, origin);
        }
    }
    optimizer.load_state_dict(state, origin);
}

}  // namespace

TensorFile Trainer::state_dict() const {
    TensorFile file;
    const BatchStream::Position place = stream_.position();
    file.metadata = {{"steps", fmt::format("{}", steps_)},
                     {"tokens", fmt::format("{}", tokens_)},
                     {"epoch", fmt::format("{}", place.epoch)},
                     {"batch", fmt::format("{}", place.batch)},
                     {"data", fmt::format("{:016x}", data_.hash())},
                     {"rng.labels", to_text(expert_rng_.state())},
                     {"rng.dropout", to_text(moe_.model.dropout_rng().state())}};
    file.tensors["model.values"] = model_.flat.values();
    save_optimizer("model.optimizer.", *model_.optimizer, file);
    if (Decoder* const network = moe_.router.network()) {
        file.metadata["rng.router_dropout"] = to_text(network->dropout_rng().state());
        if (router_ != nullptr) {
            file.tensors["router.values"] = router_->flat.values();
            save_optimizer("router.optimizer.", *router_->optimizer, file);
        } else {
            for (const auto& [name, tensor] : network->state_dict()) {
                file.tensors["router.frozen." + name] = tensor;
            }
        }
    }
    return file;
}

void Trainer::require_fitting(const Config& config, const TensorFile& state) {
    const auto require = [&](const std::string& name, const DecoderSettings& settings) {
        const auto found = state.tensors.find(name);
        check(found == state.tensors.end() ||
                  double(found->second.numel()) == parameter_count(settings),
              "'{}' holds {} numbers as '{}', a model as in config.json has {:.0f}", state.origin,
              found->second.numel(), name, parameter_count(settings));
    };
    require("model.values", model_settings(config));
    require("router.values", router_settings(config));
    std::map<std::string, Tensor> frozen = part_of(state, "router.frozen.");
    if (!frozen.empty()) {
        check_sizes(router_settings(config), frozen, state.origin);
    }
}

void Trainer::load_state_dict(const TensorFile& file, const std::string& origin) {
    const auto text = [&](const std::string& name) {
        const auto found = file.metadata.find(name);
        check(found != file.metadata.end(), "'{}' is no training state: it lacks '{}'", origin,
              name);
        return found->second;
    };
    const auto count = [&](const std::string& name) { return to_count(text(name), origin); };
    const auto load_values = [&](const std::string& name, const Tensor& values) {
        const auto found = file.tensors.find(name);
        check(found != file.tensors.end() && found->second.shape() == values.shape(),
              "'{}' does not hold '{}' for a model of {} parameters", origin, name, values.numel());
        values.copy_from(found->second);
    };
    check(text("data") == fmt::format("{:016x}", data_.hash()),
          "'{}' was trained on other text than --data gives now, so its place in it means nothing: "
          "give the text that the run began with, or start a new run",
          origin);
    steps_ = count("steps");
    tokens_ = count("tokens");
    load_values("model.values", model_.flat.values());
    load_optimizer("model.optimizer.", file, origin, *model_.optimizer);
    moe_.model.dropout_rng() = Rng(rng_state(text("rng.dropout"), origin));
    expert_rng_ = Rng(rng_state(text("rng.labels"), origin));
    stream_.seek({.epoch = uint64_t(count("epoch")), .batch = uint64_t(count("batch"))});
    if (Decoder* const network = moe_.router.network()) {
        network->dropout_rng() = Rng(rng_state(text("rng.router_dropout"), origin));
        if (steps_ >= config_.router_steps) {
            if (router_ != nullptr) {
                freeze_router();
            }
            network->load_state_dict(part_of(file, "router.frozen."), origin);
            kept_experts_.clear();
        } else {
            load_values("router.values", router_->flat.values());
            load_optimizer("router.optimizer.", file, origin, *router_->optimizer);
        }
    }
}

}  // namespace smoe
