// Random numbers by counting: Philox 4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as
// 1, 2, 3", SC 2011). Number i of a stream is a pure function of (seed, stream, i), so it does not
// matter which thread draws it, and saving a stream is saving three integers. There is no global
// generator and none without a seed: code that needs random numbers is handed an Rng.
// Read next: tensor.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "core/real.h"

namespace smoe {

// The four 32-bit words of block `counter` of the stream (seed, stream).
std::array<uint32_t, 4> philox(uint64_t seed, uint64_t stream, uint64_t counter);

// The same for `count` blocks from `first` on, four words each, several blocks at a time.
void philox_blocks(uint64_t seed, uint64_t stream, uint64_t first, int64_t count, uint32_t* words);

// 32 random bits as a number in [0, 1) with 24 bits of resolution, the same in float and in double.
inline double to_unit(uint32_t bits) {
    return (bits >> 8) * 0x1p-24;
}

// A position in one stream. Copying it copies the position: both copies then draw the same numbers.
class Rng {
  public:
    struct State {
        uint64_t seed = 0, stream = 0, position = 0;
        bool operator==(const State&) const = default;
    };

    explicit Rng(uint64_t seed, uint64_t stream = 0) : state_{seed, stream, 0} {}
    explicit Rng(const State& state) : state_(state) {}

    uint32_t bits();                 // uniform 32-bit word
    uint64_t bits64();               // uniform 64-bit word, a seed for a stream of its own
    double uniform();                // [0, 1)
    double normal();                 // mean 0, variance 1 (Box-Muller, one of the pair)
    uint64_t below(uint64_t count);  // uniform in [0, count), unbiased; count > 0

    // A categorical draw: index i with probability weights[i] / sum. Throws Error if the sum is not
    // positive and finite.
    int64_t categorical(std::span<const real> weights);

    // Fisher-Yates: every order of `items` is equally likely.
    template <class T>
    void shuffle(std::span<T> items) {
        constexpr uint64_t ahead = 16;  // memory brings so many items at once
        std::array<uint64_t, ahead> drawn;
        for (uint64_t left = items.size(); left > 1;) {
            const uint64_t count = std::min(ahead, left - 1);
            for (uint64_t i = 0; i < count; ++i) {
                drawn[i] = below(left - i);
                __builtin_prefetch(&items[drawn[i]]);
            }
            for (uint64_t i = 0; i < count; ++i) {
                std::swap(items[--left], items[drawn[i]]);
            }
        }
    }

    const State& state() const { return state_; }

  private:
    State state_;
};

}  // namespace smoe
