// A run on disk: the folder that training fills and that everything else reads. Each file is
// replaced whole or not at all, and a state alone is enough to go on, so a run can be killed at any
// instant. What a state holds is left to trainer.h.
// Read next: trainer.h.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "models/text/tokenizer.h"
#include "models/training/config.h"
#include "models/transformer/single_moe.h"

namespace smoe {

//     config.json                  every setting
//     tokenizer.json               the tokenizer
//     model.safetensors            evaluation-mode weights
//     router.safetensors           likewise, if the router learns
//     state.safetensors            what resuming needs, in one file
//     state.previous.safetensors   the same of the checkpoint before
//     metrics.jsonl                one object per report
//     samples.jsonl                what the model wrote on the way: step, text, ids, experts
class RunDirectory {
  public:
    // What precedes the names of the router's weights where a model.safetensors has them, too, as
    // that of an export does.
    static constexpr const char* router_prefix = "router.";

    explicit RunDirectory(std::string path) : path_(std::move(path)) {}

    // Throws Error unless a new run can begin here. The only files of a run that may be there are
    // config.json and tokenizer.json, left by a run that never reached a checkpoint.
    void require_unused() const;
    // Throws Error if another tokenizer.json is here, which a new run with `tokenizer` would replace.
    void require_no_other(const Tokenizer& tokenizer) const;
    // Throws Error unless files can be written here now and no other process is at it. Leaves nothing
    // behind; for asking before long work.
    void require_writable() const;
    // Creates the folder and writes config.json and tokenizer.json. Throws Error unless a new run
    // can begin here, if another process is at it, or if there is another tokenizer.
    void create(const Config& config, const Tokenizer& tokenizer) const;

    bool has_state() const;
    bool has_model() const;
    Config config() const;  // throws Error where no run is
    // Throws Error if the tokenizer is not the one that `config` was trained with.
    Tokenizer tokenizer(const Config& config) const;
    void write_config(const Config& config) const;

    // Writes the weights, by the names of the original's state_dict, and the number of steps they
    // have learned from.
    void write_model(const std::map<std::string, Tensor>& state, int64_t step) const;
    void write_router(const std::map<std::string, Tensor>& state, int64_t step) const;
    // That number for the model, or the largest int64_t if the file does not say. Throws Error if
    // there is no model.
    int64_t weights_step() const;
    // The model in evaluation mode, ready to evaluate and generate. Throws Error if weights are
    // missing, not finite, or do not fit `config`.
    std::unique_ptr<SingleMoe> load(const Config& config) const;

    // Makes `state` the newest one, and the newest one so far the previous one. There is a whole
    // state on disk at every instant.
    void write_state(const TensorFile& state) const;
    // Gives files their final names if write_state was stopped before it did.
    void finish_writing_state() const;
    // The newest whole state. Throws Error, naming the newest file, if none is whole.
    TensorFile state() const;

    // Appends one line of JSON to metrics.jsonl.
    void append_metrics(const std::string& json) const;
    // The objects in its lines, each with a whole "step", up to `last_step`; none if there is no
    // such file. Any other line is left out, such as one cut short by a kill or one with a key twice.
    std::vector<nlohmann::ordered_json> metrics(int64_t last_step = INT64_MAX) const;
    // The same of samples.jsonl. A sample has its experts unless all are no_expert.
    void append_sample(int64_t step, const std::string& text, const std::vector<int32_t>& ids,
                       const Experts& experts) const;
    std::vector<nlohmann::ordered_json> samples(int64_t last_step = INT64_MAX) const;
    // Removes from both the lines of steps after `step`, which a resumed run will write again.
    void cut_metrics(int64_t step) const;

    std::string file(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

}  // namespace smoe
