// What all routers do alike, and the registry of kinds.
// Read next: dense.cpp, hash.cpp, random.cpp, learned.cpp.
#include "models/transformer/routers/router.h"

#include "core/check.h"
#include "models/transformer/routers/kinds.h"

namespace smoe {

Registry<RouterKind>& router_kinds() {
    static Registry<RouterKind> kinds("router", {{"router", learned_router_kind()},
                                                 {"hash", hash_router_kind()},
                                                 {"random", random_router_kind()},
                                                 {"none", dense_router_kind()},
                                                 {"gate", gate_router_kind()},
                                                 {"gate_first", gate_first_router_kind()},
                                                 {"frozen", frozen_router_kind()},
                                                 {"hash_layers", hash_layers_router_kind()},
                                                 {"hash_bigram", hash_bigram_router_kind()},
                                                 {"hash_balanced", hash_balanced_router_kind()},
                                                 {"domain", domain_router_kind()}});
    return kinds;
}

Experts Router::choose(const Sequences& sequences, Rng& chance) const {
    check(!training(), "router: it is in training mode, where dropout is on; call eval() first");
    return choose_experts(sequences, chance);
}

Router::Lesson Router::explore(const Sequences&, Rng&, Rng&) const {
    fail("router: this kind does not learn");
}

Router::Objectives Router::objectives(const Lesson&, const Tensor&, const Sequences&) const {
    fail("router: this kind does not learn");
}

std::map<std::string, Tensor> Router::state_dict() const {
    return module() != nullptr ? module()->state_dict() : std::map<std::string, Tensor>();
}

void Router::check_state_dict(const std::map<std::string, Tensor>& values,
                              const std::string& origin) const {
    check(module() != nullptr || values.empty(),
          "'{}' holds weights of a router, and the router of this model has none", origin);
    if (module() != nullptr) {
        module()->check_state_dict(values, origin);
    }
}

void Router::load_state_dict(const std::map<std::string, Tensor>& values,
                             const std::string& origin) {
    check_state_dict(values, origin);
    if (module() != nullptr) {
        module()->load_state_dict(values, origin);
    }
}

void Router::train(bool on) {
    if (module() != nullptr) {
        module()->train(on);
    }
}

}  // namespace smoe
