// The limits of the machine that the other rows are compared with: the rate of the project's own
// gemm() at the model's product shapes, and the rate of reading memory. Both are measured with the
// threads that everything else uses.
// Read next: training.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/precision.h"
#include "tests/bench/bench.h"
#include "tests/bench/work.h"

namespace smoe::bench {

// The products of a training step with `tokens` tokens: for each linear layer y = x W^T, dx = dy W
// and dW = dy^T x, on memory of their own.
class Roofline {
  public:
    Roofline(const DecoderSettings& settings, int64_t tokens);

    // Runs every shape at least once, for at least `least` seconds. Returns the multiply-adds per
    // second of all of them together, each counted as often as the model has it.
    double rate(double least, Precision precision = Precision::float32) const;

    // The same for one of the three products: 0 forward, 1 dx, 2 dW.
    double rate(double least, int product, Precision precision = Precision::float32) const;

    // The shape with the highest rate, in words, and that rate.
    std::pair<std::string, double> best(double least) const;

  private:
    double seconds(double least, const LinearShape& shape, int product,
                   Precision precision = Precision::float32) const;

    std::vector<LinearShape> shapes_;
    int64_t tokens_;
    Tensor x_, w_, y_, out_;  // as large as the largest of each
};

// Bytes per second of reading 256 MiB in order, on all threads.
double read_bandwidth(double least);

}  // namespace smoe::bench
