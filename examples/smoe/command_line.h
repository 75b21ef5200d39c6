// The command line, taken as the user wrote it. CLI11 gives some values its own meaning: an empty
// one takes the next argument with it, "[a,b]" becomes two values, and a file called "train" is a
// command. So no value reaches CLI11 as it is: this file splits the words into options, values and
// names, and disguises each value on its way through the parser. It leaves out what else CLI11 can
// read: files of settings, the environment, options like "/o:x".
// Read next: options.h, what an option checks of its value.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace smoe {

// Reads `words`, those after the program's name, into the options and commands of `app`:
//     --name VALUE, --name=VALUE, -n VALUE, -nVALUE   a value is any text, "" and "--x" included
//     --names FILE FILE ...                           up to the next word that begins with "-"
//     --flag, --flag=true, --flag=false
//     -- ...                                          everything after it is a name, no option
// Throws UsageError for a word that nothing takes, with the nearest known one, and for a value that
// is missing or refused. Throws CLI::Success if the user asks for help or the version.
void parse_command_line(CLI::App& app, const std::vector<std::string>& words);

}  // namespace smoe
