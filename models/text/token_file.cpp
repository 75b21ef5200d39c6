// Writing goes from the beginning to the end. Reading begins at the end: the footer says how large
// each column is, and their sum must be the size of the file.
// Read next: tests/models/text/token_file_test.cpp, which damages files in all ways.
#include "models/text/token_file.h"

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/threads.h"

namespace smoe {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");
static_assert(sizeof(TokenFooter) == 64);

using Json = nlohmann::json;

constexpr uint32_t format = 1;
constexpr size_t header_bytes = 16, alignment = 8;
constexpr size_t story_bytes = 24;  // of a story in the columns behind the tokens

struct Header {
    char magic[8];
    uint32_t format, width;
};
static_assert(sizeof(Header) == header_bytes);

template <class T>
std::string_view bytes_of(std::span<const T> values) {
    return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
    return bytes_of(std::span<const T>(values));
}

size_t padding(size_t bytes) {
    return (alignment - bytes % alignment) % alignment;
}

// Eight bytes at a time, since columns are large.
uint64_t hash_of_column(std::string_view bytes) {
    uint64_t hash = bytes.size(), word = 0;
    for (size_t at = 0; at < bytes.size(); at += sizeof word) {
        word = 0;
        std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
        hash = mixed_bits(hash ^ word);
    }
    return hash;
}

// Of the columns behind the tokens, each by itself, so that all threads help.
uint64_t hash_of_columns(const std::vector<std::string_view>& columns) {
    std::vector<uint64_t> hashes(columns.size());
    parallel_chunks(int64_t(columns.size()), [&](int64_t column) {
        hashes[size_t(column)] = hash_of_column(columns[size_t(column)]);
    });
    uint64_t hash = 0;
    for (const uint64_t of_column : hashes) {
        hash = mixed_bits(hash ^ of_column);
    }
    return hash;
}

// Takes one column after the other from the bytes of a file, all of which are there.
class Columns {
  public:
    explicit Columns(std::string_view bytes) : rest_(bytes) {}

    std::string_view take(size_t bytes) {
        const std::string_view column = rest_.substr(0, bytes);
        rest_.remove_prefix(bytes);
        return column;
    }
    template <class T>
    std::span<const T> take_numbers(size_t count) {
        return {reinterpret_cast<const T*>(take(count * sizeof(T)).data()), count};
    }

  private:
    std::string_view rest_;
};

std::vector<std::string> names_from_json(std::string_view json, const std::string& path) {
    constexpr int max_depth = 2;
    const Json names = parse_json_or_null<Json>(json, max_depth);
    check(names.is_array(), "'{}' is damaged: its list of domains is none", path);
    std::vector<std::string> result;
    for (const Json& name : names) {
        check(name.is_string(), "'{}' is damaged: its list of domains holds something else", path);
        result.push_back(name.get<std::string>());
    }
    return result;
}

}  // namespace

TokenFooter write_token_file(const std::string& path, const Tokenizer& tokenizer,
                             const std::function<bool(std::vector<Story>&)>& next) {
    TokenFooter footer;
    write_file(path, [&](const Append& append) {
        const bool narrow = fits_16_bits(tokenizer.vocab_size());
        Header header{{}, format, narrow ? 2U : 4U};
        token_file_magic.copy(header.magic, sizeof header.magic);
        append({reinterpret_cast<const char*>(&header), sizeof header});

        TokenColumns columns(tokenizer);
        std::vector<Story> stories;
        for (bool more = true; more; stories.clear()) {
            more = next(stories);
            columns.add(stories, tokenizer);
            append(narrow ? bytes_of(columns.narrow) : bytes_of(columns.wide));
            columns.narrow.clear();
            columns.wide.clear();
        }
        check(!columns.hashes.empty(), "'{}' would hold no story", path);
        footer.vocab_size = uint64_t(tokenizer.vocab_size());
        footer.stories = columns.hashes.size();
        footer.tokens = columns.offsets.back();
        append(std::string(padding(footer.tokens * header.width), '\0'));

        const std::string names = Json(columns.domain_names).dump();
        const std::string json = tokenizer.to_json();
        const std::vector<std::string_view> rest = {
            bytes_of(columns.offsets), bytes_of(columns.hashes), bytes_of(columns.bytes),
            bytes_of(columns.domains), names};
        for (const std::string_view column : rest) {
            append(column);
        }
        append(json);
        footer.names_bytes = names.size();
        footer.tokenizer_bytes = json.size();
        footer.tokenizer_hash = tokenizer.hash();
        footer.stories_hash = hash_of_columns(rest);
        token_file_magic.copy(footer.magic, sizeof footer.magic);
        append({reinterpret_cast<const char*>(&footer), sizeof footer});
    });
    return footer;
}

bool is_token_file(const std::string& path) {
    char magic[token_file_magic.size()] = {};
    InputFile file(path);
    return file.read(magic) == sizeof magic &&
           std::string_view(magic, sizeof magic) == token_file_magic;
}

TokenFile::TokenFile(const std::string& path) {
    map(path);
    check_columns();
}

TokenFile::TokenFile(std::string_view bytes, const std::string& origin) {
    part_.origin = origin;
    parse(bytes);
    check_columns();
}

Tokenizer TokenFile::tokenizer_in(const std::string& path) {
    TokenFile file;
    file.map(path);
    return file.tokenizer();
}

void TokenFile::map(const std::string& path) {
    const auto file = std::make_shared<const MappedFile>(path);
    part_.origin = path;
    part_.file = file;
    parse(file->bytes());
}

void TokenFile::parse(std::string_view bytes) {
    const std::string& path = part_.origin;
    check(bytes.starts_with(token_file_magic), "'{}' is no token file: smoe tokenize makes them",
          path);
    Header header = {};
    std::memcpy(&header, bytes.data(), std::min(bytes.size(), sizeof header));
    check(bytes.size() < sizeof header || header.format == format,
          "'{}' is a token file of format {}, and this program reads format {}: make it anew with "
          "smoe tokenize",
          path, header.format, format);
    if (bytes.size() >= sizeof header + sizeof footer_) {
        std::memcpy(&footer_, bytes.data() + bytes.size() - sizeof footer_, sizeof footer_);
    }
    check(std::string_view(footer_.magic, sizeof footer_.magic) == token_file_magic,
          "'{}' is cut short: make it anew with smoe tokenize", path);

    // Each size is compared with that of the file first, so that no sum of them overflows.
    const uint64_t vocab_size = footer_.vocab_size, stories = footer_.stories,
                   tokens = footer_.tokens, names_bytes = footer_.names_bytes,
                   tokenizer_bytes = footer_.tokenizer_bytes;
    const uint32_t width = fits_16_bits(int64_t(std::min<uint64_t>(vocab_size, INT32_MAX))) ? 2 : 4;
    const bool possible = header.width == width && vocab_size >= 1 &&
                          vocab_size <= uint64_t(Tokenizer::max_entries) + 1 && stories >= 1 &&
                          stories <= INT32_MAX && stories <= bytes.size() / story_bytes &&
                          tokens <= bytes.size() / width && names_bytes <= bytes.size() &&
                          tokenizer_bytes <= bytes.size();
    check(possible && sizeof header + tokens * width + padding(tokens * width) +
                              (stories + 1) * sizeof(uint64_t) + stories * (story_bytes - 8) +
                              names_bytes + tokenizer_bytes + sizeof footer_ ==
                          bytes.size(),
          "'{}' is damaged: its size is not the one that its footer tells; make it anew with smoe "
          "tokenize",
          path);

    Columns columns(bytes.substr(sizeof header));
    if (width == 2) {
        part_.narrow = columns.take_numbers<uint16_t>(tokens);
    } else {
        part_.wide = columns.take_numbers<uint32_t>(tokens);
    }
    columns.take(padding(tokens * width));
    part_.offsets = columns.take_numbers<uint64_t>(stories + 1);
    part_.hashes = columns.take_numbers<uint64_t>(stories);
    part_.bytes = columns.take_numbers<uint32_t>(stories);
    part_.domains = columns.take_numbers<uint32_t>(stories);
    names_json_ = columns.take(names_bytes);
    tokenizer_json_ = columns.take(tokenizer_bytes);
    part_.domain_names = names_from_json(names_json_, path);
    part_.end_of_text = int32_t(vocab_size) - 1;
}

void TokenFile::check_columns() const {
    const std::string& path = part_.origin;
    bool rises = part_.offsets.front() == 0 && part_.offsets.back() == footer_.tokens;
    for (size_t story = 0; story < footer_.stories; ++story) {
        rises = rises && part_.offsets[story] < part_.offsets[story + 1] &&
                part_.offsets[story + 1] - part_.offsets[story] <= INT32_MAX;
    }
    check(rises, "'{}' is damaged: its stories do not follow one another", path);
    const size_t domains = part_.domain_names.size();
    check(std::ranges::all_of(part_.domains, [&](uint32_t domain) { return domain < domains; }),
          "'{}' is damaged: it names a domain that it does not have", path);
    check(hash_of_columns({bytes_of(part_.offsets), bytes_of(part_.hashes), bytes_of(part_.bytes),
                           bytes_of(part_.domains), names_json_}) == footer_.stories_hash,
          "'{}' is damaged: its hash is not that of its stories", path);
}

Tokenizer TokenFile::tokenizer() const {
    const std::string name = "the tokenizer in " + part_.origin;
    Tokenizer tokenizer = Tokenizer::from_json(tokenizer_json_, name);
    check(tokenizer.hash() == footer_.tokenizer_hash && tokenizer.vocab_size() == vocab_size(),
          "'{}' is damaged: its tokenizer is not the one that made it", part_.origin);
    return tokenizer;
}

}  // namespace smoe
