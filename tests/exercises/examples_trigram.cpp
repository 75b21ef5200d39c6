// Exercise: a language model of counts that looks two characters back; lesson 8 looks one back.
// Learn from `text`; return a function that gives the probability of `next` after the characters
// `before_last` and `last`, all in ASCII (0 to 127). For each two characters the probabilities sum
// to 1, and none is 0, though most triples never occur in the text: mix what triples, pairs and
// single characters say, and trust a count more the larger it is. The test takes the text of lesson
// 8 and asks for a loss on unseen text that no table of pairs reaches.
// Level 2 of 3, about 45 minutes. Two hints are at the end.
#include <functional>
#include <string>

#include "models/text/corpus/corpus.h"
#include "tests/exercises/exercise.h"

using Probability = std::function<double(char before_last, char last, char next)>;

Probability learn_trigrams(const std::string& text);

using namespace smoe;

namespace {

// English stories, one after the other: at least `size` characters from the `first` on.
std::string stories(uint64_t first, size_t size) {
    std::string text;
    for (uint64_t i = first; text.size() < size; ++i) {
        const Story story = corpus_story(5, i);
        text += story.domain == "english" ? story.text + "\n" : "";
    }
    return text;
}

// Nats a character.
double loss(const Probability& probability, const std::string& text) {
    double total = 0;
    for (size_t i = 2; i < text.size(); ++i) {
        total -= std::log(probability(text[i - 2], text[i - 1], text[i]));
    }
    return total / double(text.size() - 2);
}

}  // namespace

TEST_CASE("learn_trigrams: probabilities, also after what never occurred") {
    for (const std::string& text : {std::string("abcabcabd"), std::string("a"), std::string()}) {
        const Probability probability = learn_trigrams(text);
        for (const auto& [before_last, last] :
             {std::pair('a', 'b'), {'b', 'c'}, {'z', 'a'}, {'z', 'z'}}) {
            double total = 0, least = 1;
            for (int next = 0; next < 128; ++next) {
                const double p = probability(before_last, last, char(next));
                total += p;
                least = std::min(least, p);
            }
            const std::string after =
                fmt::format("learned from \"{}\", after \"{}{}\"", text, before_last, last);
            expect_close(after + ": the sum of all probabilities", total, 1, 1e-9);
            CHECK_MESSAGE(least > 0,
                          after << ": the least probability should be above 0, found " << least);
        }
    }
    const Probability probability = learn_trigrams("abcabcabd");
    CHECK(probability('a', 'b', 'c') > probability('a', 'b', 'd'));
    CHECK(probability('a', 'b', 'd') > probability('a', 'b', 'e'));
    CHECK(probability('z', 'a', 'b') > probability('z', 'a', 'c'));  // from pairs
}

TEST_CASE("learn_trigrams: better on unseen text than any table of pairs") {
    const std::string text = stories(0, 80000), unseen = stories(1000, 20000);
    const Probability probability = learn_trigrams(text);
    // The counts of the unseen text itself: no function of one character can do better there.
    std::vector<double> pairs(128 * 128, 0), firsts(128, 0);
    for (size_t i = 2; i < unseen.size(); ++i) {
        pairs[size_t(unseen[i - 1] * 128 + unseen[i])] += 1;
        firsts[size_t(unseen[i - 1])] += 1;
    }
    const double best_of_pairs =
        loss([&](char, char last,
                 char next) { return pairs[size_t(last * 128 + next)] / firsts[size_t(last)]; },
             unseen);
    const double found = loss(probability, unseen);
    MESSAGE("best of pairs " << best_of_pairs << " nats, yours " << found);
    CHECK(found < best_of_pairs - 0.5);
    CHECK(loss(probability, text) < found);
}

// Hint 1: lesson 8's network of one character is a table of pairs. Begin with counts of triples,
// pairs and single characters in three maps.
// Hint 2: start from p = 1 / 128. For nothing, one and two characters before, in this order,
// replace p by (count of them with next + trust p) / (count of them + trust), with a trust of about
// 3.
