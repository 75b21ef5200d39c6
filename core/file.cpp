// Whole-file reading, and writing that is atomic: see the contract in file.h. Calls the system
// directly, because the standard streams can neither sync a file nor say why they failed.
// Read next: tests/core/file_test.cpp.
#include "core/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/check.h"

namespace smoe {
namespace {

// A file descriptor that closes itself.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const { return number_; }
    bool close() { return ::close(std::exchange(number_, -1)) == 0; }

  private:
    int number_;
};

// Why the last system call failed. It must not be an argument beside that call, since the compiler
// may evaluate either of two arguments first.
std::string reason() {
    return std::strerror(errno);
}

// Makes a rename in the folder of `path` durable. Some file systems refuse to sync a folder; that
// is no failure.
void sync_folder_of(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    const Descriptor descriptor(
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY));
    if (descriptor.get() >= 0) {
        ::fsync(descriptor.get());
    }
}

void append_all(int descriptor, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        check(written > 0, "cannot write '{}': {}", path, reason());
        bytes.remove_prefix(size_t(written));
    }
}

// What is there now, at most as much as the buffer holds; 0 at the end.
size_t read_some(int descriptor, std::span<char> buffer, const std::string& name) {
    ssize_t count = 0;
    do {
        count = ::read(descriptor, buffer.data(), buffer.size());
    } while (count < 0 && errno == EINTR);
    check(count >= 0, "cannot read {}: {}", name, reason());
    return size_t(count);
}

// Everything up to the end. Sizes are only hints, since pipes have none.
std::string read_all(int descriptor, size_t expected_size, const std::string& name) {
    std::string bytes;
    bytes.reserve(expected_size);
    char buffer[1 << 16];
    while (const size_t count = read_some(descriptor, buffer, name)) {
        bytes.append(buffer, count);
    }
    return bytes;
}

bool is_pipe_or_device(const std::string& path) {
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) &&
           !S_ISDIR(status.st_mode);
}

// The file that `path` leads to, there or not.
std::string behind_links(const std::string& path) {
    constexpr int max_links = 40;  // as many as the system follows
    std::filesystem::path target = path;
    std::error_code error;
    for (int links = 0; std::filesystem::is_symlink(target, error); ++links) {
        check(links < max_links, "cannot write '{}': it is a link that leads to itself", path);
        target = target.parent_path() / std::filesystem::read_symlink(target, error);
    }
    return target.string();
}

// Whether the path still leads to what the descriptor was opened on.
bool is_at(int descriptor, const std::string& path) {
    struct stat opened = {}, found = {};
    return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &found) == 0 &&
           opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

void check_readable(const struct stat& status, const std::string& path) {
    check(!S_ISDIR(status.st_mode), "cannot read '{}': it is a folder", path);
    check(!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode), "cannot read '{}': it is a device",
          path);
}

}  // namespace

std::string read_file(const std::string& path) {
    InputFile file(path);
    std::string bytes(size_t(file.size()) + 1, '\0');  // room in which the end is noticed
    size_t filled = 0;
    while ((filled += file.read(std::span(bytes).subspan(filled))) == bytes.size()) {
        bytes.resize(2 * bytes.size());
    }
    bytes.resize(filled);
    return bytes;
}

InputFile::InputFile(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    check(descriptor_ >= 0, "cannot open '{}': {}", path, reason());
    struct stat status = {};
    try {
        const bool known = ::fstat(descriptor_, &status) == 0;
        check(known, "cannot read '{}': {}", path, reason());
        check_readable(status, path);
    } catch (...) {
        ::close(descriptor_);
        throw;
    }
    size_ = S_ISREG(status.st_mode) ? int64_t(status.st_size) : 0;
}

InputFile::~InputFile() {
    ::close(descriptor_);
}

size_t InputFile::read(std::span<char> buffer) {
    size_t filled = 0;
    while (filled < buffer.size()) {
        const size_t count = read_some(descriptor_, buffer.subspan(filled), "'" + path_ + "'");
        if (count == 0) {
            break;
        }
        filled += count;
    }
    return filled;
}

std::string InputFile::last_bytes(size_t count) const {
    std::string bytes(std::min(count, size_t(size_)), '\0');
    const ssize_t got =
        ::pread(descriptor_, bytes.data(), bytes.size(), off_t(size_ - int64_t(bytes.size())));
    bytes.resize(got > 0 ? size_t(got) : 0);
    return bytes;
}

void require_readable(const std::string& path) {
    struct stat status = {};
    // The file is not opened to find out: a pipe can only be opened once.
    const bool open = ::stat(path.c_str(), &status) == 0 && ::access(path.c_str(), R_OK) == 0;
    check(open, "cannot open '{}': {}", path, reason());
    check_readable(status, path);
}

void require_readable(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        require_readable(path);
    }
}

std::string read_standard_input() {
    return read_all(STDIN_FILENO, 0, "standard input");
}

void write_file(const std::string& path, const std::function<void(const Append& append)>& produce) {
    if (is_pipe_or_device(path)) {
        Descriptor descriptor(::open(path.c_str(), O_WRONLY));
        check(descriptor.get() >= 0, "cannot write '{}': {}", path, reason());
        produce([&](std::string_view bytes) { append_all(descriptor.get(), bytes, path); });
        return;
    }
    const std::string target = behind_links(path), temporary = target + ".smoe-tmp";
    struct stat old = {};
    const bool replaces = ::stat(target.c_str(), &old) == 0;
    check(!replaces || !S_ISDIR(old.st_mode), "cannot write '{}': it is a folder", path);
    const bool allowed = !replaces || ::access(target.c_str(), W_OK) == 0;
    check(allowed, "cannot write '{}': {}", path, reason());
    const Descriptor descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW, 0644));
    check(descriptor.get() >= 0, "cannot write '{}': {}", path, reason());
    // A temporary file that no process holds is left over from a crash.
    const bool held = ::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    check(!held && is_at(descriptor.get(), temporary),
          "cannot write '{}': another process is writing it", path);
    try {
        const bool emptied = ::ftruncate(descriptor.get(), 0) == 0;
        check(emptied, "cannot write '{}': {}", path, reason());
        if (replaces) {
            ::fchmod(descriptor.get(), old.st_mode & 07777);
        }
        produce([&](std::string_view bytes) { append_all(descriptor.get(), bytes, path); });
        const bool safe = ::fsync(descriptor.get()) == 0;
        check(safe, "cannot write '{}': {}", path, reason());
        // Renamed before it is closed, which ends the lock: no other process may get hold of these
        // bytes.
        const bool renamed = ::rename(temporary.c_str(), target.c_str()) == 0;
        check(renamed, "cannot write '{}': {}", path, reason());
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    sync_folder_of(target);
}

void require_writable(const std::string& path) {
    if (is_pipe_or_device(path)) {  // a reader of the pipe would take closing it for the end
        const bool allowed = ::access(path.c_str(), W_OK) == 0;
        check(allowed, "cannot write '{}': {}", path, reason());
        return;
    }
    struct Begun {};
    try {
        write_file(path, [](const Append&) { throw Begun(); });
    } catch (const Begun&) {
    }
}

void require_writable_folder(const std::string& path) {
    std::vector<std::filesystem::path> made;  // the innermost first
    for (std::filesystem::path folder = path; !folder.empty() && !file_exists(folder.string());
         folder = folder.parent_path()) {
        made.push_back(folder);
    }
    const auto remove_made = [&made] {
        std::error_code ignored;
        for (const std::filesystem::path& folder : made) {
            std::filesystem::remove(folder, ignored);
        }
    };
    try {
        make_folder(path);
        require_writable(path + "/file");
    } catch (...) {
        remove_made();
        throw;
    }
    remove_made();
}

void append_file(const std::string& path, std::string_view bytes) {
    Descriptor descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644));
    check(descriptor.get() >= 0, "cannot write '{}': {}", path, reason());
    append_all(descriptor.get(), bytes, path);
    const bool closed = descriptor.close();
    check(closed, "cannot write '{}': {}", path, reason());
}

void rename_file(const std::string& from, const std::string& to) {
    const bool renamed = ::rename(from.c_str(), to.c_str()) == 0;
    check(renamed, "cannot rename '{}' to '{}': {}", from, to, reason());
    sync_folder_of(to);
}

void write_file(const std::string& path, std::string_view bytes) {
    write_file(path, [&](const Append& append) { append(bytes); });
}

void make_folder(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    check(!error && std::filesystem::is_directory(path, error), "cannot create the folder '{}': {}",
          path, error ? error.message() : "a file of that name is in the way");
}

bool file_exists(const std::string& path) {
    std::error_code error;
    return std::filesystem::exists(path, error);
}

std::string file_name(const std::string& path) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(path, error).lexically_normal();
    return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

FolderLock::FolderLock(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    check(descriptor_ >= 0, "cannot open the folder '{}': {}", path, reason());
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        ::close(descriptor_);
        fail(
            "another process is writing to '{}': wait until it has ended, or choose another folder",
            path);
    }
}

void FolderLock::require_in_place() const {
    check(is_at(descriptor_, path_), "the folder '{}' was moved or replaced while it was in use",
          path_);
}

FolderLock::~FolderLock() {
    ::close(descriptor_);
}

}  // namespace smoe
