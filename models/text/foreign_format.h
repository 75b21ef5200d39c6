// Files without text that this program can read: archives, office documents, text in UTF-16.
// Messages say what the file is and what to do; they name a format only where the bytes leave no
// doubt. Converting and unpacking are left to other programs.
//
// Read next: story_reader.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smoe {

// Throws Error, naming `path`, if a file with this beginning (all of it, or at least 512 bytes) and
// this end (likewise, at least 8) is of a format that is not text (gzip, PDF and so on).
void refuse_known_format(std::string_view beginning, std::string_view end, const std::string& path);

// Where bytes begin in their file.
struct TextPlace {
    int64_t byte = 0, line = 1;
};

// How many of the bytes of `path`, which begin at `place`, are whole characters: all of them, or,
// if `more` bytes follow, all but a character that is cut in two. Throws Error, naming `path`, byte
// and line, unless they are UTF-8 without zero bytes.
size_t require_text(std::string_view bytes, const std::string& path, const TextPlace& place,
                    bool more);

// Throws Error, naming `path`, for text that is HTML or XML.
void refuse_markup(std::string_view text, const std::string& path);

}  // namespace smoe
