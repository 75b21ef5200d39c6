// Named things to choose from by a setting: mask families, kinds of layers, routers. A registry
// starts with the project's own entries, one line each, and a program or a test may add to it while
// it runs. It has no lock: add everything before threads look things up.
// Read next: nn/masks.h, whose names may carry a number.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/text.h"

namespace smoe {

// Throws Error unless `name` begins with a small letter and goes on with small letters, digits, _
// and -, because names appear in settings, in flags and before the colon of a number.
void check_entry_name(const std::string& kind, const std::string& name);

// "shared:0.25": a name, and the one number that may be given with it.
struct NameAndNumber {
    std::string name;
    std::optional<double> number;
};

// Splits `text` at its colon. Throws Error, naming the `kind` of thing, if what follows the colon
// is not a finite number.
NameAndNumber split_number(const std::string& kind, const std::string& text);

template <class Entry>
class Registry {
  public:
    using Named = std::pair<std::string, Entry>;

    // `kind` is what an entry is called in errors: "mask family".
    Registry(std::string kind, std::vector<Named> entries) : kind_(std::move(kind)) {
        for (Named& entry : entries) {
            add(entry.first, std::move(entry.second));
        }
    }

    // Throws Error for a name that is taken or that check_entry_name rejects.
    void add(const std::string& name, Entry entry) {
        check_entry_name(kind_, name);
        check(!contains(name), "the {} '{}' exists already", kind_, name);
        entries_.emplace_back(name, std::move(entry));
    }

    bool contains(const std::string& name) const { return position(name) < entries_.size(); }

    // The reference is valid as long as the registry lives. Throws Error for an unknown name,
    // listing the known ones and suggesting the nearest.
    const Entry& find(const std::string& name) const {
        const size_t at = position(name);
        if (at == entries_.size()) {
            const std::string nearest = nearest_name(name, names());
            fail("there is no {} '{}'; known are {}{}", kind_, to_one_line(name),
                 join(names(), ", "),
                 nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
        }
        return entries_[at].second;
    }

    std::vector<std::string> names() const {  // in the order in which they were added
        std::vector<std::string> all;
        for (const Named& entry : entries_) {
            all.push_back(entry.first);
        }
        return all;
    }

    const std::string& kind() const { return kind_; }

  private:
    size_t position(const std::string& name) const {
        size_t at = 0;
        while (at < entries_.size() && entries_[at].first != name) {
            ++at;
        }
        return at;
    }

    std::string kind_;
    std::deque<Named> entries_;  // deque: references into it survive growth
};

}  // namespace smoe
