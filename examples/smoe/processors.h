// The processors that a process may use, where it may be one of several.
// Read next: core/threads.h.
#pragma once

namespace smoe {

// As many threads as it may use processors, or as its share of them if there are other processes.
int default_threads();

// Says that a process of several is bound to fewer processors than it has threads or than its share is.
// mpirun binds each to one where it starts one or two.
void say_if_bound();

}  // namespace smoe
