// The tokenizer.json of Hugging Face `tokenizers`, written and read: a byte-level BPE whose bytes
// stand in GPT-2's byte alphabet, one printable character for each byte. A setting that would
// change ids is an error that names it, since ignoring it would silently give different ids.
// Nothing read is trusted.
// Read next: tokenizer.cpp, which uses what is read here.
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/json.h"
#include "models/text/tokenizer.h"

namespace smoe {
namespace {

using Json = nlohmann::json;

// Pieces of the file as a message shows them, and everything else as it is.
std::string shown(const Json& value) {
    return shown_json(value);
}

std::string shown(const std::string& text) {
    return shown_json(text);
}

template <class T>
const T& shown(const T& value) {
    return value;
}

// GPT-2's byte alphabet: 188 bytes stand for the code point of the same number. The other 68 take
// U+0100, U+0101 and so on in order.
char32_t letter_of_place(size_t place, uint8_t byte) {
    return place < unchanged_bytes ? byte : char32_t(256 + place - unchanged_bytes);
}

constexpr size_t alphabet_end = 256 + 256 - unchanged_bytes;  // one past its largest code point

// Per byte: its letter as UTF-8 (one or two bytes).
std::array<std::string, 256> make_letters() {
    std::array<std::string, 256> letters;
    const std::array<uint8_t, 256> bytes = bytes_in_id_order();
    for (size_t place = 0; place < 256; ++place) {
        const char32_t code = letter_of_place(place, bytes[place]);
        letters[bytes[place]] =
            code < 0x80 ? std::string(1, char(code))
                        : std::string{char(0xC0 | code >> 6), char(0x80 | (code & 0x3F))};
    }
    return letters;
}

// Per code point of the alphabet: its byte, or -1.
std::array<int, alphabet_end> make_byte_of_letter() {
    std::array<int, alphabet_end> byte_of_letter;
    byte_of_letter.fill(-1);
    const std::array<uint8_t, 256> bytes = bytes_in_id_order();
    for (size_t place = 0; place < 256; ++place) {
        byte_of_letter[letter_of_place(place, bytes[place])] = bytes[place];
    }
    return byte_of_letter;
}

std::string in_letters(std::string_view bytes) {
    static const std::array<std::string, 256> letters = make_letters();
    std::string text;
    for (const char byte : bytes) {
        text += letters[uint8_t(byte)];
    }
    return text;
}

// The bytes that `text` (valid UTF-8) spells in the alphabet, or "" if it is empty or spells none.
std::string from_letters(std::string_view text) {
    static const std::array<int, alphabet_end> byte_of_letter = make_byte_of_letter();
    std::string bytes;
    for (size_t i = 0; i < text.size(); ++i) {
        const uint8_t lead = uint8_t(text[i]);
        const size_t code = lead < 0x80   ? lead
                            : lead < 0xE0 ? (lead & 0x1F) << 6 | (uint8_t(text[++i]) & 0x3F)
                                          : alphabet_end;  // three or four bytes: not a letter
        if (code >= alphabet_end || byte_of_letter[code] < 0) {
            return "";
        }
        bytes += char(byte_of_letter[code]);
    }
    return bytes;
}

// Reads one file. Every function throws Error if the file is not what it must be.
class Reader {
  public:
    Reader(std::string_view json, const std::string& origin) : origin_(origin), root_(parse(json)) {
        expect(root_.is_object(), "expected a JSON object, found {}", root_);
    }

    PreTokenizer read_settings() const {
        const Json& version = at(root_, "version");
        expect(version.is_null() || version == "1.0", "expected version \"1.0\", found {}",
               version);
        for (const char* const key : {"truncation", "padding", "normalizer"}) {
            expect(at(root_, key).is_null(), "expected no {}, found {}", key, at(root_, key));
        }
        const Json& post_processor = at(root_, "post_processor");
        expect(post_processor.is_null() || at(post_processor, "type") == "ByteLevel" ||
                   adds_the_start(post_processor),
               "expected no post_processor but one that puts {} before a text, found {}",
               std::string(Tokenizer::end_of_text_name), post_processor);
        const Json& decoder = at(root_, "decoder");
        expect(at(decoder, "type") == "ByteLevel", "expected a ByteLevel decoder, found {}",
               decoder);
        const Json& pre = at(root_, "pre_tokenizer");
        expect(at(pre, "type") == "ByteLevel", "expected a ByteLevel pre_tokenizer, found {}", pre);
        expect(at(pre, "add_prefix_space") == false,
               "the pre_tokenizer must have add_prefix_space false, found {}",
               at(pre, "add_prefix_space"));
        const Json& use_regex = at(pre, "use_regex");
        expect(use_regex.is_boolean() || use_regex.is_null(),
               "the pre_tokenizer must have use_regex true or false, found {}", use_regex);
        return use_regex == false ? PreTokenizer::none : PreTokenizer::gpt2;
    }

    // The bytes of each id. Also checks the end-of-text token, which must follow them.
    std::vector<std::string> read_entries() {
        const Json& model = at(root_, "model");
        expect(at(model, "type") == "BPE", "expected a model of type \"BPE\", found {}",
               at(model, "type"));
        for (const char* const key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix",
                                      "byte_fallback", "ignore_merges"}) {
            const Json& value = at(model, key);
            expect(value.is_null() || value == Json(false) || value == Json(""),
                   "expected a model without {}, found {}", key, value);
        }
        vocab_ = at(model, "vocab");
        expect(vocab_.is_object(), "expected model.vocab to be an object, found {}", vocab_);
        take_end_of_text();
        expect(vocab_.size() <= size_t(Tokenizer::max_entries),
               "expected at most {} entries in model.vocab, found {}", Tokenizer::max_entries,
               vocab_.size());
        std::vector<std::string> entries(vocab_.size());
        for (const auto& [letters, id] : vocab_.items()) {
            expect(
                is_id(id, entries.size()),
                "entry {} of model.vocab must have an id from 0 to {} (ids without gaps), found {}",
                letters, int64_t(entries.size()) - 1, id);
            std::string& entry = entries[id.get<size_t>()];
            expect(entry.empty(), "entry {} of model.vocab has the id {} of another entry", letters,
                   id);
            entry = from_letters(letters);
            expect(!entry.empty(),
                   "entry {} of model.vocab is empty or not in GPT-2's byte alphabet", letters);
        }
        for (int byte = 0; byte < 256; ++byte) {
            const std::string letter = in_letters(std::string(1, char(byte)));
            expect(
                vocab_.contains(letter),
                "model.vocab must contain all 256 single bytes, but byte {} ({}) is missing; train "
                "with the whole byte alphabet as initial_alphabet",
                byte, letter);
        }
        return entries;
    }

    // After read_entries().
    std::vector<Merge> read_merges() const {
        const Json& list = at(at(root_, "model"), "merges");
        expect(list.is_array(), "expected model.merges to be an array, found {}", list);
        std::vector<Merge> merges;
        PairMap ranks;
        for (const Json& item : list) {
            const auto [left, right] = read_pair(item, merges.size());
            const auto id_of = [&](const std::string& letters) {
                const auto found = vocab_.find(letters);
                expect(found != vocab_.end(), "merge {} needs the entry {}, not in model.vocab: {}",
                       merges.size(), letters, item);
                return found->get<int32_t>();
            };
            const Merge merge = {id_of(left), id_of(right), id_of(left + right)};
            const int32_t rank = int32_t(merges.size());
            expect(ranks.find_or_insert(merge.left, merge.right, rank) == rank,
                   "merge {} is there twice: {}", rank, item);
            merges.push_back(merge);
        }
        return merges;
    }

  private:
    // Like check(), but the pieces of the file among `args` go through shown(), and only if needed.
    template <class... Args>
    void expect(bool ok,
                fmt::format_string<decltype(shown(std::declval<const Args&>()))...> message,
                const Args&... args) const {
        if (!ok) {
            fail("tokenizer '{}': {}", origin_, fmt::format(message, shown(args)...));
        }
    }

    Json parse(std::string_view json) const {
        constexpr size_t max_bytes = size_t(64) << 20;
        constexpr int max_depth = 16;
        expect(json.size() <= max_bytes, "expected at most {} bytes, found {}", max_bytes,
               json.size());
        const auto refuse = [this](const std::string& why) {
            fail("tokenizer '{}': {}", origin_, why);
        };
        try {
            return parse_json<Json>(json, max_depth, refuse);
        } catch (const Json::parse_error& error) {
            fail("tokenizer '{}': not JSON, at byte {}", origin_, error.byte);
        } catch (const Json::exception&) {
            fail("tokenizer '{}': not JSON: a number is out of range", origin_);
        }
    }

    // The value of a key; null if it is missing or `object` is not an object.
    static const Json& at(const Json& object, const char* key) {
        static const Json null;
        const auto found = object.is_object() ? object.find(key) : object.end();
        return object.is_object() && found != object.end() ? *found : null;
    }

    // A template that puts the start token before a text, as this program does itself.
    static bool adds_the_start(const Json& post_processor) {
        const Json& single = at(post_processor, "single");
        return at(post_processor, "type") == "TemplateProcessing" && single.is_array() &&
               single.size() == 2 &&
               at(at(single[0], "SpecialToken"), "id") == Tokenizer::end_of_text_name &&
               at(at(single[1], "Sequence"), "id") == "A";
    }

    static bool is_id(const Json& value, size_t count) {
        return value.is_number_unsigned() && value.get<uint64_t>() < count;
    }

    // Checks the one added token, and removes it from vocab_ if the file also lists it there.
    void take_end_of_text() {
        const std::string name(Tokenizer::end_of_text_name);
        const Json& tokens = at(root_, "added_tokens");
        expect(tokens.is_array() && tokens.size() == 1 && at(tokens[0], "content") == name &&
                   at(tokens[0], "special") == true,
               "expected one added token, the special token {}, found {}", name, tokens);
        const Json& id = at(tokens[0], "id");
        if (const auto listed = vocab_.find(name); listed != vocab_.end()) {
            expect(*listed == id, "{} has the id {} as added token, but {} in model.vocab", name,
                   id, *listed);
            vocab_.erase(listed);
        }
        expect(is_id(id, vocab_.size() + 1) && id == vocab_.size(),
               "the id of {} must come directly after the other entries of model.vocab: expected "
               "{}, found {}",
               name, vocab_.size(), id);
    }

    // Either ["a", "b"] or, in older files, "a b".
    std::pair<std::string, std::string> read_pair(const Json& item, size_t number) const {
        if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
            return {item[0].get<std::string>(), item[1].get<std::string>()};
        }
        const std::string text = item.is_string() ? item.get<std::string>() : "";
        const size_t blank = text.find(' ');
        expect(blank != std::string::npos && text.find(' ', blank + 1) == std::string::npos,
               "merge {} must be a pair of entries, found {}", number, item);
        return {text.substr(0, blank), text.substr(blank + 1)};
    }

    std::string origin_;
    Json root_;
    Json vocab_;  // model.vocab without the end-of-text token
};

}  // namespace

Tokenizer Tokenizer::from_json(std::string_view json, const std::string& origin) {
    Reader reader(json, origin);
    const PreTokenizer pre = reader.read_settings();
    std::vector<std::string> entries = reader.read_entries();
    return Tokenizer(std::move(entries), reader.read_merges(), pre);
}

std::string Tokenizer::to_json() const {
    const auto quoted = [&](int32_t id) { return Json(in_letters(token_bytes(id))).dump(); };
    std::string text = fmt::format(
        R"({{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [
    {{"id": {}, "content": "{}", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}}
  ],
  "normalizer": null,
  "pre_tokenizer": {{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": {}}},
  "post_processor": null,
  "decoder": {{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}},
  "model": {{
    "type": "BPE",
    "dropout": null,
    "unk_token": null,
    "continuing_subword_prefix": null,
    "end_of_word_suffix": null,
    "fuse_unk": false,
    "byte_fallback": false,
    "ignore_merges": false,
    "vocab": {{)",
        end_of_text(), end_of_text_name, pre_ == PreTokenizer::gpt2);
    for (int32_t id = 0; id < end_of_text(); ++id) {
        text += fmt::format("{}\n      {}: {}", id > 0 ? "," : "", quoted(id), id);
    }
    text += "\n    },\n    \"merges\": [";
    for (size_t rank = 0; rank < merges_.size(); ++rank) {
        text += fmt::format("{}\n      [{}, {}]", rank > 0 ? "," : "", quoted(merges_[rank].left),
                            quoted(merges_[rank].right));
    }
    text += "\n    ]\n  }\n}\n";
    return text;
}

}  // namespace smoe
