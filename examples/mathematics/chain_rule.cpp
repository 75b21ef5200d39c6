// The numbers of chain_rule.md: the gradients of a linear layer, first for one weight, then as
// matrix products, then with a tanh behind it.
// Read next: cross_entropy.cpp.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "examples/mathematics/steps.h"

using namespace smoe::mathematics;

namespace {

const Matrix X = {{1, 2, -1}, {0, 1, 3}};               // (N, I)
const Matrix W = {{0.5, -0.2, 0.1}, {0.3, 0.4, -0.6}};  // (O, I)
const Matrix G = {{1, -2}, {0.5, 3}};                   // (N, O)

Matrix linear(const Matrix& x, const Matrix& w) {
    Matrix y(x.size(), std::vector<double>(w.size()));
    for (size_t n = 0; n < x.size(); ++n) {
        for (size_t o = 0; o < w.size(); ++o) {
            for (size_t i = 0; i < x[n].size(); ++i) {
                y[n][o] += x[n][i] * w[o][i];
            }
        }
    }
    return y;
}

// a b
Matrix product(const Matrix& a, const Matrix& b) {
    Matrix y(a.size(), std::vector<double>(b[0].size()));
    for (size_t i = 0; i < a.size(); ++i) {
        for (size_t k = 0; k < b.size(); ++k) {
            for (size_t j = 0; j < b[k].size(); ++j) {
                y[i][j] += a[i][k] * b[k][j];
            }
        }
    }
    return y;
}

Matrix transposed(const Matrix& a) {
    Matrix y(a[0].size(), std::vector<double>(a.size()));
    for (size_t i = 0; i < a.size(); ++i) {
        for (size_t j = 0; j < a[i].size(); ++j) {
            y[j][i] = a[i][j];
        }
    }
    return y;
}

// sum of g y, element by element: its derivative with respect to y is g.
double weighted(const Matrix& g, const Matrix& y) {
    double total = 0;
    for (size_t i = 0; i < y.size(); ++i) {
        for (size_t j = 0; j < y[i].size(); ++j) {
            total += g[i][j] * y[i][j];
        }
    }
    return total;
}

Matrix tanh(Matrix u) {
    for (auto& row : u) {
        for (double& number : row) {
            number = std::tanh(number);
        }
    }
    return u;
}

}  // namespace

int main() {
    print("Y = X W^T", linear(X, W));
    fmt::print("{:24}{:9.4f}\n", "L = sum of G Y", weighted(G, linear(X, W)));

    double one = 0;
    for (size_t n = 0; n < X.size(); ++n) {
        fmt::print("n = {}: G[n,1] X[n,2]    {:9.4f}\n", n, G[n][1] * X[n][2]);
        one += G[n][1] * X[n][2];
    }
    fmt::print("{:24}{:9.4f}\n", "dL/dW[1,2], their sum", one);

    const auto of_w = [](const Matrix& w) { return weighted(G, linear(X, w)); };
    const auto of_x = [](const Matrix& x) { return weighted(G, linear(x, W)); };
    const Matrix dW = product(transposed(G), X), dX = product(G, W);
    print_gradient("dW = G^T X", dW, of_w, W);
    print_gradient("dX = G W", dX, of_x, X);

    const Matrix Y = tanh(linear(X, W));
    Matrix dU = G;
    for (size_t n = 0; n < Y.size(); ++n) {
        for (size_t o = 0; o < Y[n].size(); ++o) {
            dU[n][o] *= 1 - Y[n][o] * Y[n][o];
        }
    }
    print("Y = tanh(X W^T)", Y);
    print("dU = G (1 - Y^2)", dU);
    print_gradient(
        "dW = dU^T X", product(transposed(dU), X),
        [](const Matrix& w) { return weighted(G, tanh(linear(X, w))); }, W);

    const smoe::Variable x(tensor(X), true), w(tensor(W), true);
    smoe::backward(smoe::linear(x, w), tensor(G));
    expect_same("the library's dW", matrix(w.grad(), 3), dW, 1e-5);
    expect_same("the library's dX", matrix(x.grad(), 3), dX, 1e-5);
    return 0;
}
