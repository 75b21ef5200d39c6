// Whole files: what is read is what was written, a failed write leaves the old file behind and
// nothing else, and the message of an error names the path and the system's reason.
// Read next: safetensors_test.cpp.
#include "core/file.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "tests/error_of.h"

using namespace smoe;
namespace fs = std::filesystem;

namespace {

// A folder of its own that is gone after the test.
class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "smoe_file_test_XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }
    int64_t entries() const { return std::distance(fs::directory_iterator(path_), {}); }

  private:
    fs::path path_;
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("file: bytes come back as they were written") {
    const Folder folder;
    std::string bytes;
    for (int i = 0; i < 200000; ++i) {  // longer than the buffer of one read
        bytes.push_back(char(i * 7 + i / 256));
    }
    for (const std::string& content :
         {std::string(), std::string("a"), std::string("\0\r\n\xFF", 4), bytes}) {
        write_file(folder / "file", content);
        CHECK(read_file(folder / "file") == content);
    }
    CHECK(folder.entries() == 1);
    CHECK(file_exists(folder / "file"));
    CHECK(!file_exists(folder / "other"));
}

TEST_CASE("file: content in pieces") {
    const Folder folder;
    write_file(folder / "file", [](const Append& append) {
        append("one ");
        append("");
        append(std::string(100000, 'x'));
    });
    CHECK(read_file(folder / "file") == "one " + std::string(100000, 'x'));
}

TEST_CASE("file: the old file stays until the new one is whole, and after a failure") {
    const Folder folder;
    const std::string path = folder / "file";
    write_file(path, "old");
    const auto interrupted = [&] {
        write_file(path, [&](const Append& append) {
            append(std::string(100000, 'n'));
            CHECK(read_file(path) == "old");
            throw std::runtime_error("in the middle");
        });
    };
    CHECK_THROWS_WITH_AS(interrupted(), "in the middle", std::runtime_error);
    CHECK(read_file(path) == "old");
    CHECK(folder.entries() == 1);
    write_file(path, "new");
    CHECK(read_file(path) == "new");
}

TEST_CASE("file: a temporary file that a crash left behind does no harm") {
    const Folder folder;
    write_file(folder / "file.smoe-tmp", "left over, and longer than what comes next");
    write_file(folder / "file", "new");
    CHECK(read_file(folder / "file") == "new");
    CHECK(folder.entries() == 1);
}

TEST_CASE("file: where no more bytes go that is reported, and the old file stays") {
    const Folder folder;
    write_file(folder / "file", "old");
    rlimit before = {};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit limit = before;
    limit.rlim_cur = 100;
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    const std::string message =
        error_of([&] { write_file(folder / "file", std::string(1000, 'n')); });
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    CAPTURE(message);
    CHECK(contains(message, folder / "file"));
    CHECK(contains(message, "too large"));
    CHECK(read_file(folder / "file") == "old");
    CHECK(folder.entries() == 1);
}

TEST_CASE("file: one process writes at a time, and permissions stay") {
    const Folder folder;
    const std::string path = folder / "file";
    write_file(path, "old");
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    write_file(path, [&](const Append& append) {
        CHECK(contains(error_of([&] { write_file(path, "between"); }), "another process"));
        append("new");
    });
    CHECK(read_file(path) == "new");
    CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    // Whoever comes first, what is there is whole.
    const auto write_often = [&](char letter) {
        for (size_t i = 0; i < 300; ++i) {
            error_of([&] { write_file(path, std::string(1000 + i, letter)); });
            const std::string bytes = read_file(path);
            if (bytes.size() < 1000 || bytes.find_first_not_of(bytes[0]) != bytes.npos) {
                return false;
            }
        }
        return true;
    };
    bool whole = true;
    write_file(path, std::string(1000, 'a'));
    std::thread other([&] { whole = write_often('b'); });
    CHECK(write_often('a'));
    other.join();
    CHECK(whole);
    // A link in the place of the temporary file is not followed.
    write_file(folder / "mine", "mine");
    fs::create_symlink("mine", path + ".smoe-tmp");
    CHECK(contains(error_of([&] { write_file(path, "newer"); }), "cannot write"));
    CHECK(read_file(folder / "mine") == "mine");
}

TEST_CASE("file: links, pipes and devices stay what they are") {
    const Folder folder;
    write_file(folder / "file", "old");
    fs::create_symlink("file", folder / "link");
    write_file(folder / "link", "new");
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(read_file(folder / "file") == "new");
    fs::create_symlink("link", folder / "link to it");
    write_file(folder / "link to it", "newer");
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(read_file(folder / "file") == "newer");
    fs::create_symlink("later", folder / "ahead");
    write_file(folder / "ahead", "new");
    CHECK(fs::is_symlink(folder / "ahead"));
    CHECK(read_file(folder / "later") == "new");
    fs::create_symlink("circle", folder / "circle");
    CHECK(contains(error_of([&] { write_file(folder / "circle", "x"); }), "leads to itself"));

    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    std::thread writer([&] { write_file(folder / "pipe", "through"); });
    CHECK(read_file(folder / "pipe") == "through");
    writer.join();
    CHECK(fs::is_fifo(folder / "pipe"));

    write_file("/dev/null", "nothing");
    CHECK(fs::is_character_file("/dev/null"));
    CHECK(contains(error_of([] { read_file("/dev/zero"); }), "it is a device"));
    CHECK(folder.entries() == 7);
}

TEST_CASE("file: a folder has one lock at a time") {
    const Folder folder;
    const std::string path = folder / "locked";
    CHECK(contains(error_of([&] { FolderLock lock(path); }), "cannot open the folder"));
    fs::create_directory(path);
    {
        const FolderLock lock(path);
        CHECK(contains(error_of([&] { FolderLock second(path); }), "another process"));
        CHECK_NOTHROW(FolderLock(folder / "."));
        CHECK_NOTHROW(lock.require_in_place());
        fs::rename(path, folder / "elsewhere");
        CHECK(contains(error_of([&] { lock.require_in_place(); }), "was moved or replaced"));
        fs::create_directory(path);
        CHECK(contains(error_of([&] { lock.require_in_place(); }), "was moved or replaced"));
    }
    CHECK_NOTHROW(FolderLock{path});
    CHECK(fs::is_empty(path));
}

TEST_CASE("file: paths that cannot be written name themselves and the reason") {
    const Folder folder;
    write_file(folder / "file", "a file");
    fs::create_directory(folder / "folder");
    const std::string missing = error_of([&] { write_file(folder / "none/file", "x"); });
    CHECK(contains(missing, folder / "none/file"));
    CHECK(contains(missing, "No such file"));
    const std::string below_file = error_of([&] { write_file(folder / "file/below", "x"); });
    CHECK(contains(below_file, "Not a directory"));
    errno = 0;  // the reason must be that of the failed call, not of one before
    const std::string over_folder = error_of([&] { write_file(folder / "folder", "x"); });
    CAPTURE(over_folder);
    CHECK(contains(over_folder, "it is a folder"));
    CHECK(fs::is_directory(folder / "folder"));
    CHECK(read_file(folder / "file") == "a file");
    CHECK(folder.entries() == 2);
}

TEST_CASE("file: paths that cannot be read name themselves and the reason") {
    const Folder folder;
    const std::string missing = error_of([&] { read_file(folder / "none"); });
    CHECK(contains(missing, folder / "none"));
    CHECK(contains(missing, "No such file"));
    CHECK(contains(error_of([&] { read_file(folder / ""); }), "it is a folder"));
    CHECK(contains(error_of([] { read_file(""); }), "No such file"));
    write_file(folder / "file", "x");
    CHECK(contains(error_of([&] { read_file(folder / "file/below"); }), "Not a directory"));
}

TEST_CASE("file: what cannot be read or written is found out beforehand, and leaves nothing") {
    const Folder folder;
    write_file(folder / "old", "bytes");
    require_readable(folder / "old");
    require_writable(folder / "old");
    require_writable(folder / "new");
    require_writable_folder(folder / "");
    require_writable_folder(folder / "a/b/c/");
    CHECK(read_file(folder / "old") == "bytes");
    CHECK(folder.entries() == 1);
    const auto same_error = [&](auto&& before, auto&& then) {
        const std::string message = error_of(before);
        CHECK(message != "");
        CHECK(message == error_of(then));
    };
    for (const std::string& path :
         {folder / "missing", folder / "", folder / "old/below", std::string("/dev/null")}) {
        same_error([&] { require_readable(path); }, [&] { read_file(path); });
        same_error([&] { require_readable({folder / "old", path}); }, [&] { read_file(path); });
    }
    for (const std::string& path : {folder / "missing/file", folder / "", folder / "old/file"}) {
        same_error([&] { require_writable(path); }, [&] { write_file(path, "bytes"); });
    }
    for (const std::string& path : {folder / "old", folder / "old/below"}) {
        same_error([&] { require_writable_folder(path); }, [&] { make_folder(path); });
    }
    require_writable("/dev/null");
    // A pipe is neither opened, which would wait for its other end, nor closed on it.
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    require_readable(folder / "pipe");
    require_writable(folder / "pipe");
    CHECK(folder.entries() == 2);
}

TEST_CASE("file: make_folder makes parents, accepts what is there, refuses a file in the way") {
    const Folder folder;
    make_folder(folder / "a/b/c");
    CHECK(fs::is_directory(folder / "a/b/c"));
    make_folder(folder / "a/b/c");
    write_file(folder / "a/file", "x");
    for (const char* path : {"a/file", "a/file/below"}) {
        const std::string message = error_of([&] { make_folder(folder / path); });
        CAPTURE(message);
        CHECK(contains(message, "cannot create the folder '" + (folder / path) + "': "));
        CHECK(!contains(message, "Success"));
    }
}

TEST_CASE("file: a name without a folder is written to the current one") {
    const Folder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder / "");
    write_file("file", "here");
    fs::current_path(before);
    CHECK(read_file(folder / "file") == "here");
}

TEST_CASE("file: the name of a file without its folders") {
    CHECK(file_name("/a/b.txt") == "b.txt");
    CHECK(file_name("b.txt") == "b.txt");
    CHECK(file_name("a/b/") == "b");
    CHECK(file_name("a/b/.") == "b");
    CHECK(file_name("a/../b//") == "b");
    CHECK(file_name("a b\n.txt") == "a b\n.txt");
    CHECK(file_name(".") == fs::current_path().filename().string());
    CHECK(file_name("") == "");
    CHECK(file_name("/") == "");
}

TEST_CASE("file: bytes are added to the end, and a name is given to another file") {
    const Folder folder;
    append_file(folder / "log", "one\n");
    append_file(folder / "log", "");
    append_file(folder / "log", "two\n");
    CHECK(read_file(folder / "log") == "one\ntwo\n");
    fs::create_directory(folder / "dir");
    CHECK(contains(error_of([&] { append_file(folder / "dir", "x"); }), folder / "dir"));

    write_file(folder / "old", "old");
    rename_file(folder / "log", folder / "old");
    CHECK(read_file(folder / "old") == "one\ntwo\n");
    CHECK(!file_exists(folder / "log"));
    const std::string error = error_of([&] { rename_file(folder / "log", folder / "new"); });
    CHECK(contains(error, folder / "log"));
    CHECK(contains(error, folder / "new"));
    CHECK(contains(error, "No such file"));
}

TEST_CASE("file: read piece by piece") {
    const Folder folder;
    const std::string bytes = "one two three";
    write_file(folder / "a", bytes);
    for (const size_t size : {size_t(1), size_t(4), bytes.size(), size_t(100)}) {
        InputFile file(folder / "a");
        CHECK(file.size() == int64_t(bytes.size()));
        std::string all, piece(size, '?');
        size_t got = size;
        while (got == size) {
            got = file.read(piece);
            all += piece.substr(0, got);
        }
        CHECK(all == bytes);
        CHECK(file.read(piece) == 0);
        CHECK(file.last_bytes(5) == "three");
        CHECK(file.last_bytes(100) == bytes);
    }
    CHECK_THROWS_AS(InputFile(folder / "none"), Error);
    CHECK_THROWS_AS(InputFile(folder / ""), Error);
    CHECK_THROWS_AS(InputFile("/dev/zero"), Error);
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    std::thread writer([&] { write_file(folder / "pipe", bytes); });
    InputFile pipe(folder / "pipe");
    std::string all(100, '?');
    CHECK(pipe.read(all) == bytes.size());
    CHECK(pipe.size() == 0);
    CHECK(pipe.last_bytes(3) == "");
    writer.join();
}
