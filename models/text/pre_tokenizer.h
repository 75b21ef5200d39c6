// Cutting text into words before byte-pair encoding, so that no token crosses a word border. It is
// hand-written instead of a regular expression and reads each byte about once. The words, put
// together, are the text again, byte for byte.
//
// Read next: bpe.h.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.h"

namespace smoe {

// gpt2 cuts like the pattern of GPT-2 (Radford et al., "Language Models are Unsupervised Multitask
// Learners", 2019):
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// with \s = White_Space, on UTF-8. Each byte that belongs to no valid character counts as one
// symbol of the third kind, [^\s\p{L}\p{N}]. `none` takes the whole text as one word.
enum class PreTokenizer { gpt2, none };

const EnumNames<PreTokenizer>& enum_names(PreTokenizer);

// The end of the word that begins at `begin` < text.size(). It is always > begin.
size_t word_end(std::string_view text, size_t begin, PreTokenizer pre);

// Calls visit(word) for every word of `text` from left to right; the words are views into it.
template <class Visit>
void for_each_word(std::string_view text, PreTokenizer pre, Visit&& visit) {
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = word_end(text, begin, pre);
        visit(text.substr(begin, end - begin));
        begin = end;
    }
}

// Divides `texts` into shares of about 1 MiB for the threads, none of them empty: share i is
// texts[borders[i]] to texts[borders[i + 1] - 1]. The first border is 0, the last one texts.size().
std::vector<size_t> share_borders(std::span<const std::string_view> texts);

}  // namespace smoe
