// The page that shows a report: one HTML file with its data, its style and its script, which needs
// no network and may use none. What the data means is left to the script.
// Read next: report_chart.cpp, where the script that draws begins.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace smoe {

// `data` is what the script draws; its texts may hold any characters.
std::string report_page(const std::string& title, const nlohmann::ordered_json& data);

// How every page begins. A file with a different beginning is not one.
constexpr std::string_view page_start = "<!doctype html>\n<!-- a page of smoe report -->";

// The script of the page, in the order of its parts.
extern const char* const report_chart;
extern const char* const report_tables;
extern const char* const report_script;

}  // namespace smoe
