// Ctrl-C and its kin as a question that long work asks between two steps.
// Read next: train.cpp, study_workers.cpp, which ask.
#pragma once

namespace smoe {

// From now on the first SIGINT, SIGTERM or SIGHUP makes interrupted() true, and a second one ends
// the program at once. So does a reader that has gone, as of `smoe train | head`, at each line anew.
// What was ignored when the program started stays ignored: nohup, trap '' INT, and shells that start
// something in the background ask for that.
void watch_for_interruption();
bool interrupted();

}  // namespace smoe
