// What a server tells of a run, whether it still trains or has ended: the curves and samples of its
// report, read again when its files have grown. Nothing is computed with the model.
// Read next: report_data.h, what is told; serve_training_script.cpp, which draws it.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/training/run_directory.h"

namespace smoe {

class ServedRun {
  public:
    explicit ServedRun(const std::string& path);

    const std::string& name() const { return name_; }

    struct Told {
        // {"run": run_summary(), "samples": run_samples(), "reported": seconds since 1970, or null}
        std::string json;
        std::string tag;  // another one whenever the files are others
    };
    // May be called on any thread. Throws Error if the run cannot be read.
    std::shared_ptr<const Told> told();

  private:
    RunDirectory run_;
    std::string name_;
    std::mutex mutex_;
    std::shared_ptr<const Told> told_;
};

// The list of all, as GET /v1/runs tells it.
nlohmann::ordered_json runs_json(const std::deque<ServedRun>& runs);

}  // namespace smoe
