// Text that arrives token by token and is shown as soon as its characters are whole. If several
// tokens share a character, it is shown with the last of them.
// Read next: core/utf8.h.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/text.h"
#include "core/utf8.h"

namespace smoe {

class TokenText {
  public:
    // What can be shown now that `bytes` have come, as valid UTF-8.
    std::string add(std::string_view bytes) {
        pending_ += bytes;
        const size_t whole = complete_utf8_prefix(pending_);
        const std::string text = to_valid_utf8(std::string_view(pending_).substr(0, whole));
        pending_.erase(0, whole);
        return text;
    }

    // What is left when no more bytes come.
    std::string finish() { return to_valid_utf8(std::exchange(pending_, "")); }

  private:
    std::string pending_;
};

}  // namespace smoe
