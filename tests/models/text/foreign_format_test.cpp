// Files that are not stories, under every name that they may have. What is certain is named; what
// only looks similar is read.
// Read next: story_split_test.cpp.
#include "models/text/foreign_format.h"

#include <doctest/doctest.h>

#include "models/text/story_reader.h"
#include "tests/error_of.h"

using namespace smoe;

namespace {

using Texts = std::vector<std::string>;

Texts texts(const std::string& name, const std::string& bytes) {
    Texts result;
    for (const Story& story : parse_stories(bytes, name)) {
        result.push_back(story.text);
    }
    return result;
}

void refuse(const std::string& name, const std::string& bytes, const std::string& reason) {
    const std::string message = error_of([&] { parse_stories(bytes, name); });
    CAPTURE(bytes);
    CAPTURE(message);
    CHECK(message.find("'" + name + "'") != message.npos);
    CHECK_MESSAGE(message.find(reason) != message.npos, "expected: ", reason);
}

}  // namespace

TEST_CASE("foreign formats: files that are no text are named") {
    const auto bytes = [](const char* begin, size_t size) {
        return std::string(begin, size) + "\xFF and then the rest";
    };
    const std::vector<std::pair<std::string, std::string>> files = {
        {bytes("\x1F\x8B\x08\0", 4), "compressed with gzip: unpack it first"},
        {bytes("BZh91AY&SY", 10), "compressed with bzip2"},
        {bytes("\xFD\x37zXZ\0", 6), "compressed with xz"},
        {bytes("\x28\xB5\x2F\xFD", 4), "compressed with zstd"},
        {bytes("PK\3\4", 4), "a ZIP archive, as .docx"},
        {bytes("7z\xBC\xAF\x27\x1C", 6), "a 7z archive"},
        {std::string(257, 'a') + "ustar", "a tar archive"},
        {"%PDF-1.4\n1 0 obj", "a PDF document"},
        {"{\\rtf1 A fox.}", "an RTF document"},
        {bytes("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8), "an old Office document"},
        {"PAR1 and PAR1", "a Parquet table"},
        {"\xFE\xFF", "text in UTF-16: convert it first: iconv -f UTF-16 -t UTF-8"},
        {std::string("\xFF\xFEh\0i\0", 6), "text in UTF-16"},
        {std::string("\xFF\xFE\0\0h\0\0\0", 8),
         "text in UTF-32: convert it first: iconv -f UTF-32"},
        {std::string("\0\0\xFE\xFF\0\0\0h", 8), "text in UTF-32"}};
    for (const auto& [content, name] : files) {
        for (const std::string ending : {"txt", "csv", "tsv", "jsonl", "json"}) {
            refuse("a." + ending, content, name);
        }
    }
    CHECK(texts("a.txt", "PAR1 and PAR2") == Texts{"PAR1 and PAR2"});
    CHECK(texts("a.txt", "PK, 7z, %PDF, BZh, ustar, {\\tex}").size() == 1);
}

TEST_CASE("foreign formats: UTF-16 and UTF-32 are known by their zeros") {
    const std::u32string latin = U"A fox.\n<|endoftext|>\nA h\u00E4n \U0001F600.\n";
    const std::u32string cyrillic = U"\u043B\u0438\u0441\u0430 \u0438 \u043A\u0443\u0440";
    const auto encoded = [](const std::u32string& text, int width, bool little_endian) {
        std::string bytes;
        const auto add = [&](uint32_t unit) {
            for (int k = 0; k < width; ++k) {
                bytes += char(unit >> 8 * (little_endian ? k : width - 1 - k));
            }
        };
        for (const char32_t code : text) {
            if (width == 2 && code > 0xFFFF) {
                add(0xD800 + ((code - 0x10000) >> 10));
                add(0xDC00 + ((code - 0x10000) & 0x3FF));
            } else {
                add(code);
            }
        }
        return bytes;
    };
    for (const std::u32string& text : {latin, cyrillic}) {
        refuse("a.txt", encoded(text, 2, true),
               "text in UTF-16LE: convert it first: iconv -f UTF-16LE -t");
        refuse("a.csv", encoded(text, 2, false), "text in UTF-16BE");
        refuse("a.txt", encoded(text, 4, true), "text in UTF-32LE");
        refuse("a.jsonl", encoded(text, 4, false), "text in UTF-32BE");
    }
    // What is not certain is not named.
    const std::string unpaired = encoded(U"A fox.\n", 2, true) + std::string("\0\xDC", 2);
    for (const std::string& text :
         {std::string("A fox\0", 6), std::string("A fox\0.\n", 8), std::string("\0", 1),
          std::string(8, '\0'), encoded(U"A fox.", 2, true) + "x", unpaired,
          encoded(std::u32string(40, U'\u4E2D') + U"a\n", 2, true)}) {
        refuse("a.txt", text, "holds a zero byte at byte");
    }
    refuse("a.txt", std::string("a\r\nb\rA fox\0", 11), "zero byte at byte 10 (line 3)");
    for (const char* name : {"a.csv", "a.tsv", "a.jsonl"}) {
        refuse(name, std::string("text\na\0b\n", 9), "zero byte at byte 6 (line 2), as no text");
    }
}

TEST_CASE("foreign formats: JSON and markup that nobody has made stories of") {
    const std::string lines = "{\"text\":\"a\"}\r{\"text\":\"b\"}\r";
    CHECK(texts("a.NDJSON", lines) == Texts{"a", "b"});
    CHECK(texts("a.jsonl", lines) == Texts{"a", "b"});
    const std::string array = "[\n {\"text\": \"a\"},\n {\"text\": \"b\"}\n]\n";
    for (const char* name : {"a.json", "a.txt", "a"}) {
        refuse(name, lines, "holds JSON lines, an object on each: give it the ending .jsonl");
        refuse(name, " {\"text\":\"a\"}", "give it the ending .jsonl");
        refuse(name, "{\"a\":1}\n{\"a\":2}", "give it the ending .jsonl");
        refuse(name, array, "is a JSON document; what is read is JSON lines");
        refuse(name, "{\"data\":[]}", "is a JSON document");
    }
    refuse("a.json", array, "jq -c '.[]' OLD > NEW.jsonl");
    refuse("a.json", "A fox.", "is a JSON document");
    refuse("a.jsonl", array, "one JSON array and not an object on each line: jq -c");
    CHECK(texts("a.txt", "[He] goes.\n").size() == 1);
    CHECK(texts("a.txt", "{He} goes.\n{\"text\": \"a\"}\n").size() == 1);

    refuse("a.html", "\xEF\xBB\xBF\n<!DOCTYPE HTML>\n<p>A fox.", "is HTML: take its text out");
    refuse("a.txt", "<HTML lang=\"en\">A fox.", "is HTML");
    refuse("a.txt", "<?xml version=\"1.0\"?><p>A fox.</p>", "is XML");
    CHECK(texts("a.txt", "<p>A fox.</p>").size() == 1);
    // A marker says that this is what is to be learned.
    CHECK(texts("a.txt", "<html>A fox.</html>\n<|endoftext|>\n").size() == 1);
    CHECK(texts("a.txt", lines + "<|endoftext|>").size() == 1);
}
