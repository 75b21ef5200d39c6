// Shapes: what they accept, refuse and print. The cases are a dim that does not exist, too many
// dims, and more elements than a product of sizes can hold.
// Read next: tensor_test.cpp.
#include "core/shape.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/check.h"

using namespace smoe;

TEST_CASE("shape: sizes, dimensions from both ends, number of elements") {
    const Shape shape = {2, 3, 4, 5};
    CHECK(shape.rank() == 4);
    CHECK(shape.numel() == 120);
    CHECK(shape[0] == 2);
    CHECK(shape[3] == 5);
    CHECK(shape[-1] == 5);
    CHECK(shape[-4] == 2);
    CHECK(Shape().rank() == 0);
    CHECK(Shape().numel() == 1);
    CHECK(Shape{3, 0, 2}.numel() == 0);
    CHECK(Shape{0}.rank() == 1);
}

TEST_CASE("shape: dims that do not exist name the shape and the dim") {
    const Shape shape = {2, 3};
    CHECK_THROWS_WITH_AS(shape[2], doctest::Contains("(2, 3) has no dim 2"), Error);
    CHECK_THROWS_WITH_AS(shape[-3], doctest::Contains("(2, 3) has no dim -3"), Error);
    CHECK_THROWS_AS(Shape()[0], Error);
    CHECK_THROWS_AS(Shape()[-1], Error);
}

TEST_CASE("shape: refuses five dimensions, negative sizes and more than 2^48 elements") {
    CHECK_THROWS_WITH_AS((Shape{1, 1, 1, 1, 1}), doctest::Contains("at most 4 dimensions"), Error);
    CHECK_THROWS_WITH_AS((Shape{2, -1}), doctest::Contains("dim 1 has the negative size -1"),
                         Error);
    CHECK_THROWS_AS((Shape{INT64_MIN}), Error);
    CHECK_THROWS_AS((Shape{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}), Error);
    CHECK_THROWS_AS((Shape{(int64_t(1) << 48) + 1}), Error);
    CHECK_THROWS_AS((Shape{int64_t(1) << 24, int64_t(1) << 24, 2}), Error);
    CHECK(Shape{int64_t(1) << 24, int64_t(1) << 24}.numel() == int64_t(1) << 48);
    CHECK_THROWS_AS((Shape{int64_t(1) << 32, int64_t(1) << 32, 0}), Error);
}

TEST_CASE("shape: equality looks at every dim and at the rank") {
    CHECK(Shape{2, 3} == Shape{2, 3});
    CHECK(!(Shape{2, 3} == Shape{3, 2}));
    CHECK(!(Shape{6} == Shape{6, 1}));
    CHECK(!(Shape{6} == Shape{2, 3}));
    CHECK(!(Shape{} == Shape{1}));
    CHECK(!(Shape{0, 2} == Shape{0, 3}));
    const std::vector<int64_t> sizes = {4, 5};
    CHECK(Shape(std::span<const int64_t>(sizes)) == Shape{4, 5});
}

TEST_CASE("shape: text") {
    CHECK(Shape{}.str() == "()");
    CHECK(Shape{7}.str() == "(7)");
    CHECK(Shape{2, 3, 0}.str() == "(2, 3, 0)");
}
