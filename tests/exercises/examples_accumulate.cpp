// Exercise: gradients of a batch that is too large for the memory (gradient accumulation). Go
// through its sequences in `parts` parts, one after the other, with one forward and one backward
// each, so that only one part's graph exists at a time. Afterwards the gradients of the model's
// parameters must have grown by what backward(mean(model.losses(whole batch))) adds, and the mean
// loss is returned. Mind that parts may have different numbers of tokens: the mean of their means
// is not the mean. Also mind that offsets begin at 0, and that there may be more parts than
// sequences.
// Level 3 of 3, about 60 minutes. Two hints are at the end.
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/rng.h"
#include "models/text/dataset.h"
#include "models/transformer/decoder.h"
#include "nn/flat_parameters.h"
#include "tests/autograd/gradient_check.h"
#include "tests/exercises/exercise.h"

double accumulate_gradients(const smoe::Decoder& model, const smoe::Batch& batch,
                            const smoe::Experts& experts, int64_t parts);

using namespace smoe;

namespace {

// Sequences of 3 to 30 tokens, and an expert for each token.
struct Work {
    Batch batch;
    Experts experts;

    Work() {
        Rng rng(3);
        std::vector<int32_t> tokens;
        std::vector<int64_t> offsets = {0};
        for (const int64_t length : {30, 3, 17, 5, 24, 3, 11, 28}) {
            for (int64_t t = 0; t < length; ++t) {
                tokens.push_back(int32_t(rng.below(20)));
                batch.targets.push_back(int32_t(rng.below(20)));
                experts.push_back(int32_t(rng.below(4)));
            }
            offsets.push_back(int64_t(tokens.size()));
        }
        batch.inputs = Sequences(tokens, offsets);
    }
};

const DecoderSettings settings{.vocab = 20,
                               .outputs = 20,
                               .context = 32,
                               .width = 16,
                               .layers = 2,
                               .heads = 2,
                               .hidden = 32,
                               .num_experts = 4,
                               .mask_rate = 0.5,
                               .mask_seed = 1};

}  // namespace

TEST_CASE("accumulate_gradients: loss and gradients of the whole batch, for any number of parts") {
    const Work work;
    Rng init(1);
    Decoder model(settings, init);
    const FlatParameters flat(model);
    const Variable loss = mean(model.losses(work.batch.inputs, work.experts, work.batch.targets));
    backward(loss);
    const std::vector<double> expected(flat.grads().values().begin(), flat.grads().values().end());
    for (const int64_t parts : {1, 2, 3, 5, 8, 20}) {
        flat.zero_grad();
        expect_close(fmt::format("the loss of {} parts", parts),
                     accumulate_gradients(model, work.batch, work.experts, parts),
                     double(loss.value().item()), 1e-12);
        expect_elements(fmt::format("the gradients of {} parts", parts), flat.grads(), expected,
                        1e-12);
    }
    accumulate_gradients(model, work.batch, work.experts, 4);  // adds to what is there
    for (real& grad : flat.grads().values()) {
        grad /= 2;
    }
    expect_elements("half of the gradients of two calls", flat.grads(), expected, 1e-12);
}

TEST_CASE("accumulate_gradients: more parts, less memory") {
    const Work work;
    Rng init(1);
    Decoder model(settings, init);
    const FlatParameters flat(model);
    const auto peak = [&](int64_t parts) {
        reset_peak();
        const int64_t before = memory_use().live;
        accumulate_gradients(model, work.batch, work.experts, parts);
        return memory_use().peak - before;
    };
    const int64_t whole = peak(1), in_eight = peak(8);
    CHECK(whole > 0);
    CHECK(in_eight < whole / 2);
}

// Hint 1: the mean over all tokens is the sum of the parts' sums, each divided by the number of
// tokens of the whole batch. backward adds to the gradients that are there.
// Hint 2: part p gets the sequences from count * p / parts to count * (p + 1) / parts - 1, which
// may be none. Subtract the first offset of a part from all of its offsets.
