// The one thread pool, and the contract that makes results independent of its size: work is cut
// into chunks whose borders depend on the work alone, never on the number of threads, and whatever
// is summed across chunks is summed in chunk order. So 1, 2 and N threads give the same bits. Only
// threads.h and threads.cpp start OpenMP's threads; `omp simd` elsewhere only vectorises a loop.
// Parallel loops do not nest: a parallel_for inside a chunk runs inline.
// Read next: blas.h, whose products are cut in the same way.
#pragma once

#include <cstdint>

namespace smoe {

// A callable that is borrowed for the length of a call. std::function would own it, and would
// allocate memory for that in every parallel loop.
template <class... Args>
class Borrowed {
  public:
    template <class Body>
    Borrowed(const Body& body)
        : body_(&body), call_([](const void* borrowed, Args... args) {
              (*static_cast<const Body*>(borrowed))(args...);
          }) {}
    void operator()(Args... args) const { call_(body_, args...); }

  private:
    const void* body_;
    void (*call_)(const void* borrowed, Args... args);
};

int threads();                // size of the pool, by default the number of processors
void set_threads(int count);  // from 1 to 1024; throws Error otherwise

// Makes threads that wait for work look for it for a moment and then sleep. They look because loops
// follow one another closely. They sleep because other programs may share the machine: beside busy
// neighbours, a thread that keeps looking holds the core that the thread it waits for needs. It
// also keeps OpenBLAS from starting threads of its own, each of which would take memory and never
// get work. Libraries read both settings from the environment before main, so the program is
// started once more, with the same arguments. If OMP_WAIT_POLICY, GOMP_SPINCOUNT or
// OPENBLAS_NUM_THREADS are set already, they stay as they are.
void prepare_threads(char** argv);

// Calls body(chunk) for every chunk in [0, chunks), in any order, on all threads. If bodies throw,
// some chunks may be left out. What the lowest chunk threw is thrown again when all have ended, so
// the error is the same for any number of threads.
void parallel_chunks(int64_t chunks, Borrowed<int64_t> body);

// Calls body(begin, end) over [0, count) cut into chunks of `grain` (the last may be shorter).
void parallel_for(int64_t count, int64_t grain, Borrowed<int64_t, int64_t> body);

// Whether the caller is inside a chunk, where cutting the work any further does not pay. The answer
// is the same for any number of threads.
bool inside_chunk();

}  // namespace smoe
