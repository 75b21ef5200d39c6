// A library that is loaded before a program's own libraries (LD_PRELOAD) and makes its disk fail,
// or the program die, at a chosen moment. The moments are the calls that change a disk, counted
// from 1: open for writing, write, fsync, rename, unlink, mkdir. Standard streams do not count.
// Only tests load it.
// Read next: tests/examples/killed_test.cpp.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

// SMOE_FAULT names what happens:
//     "kill 17"       the process is killed at call 17; of a write half the bytes arrive before
//     "full 17"       from call 17 on nothing more can be written: ENOSPC
//     "read-only 17"  from call 17 on every such call fails: EROFS
struct Fault {
    std::string_view kind;
    long moment;

    Fault() {
        const char* const wanted = std::getenv("SMOE_FAULT");
        const char* const blank = wanted != nullptr ? std::strchr(wanted, ' ') : nullptr;
        kind = blank != nullptr ? std::string_view(wanted, size_t(blank - wanted)) : "";
        moment = blank != nullptr ? std::atol(blank) : 0;
    }
};

// What is to happen at this call.
enum class Fate { go_on, die, fail };

Fate next_call(bool needs_room) {
    static const Fault fault;
    static std::atomic<long> calls = 0;
    const long call = ++calls;
    if (fault.moment <= 0 || call < fault.moment) {
        return Fate::go_on;
    }
    if (fault.kind == "kill") {
        return Fate::die;
    }
    if (fault.kind == "full") {
        errno = ENOSPC;
        return needs_room ? Fate::fail : Fate::go_on;
    }
    errno = EROFS;
    return Fate::fail;
}

int die() {
    ::kill(::getpid(), SIGKILL);
    return -1;
}

template <class Function>
Function* real_function(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// The call itself, unless this is the moment.
template <class Function, class... Arguments>
int faulty(const char* name, bool needs_room, Arguments... arguments) {
    switch (next_call(needs_room)) {
        case Fate::die:
            return die();
        case Fate::fail:
            return -1;
        case Fate::go_on:
            break;
    }
    return real_function<Function>(name)(arguments...);
}

int faulty_open(const char* name, const char* path, int flags, mode_t mode) {
    using Open = int(const char*, int, ...);
    const bool changes = (flags & (O_WRONLY | O_RDWR)) != 0 && std::strncmp(path, "/dev/", 5) != 0;
    return changes ? faulty<Open>(name, false, path, flags, mode)
                   : real_function<Open>(name)(path, flags, mode);
}

mode_t mode_argument(int flags, va_list arguments) {
    return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return faulty_open("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return faulty_open("open64", path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
    using Write = ssize_t(int, const void*, size_t);
    Write* const real_write = real_function<Write>("write");
    if (descriptor > STDERR_FILENO) {
        switch (next_call(true)) {
            case Fate::die:
                real_write(descriptor, bytes, count / 2);
                return die();
            case Fate::fail:
                return -1;
            case Fate::go_on:
                break;
        }
    }
    return real_write(descriptor, bytes, count);
}

int fsync(int descriptor) {
    return faulty<int(int)>("fsync", true, descriptor);
}

int rename(const char* from, const char* to) noexcept {
    return faulty<int(const char*, const char*)>("rename", false, from, to);
}

int unlink(const char* path) noexcept {
    return faulty<int(const char*)>("unlink", false, path);
}

int mkdir(const char* path, mode_t mode) noexcept {
    return faulty<int(const char*, mode_t)>("mkdir", true, path, mode);
}
}
