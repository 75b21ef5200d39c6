// Numbers as people read them: counts with commas or rounded, bytes with units, durations as a clock. Numbers
// that cannot be shown become a question mark, never an error, which would end training.
// Read next: text.h, the same for words.
#pragma once

#include <cstdint>
#include <string>

namespace smoe {

// "1:05" or "2:03:10"; "?" for what is not a finite, positive number of seconds.
std::string format_duration(double seconds);
std::string format_bytes(int64_t bytes);  // "512 B", "3.1 MiB"
std::string format_count(int64_t count);  // "12,345"
// Three digits and a power of 1000: "950", "12.3 k", "4.56 M", and so on with G, T, P, E.
std::string format_large(double count);

}  // namespace smoe
