// The hash table of pairs.
#include "models/bpe.h"

#include <utility>

namespace smoe {
namespace {

uint64_t key_of(int32_t left, int32_t right) {
    return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
}

}  // namespace

PairMap::PairMap() : slots_(16, Slot{0, -1}) {}

int32_t PairMap::find(int32_t left, int32_t right) const {
    return slots_[slot_of(key_of(left, right))].value;
}

int32_t PairMap::find_or_insert(int32_t left, int32_t right, int32_t value) {
    const uint64_t key = key_of(left, right);
    Slot& slot = slots_[slot_of(key)];
    if (slot.value >= 0) {
        return slot.value;
    }
    slot = {key, value};
    if (++count_ * 2 > slots_.size()) {
        grow();
    }
    return value;
}

// The slot that holds `key`, or else the free one where it belongs: linear probing from the place
// that the key's scrambled bits name (the finaliser of MurmurHash3, Appleby 2011).
size_t PairMap::slot_of(uint64_t key) const {
    uint64_t bits = key ^ key >> 33;
    bits *= 0xFF51AFD7ED558CCD;
    bits ^= bits >> 33;
    bits *= 0xC4CEB9FE1A85EC53;
    bits ^= bits >> 33;
    const size_t mask = slots_.size() - 1;
    size_t at = size_t(bits) & mask;
    while (slots_[at].value >= 0 && slots_[at].key != key) {
        at = (at + 1) & mask;
    }
    return at;
}

void PairMap::grow() {
    const std::vector<Slot> old =
        std::exchange(slots_, std::vector<Slot>(slots_.size() * 2, Slot{0, -1}));
    for (const Slot& slot : old) {
        if (slot.value >= 0) {
            slots_[slot_of(slot.key)] = slot;
        }
    }
}

}  // namespace smoe
