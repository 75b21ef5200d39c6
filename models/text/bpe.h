// What learning and applying byte-pair encoding share: the order of the byte ids, a merge, a table
// from pairs of ids to numbers, and a text whose tokens grow in place.
// Read next: bpe_trainer.h, which learns merges, and tokenizer.h, which applies them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace smoe {

// The bytes of ids 0 to 255 in a vocabulary learned here, in the order of Hugging Face's trainer:
// first the bytes that GPT-2's byte alphabet leaves as they are (33-126, 161-172, 174-255), then
// the others.
constexpr int unchanged_bytes = 188;  // how many bytes that alphabet leaves as they are

constexpr std::array<uint8_t, 256> bytes_in_id_order() {
    const auto unchanged = [](int byte) {
        return (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    };
    std::array<uint8_t, 256> bytes = {};
    size_t unchanged_count = 0, other_count = unchanged_bytes;
    for (int byte = 0; byte < 256; ++byte) {
        bytes[unchanged(byte) ? unchanged_count++ : other_count++] = uint8_t(byte);
    }
    return bytes;
}

// The neighbours `left` and `right` become one token `merged`, whose bytes are those of `left`,
// then those of `right`.
struct Merge {
    int32_t left, right, merged;
    bool operator==(const Merge&) const = default;
};

// Maps pairs of ids (>= 0) to numbers (>= 0). It is a hash table with open addressing, since its
// look-ups are the inner loop of everything here.
class PairMap {
  public:
    PairMap();

    // -1 where the pair is missing
    int32_t find(int32_t left, int32_t right) const {
        return slots_[slot_of(key_of(left, right))].value;
    }

    // The number of the pair; a missing pair is inserted with `value`.
    int32_t find_or_insert(int32_t left, int32_t right, int32_t value);

  private:
    struct Slot {
        uint64_t key;
        int32_t value;  // -1 = free
    };

    static uint64_t key_of(int32_t left, int32_t right) {
        return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
    }

    // The slot that holds `key`, or else the free one where it belongs. Linear probing starts at
    // the place given by the highest bits of key * 2^64 / golden ratio (Knuth, The Art of Computer
    // Programming, volume 3, 6.4).
    size_t slot_of(uint64_t key) const {
        const size_t mask = slots_.size() - 1;
        size_t at = size_t(key * 0x9E3779B97F4A7C15 >> shift_);
        while (slots_[at].value >= 0 && slots_[at].key != key) {
            at = (at + 1) & mask;
        }
        return at;
    }

    void grow();

    std::vector<Slot> slots_;  // a power of two, at most half of them taken
    int shift_;                // 64 - log2(slots_.size())
    size_t count_ = 0;
};

// Words whose tokens merge in place. A token is named by the position of its first byte. Its id
// stands at its first and its last byte, so both neighbours are found by looking next door. A
// position inside a token holds `nothing`, and so does one position before and after each word.
// Names outlive their tokens: once merges have eaten a token, id_at(its position) differs from its
// id, as all merged tokens have at least two bytes.
class TokenRow {
  public:
    static constexpr int32_t nothing = -1;

    TokenRow() : ids_(1, nothing) {}
    void clear() { ids_.resize(1); }
    void reserve(size_t positions) { ids_.reserve(positions); }
    size_t size() const { return ids_.size(); }

    // Appends the bytes of a word as tokens, and the border behind it.
    void append(std::string_view word, const std::array<int32_t, 256>& byte_ids) {
        for (const char byte : word) {
            ids_.push_back(byte_ids[uint8_t(byte)]);
        }
        ids_.push_back(nothing);
    }

    int32_t id_at(size_t position) const { return ids_[position]; }
    int32_t id_before(size_t position) const { return ids_[position - 1]; }

    // Fetches the ids there ahead of time, so that reading them need not wait for memory.
    void prefetch(size_t position) const { __builtin_prefetch(&ids_[position]); }

    // Merges the token at `position` with the one behind it; their lengths are given in bytes.
    void merge(size_t position, int32_t left_length, int32_t right_length, int32_t merged) {
        const size_t middle = position + size_t(left_length);
        ids_[middle - 1] = nothing;
        ids_[middle] = nothing;
        ids_[position] = merged;
        ids_[middle + size_t(right_length) - 1] = merged;
    }

  private:
    std::vector<int32_t> ids_;
};

}  // namespace smoe
