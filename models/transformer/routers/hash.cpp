// The router `hash`: a token's expert is a hash of its id, the same wherever the token stands
// (Roller et al., "Hash Layers for Large Sparse Models", 2021).
// Read next: random.cpp.
#include "core/streams.h"
#include "models/transformer/routers/kinds.h"

namespace smoe {
namespace {

class HashRouter : public Router {
  public:
    HashRouter(int64_t num_experts, uint64_t seed) : Router(num_experts), seed_(seed) {}

    std::string description() const override { return "a hash of the token's id"; }

    int32_t expert_of(int32_t token) const {
        const auto words = philox(seed_, stream_number(Stream::hash), uint64_t(token));
        return int32_t(words[0] % uint64_t(num_experts()));
    }

    std::unique_ptr<Step> step(int64_t) const override {
        class HashStep : public Step {
          public:
            explicit HashStep(const HashRouter& router) : router_(router) {}
            void choose(std::span<NextToken> next, std::span<Rng>) override {
                for (NextToken& one : next) {
                    one.expert = router_.expert_of(one.token);
                }
            }

          private:
            const HashRouter& router_;
        };
        return std::make_unique<HashStep>(*this);
    }

  protected:
    Experts choose_experts(const Sequences& sequences, Rng&) const override {
        Experts experts;
        for (const int32_t token : sequences.tokens()) {
            experts.push_back(expert_of(token));
        }
        return experts;
    }

  private:
    uint64_t seed_;
};

}  // namespace

RouterKind hash_router_kind() {
    return {.make = [](const ModelSettings& settings, uint64_t seed) {
        return std::make_unique<HashRouter>(settings.experts.count, seed);
    }};
}

}  // namespace smoe
