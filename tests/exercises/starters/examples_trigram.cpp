// Exercise examples_trigram: write the function, then run make exercise NAME=examples_trigram FILE=(this file).
// Read next: tests/exercises/examples_trigram.cpp, which says what is wanted and ends with two hints.
#include <functional>
#include <map>
#include <string>

#include "core/check.h"

using Probability = std::function<double(char before_last, char last, char next)>;

Probability learn_trigrams(const std::string& text) {
    smoe::fail("examples_trigram: learn_trigrams is still to be written");
}
