// Router: the four ways to pick an expert, and the draw of experts while one learns. Only the
// network sees what came before a token; the others need its id, or nothing.
// Read next: router_loss.cpp.
#include "models/transformer/router.h"

#include "core/check.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

Router::Router(const std::string& kind, const DecoderSettings& settings, uint64_t seed, Rng& init)
    : kind_(kind), num_experts_(settings.num_experts), seed_(seed) {
    check(kind == "router" || kind == "hash" || kind == "random" || kind == "none",
          "router: expected router, hash, random or none, found '{}'", kind);
    if (kind == "router") {
        network_ = std::make_unique<Decoder>(settings, init);
    }
}

Experts Router::choose(const std::vector<int32_t>& tokens, const std::vector<int64_t>& offsets,
                       Rng& chance) const {
    if (kind_ == "none") {
        return {};
    }
    Experts chosen(tokens.size());
    if (network_ == nullptr) {
        for (size_t n = 0; n < tokens.size(); ++n) {
            chosen[n] = choose_one(tokens[n], chance);
        }
        return chosen;
    }
    // Each sequence by itself, so that its experts do not depend on which others are in the batch,
    // not even by rounding.
    parallel_chunks(int64_t(offsets.size()) - 1, [&](int64_t b) {
        const NoGrad no_grad;  // recording is switched for each thread
        const int64_t begin = offsets[size_t(b)], end = offsets[size_t(b) + 1];
        const std::vector<int32_t> own(tokens.begin() + begin, tokens.begin() + end);
        const Tensor scores = network_->forward(own, {0, end - begin}, {}).value();  // (N, K)
        for (int64_t n = begin; n < end; ++n) {
            chosen[size_t(n)] =
                int32_t(argmax(scores.data() + (n - begin) * num_experts_, num_experts_));
        }
    });
    return chosen;
}

int32_t Router::choose_one(int32_t token, Rng& chance) const {
    check(network_ == nullptr, "router: a learned router chooses by what came before, too");
    if (kind_ == "hash") {
        return int32_t(philox(seed_, 0, uint64_t(token))[0] % uint64_t(num_experts_));
    }
    return kind_ == "random" ? int32_t(chance.below(uint64_t(num_experts_))) : -1;
}

Experts sample_experts(const Tensor& routing, Rng& rng) {
    const int64_t K = routing.size(-1);
    std::vector<real> mixed(static_cast<size_t>(K));
    Experts experts;
    experts.reserve(size_t(routing.rows()));
    for (int64_t n = 0; n < routing.rows(); ++n) {
        for (int64_t k = 0; k < K; ++k) {
            // The sum of these is 1.2, and the draw divides by it.
            mixed[size_t(k)] = routing.data()[n * K + k] + real(0.2) / real(K);
        }
        experts.push_back(int32_t(rng.categorical(mixed)));
    }
    return experts;
}

}  // namespace smoe
