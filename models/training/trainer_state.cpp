// What a run keeps from one process to the next: everything that the next steps depend on, with the
// settings and masks that it belongs to. A state is taken whole or not at all.
// Read next: run_directory.cpp, where it lies on disk.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

#include "core/check.h"
#include "core/processes.h"
#include "models/training/trainer.h"

namespace smoe {
namespace {

// Format 1, which had no number, drew different random numbers; it had no settings and no masks.
constexpr const char* state_format = "2";

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

// Tensors go to the tensors. Numbers go to the metadata as text, with enough digits to tell a
// double from its neighbours.
void save_optimizer(const std::string& prefix, const Learner& learner, TensorFile& file) {
    const Optimizer::State state = learner.state_dict();
    for (const auto& [name, tensor] : state.tensors) {
        file.tensors[prefix + name] = tensor;
    }
    for (const auto& [name, number] : state.numbers) {
        file.metadata[prefix + name] = fmt::format("{}", number);
    }
}

// Takes a state apart: each number and tensor is asked for by name. Whatever was not asked for does
// not belong to a run of this kind.
class Reader {
  public:
    explicit Reader(const TensorFile& file, const std::string& origin)
        : file_(file), origin_(origin) {}

    std::string text(const std::string& name) {
        const auto found = file_.metadata.find(name);
        check(found != file_.metadata.end(), "'{}' is no training state: it lacks '{}'", origin_,
              name);
        used_.insert(name);
        return found->second;
    }
    int64_t count(const std::string& name) { return to_count(text(name), origin_); }
    Rng rng(const std::string& name) { return Rng(rng_state(text(name), origin_)); }

    Tensor values(const std::string& name, const Tensor& like) {
        const auto found = file_.tensors.find(name);
        check(found != file_.tensors.end() && found->second.shape() == like.shape(),
              "'{}' does not hold '{}' for a model of {} parameters", origin_, name, like.numel());
        const auto numbers = found->second.values();
        check(std::all_of(numbers.begin(), numbers.end(), [](real x) { return std::isfinite(x); }),
              "'{}': '{}' holds numbers that are not finite", origin_, name);
        used_.insert(name);
        return found->second;
    }
    // The tensors whose names begin with `prefix`, without it.
    std::map<std::string, Tensor> below(const std::string& prefix) {
        for (const auto& [name, tensor] : file_.tensors) {
            if (name.starts_with(prefix)) {
                used_.insert(name);
            }
        }
        return part_of(file_, prefix);
    }
    Optimizer::State optimizer(const std::string& prefix) {
        Optimizer::State state{below(prefix), {}};
        for (const auto& [name, text] : file_.metadata) {
            if (name.starts_with(prefix)) {
                used_.insert(name);
                const std::string key = name.substr(prefix.size());
                state.numbers[key] =
                    key == "steps" ? double(to_count(text, origin_)) : to_number(text, origin_);
            }
        }
        return state;
    }

    void require_all_used() const {
        for (const auto& [name, tensor] : file_.tensors) {
            check(used_.contains(name), "'{}' holds '{}', which no state of this run has", origin_,
                  name);
        }
        for (const auto& [name, text] : file_.metadata) {
            check(used_.contains(name), "'{}' holds '{}', which no state of this run has", origin_,
                  name);
        }
    }

  private:
    const TensorFile& file_;
    const std::string& origin_;
    std::set<std::string> used_;
};

// What the place of a shard's random stream is called in a state.
std::string rng_name(const std::string& use, size_t shard) {
    return "rng." + use + (shard == 0 ? "" : fmt::format(".{}", shard));
}

// The masks of a module, by name: buffers that were drawn, not learned.
std::map<std::string, Tensor> masks_of(const Module& module) {
    std::map<std::string, Tensor> masks;
    for (const auto& [name, tensor] : module.state_dict()) {
        if (name.ends_with(".mask")) {
            masks[name] = tensor;
        }
    }
    return masks;
}

// Throws Error unless `masks` are those of the module.
void check_masks(const Module& module, const std::map<std::string, Tensor>& masks,
                 const std::string& origin) {
    for (const auto& [name, own] : masks_of(module)) {
        const auto found = masks.find(name);
        check(found != masks.end() && found->second.shape() == own.shape() &&
                  std::ranges::equal(found->second.values(), own.values()),
              "'{}': its masks '{}' are not those that these settings draw, so its experts are "
              "others: start a new run",
              origin, name);
    }
    check(masks.size() == masks_of(module).size(), "'{}' holds masks that this model does not have",
          origin);
}

}  // namespace

std::vector<Trainer::Chance> Trainer::chance_of_all() const {
    std::vector<Chance> all = chance_;
    std::vector<uint64_t> positions;  // (S, 3)
    for (const Chance& chance : all) {
        for (const Rng* rng : {&chance.experts, &chance.model_dropout, &chance.router_dropout}) {
            positions.push_back(rng->state().position);
        }
    }
    std::vector<size_t> borders = {0};
    for (int rank = 0; rank < process_count(); ++rank) {
        const ShardRange shards = shards_of(config_.shards, rank, process_count());
        borders.push_back(size_t(shards.end) * 3 * sizeof(uint64_t));
    }
    all_gather(std::as_writable_bytes(std::span(positions)), borders);
    auto position = positions.begin();
    for (Chance& chance : all) {
        for (Rng* rng : {&chance.experts, &chance.model_dropout, &chance.router_dropout}) {
            Rng::State state = rng->state();
            state.position = *position++;
            *rng = Rng(state);
        }
    }
    return all;
}

TensorFile Trainer::state_dict() const {
    TensorFile file;
    const BatchStream::Position place = stream_.position();
    file.metadata = {{"format", state_format},
                     {"settings", fixed_settings(config_)},
                     {"steps", fmt::format("{}", steps_)},
                     {"tokens", fmt::format("{}", tokens_)},
                     {"epoch", fmt::format("{}", place.epoch)},
                     {"batch", fmt::format("{}", place.batch)},
                     {"data", data_.hash_text()}};
    const std::vector<Chance> chance = chance_of_all();
    for (size_t shard = 0; shard < chance.size(); ++shard) {
        file.metadata[rng_name("experts", shard)] = to_text(chance[shard].experts.state());
        file.metadata[rng_name("model_dropout", shard)] =
            to_text(chance[shard].model_dropout.state());
        file.metadata[rng_name("router_dropout", shard)] =
            to_text(chance[shard].router_dropout.state());
    }
    file.tensors["model.values"] = model_.flat().values();
    for (const auto& [name, mask] : masks_of(moe_.model)) {
        file.tensors["model.masks." + name] = mask;
    }
    for (const auto& [name, buffer] : moe_.model.running_buffers()) {
        file.tensors["model.running." + name] = buffer;
    }
    save_optimizer("model.optimizer.", model_, file);
    if (router_ != nullptr) {
        file.tensors["router.values"] = router_->flat().values();
        save_optimizer("router.optimizer.", *router_, file);
    } else {
        for (const auto& [name, tensor] : moe_.router->state_dict()) {
            file.tensors["router.frozen." + name] = tensor;
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
    require("model.values", model_decoder(config.model));
    const std::map<std::string, Tensor> frozen = part_of(state, "router.frozen.");
    const RouterKind& kind = router_kinds().find(config.model.router.kind);
    if (!frozen.empty() && kind.check_sizes) {
        kind.check_sizes(config.model, frozen, state.origin);
    }
}

void Trainer::load_state_dict(const TensorFile& file, const std::string& origin) {
    // Everything is checked before anything changes, so a refused state leaves the trainer as it
    // was.
    Reader read(file, origin);
    check(file.metadata.contains("steps"), "'{}' is no training state: it lacks 'steps'", origin);
    check(
        file.metadata.contains("format") && read.text("format") == state_format,
        "'{}' was written by another version of this program, which drew other random numbers: its "
        "weights can still be used, but to train on, start a new run",
        origin);
    require_fixed_settings(config_, read.text("settings"), origin);
    check(data_.has_hash(read.text("data")),
          "'{}' was trained on other text than --data gives now, so its place in it means nothing: "
          "give the text that the run began with, or start a new run",
          origin);
    const int64_t steps = read.count("steps"), tokens = read.count("tokens");
    const BatchStream::Position place{.epoch = uint64_t(read.count("epoch")),
                                      .batch = uint64_t(read.count("batch"))};
    std::vector<Chance> chance;
    for (size_t shard = 0; shard < chance_.size(); ++shard) {
        chance.push_back({read.rng(rng_name("experts", shard)),
                          read.rng(rng_name("model_dropout", shard)),
                          read.rng(rng_name("router_dropout", shard))});
    }
    const Tensor values = read.values("model.values", model_.flat().values());
    check_masks(moe_.model, read.below("model.masks."), origin);
    std::map<std::string, Tensor> running;
    for (const auto& [name, buffer] : moe_.model.running_buffers()) {
        running[name] = read.values("model.running." + name, buffer);
    }
    const Optimizer::State optimizer = read.optimizer("model.optimizer.");
    model_.check_state_dict(optimizer, origin);
    stream_.check_position(place);

    const bool learns = moe_.router->learns() && steps < config_.model.router.steps;
    check(!learns || router_ != nullptr,
          "'{}' is of step {}, before the router was frozen, as it is here", origin, steps);
    Tensor router_values;
    Optimizer::State router_optimizer;
    std::map<std::string, Tensor> frozen;
    if (learns) {
        router_values = read.values("router.values", router_->flat().values());
        router_optimizer = read.optimizer("router.optimizer.");
        router_->check_state_dict(router_optimizer, origin);
    } else {
        frozen = read.below("router.frozen.");
        moe_.router->check_state_dict(frozen, origin);
    }
    read.require_all_used();

    steps_ = steps;
    tokens_ = tokens;
    chance_ = chance;
    stream_.seek(place);
    for (const auto& [name, buffer] : moe_.model.running_buffers()) {
        buffer.copy_from(running.at(name));
    }
    model_.load(values, optimizer, origin);
    if (learns) {
        router_->load(router_values, router_optimizer, origin);
    } else {
        if (router_ != nullptr) {
            freeze_router();
        }
        moe_.router->load_state_dict(frozen, origin);
        kept_experts_.clear();
    }
}

}  // namespace smoe
