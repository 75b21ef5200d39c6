// Routers that stand inside the model, where they see what goes into a block:
//     gate         a gate in each block (nn/gate.h)
//     gate_first   one for all blocks, which sees the embeddings alone
//     frozen       gates that stay as they were drawn: a control
//     hash_layers  a hash of the token's id, another in each block
// Read next: domain.cpp.
#include "nn/gate.h"

#include "core/streams.h"
#include "models/transformer/routers/kinds.h"

namespace smoe {
namespace {

// The router of such a model leaves the choice to the blocks.
class InsideRouter : public Router {
  public:
    InsideRouter(int64_t num_experts, std::string description)
        : Router(num_experts), description_(std::move(description)) {}

    bool is_inside() const override { return true; }
    std::string description() const override { return description_; }

    std::unique_ptr<Step> step(int64_t) const override {
        class InsideStep : public Step {
            void choose(std::span<NextToken> next, std::span<Rng>) override {
                for (NextToken& one : next) {
                    one.expert = no_expert;
                }
            }
        };
        return std::make_unique<InsideStep>();
    }

  protected:
    Experts choose_experts(const Sequences&, Rng&) const override { return {}; }

  private:
    std::string description_;
};

class HashInBlock : public BlockRouter {
  public:
    HashInBlock(const Scope& scope, int64_t num_experts, uint64_t seed, int64_t block)
        : BlockRouter(scope, num_experts), seed_(seed), block_(block) {}

  private:
    int32_t expert_of(int32_t token) const {
        return hash_expert(seed_, uint64_t(block_) + 1, token, num_experts());
    }
    Choice choose(const Variable&, const Sequences& sequences) const override {
        Choice choice;
        for (const int32_t token : sequences.tokens()) {
            choice.experts.push_back(expert_of(token));
        }
        return choice;
    }
    bool choose_step(const StepRows& rows, const real*, StepMemory&, std::span<int32_t> experts,
                     std::span<real>) const override {
        for (size_t m = 0; m < experts.size(); ++m) {
            experts[m] = experts[m] == no_expert ? expert_of(rows.tokens[m]) : experts[m];
        }
        return false;
    }

    uint64_t seed_;
    int64_t block_;
};

RouterKind inside(const std::string& description,
                  std::function<BlockRouterKind(const ModelSettings&)> kind, bool seeded = false) {
    return {.make =
                [description](const ModelSettings& settings, uint64_t) {
                    return std::make_unique<InsideRouter>(settings.experts.count, description);
                },
            .inside = std::move(kind),
            .seeded = seeded};
}

BlockRouterKind gates(const ModelSettings& settings, bool learns, bool once) {
    const int64_t K = settings.experts.count;
    const GateSettings gate{.learns = learns,
                            .balance = settings.router.balance,
                            .balance_steps = settings.router.balance_steps};
    return {.make = [K, gate](
                        const Scope& scope, int64_t width, int64_t,
                        Rng& init) { return std::make_unique<Gate>(scope, width, K, gate, init); },
            .saves = [K, learns](int64_t width) { return Gate::saves(width, K, learns); },
            .once = once};
}

}  // namespace

RouterKind gate_router_kind() {
    return inside("a gate in each block",
                  [](const ModelSettings& settings) { return gates(settings, true, false); });
}

RouterKind gate_first_router_kind() {
    return inside("one gate for all blocks, on the embeddings",
                  [](const ModelSettings& settings) { return gates(settings, true, true); });
}

RouterKind frozen_router_kind() {
    return inside(
        "a gate in each block that is never trained",
        [](const ModelSettings& settings) { return gates(settings, false, false); }, true);
}

RouterKind hash_layers_router_kind() {
    return inside(
        "a hash of the token's id, another in each block",
        [](const ModelSettings& settings) {
            return BlockRouterKind{.make =
                                       [K = settings.experts.count](const Scope& scope, int64_t,
                                                                    int64_t block, Rng& init) {
                                           return std::make_unique<HashInBlock>(
                                               scope, K, init.state().seed, block);
                                       },
                                   .saves = [](int64_t) { return std::vector<SavedTensor>(); }};
        },
        true);
}

}  // namespace smoe
