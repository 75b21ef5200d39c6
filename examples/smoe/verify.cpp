// smoe verify: recomputes golden files and prints the largest difference of each quantity. It exits
// with 1 if one is too large.
// Read next: examples/smoe/golden.h, what is compared and how.
#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "examples/smoe/commands.h"
#include "examples/smoe/golden.h"
#include "examples/smoe/options.h"
#include "examples/smoe/printing.h"

namespace smoe {
namespace {

int verify(const std::vector<std::string>& files) {
    bool passed = true;
    // A narrow terminal gets shortened names and only the first kind of error.
    const int width = line_width(STDOUT_FILENO);
    const bool both = width >= 72;
    const int name_width = std::clamp(width - (both ? 38 : 20), 8, 52);
    const auto row = [&](const std::string& name, const std::string& error,
                         const std::string& own_error, const std::string& remark) {
        const std::string text = shortened(name, name_width);
        fmt::print("  {}{} {:>17}{}{}\n", text,
                   std::string(size_t(name_width - columns_of(text)), ' '), error,
                   both ? fmt::format(" {:>17}", own_error) : "", remark);
    };
    for (const std::string& file : files) {
        const GoldenReport report = verify_golden(read_safetensors(file));
        fmt::print("{}\n", shown(file));
        row("largest error relative to", "max(1, |value|)", "the own size", "");
        for (const GoldenQuantity& quantity : report.quantities) {
            row(quantity.name, fmt::format("{:.2e}", quantity.error),
                fmt::format("{:.2e}", quantity.own_error),
                quantity.passed(GoldenReport::tolerance) ? ""
                                                         : "  TOO LARGE, at " + quantity.where);
        }
        fmt::print("  {}: {} quantities, {:g} is allowed\n", report.passed() ? "passed" : "FAILED",
                   report.quantities.size(), GoldenReport::tolerance);
        passed = passed && report.passed();
    }
    return passed ? 0 : 1;
}

}  // namespace

Command add_verify(Arguments arguments) {
    auto files = std::make_shared<std::vector<std::string>>();
    arguments.paths("files", *files, "golden files (.safetensors)").required();
    return [files] { return verify(*files); };
}

}  // namespace smoe
