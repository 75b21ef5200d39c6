// Deals the stories of the three books in turn: of every five two are English, two German, and one
// is about sums. It holds no text of its own.
// Read next: books.h, the three books.
#include "models/text/corpus/corpus.h"

#include "core/streams.h"
#include "models/text/corpus/books.h"

namespace smoe {

namespace {

constexpr std::string_view domains[] = {"english", "german", "sums"};
constexpr int turns[] = {0, 1, 0, 1, 2};  // positions in `domains`, repeated for ever

const Book& book_of(int domain) {
    return domain == 0 ? english_book() : domain == 1 ? german_book() : sums_book();
}

}  // namespace

std::span<const std::string_view> corpus_domains() {
    return domains;
}

Story corpus_story(uint64_t seed, uint64_t index) {
    const int domain = turns[index % std::size(turns)];
    Rng rng = stream(seed, Stream::corpus, index);
    return {book_of(domain).write(rng), std::string(domains[domain])};
}

}  // namespace smoe
