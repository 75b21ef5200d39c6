// The project's own kinds of routers, one file each.
// Read next: router.cpp, which registers them.
#pragma once

#include "models/transformer/routers/router.h"

namespace smoe {

RouterKind learned_router_kind();
RouterKind hash_router_kind();
RouterKind hash_bigram_router_kind();
RouterKind hash_balanced_router_kind();
RouterKind hash_layers_router_kind();
RouterKind random_router_kind();
RouterKind domain_router_kind();
RouterKind gate_router_kind();
RouterKind gate_first_router_kind();
RouterKind frozen_router_kind();
RouterKind dense_router_kind();

// One of `num_experts`, by a hash of `key`; each `index` is another function.
int32_t hash_expert(uint64_t seed, uint64_t index, int64_t key, int64_t num_experts);

}  // namespace smoe
