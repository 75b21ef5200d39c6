// Outputs of commands. They replace only what this program wrote.
// Read next: report.cpp, corpus.cpp, which ask before they write.
#pragma once

#include <functional>
#include <string>

namespace smoe {

// Throws Error if `path` is a file and `is_own` is false for its bytes. Such a file is somebody's,
// or of a different kind, and `what` (such as "a page of smoe report") must not replace it.
void require_replaceable(const std::string& path, const std::string& what,
                         const std::function<bool(const std::string& bytes)>& is_own);

// The same for files that may be larger than memory: `is_own` looks at the file itself.
void require_replaceable_file(const std::string& path, const std::string& what,
                              const std::function<bool(const std::string& path)>& is_own);

}  // namespace smoe
