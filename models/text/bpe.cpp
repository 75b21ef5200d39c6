// The hash table of pairs: inserting, and growing when half of the slots are taken. Look-ups are
// inline in bpe.h, since everything waits for them.
// Read next: bpe_trainer.cpp.
#include "models/text/bpe.h"

#include <utility>

namespace smoe {

PairMap::PairMap() : slots_(16, Slot{0, -1}), shift_(64 - 4) {}

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

void PairMap::grow() {
    const std::vector<Slot> old =
        std::exchange(slots_, std::vector<Slot>(slots_.size() * 2, Slot{0, -1}));
    --shift_;
    for (const Slot& slot : old) {
        if (slot.value >= 0) {
            slots_[slot_of(slot.key)] = slot;
        }
    }
}

}  // namespace smoe
