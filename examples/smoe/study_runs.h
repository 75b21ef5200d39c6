// What has become of the runs of a plan, as their folders say, and which of them are still to do.
// It starts nothing.
// Read next: study_workers.h, which does; study_results.h, what came out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "examples/smoe/study_plan.h"
#include "examples/smoe/study_rows.h"

namespace smoe {

enum class RunState { untouched, begun, finished, failed };

struct RunStatus {
    RunState state = RunState::untouched;
    int64_t step = 0;          // of its last report
    double seconds = 0;        // in training until then
    double bits_per_byte = 0;  // held out, of all domains, at the last step; only if finished
    std::string message = "";  // why it failed
    std::string text = "";     // hash of its held-out text, where it has begun
    std::vector<ResultRow> rows = {};
};

class Study {
  public:
    // Reads the plan and looks at every run of it in `folder`. A run that is not there is finished if
    // one of `row_files`, each a results.csv, has its rows until its last step; earlier files go
    // first. Throws Error for a broken plan or file of rows, and for a folder or rows whose runs have
    // settings, text or a tokenizer that differ from the plan's.
    Study(const std::string& plan_path, std::string folder,
          const std::vector<std::string>& row_files = {});

    const StudyPlan& plan() const { return plan_; }
    const std::string& folder() const { return folder_; }
    const std::vector<StudyRun>& runs() const { return runs_; }
    const RunStatus& status(size_t run) const { return status_[run]; }

    void look_at(size_t run);  // again
    // From now on it counts as failed, also for later studies in this folder, until forget_failures.
    void set_failed(size_t run, const std::string& message);
    void forget_failures();

    // The learning rate with the lowest held-out bits per byte, as a mean over the seeds: of the
    // sweep if the arm is swept, else of the full runs that are there. None while runs of the sweep
    // are missing, and if no rate has a run for each seed.
    std::optional<double> best_lr(size_t arm) const;
    bool sweep_is_open(size_t arm) const;  // are runs of its sweep still to do?
    // Whether the best rate is the lowest or the highest of several, so that a better one may lie
    // beyond.
    bool best_lr_is_at_end(size_t arm) const;

    // Whether the plan asks for this run, as far as is known by now.
    bool is_wanted(size_t run) const;
    // The runs that the plan asks for, counting those whose learning rate the sweep has yet to find.
    int64_t wanted_count() const;
    int64_t ended_count() const;  // those of them that have finished or failed
    // Does each arm have a learning rate at which all of its seeds have finished?
    bool is_complete() const;

    // Tokens a second of an arm, where --pace has measured all of them.
    std::optional<double> pace(size_t arm) const;

    // Until everything is done, at the pace of the runs so far; NaN while there is none.
    double seconds_left(int jobs) const;

  private:
    void require_one_experiment() const;
    std::optional<double> seconds_per_step(std::optional<size_t> arm) const;

    StudyPlan plan_;
    std::string folder_;
    std::vector<StudyRun> runs_;
    RecordedRuns recorded_;
    std::vector<double> pace_;  // of each arm, or empty
    std::vector<RunStatus> status_;
};

}  // namespace smoe
