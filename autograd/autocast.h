// Which ops round the factors of their products. As in PyTorch, an op that is recorded while an
// Autocast lives multiplies in its precision, forward and backward; everything else in the op, and
// every op without large products, stays as it is.
// Read next: core/packed_gemm.h, where rounding happens; ops/linear.cpp, the first user.
#pragma once

#include "core/blas.h"

namespace smoe {

class Autocast {
  public:
    explicit Autocast(Precision precision) : before_(current_) { current_ = precision; }
    ~Autocast() { current_ = before_; }
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;

    // Of ops that the calling thread records now; float32 unless an Autocast lives.
    static Precision precision() { return current_; }

  private:
    static inline thread_local Precision current_ = Precision::float32;
    Precision before_;
};

}  // namespace smoe
