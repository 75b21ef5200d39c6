// Commands that a person can paste: words quoted for a shell, and this program under the name by
// which it was started. Refuses to parse anything.
// Read next: train.cpp, which says how to go on.
#pragma once

#include <string>
#include <string_view>

namespace smoe {

// `word` as a POSIX shell takes it for one argument: as it is where nothing in it is special, else
// in quotes, and what a terminal would not show as \ooo in $'...'.
std::string shell_quoted(std::string_view word);

// The same for the name of a file or folder, which must not look like an option: ./-x for -x.
std::string shell_path(const std::string& path);

// argv[0] of this process, for own_command().
void set_program_name(const char* name);

// "build/smoe train --resume" for "train --resume", quoted words all of them.
std::string own_command(const std::string& arguments);

}  // namespace smoe
