// Lesson 10: attention on a sentence of four words, by plain loops. Each word asks a question (its
// query), offers a description of itself (its key) and something to pass on (its value); a word
// takes from itself and from every word before it: the better a key fits its question, the more it
// takes. Here the vectors are set by hand, so that each step can be read; a network learns them.
// Claim: the loops give what the op `attention` gives, and later words have no effect.
//
// Next: 11_transformer.cpp. The op, with its backward: autograd/ops/attention.cpp.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "autograd/ops.h"
#include "core/check.h"
#include "examples/picture.h"

using namespace smoe;

namespace {

constexpr int64_t T = 4, C = 4;  // words, and features of a word
using Names = std::array<const char*, 4>;
constexpr Names words = {"Anna", "lost", "her", "hat"};
constexpr Names is = {"person", "action", "owner", "thing"};  // what a word can be
constexpr Names tells = {"female", "past", "hers", "worn"};   // what it can tell others

void print(const std::string& title, const Names& columns, const Tensor& x) {
    fmt::print("\n{}\n        ", title);
    for (const char* column : columns) {
        fmt::print("{:>8}", column);
    }
    for (int64_t i = 0; i < T; ++i) {
        fmt::print("\n    {:4}", words[size_t(i)]);
        for (int64_t c = 0; c < C; ++c) {
            fmt::print("{:8.2f}", x.data()[i * C + c]);
        }
    }
    fmt::print("\n");
}

// Queries, keys and values, scores, mask, softmax, mixing.
struct Attention {
    Tensor scores = Tensor::empty({T, T});
    Tensor weights = Tensor::zeros({T, T});
    Tensor out = Tensor::zeros({T, C});

    Attention(const Tensor& q, const Tensor& k, const Tensor& v) {  // (T, C) each
        for (int64_t i = 0; i < T; ++i) {
            // score = q . k / sqrt(C); without the root, wide vectors would give huge scores
            for (int64_t j = 0; j < T; ++j) {
                real product = 0;
                for (int64_t c = 0; c < C; ++c) {
                    product += q.data()[i * C + c] * k.data()[j * C + c];
                }
                scores.data()[i * T + j] = product / std::sqrt(real(C));
            }
            // the end of the loop is the mask: j <= i. softmax over what is left
            real total = 0;
            for (int64_t j = 0; j <= i; ++j) {
                weights.data()[i * T + j] = std::exp(scores.data()[i * T + j]);
                total += weights.data()[i * T + j];
            }
            for (int64_t j = 0; j <= i; ++j) {
                weights.data()[i * T + j] /= total;
                for (int64_t c = 0; c < C; ++c) {
                    out.data()[i * C + c] += weights.data()[i * T + j] * v.data()[j * C + c];
                }
            }
        }
    }
};

void heat_map(const Tensor& weights) {
    constexpr std::array<const char*, 5> shades = {"      ", "░░░░░░", "▒▒▒▒▒▒", "▓▓▓▓▓▓",
                                                   "██████"};
    for (int64_t i = 0; i < T; ++i) {
        fmt::print("    {:4}    ", words[size_t(i)]);
        for (int64_t j = 0; j < T; ++j) {
            fmt::print("  {}", shades[size_t(std::ceil(4 * weights.data()[i * T + j]))]);
        }
        fmt::print("\n");
    }
}

// The op on one sequence with one head. It takes queries, keys and values side by side.
Tensor by_op(const Tensor& q, const Tensor& k, const Tensor& v) {
    const Tensor qkv = Tensor::empty({T, 3 * C});
    for (int64_t i = 0; i < T * C; ++i) {
        real* const row = qkv.data() + i / C * 3 * C + i % C;
        row[0] = q.data()[i], row[C] = k.data()[i], row[2 * C] = v.data()[i];
    }
    return attention(Variable(qkv), Sequences::of(std::vector<int32_t>(size_t(T))), 1).value();
}

double largest_difference(const Tensor& a, const Tensor& b, int64_t count) {
    double largest = 0;
    for (int64_t i = 0; i < count; ++i) {
        largest = std::max(largest, double(std::abs(a.data()[i] - b.data()[i])));
    }
    return largest;
}

}  // namespace

int main() {
    // Each word is one thing only, to keep it readable: Anna is a person, lost an action, ...
    const Tensor x = Tensor::from({T, C}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});
    const auto project = [&x](std::initializer_list<real> weight) {  // (C, C) -> x weight^T (T, C)
        return linear(Variable(x), Variable(Tensor::from({C, C}, weight))).value();
    };
    // An action looks for a person (who?) and a thing (what?), an owner for a person (whose?), a
    // thing for an owner. Row: what a word looks for; column: what that word is.
    const Tensor q = project({0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 4, 0, 0});
    const Tensor k = project({1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});
    const Tensor v = project({1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});
    print("1. Queries: what each word (row) looks for", is, q);
    print("2. Keys: what each word is", is, k);
    print("3. Values: what each word tells those that look at it", tells, v);

    const Attention by_hand(q, k, v);
    print("4. Scores, q . k / sqrt(4): how well the column's word fits what the row's looks for",
          words, by_hand.scores);
    print("5. Weights, after mask (lost must not see its hat yet) and softmax: each row sums to 1",
          words, by_hand.weights);
    fmt::print("\n   The same as a picture, where blank is 0 and full is 1:\n");
    heat_map(by_hand.weights);
    Picture picture;
    picture.table(60, 30, 48, {words.begin(), words.end()}, {words.begin(), words.end()},
                  [&](size_t i, size_t j) { return by_hand.weights.data()[i * T + j]; });
    picture.save("10_attention", 260, 230);
    print("6. Values mixed by these weights: 'hat' has heard that it is hers, a woman's", tells,
          by_hand.out);

    const Tensor expected = by_op(q, k, v);
    const double difference = largest_difference(by_hand.out, expected, T * C);
    fmt::print("\nThe op computes the same, up to rounding: the largest difference is {:.1e}.\n",
               difference);
    check(difference < 1e-6, "lesson: loops and op should agree, they differ by {}", difference);

    const Tensor v_changed = v.clone(), k_changed = k.clone();
    v_changed.narrow(T - 1, 1).fill(9);
    k_changed.narrow(T - 1, 1).fill(9);
    const Tensor changed = by_op(q, k_changed, v_changed);
    const double past = largest_difference(changed, expected, (T - 1) * C);
    fmt::print("A different word in place of 'hat' changes the op's other three rows by {}.\n",
               past);
    check(past == 0, "lesson: the future should have weight 0, it changed the past by {}", past);
    check(largest_difference(changed, expected, T * C) > 1,
          "lesson: 'hat' itself should have changed");
    return 0;
}
