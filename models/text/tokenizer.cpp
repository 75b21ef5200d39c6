// Encoding with merges: long words are cut into pieces (crossings.h), and pieces seen before are
// remembered. A new piece is merged by search if it is short and by a queue if it is long.
// Read next: bpe_trainer.cpp, where merges come from.
#include "models/text/tokenizer.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/check.h"
#include "core/hash.h"
#include "core/threads.h"
#include "models/text/bpe_trainer.h"

namespace smoe {
namespace {

// The ids of short words seen before: a hash table with open addressing. It keeps views of the
// words, so it must not outlive the texts. It forgets everything when full.
class WordMemory {
  public:
    static constexpr size_t longest_word = 64;

    // The slot of the word. If it is not known(), encode the word and call learn() before the next
    // find.
    size_t find(std::string_view word) {
        if (2 * count_ >= slots_.size()) {
            make_room();
        }
        return slot_of(word);
    }

    bool known(size_t slot) const { return !slots_[slot].word.empty(); }

    std::span<const int32_t> ids(size_t slot) const {
        return std::span(ids_).subspan(slots_[slot].begin, slots_[slot].count);
    }

    void learn(size_t slot, std::string_view word, std::span<const int32_t> ids) {
        slots_[slot] = {word, uint32_t(ids_.size()), uint32_t(ids.size())};
        ids_.insert(ids_.end(), ids.begin(), ids.end());
        ++count_;
    }

  private:
    static constexpr size_t max_slots = size_t(1) << 17;

    struct Slot {
        std::string_view word;  // empty = free
        uint32_t begin, count;  // where its ids lie in ids_
    };

    size_t slot_of(std::string_view word) const {
        const size_t mask = slots_.size() - 1;
        size_t at = size_t(hash_bytes(word)) & mask;
        while (!slots_[at].word.empty() && slots_[at].word != word) {
            at = (at + 1) & mask;
        }
        return at;
    }

    void make_room() {
        if (slots_.size() == max_slots) {
            std::fill(slots_.begin(), slots_.end(), Slot{});
            ids_.clear();
            count_ = 0;
            return;
        }
        const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(4 * slots_.size()));
        for (const Slot& slot : old) {
            if (!slot.word.empty()) {
                slots_[slot_of(slot.word)] = slot;
            }
        }
    }

    std::vector<Slot> slots_ = std::vector<Slot>(128);  // a power of two
    std::vector<int32_t> ids_;
    size_t count_ = 0;
};

}  // namespace

// Encodes one text after another; the texts must outlive it.
class Tokenizer::Encoder {
  public:
    explicit Encoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

    std::vector<int32_t> encode(std::string_view text) {
        std::vector<int32_t> ids;
        for_each_word(text, tokenizer_.pre_, [&](std::string_view word) { append(word, ids); });
        return ids;
    }

  private:
    void append(std::string_view word, std::vector<int32_t>& ids) {
        if (word.size() <= WordMemory::longest_word) {
            append_piece(word, ids);
            return;
        }
        for (size_t begin = 0; begin < word.size();) {
            const size_t end = tokenizer_.crossings_.piece_end(word, begin);
            append_piece(word.substr(begin, end - begin), ids);
            begin = end;
        }
    }

    void append_piece(std::string_view piece, std::vector<int32_t>& ids) {
        if (piece.size() > WordMemory::longest_word) {
            append_long(piece, ids);
            return;
        }
        const size_t slot = memory_.find(piece);
        if (memory_.known(slot)) {
            for (const int32_t id : memory_.ids(slot)) {
                ids.push_back(id);
            }
            return;
        }
        const size_t begin = ids.size();
        append_short(piece, ids);
        memory_.learn(slot, piece, std::span(ids).subspan(begin));
    }

    // Searches all neighbours for each merge, which is fastest for so few.
    void append_short(std::string_view word, std::vector<int32_t>& ids) {
        struct Token {
            int32_t id;
            uint32_t rank;  // of its merge with the next token; the largest number if there is none
        };
        std::array<Token, WordMemory::longest_word + 1> tokens;
        const auto find_rank = [&](size_t i) {
            tokens[i].rank = uint32_t(tokenizer_.ranks_.find(tokens[i].id, tokens[i + 1].id));
        };
        for (size_t i = 0; i < word.size(); ++i) {
            tokens[i].id = tokenizer_.byte_ids_[uint8_t(word[i])];
        }
        size_t last = word.size() - 1;
        for (size_t i = 0; i < last; ++i) {
            find_rank(i);
        }
        while (last > 0) {
            size_t best = 0;
            uint32_t lowest = tokens[0].rank;
            for (size_t i = 1; i < last; ++i) {
                best = tokens[i].rank < lowest ? i : best;
                lowest = std::min(lowest, tokens[i].rank);
            }
            if (lowest == uint32_t(-1)) {
                break;
            }
            tokens[best].id = tokenizer_.merges_[lowest].merged;
            std::copy(&tokens[best + 2], &tokens[last + 1], &tokens[best + 1]);
            --last;
            if (best < last) {
                find_rank(best);
            }
            if (best > 0) {
                find_rank(best - 1);
            }
        }
        for (size_t i = 0; i <= last; ++i) {
            ids.push_back(tokens[i].id);
        }
    }

    void append_long(std::string_view word, std::vector<int32_t>& ids) {
        row_.clear();
        row_.append(word, tokenizer_.byte_ids_);
        queue_.clear();
        for (size_t at = 1; at < word.size(); ++at) {
            const int32_t rank = tokenizer_.ranks_.find(row_.id_at(at), row_.id_at(at + 1));
            if (rank >= 0) {
                queue_.push_back(candidate(rank, at));
            }
        }
        std::make_heap(queue_.begin(), queue_.end(), std::greater<>());
        while (!queue_.empty()) {
            std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
            const uint64_t best = queue_.back();
            queue_.pop_back();
            merge(tokenizer_.merges_[best >> 32], best & 0xFFFFFFFF);
        }
        for (size_t at = 1; at <= word.size(); at += length(row_.id_at(at))) {
            ids.push_back(row_.id_at(at));
        }
    }

    // Merges the token named `at` with the next one, unless an earlier merge has eaten either.
    void merge(const Merge& merge, size_t at) {
        const size_t middle = at + length(merge.left);
        if (row_.id_at(at) != merge.left || row_.id_at(middle) != merge.right) {
            return;
        }
        const size_t end = middle + length(merge.right);
        const int32_t before = row_.id_before(at), behind = row_.id_at(end);
        row_.merge(at, int32_t(middle - at), int32_t(end - middle), merge.merged);
        if (before != TokenRow::nothing) {
            queue(before, merge.merged, at - length(before));
        }
        if (behind != TokenRow::nothing) {
            queue(merge.merged, behind, at);
        }
    }

    void queue(int32_t left, int32_t right, size_t at) {
        const int32_t rank = tokenizer_.ranks_.find(left, right);
        if (rank >= 0) {
            queue_.push_back(candidate(rank, at));
            std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
        }
    }

    // One number that sorts by rank, then by position.
    static uint64_t candidate(int32_t rank, size_t at) { return uint64_t(rank) << 32 | at; }

    size_t length(int32_t id) const { return tokenizer_.entries_[size_t(id)].size(); }

    const Tokenizer& tokenizer_;
    WordMemory memory_;
    TokenRow row_;
    std::vector<uint64_t> queue_;  // a heap of candidates, the smallest first; some are out of date
};

Tokenizer::Tokenizer(std::vector<std::string> entries, std::vector<Merge> merges, PreTokenizer pre)
    : entries_(std::move(entries)), merges_(std::move(merges)), pre_(pre), crossings_(entries_) {
    for (size_t id = 0; id < entries_.size(); ++id) {
        if (entries_[id].size() == 1) {
            byte_ids_[uint8_t(entries_[id][0])] = int32_t(id);
        }
    }
    for (size_t rank = 0; rank < merges_.size(); ++rank) {
        ranks_.find_or_insert(merges_[rank].left, merges_[rank].right, int32_t(rank));
    }
}

void Tokenizer::check_entries(int entries) {
    check(entries >= 256 && entries <= max_entries,
          "tokenizer: the number of entries must be from 256 (one per byte) to {}, found {}",
          max_entries, entries);
}

Tokenizer Tokenizer::train(std::span<const std::string_view> stories, int entries,
                           PreTokenizer pre) {
    check_entries(entries);
    std::vector<Merge> merges = learn_merges(stories, entries - 256, pre);
    std::vector<std::string> bytes;
    for (const uint8_t byte : bytes_in_id_order()) {
        bytes.emplace_back(1, char(byte));
    }
    for (const Merge& merge : merges) {
        bytes.push_back(bytes[size_t(merge.left)] + bytes[size_t(merge.right)]);
        check(bytes.back() != end_of_text_name,
              "tokenizer: '{}' occurs inside the stories, so often that it became an entry of the "
              "vocabulary; split the text there, into stories",
              end_of_text_name);
    }
    return Tokenizer(std::move(bytes), std::move(merges), pre);
}

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
    return std::move(encode_all({&text, 1}).front());
}

std::vector<std::vector<int32_t>> Tokenizer::encode_all(
    std::span<const std::string_view> texts) const {
    for (const std::string_view text : texts) {
        check(text.size() < size_t(1) << 31,
              "tokenizer: a text must be shorter than 2 GiB, found one of {} bytes", text.size());
    }
    const std::vector<size_t> borders = share_borders(texts);
    std::vector<std::vector<int32_t>> ids(texts.size());
    parallel_chunks(int64_t(borders.size()) - 1, [&](int64_t chunk) {
        Encoder encoder(*this);
        for (size_t i = borders[size_t(chunk)]; i < borders[size_t(chunk) + 1]; ++i) {
            ids[i] = encoder.encode(texts[i]);
        }
    });
    return ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
    std::string text;
    for (const int32_t id : ids) {
        text += token_bytes(id);
    }
    return text;
}

std::string_view Tokenizer::token_bytes(int32_t id) const {
    check(id >= 0 && id < vocab_size(), "tokenizer: expected ids from 0 to {}, found {}",
          vocab_size() - 1, id);
    return id == end_of_text() ? std::string_view() : entries_[size_t(id)];
}

uint64_t Tokenizer::hash() const {
    return hash_bytes(to_json());
}

}  // namespace smoe
