// Whole files in and out, and nothing half-written. A writer never touches the file of that name
// until its bytes are safe on disk: temporary name, fsync, rename.
// Refuses to be a stream library: what is read here fits in memory.
//
// Read next: safetensors.h, which reads and writes tensors on top of this.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace smoe {

// All bytes of `path`. Throws Error naming the path and the reason (missing, no permission, a folder
// or a device, which may have no end).
std::string read_file(const std::string& path);

// Throws Error as read_file does where it cannot open the file, and reads nothing: what several files
// are needed for should not begin before the last of them is looked for.
void require_readable(const std::string& path);
void require_readable(const std::vector<std::string>& paths);

// All bytes of standard input. Throws Error with the system's reason.
std::string read_standard_input();

// Replaces `path` by `bytes`, or leaves it as it was: writes `path`.smoe-tmp, syncs it, renames it
// and syncs the folder. Permissions stay. A link stays, and the file that it leads to is replaced; a
// pipe or a device stays, too, and gets the bytes. Throws Error naming the path and the reason (full
// disk, no permission, another process that writes it).
void write_file(const std::string& path, std::string_view bytes);

// The same for content produced in pieces: `produce` is called once with a function that appends
// bytes.
using Append = std::function<void(std::string_view bytes)>;
void write_file(const std::string& path, const std::function<void(const Append& append)>& produce);

// Throws Error as write_file does where it cannot begin: found out before long work, not after it. A
// disk may still be full then. Leaves nothing behind.
void require_writable(const std::string& path);

// The same for files in a folder, which make_folder is yet to create.
void require_writable_folder(const std::string& path);

// Adds `bytes` to the end of `path`, which is created where missing. Throws Error naming the path
// and the reason; part of the bytes may then be there.
void append_file(const std::string& path, std::string_view bytes);

// Gives the file `from` the name `to`, in place of a file of that name; both in one folder, which
// is synced. Throws Error naming both and the reason.
void rename_file(const std::string& from, const std::string& to);

// Creates the folder and its parents where missing; throws Error where that fails.
void make_folder(const std::string& path);

bool file_exists(const std::string& path);

// The last name of `path`, without folders: "b.txt" of "/a/b.txt", "b" of "a/b/", and of "." the
// name of the folder that this is; "" for "" and "/". What is published names files by this.
std::string file_name(const std::string& path);

// While one lives, no other process (nor this one, again) gets one for the same folder. It is gone
// with the process, however that ends. Throws Error if somebody holds it or there is no such
// folder; on file systems that lock no folders (NFS) everybody gets one.
class FolderLock {
  public:
    explicit FolderLock(const std::string& path);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

    // Throws Error if the folder was moved away or replaced: what is written there now would get
    // into somebody else's.
    void require_in_place() const;

  private:
    std::string path_;
    int descriptor_;
};

}  // namespace smoe
