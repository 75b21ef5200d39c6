// The router `none`: no token has an expert, and all neurons work on each, as in the plain
// transformer.
// Read next: hash.cpp.
#include "models/transformer/routers/kinds.h"

namespace smoe {
namespace {

class DenseRouter : public Router {
  public:
    using Router::Router;

    bool is_dense() const override { return true; }
    std::string description() const override { return "none, a dense network"; }

    std::unique_ptr<Step> step(int64_t) const override {
        class DenseStep : public Step {
            void choose(std::span<NextToken> next, std::span<Rng>) override {
                for (NextToken& one : next) {
                    one.expert = no_expert;
                }
            }
        };
        return std::make_unique<DenseStep>();
    }

  protected:
    Experts choose_experts(const Sequences&, Rng&) const override { return {}; }
};

}  // namespace

RouterKind dense_router_kind() {
    return {.make = [](const ModelSettings& settings, uint64_t) {
        return std::make_unique<DenseRouter>(settings.experts.count);
    }};
}

}  // namespace smoe
