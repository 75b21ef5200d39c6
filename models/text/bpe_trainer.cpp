// Counting words on all threads, then merging pairs with an index from each pair to its places and
// a heap of pairs whose entries may be out of date.
// Read next: tests/models/text/bpe_trainer_test.cpp, whose trainer recounts everything.
#include "models/text/bpe_trainer.h"

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
    explicit Trainer(std::vector<CountedWord> words) {
        // Words that occur more than once come first. The others need no entry in word_of_; in mode
        // `none` they are nearly all the text.
        std::stable_partition(words.begin(), words.end(),
                              [](const CountedWord& counted) { return counted.count > 1; });
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
              "bytes; train on a part of the text",
              positions);
        row_.reserve(positions);
        word_of_.push_back(0);  // in front of the first word
        for (const CountedWord& counted : words) {
            row_.append(counted.word, byte_ids);
            if (counted.count > 1) {
                word_of_.insert(word_of_.end(), counted.word.size() + 1,
                                int32_t(word_counts_.size()));
                word_counts_.push_back(counted.count);
            }
        }
        index_bytes();
    }

    std::vector<Merge> learn(int count) {
        std::vector<Merge> merges;
        while (int(merges.size()) < count && !queue_.empty()) {
            const Candidate best = queue_.top();
            queue_.pop();
            Pair& pair = pairs_[size_t(best.pair)];
            if (pair.count != best.count) {  // out of date: queue it again with the true one
                queue(best.pair);
                continue;
            }
            const Merge merge = {best.left, best.right, int32_t(lengths_.size())};
            lengths_.push_back(length(merge.left) + length(merge.right));
            // Moved out: applying makes pairs, which may move this one in memory.
            apply(merge, std::exchange(pair.places, {}));
            merges.push_back(merge);
        }
        return merges;
    }

  private:
    struct Pair {
        int32_t left, right;
        int64_t count = 0;  // over all words, each as often as it occurs
        // Wherever the pair has been, ascending. Merges may since have eaten either token.
        std::vector<int32_t> places = {};
    };

    // A pair with the count it had when queued. Its true count can only be lower: new neighbours
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

    // New pairs that share one token, found by the other one.
    class Neighbours {
      public:
        // The number of the pair with `id`; a missing pair is inserted with `next`.
        int32_t find_or_insert(int32_t id, int32_t next) {
            if (size_t(id) >= numbers_.size()) {
                numbers_.resize(size_t(id) + 1, -1);
            }
            int32_t& number = numbers_[size_t(id)];
            if (number < 0) {
                number = next;
                ids_.push_back(id);
            }
            return number;
        }

        // Calls visit(id, number) for each, then forgets them.
        template <class Visit>
        void take_all(const Visit& visit) {
            for (const int32_t id : ids_) {
                visit(id, std::exchange(numbers_[size_t(id)], -1));
            }
            ids_.clear();
        }

      private:
        std::vector<int32_t> numbers_;  // per id, -1 if it has no pair
        std::vector<int32_t> ids_;      // that have one
    };

    int32_t length(int32_t id) const { return lengths_[size_t(id)]; }

    int64_t word_count(size_t place) const {
        return place < word_of_.size() ? word_counts_[size_t(word_of_[place])] : 1;
    }

    int32_t next_number() const { return int32_t(pairs_.size()); }

    // `number` is the pair's number, or next_number() for a new pair.
    void add_place(int32_t number, int32_t left, int32_t right, size_t place) {
        if (number == next_number()) {
            pairs_.push_back({left, right});
        }
        Pair& pair = pairs_[size_t(number)];
        pair.count += word_count(place);
        pair.places.push_back(int32_t(place));
    }

    void index_bytes() {
        for (size_t place = 1; place + 1 < row_.size(); ++place) {
            const int32_t left = row_.id_at(place), right = row_.id_at(place + 1);
            if (left != TokenRow::nothing && right != TokenRow::nothing) {
                add_place(pair_numbers_.find_or_insert(left, right, next_number()), left, right,
                          place);
            }
        }
        queue_new_pairs(0);
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
        constexpr size_t ahead = 16;  // places; waiting for them was half of the time
        for (size_t i = 0; i < places.size(); ++i) {
            if (i + ahead < places.size()) {
                row_.prefetch(size_t(places[i + ahead]));
            }
            const size_t at = size_t(places[i]), middle = at + left_length;
            if (row_.id_at(at) != merge.left || row_.id_at(middle) != merge.right) {
                continue;  // an earlier merge, or the last place of this one, took a part of it
            }
            const size_t end = middle + size_t(length(merge.right));
            const int32_t before = row_.id_before(at), behind = row_.id_at(end);
            row_.merge(at, length(merge.left), length(merge.right), merge.merged);
            if (before != TokenRow::nothing) {
                add_place(before_.find_or_insert(before, next_number()), before, merge.merged,
                          at - size_t(length(before)));
            }
            if (behind != TokenRow::nothing) {
                add_place(behind_.find_or_insert(behind, next_number()), merge.merged, behind, at);
            }
        }
        // Each place of a new pair was a place of an old pair, which had merge.right or merge.left
        // instead of merge.merged. The old pair (merged, left) of "left right left right" is itself
        // new and comes first here.
        behind_.take_all([&](int32_t id, int32_t number) {
            pair_numbers_.find_or_insert(merge.merged, id, number);
            remove(merge.right, id, pairs_[size_t(number)].count);
        });
        before_.take_all([&](int32_t id, int32_t number) {
            pair_numbers_.find_or_insert(id, merge.merged, number);
            remove(id, merge.left, pairs_[size_t(number)].count);
        });
        queue_new_pairs(known_pairs);
    }

    void remove(int32_t left, int32_t right, int64_t count) {
        pairs_[size_t(pair_numbers_.find(left, right))].count -= count;
    }

    TokenRow row_;                      // the distinct words, one after the other
    std::vector<int32_t> word_of_;      // per position of words that occur more than once: its word
    std::vector<int64_t> word_counts_;  // per such word
    std::vector<int32_t> lengths_ = std::vector<int32_t>(256, 1);  // bytes per id
    PairMap pair_numbers_;
    std::vector<Pair> pairs_;
    std::priority_queue<Candidate> queue_;
    Neighbours before_, behind_;  // pairs made by the merge at work
};

}  // namespace

std::vector<Merge> learn_merges(std::span<const std::string_view> stories, int count,
                                PreTokenizer pre) {
    return Trainer(count_words(stories, pre).words()).learn(count);
}

}  // namespace smoe
