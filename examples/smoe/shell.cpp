// Quoting as in POSIX.1-2024, which has $'...' (and so do bash, zsh, ksh and busybox).
// Read next: tests/examples/shell_test.cpp, where a shell has the last word.
#include "examples/smoe/shell.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/file.h"
#include "core/text.h"

namespace smoe {
namespace {

std::string own_name = "smoe";

// Does every shell take this byte as it is? Bytes of letters beyond ASCII are such.
bool is_plain(char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || uint8_t(byte) >= 0x80 ||
           std::string_view("_./:@%+,-=").find(byte) != std::string_view::npos;
}

}  // namespace

std::string shell_quoted(std::string_view word) {
    if (to_one_line(word) != word) {
        std::string quoted = "$'";
        for (const char byte : word) {
            const bool shown = byte >= ' ' && byte <= '~' && byte != '\'' && byte != '\\';
            quoted += shown ? std::string(1, byte) : fmt::format("\\{:03o}", uint8_t(byte));
        }
        return quoted + "'";
    }
    if (!word.empty() && word[0] != '=' && std::all_of(word.begin(), word.end(), is_plain)) {
        return std::string(word);
    }
    std::string quoted = "'";
    for (const char byte : word) {
        quoted += byte == '\'' ? "'\\''" : std::string(1, byte);
    }
    return quoted + "'";
}

std::string shell_path(const std::string& path) {
    return shell_quoted(path.starts_with("-") ? "./" + path : path);
}

void set_program_name(const char* name) {
    if (name != nullptr && *name != '\0') {
        own_name = name;
    }
}

const std::string& program_name() {
    return own_name;
}

std::string own_program() {
    const std::string running = "/proc/self/exe";  // also after the file was replaced
    return file_exists(running) ? running : own_name;
}

std::string own_command(const std::string& arguments) {
    return shell_path(own_name) + " " + arguments;
}

std::vector<char*> exec_list(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (std::string& text : texts) {
        list.push_back(text.data());
    }
    list.push_back(nullptr);
    return list;
}

}  // namespace smoe
