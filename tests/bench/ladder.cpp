// One matrix product, C (M, N) = A (M, K) B (K, N), from three loops to the kernel of the project, on
// one thread: what each step of the way is worth. Each of them computes the same numbers but for
// rounding; core/README.md tells the story.
// Read next: core/packed_gemm.cpp, the last step in full.
#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "core/blas.h"
#include "core/check.h"
#include "core/packed_gemm.h"
#include "core/tensor.h"
#include "core/threads.h"
#include "core/tiles/tile.h"
#include "core/vector_type.h"
#include "tests/bench/bench.h"

namespace smoe::bench {
namespace {

constexpr int64_t M = 252, N = 2048, K = 2048;  // whole tiles in each direction

using Numbers = const real* __restrict;

// g++ would exchange the loops of the first step by itself, and turn it into the second.
#if defined(__GNUC__) && !defined(__clang__)
#define AS_WRITTEN __attribute__((optimize("no-loop-interchange")))
#else
#define AS_WRITTEN
#endif

// Each number of the result on its own: B is read down its columns, a line of the cache for each
// number.
AS_WRITTEN void three_loops(Numbers A, Numbers B, real* __restrict C) {
    for (int64_t i = 0; i < M; ++i) {
        for (int64_t j = 0; j < N; ++j) {
            real sum = 0;
            for (int64_t k = 0; k < K; ++k) {
                sum += A[i * K + k] * B[k * N + j];
            }
            C[i * N + j] = sum;
        }
    }
}

// C[i] += A[i, k] B[k] for a part of the depth and all columns: rows are read in order, and the
// compiler multiplies as many columns at once as a register holds.
void add_rows(Numbers A, Numbers B, int64_t first_k, int64_t last_k, real* __restrict C) {
    for (int64_t i = 0; i < M; ++i) {
        for (int64_t k = first_k; k < last_k; ++k) {
            const real a = A[i * K + k];
            for (int64_t j = 0; j < N; ++j) {
                C[i * N + j] += a * B[k * N + j];
            }
        }
    }
}

void rows_in_order(Numbers A, Numbers B, real* __restrict C) {
    std::fill_n(C, M * N, real(0));
    add_rows(A, B, 0, K, C);
}

// The rows of B that are used again and again stay in the first-level cache.
void blocks(Numbers A, Numbers B, real* __restrict C) {
    constexpr int64_t few = 8;  // rows of B
    std::fill_n(C, M * N, real(0));
    for (int64_t k = 0; k < K; k += few) {
        add_rows(A, B, k, k + few, C);
    }
}

// Sums of 6 rows and 2 registers of columns stay in registers over the whole depth.
void tiles(Numbers A, Numbers B, real* __restrict C) {
    constexpr int64_t rows = 6, cols = 2 * lanes;
    for (int64_t j = 0; j < N; j += cols) {
        for (int64_t i = 0; i < M; i += rows) {
            Vector sums[rows][2] = {};
            for (int64_t k = 0; k < K; ++k) {
                const Vector left = load(B + k * N + j), right = load(B + k * N + j + lanes);
                for (int64_t r = 0; r < rows; ++r) {
                    const real a = A[(i + r) * K + k];
                    sums[r][0] += a * left;
                    sums[r][1] += a * right;
                }
            }
            for (int64_t r = 0; r < rows; ++r) {
                store(sums[r][0], C + (i + r) * N + j);
                store(sums[r][1], C + (i + r) * N + j + lanes);
            }
        }
    }
}

void packed(Precision precision, Numbers A, Numbers B, real* __restrict C) {
    parallel_chunks(1, [&](int64_t) {  // inside a chunk it stays on this thread
        packed_gemm(precision, M, N, K, {A, K, 1}, {B, 1, N}, 0, {C, N}, [](const GemmBlock&) {});
    });
}

// A tile whose factors are in the first-level cache: no product can be faster.
template <class Unit>
double tile_rate(const Tile<Unit>& tile, double numbers_in_unit, double least) {
    constexpr int64_t depth = 64;
    static Unit a[depth * 64], b[depth * 64];
    static real c[most_tile_numbers];
    const double seconds = seconds_per_call(least, [&] {
        const TileUse<Unit> use(tile);
        for (int i = 0; i < 1000; ++i) {
            tile.multiply(depth, a, depth, 1, b, true, c, tile.cols);
        }
    });
    return 1000 * numbers_in_unit * double(depth * tile.rows * tile.cols) / seconds;
}

}  // namespace

void measure_ladder(const Options& options, Table& table) {
    const Tensor A = Tensor::full({M, K}, real(0.5)), B = Tensor::full({K, N}, real(0.25));
    const Tensor C = Tensor::empty({M, N});
    using Product = std::function<void(Numbers, Numbers, real*)>;
    const std::vector<std::pair<std::string, Product>> steps = {
        {"three loops", three_loops},
        {"rows in order", rows_in_order},
        {"and the rows of B in blocks", blocks},
        {"sums in registers", tiles},
        {"and both factors packed: the own product",
         [](Numbers a, Numbers b, real* c) { packed(Precision::float32, a, b, c); }},
        {"the same in bfloat16",
         [](Numbers a, Numbers b, real* c) { packed(Precision::bfloat16, a, b, c); }},
        {"the library", [](Numbers a, Numbers b, real* c) {
             gemm_serial(Trans::no, Trans::no, M, N, K, a, K, b, N, 0, c, N);
         }}};
    std::vector<std::function<double()>> measurements;
    for (const auto& [name, product] : steps) {
        measurements.push_back([&] {
            const double seconds = seconds_per_call(options.min_seconds(),
                                                    [&] { product(A.data(), B.data(), C.data()); });
            check(C.data()[0] == real(K) / 8, "the ladder: '{}' computes something else", name);
            return double(M * N * K) / seconds;
        });
    }
    std::vector<std::string> names;
    for (const auto& [name, product] : steps) {
        names.push_back(name);
    }
    names.emplace_back("a tile alone, its factors in the cache");
    measurements.push_back([&] { return tile_rate(real_tile(), 1, options.min_seconds()); });
    names.emplace_back("the same in bfloat16");
    measurements.push_back([&] { return tile_rate(bfloat16_tile(), 2, options.min_seconds()); });
    const std::vector<Samples> rates = take_turns(options.repetitions(), measurements);
    table.section(
        fmt::format("From three loops to the own product: ({}, {}) times ({}, {}) on one "
                    "thread; against the step before",
                    M, K, K, N));
    for (size_t i = 0; i < names.size(); ++i) {
        const bool has_step_before = i > 0 && i < steps.size() - 1;
        table.add({.what = names[i],
                   .unit = "GMAC/s",
                   .value = map(rates[i], [](double rate) { return rate / 1e9; }),
                   .against = has_step_before ? map(rates[i], rates[i - 1], std::divides<>())
                                              : Samples()});
    }
}

}  // namespace smoe::bench
