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
        CHECK_MESSAGE(error_of([&] { shape[dim]; }) != "accepted", "there is no dim " << dim);
    }
    CHECK(error_of([] { Shape{}[0]; }) != "accepted");
}

TEST_CASE("stage 1: Tensor::from") {
    const Numbers given = {1, 2, 3, 4, 5, 6};
    const Tensor tensor = Tensor::from({2, 3}, given);
    CHECK(tensor.shape() == Shape{2, 3});
    CHECK(numbers(tensor) == given);
    CHECK_MESSAGE(tensor.data() != given.data(), "a tensor has memory of its own");
    CHECK(numbers(Tensor::from({}, {7})) == Numbers{7});
    CHECK(numbers(Tensor::from({0, 4}, Numbers{})).empty());
    CHECK(error_of([&] { Tensor::from({2, 2}, given); }) != "accepted");
    CHECK(error_of([&] { Tensor::from({7}, given); }) != "accepted");
}

TEST_CASE("stage 1: Tensor::reshape") {
    const Tensor tensor = counting({2, 6}), view = tensor.reshape({3, 2, 2});
    CHECK(view.shape() == Shape{3, 2, 2});
    CHECK_MESSAGE(view.data() == tensor.data(), "reshape shares the numbers");
    CHECK(tensor.shape() == Shape{2, 6});
    CHECK(error_of([&] { tensor.reshape({5, 2}); }) != "accepted");
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
    CHECK(tensor.narrow(4, 0).numel() == 0);
    constexpr int64_t huge = std::numeric_limits<int64_t>::max();
    const std::vector<std::pair<int64_t, int64_t>> absent = {{3, 2}, {-1, 2}, {0, 5},
                                                             {5, 0}, {2, -1}, {1, huge}};
    for (const auto& slice : absent) {
        const int64_t from = slice.first, count = slice.second;
        CHECK_MESSAGE(error_of([&] { tensor.narrow(from, count); }) != "accepted",
                      "of 4 rows there are no " << count << " from row " << from);
    }
    CHECK(error_of([] { Tensor::full({}, 1).narrow(0, 1); }) != "accepted");
}

TEST_CASE("stage 1: Tensor::copy_from") {
    const Tensor from = counting({2, 2}), to = Tensor::full({2, 2}, 9);
    to.copy_from(from);
    CHECK(numbers(to) == Numbers{0, 1, 2, 3});
    from.data()[0] = 5;
    CHECK_MESSAGE(to.data()[0] == 0, "copy_from copies, it does not share");
    CHECK(error_of([&] { to.copy_from(counting({4})); }) != "accepted");
    CHECK(error_of([&] { to.copy_from(Tensor()); }) != "accepted");
    CHECK(error_of([&] { Tensor().copy_from(Tensor()); }) != "accepted");
}

TEST_CASE("stage 1: Tensor::clone") {
    const Tensor tensor = counting({2, 3}), copy = tensor.clone();
    CHECK(copy.shape() == Shape{2, 3});
    CHECK(numbers(copy) == numbers(tensor));
    CHECK_MESSAGE(copy.data() != tensor.data(), "a clone has memory of its own");
}
