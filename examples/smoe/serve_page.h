// The page that a server gives out: a prompt, how to draw, and texts whose tokens show what the model
// and its router thought. It is one file and asks for nothing but what this server answers.
// Read next: serve_script.cpp, which makes all of it in the browser.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace smoe {

std::string serve_page();

// The same with something else in the place of the server: a script that defines `backend`, what
// the page's policy must allow it, and what it finds in `data`. `start` is how the file begins.
struct PageBackend {
    std::string_view start;
    const char* script;
    std::string_view policy;
};
std::string writing_page(const PageBackend& backend, const std::string& title,
                         nlohmann::ordered_json data = {});

// Parts of its script: the `backend` of a server, runs that train, and the page itself.
extern const char* const serve_backend;
extern const char* const serve_training_script;
extern const char* const serve_script;

}  // namespace smoe
