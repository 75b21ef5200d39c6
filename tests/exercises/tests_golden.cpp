// Exercise: compare what this model computed with what a different implementation computed,
// quantity by quantity, without false alarms and without missing a mistake. Return the names of the
// tensors that disagree, sorted:
//     those that only one of the two has, or that have different shapes
//     those with a number for which |ours - golden| > tolerance max(|golden|, scale), where scale is
//     the largest |golden| of that tensor, but at least 1e-3 and at most 1
//     those with a number, ours or golden, that is not finite
// Why this scale? A bound of tolerance alone is too strict for numbers in the thousands and misses
// mistakes if all numbers of a gradient are small. A bound of tolerance |golden| takes the rounding
// of a 0 for a mistake.
// Level 2 of 3, about 40 minutes. Two hints are at the end.
#include <limits>
#include <string>

#include "core/safetensors.h"
#include "tests/exercises/exercise.h"

std::vector<std::string> disagreements(const smoe::TensorFile& ours, const smoe::TensorFile& golden,
                                       double tolerance);

using namespace smoe;

namespace {

using Names = std::vector<std::string>;
using Numbers = std::initializer_list<real>;

// Whether ours and the golden numbers, one tensor each, disagree as they should.
void expect_disagreement(bool expected, Numbers ours, Numbers golden) {
    TensorFile a, b;
    a.tensors["x"] = Tensor::from({int64_t(ours.size())}, ours);
    b.tensors["x"] = Tensor::from({int64_t(golden.size())}, golden);
    const Names found = disagreements(a, b, 1e-4);
    CHECK_MESSAGE(
        found == (expected ? Names{"x"} : Names{}),
        fmt::format("ours ({}), golden ({}): they should {}, found {} names", fmt::join(ours, ", "),
                    fmt::join(golden, ", "), expected ? "disagree" : "agree", found.size()));
}

}  // namespace

TEST_CASE("disagreements: rounding is none, mistakes are some") {
    expect_disagreement(false, {1, -2}, {1, -2});
    expect_disagreement(false, {3000.2, 1}, {3000, 1});         // 7e-5 of 3000
    expect_disagreement(true, {3000, 1.0002}, {3000, 1});       // though beside a large one
    expect_disagreement(false, {1, 1e-7}, {1, 0});              // the rounding of a 0 beside a 1
    expect_disagreement(true, {1e-2, 2e-2}, {1.001e-2, 2e-2});  // small, wrong by a thousandth
    expect_disagreement(false, {1e-2, 1e-6}, {1e-2, 0});
    expect_disagreement(false, {1e-8, 5e-8}, {0, 0});
    expect_disagreement(true, {1e-8, 2e-7}, {0, 0});
    expect_disagreement(true, {2e-4}, {-2e-4});
    expect_disagreement(false, {}, {});
}

TEST_CASE("disagreements: what is not finite, missing, left over or of another shape") {
    const real infinity = std::numeric_limits<real>::infinity();
    expect_disagreement(true, {1, real(NAN)}, {1, 2});
    expect_disagreement(true, {1, 2}, {1, real(NAN)});
    expect_disagreement(true, {real(NAN), 1}, {real(NAN), 1});
    expect_disagreement(true, {infinity, 1}, {infinity, 1});
    expect_disagreement(true, {5, 1}, {5, infinity});
    TensorFile ours, golden;
    ours.tensors = {
        {"a", Tensor::zeros({2, 3})}, {"b", Tensor::zeros({1})}, {"d", Tensor::zeros({2})}};
    golden.tensors = {
        {"a", Tensor::zeros({3, 2})}, {"c", Tensor::zeros({1})}, {"d", Tensor::zeros({2})}};
    CHECK(disagreements(ours, golden, 1e-4) == Names{"a", "b", "c"});
    CHECK(disagreements({}, {}, 1e-4).empty());
}

TEST_CASE("disagreements: no number of a golden file can be changed unnoticed") {
    const TensorFile golden = read_safetensors("tests/golden/smoe_small.safetensors");
    CHECK(golden.tensors.size() > 100);
    TensorFile ours = golden;
    for (auto& entry : ours.tensors) {
        const std::string& name = entry.first;
        CAPTURE(name);
        Tensor& tensor = entry.second;
        const Tensor before = tensor;
        real largest = real(1e-3);
        for (const real number : before.values()) {
            largest = std::max(largest, std::abs(number));
        }
        const real scale = std::min(largest, real(1));
        tensor = before.clone();
        for (real& number : tensor.values()) {  // half of what is allowed
            number += real(0.5e-4) * std::max(std::abs(number), scale);
        }
        CHECK(disagreements(ours, golden, 1e-4).empty());
        for (const int64_t place : {int64_t(0), before.numel() / 2, before.numel() - 1}) {
            tensor = before.clone();
            real& number = tensor.data()[place];
            number += real(2e-4) * std::max(std::abs(number), scale);
            CHECK(disagreements(ours, golden, 1e-4) == Names{name});
        }
        tensor = before;
    }
}

// Hint 1: the scale of a tensor is its largest |golden|, at least 1e-3 and at most 1; a number may
// be off by tolerance times the larger of |golden| and the scale.
// Hint 2: comparisons with NaN are false, so ask std::isfinite of both numbers first. A std::set of
// names is sorted and has no name twice.
