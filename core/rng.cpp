// Philox 4x32-10 and what is drawn from it. No number depends on the one before, so many blocks are
// computed at a time.
// Read next: autograd/ops/dropout.cpp, where an element's fate is a function of its number.
#include "core/rng.h"

#include <cmath>
#include <numbers>

#include "core/check.h"

namespace smoe {
namespace {

// `lanes` blocks at once, in loops that vectorise: word w of block counter + i is words[4 i + w].
template <int lanes>
void philox_lanes(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t* words) {
    // Constants of Salmon et al., table 2: two multipliers and the golden-ratio key increments.
    constexpr uint64_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
    constexpr uint32_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85;
    uint32_t x0[lanes], x1[lanes], x2[lanes], x3[lanes];
    for (int i = 0; i < lanes; ++i) {
        x0[i] = uint32_t(counter + uint64_t(i));
        x1[i] = uint32_t((counter + uint64_t(i)) >> 32);
        x2[i] = uint32_t(stream);
        x3[i] = uint32_t(stream >> 32);
    }
    uint32_t key_0 = uint32_t(seed), key_1 = uint32_t(seed >> 32);
    for (int round = 0; round < 10; ++round) {
#pragma omp simd
        for (int i = 0; i < lanes; ++i) {
            const uint64_t p0 = multiplier_0 * x0[i], p1 = multiplier_1 * x2[i];
            x0[i] = uint32_t(p1 >> 32) ^ x1[i] ^ key_0;
            x1[i] = uint32_t(p1);
            x2[i] = uint32_t(p0 >> 32) ^ x3[i] ^ key_1;
            x3[i] = uint32_t(p0);
        }
        key_0 += weyl_0;
        key_1 += weyl_1;
    }
    for (int i = 0; i < lanes; ++i) {
        words[4 * i] = x0[i];
        words[4 * i + 1] = x1[i];
        words[4 * i + 2] = x2[i];
        words[4 * i + 3] = x3[i];
    }
}

}  // namespace

std::array<uint32_t, 4> philox(uint64_t seed, uint64_t stream, uint64_t counter) {
    std::array<uint32_t, 4> words;
    philox_lanes<1>(seed, stream, counter, words.data());
    return words;
}

void philox_blocks(uint64_t seed, uint64_t stream, uint64_t first, int64_t count, uint32_t* words) {
    constexpr int lanes = 16;
    int64_t done = 0;
    for (; done + lanes <= count; done += lanes) {
        philox_lanes<lanes>(seed, stream, first + uint64_t(done), words + 4 * done);
    }
    for (; done < count; ++done) {
        philox_lanes<1>(seed, stream, first + uint64_t(done), words + 4 * done);
    }
}

uint32_t Rng::bits() {
    const uint64_t position = state_.position++;
    return philox(state_.seed, state_.stream, position / 4)[position % 4];
}

uint64_t Rng::bits64() {
    const uint64_t at = state_.position % 4;
    if (at == 3) {  // the last of its block, and the first of the next
        const uint64_t high = bits();
        return high << 32 | bits();
    }
    const auto words = philox(state_.seed, state_.stream, state_.position / 4);
    state_.position += 2;
    return uint64_t(words[at]) << 32 | words[at + 1];
}

double Rng::uniform() {
    return to_unit(bits());
}

double Rng::normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));  // 1 - u is never 0
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

uint64_t Rng::below(uint64_t count) {
    check(count > 0, "rng: below(0) asks for a number from an empty range");
    // Words past the last whole multiple of count would favour small numbers, so these are drawn
    // again.
    const uint64_t limit = UINT64_MAX - UINT64_MAX % count;
    uint64_t word = bits64();
    while (word >= limit) {
        word = bits64();
    }
    return word % count;
}

int64_t Rng::categorical(std::span<const real> weights) {
    double sum = 0;
    for (const real weight : weights) {
        sum += weight;
    }
    check(sum > 0 && std::isfinite(sum),
          "rng: the weights of a categorical draw must have a positive, finite sum, found {}", sum);
    double left = uniform() * sum;
    int64_t last = -1;
    for (size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] > 0) {
            last = int64_t(i);
            left -= weights[i];
            if (left < 0) {
                break;
            }
        }
    }
    return last;  // rounding may leave a crumb, which goes to the last positive weight
}

}  // namespace smoe
