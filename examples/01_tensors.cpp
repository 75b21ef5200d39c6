// Lesson 1: a tensor is a row of numbers, and a shape that says how to read them.
// It shows that views share their numbers, that a clone does not, and where element (i, j) lies.
// Next: 02_fit_a_line.cpp.
#include <fmt/core.h>

#include "core/check.h"
#include "core/tensor.h"

using namespace smoe;

namespace {

void print(const char* name, const Tensor& tensor) {
    fmt::print("{} {}\n", name, tensor.shape().str());
    for (int64_t row = 0; row < tensor.rows(); ++row) {
        fmt::print("   ");
        for (int64_t col = 0; col < tensor.cols(); ++col) {
            fmt::print("{:5g}", tensor.data()[row * tensor.cols() + col]);
        }
        fmt::print("\n");
    }
}

}  // namespace

int main() {
    const Tensor a = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
    print("a", a);

    fmt::print("\nRow-major: element (i, j) is number i * 3 + j. So a(1, 2) is number 5: {:g}\n",
               a.data()[1 * 3 + 2]);
    check(a.data()[5] == 6, "lesson: element (1, 2) should be 6");

    fmt::print("\nreshape gives the same numbers a different shape, narrow takes some rows:\n");
    const Tensor b = a.reshape({3, 2});
    const Tensor last = a.narrow(1, 1);
    print("b = a.reshape({3, 2})", b);
    print("last = a.narrow(1, 1)", last);

    fmt::print(
        "\nBoth share a's memory. After a's last number becomes 60, so does theirs; a clone\n"
        "made before keeps its 6:\n");
    const Tensor copy = a.clone();
    a.data()[5] = 60;
    print("b", b);
    print("last", last);
    print("copy", copy);
    check(b.data()[5] == 60 && last.data()[2] == 60, "lesson: views should share numbers");
    check(copy.data()[5] == 6, "lesson: a clone should not");

    fmt::print("\nA shape that does not fit is an error, whose message names both shapes:\n");
    try {
        a.reshape({4, 2});
    } catch (const Error& error) {
        fmt::print("    {}\n", error.what());
        return 0;
    }
    fail("lesson: reshaping 6 numbers to (4, 2) should have failed");
}
