// tokenizer.json: there and back, files that Hugging Face writes differently, and broken files. A
// damaged file works or is refused in one line, wherever the damage is.
// Read next: tests/fuzz/tokenizer.cpp.
#include <doctest/doctest.h>

#include <string>

#include "core/check.h"
#include "core/rng.h"
#include "models/text/tokenizer.h"
#include "tests/error_of.h"

using namespace smoe;
using namespace std::string_literals;

namespace {

// 256 bytes, then aa = 256, ab = 257, aaab = 258; the end of text is 259.
Tokenizer sample(PreTokenizer pre) {
    const std::string_view story = "aaabdaaabac";
    return Tokenizer::train({&story, 1}, 1000, pre);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, from);
    return text.replace(at, from.size(), to);
}

Tokenizer read(const std::string& json) {
    return Tokenizer::from_json(json, "some/file.json");
}

}  // namespace

TEST_CASE("tokenizer_json: there and back") {
    for (const PreTokenizer pre : {PreTokenizer::gpt2, PreTokenizer::none}) {
        const Tokenizer tokenizer = sample(pre);
        const std::string json = tokenizer.to_json();
        const Tokenizer copy = read(json);
        CHECK(copy.to_json() == json);
        CHECK(copy.hash() == tokenizer.hash());
        CHECK(copy.pre_tokenizer() == pre);
        CHECK(copy.vocab_size() == tokenizer.vocab_size());
        CHECK(copy.encode("aaab \"\\\n") == tokenizer.encode("aaab \"\\\n"));
    }
    CHECK(sample(PreTokenizer::gpt2).hash() != sample(PreTokenizer::none).hash());
}

TEST_CASE("tokenizer_json: bytes stand in GPT-2's alphabet") {
    const std::string json = sample(PreTokenizer::gpt2).to_json();
    for (const std::string entry :
         {R"("!": 0)", R"("\"": 1)", R"("\\": 59)", R"("¡": 94)", R"("ÿ": 187)", R"("Ā": 188)",
          R"("Ċ": 198)", R"("Ġ": 220)", R"("Ń": 255)", R"("aaab": 258)", R"(["aa", "ab"])"}) {
        CHECK_MESSAGE(json.find(entry) != std::string::npos, entry);
    }
}

TEST_CASE("tokenizer_json: equivalent files of others") {
    const Tokenizer tokenizer = sample(PreTokenizer::gpt2);
    const std::string json = tokenizer.to_json();
    const std::string variants[] = {
        replaced(replaced(replaced(json, R"(["a", "a"])", R"("a a")"), R"(["a", "b"])", R"("a b")"),
                 R"(["aa", "ab"])", R"("aa ab")"),
        replaced(json, R"(, "use_regex": true)", ""),
        replaced(json, "\"version\": \"1.0\",", ""),
        replaced(json, R"("aaab": 258)", R"("aaab": 258, "<|endoftext|>": 259)"),
        replaced(json, R"("post_processor": null)",
                 R"("post_processor": {"type": "ByteLevel", "trim_offsets": false})"),
        replaced(json, R"("post_processor": null)",
                 R"("post_processor": {"type": "TemplateProcessing", "single": [
                     {"SpecialToken": {"id": "<|endoftext|>"}}, {"Sequence": {"id": "A"}}]})"),
        replaced(json, R"("unk_token": null)", R"("unk_token": "<|endoftext|>")"),
        replaced(replaced(json, R"("continuing_subword_prefix": null)",
                          R"("continuing_subword_prefix": "")"),
                 R"("end_of_word_suffix": null)", R"("end_of_word_suffix": "")"),
        replaced(json, "\"ignore_merges\": false,", ""),
        " \n" + json + "\n"};
    for (const std::string& variant : variants) {
        CHECK(read(variant).to_json() == json);
    }
}

TEST_CASE("tokenizer_json: bytes and merges may have any ids") {
    std::string json = sample(PreTokenizer::none).to_json();
    json = replaced(replaced(json, R"("!": 0)", R"("!": 258)"), R"("aaab": 258)", R"("aaab": 0)");
    const Tokenizer tokenizer = read(json);
    CHECK(tokenizer.encode("!aaab") == std::vector<int32_t>{258, 0});
    CHECK(tokenizer.decode(tokenizer.encode("!aaab")) == "!aaab");
    CHECK(read(tokenizer.to_json()).to_json() == tokenizer.to_json());
}

TEST_CASE("tokenizer_json: broken files are refused in one line that says why") {
    const std::string json = sample(PreTokenizer::gpt2).to_json();
    const auto edit = [&](const std::string& from, const std::string& to) {
        return replaced(json, from, to);
    };
    const std::string byte_level = R"("pre_tokenizer": {"type": "ByteLevel")";
    const std::string added = R"({"id": 259, "content": "<|endoftext|>")";
    const std::pair<std::string, const char*> cases[] = {
        {"", "not JSON"},
        {"hello", "not JSON, at byte 1"},
        {json.substr(0, json.size() / 2), "not JSON"},
        {json + "}", "not JSON"},
        {edit("aaab", "\xFF"), "not JSON"},
        {R"({"version": 1e999})", "out of range"},
        {"[]", "expected a JSON object, found []"},
        {std::string(100'000, '['), "nested more than 16 deep"},
        {edit("\"truncation\": null",
              "\"truncation\": " + std::string(50, '[') + std::string(50, ']')),
         "nested more than 16 deep"},
        {std::string((64 << 20) + 1, ' '), "at most 67108864 bytes"},
        {edit(R"("1.0")", R"("2.0")"), "expected version \"1.0\", found \"2.0\""},
        {edit("\"truncation\": null", "\"truncation\": {\"max_length\": 3}"),
         "expected no truncation"},
        {edit("\"padding\": null", "\"padding\": {}"), "expected no padding"},
        {edit("\"normalizer\": null", R"("normalizer": {"type": "NFC"})"),
         "expected no normalizer"},
        {edit("\"post_processor\": null", R"("post_processor": {"type": "Bert"})"),
         "expected no post_processor"},
        {edit("\"post_processor\": null",
              R"("post_processor": {"type": "TemplateProcessing", "single": [
                  {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "<|endoftext|>"}}]})"),
         "puts \"<|endoftext|>\" before a text"},
        {edit(byte_level, R"("pre_tokenizer": {"type": "Whitespace")"), "ByteLevel pre_tokenizer"},
        {edit("\"pre_tokenizer\": {", "\"pre_tokenizer\": null, \"other\": {"),
         "ByteLevel pre_tokenizer, found null"},
        {edit("\"add_prefix_space\": false", "\"add_prefix_space\": true"),
         "add_prefix_space false"},
        {edit("\"use_regex\": true", "\"use_regex\": 3"), "use_regex true or false, found 3"},
        {edit("\"decoder\": {\"type\": \"ByteLevel\"", "\"decoder\": {\"type\": \"WordPiece\""),
         "ByteLevel decoder"},
        {edit("\"BPE\"", "\"WordPiece\""), "model of type \"BPE\", found \"WordPiece\""},
        {edit("\"model\"", "\"mode\""), "model of type \"BPE\", found null"},
        {edit("\"dropout\": null", "\"dropout\": 0.1"), "without dropout, found 0.1"},
        {edit("\"end_of_word_suffix\": null", "\"end_of_word_suffix\": \"</w>\""),
         "without end_of_word_suffix"},
        {edit("\"byte_fallback\": false", "\"byte_fallback\": true"), "without byte_fallback"},
        {edit("\"ignore_merges\": false", "\"ignore_merges\": true"), "without ignore_merges"},
        {edit("\"added_tokens\"", "\"no_tokens\""), "expected one added token"},
        {edit(added, R"({}, )" + added), "expected one added token"},
        {edit("\"<|endoftext|>\"", "\"<pad>\""), "expected one added token"},
        {edit("\"special\": true", "\"special\": false"), "expected one added token"},
        {edit("\"id\": 259", "\"id\": 260"),
         "directly after the other entries of model.vocab: "
         "expected 259, found 260"},
        {edit("\"id\": 259", "\"id\": 0"), "expected 259, found 0"},
        {edit("\"id\": 259", "\"id\": -1"), "expected 259, found -1"},
        {edit("\"id\": 259", "\"id\": \"259\""), "expected 259, found \"259\""},
        {edit("\"id\": 259", "\"id\": 259.0"), "expected 259, found 259.0"},
        {edit(R"("aaab": 258)", R"("<|endoftext|>": 258)"), "but 258 in model.vocab"},
        {edit("\"vocab\": {", "\"vocab\": [], \"other\": {"), "model.vocab to be an object"},
        {edit(R"("aaab": 258)", R"("aaab": 259)"),
         "entry \"aaab\" of model.vocab must have an id from 0 "
         "to 258 (ids without gaps), found 259"},
        {edit(R"("aaab": 258)", R"("aaab": -1)"), "found -1"},
        {edit(R"("aaab": 258)", R"("aaab": 2.5)"), "found 2.5"},
        {edit(R"("aaab": 258)", R"("aaab": null)"), "found null"},
        {edit(R"("aaab": 258)", R"("aaab": 18446744073709551616)"), "ids without gaps"},
        {edit(R"("aaab": 258)", R"("aaab": 257)"), "has the id 257 of another entry"},
        {edit(R"("aaab": 258)", R"("aa": 258)"), "the key \"aa\" is given twice"},
        {edit(R"("aaab": 258)", R"("aaab": 258, "aaab": 258)"), "the key \"aaab\" is given twice"},
        {edit("\"type\": \"BPE\",", R"("type": "BPE", "type": "BPE",)"),
         "the key \"type\" is given twice"},
        {edit(R"("aaab": 258)", R"("日本": 258)"), "not in GPT-2's byte alphabet"},
        {edit(R"("aaab": 258)", R"("a b": 258)"), "not in GPT-2's byte alphabet"},
        {edit(R"("aaab": 258)", R"("\u00ad": 258)"), "not in GPT-2's byte alphabet"},
        {edit(R"("aaab": 258)", R"("\u0144": 258)"), "not in GPT-2's byte alphabet"},
        {edit(R"("aaab": 258)", R"("": 258)"), "empty"},
        {edit(R"("!": 0)", R"("!!": 0)"), "byte 33 (\"!\") is missing"},
        {edit(R"("Ġ": 220)", R"("ĠĠ": 220)"), "byte 32"},
        {edit("\"merges\": [", "\"merges\": 3, \"other\": ["),
         "model.merges to be an array, found 3"},
        {edit(R"(["aa", "ab"])", R"(["aa", "ab", "c"])"), "merge 2 must be a pair of entries"},
        {edit(R"(["aa", "ab"])", R"(["aa", 7])"), "merge 2 must be a pair of entries"},
        {edit(R"(["aa", "ab"])", R"("aaab")"), "merge 2 must be a pair of entries"},
        {edit(R"(["aa", "ab"])", R"("aa a b")"), "merge 2 must be a pair of entries"},
        {edit(R"(["aa", "ab"])", R"(["aa", "abc"])"), "merge 2 needs the entry \"abc\""},
        {edit(R"(["aa", "ab"])", R"(["ab", "aa"])"), "merge 2 needs the entry \"abaa\""},
        {edit(R"(["aa", "ab"])", R"(["", "ab"])"), "merge 2 needs the entry \"\""},
        {edit(R"(["aa", "ab"])", R"(["a\nb", "ab"])"), "merge 2 needs the entry \"a\\nb\""},
        {edit(R"(["aa", "ab"])", R"(["a", "b"])"), "merge 2 is there twice"},
    };
    for (const auto& one : cases) {
        const auto& [broken, why] = one;
        CAPTURE(one.second);
        const std::string message = error_of([&json = broken] { read(json); });
        CHECK_MESSAGE(message.find(why) != std::string::npos, message);
        CHECK(message.find("tokenizer 'some/file.json': ") == 0);
        CHECK(message.find('\n') == std::string::npos);
        CHECK(message.size() < 400);
    }
}

TEST_CASE("tokenizer_json: a damaged file is refused or works") {
    const std::string json = sample(PreTokenizer::gpt2).to_json();
    const std::string text = "aaab \xFF\n!9"s;
    Rng rng(7);
    int refused = 0;
    for (int round = 0; round < 400; ++round) {
        std::string damaged = json;
        for (uint64_t i = 1 + rng.below(3); i > 0; --i) {
            const size_t at = rng.below(damaged.size());
            if (rng.below(2) == 0) {
                damaged[at] = "\"{}[]:,0123456789abc\\ "[rng.below(22)];
            } else {
                damaged.erase(at, 1 + rng.below(10));
            }
        }
        try {
            const Tokenizer tokenizer = read(damaged);
            REQUIRE(tokenizer.decode(tokenizer.encode(text)) == text);
            REQUIRE(read(tokenizer.to_json()).hash() == tokenizer.hash());
        } catch (const Error&) {
            ++refused;
        }
    }
    CHECK(refused > 200);
    CHECK(refused < 400);
}
