// JSON lines with one story per object, and messages for JSON of any other form.
// Read next: story_reader.h, the only user.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/story.h"

namespace smoe {

// Adds the stories of the lines of `text`, the first of which is line number `first` of its file,
// to `stories`; returns the number of the line behind them. Each line is an object with a string
// "text" and, optionally, a string "domain" ("" where it is missing or null). Other keys are
// ignored, and blank lines are skipped. Throws Error with `path` and line for anything else: for
// what is not JSON (why not, and where) or not an object, for a key that is given twice, for a
// "text" that is missing, and for a "text" or "domain" of a different type.
int64_t add_stories_of_json_lines(std::string_view text, const std::string& path, int64_t first,
                                  std::vector<Story>& stories);

// For a file whose name does not say JSON: throws Error, naming `path`, if its text is a JSON
// object or array, or has an object on each line.
void refuse_json(std::string_view text, const std::string& path);

// The same for a file whose name says JSON, whatever it holds.
[[noreturn]] void refuse_json_document(std::string_view text, const std::string& path);

}  // namespace smoe
