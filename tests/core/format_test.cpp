// Durations, bytes and counts at the edges of their units, and numbers that nobody can show.
// Read next: text_test.cpp.
#include "core/format.h"

#include <doctest/doctest.h>

#include <cmath>

namespace smoe {

TEST_CASE("format: durations") {
    CHECK(format_duration(0) == "0:00");
    CHECK(format_duration(0.4) == "0:00");
    CHECK(format_duration(59.6) == "1:00");
    CHECK(format_duration(65) == "1:05");
    CHECK(format_duration(3599.6) == "1:00:00");
    CHECK(format_duration(2 * 3600 + 3 * 60 + 10) == "2:03:10");
    CHECK(format_duration(360000) == "100:00:00");
    for (const double none : {-1.0, double(NAN), double(INFINITY), -double(INFINITY), 1e300}) {
        CHECK(format_duration(none) == "?");
    }
}

TEST_CASE("format: bytes and counts") {
    CHECK(format_bytes(0) == "0 B");
    CHECK(format_bytes(1023) == "1023 B");
    CHECK(format_bytes(1024) == "1.0 KiB");
    CHECK(format_bytes(1536) == "1.5 KiB");
    CHECK(format_bytes(3250586) == "3.1 MiB");
    CHECK(format_bytes(int64_t(5) << 40) == "5.0 TiB");
    CHECK(format_bytes(int64_t(1) << 60) == "1048576.0 TiB");
    CHECK(format_count(0) == "0");
    CHECK(format_count(999) == "999");
    CHECK(format_count(1000) == "1,000");
    CHECK(format_count(12345) == "12,345");
    CHECK(format_count(1234567) == "1,234,567");
    CHECK(format_count(-999) == "-999");
    CHECK(format_count(-1000) == "-1,000");
    CHECK(format_count(INT64_MAX) == "9,223,372,036,854,775,807");
}

TEST_CASE("format: large numbers, rounded") {
    CHECK(format_large(0) == "0");
    CHECK(format_large(999) == "999");
    CHECK(format_large(1000) == "1 k");
    CHECK(format_large(12345) == "12.3 k");
    CHECK(format_large(999499) == "999 k");
    CHECK(format_large(999600) == "1 M");
    CHECK(format_large(4.56e9) == "4.56 G");
    CHECK(format_large(1e18) == "1 E");
    for (const double none : {-1.0, double(NAN), double(INFINITY), 1e21}) {
        CHECK(format_large(none) == "?");
    }
}

}  // namespace smoe
