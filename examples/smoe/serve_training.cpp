// ServedRun: one thread reads a run that has grown, and the others wait for what it finds.
// Read next: report_run.cpp.
#include "examples/smoe/serve_training.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/text.h"
#include "examples/smoe/report_data.h"
#include "examples/smoe/serve_reply.h"

namespace smoe {

ServedRun::ServedRun(const std::string& path) : run_(path), name_(to_one_line(file_name(path))) {}

std::shared_ptr<const ServedRun::Told> ServedRun::told() {
    const std::lock_guard lock(mutex_);
    std::string tag;
    nlohmann::ordered_json reported;
    // The files are looked at before they are read: what comes in between is read once more.
    for (const char* const name : {"config.json", "samples.jsonl", "metrics.jsonl"}) {
        struct stat status = {};
        const bool there = ::stat(run_.file(name).c_str(), &status) == 0;
        tag += fmt::format("{}-{}.", there ? int64_t(status.st_size) : -1, status.st_mtime);
        reported = there ? nlohmann::ordered_json(int64_t(status.st_mtime)) : nullptr;
    }
    if (told_ == nullptr || told_->tag != tag) {
        const Config config = run_.config();
        told_ = std::make_shared<const Told>(Told{dumped({{"run", run_summary(run_, config)},
                                                          {"samples", run_samples(run_, config)},
                                                          {"reported", reported}}),
                                                  tag});
    }
    return told_;
}

nlohmann::ordered_json runs_json(const std::deque<ServedRun>& runs) {
    nlohmann::ordered_json data = nlohmann::ordered_json::array();
    for (const ServedRun& run : runs) {
        data.push_back({{"id", run.name()}, {"object", "run"}});
    }
    return {{"object", "list"}, {"data", std::move(data)}};
}

}  // namespace smoe
