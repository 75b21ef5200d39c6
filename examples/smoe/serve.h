// What smoe serve serves. The command itself is in serve.cpp.
// Read next: serve_http.h, where requests come from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/generation/scheduler.h"
#include "models/training/config.h"
#include "models/training/run_directory.h"

namespace smoe {

struct ServedModel {
    std::string path;  // of its run
    std::string name;  // of the run's folder, by which requests name it
    Config config;
    Tokenizer tokenizer;
    std::unique_ptr<SingleMoe> moe;
    std::unique_ptr<Generator> generator;
    int64_t places;
    Precision precision;
    std::string written;  // weights_written() of what was loaded

    // The experts that requests may force: none if the model is dense. Where the router is inside,
    // they may not ban any, nor ask for all neurons.
    int64_t experts() const;
    bool can_ban() const;
};

// When the weights of a run were written: another text for each checkpoint. Those of a router are a
// moment younger than the model's; a model that is read in between will be read again.
std::string weights_written(const RunDirectory& run);

// That of a run, which writes `places` texts at a time with its weights in `precision`. Throws
// Error if there is none.
ServedModel load_served(const std::string& path, int64_t places, Precision precision);

// The models as a scheduler wants them.
std::vector<Scheduler::Model> workers(const std::vector<ServedModel>& models);

// Lets the scheduler take over the newer weights of a run that is being trained. Weights that cannot
// be read or do not fit are told of once, and the older ones stay. The model must stay where it is.
void follow_training(ServedModel& model, Scheduler::Model& worker);

}  // namespace smoe
