// Counting the multiply-adds of matrix products while a program runs: those of blas.h, matvec.h and
// row_products.h report here. A cost that was worked out from sizes can be checked by it, and code
// that nobody has worked out can be measured. Loops that are no products are left out: norms,
// softmax, optimisers.
// Read next: models/transformer/costs.h, the same numbers without running anything.
#pragma once

#include <atomic>
#include <cstdint>

namespace smoe {

// While one of these lives, the products of all threads are counted, those with zeros too. Several
// may live at once.
class CountProducts {
  public:
    CountProducts();
    ~CountProducts();
    CountProducts(const CountProducts&) = delete;
    CountProducts& operator=(const CountProducts&) = delete;

    // Of the products since this was made.
    int64_t multiply_adds() const;

  private:
    friend void count_product(int64_t multiply_adds);
    static inline std::atomic<int> living_{0};
    static inline std::atomic<int64_t> total_{0};  // counted since the program began

    int64_t before_;
};

// Every product calls this once. It costs a load where nobody counts.
inline void count_product(int64_t multiply_adds) {
    if (CountProducts::living_.load(std::memory_order_relaxed) > 0) {
        CountProducts::total_.fetch_add(multiply_adds, std::memory_order_relaxed);
    }
}

inline CountProducts::CountProducts() : before_(total_.load(std::memory_order_relaxed)) {
    ++living_;
}

inline CountProducts::~CountProducts() {
    --living_;
}

inline int64_t CountProducts::multiply_adds() const {
    return total_.load(std::memory_order_relaxed) - before_;
}

}  // namespace smoe
