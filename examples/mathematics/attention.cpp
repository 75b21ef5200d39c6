// The numbers of attention.md: backward through the mixing, the softmax and the scores.
// Read next: schedule_free.cpp.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "examples/mathematics/steps.h"

using namespace smoe::mathematics;

namespace {

constexpr size_t T = 3, D = 2;
const Matrix Q = {{1, 0}, {0.5, 1}, {-1, 2}}, K = {{0.5, 1}, {1, -1}, {0, 1}};
const Matrix V = {{1, 2}, {3, -1}, {0, 1}}, G = {{1, 0}, {-1, 2}, {0.5, 1}};  // G = dL/dY
const double root = std::sqrt(double(D));

Matrix zeros(size_t columns) {
    return Matrix(T, std::vector<double>(columns));
}

// P[t,s] = softmax over s <= t of Q[t] . K[s] / sqrt(D)
Matrix shares(const Matrix& q, const Matrix& k) {
    Matrix p = zeros(T);
    for (size_t t = 0; t < T; ++t) {
        double total = 0;
        for (size_t s = 0; s <= t; ++s) {
            p[t][s] = std::exp((q[t][0] * k[s][0] + q[t][1] * k[s][1]) / root);
            total += p[t][s];
        }
        for (double& share : p[t]) {
            share /= total;
        }
    }
    return p;
}

Matrix mixed(const Matrix& p, const Matrix& v) {
    Matrix y = zeros(D);
    for (size_t t = 0; t < T; ++t) {
        for (size_t s = 0; s <= t; ++s) {
            for (size_t d = 0; d < D; ++d) {
                y[t][d] += p[t][s] * v[s][d];
            }
        }
    }
    return y;
}

double loss(const Matrix& q, const Matrix& k, const Matrix& v) {
    const Matrix y = mixed(shares(q, k), v);
    double total = 0;
    for (size_t t = 0; t < T; ++t) {
        total += G[t][0] * y[t][0] + G[t][1] * y[t][1];
    }
    return total;
}

}  // namespace

int main() {
    const Matrix P = shares(Q, K);
    print("P", P);
    print("Y = P V", mixed(P, V));

    Matrix dV = zeros(D), dP = zeros(T), dS = zeros(T), dQ = zeros(D), dK = zeros(D);
    for (size_t t = 0; t < T; ++t) {
        double mean = 0;  // of dP, weighted by P
        for (size_t s = 0; s <= t; ++s) {
            for (size_t d = 0; d < D; ++d) {
                dV[s][d] += P[t][s] * G[t][d];
                dP[t][s] += G[t][d] * V[s][d];
            }
            mean += P[t][s] * dP[t][s];
        }
        for (size_t s = 0; s <= t; ++s) {
            dS[t][s] = P[t][s] * (dP[t][s] - mean);
            for (size_t d = 0; d < D; ++d) {
                dQ[t][d] += dS[t][s] * K[s][d] / root;
                dK[s][d] += dS[t][s] * Q[t][d] / root;
            }
        }
    }
    print_gradient(
        "dV = P^T G", dV, [](const Matrix& v) { return loss(Q, K, v); }, V);
    print("dP = G V^T, s <= t", dP);
    print("dS = P (dP - mean)", dS);
    print_gradient(
        "dQ = dS K / sqrt(D)", dQ, [](const Matrix& q) { return loss(q, K, V); }, Q);
    print_gradient(
        "dK = dS^T Q / sqrt(D)", dK, [](const Matrix& k) { return loss(Q, k, V); }, K);

    Matrix qkv, expected;
    for (size_t t = 0; t < T; ++t) {
        qkv.push_back({Q[t][0], Q[t][1], K[t][0], K[t][1], V[t][0], V[t][1]});
        expected.push_back({dQ[t][0], dQ[t][1], dK[t][0], dK[t][1], dV[t][0], dV[t][1]});
    }
    const smoe::Variable x(tensor(qkv), true);
    smoe::backward(smoe::attention(x, smoe::Sequences::of({0, 0, 0}), 1), tensor(G));
    expect_same("the library's gradients", matrix(x.grad(), 6), expected, 1e-5);
    return 0;
}
