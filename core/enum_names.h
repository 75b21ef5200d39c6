// The values of an enum by the names that settings, flags and messages use. An enum gets them by a
// function beside its declaration:
//     const EnumNames<Kind>& enum_names(Kind);
// It is called with any value, only to be found by the enum's type. An enum has a fixed set of
// values; for things that a program may add to, see registry.h.
// Read next: models/text/pre_tokenizer.h, an enum with names.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/text.h"

namespace smoe {

template <class Enum>
using EnumNames = std::vector<std::pair<Enum, std::string>>;

template <class Enum>
std::vector<std::string> names_of() {  // in the order of the list
    std::vector<std::string> names;
    for (const auto& [value, name] : enum_names(Enum{})) {
        names.push_back(name);
    }
    return names;
}

// The name of a value; "" if it has none.
template <class Enum>
std::string name_of(Enum wanted) {
    for (const auto& [value, name] : enum_names(wanted)) {
        if (value == wanted) {
            return name;
        }
    }
    return "";
}

// The value that a person means by its name `text`. Throws Error, with all names, for any other
// text.
template <class Enum>
Enum enum_named(const std::string& text) {
    for (const auto& [value, name] : enum_names(Enum{})) {
        if (name == text) {
            return value;
        }
    }
    fail("expected one of {}, found '{}'", join(names_of<Enum>(), ", "), to_one_line(text));
}

}  // namespace smoe
