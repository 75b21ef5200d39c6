// + - * / of Variables and plain numbers, each by the op of its name. It leaves out += and the
// like: a Variable is a place in a graph, and an op makes a new one.
// Read next: unary.cpp.
#include "autograd/ops.h"

namespace smoe {
namespace {

// A single number, which add, sub and div combine with every element of their first input.
Variable number(real value) {
    return Variable(Tensor::full({}, value));
}

// As many copies of it as x has elements, for ops in which the number is the first input.
Variable numbers(real value, const Variable& x) {
    return Variable(Tensor::full(x.shape(), value));
}

}  // namespace

Variable operator+(const Variable& a, const Variable& b) {
    return add(a, b);
}
Variable operator-(const Variable& a, const Variable& b) {
    return sub(a, b);
}
Variable operator*(const Variable& a, const Variable& b) {
    return mul(a, b);
}
Variable operator/(const Variable& a, const Variable& b) {
    return div(a, b);
}

Variable operator+(const Variable& a, real b) {
    return add(a, number(b));
}
Variable operator-(const Variable& a, real b) {
    return sub(a, number(b));
}
Variable operator*(const Variable& a, real b) {
    return scale(a, b);
}
Variable operator/(const Variable& a, real b) {
    return div(a, number(b));
}

Variable operator+(real a, const Variable& b) {
    return add(b, number(a));
}
Variable operator-(real a, const Variable& b) {
    return sub(numbers(a, b), b);
}
Variable operator*(real a, const Variable& b) {
    return scale(b, a);
}
Variable operator/(real a, const Variable& b) {
    return div(numbers(a, b), b);
}

Variable operator-(const Variable& x) {
    return neg(x);
}

}  // namespace smoe
