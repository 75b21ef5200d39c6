// Outputs of commands: they replace only what this program wrote.
// Read next: report.cpp, corpus.cpp, which ask before they write.
#pragma once

#include <functional>
#include <string>

namespace smoe {

// Throws Error if `path` is a file whose bytes are not `is_own`: it is somebody's, or of another
// kind, and `what` (as "a page of smoe report") must not replace it.
void require_replaceable(const std::string& path, const std::string& what,
                         const std::function<bool(const std::string& bytes)>& is_own);

}  // namespace smoe
