// What is said of experts: information where the answer is known, losses against passes of one's
// own, agreement of divisions that are the same, renamed or unrelated.
// Read next: models/training/expert_analysis.cpp.
#include "models/training/expert_analysis.h"

#include <doctest/doctest.h>

#include <cmath>

#include "models/training/evaluation.h"
#include "tests/error_of.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

Config config_with(const std::string& kind) {
    Config config = small_config();
    config.model.router.kind = kind;
    config.model.experts.mask_where = MaskWhere::hidden;
    config.model.experts.mask_rate = 0.5;
    return config;
}

double loss_with(const SingleMoe& moe, const Dataset& data, const ExpertHook& hook) {
    const NoGrad no_grad;
    double sum = 0, tokens = 0;
    Rng chance(1);
    for (const std::vector<int64_t>& indices : data.evaluation_batches()) {
        const Batch batch = data.batch(indices);
        const Tensor losses = moe.model
                                  .losses(batch.inputs, moe.router->choose(batch.inputs, chance),
                                          batch.targets, nullptr, hook)
                                  .value();
        for (const real loss : losses.values()) {
            sum += double(loss);
            tokens += 1;
        }
    }
    return sum / tokens;
}

}  // namespace

TEST_CASE("expert analysis: a hash of the token says all of the expert, and nothing of the place") {
    const SmallRun run(config_with("hash"));
    SingleMoe moe(run.config.model, 3);
    moe.eval();
    const ExpertAnalysis result = analyse_experts(moe, run.data, 1, 0);
    CHECK(result.tokens == run.data.tokens());
    REQUIRE(result.blocks.size() == 2);
    for (const BlockExperts& block : result.blocks) {
        CHECK(block.token.bits == doctest::Approx(block.entropy).epsilon(1e-9));
        CHECK(block.token.floor < 0.5 * block.entropy);
        CHECK(block.domain.bits < 0.1 * block.entropy);
        double tokens = 0, entropy = 0;
        for (const int64_t count : block.tokens) {
            tokens += double(count);
        }
        for (const int64_t count : block.tokens) {
            const double share = double(count) / tokens;
            entropy -= count > 0 ? share * std::log2(share) : 0;
        }
        CHECK(tokens == double(result.tokens));
        CHECK(block.entropy == doctest::Approx(entropy));
    }
    CHECK(result.assignments[0] == result.assignments[1]);
}

TEST_CASE("expert analysis: the domain router says all of the domain") {
    Config config = config_with("domain");
    std::vector<Story> stories = small_stories(30);
    const Tokenizer tokenizer = small_tokenizer(stories);
    const Dataset data(stories, tokenizer, dataset_settings(config));
    REQUIRE(data.domains().size() == 3);
    SingleMoe moe(config.model, 3);
    moe.router->see_text(data);
    moe.eval();
    const BlockExperts block = analyse_experts(moe, data, 1, 0).blocks[1];
    CHECK(block.domain.bits == doctest::Approx(block.entropy).epsilon(1e-9));
    CHECK(block.domain.floor < 0.02);
}

TEST_CASE("expert analysis: losses with other experts are those of such a pass") {
    for (const char* kind : {"hash", "gate"}) {
        CAPTURE(kind);
        const SmallRun run(config_with(kind));
        SingleMoe moe(run.config.model, 3);
        moe.eval();
        const ExpertAnalysis result = analyse_experts(moe, run.data, 1, 0);
        CHECK(result.loss == doctest::Approx(evaluate(moe, run.data, 1, 0).total.loss()));
        for (int32_t k = 0; k < 4; ++k) {
            CHECK(result.single[size_t(k)] ==
                  doctest::Approx(
                      loss_with(moe, run.data, [k](int64_t, const Tensor&, Experts& experts) {
                          std::ranges::fill(experts, k);
                      })));
            bool used = false, second = true;
            const double banned =
                loss_with(moe, run.data, [&](int64_t, const Tensor& scores, Experts& experts) {
                    for (size_t n = 0; n < experts.size(); ++n) {
                        if (experts[n] != k) {
                            continue;
                        }
                        used = true;
                        experts[n] = (k + 1) % 4;
                        for (int32_t other = 0; scores.defined() && other < 4; ++other) {
                            const real* const row = scores.data() + 4 * int64_t(n);
                            if (other != k && row[other] > row[experts[n]]) {
                                experts[n] = other;
                            }
                        }
                        second &= experts[n] != k;
                    }
                });
            CHECK(second);
            CHECK(result.banned[size_t(k)] == doctest::Approx(banned));
            CHECK((result.banned[size_t(k)] != result.loss) == used);
            CHECK(result.oracle < result.single[size_t(k)]);
        }
        CHECK(result.permuted ==
              doctest::Approx(loss_with(moe, run.data, [](int64_t, const Tensor&, Experts& all) {
                  for (int32_t& expert : all) {
                      expert = (expert + 1) % 4;
                  }
              })));
        CHECK(result.oracle < result.loss);
        const ExpertAnalysis brief = analyse_experts(moe, run.data, 1, 0, false);
        CHECK(brief.permuted == result.permuted);
        CHECK(brief.banned.empty());
        CHECK(std::isnan(brief.oracle));
    }
    const SmallRun dense(config_with("none"));
    const SingleMoe moe(dense.config.model, 3);
    CHECK(error_of([&] { analyse_experts(moe, dense.data, 1, 0); }) ==
          "this model is dense: it has no experts to look at");
}

TEST_CASE("expert analysis: agreement knows no names and corrects for chance") {
    Rng rng(5);
    std::vector<uint8_t> a(4000), renamed(4000), unrelated(4000), half(4000);
    for (size_t n = 0; n < a.size(); ++n) {
        a[n] = uint8_t(rng.below(6));
        renamed[n] = uint8_t((a[n] * 5 + 2) % 6);
        unrelated[n] = uint8_t(rng.below(6));
        half[n] = rng.below(2) == 0 ? a[n] : unrelated[n];
    }
    CHECK(agreement(a, a, 1) == doctest::Approx(1));
    CHECK(agreement(a, renamed, 1) == doctest::Approx(1));
    CHECK(std::abs(agreement(a, unrelated, 1)) < 0.01);
    CHECK(agreement(a, half, 1) > 0.1);
    CHECK(agreement(a, half, 1) < 0.5);
    CHECK(error_of([&] {
              agreement(a, {1, 2}, 1);
          }) == "agreement: expected two divisions of the same tokens, found 4000 and 2");
}

}  // namespace smoe
