// Stage 1: a shape, and a tensor that shares its numbers or copies them.
// Read next: stage_2.cpp.
#include <doctest/doctest.h>

#include <limits>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "tests/error_of.h"

using namespace smoe;

namespace {

using Numbers = std::vector<real>;

Numbers numbers(const Tensor& tensor) {
    return {tensor.values().begin(), tensor.values().end()};
}

Tensor counting(const Shape& shape) {
    const Tensor tensor = Tensor::empty(shape);
    for (int64_t i = 0; i < tensor.numel(); ++i) {
        tensor.data()[i] = real(i);
    }
    return tensor;
}

}  // namespace

TEST_CASE("stage 1: Shape::operator[]") {
    const Shape shape{2, 3, 5};
    CHECK(shape[0] == 2);
    CHECK(shape[2] == 5);
    CHECK(shape[-1] == 5);
    CHECK(shape[-3] == 2);
    for (const int dim : {3, -4, 100}) {
        check_refused(fmt::format("dim {} of a shape of rank {}", dim, shape.rank()),
                      [&] { shape[dim]; });
    }
    check_refused("dim 0 of the shape ()", [] { Shape{}[0]; });
}

TEST_CASE("stage 1: Tensor::from") {
    const Numbers given = {1, 2, 3, 4, 5, 6};
    const Tensor tensor = Tensor::from({2, 3}, given);
    CHECK(tensor.shape() == Shape{2, 3});
    CHECK(numbers(tensor) == given);
    CHECK_MESSAGE(tensor.data() != given.data(), "a tensor has memory of its own");
    CHECK(numbers(Tensor::from({}, {7})) == Numbers{7});
    CHECK(numbers(Tensor::from({0, 4}, Numbers{})).empty());
    check_refused("Tensor::from of shape (2, 2) and 6 numbers", [&] {
        Tensor::from({2, 2}, given);
    });
    check_refused("Tensor::from of shape (7) and 6 numbers", [&] { Tensor::from({7}, given); });
}

TEST_CASE("stage 1: Tensor::reshape") {
    const Tensor tensor = counting({2, 6}), view = tensor.reshape({3, 2, 2});
    CHECK(view.shape() == Shape{3, 2, 2});
    CHECK_MESSAGE(view.data() == tensor.data(), "reshape shares the numbers");
    CHECK(tensor.shape() == Shape{2, 6});
    check_refused("reshape of (2, 6) to (5, 2)", [&] { tensor.reshape({5, 2}); });
}

TEST_CASE("stage 1: Tensor::narrow") {
    const Tensor tensor = counting({4, 3});
    const Tensor rows = tensor.narrow(1, 2);
    CHECK(rows.shape() == Shape{2, 3});
    CHECK(numbers(rows) == Numbers{3, 4, 5, 6, 7, 8});
    rows.data()[0] = 99;
    CHECK_MESSAGE(tensor.data()[3] == 99, "narrow shares the numbers");
    CHECK(numbers(rows.narrow(1, 1)) == Numbers{6, 7, 8});  // a slice of a slice
    CHECK(counting({3, 2, 2}).narrow(2, 1).shape() == Shape{1, 2, 2});
    CHECK(numbers(counting({3, 2, 2}).narrow(2, 1)) == Numbers{8, 9, 10, 11});
    CHECK(tensor.narrow(4, 0).numel() == 0);
    constexpr int64_t huge = std::numeric_limits<int64_t>::max();
    const std::vector<std::pair<int64_t, int64_t>> absent = {{3, 2},  {-1, 2},   {0, 5},   {5, 0},
                                                             {2, -1}, {1, huge}, {huge, 1}};
    for (const auto& slice : absent) {
        const int64_t from = slice.first, count = slice.second;
        check_refused(fmt::format("narrow to {} of 4 rows from row {}", count, from),
                      [&] { tensor.narrow(from, count); });
    }
    check_refused("narrow of a tensor of rank 0", [] { Tensor::full({}, 1).narrow(0, 1); });
}

TEST_CASE("stage 1: Tensor::copy_from") {
    const Tensor from = counting({2, 2}), to = Tensor::full({2, 2}, 9);
    to.copy_from(from);
    CHECK(numbers(to) == Numbers{0, 1, 2, 3});
    from.data()[0] = 5;
    CHECK_MESSAGE(to.data()[0] == 0, "copy_from copies, it does not share");
    check_refused("copy_from of shape (4) into (2, 2)", [&] { to.copy_from(counting({4})); });
    check_refused("copy_from of an undefined tensor", [&] { to.copy_from(Tensor()); });
    check_refused("copy_from into an undefined tensor", [&] { Tensor().copy_from(Tensor()); });
}

TEST_CASE("stage 1: Tensor::clone") {
    const Tensor tensor = counting({2, 3}), copy = tensor.clone();
    CHECK(copy.shape() == Shape{2, 3});
    CHECK(numbers(copy) == numbers(tensor));
    CHECK_MESSAGE(copy.data() != tensor.data(), "a clone has memory of its own");
}
