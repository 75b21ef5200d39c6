// Stories from files that people have: plain text, CSV and JSON lines. Whatever cannot be a story
// is an error that names the file and the line, never a story silently lost.
// Refuses to change texts: line ends, blanks and every other byte stay as they are.
//
// Read next: dataset.h, which turns stories into batches of tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/text/story.h"

namespace smoe {

// The stories of one file, in its order; the ending (in any case) tells its kind:
//   .jsonl         on each line an object with a string "text" and, optionally, a string "domain";
//                  blank lines are skipped
//   .csv           a header with a column "text" and, optionally, a column "domain"
//   anything else  text with the marker <|endoftext|> between stories. The line end before a marker
//                  and the one after it belong to the marker; the end of the file counts as one.
// Stories of nothing but blanks and line ends are skipped. Where the file gives no domain, or an
// empty one, it is the name of the file without folder, ending and a trailing _train, _valid or
// _test. A byte order mark at the beginning of the file is left out.
// Throws Error if the file cannot be read, is not UTF-8, breaks its format or holds no story.
std::vector<Story> read_stories(const std::string& path);

// The same for bytes in memory; the ending of `path` tells their kind, and messages name it.
std::vector<Story> parse_stories(std::string_view bytes, const std::string& path);

// The stories of several files, one after the other.
std::vector<Story> read_stories(const std::vector<std::string>& paths);

}  // namespace smoe
