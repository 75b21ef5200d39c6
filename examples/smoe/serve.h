// What smoe serve serves. The command itself is in serve.cpp.
// Read next: serve_http.h, where requests come from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/generation/scheduler.h"
#include "models/training/config.h"

namespace smoe {

struct ServedModel {
    std::string name;  // of the run's folder, by which requests name it
    Config config;
    Tokenizer tokenizer;
    std::unique_ptr<SingleMoe> moe;
    std::unique_ptr<Generator> generator;

    // The experts that requests may force or ban: none if the model is dense or its router inside.
    int64_t experts() const;
};

// That of a run, which writes `places` texts at a time with its weights in `precision`. Throws
// Error if there is none.
ServedModel load_served(const std::string& path, int64_t places, Precision precision);

// The models as a scheduler wants them.
std::vector<Scheduler::Model> workers(const std::vector<ServedModel>& models);

}  // namespace smoe
