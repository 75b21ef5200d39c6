// The project's own kinds of routers, one file each.
// Read next: router.cpp, which registers them.
#pragma once

#include "models/transformer/routers/router.h"

namespace smoe {

RouterKind learned_router_kind();
RouterKind hash_router_kind();
RouterKind random_router_kind();
RouterKind dense_router_kind();

}  // namespace smoe
