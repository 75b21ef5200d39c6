// Reads and writes whole files, and never leaves one half-written: a writer does not touch the file
// of that name until the new bytes are safe on disk (temporary name, fsync, rename).
// What is larger than memory is read by InputFile piece by piece, or mapped (mapped_file.h).
//
// Read next: safetensors.h, which reads and writes tensors on top of this.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smoe {

// All bytes of `path`. Throws Error naming the path and the reason (missing, no permission, a folder
// or a device, which may have no end).
std::string read_file(const std::string& path);

// A file that is read from its beginning to its end, some bytes at a time. Throws Error as read_file
// does.
class InputFile {
  public:
    explicit InputFile(const std::string& path);
    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;

    // Fills `buffer` from where the last call ended and returns how many bytes that took: fewer
    // than it has room for only at the end of the file.
    size_t read(std::span<char> buffer);

    int64_t size() const { return size_; }       // bytes; 0 of a pipe, which has no size
    std::string last_bytes(size_t count) const;  // or fewer; "" of a pipe

  private:
    std::string path_;
    int descriptor_;
    int64_t size_ = 0;
};

// Throws Error as read_file does if the file cannot be opened, and reads nothing. Work that needs
// several files should look for all of them before it begins.
void require_readable(const std::string& path);
void require_readable(const std::vector<std::string>& paths);

// All bytes of standard input. Throws Error with the system's reason.
std::string read_standard_input();

// Replaces `path` by `bytes`, or leaves it as it was: writes `path`.smoe-tmp, syncs it, renames it
// and syncs the folder. Permissions stay. A link stays, and the file that it leads to is replaced.
// A pipe or a device also stays, and gets the bytes. Throws Error naming the path and the reason
// (full disk, no permission, another process writing it).
void write_file(const std::string& path, std::string_view bytes);

// The same for content produced in pieces: `produce` is called once with a function that appends
// bytes.
using Append = std::function<void(std::string_view bytes)>;
void write_file(const std::string& path, const std::function<void(const Append& append)>& produce);

// Throws Error as write_file does if writing cannot begin, so that this is found out before long
// work and not after it. The disk may still be full by then. Leaves nothing behind.
void require_writable(const std::string& path);

// The same for files in a folder that make_folder is yet to create.
void require_writable_folder(const std::string& path);

// Adds `bytes` to the end of `path`, which is created if missing. Throws Error naming the path and
// the reason; some of the bytes may have been written by then.
void append_file(const std::string& path, std::string_view bytes);

// Renames the file `from` to `to`, replacing a file of that name. Both are in one folder, which is
// synced. Throws Error naming both and the reason.
void rename_file(const std::string& from, const std::string& to);

// Creates the folder and its parents if missing; throws Error if that fails.
void make_folder(const std::string& path);

bool file_exists(const std::string& path);

// The last name of `path`, without folders: "b.txt" of "/a/b.txt", "b" of "a/b/", and for "." the
// name of the current folder; "" for "" and "/". Published results name files this way.
std::string file_name(const std::string& path);

// While one lives, no other process (nor this one, again) can get one for the same folder. It ends
// with the process, however that ends. Throws Error if another is held or there is no such folder.
// File systems that cannot lock folders (NFS) give one to everybody.
class FolderLock {
  public:
    explicit FolderLock(const std::string& path);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

    // Throws Error if the folder was moved away or replaced: anything written there now would end
    // up in somebody else's folder.
    void require_in_place() const;

  private:
    std::string path_;
    int descriptor_;
};

}  // namespace smoe
