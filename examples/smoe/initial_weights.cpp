// Which settings belong to weights, and which to what is done with them.
// Read next: train.cpp, the caller.
#include "examples/smoe/initial_weights.h"

#include <set>

#include "core/check.h"
#include "core/file.h"
#include "examples/smoe/flags.h"
#include "models/training/run_directory.h"

namespace smoe {
namespace {

bool belongs_to_weights(const Setting& setting, const Config& config) {
    static const std::set<std::string> of_training = {
        "model.dropout",  "router.dropout", "router.steps",        "router.warmup",
        "router.gate_lr", "router.balance", "router.balance_steps"};
    static const std::set<std::string> of_the_model = {"model", "experts", "router"};
    const std::string name = setting.name();
    return (of_the_model.contains(setting.group) && !of_training.contains(name)) ||
           name == "data.entries" || name == "data.pre_tokenizer" ||
           (name == "training.seed" && router_kinds().find(config.model.router.kind).seeded);
}

}  // namespace

Config settings_from(const std::string& folder) {
    const RunDirectory init(folder);
    Config config = init.config();
    require_readable({init.file("model.safetensors"), init.file("tokenizer.json")});
    config.init = folder;
    config.tokenizer = init.file("tokenizer.json");
    config.data.clear();
    config.valid.clear();
    config.valid_hash = "";
    config.minutes = 0;
    config.model.router.steps = 0;
    return config;
}

void require_same_model(const Config& config) {
    const Config own = settings_from(config.init);
    for (const Difference& difference : differences(own, config)) {
        check(!belongs_to_weights(difference.setting, own),
              "{} is '{}' in '{}' and cannot become '{}': the weights fit no other",
              flag_or_name(difference.setting), difference.first, config.init, difference.second);
    }
}

Tokenizer initial_tokenizer(const Config& config) {
    const RunDirectory init(config.init);
    const Tokenizer own = init.tokenizer(init.config());
    check(config.tokenizer == init.file("tokenizer.json") ||
              Tokenizer::from_json(read_file(config.tokenizer), config.tokenizer).hash() ==
                  own.hash(),
          "--tokenizer '{}' is not the one of '{}', which knows no other tokens: leave it out",
          config.tokenizer, config.init);
    return own;
}

}  // namespace smoe
