// Encoding and decoding: by hand, against merging one pair at a time, and with arbitrary bytes
// there and back. The memory of earlier words must change nothing.
// Read next: tokenizer_json_test.cpp.
#include "models/text/tokenizer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "core/check.h"
#include "core/rng.h"
#include "core/threads.h"
#include "models/text/bpe_trainer.h"

using namespace smoe;
using namespace std::string_literals;

namespace {

using Ids = std::vector<int32_t>;

Tokenizer train(const std::vector<std::string>& stories, int entries, PreTokenizer pre) {
    const std::vector<std::string_view> views(stories.begin(), stories.end());
    return Tokenizer::train(views, entries, pre);
}

std::string random_bytes(Rng& rng, uint64_t length) {
    std::string bytes;
    while (bytes.size() < length) {
        bytes += char(rng.below(256));
    }
    return bytes;
}

// Text in which words repeat but are not all known.
std::string random_text(Rng& rng, uint64_t length) {
    const std::string letters = "eeeaaattthhinos  ..'s\n19ä";
    std::string text;
    while (text.size() < length) {
        text += letters[rng.below(letters.size())];
    }
    return text;
}

// The definition: join the pair whose merge was learned first, the leftmost one, one at a time.
Ids encode_slowly(std::string_view text, const std::vector<Merge>& merges, PreTokenizer pre) {
    std::array<int32_t, 256> byte_ids = {};
    for (int32_t id = 0; id < 256; ++id) {
        byte_ids[bytes_in_id_order()[size_t(id)]] = id;
    }
    Ids ids;
    for_each_word(text, pre, [&](std::string_view word) {
        Ids tokens;
        for (const char byte : word) {
            tokens.push_back(byte_ids[uint8_t(byte)]);
        }
        for (bool found = true; found;) {
            found = false;
            for (size_t rank = 0; rank < merges.size() && !found; ++rank) {
                for (size_t i = 1; i < tokens.size() && !found; ++i) {
                    if (tokens[i - 1] == merges[rank].left && tokens[i] == merges[rank].right) {
                        tokens[i - 1] = merges[rank].merged;
                        tokens.erase(tokens.begin() + ptrdiff_t(i));
                        found = true;
                    }
                }
            }
        }
        ids.insert(ids.end(), tokens.begin(), tokens.end());
    });
    return ids;
}

}  // namespace

TEST_CASE("tokenizer: aaabdaaabac") {
    const Tokenizer tokenizer = train({"aaabdaaabac"}, 1000, PreTokenizer::none);
    CHECK(tokenizer.vocab_size() == 260);
    CHECK(tokenizer.end_of_text() == 259);
    CHECK(tokenizer.pre_tokenizer() == PreTokenizer::none);
    CHECK(tokenizer.token_bytes(258) == "aaab");
    CHECK(tokenizer.encode("aaabdaaabac") == Ids{258, 'd' - 33, 258, 'a' - 33, 'c' - 33});
    CHECK(tokenizer.encode("aaa") == Ids{256, 'a' - 33});
    CHECK(tokenizer.encode("aaaa") == Ids{256, 256});
    CHECK(tokenizer.encode("ab") == Ids{257});
    CHECK(tokenizer.encode("aab") == Ids{256, 'b' - 33});  // (a, a) was learned before (a, b)
    CHECK(tokenizer.encode("") == Ids{});
}

TEST_CASE("tokenizer: with words, no token crosses a word border") {
    const std::vector<std::string> stories(3, "the cat the cat the cat");
    const Tokenizer words = train(stories, 300, PreTokenizer::gpt2);
    CHECK(words.encode("the cat").size() == 2);
    CHECK(words.encode(" cat cat").size() == 2);
    CHECK(train(stories, 300, PreTokenizer::none).encode("the cat the cat the cat").size() == 1);
}

TEST_CASE("tokenizer: decode") {
    const Tokenizer tokenizer = train({"abab"}, 256, PreTokenizer::gpt2);
    CHECK(tokenizer.vocab_size() == 257);
    CHECK(tokenizer.decode(Ids{'a' - 33, 256, 188, 256}) == "a\0"s);
    CHECK(tokenizer.decode(Ids{}) == "");
    CHECK(tokenizer.token_bytes(256) == "");
    for (const int32_t id : {-1, 257, 1 << 30}) {
        CHECK_THROWS_WITH_AS(tokenizer.decode(Ids{id}),
                             doctest::Contains(std::to_string(id).c_str()), Error);
        CHECK_THROWS_AS(tokenizer.token_bytes(id), Error);
    }
}

TEST_CASE("tokenizer: special text is only text") {
    const std::vector<std::string> often(9, "<|endoftext|>");
    const Tokenizer tokenizer = train(often, 400, PreTokenizer::gpt2);
    const Ids ids = tokenizer.encode("<|endoftext|>");
    CHECK(ids.size() == 3);
    CHECK(std::count(ids.begin(), ids.end(), tokenizer.end_of_text()) == 0);
    CHECK(tokenizer.decode(ids) == "<|endoftext|>");
    CHECK_THROWS_WITH_AS(train(often, 400, PreTokenizer::none), doctest::Contains("split the text"),
                         Error);
}

TEST_CASE("tokenizer: sizes out of range") {
    for (const int entries : {-1, 0, 255, Tokenizer::max_entries + 1}) {
        CHECK_THROWS_WITH_AS(train({"a"}, entries, PreTokenizer::gpt2),
                             doctest::Contains("must be from 256"), Error);
    }
    CHECK(train({}, 256, PreTokenizer::none).vocab_size() == 257);
}

TEST_CASE("tokenizer: any bytes come back") {
    Rng rng(4);
    for (const PreTokenizer pre : {PreTokenizer::gpt2, PreTokenizer::none}) {
        const Tokenizer tokenizer =
            train({random_bytes(rng, 3000), random_text(rng, 3000)}, 400, pre);
        CHECK(tokenizer.vocab_size() == 401);
        for (int round = 0; round < 300; ++round) {
            const uint64_t length = rng.below(300);
            const std::string text =
                round % 2 ? random_text(rng, length) : random_bytes(rng, length);
            const Ids ids = tokenizer.encode(text);
            REQUIRE(tokenizer.decode(ids) == text);
            REQUIRE(std::count(ids.begin(), ids.end(), tokenizer.end_of_text()) == 0);
        }
        const std::string long_word(200'000, 'e');
        CHECK(tokenizer.decode(tokenizer.encode(long_word)) == long_word);
    }
}

TEST_CASE("tokenizer: equals joining one pair at a time") {
    Rng rng(5);
    for (const PreTokenizer pre : {PreTokenizer::gpt2, PreTokenizer::none}) {
        for (int round = 0; round < 12; ++round) {
            const std::string story = random_text(rng, 1500);
            const std::string_view view = story;
            const int count = int(rng.below(150));
            const std::vector<Merge> merges = learn_merges({&view, 1}, count, pre);
            const Tokenizer tokenizer = train({story}, 256 + count, pre);
            for (int i = 0; i < 10; ++i) {
                const std::string text = random_text(rng, rng.below(150));
                REQUIRE(tokenizer.encode(text) == encode_slowly(text, merges, pre));
            }
            REQUIRE(tokenizer.encode("eeeeeeeeeeeee") ==
                    encode_slowly("eeeeeeeeeeeee", merges, pre));
        }
    }
}

// Few letters, so that entries lie across nearly every place and no word is cut into short pieces.
TEST_CASE("tokenizer: long words equal joining one pair at a time") {
    Rng rng(9);
    for (const uint64_t letters : {1, 2, 3, 5}) {
        const auto random_word = [&](uint64_t length) {
            std::string word;
            while (word.size() < length) {
                word += "abcde"[rng.below(letters)];
            }
            return word;
        };
        const std::string story = random_word(2000);
        const std::string_view view = story;
        for (const PreTokenizer pre : {PreTokenizer::gpt2, PreTokenizer::none}) {
            const std::vector<Merge> merges = learn_merges({&view, 1}, 60, pre);
            const Tokenizer tokenizer = train({story}, 256 + 60, pre);
            for (const uint64_t length : {63, 64, 65, 66, 130, 700}) {
                const std::string word = random_word(length);
                REQUIRE(tokenizer.encode(word) == encode_slowly(word, merges, pre));
            }
            const std::string mixed = random_word(100) + std::string(80, '!') + random_word(100);
            REQUIRE(tokenizer.encode(mixed) == encode_slowly(mixed, merges, pre));
        }
    }
}

TEST_CASE("tokenizer: many texts at once, on any number of threads") {
    Rng rng(6);
    std::vector<std::string> stories;
    for (int i = 0; i < 150; ++i) {
        stories.push_back(random_text(rng, rng.below(30'000)));
    }
    stories[3].clear();
    const std::vector<std::string_view> views(stories.begin(), stories.end());
    REQUIRE(share_borders(views).size() > 2);
    const Tokenizer tokenizer =
        Tokenizer::train(std::span(views).first(20), 400, PreTokenizer::gpt2);
    const int before = threads();
    set_threads(1);
    const auto alone = tokenizer.encode_all(views);
    REQUIRE(alone.size() == stories.size());
    for (size_t i = 0; i < stories.size(); i += 10) {
        REQUIRE(alone[i] == tokenizer.encode(views[i]));
        REQUIRE(tokenizer.decode(alone[i]) == stories[i]);
    }
    for (const int count : {2, 4}) {
        set_threads(count);
        CHECK(tokenizer.encode_all(views) == alone);
    }
    set_threads(before);
    CHECK(tokenizer.encode_all({}).empty());
}

TEST_CASE("tokenizer: forgetting words changes nothing") {
    const Tokenizer tokenizer = train({"1212 1212 345 345 21 21"}, 270, PreTokenizer::gpt2);
    std::string text;
    for (int i = 0; i < 150'000; ++i) {  // more different words than are kept
        text += ' ';
        text += std::to_string(i);
    }
    CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
    const Ids all = tokenizer.encode(text + text);
    const Ids once = tokenizer.encode(text);
    REQUIRE(all.size() == 2 * once.size());
    CHECK(std::equal(once.begin(), once.end(), all.begin()));
    CHECK(std::equal(once.begin(), once.end(), all.begin() + ptrdiff_t(once.size())));
}
