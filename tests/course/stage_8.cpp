// Stage 8: attention, as an op and as a layer.
// Read next: stage_9.cpp.
#include "nn/attention.h"
#include "tests/autograd/textbook.h"
#include "tests/course/course.h"

using namespace smoe;

namespace {

Sequences with_offsets(const std::vector<int64_t>& offsets) {
    return Sequences(std::vector<int32_t>(size_t(offsets.back()), 0), offsets);
}

}  // namespace

TEST_CASE("stage 8: attention") {
    // Two keys that fit the query equally: the mean of both values. The first row sees itself only.
    const Tensor two = Tensor::from({2, 3}, {0, 1, 10, 0, 1, 30});
    check_equal("attention over the values 10 and 30",
                attention(Variable(two), with_offsets({0, 2}), 1).value(),
                Tensor::from({2, 1}, {10, 20}));
    for (const int64_t heads : {1, 2, 3}) {
        // The second of the sequences is empty.
        const std::vector<int64_t> offsets = {0, 4, 4, 5, 11};
        check_op(
            fmt::format("attention with {} heads of sequences of 4, 0, 1 and 6 tokens", heads),
            {random_tensor({11, 18}, 1)},
            [=](const Variables& in) { return attention(in[0], with_offsets(offsets), heads); },
            [=](const Tensors& in) { return textbook::attention(in[0], offsets, heads); });
    }
    const Tensor large = random_tensor({300, 6}, 1);
    const auto long_one = [](const Variables& in) {
        return attention(in[0], with_offsets({0, 300}), 1);
    };
    check_equal("attention over 300 tokens", long_one({Variable(large)}).value(),
                textbook::attention(large, {0, 300}, 1));
    CHECK(directional_error(long_one, {large}) < 1e-7);
    check_equal("attention with scores of a million",
                attention(Variable(Tensor::from({2, 3}, {1e3, 1e3, 10, 1e3, -1e3, 30})),
                          with_offsets({0, 2}), 1)
                    .value(),
                Tensor::from({2, 1}, {10, 10}));
    const auto refused = [](int64_t rows, int64_t cols, int64_t tokens, int64_t heads) {
        return [=] {
            attention(Variable(Tensor::zeros({rows, cols})), with_offsets({0, tokens}), heads);
        };
    };
    check_refused("attention", "9 columns with 2 heads", refused(4, 9, 4, 2));
    check_refused("attention", "no heads", refused(4, 6, 4, 0));
    check_refused("attention", "4 rows for sequences of 5 tokens", refused(4, 6, 5, 1));
}

TEST_CASE("stage 8: CausalSelfAttention::forward") {
    Rng rng(1);
    const CausalSelfAttention layer(Scope{}, 6, 2, rng);
    const Tensor x = random_tensor({5, 6}, 2);
    const Tensor qkv = textbook::linear(x, layer.qkv_proj.weight.value(), Tensor());
    check_equal("a layer of attention", layer.forward(Variable(x), with_offsets({0, 2, 5})).value(),
                textbook::linear(textbook::attention(qkv, {0, 2, 5}, 2),
                                 layer.out_proj.weight.value(), Tensor()));
}
