// Story files of all kinds: the text that is read is right to the byte, and what cannot be read is
// an Error that leads to the place.
// Read next: foreign_format_test.cpp.
#include "models/text/story_reader.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/check.h"
#include "core/rng.h"
#include "tests/error_of.h"

using namespace smoe;

namespace {

// A folder of this test's own, removed at the end.
class Folder {
  public:
    Folder()
        : path_(std::filesystem::temp_directory_path() /
                fmt::format("smoe_story_reader_test_{}", ::getpid())) {
        std::filesystem::create_directories(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }

    std::string write(const std::string& name, const std::string& bytes) const {
        const std::string path = (path_ / name).string();
        std::filesystem::remove(
            path);  // replacing a file makes some file systems wait for the disk
        std::ofstream(path, std::ios::binary) << bytes;
        return path;
    }
    std::vector<Story> read(const std::string& name, const std::string& bytes) const {
        return read_stories(write(name, bytes));
    }
    std::vector<std::string> texts(const std::string& name, const std::string& bytes) const {
        std::vector<std::string> result;
        for (const Story& story : read(name, bytes)) {
            result.push_back(story.text);
        }
        return result;
    }
    void refuse(const std::string& name, const std::string& bytes,
                const std::string& reason) const {
        const std::string message = error_of([&] { read(name, bytes); });
        CAPTURE(bytes);
        CAPTURE(message);
        CHECK(message.find(name) != message.npos);
        CHECK_MESSAGE(message.find(reason) != message.npos, "expected: ", reason);
    }

  private:
    std::filesystem::path path_;
};

using Texts = std::vector<std::string>;

std::string in_quotes(const std::string& field) {
    std::string text = "\"";
    for (const char byte : field) {
        text += byte == '"' ? "\"\"" : std::string(1, byte);
    }
    return text + '"';
}

}  // namespace

TEST_CASE("story reader: text files") {
    const Folder folder;
    const std::string m = "<|endoftext|>";
    CHECK(folder.texts("a.txt", "one\n" + m + "\ntwo\n" + m + "\n") == Texts{"one", "two"});
    CHECK(folder.texts("a.txt", "one\n" + m + "\ntwo\n") == Texts{"one", "two"});
    CHECK(folder.texts("a.txt", "one\n" + m + "\ntwo") == Texts{"one", "two"});
    CHECK(folder.texts("a.txt", "one" + m + "two" + m) == Texts{"one", "two"});
    CHECK(folder.texts("a.txt", "one\r\n" + m + "\r\ntwo\r\nlines\r\n") ==
          Texts{"one", "two\r\nlines"});
    CHECK(folder.texts("a.txt", "no marker\nat all\n") == Texts{"no marker\nat all"});
    CHECK(folder.texts("ending", "a\n\n" + m + "\n\nb") == Texts{"a\n", "\nb"});
    CHECK(folder.texts("a.txt", "\n a \n\n\n") == Texts{"\n a \n\n"});
    CHECK(folder.texts("a.txt", m + m + "\n" + m + "\n\n" + m + " \t\r\n" + m + "x") == Texts{"x"});
    CHECK(folder.texts("a.txt", "\xEF\xBB\xBFone\xEF\xBB\xBF") == Texts{"one\xEF\xBB\xBF"});
    CHECK(folder.texts("a.txt", "a <|endoftext| > b <|endoftext") ==
          Texts{"a <|endoftext| > b <|endoftext"});
    CHECK(folder.texts("a.txt", "one\r" + m + "\rtwo\rlines\r") == Texts{"one", "two\rlines"});
    CHECK(folder.texts("a.txt", "one\r\r" + m + "\n\rtwo") == Texts{"one\r", "\rtwo"});
    CHECK(folder.texts("a.txt", "<|endof<|endoftext|>text|>") == Texts{"<|endof", "text|>"});

    folder.refuse("a.txt", "", "holds no story");
    folder.refuse("a.txt", "\xEF\xBB\xBF", "holds no story");
    folder.refuse("a.txt", "\n" + m + "\n" + m, "holds no story");
    CHECK_THROWS_AS(read_stories("/no/such/file.txt"), Error);
    CHECK_THROWS_AS(read_stories(std::filesystem::temp_directory_path().string()), Error);
}

TEST_CASE("story reader: text that is not UTF-8 is located") {
    const Folder folder;
    folder.refuse("a.txt", "sch\xF6n", "not valid UTF-8 at byte 3 (line 1)");
    folder.refuse("a.txt", "\xC3\xB6\nb\nsch\xF6n\n\xFF", "at byte 8 (line 3)");
    folder.refuse("a.txt", "a\rb\r\nc\nsch\xF6n\n\xFF", "at byte 10 (line 4)");
    folder.refuse("a.txt", "cut short: \xE2\x82", "at byte 11 (line 1)");
    folder.refuse("a.csv", "text\nsch\xF6n\n", "at byte 8 (line 2)");
    folder.refuse("a.jsonl", "{\"text\":\"sch\xF6n\"}", "at byte 12 (line 1)");
    // A conversion of the whole would turn what is right into what is wrong, without a word.
    folder.refuse("a.txt", "sch\xF6n", "iconv -f ENCODING");
    folder.refuse("a.txt", "\xF6 sch\u00F6n, gr\u00FCn", "mend that place");
    folder.refuse("a.txt", "sch\u00F6n \xE2\x82", "at byte 7 (line 1); if it is text");
    folder.refuse("a.txt", "sch\u00F6n, gr\u00FCn \xE2\x82", "mend that place");
}

TEST_CASE("story reader: the domain comes from the file or from its name") {
    const Folder folder;
    const auto domain = [&](const std::string& name) { return folder.read(name, "x")[0].domain; };
    CHECK(domain("maths_train.txt") == "maths");
    CHECK(domain("maths_valid.txt") == "maths");
    CHECK(domain("maths_test") == "maths");
    CHECK(domain("maths.txt") == "maths");
    CHECK(domain("a_b.c.txt") == "a_b.c");
    CHECK(domain("_train.txt") == "_train");
    CHECK(domain("a_test_train.txt") == "a_test");
    CHECK(domain("training.txt") == "training");

    const auto lines = folder.read("j_train.jsonl", R"({"text":"a","domain":"d"})"
                                                    "\n"
                                                    R"({"text":"b"})"
                                                    "\n"
                                                    R"({"text":"c","domain":""})");
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].domain == "d");
    CHECK(lines[1].domain == "j");
    CHECK(lines[2].domain == "j");

    const auto rows = folder.read("c_test.csv", "domain,text\nd,a\n,b\n");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].text == "a");
    CHECK(rows[0].domain == "d");
    CHECK(rows[1].domain == "c");
    CHECK(folder.read("c.CSV", "text\na\n")[0].domain == "c");
}

TEST_CASE("story reader: several files are read one after the other") {
    const Folder folder;
    const std::vector<std::string> paths = {folder.write("b.txt", "1<|endoftext|>2"),
                                            folder.write("a.csv", "text\n3\n")};
    const std::vector<Story> stories = read_stories(paths);
    REQUIRE(stories.size() == 3);
    CHECK(stories[1].text == "2");
    CHECK(stories[1].domain == "b");
    CHECK(stories[2].domain == "a");
    CHECK(read_stories(std::vector<std::string>()).empty());
}

TEST_CASE("story reader: csv") {
    const Folder folder;
    CHECK(folder.texts("a.csv", "text\na\nb") == Texts{"a", "b"});
    CHECK(folder.texts("a.csv", "\xEF\xBB\xBFtext\r\na\r\nb\r\n") == Texts{"a", "b"});
    CHECK(folder.texts("a.csv", "id,\"text\",n\n1,\"a, \"\"b\"\"\nc\r\n\",2\n3,,4\n5,\" e \",6") ==
          Texts{"a, \"b\"\nc\r\n", " e "});
    CHECK(folder.texts("a.csv", "\n\ntext\n\n\r\na\n\n\"\"\n\"\"\"\"\n") == Texts{"a", "\""});
    CHECK(folder.texts("a.csv", "text,x\n\"a\rb\",\n\"c\"\"\",\"\"\n") == Texts{"a\rb", "c\""});
    CHECK(folder.texts("a.csv", "\rtext,x\r\ra,1\r\"b\rb\",2\r") == Texts{"a", "b\rb"});
    CHECK(folder.texts("a.csv", "text\n\"a\"\rb\n") == Texts{"a", "b"});
    CHECK(folder.texts("a.csv", "text\n<|endoftext|>\n") == Texts{"<|endoftext|>"});

    folder.refuse("a.csv", "", "a column named \"text\"");
    folder.refuse("a.csv", "\nstory,n\na,1\n", "line 2: expected a header with a column named");
    folder.refuse("a.csv", "Text\na\n", "a column named \"text\"");
    folder.refuse("a.csv", "text,text\na,b\n", "two columns named \"text\"");
    folder.refuse("a.csv", "text,domain,domain\na,b,c\n", "two columns named \"domain\"");
    folder.refuse("a.csv", "text\n", "holds no story");
    folder.refuse("a.csv", "text\n\"\"\n\" \"\n", "holds no story");
    folder.refuse("a.csv", "text,n\n\"a\nb\",1\nc\n",
                  "line 4: 1 fields were found where the header");
    folder.refuse("a.csv", "text\na, b\n", "line 2: 2 fields");
    folder.refuse("a.csv", "text\n\"a\n\n\"\n\"b\nc\n", "line 5: the quote that opens here");
    folder.refuse("a.csv", "text\n\"", "line 2: the quote that opens here");
    folder.refuse("a.csv", "text\n\"a\"\"", "line 2: the quote that opens here");
    folder.refuse("a.csv", "text\na \"b\"\n", "line 2: a quote stands inside");
    folder.refuse("a.csv", "text\n\"a\nb\" c\n", "line 3: a comma or a line end must follow");
    folder.refuse("a.csv", "text\r\"a\rb\"\r\n\"c\" d\r",
                  "line 4: a comma or a line end must follow");
}

TEST_CASE("story reader: a header that is repeated is no story") {
    const Folder folder;
    CHECK(folder.texts("a.csv", "text,domain\na,d\ntext,domain\nb,d\n") == Texts{"a", "b"});
    CHECK(folder.texts("a.csv", "text,n\na,1\n\xEF\xBB\xBFtext,n\n\"text\",\"n\"\nb,1\n") ==
          Texts{"a", "b"});
    CHECK(folder.texts("a.csv", "text,domain\ntext,d\ndomain,text\u00E4\n") ==
          Texts{"text", "domain"});
    CHECK(folder.texts("a.tsv", "text\nn\ntext\nb\n") == Texts{"n", "b"});
    folder.refuse("a.csv", "text,domain\na,d\ndomain,text\nd,b\n",
                  "line 3: the header comes again");
}

TEST_CASE("story reader: other separators than commas") {
    const Folder folder;
    CHECK(folder.texts("a.tsv", "id\ttext\n1\ta, b; \n2\t\"c\td\n\"\"e\"\"\"\r\n") ==
          Texts{"a, b; ", "c\td\n\"e\""});
    CHECK(folder.read("fable_train.TSV", "text\tdomain\na\t\nb\tc\n")[0].domain == "fable");
    CHECK(folder.read("fable_train.tsv", "text\tdomain\na\t\nb\tc\n")[1].domain == "c");
    folder.refuse("a.tsv", "text\nd\te\n", "a text with tabs or line ends must stand in quotes");
    folder.refuse("a.tsv", "text\n\"d\" e\n", "a tab or a line end must follow");

    folder.refuse("a.csv", "\ntext;domain\na;b\n", "by ';' and not by commas: write the file with");
    folder.refuse("a.csv", "\"id\";\"text\"\r1;b\r", "by ';' and not by commas");
    folder.refuse("a.csv", "id|text\n1|b\n", "by '|' and not by commas");
    folder.refuse("a.csv", "text\tdomain\na\tb\n",
                  "by tabs and not by commas: give it the ending .tsv");
    folder.refuse("a.tsv", "text,domain\na,b\n", "by ',' and not by tabs: give it the ending .csv");
    CHECK(folder.texts("a.csv", "a;text;b,text\n1,2\n") == Texts{"2"});
    folder.refuse("a.csv", "atext;b\n1,2\n", "a column named \"text\"");
}

TEST_CASE("story reader: csv gives back whatever a careful writer wrote") {
    const Folder folder;
    Rng rng(3);
    const std::string letters = "ab,\"\n\r ;\t";
    for (int round = 0; round < 200; ++round) {
        const bool crlf = rng.below(2);
        std::string csv = crlf ? "n,text\r\n" : "n,text\n";
        Texts expected;
        for (int row = 0; row < 5; ++row) {
            std::string text = "x";
            for (uint64_t i = rng.below(8); i > 0; --i) {
                text += letters[rng.below(letters.size())];
            }
            expected.push_back(text);
            csv += fmt::format("{},{}{}", row, in_quotes(text), crlf ? "\r\n" : "\n");
        }
        CAPTURE(csv);
        CHECK(folder.texts("a.csv", csv) == expected);
    }
}

TEST_CASE("story reader: json lines") {
    const Folder folder;
    CHECK(folder.texts("a.jsonl",
                       "{\"text\":\"a\\n\\u00e4\\u0000b\",\"n\":[{}]}\r\n\n  \n"
                       " {\"x\":1,\"text\":\"<|endoftext|>\"} \n{\"text\":\"\"}") ==
          Texts{std::string("a\n\u00E4\0b", 6), "<|endoftext|>"});
    CHECK(folder.read("a.jsonl", R"({"text":"a","domain":null})")[0].domain == "a");
    CHECK(folder.texts("a.jsonl", R"({"x":{"text":1},"text":"a","y":2})") == Texts{"a"});

    folder.refuse("a.jsonl", "\n\n", "holds no story");
    folder.refuse("a.jsonl", "{\"text\":\" \"}", "holds no story");
    folder.refuse("a.jsonl", "{\"text\":\"a\"}\n\n{\"text\":\"a\"",
                  "line 3: the line ends before the object does");
    folder.refuse("a.jsonl", "{\n\"text\":\"a\"\n}",
                  "line 1: the line ends before the object does");
    folder.refuse("a.jsonl", "{\"text\":\"a\"} {\"text\":\"b\"}",
                  "line 1: this is not valid JSON from column 14 on");
    folder.refuse("a.jsonl", "{\"text\":\"a\"}\n[\"text\"]", "line 2: expected a JSON object");
    folder.refuse("a.jsonl", "text", "line 1: expected a JSON object");
    folder.refuse("a.jsonl", "{\"text\":\"a\"}\n{\"story\":\"a\"}",
                  "line 2: the object has no \"text\"");
    folder.refuse("a.jsonl", "{\"text\":[\"a\"]}",
                  "line 1: \"text\" is of type array, not a string");
    folder.refuse("a.jsonl", "{\"text\":null}", "line 1: \"text\" is of type null, not a string");
    folder.refuse("a.jsonl", "{\"text\":\"a\",\"domain\":3}",
                  "line 1: \"domain\" is of type number, not a string");
    folder.refuse("a.jsonl", "{\"text\":\"a\",\"x\":" + std::string(1'000'000, '['),
                  "line 1: nested more than");
}

TEST_CASE("story reader: an object that cannot be read is told why") {
    const Folder folder;
    const std::string good = "{\"text\":\"a\"}\n";
    folder.refuse("a.jsonl", good + R"({"text":"a","x":NaN})",
                  "line 2: NaN at column 17 is no JSON");
    folder.refuse("a.jsonl", good + R"({"text":"a","x":Infinity})",
                  "line 2: Infinity at column 17");
    folder.refuse("a.jsonl", good + R"({"text":"a","x":-Infinity})",
                  "line 2: Infinity at column 18");
    folder.refuse("a.jsonl", good + R"({"text":"a","x":Nothing})",
                  "line 2: this is not valid JSON");
    folder.refuse("a.jsonl", good + R"({"text":"a","x":1e400})", "line 2: a number is too large");
    folder.refuse("a.jsonl", good + R"({"text":"ab\ud800"})",
                  "line 2: the \\u at column 12 is half of a character (a lone surrogate)");
    folder.refuse("a.jsonl", good + R"({"text":"ab\udc00"})",
                  "at column 12 is half of a character");
    folder.refuse("a.jsonl", good + R"({"text":"\ud800\ud800"})", "is half of a character");
    folder.refuse("a.jsonl", good + R"({"text":"a\x"})", "line 2: this is not valid JSON");

    folder.refuse("a.jsonl", good + R"({"text":"a","text":"b"})",
                  "line 2: the key \"text\" is given twice");
    folder.refuse("a.jsonl", good + R"({"text":"a","text":"a"})", "\"text\" is given twice");
    folder.refuse("a.jsonl", good + R"({"text":"a","domain":"b","domain":null})",
                  "line 2: the key \"domain\" is given twice");
    folder.refuse("a.jsonl", good + R"({"text":"a","x":{"y":1,"y":2}})",
                  "line 2: the key \"y\" is given twice");
}

TEST_CASE("story reader: random bytes are read or refused, never worse") {
    const Folder folder;
    Rng rng(4);
    const std::string spice = "{}[]\":,text\n\r\\ <|endoftext|>";
    int read = 0, refused = 0;
    for (int round = 0; round < 600; ++round) {
        std::string bytes = round % 2 ? "text\n" : "{\"text\":\"";
        for (uint64_t i = rng.below(40); i > 0; --i) {
            bytes += rng.below(20) ? spice[rng.below(spice.size())] : char(rng.below(256));
        }
        bytes += round % 2 ? "" : "\"}";
        for (const char* name : {"f.csv", "f.jsonl", "f.txt", "f.tsv", "f.json", "f.ndjson"}) {
            try {
                folder.read(name, bytes);
                ++read;
            } catch (const Error&) {
                ++refused;
            }
        }
    }
    CHECK(read > 100);
    CHECK(refused > 100);
}
