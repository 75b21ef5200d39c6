// Files without text that this program can read: archives, office documents, text in UTF-16.
// Messages say what the file is and what to do; they name a format only where the bytes leave no
// doubt. Converting and unpacking are left to other programs.
//
// Read next: story_reader.h.
#pragma once

#include <string>
#include <string_view>

namespace smoe {

// Throws Error, naming `path`, unless the bytes are UTF-8 without zero bytes. It also throws if
// they begin like a format that is not text (gzip, PDF and so on).
void require_text(std::string_view bytes, const std::string& path);

// Throws Error, naming `path`, for text that is HTML or XML.
void refuse_markup(std::string_view text, const std::string& path);

}  // namespace smoe
