// The router decides which expert each token gets. Every kind is one file in this folder behind
// this interface, with one line in the registry. The rest of the project uses the interface and
// never asks for a kind by name. The expert of a position never depends on later tokens, so that
// generation can go token by token.
// Read next: hash.cpp, the shortest kind; learned.cpp, the original's; models/transformer/single_moe.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/registry.h"
#include "core/rng.h"
#include "core/sequences.h"
#include "models/text/dataset.h"
#include "models/transformer/costs.h"
#include "models/transformer/next_token.h"
#include "models/transformer/settings.h"
#include "nn/feed_forward.h"
#include "nn/module.h"

namespace smoe {

class Router {
  public:
    explicit Router(int64_t num_experts) : num_experts_(num_experts) {}
    virtual ~Router() = default;
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    int64_t num_experts() const { return num_experts_; }  // K
    // True if no token has an expert, as in the plain transformer.
    virtual bool is_dense() const { return false; }
    // True if routers inside the model choose, which see what comes into its blocks; this one then
    // gives no experts.
    virtual bool is_inside() const { return false; }
    // False if it needs more than the tokens, so that step() throws.
    virtual bool can_generate() const { return true; }
    // One line for people: "a hash of the token's id".
    virtual std::string description() const = 0;

    // Looks at the text that a new run will train on, before its first step.
    virtual void see_text(const Dataset& /*data*/) {}

    // The expert of each of the N tokens; empty if dense or inside. Kinds that draw use `chance`. Throws
    // Error in training mode.
    Experts choose(const Sequences& sequences, Rng& chance) const;

    // True if choose() draws; otherwise it gives a sequence the same experts each time.
    virtual bool draws() const { return false; }

    // (N, K) probabilities of the experts; undefined if the kind has none.
    virtual Tensor probabilities(const Sequences&) const { return {}; }

    // Chooses token by token for several texts, and remembers what has been seen of each.
    class Step {
      public:
        virtual ~Step() = default;
        // Writes the expert of each token. `chance` has a generator for each slot.
        virtual void choose(std::span<NextToken> next, std::span<Rng> chance) = 0;
        // (tokens, K) what the experts of the last choose() were chosen by, a row for each token
        // whose softmax are their probabilities; empty if the kind has none.
        virtual std::span<const real> scores() const { return {}; }
        virtual void clear(int32_t /*slot*/) {}                 // its text is empty again
        virtual void copy(int32_t /*from*/, int32_t /*to*/) {}  // the text of one slot to another
    };
    // A Step for `slots` texts. The router must be in evaluation mode, outlive it and not change
    // meanwhile.
    virtual std::unique_ptr<Step> step(int64_t slots) const = 0;

    // What it saves: parameters that it learns, trained by their own optimiser, and tables; null for
    // kinds that have neither.
    virtual Module* module() { return nullptr; }
    const Module* module() const { return const_cast<Router*>(this)->module(); }
    bool learns() const { return module() != nullptr && module()->parameter_count() > 0; }
    bool training() const { return learns() && module()->training(); }
    int64_t parameter_count() const { return learns() ? module()->parameter_count() : 0; }

    // Multiply-adds of choosing the experts of a batch, and for Pass::training of learning how; 0
    // for kinds without products of their own.
    virtual double cost(const BatchShape& /*batch*/, Pass /*pass*/) const { return 0; }

    // One lesson: experts for a batch, drawn so that every expert is still tried, and what is
    // needed to learn from how well they did. Only for kinds that learn, in training mode.
    // Dropout draws from `dropout`.
    struct Lesson {
        Experts experts;
        Variable probabilities;  // (N, K)
    };
    virtual Lesson explore(const Sequences& sequences, Rng& chance, Rng& dropout) const;
    // Objectives to be made small, by name. losses (N) are the model's token losses with those
    // experts, constants here.
    using Objectives = std::vector<std::pair<std::string, Variable>>;
    virtual Objectives objectives(const Lesson& lesson, const Tensor& losses,
                                  const Sequences& sequences) const;

    // The weights by name, none for kinds that have none. The other two do what Module's do.
    std::map<std::string, Tensor> state_dict() const;
    void check_state_dict(const std::map<std::string, Tensor>& values,
                          const std::string& origin) const;
    void load_state_dict(const std::map<std::string, Tensor>& values, const std::string& origin);
    void train(bool on = true);
    void eval() { train(false); }

  protected:
    virtual Experts choose_experts(const Sequences& sequences, Rng& chance) const = 0;

  private:
    int64_t num_experts_;
};

// Builds a router of a kind. `seed` is the run's; kinds that learn draw their weights from it.
struct RouterKind {
    std::function<std::unique_ptr<Router>(const ModelSettings& settings, uint64_t seed)> make;
    // For kinds with a module: throws Error, naming `origin`, unless `state` has the tensors that
    // its memory depends on. It takes no memory itself; see check_sizes in decoder.h.
    std::function<void(const ModelSettings& settings, const std::map<std::string, Tensor>& state,
                       const std::string& origin)>
        check_sizes = nullptr;
    // For kinds that are inside: what stands in the model.
    std::function<BlockRouterKind(const ModelSettings& settings)> inside = nullptr;
    // True if its choices follow from the seed, and so belong to weights that were trained with it.
    bool seeded = false;
};
Registry<RouterKind>& router_kinds();

}  // namespace smoe
