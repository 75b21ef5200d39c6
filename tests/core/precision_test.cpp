// Tests of core/precision.h: what is said at the start of a run fits what the processor can do.
#include "core/precision.h"

#include <doctest/doctest.h>

using namespace smoe;

TEST_CASE("precision: the note says what is computed in, and times what it says of the other") {
    const double time = bfloat16_time();
    CAPTURE(time);
    CHECK(time > 0.01);
    CHECK(time < 100);
    const auto says = [](Precision precision, const char* text) {
        return precision_note(precision).find(text) != std::string::npos;
    };
    CHECK(says(Precision::float32, "products in float32"));
    CHECK(says(Precision::bfloat16, "products in bfloat16"));
    const bool instructions = fastest_precision() == Precision::bfloat16;
    CHECK(says(Precision::float32, "of the time here") == instructions);
    CHECK(says(Precision::bfloat16, "no instructions") == !instructions);
}
