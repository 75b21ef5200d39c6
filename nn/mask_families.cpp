// The families of masks, each a function, and their list. What a family makes is said in one line
// each in masks.h, and drawn in the chapter. A family refuses what it cannot meet and says what it
// could.
// Read next: linear.cpp, which checks what a table holds.
#include <cmath>
#include <numeric>

#include "nn/masks.h"

namespace smoe {
namespace {

// A, the number of neurons that an expert keeps.
int64_t kept_neurons(const MaskSettings& settings, int64_t width) {
    return std::llround((1 - settings.rate) * double(width));
}

void keep(const Tensor& table, int64_t expert, int64_t first, int64_t count) {
    std::fill_n(table.data() + expert * table.size(1) + first, count, real(1));
}

// The largest number up to `from` that divides n.
int64_t divisor_up_to(int64_t from, int64_t n) {
    int64_t divisor = std::min(from, n);
    while (n % divisor != 0) {
        --divisor;
    }
    return divisor;
}

// A rate, of six digits, at which experts keep no more than `kept` neurons.
double rate_keeping(int64_t kept, int64_t width) {
    return std::ceil((1 - double(kept) / double(width)) * 1e6) / 1e6;
}

// Each expert, on its own, keeps `count` random ones of the first `candidates` blocks of `size`
// neurons.
Tensor random_blocks(const MaskSettings& settings, int64_t width, int64_t size, int64_t candidates,
                     int64_t count, Rng& rng) {
    const Tensor table = Tensor::zeros({settings.num_experts, width});
    std::vector<int64_t> blocks(static_cast<size_t>(candidates));
    std::iota(blocks.begin(), blocks.end(), 0);
    for (int64_t expert = 0; expert < settings.num_experts; ++expert) {
        rng.shuffle(std::span(blocks));
        for (int64_t i = 0; i < count; ++i) {
            keep(table, expert, blocks[size_t(i)] * size, size);
        }
    }
    return table;
}

Tensor bernoulli(const MaskSettings& settings, int64_t width, Rng& rng) {
    const Tensor table = Tensor::empty({settings.num_experts, width});
    for (real& entry : table.values()) {
        entry = settings.rate == 0 || rng.uniform() > settings.rate ? 1 : 0;
    }
    return table;
}

Tensor exact(const MaskSettings& settings, int64_t width, Rng& rng) {
    return random_blocks(settings, width, 1, width, kept_neurons(settings, width), rng);
}

Tensor partition(const MaskSettings& settings, int64_t width, Rng&) {
    const int64_t K = settings.num_experts, A = kept_neurons(settings, width);
    check(width % K == 0,
          "masks: {} experts cannot have equal parts of {} neurons: take a number that divides {}, "
          "such as {}",
          K, width, width, divisor_up_to(K, width));
    check(A * K == width, "masks: a partition among {} experts needs the rate {:.6g}, found {}{}",
          K, 1 - 1 / double(K), settings.rate,
          A > 0 && width % A == 0 ? fmt::format(", which fits {} experts", width / A) : "");
    const Tensor table = Tensor::zeros({K, width});
    for (int64_t expert = 0; expert < K; ++expert) {
        keep(table, expert, expert * A, A);
    }
    return table;
}

Tensor shared(const MaskSettings& settings, int64_t width, Rng&) {
    const double share = settings.number;
    check(share >= 0 && share <= 1,
          "masks: the share that all experts keep must be in [0, 1], found shared:{:g}", share);
    const int64_t K = settings.num_experts, A = kept_neurons(settings, width);
    const int64_t common = std::llround(share * double(A)), own = A - common;  // S, A - S
    check(
        common + K * own <= width,
        "masks: shared:{:g} at the rate {} needs {} neurons for all and {} for each of {} experts, "
        "there are {}: take a higher rate, a larger share or at most {} experts",
        share, settings.rate, common, own, K, width, (width - common) / std::max<int64_t>(own, 1));
    const Tensor table = Tensor::zeros({K, width});
    for (int64_t expert = 0; expert < K; ++expert) {
        keep(table, expert, 0, common);
        keep(table, expert, common + expert * own, own);
    }
    return table;
}

Tensor blocks(const MaskSettings& settings, int64_t width, Rng& rng) {
    const double number = settings.number;
    check(number >= 1 && number <= double(width) && number == std::floor(number),
          "masks: the size of a block must be a whole number from 1 to {}, found blocks:{:g}",
          width, number);
    const int64_t A = kept_neurons(settings, width), size = int64_t(number);
    const int64_t fitting = std::gcd(A, width);
    check(fitting % size == 0,
          "masks: the size of a block must divide the {} neurons and the {} that an expert keeps, "
          "found blocks:{}: take a divisor of {}, such as {}",
          width, A, size, fitting, divisor_up_to(size, fitting));
    return random_blocks(settings, width, size, width / size, A / size, rng);
}

Tensor overlap(const MaskSettings& settings, int64_t width, Rng& rng) {
    const double share = settings.number;
    const int64_t A = kept_neurons(settings, width);
    check(share > 0 && share <= 1 && double(A) / share < double(width) + 0.5,
          "masks: experts that keep {} of {} neurons may have a share from {:.6g} to 1 of them in "
          "common, found overlap:{:g}",
          A, width, double(A) / double(width), share);
    return random_blocks(settings, width, 1, std::llround(double(A) / share), A, rng);
}

Tensor nested(const MaskSettings& settings, int64_t width, Rng&) {
    const int64_t K = settings.num_experts, A = kept_neurons(settings, width);
    check((2 * K - 1) * A <= K * width,
          "masks: the largest of {} nested experts keeps {:.4g} times the average of {}, there are "
          "{} neurons: the rate must be at least {:g}, found {}",
          K, 2 - 1 / double(K), A, width, rate_keeping(K * width / (2 * K - 1), width),
          settings.rate);
    const Tensor table = Tensor::zeros({K, width});
    for (int64_t expert = 0; expert < K; ++expert) {
        keep(table, expert, 0, std::llround(double((2 * expert + 1) * A) / double(K)));
    }
    return table;
}

}  // namespace

Registry<MaskFamily>& mask_families() {
    static Registry<MaskFamily> families(
        "mask family",
        {
            {"bernoulli", {bernoulli}},
            {"exact", {exact}},
            {"partition", {partition}},
            {"shared", {shared, "the share of an expert's neurons that all keep", "0.25"}},
            {"blocks", {blocks, "how many neurons a block has", "64"}},
            {"overlap", {overlap, "the share of an expert's neurons that another keeps", "0.5"}},
            {"nested", {nested}},
        });
    return families;
}

}  // namespace smoe
