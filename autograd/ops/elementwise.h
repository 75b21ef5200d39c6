// Loops over elements, and the one place that broadcasts: where b's shape is the end of a's shape,
// b is used once for each index of the dims that it lacks, as a bias is used for each row. Refuses
// to stretch a dim of size 1, though PyTorch does: nobody sees the mistake when a shape fits by
// accident.
// Read next: elementwise.cpp.
#pragma once

#include <algorithm>

#include "autograd/variable.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

// Calls body(i) for every i in [0, count) on all threads, in loops that vectorise.
template <class Body>
void for_each(int64_t count, const Body& body) {
    parallel_for(count, elementwise_grain, [&](int64_t begin, int64_t end) {
#pragma omp simd
        for (int64_t i = begin; i < end; ++i) {
            body(i);
        }
    });
}

// Calls body(first, place, length) for runs of elements that together are [0, count), on all
// threads. `place` is first % period, and no run goes past a multiple of `period`.
template <class Body>
void for_each_run(int64_t count, int64_t period, int64_t grain, const Body& body) {
    parallel_for(count, grain, [&](int64_t begin, int64_t end) {
        int64_t place = begin % period;
        for (int64_t first = begin; first < end;) {
            const int64_t length = std::min(period - place, end - first);
            body(first, place, length);
            first += length;
            place = 0;
        }
    });
}

// Element i of a, and of the result, meets element i % period of b.
struct Broadcast {
    int64_t count;   // elements of a
    int64_t period;  // elements of b; equal to count where the shapes are equal

    // to[i] = or += f(x[i], y[j]) for every i with the j that it meets.
    template <bool accumulate, class Function>
    void combine(const real* x, const real* y, real* to, const Function& f) const {
        const auto put = [to, &f](int64_t i, real left, real right) {
            to[i] = accumulate ? to[i] + f(left, right) : f(left, right);
        };
        if (period == count) {
            for_each(count, [=](int64_t i) { put(i, x[i], y[i]); });
        } else if (period == 1) {
            for_each(count, [=, right = *y](int64_t i) { put(i, x[i], right); });
        } else {
            for_each_run(count, period, elementwise_grain,
                         [=](int64_t first, int64_t place, int64_t length) {
#pragma omp simd
                             for (int64_t k = 0; k < length; ++k) {
                                 put(first + k, x[first + k], y[place + k]);
                             }
                         });
        }
    }

    // db[j] += sum of value(i, j) over every i that meets j, with the same bits for any number of
    // threads.
    template <class Value>
    void add_to_b(real* db, const Value& value) const {
        if (period == count) {
            for_each(count, [&value, db](int64_t i) { db[i] += value(i, i); });
            return;
        }
        const int64_t rows = period > 0 ? count / period : 0;
        const int64_t grain = sum_grain(rows, period), blocks = (rows + grain - 1) / grain;
        const Tensor partial = Tensor::zeros({blocks, period});
        parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
            real* const sums = partial.data() + begin / grain * period;
            if (period == 1) {
                real total = 0;
#pragma omp simd reduction(+ : total)
                for (int64_t i = begin; i < end; ++i) {
                    total += value(i, 0);
                }
                *sums = total;
                return;
            }
            for (int64_t row = begin; row < end; ++row) {
#pragma omp simd
                for (int64_t j = 0; j < period; ++j) {
                    sums[j] += value(row * period + j, j);
                }
            }
        });
        for (int64_t block = 0; block < blocks; ++block) {
            axpy(period, 1, partial.data() + block * period, db);
        }
    }
};

// How b is matched with a. Throws Error, naming `op`, unless b's shape is a's or the end of it.
Broadcast broadcast(const char* op, const Variable& a, const Variable& b);

}  // namespace smoe
