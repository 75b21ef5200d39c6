// Files that hold no text as this program reads it: archives, office documents, text in UTF-16. A
// file is named only where its bytes leave no doubt; messages say what it is and what to do.
// Refuses to convert or to unpack: other programs do that better.
//
// Read next: story_reader.h.
#pragma once

#include <string>
#include <string_view>

namespace smoe {

// Throws Error, naming `path`, unless the bytes are UTF-8 without zero bytes and do not begin like
// a format that is no text (gzip, PDF and so on).
void require_text(std::string_view bytes, const std::string& path);

// Throws Error, naming `path`, for text that is HTML or XML.
void refuse_markup(std::string_view text, const std::string& path);

}  // namespace smoe
