// Tests of models/training/evaluation.h: sums over tokens, domains that add up to the total, and
// nothing random in it.
#include "models/training/evaluation.h"

#include <doctest/doctest.h>
#include <cmath>

#include "tests/models/small_run.h"

using namespace smoe;

TEST_CASE("evaluate: weighted by token, split by domain, the same each time") {
    const SmallRun run(small_config());
    SingleMoe moe(run.config.model, run.config.seed);
    moe.eval();
    const Evaluation all = evaluate(moe, run.data, 1, 0);
    CHECK(all.total.tokens == run.data.tokens());
    CHECK(all.total.bytes == run.data.counts().bytes_kept);
    double loss_sum = 0;
    int64_t tokens = 0, bytes = 0;
    CHECK(all.domains.size() == 3);
    for (const EvaluationPart& part : all.domains) {
        loss_sum += part.loss_sum;
        tokens += part.tokens;
        bytes += part.bytes;
        CHECK(part.tokens > 0);
        CHECK(part.expert_tokens.size() == 4);
    }
    CHECK(loss_sum == doctest::Approx(all.total.loss_sum));
    CHECK(tokens == all.total.tokens);
    CHECK(bytes == all.total.bytes);
    CHECK(all.total.bits_per_byte() ==
          doctest::Approx(all.total.loss() * double(tokens) / std::log(2) / double(bytes)));
    CHECK(evaluate(moe, run.data, 1, 0).total.loss_sum == all.total.loss_sum);
    CHECK(evaluate(moe, run.data, 1, 100).total.tokens <= 100);

    CHECK(!all.experts.empty());
    for (const std::vector<uint8_t>& block : all.experts) {
        CHECK(int64_t(block.size()) == all.total.tokens);
    }

    REQUIRE(int64_t(all.sequences.size()) == run.data.size());
    double of_sequences = 0;
    for (size_t i = 0; i < all.sequences.size(); ++i) {
        const SequenceLoss& one = all.sequences[i];
        CHECK(one.sequence == int64_t(i));
        CHECK(one.tokens == run.data.tokens_of(one.sequence));
        of_sequences += one.loss_sum;
    }
    CHECK(of_sequences == doctest::Approx(all.total.loss_sum).epsilon(1e-12));
}

TEST_CASE("evaluation: the share of tokens that changed experts is counted block by block") {
    Evaluation before, now;
    before.experts = {{0, 1, 2, 3}, {1, 1, 1, 1}};
    now.experts = {{0, 1, 2, 0}, {2, 2, 2, 1}};
    CHECK(experts_changed(before, now) == std::vector{0.25, 0.75});
    CHECK(experts_changed(now, now) == std::vector{0.0, 0.0});
    CHECK(experts_changed({}, now).empty());
    CHECK(experts_changed(before, {}).empty());
    now.experts[1].pop_back();
    CHECK_THROWS_AS(experts_changed(before, now), Error);
}
