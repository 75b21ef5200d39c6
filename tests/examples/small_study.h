// A study of two arms and two seeds whose runs take a moment, and what it leaves. The program is built
// in float only, so its users belong to the float tests.
// Read next: study_test.cpp.
#pragma once

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "tests/examples/workshop.h"

namespace smoe {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

// Two arms, two seeds; a run takes a moment. It lies in a folder of its own, so its paths start there.
inline Json small_plan() {
    return Json::parse(R"({
        "base": {"preset": "tiny_original", "data": ["../corpus/train.jsonl"], "valid": "../corpus/valid.jsonl",
                 "width": 16, "layers": 1, "heads": 2, "hidden": 32, "entries": 300, "context": 40,
                 "batch": 4, "steps": 6, "log-every": 3, "eval-every": 3, "checkpoint-every": 2,
                 "sample-every": 0, "warmup": 2, "experts": 4},
        "arms": [{"name": "dense", "what": "no experts", "set": {"routing": "none"}},
                 {"name": "hash", "set": {"routing": "hash"}}],
        "lr": [0.01], "seeds": [1, 2], "compare_to": "dense"})");
}

inline void put_plan(const Json& plan) {
    put("plans/plan.json", plan.dump(2));
}

inline std::string study(const std::string& folder) {
    return "study plans/plan.json --jobs 2 -o " + folder;
}

// The runs of a study, by phase: "runs/dense/lr_0.01_seed_1".
inline Names runs_in(const std::string& folder) {
    Names names;
    const std::string root = workshop() + "/" + folder + "/";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.path().filename() == "model.safetensors") {
            names.push_back(entry.path().parent_path().string().substr(root.size()));
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

// The rows of results.csv as cells; the first has the names of columns.
inline std::vector<Names> rows_of(const std::string& folder) {
    std::vector<Names> rows;
    for (const std::string& line : split(contents(folder + "/results.csv"), '\n')) {
        Names cells = {""};
        for (const char c : line) {
            c == ',' ? cells.emplace_back() : cells.back() += c;
        }
        REQUIRE(cells.size() == 13);
        rows.push_back(cells);
    }
    return rows;
}

}  // namespace smoe
