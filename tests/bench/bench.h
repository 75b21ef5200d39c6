// What every measurement shares: repetitions that take turns, their median and range, and the one
// table that all rows go to. Variants to be compared run A B A B, never A A B B: a machine that is
// slower for a minute is then slower for both, and the ratio of neighbours stays true.
// Refuses to average: a median is not moved by the one repetition that a neighbour disturbed.
//
// Read next: work.h, what is counted; training.cpp, the rows that matter most.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace smoe::bench {

struct Options {
    bool quick = false;             // fewer repetitions on a smaller batch, to try things out
    std::string data;               // a text; "": the built-in corpus
    std::vector<std::string> only;  // sections to measure; empty: all

    int repetitions() const { return quick ? 3 : 5; }
    double min_seconds() const { return quick ? 0.03 : 0.1; }  // of a repetition
    // Most tokens of a batch. 16 stories padded to the original's context have 4000; its batch of
    // 80 would take half a minute for each step.
    int64_t max_tokens() const { return quick ? 1000 : 4000; }
};

// One number for each repetition.
using Samples = std::vector<double>;

double median(Samples samples);

// Repetition by repetition: f(a[r]), f(a[r], b[r]).
Samples map(const Samples& a, const std::function<double(double)>& f);
Samples map(const Samples& a, const Samples& b, const std::function<double(double, double)>& f);

// Seconds of one call of `body`, which is called again until `least` seconds have passed.
double seconds_per_call(double least, const std::function<void()>& body);

// Calls each measurement once to warm up, then all of them in turn, `repetitions` times. A
// measurement returns what it measured -> for each of them its samples.
std::vector<Samples> take_turns(int repetitions,
                                const std::vector<std::function<double()>>& measurements);

struct Row {
    std::string what;
    std::string unit;
    Samples value;
    Samples of_limit = {};   // share of what the machine could do at most
    int64_t peak_bytes = 0;  // in tensors, where it was measured
    Samples against = {};    // how many times as fast as the composed form
};

// Rows in Markdown, each printed on standard output as soon as it is there.
class Table {
  public:
    void section(const std::string& title);
    void add(const Row& row);
    const std::string& markdown() const { return markdown_; }

  private:
    void line(const std::vector<std::string>& cells);
    std::string markdown_;
};

// "AMD EPYC, 2 threads, OpenBLAS (...), g++ 12.2"
std::string machine();

// The sections, each in the file of its name.
void measure_roofline(const Options& options, Table& table);
void measure_kernels(const Options& options, Table& table);
void measure_training(const Options& options, Table& table);
void measure_generation(const Options& options, Table& table);
void measure_tokenizer(const Options& options, Table& table);

}  // namespace smoe::bench
