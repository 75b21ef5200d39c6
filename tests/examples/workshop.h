// A folder for the program to work in: a corpus and a trained run to start from, the circumstances
// of a call (standard input, a full disk), and an inventory that shows whether anything was
// touched. No shell is used, so words reach the program as they are.
// Read next: program_test.cpp, runs_test.cpp, refusals_test.cpp.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace smoe {

struct Outcome {
    int status = -1;  // exit status, or 128 + the number of the signal that ended it
    std::string out, err;
};

struct Circumstances {
    std::string input = "";        // on standard input
    int64_t largest_file = -1;     // bytes that a file may grow to, as on a full disk; -1: no limit
    int64_t address_space = -1;    // bytes, as with ulimit -v; -1: no limit
    std::string output_file = "";  // gets standard output instead of Outcome::out
    std::string fault = "";        // of the disk, see tests/faults/fault.cpp
    std::string name = "smoe";     // by which the program is called, argv[0]
    std::vector<std::string> variables = {};  // "TERM=dumb", beside those of the tests
    std::vector<int> ignored_signals = {};    // when it starts
};

// A folder with a small corpus in corpus/ and a trained run in run/, made on first use and removed
// at the end of the tests. The program runs in it.
std::string workshop();

// Runs the program named by the environment variable SMOE_PROGRAM, with `words`, which are
// separated by blanks. Ends it if it hangs for a minute.
Outcome smoe_program(const std::string& words, const Circumstances& circumstances = {});
Outcome smoe_program(const std::vector<std::string>& words,
                     const Circumstances& circumstances = {});

// Starts the program without waiting for its end.
pid_t start_program(const std::vector<std::string>& words, const Circumstances& circumstances = {});
Outcome wait_for_program(pid_t program);

// The settings of a training run that takes a moment, as flags.
std::string tiny_settings();

// Whole files of the workshop.
std::string contents(const std::string& name);
void put(const std::string& name, const std::string& bytes);
void copy_run(const std::string& from, const std::string& to);

// Every file and folder below the workshop, with its content.
std::map<std::string, std::string> inventory();

std::vector<std::string> split(const std::string& text, char separator);

// Runs the program, and fails unless it ends well and without complaint.
Outcome done(const std::string& words, const Circumstances& circumstances = {});
bool has(const std::string& text, const std::string& part);
// `text` with a single blank for each run of blanks and ends of lines, whatever it was wrapped to.
std::string unwrapped(const std::string& text);

// Fails unless the program ended with `status` and one line of complaint that contains `part`.
void check_complaint(const Outcome& outcome, int status, const std::string& part);
// Runs the program, and fails unless it complains like that, suggests no option that the command
// does not have, and leaves every file as it was.
void refused(const std::string& words, int status, const std::string& part,
             const Circumstances& circumstances = {});
void refused(const std::vector<std::string>& words, int status, const std::string& part,
             const Circumstances& circumstances = {});

// A training run with the settings above, on the corpus, in the folder new.
std::string tiny_train();

}  // namespace smoe
