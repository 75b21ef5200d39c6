// Signal handlers that set one flag, which is all that they may safely do.
// Read next: train.cpp.
#include "examples/smoe/interruption.h"

#include <atomic>
#include <csignal>

namespace smoe {
namespace {

std::atomic<bool> was_interrupted = false;

void on_interrupt(int signal) {
    was_interrupted = true;
    std::signal(signal, SIG_DFL);
}

void on_broken_pipe(int) {
    was_interrupted = true;
}

}  // namespace

void watch_for_interruption() {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
        struct sigaction inherited = {};
        if (::sigaction(signal, nullptr, &inherited) == 0 && inherited.sa_handler != SIG_IGN) {
            std::signal(signal, signal == SIGPIPE ? on_broken_pipe : on_interrupt);
        }
    }
}

bool interrupted() {
    return was_interrupted;
}

}  // namespace smoe
