// RunDirectory: names, order of writing, and the messages when something does not fit. What a file
// holds is left to its own module.
// Read next: training_loop.cpp.
#include "models/training/run_directory.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "core/json.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

// Names of states, newest first. The first exists only while write_state renames, or if it was cut
// short.
constexpr const char* next_state = "state.next.safetensors";
constexpr const char* last_state = "state.safetensors";
constexpr const char* previous_state = "state.previous.safetensors";
constexpr std::array states = {next_state, last_state, previous_state};

// "format" is what other libraries ask for before they load the file.
std::map<std::string, std::string> weights_metadata(int64_t step) {
    return {{"format", "pt"}, {"step", fmt::format("{}", step)}};
}

// Takes the router's tensors out of those of an export, where both are in one file.
std::map<std::string, Tensor> take_router(std::map<std::string, Tensor>& model) {
    const std::string prefix = RunDirectory::router_prefix;
    std::map<std::string, Tensor> router;
    for (auto next = model.lower_bound(prefix);
         next != model.end() && next->first.starts_with(prefix); next = model.erase(next)) {
        router[next->first.substr(prefix.size())] = next->second;
    }
    return router;
}

constexpr const char* metrics_file = "metrics.jsonl";
constexpr const char* samples_file = "samples.jsonl";

struct StepLine {
    std::string text;
    Json object;
    bool is_after(int64_t step) const { return object["step"].get<double>() > double(step); }
};

std::vector<StepLine> step_lines(const std::string& path) {
    constexpr int max_depth = 8;  // two levels are needed
    std::vector<StepLine> lines;
    const std::string text = file_exists(path) ? read_file(path) : "";
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        StepLine line{text.substr(begin, end - begin), {}};
        line.object = parse_json_or_null<Json>(line.text, max_depth);
        if (line.object.is_object() && line.object.contains("step") &&
            line.object["step"].is_number_integer()) {
            lines.push_back(std::move(line));
        }
        begin = end + 1;
    }
    return lines;
}

std::vector<Json> objects_until(const std::string& path, int64_t last_step) {
    std::vector<Json> objects;
    for (StepLine& line : step_lines(path)) {
        if (!line.is_after(last_step)) {
            objects.push_back(std::move(line.object));
        }
    }
    return objects;
}

}  // namespace

void RunDirectory::require_unused() const {
    check(!has_state(),
          "'{}' already holds a run: go on with it by --resume, or choose another folder", path_);
    for (const char* name :
         {"model.safetensors", "router.safetensors", metrics_file, samples_file}) {
        check(!file_exists(file(name)),
              "'{}' already holds a {}, which a run there would replace: choose another folder",
              path_, name);
    }
}

void RunDirectory::require_no_other(const Tokenizer& tokenizer) const {
    const std::string name = file("tokenizer.json");
    check(!file_exists(name) ||
              Tokenizer::from_json(read_file(name), name).hash() == tokenizer.hash(),
          "'{}' already holds another tokenizer.json: choose another folder, or use it by "
          "--tokenizer",
          path_);
}

void RunDirectory::require_writable() const {
    require_writable_folder(path_);
    if (file_exists(path_)) {
        const FolderLock lock(path_);
    }
}

void RunDirectory::create(const Config& config, const Tokenizer& tokenizer) const {
    const bool is_new = !file_exists(path_);
    make_folder(path_);
    const FolderLock lock(path_);
    require_unused();
    require_no_other(tokenizer);
    try {
        // config.json comes last: a folder that has it is a run, which --resume continues.
        write_file(file("tokenizer.json"), tokenizer.to_json());
        write_config(config);
    } catch (...) {
        std::error_code ignored;
        if (is_new) {
            std::filesystem::remove(file("tokenizer.json"), ignored);
            std::filesystem::remove(path_, ignored);
        }
        throw;
    }
}

bool RunDirectory::has_state() const {
    return std::any_of(states.begin(), states.end(),
                       [this](const char* name) { return file_exists(file(name)); });
}

bool RunDirectory::has_model() const {
    return file_exists(file("model.safetensors"));
}

void RunDirectory::write_config(const Config& config) const {
    write_file(file("config.json"), to_json(config));
}

Config RunDirectory::config() const {
    check(file_exists(file("config.json")), "'{}' is not a run directory: it holds no config.json",
          path_);
    return config_from_json(read_file(file("config.json")), file("config.json"));
}

Tokenizer RunDirectory::tokenizer(const Config& config) const {
    const std::string name = file("tokenizer.json");
    Tokenizer tokenizer = Tokenizer::from_json(read_file(name), name);
    const std::string hash = fmt::format("{:016x}", tokenizer.hash());
    check(hash == config.tokenizer_hash && tokenizer.vocab_size() == config.model.vocab_size,
          "'{}' is not the tokenizer this model was trained with: its hash is {} with {} tokens, "
          "config.json says {} with {}",
          name, hash, tokenizer.vocab_size(), config.tokenizer_hash, config.model.vocab_size);
    return tokenizer;
}

void RunDirectory::write_model(const std::map<std::string, Tensor>& state, int64_t step) const {
    write_safetensors(file("model.safetensors"), {state, weights_metadata(step)});
}

void RunDirectory::write_router(const std::map<std::string, Tensor>& state, int64_t step) const {
    write_safetensors(file("router.safetensors"), {state, weights_metadata(step)});
}

int64_t RunDirectory::weights_step() const {
    const TensorFile model = read_safetensors(file("model.safetensors"));
    const auto found = model.metadata.find("step");
    int64_t step = INT64_MAX;
    if (found != model.metadata.end()) {
        const std::string& text = found->second;
        std::from_chars(text.data(), text.data() + text.size(), step);
    }
    return step;
}

std::unique_ptr<SingleMoe> RunDirectory::load(const Config& config) const {
    check(has_model(), "'{}' holds no trained model yet", path_);
    // The tensors that set the model's size are compared before it is built: config.json alone
    // could ask for more memory than there is.
    auto model = read_safetensors(file("model.safetensors")).tensors;
    std::map<std::string, Tensor> router = take_router(model);
    check_sizes(model_decoder(config.model), model, file("model.safetensors"));
    const RouterKind& kind = router_kinds().find(config.model.router.kind);
    if (kind.check_sizes) {
        if (router.empty()) {
            router = read_safetensors(file("router.safetensors")).tensors;
        }
        kind.check_sizes(config.model, router, file("router.safetensors"));
    }
    auto moe = std::make_unique<SingleMoe>(config.model, config.seed);
    moe->model.load_state_dict(model, file("model.safetensors"));
    moe->router->load_state_dict(router, file("router.safetensors"));
    moe->eval();
    return moe;
}

void RunDirectory::write_state(const TensorFile& state) const {
    // The state has its own name until it is whole on disk, so the last two are there all the time.
    write_safetensors(file(next_state), state);
    finish_writing_state();
}

void RunDirectory::finish_writing_state() const {
    if (!file_exists(file(next_state))) {
        return;
    }
    if (file_exists(file(last_state))) {
        rename_file(file(last_state), file(previous_state));
    }
    rename_file(file(next_state), file(last_state));
}

TensorFile RunDirectory::state() const {
    std::string problem;
    for (const char* name : states) {
        if (file_exists(file(name))) {
            try {
                return read_safetensors(file(name));
            } catch (const Error& error) {  // damaged: an older one is better than none
                problem = problem.empty() ? error.what() : problem;
            }
        }
    }
    fail("{}", problem.empty() ? fmt::format("'{}' holds no checkpoint", path_) : problem);
}

void RunDirectory::append_metrics(const std::string& json) const {
    append_file(file(metrics_file), json + "\n");
}

void RunDirectory::append_sample(int64_t step, const std::string& text,
                                 const std::vector<int32_t>& ids, const Experts& experts) const {
    Json sample = {{"step", step}, {"text", text}, {"ids", ids}};
    if (std::ranges::any_of(experts, [](int32_t expert) { return expert != no_expert; })) {
        sample["experts"] = experts;
    }
    append_file(file(samples_file),
                sample.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::vector<Json> RunDirectory::metrics(int64_t last_step) const {
    return objects_until(file(metrics_file), last_step);
}

std::vector<Json> RunDirectory::samples(int64_t last_step) const {
    return objects_until(file(samples_file), last_step);
}

void RunDirectory::cut_metrics(int64_t step) const {
    for (const char* name : {metrics_file, samples_file}) {
        if (!file_exists(file(name))) {
            continue;
        }
        std::string kept;
        for (const StepLine& line : step_lines(file(name))) {
            kept += line.is_after(step) ? "" : line.text + "\n";
        }
        write_file(file(name), kept);
    }
}

}  // namespace smoe
