// JSON that somebody else wrote. The parser alone would keep the last of two values with one key and
// say nothing, and take nesting so deep that whoever walks through the result runs out of stack.
// Here both are errors. Which keys there must be is left to the callers.
// Read next: safetensors.cpp, a caller.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/check.h"

namespace smoe {

// A piece of a file as a message shows it: on one line, ASCII, short; strings in quotes.
inline std::string shown_json(const nlohmann::json& value) {
    constexpr size_t longest = 80;
    std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    if (text.size() > longest) {
        text.replace(longest, std::string::npos, "...");
    }
    return text;
}

// The value that `text` holds. Calls refuse(why), which must throw, for arrays and objects that are
// nested more than `max_depth` deep and for a key that is given twice in one object. Throws
// Json::parse_error for text that is not JSON, and Json::out_of_range for a number that is too
// large.
template <class Json, class Refuse>
Json parse_json(std::string_view text, int max_depth, const Refuse& refuse) {
    using Event = typename Json::parse_event_t;
    std::vector<std::unordered_set<std::string>> keys;  // of each object that is open
    const auto watch = [&](int depth, Event event, Json& parsed) {
        if (depth >= max_depth && (event == Event::object_start || event == Event::array_start)) {
            refuse(fmt::format("nested more than {} deep", max_depth));
        }
        if (event == Event::object_start) {
            keys.emplace_back();
        } else if (event == Event::object_end) {
            keys.pop_back();
        } else if (event == Event::key) {
            const auto& key = parsed.template get_ref<const std::string&>();
            if (!keys.back().insert(key).second) {
                refuse(fmt::format("the key {} is given twice", shown_json(key)));
            }
        }
        return true;
    };
    return Json::parse(text, watch);
}

// The same, and null for whatever cannot be taken.
template <class Json>
Json parse_json_or_null(std::string_view text, int max_depth) {
    try {
        return parse_json<Json>(text, max_depth, [](const std::string& why) { fail("{}", why); });
    } catch (const Error&) {
        return nullptr;
    } catch (const typename Json::exception&) {
        return nullptr;
    }
}

}  // namespace smoe
