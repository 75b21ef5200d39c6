// require_replaceable: one look at what is there.
// Read next: report.cpp, which asks before it writes.
#include "examples/smoe/outputs.h"

#include <filesystem>

#include "core/check.h"
#include "core/file.h"

namespace smoe {

void require_replaceable(const std::string& path, const std::string& what,
                         const std::function<bool(const std::string& bytes)>& is_own) {
    require_replaceable_file(path, what,
                             [&](const std::string& file) { return is_own(read_file(file)); });
}

void require_replaceable_file(const std::string& path, const std::string& what,
                              const std::function<bool(const std::string& path)>& is_own) {
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error)) {
        check(is_own(path), "'{}' is there and is not {}: remove it first, or choose another name",
              path, what);
    }
}

}  // namespace smoe
