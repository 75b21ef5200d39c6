// JSON lines, one story an object, and JSON that is no such lines.
// Read next: story_reader.h, the only user.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/text/story.h"

namespace smoe {

// The stories of the lines of `text`, each an object with a string "text" and, optionally, a string
// "domain" ("" where it is missing or null); other keys are ignored, blank lines skipped. Throws
// Error with `path` and line for anything else: no JSON (why not, and where), no object, a "text" or
// "domain" that is missing, of another type or given twice.
std::vector<Story> stories_of_json_lines(std::string_view text, const std::string& path);

// Throws Error, naming `path`, for text that is a JSON object or array, or has an object on each
// line, under a name that says something else.
void refuse_json(std::string_view text, const std::string& path);

// The same for a file that is JSON by its name, whatever it holds.
[[noreturn]] void refuse_json_document(std::string_view text, const std::string& path);

}  // namespace smoe
