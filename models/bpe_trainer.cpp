// Counting words on all threads, then merging pairs with an index from each pair to its places and
// a heap of pairs whose entries may be out of date.
#include "models/bpe_trainer.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <unordered_map>
#include <utility>

#include "core/check.h"
#include "core/threads.h"

namespace smoe {
namespace {

struct CountedWord {
    std::string_view word;
    int64_t count;
};

// The distinct words in the order of their first appearance.
class WordCounts {
  public:
    void add(std::string_view word, int64_t count) {
        const auto [entry, is_new] = places_.try_emplace(word, words_.size());
        if (is_new) {
            words_.push_back({word, 0});
        }
        words_[entry->second].count += count;
    }
    const std::vector<CountedWord>& words() const { return words_; }

  private:
    std::unordered_map<std::string_view, size_t> places_;
    std::vector<CountedWord> words_;
};

WordCounts count_words(std::span<const std::string_view> stories, PreTokenizer pre) {
    const std::vector<size_t> borders = share_borders(stories);
    std::vector<WordCounts> counts(borders.size() - 1);
    parallel_chunks(int64_t(counts.size()), [&](int64_t chunk) {
        const size_t share = size_t(chunk);
        for (size_t i = borders[share]; i < borders[share + 1]; ++i) {
            for_each_word(stories[i], pre,
                          [&](std::string_view word) { counts[share].add(word, 1); });
        }
    });
    WordCounts all;
    for (WordCounts& part : counts) {
        for (const CountedWord& counted : part.words()) {
            all.add(counted.word, counted.count);
        }
        part = {};
    }
    return all;
}

class Trainer {
  public:
    explicit Trainer(const std::vector<CountedWord>& words) {
        std::array<int32_t, 256> byte_ids = {};
        for (int32_t id = 0; id < 256; ++id) {
            byte_ids[bytes_in_id_order()[size_t(id)]] = id;
        }
        size_t positions = 1;
        for (const CountedWord& counted : words) {
            positions += counted.word.size() + 1;
        }
        check(positions <= size_t(std::numeric_limits<int32_t>::max()),
              "tokenizer: the distinct words to learn from must hold less than 2 GiB, found {} "
              "bytes; "
              "train on a part of the text",
              positions);
        row_.reserve(positions);
        word_of_.reserve(positions);
        word_of_.push_back(-1);
        for (const CountedWord& counted : words) {
            row_.append(counted.word, byte_ids);
            word_of_.insert(word_of_.end(), counted.word.size() + 1, int32_t(word_counts_.size()));
            word_counts_.push_back(counted.count);
        }
        for (size_t at = 1; at < positions; ++at) {
            if (row_.id_at(at) != TokenRow::nothing && row_.id_at(at - 1) != TokenRow::nothing) {
                add_pair(row_.id_at(at - 1), row_.id_at(at), at - 1);
            }
        }
        queue_new_pairs(0);
    }

    std::vector<Merge> learn(int count) {
        std::vector<Merge> merges;
        while (int(merges.size()) < count && !queue_.empty()) {
            const Candidate best = queue_.top();
            queue_.pop();
            Pair& pair = pairs_[size_t(best.pair)];
            if (pair.count != best.count) {
                queue(best.pair);
                continue;
            }
            const Merge merge = {best.left, best.right, int32_t(lengths_.size())};
            lengths_.push_back(length(merge.left) + length(merge.right));
            apply(merge, std::exchange(pair.places, {}));
            merges.push_back(merge);
        }
        return merges;
    }

  private:
    struct Pair {
        int32_t left, right;
        int64_t count;  // over all words, each as often as it occurs
        // Where the pair has ever been, ascending; merges may since have eaten either token.
        std::vector<int32_t> places;
    };

    // A pair with the count it had when queued. The true one can only be lower: new neighbours
    // always include the token of the latest merge, whose pairs are queued after it.
    struct Candidate {
        int64_t count;
        int32_t left, right, pair;
        bool operator<(const Candidate& other) const {
            return count != other.count
                       ? count < other.count
                       : std::pair(left, right) > std::pair(other.left, other.right);
        }
    };

    int32_t length(int32_t id) const { return lengths_[size_t(id)]; }

    int64_t word_count(size_t place) const { return word_counts_[size_t(word_of_[place])]; }

    void add_pair(int32_t left, int32_t right, size_t place) {
        const int32_t number = pair_numbers_.find_or_insert(left, right, int32_t(pairs_.size()));
        if (size_t(number) == pairs_.size()) {
            pairs_.push_back({left, right, 0, {}});
        }
        pairs_[size_t(number)].count += word_count(place);
        pairs_[size_t(number)].places.push_back(int32_t(place));
    }

    void remove_pair(int32_t left, int32_t right, size_t place) {
        pairs_[size_t(pair_numbers_.find(left, right))].count -= word_count(place);
    }

    void queue(int32_t number) {
        const Pair& pair = pairs_[size_t(number)];
        if (pair.count >= 2) {
            queue_.push({pair.count, pair.left, pair.right, number});
        }
    }

    void queue_new_pairs(size_t first) {
        for (size_t i = first; i < pairs_.size(); ++i) {
            queue(int32_t(i));
        }
    }

    void apply(const Merge& merge, const std::vector<int32_t>& places) {
        const size_t known_pairs = pairs_.size();
        const size_t left_length = size_t(length(merge.left));
        for (const int32_t place : places) {
            const size_t at = size_t(place), middle = at + left_length;
            if (row_.id_at(at) != merge.left || row_.id_at(middle) != merge.right) {
                continue;
            }
            const size_t end = middle + size_t(length(merge.right));
            const int32_t before = row_.id_before(at), behind = row_.id_at(end);
            row_.merge(at, length(merge.left), length(merge.right), merge.merged);
            if (before != TokenRow::nothing) {
                remove_pair(before, merge.left, at);
                add_pair(before, merge.merged, at - size_t(length(before)));
            }
            if (behind != TokenRow::nothing) {
                remove_pair(merge.right, behind, at);
                add_pair(merge.merged, behind, at);
            }
        }
        queue_new_pairs(known_pairs);
    }

    TokenRow row_;                      // the distinct words, one after the other
    std::vector<int32_t> word_of_;      // per position of row_: number of the word
    std::vector<int64_t> word_counts_;  // per word
    std::vector<int32_t> lengths_ = std::vector<int32_t>(256, 1);  // bytes per id
    PairMap pair_numbers_;
    std::vector<Pair> pairs_;
    std::priority_queue<Candidate> queue_;
};

}  // namespace

std::vector<Merge> learn_merges(std::span<const std::string_view> stories, int count,
                                PreTokenizer pre) {
    return Trainer(count_words(stories, pre).words()).learn(count);
}

}  // namespace smoe
