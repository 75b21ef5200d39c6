// The commands of the program `smoe`, one file each. A command adds its options to the parser and
// returns what to run once they are read.
// Read next: train.cpp.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace smoe {

// Runs a command and returns the exit status.
using Command = std::function<int()>;

Command add_corpus(CLI::App& app);
Command add_tokenizer(CLI::App& app);
Command add_train(CLI::App& app);
Command add_eval(CLI::App& app);
Command add_experts(CLI::App& app);
Command add_generate(CLI::App& app);
Command add_report(CLI::App& app);
Command add_export(CLI::App& app);
Command add_verify(CLI::App& app);
Command add_study(CLI::App& app);

}  // namespace smoe
