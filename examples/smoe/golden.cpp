// Golden files: reading the sizes, building the two networks, recomputing, comparing. Whatever is
// read is marked, and nothing may be unmarked at the end.
// Read next: tests/examples/golden_test.cpp, which tampers with every number of one.
#include "examples/smoe/golden.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <set>

#include "autograd/engine.h"
#include "autograd/ops.h"
#include "core/check.h"
#include "core/vector_math.h"
#include "models/generation/sampling.h"
#include "models/transformer/decoder.h"
#include "models/transformer/routers/router_loss.h"
#include "nn/flat_parameters.h"
#include "nn/optim/schedule_free_adamw.h"

namespace smoe {
namespace {

// What a golden file says. Each tensor is asked for by name and expected shape; the reader
// remembers what was asked for.
class Reader {
  public:
    explicit Reader(const TensorFile& file) : file_(file) {}

    int64_t size(const char* key, int64_t least = 1) const {
        constexpr int64_t most = 1 << 16;
        const std::string& text = metadata(key);
        int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        check(error == std::errc() && end == text.data() + text.size() && value >= least &&
                  value <= most,
              "'{}': the metadata must give '{}' as a whole number from {} to {}, found '{}'",
              file_.origin, key, least, most, text.substr(0, 40));
        return value;
    }

    double number(const char* key, double most) const {
        const std::string& text = metadata(key);
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        check(!text.empty() && end == text.c_str() + text.size() && value >= 0 && value <= most,
              "'{}': the metadata must give '{}' as a number from 0 to {}, found '{}'",
              file_.origin, key, most, text.substr(0, 40));
        return value;
    }

    const Tensor& tensor(const std::string& name, const Shape& shape) {
        const Tensor& found = file_.get(name);
        check(found.shape() == shape,
              "'{}': '{}' has shape {}, the sizes in the metadata make it {}", file_.origin, name,
              found.shape().str(), shape.str());
        used_.insert(name);
        return found;
    }

    std::vector<int32_t> ids(const std::string& name, const Shape& shape, int64_t count) {
        std::vector<int32_t> found;
        for (const real value : tensor(name, shape).values()) {
            check(value >= 0 && value < real(count) && value == std::floor(value),
                  "'{}': '{}' must hold whole numbers from 0 to {}, found {}", file_.origin, name,
                  count - 1, value);
            found.push_back(int32_t(value));
        }
        return found;
    }

    // The tensors whose names begin with `prefix`, without it.
    std::map<std::string, Tensor> below(const std::string& prefix) {
        std::map<std::string, Tensor> found;
        for (const auto& [name, tensor] : file_.tensors) {
            if (name.starts_with(prefix)) {
                used_.insert(name);
                found[name.substr(prefix.size())] = tensor;
            }
        }
        return found;
    }

    // A tensor that was not asked for would be a claim that nobody checked.
    void check_all_used() const {
        for (const auto& [name, tensor] : file_.tensors) {
            check(used_.contains(name), "'{}' holds the tensor '{}', which no golden file has",
                  file_.origin, name);
        }
    }

    const std::string& origin() const { return file_.origin; }

  private:
    const std::string& metadata(const char* key) const {
        const auto found = file_.metadata.find(key);
        check(found != file_.metadata.end(), "'{}' is no golden file: its metadata lacks '{}'",
              file_.origin, key);
        return found->second;
    }

    const TensorFile& file_;
    std::set<std::string> used_;
};

// The network whose state lies below `prefix`.
std::unique_ptr<Decoder> read_decoder(Reader& file, const std::string& prefix,
                                      const DecoderSettings& settings) {
    check(settings.width % 2 == 0 && settings.width % settings.heads == 0,
          "'{}': the width of '{}' must be even and a multiple of its heads, found {} and {}",
          file.origin(), prefix, settings.width, settings.heads);
    const std::map<std::string, Tensor> state = file.below(prefix);
    check_sizes(settings, state, file.origin());
    Rng unused(0);
    auto decoder = std::make_unique<Decoder>(settings, unused);
    decoder->load_state_dict(state, file.origin());
    return decoder;
}

// (2, 0, 17) for element i of a tensor.
std::string place(const Shape& shape, int64_t i) {
    std::string text;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        text = fmt::format("{}{}{}", i % shape[axis], text.empty() ? "" : ", ", text);
        i /= shape[axis];
    }
    return "(" + text + ")";
}

GoldenQuantity compare(const std::string& name, const Tensor& ours, const Tensor& golden) {
    GoldenQuantity quantity{name, 0, 0, ""};
    double scale = 1e-3;
    for (const real value : golden.values()) {
        scale = std::max(scale, std::min(1.0, double(std::abs(value))));
    }
    for (int64_t i = 0; i < golden.numel(); ++i) {
        const double expected = golden.data()[i], difference = std::abs(ours.data()[i] - expected);
        const auto relative_to = [&](double size) {
            return std::isfinite(difference) ? difference / std::max(std::abs(expected), size)
                                             : std::numeric_limits<double>::infinity();
        };
        quantity.error = std::max(quantity.error, relative_to(1));
        if (i == 0 || relative_to(scale) > quantity.own_error) {
            quantity.own_error = relative_to(scale);
            quantity.where = place(golden.shape(), i);
        }
    }
    return quantity;
}

class Verification {
  public:
    Verification(const TensorFile& source, std::string feed_forward)
        : file_(source),
          feed_forward_(std::move(feed_forward)),
          B_(file_.size("batch")),
          T_(file_.size("length", 2)),
          V_(file_.size("vocab")),
          K_(file_.size("experts")),
          expert_(file_.ids("expert", {B_, T_}, K_)) {
        // The masks come with the file. Their rate is only checked.
        file_.number("mask_rate", 1);
        model_ = read_decoder(file_, "model.", settings(V_, "dim", "layers", "heads"));
        router_ = read_decoder(file_, "router.",
                               settings(K_, "router_dim", "router_layers", "router_heads"));
        std::vector<int32_t> tokens = file_.ids("tokens", {B_, T_}, V_);
        std::vector<int64_t> offsets;
        for (int64_t b = 0; b <= B_; ++b) {
            offsets.push_back(b * T_);
        }
        for (int64_t n = 0; n < B_ * T_; ++n) {
            if (n % T_ < T_ - 1) {
                predicting_.push_back(int32_t(n));
                positions_.push_back(int32_t(n % T_));
                targets_.push_back(tokens[size_t(n + 1)]);
            }
        }
        sequences_ = Sequences(std::move(tokens), std::move(offsets));
    }

    GoldenReport run() {
        const FlatParameters model_flat(*model_), router_flat(*router_);
        verify_logits();
        const Tensor losses = verify_gradients(model_flat);
        verify_router(router_flat, losses);
        verify_training(model_flat);
        file_.check_all_used();
        return report_;
    }

  private:
    DecoderSettings settings(int64_t outputs, const char* width, const char* layers,
                             const char* heads) const {
        return {.vocab = V_,
                .outputs = outputs,
                .context = T_,
                .width = file_.size(width),
                .layers = file_.size(layers),
                .heads = file_.size(heads),
                .hidden = 4 * file_.size(width),
                .num_experts = K_,
                .feed_forward = feed_forward_};
    }

    void expect(const std::string& name, const Tensor& ours, const Shape& shape) {
        report_.quantities.push_back(compare(name, ours.reshape(shape), file_.tensor(name, shape)));
    }

    // Adds a row for each parameter of `decoder`. Its numbers of this kind lie in `flat` as
    // `values`.
    void expect_each(const std::string& prefix, const Decoder& decoder, const FlatParameters& flat,
                     const Tensor& values) {
        const std::map<std::string, Tensor> state = decoder.state_dict();
        const std::map<std::string, Tensor> ours = flat.state_dict_with(values);
        for (const auto& [name, gradient] : flat.state_dict_with(flat.grads())) {
            // Masks and positions are not parameters, so they have no place among the gradients.
            if (gradient.data() != state.at(name).data()) {
                expect(prefix + name, ours.at(name), gradient.shape());
            }
        }
    }

    // The losses of every position but the last of each sequence, which predicts nothing.
    Variable token_losses() const {
        const Variable logits = model_->forward(sequences_, expert_);          // (BT, V)
        return cross_entropy(index_select(logits, 0, predicting_), targets_);  // (B(T-1))
    }

    void verify_logits() {
        const NoGrad no_grad;
        const Tensor logits = model_->forward(sequences_, expert_).value();
        expect("logits", logits, {B_, T_, V_});
        expect("dense_logits", model_->forward(sequences_, {}).value(), {B_, T_, V_});
        const Tensor routing = router_->forward(sequences_, {}).value();
        expect("router_logits", routing, {B_, T_, K_});
        const Tensor experts = Tensor::empty({B_, T_});
        for (int64_t n = 0; n < B_ * T_; ++n) {
            experts.data()[n] = real(argmax(routing.data() + n * K_, K_));
        }
        expect("expert", experts, {B_, T_});
        verify_nucleus(logits);
    }

    // Checks the distribution at the last position.
    void verify_nucleus(const Tensor& logits) {
        const Tensor last = Tensor::empty({B_, V_});
        for (int64_t b = 0; b < B_; ++b) {
            std::copy_n(logits.data() + ((b + 1) * T_ - 1) * V_, V_, last.data() + b * V_);
        }
        expect("nucleus.probs", softmax(Variable(last)).value(), {B_, V_});
        // It starts from the file's own numbers: a rounding error at the border must not count as a
        // wrong set.
        const Tensor& probs = file_.tensor("nucleus.probs", {B_, V_});
        const Tensor kept = Tensor::zeros({B_, V_});
        Sampler sampler;
        for (int64_t b = 0; b < B_; ++b) {
            for (const Sampler::Ranked& token : sampler.nucleus(probs.narrow(b, 1).values(), 0.9)) {
                kept.data()[b * V_ + token.id] = 1;
            }
        }
        expect("nucleus.kept", kept, {B_, V_});
    }

    Tensor verify_gradients(const FlatParameters& flat) {
        const Variable losses = token_losses();
        expect("token_losses", losses.value(), {B_, T_ - 1});
        const Variable loss = mean(losses);
        expect("loss", loss.value(), {1});
        backward(loss);
        expect_each("grad.model.", *model_, flat, flat.grads());
        return losses.value();
    }

    void verify_router(const FlatParameters& flat, const Tensor& losses) {
        const Experts sampled = file_.ids("sampled_expert", {B_, T_ - 1}, K_);
        const Variable logits = router_->forward(sequences_, {});                // (BT, K)
        const Variable routing = softmax(index_select(logits, 0, predicting_));  // (B(T-1), K)
        const RouterLosses objectives = router_losses(routing, sampled, losses, positions_);
        expect("router_loss",
               Tensor::from({2}, {objectives.correctness.value().item(),
                                  objectives.distribution.value().item()}),
               {2});
        backward(add(objectives.correctness, objectives.distribution));
        expect_each("grad.router.", *router_, flat, flat.grads());
    }

    void verify_training(const FlatParameters& flat) {
        ScheduleFreeAdamW optimizer(flat.values(), flat.grads(),
                                    {.lr = file_.number("lr", 10),
                                     .weight_decay = file_.number("weight_decay", 10),
                                     .warmup = file_.size("warmup", 0)});
        const int64_t steps = file_.size("steps");
        const Tensor history = Tensor::empty(file_.tensor("trained.loss", {steps}).shape());
        for (int64_t step = 0; step < steps; ++step) {
            flat.zero_grad();
            const Variable loss = mean(token_losses());
            history.data()[step] = loss.value().item();
            backward(loss);
            optimizer.step();
        }
        expect("trained.loss", history, {steps});
        expect_each("trained.y.model.", *model_, flat, flat.values());
        optimizer.eval();
        expect_each("trained.x.model.", *model_, flat, flat.values());
        optimizer.train();
    }

    Reader file_;
    std::string feed_forward_;  // the kind that the networks are built of
    int64_t B_, T_, V_, K_;     // batch, length, vocabulary, experts
    Sequences sequences_;
    Experts expert_;
    // Positions that predict a token: their rows, places in the sequence, and the tokens.
    std::vector<int32_t> predicting_, positions_, targets_;
    std::unique_ptr<Decoder> model_, router_;
    GoldenReport report_;
};

}  // namespace

bool GoldenReport::passed() const {
    return !quantities.empty() &&
           std::all_of(quantities.begin(), quantities.end(),
                       [](const GoldenQuantity& quantity) { return quantity.passed(tolerance); });
}

GoldenReport verify_golden(const TensorFile& file, const std::string& feed_forward) {
    return Verification(file, feed_forward).run();
}

}  // namespace smoe
