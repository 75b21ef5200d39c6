// Lesson 12: the transformer of lesson 11 learns to write words backwards. Each letter that it writes must be
// fetched from a different place, and nothing in it knows which: attention learns that. It reads
// the word and '>', then it answers. The loss only counts the answer, since nobody could predict
// the letters of a random word. Claim: it reverses more than 95 % of words that it has never seen
// without a mistake.
// Next: 13_sampling.cpp. The network: models/transformer/decoder.h.
#include <fmt/core.h>

#include <set>
#include <string>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"
#include "examples/drawings.h"
#include "models/transformer/decoder.h"
#include "nn/flat_parameters.h"
#include "nn/optim/optimizer.h"

using namespace smoe;

namespace {

constexpr int64_t letters = 12, shortest = 3, longest = 8;
constexpr int32_t arrow = letters, end = letters + 1;  // the two tokens that are not letters
constexpr int64_t vocab = letters + 2;

std::string random_word(Rng& rng) {
    std::string word(shortest + rng.below(longest - shortest + 1), ' ');
    for (char& letter : word) {
        letter = char('a' + rng.below(letters));
    }
    return word;
}

// Words of different lengths lie end to end, without padding:
//     word  abc     inputs  a b c > c b a     targets  b c > c b a .     (.: the end)
struct Batch {
    std::vector<int32_t> inputs, targets;
    std::vector<int64_t> offsets = {0};
    std::vector<real> answer;  // 1 where the target is part of the answer

    void add(const std::string& word) {
        std::vector<int32_t> all;
        for (const char letter : word) {
            all.push_back(letter - 'a');
        }
        all.push_back(arrow);
        for (size_t i = word.size(); i-- > 0;) {
            all.push_back(word[i] - 'a');
        }
        all.push_back(end);
        inputs.insert(inputs.end(), all.begin(), all.end() - 1);
        targets.insert(targets.end(), all.begin() + 1, all.end());
        for (size_t i = 1; i < all.size(); ++i) {
            answer.push_back(i > word.size() ? 1 : 0);
        }
        offsets.push_back(int64_t(inputs.size()));
    }
};

// What the model would write after '>' for the word of each sequence. As long as it is right, the
// next input is its own last letter, so a word comes out right exactly if it would when the model
// writes alone.
std::vector<std::string> answers(const Decoder& model, const Batch& batch) {
    const NoGrad no_grad;
    const Tensor logits = model.forward({batch.inputs, batch.offsets}, {}).value();  // (N, vocab)
    std::vector<std::string> written(batch.offsets.size() - 1);
    for (size_t b = 0; b < written.size(); ++b) {
        for (int64_t n = batch.offsets[b]; n < batch.offsets[b + 1]; ++n) {
            if (batch.answer[size_t(n)] > 0) {
                const int64_t token = argmax(logits.data() + n * vocab, vocab);
                written[b] += token == arrow ? '>' : token == end ? '.' : char('a' + token);
            }
        }
    }
    return written;
}

}  // namespace

int main() {
    set_threads(1);  // little work: beside busy programs, two threads would be many times slower
    Rng rng(7);
    std::set<std::string> unseen;
    while (unseen.size() < 500) {
        unseen.insert(random_word(rng));
    }
    Batch test;
    for (const std::string& word : unseen) {
        test.add(word);
    }

    Decoder model({.vocab = vocab,
                   .outputs = vocab,
                   .context = 2 * longest + 2,
                   .width = 64,
                   .layers = 2,
                   .heads = 4,
                   .hidden = 128,
                   .num_experts = 1},
                  rng);
    const FlatParameters flat(model);
    const auto optimizer =
        make_optimizer("schedule_free", flat.values(), flat.grads(), {.lr = 3e-3, .warmup = 50});
    fmt::print(
        "A transformer of two blocks, {} parameters, and {} words that it never learns from:\n",
        model.parameter_count(), unseen.size());

    double accuracy = 0;
    for (int step = 0; step <= 2000; ++step) {
        if (step % 200 == 0) {
            optimizer->eval();
            const std::vector<std::string> written = answers(model, test);
            int64_t right = 0;
            auto answer = written.begin();
            for (const std::string& word : unseen) {
                right += *answer++ == std::string(word.rbegin(), word.rend()) + ".";
            }
            accuracy = double(right) / double(unseen.size());
            fmt::print("step {:5}  reversed without a mistake: {:5.1f} %, for example {}>{}\n",
                       step, 100 * accuracy, *unseen.rbegin(), written.back());
            optimizer->train();
        }
        Batch batch;
        while (batch.offsets.size() <= 32) {
            const std::string word = random_word(rng);
            if (!unseen.contains(word)) {
                batch.add(word);
            }
        }
        const int64_t N = int64_t(batch.inputs.size());
        const Variable losses =
            model.losses({batch.inputs, batch.offsets}, {}, batch.targets);  // (N)
        backward(sum(losses * Variable(Tensor::from({N}, batch.answer))));
        optimizer->step();
        flat.zero_grad();
    }
    optimizer->eval();
    draw_attention(model, {0, 1, 2, 3, 4, 5, 6, arrow, 6, 5, 4, 3, 2, 1, 0},
                   {"a", "b", "c", "d", "e", "f", "g", ">", "g", "f", "e", "d", "c", "b", "a"},
                   "12_reverse");
    check(accuracy > 0.95, "lesson: only {:.1f} % of the unseen words were reversed",
          100 * accuracy);
    return 0;
}
