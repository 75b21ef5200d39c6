// require_replaceable: one look at what is there.
// Read next: report.cpp, which asks before it writes.
#include "examples/smoe/outputs.h"

#include <filesystem>

#include "core/check.h"
#include "core/file.h"

namespace smoe {

void require_replaceable(const std::string& path, const std::string& what,
                         const std::function<bool(const std::string& bytes)>& is_own) {
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error)) {
        check(is_own(read_file(path)),
              "'{}' is there and is not {}: remove it first, or choose another name", path, what);
    }
}

}  // namespace smoe
