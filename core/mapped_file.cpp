// MappedFile: open, look, map.
// Read next: tests/core/mapped_file_test.cpp.
#include "core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/check.h"
#include "core/file.h"

namespace smoe {
namespace {

// macOS calls this member differently: when the file was last written to.
timespec written(const struct stat& status) {
#ifdef __APPLE__
    return status.st_mtimespec;
#else
    return status.st_mtim;
#endif
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path), descriptor_(-1) {
    require_readable(path);
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe could hang
    std::string reason = descriptor_ < 0 ? std::strerror(errno) : "";
    struct stat status = {};
    if (reason.empty() && ::fstat(descriptor_, &status) != 0) {
        reason = std::strerror(errno);
    } else if (reason.empty() && !S_ISREG(status.st_mode)) {
        reason = "it is no regular file, and only such a file can be read here and there";
    }
    size_ = size_t(status.st_size);
    changed_seconds_ = int64_t(written(status).tv_sec);
    changed_nanoseconds_ = int64_t(written(status).tv_nsec);
    if (reason.empty() && size_ > 0) {
        void* const begin = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor_, 0);
        if (begin == MAP_FAILED) {
            reason = std::strerror(errno);
        } else {
            begin_ = static_cast<const char*>(begin);
        }
    }
    if (!reason.empty()) {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
        fail("cannot map '{}': {}", path, reason);
    }
}

MappedFile::~MappedFile() {
    if (begin_ != nullptr) {
        ::munmap(const_cast<char*>(begin_), size_);
    }
    ::close(descriptor_);
}

void MappedFile::require_unchanged() const {
    struct stat status = {};
    const bool same = ::fstat(descriptor_, &status) == 0 && size_t(status.st_size) == size_ &&
                      int64_t(written(status).tv_sec) == changed_seconds_ &&
                      int64_t(written(status).tv_nsec) == changed_nanoseconds_;
    check(same, "'{}' was written to while it was being read", path_);
}

}  // namespace smoe
