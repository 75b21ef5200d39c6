// The one thread pool, and the contract that makes results independent of its size: work is cut
// into chunks whose borders depend on the work alone, never on the number of threads, and whatever
// is summed across chunks is summed in chunk order. So 1, 2 and N threads give the same bits. Only
// threads.h and threads.cpp name OpenMP. Refuses to nest: a parallel_for inside a chunk runs
// inline. Read next: blas.h, whose products are cut in the same way.
#pragma once

#include <cstdint>
#include <functional>

namespace smoe {

int threads();                // size of the pool; at the start the number of processors
void set_threads(int count);  // count >= 1; throws Error otherwise

// Makes threads that wait for work sleep instead of spinning, so that a machine shared with other
// programs loses only its share: measured with two busy neighbours on two cores, twice as fast, and
// no slower alone. OpenMP reads this wish from the environment before main, so the program is
// started once more, with the same arguments; does nothing where OMP_WAIT_POLICY or GOMP_SPINCOUNT
// is set already.
void sleep_while_waiting(char** argv);

// Calls body(chunk) for every chunk in [0, chunks), in any order, on all threads. If a body throws,
// the first exception is thrown again when all have ended.
void parallel_chunks(int64_t chunks, const std::function<void(int64_t chunk)>& body);

// Calls body(begin, end) over [0, count) cut into chunks of `grain` (the last may be shorter).
void parallel_for(int64_t count, int64_t grain,
                  const std::function<void(int64_t begin, int64_t end)>& body);

// Is the caller inside a chunk? Then work is best not cut any further. The answer is the same for
// any number of threads.
bool inside_chunk();

}  // namespace smoe
