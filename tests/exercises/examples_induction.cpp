// Exercise: an attention head that copies, set by hand like the one in lesson 10. After ... Anna
// lost ... Anna, it says "lost": what followed the last word where that word occurred before. Such
// heads arise in trained transformers (Olsson et al., "In-context Learning and Induction Heads",
// 2022). Write queries, keys and values for the op `attention` with one head: (T, 3V), V numbers
// each, for tokens (T) in [0, vocab). Row t may depend on tokens t and t - 1 only (an earlier head
// tells a place what came before it). If token t has occurred before, row t of the op's result must
// be the mean, over all earlier places of it, of the one-hot vector of the token that followed
// there. Mind that the op divides by sqrt(V), and that softmax never gives quite 0.
// Level 3 of 3, about 60 minutes. Two hints are at the end.
#include "autograd/ops.h"
#include "core/rng.h"
#include "tests/exercises/exercise.h"

smoe::Tensor induction_head(const std::vector<int32_t>& tokens, int64_t vocab);

using namespace smoe;

namespace {

// How many rows of the result are not what they should be; `known` counts those that are asked for.
int wrong_rows(const std::vector<int32_t>& tokens, int64_t V, int& known) {
    const int64_t T = int64_t(tokens.size());
    const Tensor qkv = induction_head(tokens, V);
    REQUIRE(qkv.shape() == Shape{T, 3 * V});
    const Tensor said = attention(Variable(qkv), Sequences::of(tokens), 1).value();  // (T, V)
    int wrong = 0;
    for (int64_t t = 0; t < T; ++t) {
        std::vector<double> expected(size_t(V), 0);
        double places = 0;
        for (int64_t j = 0; j < t; ++j) {
            if (tokens[size_t(j)] == tokens[size_t(t)]) {
                expected[size_t(tokens[size_t(j + 1)])] += 1;
                ++places;
            }
        }
        for (int64_t v = 0; v < V && places > 0; ++v) {
            const double found = double(said.data()[t * V + v]),
                         right = expected[size_t(v)] / places;
            if (std::abs(found - right) >= 1e-6) {
                expect_close(
                    fmt::format("{} tokens of {}, position {}, which is token {}: the share "
                                "of token {}",
                                T, V, t, tokens[size_t(t)], v),
                    found, right, 1e-6);
                ++wrong;
                break;
            }
        }
        known += places > 0;
    }
    return wrong;
}

}  // namespace

TEST_CASE("induction_head: says what followed") {
    int known = 0;
    CHECK(wrong_rows({0, 1, 2, 0}, 3, known) == 0);     // 1 followed 0
    CHECK(wrong_rows({0, 1, 0, 2, 0}, 3, known) == 0);  // 1 or 2
    CHECK(wrong_rows({4, 4, 4, 1}, 5, known) == 0);     // 4 follows itself
    CHECK(wrong_rows({7}, 8, known) == 0);
    CHECK(known == 5);
    Rng rng(1);
    for (const int64_t V : {2, 5, 30, 300}) {
        CAPTURE(V);
        std::vector<int32_t> tokens(200);
        for (int32_t& token : tokens) {
            token = int32_t(rng.below(uint64_t(V)));
        }
        CHECK(wrong_rows(tokens, V, known) == 0);
    }
}

TEST_CASE("induction_head: each row knows its own token and the one before") {
    const std::vector<int32_t> tokens = {3, 1, 4, 1, 5, 2, 4, 1};
    const Tensor before = induction_head(tokens, 6);
    for (size_t changed = 0; changed < tokens.size(); ++changed) {
        std::vector<int32_t> others = tokens;
        others[changed] = 0;
        const Tensor after = induction_head(others, 6);
        for (size_t t = 0; t < tokens.size(); ++t) {
            if (t != changed && t != changed + 1) {
                CAPTURE(changed);
                CAPTURE(t);
                CHECK(std::equal(before.data() + t * 18, before.data() + (t + 1) * 18,
                                 after.data() + t * 18));
            }
        }
    }
}

// Hint 1: use one number for each token: a one-hot vector. The query of a place asks for its own
// token; the key of a place must answer with the token before it; the value tells its own token.
// Hint 2: a score of 40 where the key fits and 0 elsewhere leaves e^-40 of the weight for what does
// not fit. The op divides by sqrt(V), so multiply the query by it.
