// Commands that people can paste: words quoted for a shell, and this program under the name by
// which it was started.
// Read next: train.cpp, which says how to go on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smoe {

// `word` written so that a POSIX shell reads it as one argument. It stays as it is if nothing in it
// is special; otherwise it is in quotes, and bytes that a terminal would not show are \ooo in
// $'...'.
std::string shell_quoted(std::string_view word);

// The same for the name of a file or folder, which must not look like an option: -x becomes ./-x.
std::string shell_path(const std::string& path);

// argv[0] of this process, for own_command(); "smoe" before it is set.
void set_program_name(const char* name);
const std::string& program_name();
// The file that is this program, for starting it once more.
std::string own_program();

// A list of words or of variables as exec takes it, which lives as long as they do.
std::vector<char*> exec_list(std::vector<std::string>& texts);

// "build/smoe train --resume" for "train --resume". All words in it are quoted already.
std::string own_command(const std::string& arguments);

}  // namespace smoe
