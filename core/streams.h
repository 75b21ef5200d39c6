// Every use of random numbers, in one list. A use owns 2^32 streams of each seed, so no two uses
// can draw the same numbers, whatever the seeds and however many streams one of them takes. To add
// a use, append a line: changing the order changes every model that is drawn from a seed.
// Read next: rng.h, where the numbers come from.
#pragma once

#include "core/check.h"
#include "core/rng.h"

namespace smoe {

enum class Stream : uint32_t {
    corpus,            // of a story: its number
    order,             // of an epoch of training: its number
    evaluation_order,  // which sequences are evaluated, if not all are
    model_weights,
    router_weights,
    masks,          // of a layer: twice its number, and one more for its outputs
    experts,        // that are drawn while the router learns, or by the router `random`
    hash,           // of a token: the expert that the router `hash` gives it
    evaluation,     // experts drawn in an evaluation
    generation,     // of the prompt 0, of sample i: 1 + i
    model_dropout,  // seeds of what a layer drops
    router_dropout,
    dropout,  // of one pass through a layer, under such a seed
    analysis  // labels that are shuffled, to see what chance gives
};

// Throws Error for an index of 2^32 or more, which would belong to another use.
inline uint64_t stream_number(Stream use, uint64_t index = 0) {
    check(index >> 32 == 0, "streams: a use of randomness has 2^32 streams, asked for number {}",
          index);
    return uint64_t(use) << 32 | index;
}

inline Rng stream(uint64_t seed, Stream use, uint64_t index = 0) {
    return Rng(seed, stream_number(use, index));
}

}  // namespace smoe
