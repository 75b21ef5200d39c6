// A file that is read in pieces of any size gives the stories, and the complaints, of the same file
// read at once.
// Read next: story_reader_test.cpp, what these are.
#include "models/text/text_pieces.h"

#include <doctest/doctest.h>

#include <array>

#include "core/file.h"
#include "core/rng.h"
#include "models/text/csv.h"
#include "models/text/story_reader.h"
#include "tests/error_of.h"
#include "tests/models/small_run.h"

using namespace smoe;

namespace {

constexpr std::array<size_t, 7> blocks = {4, 5, 7, 16, 31, 64, 1000};

std::vector<Story> read_in_blocks(const std::string& path, size_t block) {
    StoryReader reader(path, block);
    std::vector<Story> stories;
    while (reader.read(stories)) {
    }
    return stories;
}

// Texts, domains and the message of an error, as one text. Not the advice for text that is not UTF-8:
// it depends on the bytes around.
template <class Read>
std::string told(const Read& read) {
    std::string all;
    const std::string error = error_of([&] {
        for (const Story& story : read()) {
            all += story.text + "\1" + story.domain + "\2";
        }
    });
    return all + error.substr(0, error.find("); "));
}

void check_alike(const TemporaryFolder& folder, const std::string& name, const std::string& bytes) {
    const std::string path = folder.path + "/" + name;
    write_file(path, bytes);
    const std::string whole = told([&] { return parse_stories(bytes, path); });
    for (const size_t block : blocks) {
        CAPTURE(bytes);
        CAPTURE(block);
        CHECK(told([&] { return read_in_blocks(path, block); }) == whole);
    }
    CHECK(told([&] { return read_stories(path); }) == whole);
}

std::string random_text(Rng& rng, const std::vector<std::string>& letters, uint64_t longest) {
    std::string text;
    for (uint64_t i = rng.below(longest); i > 0; --i) {
        text += letters[rng.below(letters.size())];
    }
    return text;
}

}  // namespace

TEST_CASE("text pieces: stories of all kinds, whatever the size of a piece") {
    const TemporaryFolder folder("text-pieces");
    Rng rng(11);
    const std::string m = "<|endoftext|>";
    const std::vector<std::string> letters = {"a",          "b", " ",    "\u00E4",
                                              "\U0001F98A", ",", "\"\"", "<"};
    for (int round = 0; round < 40; ++round) {
        const std::string end = std::array<std::string, 3>{"\n", "\r\n", "\r"}[rng.below(3)];
        const std::string mark = rng.below(4) ? "" : "\xEF\xBB\xBF";
        std::string text = mark, csv = mark + end + "id,text,domain" + end, lines = mark;
        for (int story = 0; story < 6; ++story) {
            const std::string words = "x" + random_text(rng, letters, 30);
            text += words + end + m + (rng.below(3) ? end : "");
            csv += "1,\"" + words + end + "\"," + (rng.below(2) ? "d" : "") + end +
                   (rng.below(4) ? "" : end);
            lines += R"({"text":"x)" + std::string(rng.below(40), 'y') + "\\n\u00E4\"}" + end +
                     (rng.below(4) ? "" : end);
        }
        check_alike(folder, "a_train.txt", text + (rng.below(2) ? "last" : ""));
        check_alike(folder, "a_train.csv", csv);
        check_alike(folder, "a_train.jsonl", lines);
        for (const char* name : {"a.txt", "a.csv", "a.jsonl"}) {  // cut anywhere
            const std::string& bytes = name[2] == 't' ? text : name[2] == 'c' ? csv : lines;
            check_alike(folder, name, bytes.substr(0, rng.below(bytes.size())));
        }
    }
    std::string tsv = "text\tn\n";
    for (int row = 0; row < 30; ++row) {
        tsv += fmt::format("a story, {}\t\"x\ty\"\n", row);
    }
    check_alike(folder, "a.tsv", tsv + "text\tn\nthe last\t1\n");
    check_alike(folder, "a.txt", "one long story " + std::string(3000, 'x') + "\n");
    check_alike(folder, "a.txt", "<html> " + std::string(3000, 'x') + "\n");
    check_alike(folder, "a.txt", "[" + std::string(300, ' ') + "]");
    check_alike(folder, "empty.txt", "");
    check_alike(folder, "empty.csv", "\n\n\n\n\n\n\n\n\n\n");
    check_alike(folder, "empty.jsonl", "\n\n\n\n\n\n\n\n\n\n");
}

TEST_CASE("text pieces: what is wrong is found where it is, whatever the size of a piece") {
    const TemporaryFolder folder("wrong-pieces");
    Rng rng(12);
    const std::string good = "\u00E4 fox\r\ncame\rby\n\n<|endoftext|>\r\nand went \u00E4way\n";
    for (const std::string& bad : {std::string("\xF6"), std::string("\xE2\x82"),
                                   std::string("\xC3"), std::string(1, '\0')}) {
        for (int round = 0; round < 12; ++round) {
            std::string text = good + good + good;
            text.insert(rng.below(text.size() + 1), bad);
            check_alike(folder, "a.txt", text);
        }
    }
    std::string rows = "id,text\n", lines;
    for (int row = 0; row < 20; ++row) {
        rows += fmt::format("{},\"a \n\"\"fox\"\"\"\r\n", row);
        lines += "{\"text\": \"a fox\"}\r\n";
    }
    for (const std::string bad :
         {"21,a \"fox\" came\n", "21,\"a\" fox\n", "21\n", "21,a,b\n",
          "21,he said \"\"hi\"\" to her\n", "21,\"never closed\n", "text,id\n"}) {
        check_alike(folder, "a.csv", rows + bad + rows.substr(8));
    }
    for (const std::string bad : {"{\"text\": 3}\n", "[1]\n", "{\"text\": \"a\"\n", "NaN\n"}) {
        check_alike(folder, "a.jsonl", lines + bad + lines);
    }
}

TEST_CASE("text pieces: a broken quote does not make the rest of the file one piece") {
    for (const std::string row : {"1,a \"fox\" came\n", "1,he said \"\"hi\"\" to her\n",
                                  "1,\"a\" fox\n", "1,\"a\"\"b\"\"\"\n"}) {
        const std::string more = "2,b\n3,c\n";
        CHECK(whole_rows(row + more + "4", ',') == row.size() + more.size());
    }
    CHECK(whole_rows("1,\"a\n2,b\n", ',') == 0);
    CHECK(whole_rows("1,a\r", ',') == 0);
    CHECK(whole_rows("1,a\r\n2", ',') == 5);
    CHECK(whole_rows("", ',') == 0);
}

TEST_CASE("text pieces: memory stays with the piece, not with the file") {
    const TemporaryFolder folder("large-pieces");
    const std::string path = folder.path + "/a.txt";
    std::string text;
    for (int story = 0; story < 4000; ++story) {
        text += fmt::format("Story {} of many.\n<|endoftext|>\n", story);
    }
    write_file(path, text);
    StoryReader reader(path, 1000);
    std::vector<Story> stories;
    size_t pieces = 0, all = 0;
    for (; reader.read(stories); ++pieces) {
        CHECK(stories.size() <= 60);
        all += stories.size();
        stories.clear();
    }
    CHECK(all == 4000);
    CHECK(pieces > 100);
    CHECK(reader.bytes_read() == int64_t(text.size()));
}
