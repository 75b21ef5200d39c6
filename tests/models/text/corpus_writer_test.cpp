// How a plot becomes a story: the choice of beats and wordings, the German endings form by form,
// and broken books, which must say what is wrong with them.
// Read next: corpus_test.cpp, which reads the stories.
#include "models/text/corpus/writer.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

#include "core/check.h"
#include "core/rng.h"
#include "models/text/corpus/books.h"
#include "tests/error_of.h"

using namespace smoe;

namespace {

std::string broken(const char* text) {
    return error_of([&] {
        const Book book("broken", text, inflect_english);
        Rng rng(1);
        book.write(rng);
    });
}

}  // namespace

TEST_CASE("corpus: German articles, pronouns and endings") {
    const Book book("forms", R"(
table mann: name, er
Emil | er

table frau: name, er
Anna | sie

table ball: name
der Ball

table puppe: name
die Puppe

table pferd: name
das Pferd

table hase: name
der Hase/Hasen

plot none
- x
)",
                    inflect_german);
    Rng rng(1);
    const auto form = [&](std::string_view slot) {
        return book.expand(book.plots()[0], slot, rng);
    };
    const char* expected[][2] = {
        {"{der rot- ball}", "der rote Ball"},
        {"{den rot- ball}", "den roten Ball"},
        {"{dem rot- ball}", "dem roten Ball"},
        {"{der rot- puppe}", "die rote Puppe"},
        {"{den rot- puppe}", "die rote Puppe"},
        {"{dem rot- puppe}", "der roten Puppe"},
        {"{der rot- pferd}", "das rote Pferd"},
        {"{den rot- pferd}", "das rote Pferd"},
        {"{dem rot- pferd}", "dem roten Pferd"},
        {"{ein rot- ball}", "ein roter Ball"},
        {"{einen rot- ball}", "einen roten Ball"},
        {"{einem rot- ball}", "einem roten Ball"},
        {"{ein rot- puppe}", "eine rote Puppe"},
        {"{einen rot- puppe}", "eine rote Puppe"},
        {"{einem rot- puppe}", "einer roten Puppe"},
        {"{ein rot- pferd}", "ein rotes Pferd"},
        {"{einen rot- pferd}", "ein rotes Pferd"},
        {"{einem rot- pferd}", "einem roten Pferd"},
        {"{Mein klein- rot- pferd}", "Mein kleines rotes Pferd"},
        {"{keinen puppe}", "keine Puppe"},
        {"{deinem puppe}", "deiner Puppe"},
        {"{der hase}", "der Hase"},
        {"{den hase}", "den Hasen"},
        {"{einem alt- hase}", "einem alten Hasen"},
        {"{frau:seinen ball}", "ihren Ball"},
        {"{Frau:sein puppe}", "Ihre Puppe"},
        {"{frau:seinem pferd}", "ihrem Pferd"},
        {"{mann:seinem puppe}", "seiner Puppe"},
        {"{mann:sein ball}", "sein Ball"},
        {"{er puppe} {ihn puppe} {ihm puppe}", "sie sie ihr"},
        {"{er pferd} {ihn pferd} {ihm pferd}", "es es ihm"},
        {"{er ball} {ihn ball} {ihm ball}", "er ihn ihm"},
        {"{Er frau} {ihn frau} {ihm frau}", "Sie sie ihr"},
        {"{Er mann} {ihn mann} {ihm mann}", "Er ihn ihm"},
    };
    for (const auto& [slot, words] : expected) {
        CHECK(form(slot) == words);
    }
    CHECK_THROWS_WITH_AS(form("{sein ball}"), doctest::Contains("needs an owner"), Error);
    CHECK_THROWS_WITH_AS(form("{mann:einen ball}"), doctest::Contains("has no owner"), Error);
    CHECK_THROWS_WITH_AS(form("{jenen ball}"), doctest::Contains("'jenen'"), Error);
}

TEST_CASE("corpus: a broken book says what is wrong and where") {
    const auto says = [](const char* text, const char* message) {
        const std::string found = broken(text);
        INFO(found);
        CHECK(found.find(message) != std::string::npos);
    };
    says("", "no plot");
    says("plot p\n- {nobody}\n", "no role and no table named 'nobody'");
    says("table t: a\nx\n\nplot p\n- {t.b}\n", "no column 'b'");
    says("table t: a, b\nx\n\nplot p\n- {t}\n", "expected a row of 2 cells, found 'x'");
    says("table t: a\nx\n\nplot p\ncast r:t, s:t\n- {r} {s}\n", "no row left for the role 's'");
    says("table t: a\nx\n\nplot p\n- {the t}\n", "no column 'he'");
    says("table t: a, he\nx | he\n\nplot p\n- {the t}\n", "'the' is no first word");
    says("plot p\n- {x\n", "never closes");
    says("plot p\n- [x\n", "never closes");
    says("plot p\n- x]\n", "never opened");
    says("plot p\n- x}\n", "never opened");
    says("plot p\n- {}\n", "a slot is empty");
    says("plot p\n- { }\n", "broken");
    says("plot p\n| x\n", "a line of a plot starts with");
    says("plot p\nx\n", "a line of a plot starts with");
    says("plot p\ncast x\n", "expected 'cast ROLE:TABLE, ...'");
    says("table t\n", "expected 'table NAME: COLUMN, ...'");
    says("x\n", "expected 'table NAME");
    says("plot p\ncast x:1..2\n- {x}\n", "no row for x = 1..2");
    const std::string numbers = "table number: a\nzero\none\ntwo\n\n";
    says((numbers + "plot p\ncast x:2..1\n- {x}\n").c_str(), "range of 'x' is empty");
    says((numbers + "plot p\ncast x:1..1, y:x-2\n- {y}\n").c_str(), "y = x-2 = -1");
    says((numbers + "plot p\ncast x:2..2, y:x+x\n- {y}\n").c_str(), "y = x+x = 4");
    says((numbers + "plot p\ncast x:9\n- {x}\n").c_str(), "no range and no sum");
    CHECK(broken((numbers + "plot p\ncast x:2..2, y:x-1\n- {y}\n").c_str()) == "accepted");
}

TEST_CASE("corpus: wordings, spare beats and paragraphs") {
    const Book book("small", "plot p\n- A.\n? B.\n--\n? C.\n- D\n  d.\n| E.\n", inflect_english);
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 200; ++seed) {
        Rng rng(seed);
        seen.insert(book.write(rng));
    }
    std::set<std::string> expected;
    for (const char* end : {"D d.", "E."}) {
        for (const char* gap : {" ", "\n"}) {
            expected.insert(fmt::format("A.{}{}", gap, end));
            expected.insert(fmt::format("A. B.{}{}", gap, end));
            expected.insert(fmt::format("A.{}C. {}", gap, end));
        }
    }
    CHECK(seen == expected);
}
