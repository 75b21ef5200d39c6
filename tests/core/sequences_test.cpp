// Sequences: positions follow from the borders, copies share them, and borders that make no sense
// are refused. Streams: no two uses of randomness meet.
#include "core/sequences.h"

#include <doctest/doctest.h>

#include "core/check.h"
#include "core/streams.h"

using namespace smoe;

TEST_CASE("sequences: positions start at 0 in each sequence, empty ones included") {
    const Sequences two({7, 8, 9, 5, 6}, {0, 3, 3, 5});
    CHECK(two.size() == 5);
    CHECK(two.count() == 3);
    CHECK(two.longest() == 3);
    CHECK(two.positions() == std::vector<int32_t>{0, 1, 2, 0, 1});
    CHECK(two.only(2).tokens() == std::vector<int32_t>{5, 6});
    CHECK(two.only(2).offsets() == std::vector<int64_t>{0, 2});
    CHECK(two.only(1).size() == 0);
    CHECK(Sequences().count() == 0);
    CHECK(Sequences::of({1, 2}).count() == 1);
    const Sequences copy = two;  // NOLINT: that it is a copy is the point
    CHECK(&copy.tokens() == &two.tokens());
}

TEST_CASE("sequences: borders that do not cover the tokens in order are refused") {
    const auto refused = [](std::vector<int64_t> offsets, const char* message) {
        CHECK_THROWS_WITH_AS(Sequences({1, 2, 3, 4}, offsets), doctest::Contains(message), Error);
    };
    refused({}, "from 0 to 4, found none");
    refused({0, 3}, "from 0 to 4, found 0 to 3");
    refused({1, 4}, "from 0 to 4, found 1 to 4");
    refused({0, 3, 2, 4}, "must not fall, found 3 then 2");
    CHECK_THROWS_WITH_AS(Sequences::of({1}).only(1), doctest::Contains("no sequence 1 among 1"),
                         Error);
}

TEST_CASE("streams: uses do not meet, whatever their index, and an index too large is refused") {
    CHECK(stream_number(Stream::corpus, UINT32_MAX) + 1 == stream_number(Stream::order));
    CHECK(stream_number(Stream::masks, 1) != stream_number(Stream::model_weights));
    CHECK(stream_number(Stream::generation, UINT32_MAX) < stream_number(Stream::dropout));
    CHECK_THROWS_WITH_AS(stream(1, Stream::order, uint64_t(1) << 32), doctest::Contains("2^32"),
                         Error);
}
