// Lesson 9: where tokens come from. Lesson 8 read character by character, so a word took many
// steps. A tokenizer cuts text into words, each with the blank before it. It starts from the 256
// bytes and joins the most frequent pair of neighbours in a word to a new token, again and again:
// byte-pair encoding. A token has a number, its id; all of them are the vocabulary. Text is encoded
// by the same joins in the order in which they were learned.
// Claims: these loops learn the merges of the library's trainer, which is fast, and encode as its
// Tokenizer does, unseen words and other alphabets included; decoding gives back every byte, and
// more entries need fewer tokens.
// Next: 10_attention.cpp. The fast way: models/text/bpe_trainer.h, models/text/pre_tokenizer.h.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/text.h"
#include "models/text/bpe_trainer.h"
#include "models/text/corpus/corpus.h"
#include "models/text/tokenizer.h"

using namespace smoe;

namespace {

using Ids = std::vector<int32_t>;
using Texts = std::vector<std::string_view>;

// All words as ids of their bytes; bytes_in_id_order() says which byte has which id.
std::vector<Ids> words_of(const Texts& texts) {
    constexpr auto bytes = bytes_in_id_order();
    std::vector<Ids> words;
    for (const std::string_view text : texts) {
        for_each_word(text, PreTokenizer::gpt2, [&](std::string_view word) {
            Ids& ids = words.emplace_back();
            for (const char byte : word) {
                ids.push_back(int32_t(std::ranges::find(bytes, uint8_t(byte)) - bytes.begin()));
            }
        });
    }
    return words;
}

// Wherever left and right are neighbours, they become one token, from left to right.
Ids join(const Ids& ids, const Merge& merge) {
    Ids joined;
    for (size_t i = 0; i < ids.size(); ++i) {
        const bool both = i + 1 < ids.size() && ids[i] == merge.left && ids[i + 1] == merge.right;
        joined.push_back(both ? merge.merged : ids[i]);
        i += both;
    }
    return joined;
}

struct Vocabulary {
    std::vector<std::string> tokens;  // the bytes of each id
    std::vector<Merge> merges;        // in the order of learning

    Vocabulary() {
        for (const uint8_t byte : bytes_in_id_order()) {
            tokens.emplace_back(1, char(byte));
        }
    }

    // Joins the most frequent pair of neighbours; among equals the one with the smaller ids.
    // Returns how often it occurs.
    int learn_one(std::vector<Ids>& words) {
        std::map<std::pair<int32_t, int32_t>, int> count;
        for (const Ids& word : words) {
            for (size_t i = 0; i + 1 < word.size(); ++i) {
                ++count[{word[i], word[i + 1]}];
            }
        }
        const auto most =
            std::ranges::max_element(count, {}, [](const auto& entry) { return entry.second; });
        const auto [left, right] = most->first;
        merges.push_back({left, right, int32_t(tokens.size())});
        tokens.push_back(tokens[size_t(left)] + tokens[size_t(right)]);
        for (Ids& word : words) {
            word = join(word, merges.back());
        }
        return most->second;
    }

    Ids encode(std::string_view text) const {
        Ids ids;
        for (Ids word : words_of({text})) {
            for (const Merge& merge : merges) {
                word = join(word, merge);
            }
            ids.insert(ids.end(), word.begin(), word.end());
        }
        return ids;
    }
    std::string decode(const Ids& ids, const std::string& between = "") const {
        std::string text;
        for (const int32_t id : ids) {
            text += (text.empty() ? "" : between) + tokens[size_t(id)];
        }
        return text;
    }
};

}  // namespace

int main() {
    const Texts lines = {"she sells sea shells", "she sees the sea", "the shells she sees"};
    std::vector<Ids> words = words_of(lines);
    Vocabulary small;
    fmt::print("Learned from three lines, and how each merge changes the first:\n");
    for (int i = 0; i < 9; ++i) {
        const int times = small.learn_one(words);
        const auto [left, right, merged] = small.merges.back();
        fmt::print("  {} = {:3} + {:3}  {:7}{} times   {}\n", merged, left, right,
                   small.tokens.back(), times, small.decode(small.encode(lines[0]), "|"));
    }
    check(small.merges == learn_merges(lines, 9, PreTokenizer::gpt2),
          "lesson: the loops should learn the merges of the trainer");
    fmt::print("A word that was not there: {}\n", small.decode(small.encode("shellfishes"), "|"));

    std::vector<std::string> stories;
    size_t bytes = 0;
    for (uint64_t i = 0; i < 60; ++i) {
        bytes += stories.emplace_back(corpus_story(9, i).text).size();
    }
    const Texts texts(stories.begin(), stories.end());
    words = words_of(texts);
    Vocabulary large;
    fmt::print("\n{} bytes of stories:\n  entries   tokens   bytes a token   the last\n", bytes);
    for (size_t merges = 8, before = bytes; merges <= 512; merges *= 2) {
        while (large.merges.size() < merges) {
            large.learn_one(words);
        }
        size_t tokens = 0;
        for (const Ids& word : words) {
            tokens += word.size();
        }
        fmt::print("  {:7}{:9}{:16.2f}   '{}'\n", large.tokens.size(), tokens,
                   double(bytes) / double(tokens), to_valid_utf8(large.tokens.back()));
        check(tokens < before, "lesson: more entries should need fewer tokens");
        before = tokens;
    }

    const Tokenizer library = Tokenizer::train(texts, 256 + 512, PreTokenizer::gpt2);
    for (const std::string& text : {corpus_story(10, 0).text, std::string("Schöne Grüße, 東京!")}) {
        const Ids ids = large.encode(text);
        check(ids == library.encode(text), "lesson: the loops should encode as the library does");
        check(large.decode(ids) == text, "lesson: decoding should give back every byte");
        fmt::print("{} bytes, {} tokens: {} ...\n", text.size(), ids.size(),
                   to_valid_utf8(large.decode({ids.begin(), ids.begin() + 12}, "|")));
    }
    return 0;
}
