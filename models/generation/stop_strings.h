// Text that ends where one of several strings begins. It arrives token by token, and a string may
// reach over several tokens, so what could be the beginning of one is held back.
// Read next: examples/smoe/generate.cpp, a caller.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smoe {

class StopStrings {
  public:
    static constexpr size_t most = 16, longest = 256;  // strings, bytes of one

    // Throws Error for too many strings, an empty one and one that is too long.
    explicit StopStrings(std::vector<std::string> stops = {});

    // Takes the bytes that come next, and gives those that are now known to be in front of every
    // stop string. The first string that is complete ends the text; after that it gives nothing.
    std::string add(std::string_view bytes);
    // What was held back, if no more bytes come.
    std::string finish();

    bool stopped() const { return !found_.empty(); }
    const std::string& found() const { return found_; }  // the string that ended the text, or ""

  private:
    std::vector<std::string> stops_;
    std::string pending_, found_;
};

}  // namespace smoe
