// parallel_chunks on OpenMP. The schedule is dynamic: on a shared machine one core is often slower.
// Which thread computes a chunk does not change it, so the bits stay the same.
// Read next: blas.cpp and vector_math.cpp, which cut work for it.
#include "core/threads.h"

#ifdef _OPENMP
#include <omp.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <exception>

#include "core/check.h"

namespace smoe {

#ifndef _OPENMP  // as for WebAssembly: the pool is the caller alone
namespace {

int omp_get_max_threads() {
    return 1;
}
void omp_set_num_threads(int count) {
    check(count == 1, "threads: this program was built without OpenMP, so it has one");
}

}  // namespace
#endif

int threads() {
    return omp_get_max_threads();
}

void set_threads(int count) {
    check(count >= 1 && count <= 1024, "threads: expected a number from 1 to 1024, found {}",
          count);
    omp_set_num_threads(count);
}

void prepare_threads(char** argv) {
    const auto is_set = [](const char* name) { return std::getenv(name) != nullptr; };
    const bool wait = !is_set("OMP_WAIT_POLICY") && !is_set("GOMP_SPINCOUNT");
    const bool blas = !is_set("OPENBLAS_NUM_THREADS");
    if (wait) {
        ::setenv("OMP_WAIT_POLICY", "passive", 1);
        ::setenv("GOMP_SPINCOUNT", "1000", 1);  // looks for work for about 15 us; GNU's OpenMP only
    }
    if (blas) {
        ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
    }
    if (wait || blas) {
        // Returns only if that does not work; then the program goes on as it is.
        ::execv("/proc/self/exe", argv);
    }
}

namespace {

thread_local bool inside = false;

// Marks the thread as inside a chunk while it lives.
class Inside {
  public:
    Inside() { inside = true; }
    ~Inside() { inside = before_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    const bool before_ = inside;
};

}  // namespace

bool inside_chunk() {
    return inside;
}

void parallel_chunks(int64_t chunks, Borrowed<int64_t> body) {
    if (chunks <= 1 || inside || threads() == 1) {
        const Inside mark;
        for (int64_t chunk = 0; chunk < chunks; ++chunk) {
            body(chunk);
        }
        return;
    }
    std::exception_ptr failure;  // of the lowest chunk; none may leave the parallel region
    int64_t failed = chunks;
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        const Inside mark;
        try {
            body(chunk);
        } catch (...) {
#pragma omp critical
            if (chunk < failed) {
                failed = chunk;
                failure = std::current_exception();
            }
        }
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

void parallel_for(int64_t count, int64_t grain, Borrowed<int64_t, int64_t> body) {
    const int64_t chunks = (count + grain - 1) / grain;
    parallel_chunks(
        chunks, [&](int64_t chunk) { body(chunk * grain, std::min(count, (chunk + 1) * grain)); });
}

}  // namespace smoe
