// The three books of the corpus, and the pieces from which they are bound. Only this folder and its
// tests include this file: programs use corpus.h.
//
// Read next: english.cpp, german.cpp, sums.cpp.
#pragma once

#include <string>
#include <string_view>

#include "models/text/corpus/writer.h"

namespace smoe {

// Each book is bound at the first call, which throws Error if its text breaks the rules of
// writer.h.
const Book& english_book();
const Book& german_book();
const Book& sums_book();

// The grammar of a slot with several words. The comments in english.cpp and german.cpp say which
// words there are. Both throw Error naming a word that they do not know.
std::string inflect_english(const Phrase& phrase);
std::string inflect_german(const Phrase& phrase);

std::string_view english_tables();
std::string_view english_plots();
std::string_view german_tables();
std::string_view german_plots();

}  // namespace smoe
