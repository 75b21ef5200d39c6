// The built-in corpus: children's stories in English and in German, and small sums, invented from a
// seed. It needs no download and never ends. Each text carries its domain, so that one can see
// whether the experts of a model divide the languages and the arithmetic among themselves. People
// wrote the plots; random words only fill them in.
// Read next: writer.h, how a plot becomes a story; english_plots.cpp, the plots.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "models/text/story.h"

namespace smoe {

// Story number `index` of the corpus drawn from `seed`: a pure function of the two, safe to call
// from several threads. Of every five stories two are English, two are German and one is about
// sums.
Story corpus_story(uint64_t seed, uint64_t index);

// "english", "german", "sums".
std::span<const std::string_view> corpus_domains();

}  // namespace smoe
