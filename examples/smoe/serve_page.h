// The page that a server gives out: a prompt, how to draw, and texts whose tokens show what the model
// and its router thought. It is one file and asks for nothing but what this server answers.
// Read next: serve_script.cpp, which makes all of it in the browser.
#pragma once

#include <string>

namespace smoe {

std::string serve_page();

extern const char* const serve_script;

}  // namespace smoe
