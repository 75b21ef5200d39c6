// A mapped file shows the bytes of the file that was opened, and says when somebody wrote to it.
// Read next: file_test.cpp.
#include "core/mapped_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>

#include "core/file.h"
#include "tests/error_of.h"
#include "tests/models/small_run.h"

using namespace smoe;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("mapped file: its bytes, and what cannot be mapped") {
    const TemporaryFolder folder("mapped");
    const std::string path = folder.path + "/file";
    write_file(path, std::string("a\0b", 3));
    const MappedFile file(path);
    CHECK(file.bytes() == std::string_view("a\0b", 3));
    CHECK(reinterpret_cast<uintptr_t>(file.bytes().data()) % 4096 == 0);
    file.require_unchanged();
    write_file(folder.path + "/empty", "");
    CHECK(MappedFile(folder.path + "/empty").bytes().empty());

    const auto error = [](const std::string& name) {
        return error_of([&] { MappedFile f(name); });
    };
    CHECK(
        contains(error(folder.path + "/none"), "cannot open '" + folder.path + "/none': No such"));
    CHECK(contains(error(folder.path), "it is a folder"));
    CHECK(contains(error("/dev/null"), "it is a device"));
    REQUIRE(::mkfifo((folder.path + "/pipe").c_str(), 0600) == 0);
    CHECK(contains(error(folder.path + "/pipe"), "it is no regular file"));
}

TEST_CASE("mapped file: one that is written to is noticed, one that is replaced stays") {
    const TemporaryFolder folder("mapped-changes");
    const std::string path = folder.path + "/file";
    write_file(path, "before");
    const MappedFile file(path);
    write_file(path, "another file of that name");  // it is renamed into place
    file.require_unchanged();
    CHECK(file.bytes() == "before");

    const auto changed = [](const MappedFile& one) {
        return contains(error_of([&] { one.require_unchanged(); }),
                        "was written to while it was being read");
    };
    const MappedFile second(path);
    append_file(path, "!");
    CHECK(changed(second));
    const auto third = std::make_unique<MappedFile>(path);
    std::filesystem::resize_file(path, 3);
    CHECK(changed(*third));
    const MappedFile fourth(path);
    CHECK(fourth.bytes() == "ano");
    CHECK(!changed(fourth));
    std::filesystem::last_write_time(
        path, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
    CHECK(changed(fourth));
}
