// The router `random`: each token's expert is drawn, all equally likely. It is a control: what a
// model reaches with it owes nothing to the choice of experts.
// Read next: learned.cpp.
#include "models/transformer/routers/kinds.h"

namespace smoe {
namespace {

class RandomRouter : public Router {
  public:
    using Router::Router;

    std::string description() const override { return "a random draw"; }
    bool draws() const override { return true; }

    int32_t draw(Rng& chance) const { return int32_t(chance.below(uint64_t(num_experts()))); }

    std::unique_ptr<Step> step(int64_t) const override {
        class RandomStep : public Step {
          public:
            explicit RandomStep(const RandomRouter& router) : router_(router) {}
            void choose(std::span<NextToken> next, std::span<Rng> chance) override {
                for (NextToken& one : next) {
                    one.expert = router_.draw(chance[size_t(one.slot)]);
                }
            }

          private:
            const RandomRouter& router_;
        };
        return std::make_unique<RandomStep>(*this);
    }

  protected:
    Experts choose_experts(const Sequences& sequences, Rng& chance) const override {
        Experts experts;
        for (int64_t n = 0; n < sequences.size(); ++n) {
            experts.push_back(draw(chance));
        }
        return experts;
    }
};

}  // namespace

RouterKind random_router_kind() {
    return {.make = [](const ModelSettings& settings, uint64_t) {
        return std::make_unique<RandomRouter>(settings.experts.count);
    }};
}

}  // namespace smoe
