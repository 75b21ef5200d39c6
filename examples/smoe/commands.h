// The commands of the program `smoe`, one file each. A command says what it asks for and
// returns what to run once they are read.
// Read next: train.cpp.
#pragma once

#include <functional>

#include "examples/smoe/options.h"

namespace smoe {

// Runs a command and returns the exit status.
using Command = std::function<int()>;

Command add_corpus(Arguments arguments);
Command add_tokenizer(Arguments arguments);
Command add_tokenize(Arguments arguments);
Command add_train(Arguments arguments);
Command add_eval(Arguments arguments);
Command add_experts(Arguments arguments);
Command add_generate(Arguments arguments);
Command add_metrics(Arguments arguments);
Command add_report(Arguments arguments);
Command add_serve(Arguments arguments);
Command add_export(Arguments arguments);
Command add_verify(Arguments arguments);
Command add_study(Arguments arguments);

}  // namespace smoe
