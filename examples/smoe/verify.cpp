// smoe verify: recomputes golden files and prints the largest difference of each quantity. Exits
// with 1 if one is too large.
// Read next: examples/smoe/golden.h, what is compared and how.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "examples/smoe/commands.h"
#include "examples/smoe/golden.h"
#include "examples/smoe/options.h"

namespace smoe {
namespace {

int verify(const std::vector<std::string>& files) {
    bool passed = true;
    for (const std::string& file : files) {
        const GoldenReport report = verify_golden(read_safetensors(file));
        fmt::print("{}\n  {:<52} {:>17} {:>17}\n", file, "largest error relative to",
                   "max(1, |value|)", "the own size");
        for (const GoldenQuantity& quantity : report.quantities) {
            fmt::print("  {:<52} {:>17.2e} {:>17.2e}{}\n", quantity.name, quantity.error,
                       quantity.own_error,
                       quantity.passed(GoldenReport::tolerance)
                           ? ""
                           : "  TOO LARGE, at " + quantity.where);
        }
        fmt::print("  {}: {} quantities, {:g} is allowed\n", report.passed() ? "passed" : "FAILED",
                   report.quantities.size(), GoldenReport::tolerance);
        passed = passed && report.passed();
    }
    return passed ? 0 : 1;
}

}  // namespace

Command add_verify(CLI::App& app) {
    auto files = std::make_shared<std::vector<std::string>>();
    add_paths(app, "files", *files, "golden files (.safetensors)")->required();
    return [files] { return verify(*files); };
}

}  // namespace smoe
