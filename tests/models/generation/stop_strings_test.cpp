// Stop strings against the obvious version, which has the whole text: however it is cut into
// pieces, the same comes out.
// Read next: generator_test.cpp.
#include "models/generation/stop_strings.h"

#include <doctest/doctest.h>

#include "core/check.h"
#include "core/rng.h"

using namespace smoe;

namespace {

// What is in front of the stop string that is complete first, the longest of several.
std::string slowly(const std::string& text, const std::vector<std::string>& stops) {
    for (size_t end = 1; end <= text.size(); ++end) {
        size_t longest = 0;
        for (const std::string& stop : stops) {
            longest =
                text.substr(0, end).ends_with(stop) ? std::max(longest, stop.size()) : longest;
        }
        if (longest > 0) {
            return text.substr(0, end - longest);
        }
    }
    return text;
}

}  // namespace

TEST_CASE("stop strings: worked out by hand") {
    StopStrings stop({"the end", "\n\n"});
    CHECK(stop.add("It was th") == "It was ");
    CHECK(stop.add("ere.\n") == "there.");
    CHECK(stop.add("So the e") == "\nSo ");
    CHECK_FALSE(stop.stopped());
    CHECK(stop.add("nd, and") == "");
    CHECK(stop.stopped());
    CHECK(stop.found() == "the end");
    CHECK(stop.add("more") == "");
    CHECK(stop.finish() == "");

    StopStrings held({"abc"});
    CHECK(held.add("xab") == "x");
    CHECK(held.finish() == "ab");
    CHECK_FALSE(held.stopped());
    CHECK(StopStrings().add("anything") == "anything");
}

TEST_CASE("stop strings: any cut of any text") {
    Rng rng(5);
    const auto random_text = [&rng](uint64_t most) {
        std::string text;
        for (uint64_t i = rng.below(most + 1); i > 0; --i) {
            text += char('a' + rng.below(2));
        }
        return text;
    };
    int stopped = 0;
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::string> stops;
        for (uint64_t i = rng.below(4); i > 0; --i) {
            stops.push_back("a" + random_text(5));
        }
        StopStrings stop(stops);
        std::string text, found;
        for (uint64_t pieces = rng.below(8); pieces > 0; --pieces) {
            const std::string piece = random_text(4);
            text += piece;
            found += stop.add(piece);
            CHECK(slowly(text, stops).starts_with(found));
        }
        CHECK(stop.stopped() == (slowly(text, stops) != text));
        stopped += stop.stopped();
        CHECK(found + stop.finish() == slowly(text, stops));
    }
    CHECK(stopped > 200);
    CHECK(stopped < 1800);
}

TEST_CASE("stop strings: what cannot be one is refused") {
    CHECK_THROWS_AS(StopStrings({""}), Error);
    CHECK_THROWS_AS(StopStrings({"a", ""}), Error);
    CHECK_THROWS_AS(StopStrings({std::string(StopStrings::longest + 1, 'x')}), Error);
    CHECK_NOTHROW(StopStrings({std::string(StopStrings::longest, 'x')}));
    CHECK_THROWS_AS(StopStrings(std::vector<std::string>(StopStrings::most + 1, "x")), Error);
}
