// A table of first bytes comes first, then what has no such mark. UTF-16 and UTF-32 are known by
// their zeros. For text that is not UTF-8 it matters how much of it is valid.
// Read next: story_reader.cpp.
#include "models/text/foreign_format.h"

#include <algorithm>
#include <cstdint>

#include "core/check.h"
#include "core/utf8.h"
#include "models/text/line_ends.h"
#include "models/text/token_file.h"

namespace smoe {
namespace {

using namespace std::string_view_literals;

struct Signature {
    std::string_view bytes;
    size_t offset;
    const char* what;
    const char* advice;
    std::string_view end = "";  // that the file must also have
};

constexpr const char* save_as_text = "save it as plain text in UTF-8 first";
constexpr Signature signatures[] = {
    // UTF-32 comes before UTF-16, since its mark begins with that of UTF-16.
    {"\xFF\xFE\0\0"sv, 0, "text in UTF-32", "convert it first: iconv -f UTF-32 -t UTF-8 OLD > NEW"},
    {"\0\0\xFE\xFF"sv, 0, "text in UTF-32", "convert it first: iconv -f UTF-32 -t UTF-8 OLD > NEW"},
    {"\xFF\xFE"sv, 0, "text in UTF-16", "convert it first: iconv -f UTF-16 -t UTF-8 OLD > NEW"},
    {"\xFE\xFF"sv, 0, "text in UTF-16", "convert it first: iconv -f UTF-16 -t UTF-8 OLD > NEW"},
    {"\x1F\x8B"sv, 0, "compressed with gzip", "unpack it first: gzip -dk FILE"},
    {"1AY&SY"sv, 4, "compressed with bzip2", "unpack it first: bzip2 -dk FILE"},
    {"\xFD\x37zXZ\0"sv, 0, "compressed with xz", "unpack it first: xz -dk FILE"},
    {"\x28\xB5\x2F\xFD"sv, 0, "compressed with zstd", "unpack it first: zstd -dk FILE"},
    {"PK\3\4"sv, 0, "a ZIP archive, as .docx, .odt, .epub and .xlsx are",
     "unpack it first, or save the document as plain text"},
    {"PK\5\6"sv, 0, "a ZIP archive without files", "choose another file"},
    {"7z\xBC\xAF\x27\x1C"sv, 0, "a 7z archive", "unpack it first: 7z x FILE"},
    {"ustar"sv, 257, "a tar archive", "unpack it first: tar -xf FILE"},
    {"%PDF-"sv, 0, "a PDF document", "take its text out first: pdftotext FILE"},
    {"{\\rtf"sv, 0, "an RTF document", save_as_text},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, 0, "an old Office document", save_as_text},
    {token_file_magic, 0, "a token file of smoe tokenize", "give it the ending .tokens"},
    {"PAR1"sv, 0, "a Parquet table",
     "write it as JSON lines first: in Python, "
     "pandas.read_parquet(OLD).to_json(NEW, orient='records', lines=True)",
     "PAR1"sv}};

// Unit number i of `width` bytes.
uint32_t unit(std::string_view bytes, size_t i, size_t width, bool little_endian) {
    uint32_t value = 0;
    for (size_t k = 0; k < width; ++k) {
        value = value << 8 | uint8_t(bytes[i * width + (little_endian ? width - 1 - k : k)]);
    }
    return value;
}

// Is every unit a character? That needs a zero in each fourth byte, which no other text has.
bool is_utf32(std::string_view bytes, bool little_endian) {
    if (bytes.size() % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < bytes.size() / 4; ++i) {
        const uint32_t code = unit(bytes, i, 4, little_endian);
        if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
            return false;
        }
    }
    return true;
}

// Do surrogates come in pairs, is no unit 0, and is one in sixteen ASCII, as blanks are?
bool is_utf16(std::string_view bytes, bool little_endian) {
    const size_t size = bytes.size() / 2;
    size_t ascii = 0;
    bool pair_begun = false;
    for (size_t i = 0; i < size; ++i) {
        const uint32_t code = unit(bytes, i, 2, little_endian);
        const bool second = code >= 0xDC00 && code < 0xE000;
        if (code == 0 || second != pair_begun) {
            return false;
        }
        pair_begun = code >= 0xD800 && code < 0xDC00;
        ascii += code < 0x80;
    }
    return bytes.size() % 2 == 0 && !pair_begun && ascii >= 2 && 16 * ascii >= size;
}

// iconv's name for UTF-16 or UTF-32 without a mark; "" if it is neither.
std::string_view wide_encoding(std::string_view bytes) {
    return is_utf32(bytes, true)    ? "UTF-32LE"
           : is_utf32(bytes, false) ? "UTF-32BE"
           : is_utf16(bytes, true)  ? "UTF-16LE"
           : is_utf16(bytes, false) ? "UTF-16BE"
                                    : "";
}

// Are most of the characters beyond ASCII valid? If so, this is damaged UTF-8, and converting it
// from a different encoding would garble all of them without an error.
bool is_mostly_utf8(std::string_view bytes) {
    int64_t whole = 0, broken = 0;
    while (!bytes.empty()) {
        const size_t valid = valid_utf8_prefix(bytes);
        whole += std::count_if(bytes.begin(), bytes.begin() + ptrdiff_t(valid),
                               [](char byte) { return uint8_t(byte) >= 0xC0; });
        broken += valid < bytes.size();
        bytes.remove_prefix(std::min(valid + 1, bytes.size()));
        while (!bytes.empty() &&
               (uint8_t(bytes.front()) & 0xC0) == 0x80) {  // of the same character
            bytes.remove_prefix(1);
        }
    }
    return whole > broken;
}

bool starts_with_any_case(std::string_view text, std::string_view small) {
    return text.size() >= small.size() &&
           std::equal(small.begin(), small.end(), text.begin(), [](char a, char b) {
               return a == ('A' <= b && b <= 'Z' ? char(b - 'A' + 'a') : b);
           });
}

}  // namespace

void refuse_known_format(std::string_view beginning, std::string_view end,
                         const std::string& path) {
    for (const Signature& one : signatures) {
        check(beginning.size() < one.offset ||
                  !beginning.substr(one.offset).starts_with(one.bytes) || !end.ends_with(one.end),
              "'{}' is {}: {}", path, one.what, one.advice);
    }
}

size_t require_text(std::string_view bytes, const std::string& path, const TextPlace& place,
                    bool more) {
    const auto line_of = [&](size_t at) { return place.line - 1 + line_at(bytes, at); };
    const size_t zero = bytes.find('\0');
    if (zero < bytes.size()) {
        const std::string_view encoding = wide_encoding(bytes);
        check(encoding.empty(),
              "'{}' is text in {}: convert it first: iconv -f {} -t UTF-8 OLD > NEW", path,
              encoding, encoding);
        fail(
            "'{}' holds a zero byte at byte {} (line {}), as no text does; JSON lines may have "
            "one, "
            "written \\u0000",
            path, place.byte + int64_t(zero), line_of(zero));
    }
    const size_t valid = valid_utf8_prefix(bytes);
    if (valid < bytes.size() && !(more && complete_utf8_prefix(bytes) == valid)) {
        fail("'{}' is not valid UTF-8 at byte {} (line {}); {}", path, place.byte + int64_t(valid),
             line_of(valid),
             is_mostly_utf8(bytes)
                 ? "most of it is, so mend that place: converted as a whole it would be garbled"
                 : "if it is text, convert it from the encoding that it has: iconv -f ENCODING -t "
                   "UTF-8 OLD > NEW, where ENCODING is often WINDOWS-1252 for western Europe");
    }
    return valid;
}

void refuse_markup(std::string_view text, const std::string& path) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    const bool html =
        starts_with_any_case(text, "<!doctype html") || starts_with_any_case(text, "<html");
    check(!html && !text.starts_with("<?xml"),
          "'{}' is {}: take its text out first (pandoc -t plain FILE), or end it with a line "
          "<|endoftext|> to have it learned as it is",
          path, html ? "HTML" : "XML");
}

}  // namespace smoe
