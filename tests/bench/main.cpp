// build/bench: measures, prints one table, and writes it as Markdown. `bench serve` is the other
// half of compare_torch.py. It does not judge the numbers: targets and their story are in the
// README.md beside this file.
//
// Read next: bench.h.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/check.h"
#include "core/file.h"
#include "core/text.h"
#include "core/threads.h"
#include "tests/bench/bench.h"
#include "tests/bench/serve.h"

namespace {

using namespace smoe;
using namespace smoe::bench;

constexpr const char* caption =
    "Median and range over {} repetitions; variants that are compared took turns. MAC: one "
    "multiply-add. Training counts the products of the linear layers three times (forward, dx, "
    "dW), causal attention on and below the diagonal (two products forward, four backward) and "
    "the output projection, nothing else and nothing twice; of masked networks in sparse form only "
    "the neurons that are kept. \"Of the limit\": in training, of the rate that gemm() alone "
    "reached at the same shapes in the same repetition; in generation, of the bytes that a token "
    "must read against the bandwidth that a plain read reached. Peak: bytes in tensors during a "
    "step, weights and optimiser included.\n";

int measure(const Options& options, const std::string& markdown, const std::string& command) {
    const std::vector<std::pair<std::string, void (*)(const Options&, Table&)>> sections = {
        {"roofline", measure_roofline},     {"ladder", measure_ladder},
        {"kernels", measure_kernels},       {"training", measure_training},
        {"generation", measure_generation}, {"tokenizer", measure_tokenizer}};
    const std::string head =
        fmt::format("{}. Command: `{}`. Text: {}.\n\n", machine(), command,
                    options.data.empty() ? "the built-in corpus" : options.data) +
        fmt::format(fmt::runtime(caption), options.repetitions()) + "\n";
    fmt::print("{}", head);
    Table table;
    for (const auto& [name, section] : sections) {
        if (options.only.empty() ||
            std::find(options.only.begin(), options.only.end(), name) != options.only.end()) {
            section(options, table);
        }
    }
    if (!markdown.empty()) {
        write_file(markdown, head + table.markdown());
    }
    return 0;
}

int run(int argc, char** argv) {
    CLI::App app("Measures the project; see tests/bench/README.md.", "bench");
    Options options;
    std::string markdown;
    int thread_count = threads();
    app.add_option("--only", options.only, "sections to measure")
        ->check(CLI::IsMember(
            {"roofline", "ladder", "kernels", "training", "generation", "tokenizer"}));
    app.add_flag("--quick", options.quick,
                 "fewer repetitions on smaller batches: to try things out, not to publish");
    app.add_option("--data", options.data, "text to use instead of the built-in corpus");
    app.add_option("--markdown", markdown, "file to write the table to");
    app.add_option("--threads", thread_count, "threads to use")->default_str("all processors");
    const Serve serve = add_serve(app);
    CLI11_PARSE(app, argc, argv);
    set_threads(thread_count);
    if (serve.app->parsed()) {
        return serve.body(options.data);
    }
    return measure(options, markdown, join({argv, argv + argc}, " "));
}

}  // namespace

int main(int argc, char** argv) {
    prepare_threads(argv);
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "bench: error: {}\n", error.what());
        return 1;
    }
}
