// The page that shows a report or a study, or that a server gives out: one HTML file with its data, its
// style and its script, which needs nothing from elsewhere and may ask for none. What the data means is left to the script.
// Read next: report_chart.cpp, where the script that draws begins.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace smoe {

struct PageKind {
    // How every such page begins. A file with a different beginning is not one.
    std::string_view start;
    std::vector<const char*> scripts;  // its own parts, after those that all pages share
    const char* style = "";            // likewise
    // What it may do beside running its own script: the rest of the Content-Security-Policy, which
    // goes on behind script-src.
    std::string_view policy = "";
};

// `data` is what the script draws; its texts may hold any characters.
std::string page(const PageKind& kind, const std::string& title,
                 const nlohmann::ordered_json& data);

// The script of a page: what all share, what those share that show a run, and that of a report or of a
// study.
extern const char* const report_chart;
extern const char* const report_tables;
extern const char* const report_run_script;
extern const char* const report_script;
extern const char* const study_script;

}  // namespace smoe
