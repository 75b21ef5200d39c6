// Exercise models_byte_pair: write the function, then run make exercise NAME=models_byte_pair FILE=(this file).
// Read next: tests/exercises/models_byte_pair.cpp, which says what is wanted and ends with two hints.
#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/check.h"
#include "models/text/bpe.h"

std::vector<smoe::Merge> slow_merges(std::span<const std::string_view> stories, int count) {
    smoe::fail("models_byte_pair: slow_merges is still to be written");
}
