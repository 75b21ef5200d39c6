// What every measurement shares: repetitions that take turns, their median and range, and the one
// table for all rows. Variants to be compared run A B A B, never A A B B: a machine that is slower
// for a minute is then slower for both, and the ratio of neighbours stays true. It takes medians
// and no means, since one disturbed repetition does not move a median.
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
    // The most tokens in a batch. 16 stories padded to the original's context have 4000; its batch
    // of 80 would take half a minute for each step.
    int64_t max_tokens() const { return quick ? 1000 : 4000; }
};

// One number for each repetition.
using Samples = std::vector<double>;

double median(Samples samples);

// f(a[r]) or f(a[r], b[r]) for each repetition r.
Samples map(const Samples& a, const std::function<double(double)>& f);
Samples map(const Samples& a, const Samples& b, const std::function<double(double, double)>& f);

// Seconds for one call of `body`, which is repeated until `least` seconds have passed.
double seconds_per_call(double least, const std::function<void()>& body);

// Calls each measurement once to warm up, then all of them in turn, `repetitions` times. A
// measurement returns what it measured. The result has the samples of each.
std::vector<Samples> take_turns(int repetitions,
                                const std::vector<std::function<double()>>& measurements);

struct Row {
    std::string what;
    std::string unit;
    Samples value;
    Samples of_limit = {};   // share of the most the machine could do
    int64_t peak_bytes = 0;  // in tensors, where it was measured
    Samples against = {};    // how many times as fast as the composed form
};

// Rows in Markdown. Each is printed on standard output as soon as it is there.
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
void measure_ladder(const Options& options, Table& table);
void measure_kernels(const Options& options, Table& table);
void measure_training(const Options& options, Table& table);
void measure_generation(const Options& options, Table& table);
void measure_tokenizer(const Options& options, Table& table);

}  // namespace smoe::bench
