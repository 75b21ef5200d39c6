// gemm cut into blocks of the result, and gemm_serial on OpenBLAS. How a result is cut depends on
// its shape alone, so threads change no bit of it. Products that round to bfloat16, and all of them
// where there is no library or one that does not know the processor, go to packed_gemm.
// Read next: packed_gemm.h, the product without a library.
#include "core/blas.h"

#include <algorithm>

#include "core/count_products.h"
#include "core/packed_gemm.h"
#include "core/threads.h"

namespace smoe {
namespace {

// The project's own product of the same matrices.
void own_gemm(Precision precision, Trans ta, Trans tb, int64_t M, int64_t N, int64_t K,
              const real* A, int64_t lda, const real* B, int64_t ldb, real beta, real* C,
              int64_t ldc, Borrowed<const GemmBlock&> finish) {
    const bool a_turned = ta == Trans::yes, b_turned = tb == Trans::yes;
    packed_gemm(precision, M, N, K, {A, a_turned ? 1 : lda, a_turned ? lda : 1},
                {B, b_turned ? ldb : 1, b_turned ? 1 : ldb}, beta, {C, ldc}, finish);
}

void own_gemm_serial(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A,
                     int64_t lda, const real* B, int64_t ldb, real beta, real* C, int64_t ldc) {
    parallel_chunks(1, [&](int64_t) {  // inside a chunk it stays on this thread
        own_gemm(Precision::float32, ta, tb, M, N, K, A, lda, B, ldb, beta, C, ldc,
                 [](const GemmBlock&) {});
    });
}

}  // namespace
}  // namespace smoe

#ifdef SMOE_NO_BLAS

namespace smoe {
namespace {

constexpr bool uses_library() {
    return false;
}

}  // namespace

void gemm_serial(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A, int64_t lda,
                 const real* B, int64_t ldb, real beta, real* C, int64_t ldc) {
    own_gemm_serial(ta, tb, M, N, K, A, lda, B, ldb, beta, C, ldc);
}

std::string blas_name() {
    return "own product";
}

void reserve_blas_memory() {}

}  // namespace smoe

#else

#include <cblas.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <vector>

#include "core/check.h"

namespace smoe {
namespace {

// Before main: OpenBLAS must never start threads of its own beside the pool.
const bool one_blas_thread = [] {
    openblas_set_num_threads(1);
    return true;
}();

// OpenBLAS takes a processor that is newer than itself for one of 2004 without AVX, and is then four
// times slower than it could be (version 0.3.21 on an Intel Xeon of 2023: 16 instead of 75 billion
// multiply-adds a second). The own product is not.
bool uses_library() {
#ifdef __x86_64__
    static const bool knows_processor =
        std::string(openblas_get_corename()) != "Prescott" || !__builtin_cpu_supports("avx2");
    return knows_processor;
#else
    return true;
#endif
}

// The flavour of OpenBLAS that is built on OpenMP forgets that, and uses threads() as its thread
// count unless the caller is itself one of several threads. So threads() is 1 for the length of a
// product.
class OneThread {
  public:
    OneThread() {
        if (on_openmp) {
            set_threads(1);
        }
    }
    ~OneThread() {
        if (on_openmp) {
            set_threads(before_);
        }
    }
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

  private:
    static inline const bool on_openmp = openblas_get_parallel() == OPENBLAS_OPENMP;
    const int before_ = threads();
};

CBLAS_TRANSPOSE to_cblas(Trans trans) {
    return trans == Trans::yes ? CblasTrans : CblasNoTrans;
}

}  // namespace

void gemm_serial(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A, int64_t lda,
                 const real* B, int64_t ldb, real beta, real* C, int64_t ldc) {
    if (!uses_library()) {
        own_gemm_serial(ta, tb, M, N, K, A, lda, B, ldb, beta, C, ldc);
        return;
    }
#ifdef SMOE_DOUBLE
    const auto product = cblas_dgemm;
#else
    const auto product = cblas_sgemm;
#endif
    count_product(M * N * K);
    const OneThread alone;
    product(CblasRowMajor, to_cblas(ta), to_cblas(tb), blasint(M), blasint(N), blasint(K), 1, A,
            blasint(lda), B, blasint(ldb), beta, C, blasint(ldc));
}

std::string blas_name() {
    const std::string core = openblas_get_corename();
    return uses_library() ? "OpenBLAS (" + core + ")"
                          : "own product, since OpenBLAS does not know this processor";
}

void reserve_blas_memory() {
    rlimit limit = {};
    if (!uses_library() || ::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return;
    }
    // A thread needs 128 MiB (measured with version 0.3.21) and may reserve as much for its heap.
    const size_t bytes = size_t(threads()) << 28;
    void* const room = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(
        room != MAP_FAILED,
        "the limit on address space (ulimit -v) leaves no {} MiB, in which OpenBLAS works with {} "
        "threads: raise the limit, or give fewer --threads",
        bytes >> 20, threads());
    ::munmap(room, bytes);
    // A product for each thread, long enough that all threads work at once.
    constexpr int64_t N = 512;
    const std::vector<real> ones(size_t(N * N), 1);
    parallel_chunks(threads(), [&](int64_t) {
        std::vector<real> product(ones.size());
        gemm_serial(Trans::no, Trans::no, N, N, N, ones.data(), N, ones.data(), N, 0,
                    product.data(), N);
    });
}

}  // namespace smoe

#endif

namespace smoe {

void gemm(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A, int64_t lda,
          const real* B, int64_t ldb, real beta, real* C, int64_t ldc,
          Borrowed<const GemmBlock&> finish, Precision precision) {
    if (M == 0 || N == 0) {
        return;
    }
    if (!uses_library() || rounds_to_bfloat16(precision)) {
        own_gemm(precision, ta, tb, M, N, K, A, lda, B, ldb, beta, C, ldc, finish);
        return;
    }
    // Blocks of at most 512 x 512 keep the cost of packing A and B small; a small result is cut
    // finer, so that there is work for all threads, but not so fine that waking a thread costs more
    // than it brings. Only the shape decides.
    constexpr int64_t largest = 512, smallest = 64, wanted = 16, worth_a_thread = int64_t(1) << 18;
    int64_t rows = std::min(M, largest), cols = std::min(N, largest);
    const auto count = [](int64_t size, int64_t block) { return (size + block - 1) / block; };
    while (!inside_chunk() && count(M, rows) * count(N, cols) < wanted &&
           std::max(rows, cols) > smallest &&
           rows * cols / 2 * std::max<int64_t>(K, 1) >= worth_a_thread) {
        int64_t& larger = rows >= cols ? rows : cols;
        larger = std::max(smallest, (larger / 2 + 15) / 16 * 16);
    }
    const int64_t across = count(N, cols);
    parallel_chunks(count(M, rows) * across, [&](int64_t chunk) {
        const int64_t m = chunk / across * rows, n = chunk % across * cols;
        const GemmBlock block{m, std::min(rows, M - m), n, std::min(cols, N - n)};
        const real* a = ta == Trans::yes ? A + m : A + m * lda;
        const real* b = tb == Trans::yes ? B + n * ldb : B + n;
        gemm_serial(ta, tb, block.rows, block.cols, K, a, lda, b, ldb, beta, C + m * ldc + n, ldc);
        finish(block);
    });
}

void gemm(Trans ta, Trans tb, int64_t M, int64_t N, int64_t K, const real* A, int64_t lda,
          const real* B, int64_t ldb, real beta, real* C, int64_t ldc, Precision precision) {
    gemm(
        ta, tb, M, N, K, A, lda, B, ldb, beta, C, ldc, [](const GemmBlock&) {}, precision);
}

}  // namespace smoe
