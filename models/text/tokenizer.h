// Text to token ids and back: byte-level byte-pair encoding. A vocabulary starts from the 256
// bytes, so any bytes can be encoded and decode to themselves. It does not normalise text, and it
// finds no special tokens in it, since a story could then end itself: the characters <|endoftext|>
// in a story are encoded as ordinary text.
// Read next: pre_tokenizer.h (words), crossings.h (long words), bpe_trainer.h (where merges come
// from), tokenizer_json.cpp (files).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/bpe.h"
#include "models/text/crossings.h"
#include "models/text/pre_tokenizer.h"

namespace smoe {

// An immutable value: copies are independent, and all functions may be called from several threads.
class Tokenizer {
  public:
    static constexpr int max_entries = 1'000'000;
    static void check_entries(int entries);  // throws Error unless 256 <= entries <= max_entries
    static constexpr std::string_view end_of_text_name = "<|endoftext|>";

    // Learns merges from the stories (learn_merges) until there are `entries` byte-level entries or
    // no pair occurs twice. The end-of-text token comes on top. Merges never cross a story border
    // (nor, with gpt2, a word border). Throws Error unless 256 <= entries <= max_entries, and if
    // the stories contain "<|endoftext|>" so often that it would become an ordinary entry.
    static Tokenizer train(std::span<const std::string_view> stories, int entries,
                           PreTokenizer pre);

    // Reads a Hugging Face tokenizer.json: what to_json writes, or an equivalent file. Throws Error
    // with one line for anything else. `origin` is the path that messages name.
    static Tokenizer from_json(std::string_view json, const std::string& origin);

    // Equal tokenizers always give the same text.
    std::string to_json() const;

    int vocab_size() const { return int(entries_.size()) + 1; }

    // vocab_size() - 1: start, padding and end of text in one.
    int end_of_text() const { return int(entries_.size()); }

    PreTokenizer pre_tokenizer() const { return pre_; }

    // Repeatedly joins the neighbours in a word whose merge was learned first (the leftmost among
    // equals) until no merge applies. It never yields end_of_text(). It takes O(n log n) for n
    // bytes, less where words repeat. Throws Error for texts of 2 GiB or more.
    std::vector<int32_t> encode(std::string_view text) const;

    // encode() of each text, on all threads.
    std::vector<std::vector<int32_t>> encode_all(std::span<const std::string_view> texts) const;

    // The bytes of all ids, one after the other; end_of_text() has none. Throws Error for an id
    // outside [0, vocab_size()).
    std::string decode(std::span<const int32_t> ids) const;

    // The bytes of one id, "" for end_of_text(). The view is valid while this tokenizer lives.
    // Throws like decode.
    std::string_view token_bytes(int32_t id) const;

    // A hash of to_json(), which tells tokenizers apart.
    uint64_t hash() const;

  private:
    class Encoder;

    // `entries` holds each single byte and what each merge makes. No pair is merged twice.
    Tokenizer(std::vector<std::string> entries, std::vector<Merge> merges, PreTokenizer pre);

    std::vector<std::string> entries_;  // the bytes of each id, without end_of_text
    std::vector<Merge> merges_;         // in the order of learning
    PreTokenizer pre_;
    Crossings crossings_;
    std::array<int32_t, 256> byte_ids_;  // id of each byte
    PairMap ranks_;                      // (left, right) -> place in merges_
};

}  // namespace smoe
