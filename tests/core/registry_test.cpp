// Registries: what is found, what is refused and with which words, and numbers behind a colon.
// Read next: tests/nn/masks_test.cpp, which adds an entry of its own.
#include "core/registry.h"

#include <doctest/doctest.h>

#include "tests/error_of.h"

namespace smoe {
namespace {

Registry<int> pets() {
    return {"pet", {{"cat", 4}, {"dog", 4}, {"hen", 2}}};
}

TEST_CASE("registry: entries are found by name, also those added later") {
    Registry<int> registry = pets();
    const int& cat = registry.find("cat");
    CHECK(cat == 4);
    CHECK(!registry.contains("spider-2"));
    for (int i = 0; i < 100; ++i) {
        registry.add("spider-" + std::to_string(i), 8);
    }
    CHECK(registry.find("spider-2") == 8);
    CHECK(registry.contains("spider-2"));
    CHECK(&registry.find("cat") == &cat);  // it did not move
    CHECK(registry.names().size() == 103);
    CHECK(pets().names() == std::vector<std::string>{"cat", "dog", "hen"});
    CHECK(pets().kind() == "pet");
}

TEST_CASE("registry: an unknown name gets the known ones and the nearest") {
    const Registry<int> registry = pets();
    CHECK(error_of([&] { registry.find("dgo"); }) ==
          "there is no pet 'dgo'; known are cat, dog, hen; did you mean 'dog'?");
    CHECK(error_of([&] { registry.find("elephant"); }) ==
          "there is no pet 'elephant'; known are cat, dog, hen");
    CHECK(error_of([&] { registry.find(""); }) == "there is no pet ''; known are cat, dog, hen");
    // What comes from a file must not steer the terminal.
    CHECK(error_of([&] { registry.find("\x1b[2J"); }).find('\x1b') == std::string::npos);
}

TEST_CASE("registry: a name is taken once, and is a plain word") {
    Registry<int> registry = pets();
    CHECK(error_of([&] { registry.add("hen", 3); }) == "the pet 'hen' exists already");
    CHECK(registry.find("hen") == 2);
    for (const char* name : {"", "Cat", "2cats", "a cat", "cat:1", "cat\n", "häher", "-c"}) {
        CAPTURE(name);
        CHECK(error_of([&] { registry.add(name, 1); }).find("the name of a pet must begin") == 0);
    }
    CHECK(registry.names().size() == 3);
    CHECK_THROWS_AS(Registry<int>("pet", {{"cat", 4}, {"cat", 4}}), Error);
}

TEST_CASE("registry: a name may carry a number") {
    CHECK(split_number("pet", "cat").name == "cat");
    CHECK(!split_number("pet", "cat").number.has_value());
    for (const auto& row : std::vector<std::pair<std::string, double>>{
             {"cat:0.25", 0.25}, {"cat:-3", -3}, {"cat:1e-3", 0.001}, {"cat:0", 0}}) {
        const auto& [text, number] = row;
        CAPTURE(row.first);
        const NameAndNumber found = split_number("pet", text);
        CHECK(found.name == "cat");
        CHECK(found.number == number);
    }
    for (const char* text : {"cat:", "cat:x", "cat:1x", "cat: 1", "cat:inf", "cat:nan", "cat:1e999",
                             "cat:0x10", "cat:1:2", "cat:1 "}) {
        CAPTURE(text);
        CHECK(error_of([&] { split_number("pet", text); }).find("as in cat:0.25; found") !=
              std::string::npos);
    }
}

}  // namespace
}  // namespace smoe
