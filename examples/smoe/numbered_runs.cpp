// A look at the names in a folder.
// Read next: train.cpp.
#include "examples/smoe/numbered_runs.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/check.h"

namespace smoe {
namespace {

constexpr const char* numbered_runs = "runs";

// The largest number that anything in runs/ has as its name; 0 if there is none.
int64_t last_number() {
    int64_t last = 0;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(numbered_runs, none)) {
        const std::string name = entry.path().filename().string();
        int64_t number = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (error == std::errc() && std::to_string(number) == name) {
            last = std::max(last, number);
        }
    }
    return last;
}

}  // namespace

std::string next_numbered_run() {
    return fmt::format("{}/{}", numbered_runs, last_number() + 1);
}

std::string last_numbered_run() {
    const int64_t last = last_number();
    if (last == 0) {
        throw UsageError(
            "--resume needs --run DIR: there is no numbered run in runs/ to go on with");
    }
    return fmt::format("{}/{}", numbered_runs, last);
}

}  // namespace smoe
