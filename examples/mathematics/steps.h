// What the programs of this folder share: small matrices of double, printed with four digits, and
// derivatives by differences, which judge each step of a derivation.
// Read next: chain_rule.md, the first page.
#pragma once

#include <fmt/core.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/tensor.h"

namespace smoe::mathematics {

using Matrix = std::vector<std::vector<double>>;

inline void print(const std::string& name, const Matrix& x) {
    for (size_t row = 0; row < x.size(); ++row) {
        fmt::print("{:24}", row == 0 ? name : "");
        for (const double number : x[row]) {
            fmt::print("{:9.4f}", std::abs(number) < 5e-5 ? 0 : number);  // no -0.0000
        }
        fmt::print("\n");
    }
}

// The derivative of f with respect to each element: (f(x + h) - f(x - h)) / 2h.
inline Matrix differences(const std::function<double(const Matrix&)>& f, const Matrix& at) {
    constexpr double h = 1e-5;
    Matrix result = at, moved = at;
    for (size_t i = 0; i < at.size(); ++i) {
        for (size_t j = 0; j < at[i].size(); ++j) {
            moved[i][j] = at[i][j] + h;
            const double above = f(moved);
            moved[i][j] = at[i][j] - h;
            result[i][j] = (above - f(moved)) / (2 * h);
            moved[i][j] = at[i][j];
        }
    }
    return result;
}

// Fails if a and b differ by more than `limit` anywhere.
inline void expect_same(const std::string& what, const Matrix& a, const Matrix& b, double limit) {
    check(a.size() == b.size(), "mathematics: {}: {} rows and {}", what, a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
        check(a[i].size() == b[i].size(), "mathematics: {}: rows of different lengths", what);
        for (size_t j = 0; j < a[i].size(); ++j) {
            check(std::abs(a[i][j] - b[i][j]) <= limit, "mathematics: {}: ({}, {}) is {}, not {}",
                  what, i, j, a[i][j], b[i][j]);
        }
    }
}

// Prints the gradient that a rule gives, and fails unless differences give the same.
inline void print_gradient(const std::string& name, const Matrix& rule,
                           const std::function<double(const Matrix&)>& f, const Matrix& at) {
    print(name, rule);
    expect_same(name, rule, differences(f, at), 1e-8);
}

inline Tensor tensor(const Matrix& x) {
    const Tensor result = Tensor::empty({int64_t(x.size()), int64_t(x[0].size())});
    for (int64_t i = 0; i < result.numel(); ++i) {
        result.data()[i] = real(x[size_t(i) / x[0].size()][size_t(i) % x[0].size()]);
    }
    return result;
}

// As rows of `columns` numbers.
inline Matrix matrix(const Tensor& x, int64_t columns) {
    Matrix result;
    for (int64_t i = 0; i < x.numel(); ++i) {
        if (i % columns == 0) {
            result.emplace_back();
        }
        result.back().push_back(double(x.data()[i]));
    }
    return result;
}

}  // namespace smoe::mathematics
