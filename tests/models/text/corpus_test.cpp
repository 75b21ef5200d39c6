// The built-in corpus read by a strict proof-reader: every wording of every plot filled in many
// times, every sum computed again from its digits, every German noun against a second list of
// articles, and the stories themselves for repetition, length and stray signs.
// Read next: corpus_writer_test.cpp, which tests how a book is read.
#include "models/text/corpus/corpus.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/rng.h"
#include "models/text/corpus/books.h"

using namespace smoe;

namespace {

const Book* const books[] = {&english_book(), &german_book(), &sums_book()};

size_t count(std::string_view text, std::string_view what) {
    size_t found = 0;
    for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
        ++found;
    }
    return found;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words(1);
    for (const char c : text) {
        if (c == ' ' || c == '\n') {
            words.emplace_back();
        } else {
            words.back() += c;
        }
    }
    return words;
}

// The word without the signs around it, in lower case.
std::string bare(const std::string& word) {
    std::string out;
    for (const char c : word) {
        if (std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80) {
            out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
    }
    return out;
}

// What is wrong with a piece of text, or nothing.
std::string fault(std::string_view text, std::string_view domain) {
    for (const char* bad : {"  ", " .", " ,", " !", " ?", "..", ",,", "!.", "?.", ".!", "\n\n", "{",
                            "}", "[", "]", "|", " \n", "\n ", "//"}) {
        if (count(text, bad) > 0) {
            return fmt::format("holds '{}'", bad);
        }
    }
    if (text.empty() || text.front() == ' ' || text.back() == ' ') {
        return "is empty or has a blank at an end";
    }
    const auto words = words_of(text);
    for (size_t i = 0; i + 1 < words.size(); ++i) {
        const std::string word = bare(words[i]), next = bare(words[i + 1]);
        const bool goes_on = static_cast<unsigned char>(words[i].back()) >= 0x80 ||
                             std::isalpha(static_cast<unsigned char>(words[i].back()));
        if (word == next && goes_on) {
            return fmt::format("says '{}' twice", word);
        }
        const bool vowel = std::string_view("aeiou").find(next[0]) != std::string_view::npos;
        if (domain != "german" && ((word == "a" && vowel) || (word == "an" && !vowel))) {
            return fmt::format("says '{} {}'", word, next);
        }
    }
    if (domain == "german") {
        if (count(text, "„") != count(text, "“") || count(text, "\"") > 0) {
            return "has quotation marks that do not match";
        }
        for (size_t at = 0, open = 0; at < text.size(); ++at) {
            open += text.substr(at).starts_with("„");
            open -= text.substr(at).starts_with("“");
            if (open > 1) {
                return "has quotation marks inside one another";
            }
        }
    } else if (count(text, "\"") % 2 != 0) {
        return "has a quotation mark too few";
    }
    return "";
}

void check_sum(int left, char sign, int right, int result) {
    CHECK(std::string_view("+-x").find(sign) != std::string_view::npos);
    CHECK(result == (sign == '+' ? left + right : sign == '-' ? left - right : left * right));
}

// How many equations "3 + 4 = 7" the text holds; fails the test where one is wrong.
int check_equations(const std::string& text) {
    const auto words = words_of(text);
    int equations = 0;
    for (size_t i = 2; i + 2 < words.size(); ++i) {
        if (words[i + 1] != "=" || words[i - 1].size() != 1) {
            continue;
        }
        check_sum(std::stoi(words[i - 2]), words[i - 1][0], std::stoi(words[i]),
                  std::stoi(words[i + 2]));
        ++equations;
    }
    return equations;
}

}  // namespace

TEST_CASE("corpus: a story is a pure function of seed and index") {
    std::set<std::string> by_seed;
    for (uint64_t index = 0; index < 50; ++index) {
        const Story story = corpus_story(3, index);
        CHECK(story.text == corpus_story(3, index).text);
        by_seed.insert(story.text);
        by_seed.insert(corpus_story(4, index).text);
    }
    CHECK(by_seed.size() == 100);
    CHECK_FALSE(corpus_story(UINT64_MAX, UINT32_MAX).text.empty());
    CHECK_THROWS_AS(corpus_story(1, uint64_t(1) << 32), Error);
}

TEST_CASE("corpus: 20000 stories are distinct, of the right length and shared out two, two, one") {
    std::set<std::string> seen;
    std::map<std::string, std::vector<size_t>> lengths;
    for (uint64_t index = 0; index < 20000; ++index) {
        const Story story = corpus_story(1, index);
        seen.insert(story.text);
        lengths[story.domain].push_back(words_of(story.text).size());
        const std::string wrong = fault(story.text, story.domain);
        if (!wrong.empty()) {
            FAIL_CHECK("the story " << wrong << ": " << story.text);
        }
    }
    CHECK(seen.size() >= 19999);
    CHECK(lengths.size() == corpus_domains().size());
    CHECK(lengths["english"].size() == 8000);
    CHECK(lengths["german"].size() == 8000);
    CHECK(lengths["sums"].size() == 4000);
    for (const std::string_view domain : corpus_domains()) {
        const auto& all = lengths[std::string(domain)];
        const auto [shortest, longest] = std::minmax_element(all.begin(), all.end());
        size_t total = 0;
        for (const size_t length : all) {
            total += length;
        }
        CHECK(*shortest >= (domain == "sums" ? 12 : 55));
        CHECK(*longest <= (domain == "sums" ? 50 : 130));
        if (domain != "sums") {
            CHECK(total / all.size() >= 80);
            CHECK(total / all.size() <= 110);
        }
    }
}

TEST_CASE("corpus: every wording of every plot is clean, whatever fills its slots") {
    for (const Book* book : books) {
        for (const Plot& plot : book->plots()) {
            for (const Beat& beat : plot.beats) {
                for (const std::string_view wording : beat.wordings) {
                    Rng rng(5);
                    for (int i = 0; i < 60; ++i) {
                        const std::string text = book->expand(plot, wording, rng);
                        const std::string wrong = fault(text, book->title());
                        if (!wrong.empty()) {
                            FAIL_CHECK(book->title()
                                       << ", " << plot.name << ": '" << wording << "' became '"
                                       << text << "', which " << wrong);
                        }
                        const std::string first = text.starts_with("„") ? text.substr(3) : text;
                        const bool starts_well =
                            !std::islower(static_cast<unsigned char>(first[0]));
                        const bool ends_well = std::string_view(".!?\"\x9c").find(text.back()) !=
                                               std::string_view::npos;
                        INFO(text);
                        CHECK(starts_well);
                        CHECK(ends_well);
                    }
                }
            }
        }
    }
}

TEST_CASE("corpus: every table is used, and no row is written twice") {
    for (const Book* book : books) {
        std::string text;
        std::set<std::string> used;
        for (const Plot& plot : book->plots()) {
            for (const auto& [role, source] : plot.cast) {
                used.emplace(source);
            }
            for (const Beat& beat : plot.beats) {
                for (const std::string_view wording : beat.wordings) {
                    text.append(wording).append(" ");
                }
            }
        }
        for (const Table& table : book->tables()) {
            std::set<std::string_view> names;
            for (const auto& row : table.rows) {
                names.insert(row[0]);
                for (const std::string_view cell : row) {
                    text.append(cell).append(" ");
                }
            }
            INFO(book->title(), ": ", table.name);
            CHECK(!table.rows.empty());
            CHECK(names.size() == table.rows.size());
        }
        for (size_t open = text.find('{'); open != std::string::npos;
             open = text.find('{', open + 1)) {
            std::string word;
            for (size_t at = open + 1; text[at - 1] != '}'; ++at) {
                if (std::string_view(" .:}").find(text[at]) != std::string_view::npos) {
                    used.insert(word);
                    word.clear();
                } else {
                    word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[at])));
                }
            }
        }
        for (const Table& table : book->tables()) {
            INFO(book->title(), ": ", table.name);
            CHECK((used.contains(std::string(table.name)) || table.name == "number"));
        }
    }
}

TEST_CASE("corpus: the sums are right, in digits and in words") {
    const Table* numbers = sums_book().find_table("number");
    REQUIRE(numbers != nullptr);
    REQUIRE(numbers->rows.size() == 145);
    std::map<std::string, int> value;
    for (size_t i = 0; i < numbers->rows.size(); ++i) {
        CHECK(numbers->rows[i][0] == std::to_string(i));
        value[std::string(numbers->rows[i][1])] = static_cast<int>(i);
    }
    CHECK(value.size() == 145);
    CHECK(value["zero"] == 0);
    CHECK(value["thirteen"] == 13);
    CHECK(value["forty"] == 40);
    CHECK(value["ninety-nine"] == 99);
    CHECK(value["one hundred"] == 100);
    CHECK(value["one hundred and forty-four"] == 144);

    const std::pair<std::string, char> signs[] = {
        {" plus ", '+'}, {" minus ", '-'}, {" take away ", '-'}, {" times ", 'x'}};
    int in_digits = 0, in_words = 0;
    for (uint64_t index = 4; index < 20000; index += 5) {
        const Story story = corpus_story(2, index);
        REQUIRE(story.domain == "sums");
        INFO(story.text);
        const auto sentences = split(story.text, '.');
        CHECK(sentences.size() >= 3);  // the piece after the last full stop is empty
        CHECK(sentences.size() <= 6);
        in_digits += check_equations(story.text);
        for (const std::string_view sentence : sentences) {
            std::string text(trim(sentence));
            text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
            for (const auto& [sign, kind] : signs) {
                const size_t first = text.find(sign), is = text.find(" is ");
                if (first != std::string::npos && is != std::string::npos) {
                    const size_t second = first + sign.size();
                    check_sum(value.at(text.substr(0, first)), kind,
                              value.at(text.substr(second, is - second)),
                              value.at(text.substr(is + 4)));
                    ++in_words;
                }
            }
        }
    }
    CHECK(in_digits > 5000);
    CHECK(in_words > 1000);
}

TEST_CASE("corpus: one apple, two apples") {
    std::set<std::string> one, many;
    for (const Table& table : sums_book().tables()) {
        if (table.columns.size() == 2 && table.columns[1] == "many") {
            for (const auto& row : table.rows) {
                one.emplace(row[0]);
                many.emplace(row[1]);
            }
        }
    }
    int singular = 0;
    for (uint64_t index = 4; index < 60000; index += 5) {
        const auto words = words_of(corpus_story(6, index).text);
        for (size_t i = 0; i + 1 < words.size(); ++i) {
            const bool number = std::isdigit(static_cast<unsigned char>(words[i].back()));
            const std::string noun = bare(words[i + 1]);
            if (number && (one.contains(noun) || many.contains(noun))) {
                INFO(words[i], " ", noun);
                CHECK(one.contains(noun) == (words[i] == "1"));
                singular += words[i] == "1";
            }
        }
    }
    CHECK(singular > 20);
}

TEST_CASE("corpus: every German noun has the gender of the dictionary") {
    const std::pair<std::string, std::string_view> lists[] = {
        {"der",
         "Junge Freund Teddy Stoffhase Kreisel Mond Stern Fisch Igel Kuchen Tee "
         "Hase Fuchs Vogel Apfelkuchen Kirschkuchen Nusskuchen Zitronenkuchen Ball "
         "Drachen Luftballon Kranz Sonnenblumenkern Kürbiskern Mohnsamen Kürbis "
         "Kater Hund Korb Topf Becher Roller Schlitten"},
        {"die",
         "Freundin Puppe Stoffkatze Sonne Blume Suppe Torte Eule Maus Schokotorte "
         "Erdbeertorte Kette Bohne Sonnenblume Bohnenpflanze Mohnblume Katze "
         "Hündin Kiste Schale Seifenkiste"},
        {"das",
         "Mädchen Holzpferd Stoffschaf Herz Brot Reh Eichhörnchen Flugzeug Bild "
         "Lied Vogelhaus Körbchen Fass Fahrrad"},
    };
    std::map<std::string, std::string> dictionary;
    for (const auto& [article, list] : lists) {
        for (const std::string& noun : words_of(list)) {
            dictionary[noun] = article;
        }
    }
    size_t nouns = 0;
    for (const Table& table : german_book().tables()) {
        for (const auto& row : table.rows) {
            for (const std::string_view cell : row) {
                const std::string article(cell.substr(0, cell.find(' ')));
                const bool is_noun = article == "der" || article == "die" || article == "das";
                if (!is_noun) {
                    continue;
                }
                const std::string noun(cell.substr(4, cell.find('/') - 4));
                INFO(cell);
                REQUIRE(dictionary.contains(noun));
                CHECK(dictionary.at(noun) == article);
                ++nouns;
            }
        }
    }
    CHECK(nouns > 50);
    for (const auto& row : german_book().find_table("kind")->rows) {
        const bool girl = row[3] == "das Mädchen";
        CHECK(row[1] == (girl ? "sie" : "er"));
        CHECK(row[2] == (girl ? "ihr" : "sein"));
        CHECK(row[4] == (girl ? "die Freundin" : "der Freund"));
    }
}
