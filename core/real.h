// The one number type. `real` is float; a second build of the same sources (-DSMOE_DOUBLE) makes it
// double, so that gradients can be compared with finite differences to 1e-8 instead of 1e-3. There
// is no choice at run time, so no kernel is written twice.
// Read next: check.h, then shape.h.
#pragma once

namespace smoe {

#ifdef SMOE_DOUBLE
using real = double;
#else
using real = float;
#endif

}  // namespace smoe
