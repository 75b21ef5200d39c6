// LearnedRouter: it uses forward for whole sequences and an incremental decoder for one more token.
// Read next: router_loss.cpp.
#include "models/transformer/routers/learned.h"

#include <cmath>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/streams.h"
#include "core/threads.h"
#include "core/vector_math.h"
#include "models/transformer/incremental_decoder.h"
#include "models/transformer/routers/kinds.h"
#include "models/transformer/routers/router_loss.h"

namespace smoe {
namespace {

class LearnedStep : public Router::Step {
  public:
    LearnedStep(const Decoder& network, int64_t slots) : decoder_(network, slots) {}

    void choose(std::span<NextToken> next, std::span<Rng>) override {
        const int64_t K = decoder_.settings().outputs;
        rows_.clear();
        for (const NextToken& one : next) {
            // The router's own network is dense.
            rows_.push_back({.slot = one.slot, .token = one.token, .expert = no_expert});
        }
        scores_.resize(next.size() * size_t(K));
        decoder_.append(rows_, scores_);
        for (size_t n = 0; n < next.size(); ++n) {
            next[n].expert = int32_t(argmax(scores_.data() + int64_t(n) * K, K));
        }
    }
    std::span<const real> scores() const override { return scores_; }
    void clear(int32_t slot) override { decoder_.clear(slot); }
    void copy(int32_t from, int32_t to) override { decoder_.copy(from, to); }

  private:
    IncrementalDecoder decoder_;
    std::vector<IncrementalDecoder::Next> rows_;
    std::vector<real> scores_;  // (rows, K)
};

}  // namespace

LearnedRouter::LearnedRouter(const DecoderSettings& settings, int64_t learning_steps, Rng init)
    : Router(settings.outputs), network_(settings, init), learning_steps_(learning_steps) {}

std::string LearnedRouter::description() const {
    return fmt::format("a smaller transformer, which learns for {} steps", learning_steps_);
}

Tensor LearnedRouter::probabilities(const Sequences& sequences) const {
    const NoGrad no_grad;
    return softmax(network_.forward(sequences, {})).value();
}

std::unique_ptr<Router::Step> LearnedRouter::step(int64_t slots) const {
    check(!training(), "router: it is in training mode; call eval() first");
    return std::make_unique<LearnedStep>(network_, slots);
}

double LearnedRouter::cost(const BatchShape& batch, Pass pass) const {
    const Pass own = pass == Pass::training ? Pass::training_logits : pass;
    return decoder_costs(network_, batch.dense(), own).total();
}

Experts LearnedRouter::choose_experts(const Sequences& sequences, Rng&) const {
    const int64_t K = num_experts();
    Experts chosen(size_t(sequences.size()));
    parallel_chunks(sequences.count(), [&](int64_t b) {
        const NoGrad no_grad;  // recording is switched for each thread
        const Sequences own = sequences.only(b);
        const int64_t begin = sequences.offsets()[size_t(b)];
        const Tensor scores = network_.forward(own, {}).value();  // (N, K)
        for (int64_t n = 0; n < own.size(); ++n) {
            chosen[size_t(begin + n)] = int32_t(argmax(scores.data() + n * K, K));
        }
    });
    return chosen;
}

Router::Lesson LearnedRouter::explore(const Sequences& sequences, Rng& chance, Rng& dropout) const {
    const Variable probabilities = softmax(network_.forward(sequences, {}, &dropout));  // (N, K)
    const double total = sum(probabilities.value().data(), probabilities.shape().numel());
    check(std::isfinite(total), "the router's output is {}", total);
    return {sample_experts(probabilities.value(), chance), probabilities};
}

Router::Objectives LearnedRouter::objectives(const Lesson& lesson, const Tensor& losses,
                                             const Sequences& sequences) const {
    const RouterLosses parts =
        router_losses(lesson.probabilities, lesson.experts, losses, sequences.positions());
    return {{"correctness", parts.correctness}, {"distribution", parts.distribution}};
}

Experts sample_experts(const Tensor& probabilities, Rng& rng) {
    const int64_t K = probabilities.size(-1);
    std::vector<real> mixed(static_cast<size_t>(K));
    Experts experts;
    experts.reserve(size_t(probabilities.rows()));
    for (int64_t n = 0; n < probabilities.rows(); ++n) {
        for (int64_t k = 0; k < K; ++k) {
            // These add up to 1.2, and the draw divides by that sum.
            mixed[size_t(k)] = probabilities.data()[n * K + k] + real(0.2) / real(K);
        }
        experts.push_back(int32_t(rng.categorical(mixed)));
    }
    return experts;
}

RouterKind learned_router_kind() {
    return {.make =
                [](const ModelSettings& settings, uint64_t seed) {
                    return std::make_unique<LearnedRouter>(router_decoder(settings),
                                                           settings.router.steps,
                                                           stream(seed, Stream::router_weights));
                },
            .check_sizes =
                [](const ModelSettings& settings, const std::map<std::string, Tensor>& state,
                   const std::string& origin) {
                    check_sizes(router_decoder(settings), state, origin);
                }};
}

}  // namespace smoe
