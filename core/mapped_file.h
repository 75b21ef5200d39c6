// A file as memory. The system reads a part of it when somebody looks at it, forgets it again when
// memory is short, and lets all processes share what it has read. So a file may be larger than
// memory. It is only read.
//
// Read next: models/text/token_file.h, which lies in one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smoe {

class MappedFile {
  public:
    // Throws Error naming the path and the reason (missing, no permission, not a regular file).
    explicit MappedFile(const std::string& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::string_view bytes() const { return {begin_, size_}; }  // begins at a page

    // Throws Error if the file was written to since it was opened: what was read before and what
    // will be read would not belong together. A file that takes its name is no harm, since this
    // one stays. A part that was cut off must not be looked at: the system would send SIGBUS.
    void require_unchanged() const;

    const std::string& path() const { return path_; }

  private:
    std::string path_;
    int descriptor_;
    const char* begin_ = nullptr;
    size_t size_ = 0;
    int64_t changed_seconds_ = 0, changed_nanoseconds_ = 0;  // when it was last written to
};

}  // namespace smoe
