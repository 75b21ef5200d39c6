// Token files: a text that was turned into tokens once, for training from disk. All numbers are
// little-endian. S stories with N tokens in all, the end of text behind each story included:
//     magic       8 bytes
//     format      uint32: 1
//     width       uint32: bytes of a token, 2 if the vocabulary has at most 65,536 entries, else 4
//     tokens      N of them, then zeros up to a multiple of 8
//     offsets     S + 1 uint64: where each story begins among the tokens; the last one is N
//     hashes      S uint64: text_hash of each text
//     bytes       S uint32: length of each text
//     domains     S uint32: number of each story's domain
//     names       the domains: a JSON array of strings
//     tokenizer   tokenizer.json, so that the file needs no other
//     footer      TokenFooter: the sizes of all this, and hashes
// The footer comes last because sizes are not known before: the file is written from its beginning
// to its end, and a file that is cut short has none. Tokens themselves have no checksum, since
// checking it would mean to read all of them.
//
// Read next: token_file.cpp; story_list.h, which opens what a person names.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/story.h"
#include "models/text/token_stories.h"
#include "models/text/tokenizer.h"

namespace smoe {

constexpr std::string_view token_file_ending = ".tokens";
constexpr std::string_view token_file_magic = "\x89smoetok";

struct TokenFooter {
    uint64_t vocab_size = 0, stories = 0, tokens = 0;
    uint64_t names_bytes = 0, tokenizer_bytes = 0;
    uint64_t tokenizer_hash = 0;  // Tokenizer::hash
    uint64_t stories_hash = 0;    // of the columns from offsets to names
    char magic[8] = {};           // token_file_magic once more
};

// Replaces `path` by a token file, or leaves it as it was (see write_file). `next` adds some
// stories to a list, which may be none, and returns false when there are no more. At any time this
// takes the memory of the stories of one call, and 24 bytes for each story so far. Returns the
// footer. Throws like `next` and write_file, and Error if there is no story.
TokenFooter write_token_file(const std::string& path, const Tokenizer& tokenizer,
                             const std::function<bool(std::vector<Story>&)>& next);

// Whether `path` is a file that begins like a token file.
bool is_token_file(const std::string& path);

// A token file for reading, mapped, so that any number of processes share it.
class TokenFile {
  public:
    // Takes time for the columns, not for the tokens. Throws Error, naming `path`, if it cannot be
    // mapped, is no token file, is of another format, is cut short or does not fit together.
    explicit TokenFile(const std::string& path);
    // The same for bytes in memory, which must begin at a multiple of 8 and outlive all.
    TokenFile(std::string_view bytes, const std::string& origin);
    // The tokenizer alone: takes no time for the columns, and does not check them.
    static Tokenizer tokenizer_in(const std::string& path);

    const TokenPart& part() const { return part_; }
    uint64_t tokenizer_hash() const { return footer_.tokenizer_hash; }
    int64_t vocab_size() const { return int64_t(footer_.vocab_size); }
    // Throws Error if it is not the one that the footer names.
    Tokenizer tokenizer() const;

  private:
    TokenFile() = default;
    void map(const std::string& path);
    void parse(std::string_view bytes);  // finds all parts
    void check_columns() const;

    TokenPart part_;
    TokenFooter footer_;
    std::string_view names_json_, tokenizer_json_;
};

}  // namespace smoe
