// The page that shows a report: one HTML file with its data, its style and its script, which needs
// no network and may use none. Refuses to know what is in the data.
// Read next: report_script.cpp, the script that draws.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace smoe {

// `data` is what the script draws; its texts may hold any characters.
std::string report_page(const std::string& title, const nlohmann::ordered_json& data);

extern const char* const report_script;

}  // namespace smoe
