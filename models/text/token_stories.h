// Stories as tokens: encoded from text in memory, or lying in token files that are mapped. Either
// way they are columns, so that what is asked of a story (its length, its domain, a hash of its
// text) costs no look at its tokens.
//
// Read next: token_file.h, the same columns on disk; dataset.h, which makes sequences of them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/mapped_file.h"
#include "models/text/story.h"
#include "models/text/tokenizer.h"

namespace smoe {

// A number that stands for a text. Two texts are taken for the same if it and their lengths are.
uint64_t text_hash(std::string_view text);

// Columns that grow in memory. Each story is followed by end of text.
class TokenColumns {
  public:
    explicit TokenColumns(const Tokenizer& tokenizer);

    // Adds the tokens of `stories`, on all threads. Throws like Tokenizer::encode_all.
    void add(std::span<const Story> stories, const Tokenizer& tokenizer);

    std::vector<uint64_t> offsets = {0};  // (stories + 1) of each story in all tokens
    std::vector<uint64_t> hashes;         // (stories) text_hash
    std::vector<uint32_t> bytes;          // (stories) of their texts
    std::vector<uint32_t> domains;        // (stories) places in domain_names
    std::vector<std::string> domain_names;
    // The tokens, in 16 bits each if the vocabulary allows, else in 32; the other one is empty. Who
    // has written them elsewhere may clear them, and the offsets go on.
    std::vector<uint16_t> narrow;
    std::vector<uint32_t> wide;

  private:
    void add_tokens(const std::vector<int32_t>& tokens);

    int32_t end_of_text_;
    bool is_narrow_;
    std::unordered_map<std::string, size_t> numbers_;  // of the domains
};

// Whether tokens of this vocabulary fit into 16 bits.
constexpr bool fits_16_bits(int64_t vocab_size) {
    return vocab_size <= 65536;
}

// The columns of one file, or those in memory, whoever owns them.
struct TokenPart {
    std::span<const uint64_t> offsets, hashes;
    std::span<const uint32_t> bytes, domains;
    std::vector<std::string> domain_names;
    std::span<const uint16_t> narrow;
    std::span<const uint32_t> wide;
    int32_t end_of_text = 0;                 // the largest id
    std::string origin;                      // of a token file: its path
    std::shared_ptr<const MappedFile> file;  // likewise; null of columns in memory
    std::shared_ptr<const void> owner;       // of such columns

    int64_t stories() const { return int64_t(hashes.size()); }
};

// Stories of one or several parts, or some of them. A value whose copies share the columns.
class TokenStories {
  public:
    TokenStories() = default;
    explicit TokenStories(std::vector<TokenPart> parts);  // all with the same vocabulary
    static TokenStories encode(std::span<const Story> stories, const Tokenizer& tokenizer);

    // Only these, by number.
    TokenStories chosen(std::vector<int32_t> stories) const;

    int64_t size() const { return int64_t(numbers_ ? numbers_->size() : size_t(all_)); }
    bool in_memory() const { return in_memory_; }

    // Of story i in [0, size()).
    int64_t length(int64_t i) const;  // in tokens, the end included
    int64_t bytes(int64_t i) const;   // of its text
    uint64_t hash(int64_t i) const;   // of its text
    int domain(int64_t i) const;      // its place in domain_names()
    // Fills `tokens` from its token number `begin` on. Throws Error, naming the file, if one of
    // them is none of the vocabulary, or if the end of text is not where the story ends.
    void read(int64_t i, int64_t begin, std::span<int32_t> tokens) const;

    // Sorted, each once; those of all stories of the parts, chosen or not.
    const std::vector<std::string>& domain_names() const { return domain_names_; }

    // Throws Error if one of the files was written to since it was opened.
    void require_unchanged() const;

  private:
    struct Place {
        const TokenPart* part;
        size_t story;  // of the part
        size_t part_number;
    };
    Place place(int64_t i) const;

    std::shared_ptr<const std::vector<TokenPart>> parts_;
    std::vector<int64_t> first_;               // (parts) number of each part's first story
    std::vector<std::vector<int32_t>> ranks_;  // (parts) of their domains in domain_names_
    std::vector<std::string> domain_names_;
    std::shared_ptr<const std::vector<int32_t>> numbers_;  // of the chosen stories; null: all
    int64_t all_ = 0;
    bool in_memory_ = true;
};

}  // namespace smoe
