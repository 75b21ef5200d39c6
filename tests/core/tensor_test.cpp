// Tensors: handles, views that share numbers, copies that do not, and what is refused. Memory comes
// from the cache with old numbers in it, so a forgotten fill is noticed.
// Read next: threads_test.cpp.
#include "core/tensor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "core/check.h"

using namespace smoe;

namespace {

const Tensor six = Tensor::from({3, 2}, {1, 2, 3, 4, 5, 6});

std::vector<real> values(const Tensor& tensor) {
    return {tensor.values().begin(), tensor.values().end()};
}

using Reals = std::vector<real>;

}  // namespace

TEST_CASE("tensor: creation") {
    CHECK(values(Tensor::zeros({2, 2})) == Reals{0, 0, 0, 0});
    CHECK(values(Tensor::full({3}, real(2.5))) == Reals{2.5, 2.5, 2.5});
    CHECK(values(six) == Reals{1, 2, 3, 4, 5, 6});
    CHECK(Tensor::full({}, 7).item() == 7);
    CHECK(Tensor::empty({4, 0}).defined());
    CHECK(values(Tensor::empty({4, 0})).empty());
    CHECK(!Tensor().defined());
    CHECK(Tensor().numel() == 0);
    Tensor().fill(1);  // writes nothing
    CHECK(Tensor().values().empty());
    CHECK_THROWS_WITH_AS(Tensor::from({2, 2}, {1, 2, 3}),
                         doctest::Contains("shape (2, 2) has 4 elements, 3 were given"), Error);
    CHECK_THROWS_AS(Tensor::from({1}, {1, 2}), Error);
}

TEST_CASE("tensor: zeros are zeros also in memory that was used before") {
    for (int round = 0; round < 3; ++round) {
        const Tensor dirty = Tensor::full({1000}, 9);
        CHECK(dirty.data()[999] == 9);
        const Tensor zeros = Tensor::zeros({1000});
        CHECK(std::all_of(zeros.data(), zeros.data() + 1000, [](real x) { return x == 0; }));
    }
}

TEST_CASE("tensor: rows and columns") {
    CHECK(Tensor::zeros({2, 3, 5}).rows() == 6);
    CHECK(Tensor::zeros({2, 3, 5}).cols() == 5);
    CHECK(Tensor::zeros({7}).rows() == 1);
    CHECK(Tensor::zeros({}).rows() == 1);
    CHECK(Tensor::zeros({}).cols() == 1);
    CHECK(Tensor::zeros({0, 3}).rows() == 0);
    CHECK(Tensor::zeros({3, 0}).rows() == 0);
    CHECK(Tensor::zeros({2, 3, 5}).size(-2) == 3);
}

TEST_CASE("tensor: copies, reshapes and slices share the numbers, clones do not") {
    const Tensor base = six.clone();
    CHECK(base.data() != six.data());
    const Tensor copy = base, flat = base.reshape({6}), middle = base.narrow(1, 1);
    CHECK(middle.shape() == Shape{1, 2});
    CHECK(values(middle) == Reals{3, 4});
    copy.data()[2] = 30;
    CHECK(flat.data()[2] == 30);
    CHECK(middle.data()[0] == 30);
    middle.fill(7);
    CHECK(values(base) == Reals{1, 2, 7, 7, 5, 6});
    CHECK(values(six) == Reals{1, 2, 3, 4, 5, 6});
    const Tensor clone = middle.clone();
    clone.fill(0);
    CHECK(values(base) == Reals{1, 2, 7, 7, 5, 6});
}

TEST_CASE("tensor: a slice of a slice, empty slices, and all dimensions but the first stay") {
    const Tensor base = Tensor::empty({4, 2, 3});
    for (int64_t i = 0; i < base.numel(); ++i) {
        base.data()[i] = real(i);
    }
    const Tensor part = base.narrow(1, 3).narrow(1, 1);
    CHECK(part.shape() == Shape{1, 2, 3});
    CHECK(part.data()[0] == 12);
    CHECK(base.narrow(4, 0).shape() == Shape{0, 2, 3});
    CHECK(base.narrow(0, 4).shape() == base.shape());
    CHECK(base.narrow(2, 1).reshape({3, 2}).data()[5] == 17);
}

TEST_CASE("tensor: a view keeps the memory alive") {
    const int64_t before = memory_use().live;
    Tensor view;
    {
        const Tensor base = Tensor::full({1000}, 4);
        view = base.narrow(900, 100);
    }
    CHECK(memory_use().live > before);
    CHECK(view.data()[99] == 4);
    view = Tensor();
    CHECK(memory_use().live == before);
}

TEST_CASE("tensor: what does not fit is refused and names the shapes") {
    CHECK_THROWS_WITH_AS(six.reshape({4}), doctest::Contains("reshape (3, 2) to (4)"), Error);
    CHECK_THROWS_WITH_AS(six.narrow(1, 3), doctest::Contains("3 rows from row 1 in shape (3, 2)"),
                         Error);
    CHECK_THROWS_AS(six.narrow(-1, 2), Error);
    CHECK_THROWS_AS(six.narrow(2, -1), Error);
    CHECK_THROWS_AS(Tensor::zeros({}).narrow(0, 0), Error);
    CHECK_THROWS_AS(Tensor().narrow(0, 0), Error);
    CHECK_THROWS_AS(six.item(), Error);
    CHECK_THROWS_AS(Tensor().item(), Error);
    CHECK_THROWS_AS(Tensor::zeros({0}).item(), Error);
    CHECK_THROWS_AS(Tensor::zeros({2, 3}).copy_from(six), Error);
    CHECK_THROWS_AS(Tensor::zeros({3, 2}).copy_from(Tensor()), Error);
    CHECK_THROWS_AS(Tensor().clone(), Error);
    CHECK_THROWS_AS(Tensor().copy_from(Tensor::zeros({})), Error);
}

TEST_CASE("tensor: copy_from") {
    const Tensor target = Tensor::zeros({5, 2});
    target.narrow(1, 3).copy_from(six);
    CHECK(values(target) == Reals{0, 0, 1, 2, 3, 4, 5, 6, 0, 0});
}
