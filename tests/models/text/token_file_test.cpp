// Token files: what is written is read again, a file that is damaged or of another kind is an Error,
// and a data set of one is the data set of its text.
// Read next: tests/examples/tokenize_test.cpp, training from one.
#include "models/text/token_file.h"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/rng.h"
#include "models/text/story_reader.h"
#include "models/text/story_split.h"
#include "tests/error_of.h"
#include "tests/models/small_run.h"

using namespace smoe;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

void write(const std::string& path, const Tokenizer& tokenizer, const std::vector<Story>& stories) {
    size_t at = 0;
    write_token_file(path, tokenizer, [&](std::vector<Story>& some) {
        for (size_t end = std::min(stories.size(), at + 7); at < end; ++at) {
            some.push_back(stories[at]);
        }
        return at < stories.size();
    });
}

// Bytes in memory as a token file wants them, at a multiple of 8.
class Aligned {
  public:
    explicit Aligned(const std::string& bytes) : words_(bytes.size() / 8 + 1), size_(bytes.size()) {
        std::memcpy(words_.data(), bytes.data(), bytes.size());
    }
    std::string_view bytes() const { return {reinterpret_cast<const char*>(words_.data()), size_}; }

  private:
    std::vector<uint64_t> words_;
    size_t size_;
};

// Looks at everything in the file. Returns its complaint.
std::string complaint(const std::string& bytes) {
    const Aligned aligned(bytes);
    return error_of([&] {
        const TokenFile file(aligned.bytes(), "x.tokens");
        const Tokenizer tokenizer = file.tokenizer();
        const TokenStories stories({file.part()});
        for (int64_t i = 0; i < stories.size(); ++i) {
            std::vector<int32_t> tokens(static_cast<size_t>(stories.length(i)));
            stories.read(i, 0, tokens);
            tokenizer.decode(tokens);
        }
    });
}

template <class T>
std::string with(std::string bytes, size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
    return bytes;
}

std::vector<Story> some_stories() {
    std::vector<Story> stories = small_stories(40);
    stories[3].domain = "\"odd\n\u00E4\"";
    stories[5].text = stories[2].text;  // a copy
    stories[6] = {"short", "english"};
    return stories;
}

struct Fixture {
    Fixture() : folder("token-file"), path(folder.path + "/a.tokens") {
        write(path, tokenizer, stories);
    }
    std::vector<Story> stories = some_stories();
    Tokenizer tokenizer = small_tokenizer(stories);
    TemporaryFolder folder;
    std::string path;
};

// Where the columns of the fixture's file begin.
struct Layout {
    explicit Layout(const std::string& bytes) {
        std::memcpy(&footer, bytes.data() + bytes.size() - sizeof footer, sizeof footer);
        offsets = 16 + (footer.tokens * 2 + 7) / 8 * 8;
        domains = offsets + 8 * (footer.stories + 1) + 12 * footer.stories;
        names = domains + 4 * footer.stories;
        tokenizer = names + footer.names_bytes;
        footer_at = bytes.size() - sizeof footer;
    }
    TokenFooter footer;
    size_t offsets, domains, names, tokenizer, footer_at;
};

}  // namespace

TEST_CASE("token file: what was written is read, whoever asks first") {
    const Fixture f;
    CHECK(is_token_file(f.path));
    const TokenFile file(f.path);
    CHECK(file.tokenizer().to_json() == f.tokenizer.to_json());
    CHECK(file.tokenizer_hash() == f.tokenizer.hash());
    const TokenStories read({file.part()}), made = TokenStories::encode(f.stories, f.tokenizer);
    REQUIRE(read.size() == 40);
    CHECK(!read.in_memory());
    CHECK(made.in_memory());
    CHECK(read.domain_names() == made.domain_names());
    for (int64_t i = 0; i < read.size(); ++i) {
        std::vector<int32_t> tokens(static_cast<size_t>(read.length(i)));
        read.read(i, 0, tokens);
        CHECK(f.tokenizer.decode(tokens) == f.stories[size_t(i)].text);
        CHECK(tokens.back() == f.tokenizer.end_of_text());
        CHECK(read.length(i) == made.length(i));
        CHECK(read.hash(i) == made.hash(i));
        CHECK(read.hash(i) == text_hash(f.stories[size_t(i)].text));
        CHECK(read.bytes(i) == int64_t(f.stories[size_t(i)].text.size()));
        CHECK(read.domain_names()[size_t(read.domain(i))] == f.stories[size_t(i)].domain);
        std::vector<int32_t> middle(2);
        read.read(i, 1, middle);
        CHECK(middle[1] == tokens[2]);
    }
    const TokenStories some = read.chosen({30, 2, 9}).chosen({2, 0});
    CHECK(some.size() == 2);
    CHECK(some.hash(0) == read.hash(9));
    CHECK(some.hash(1) == read.hash(30));

    // The same stories give the same file, in pieces or not.
    write_token_file(f.folder.path + "/b.tokens", f.tokenizer, [&](std::vector<Story>& all) {
        all = f.stories;
        return false;
    });
    CHECK(read_file(f.folder.path + "/b.tokens") == read_file(f.path));
    const std::string none = f.folder.path + "/none.tokens";
    CHECK(contains(error_of([&] { write(none, f.tokenizer, {}); }), "would hold no story"));
    CHECK(!file_exists(none));
}

TEST_CASE("token file: a large vocabulary takes 32 bits a token") {
    auto json = nlohmann::json::parse(small_tokenizer({{"a", ""}}).to_json());
    auto& model = json["model"];
    const std::map<std::string, int> letters = model["vocab"];
    int next = 256;
    for (const auto& [left, left_id] : letters) {
        for (const auto& [right, right_id] : letters) {
            if (left_id < 256 && right_id < 256 && left.size() <= 2 && right.size() <= 2) {
                model["vocab"][left + right] = next++;
                model["merges"].push_back({left, right});
            }
        }
    }
    REQUIRE(next > 65536);
    for (auto& added : json["added_tokens"]) {
        added["id"] = next;
    }
    model["vocab"].erase("<|endoftext|>");
    const std::string text = json.dump();
    CAPTURE(text.substr(0, 500));
    const Tokenizer tokenizer = Tokenizer::from_json(text, "large");
    REQUIRE(tokenizer.vocab_size() > 65536);
    const std::vector<Story> stories = {{"ab\xC3\xA4xyz", "d"}, {"zz", "d"}};
    const TemporaryFolder folder("wide-tokens");
    write(folder.path + "/a.tokens", tokenizer, stories);
    const TokenFile file(folder.path + "/a.tokens");
    CHECK(file.part().narrow.empty());
    const TokenStories read({file.part()});
    std::vector<int32_t> tokens(static_cast<size_t>(read.length(0)));
    read.read(0, 0, tokens);
    CHECK(tokenizer.decode(tokens) == stories[0].text);
    CHECK(tokens.back() == tokenizer.end_of_text());
}

TEST_CASE("token file: cut short anywhere, it is refused") {
    const Fixture f;
    const std::string bytes = read_file(f.path);
    CHECK(complaint(bytes) == "accepted");
    for (size_t size = 0; size < bytes.size();
         size += size < 200 || size + 200 > bytes.size() ? 1 : 37) {
        CAPTURE(size);
        const std::string message = complaint(bytes.substr(0, size));
        CHECK(contains(message, size < 8 ? "is no token file" : "is cut short"));
    }
    CHECK(contains(complaint(bytes + "x"), "'x.tokens' is cut short"));
    CHECK(contains(complaint(bytes.substr(0, 100) + bytes.substr(108)), "its size is not the one"));
    CHECK(contains(complaint("A fox.\n"), "is no token file: smoe tokenize makes them"));
}

TEST_CASE("token file: a byte that is wrong is noticed or harmless") {
    const Fixture f;
    const std::string bytes = read_file(f.path);
    const Layout layout(bytes);
    Rng rng(8);
    for (size_t at = 0; at < bytes.size(); at += at < 16 || at >= layout.footer_at ? 1 : 13) {
        CAPTURE(at);
        const std::string message =
            complaint(with(bytes, at, char(bytes[at] ^ char(1 + rng.below(255)))));
        const bool token = at >= 16 && at < layout.offsets;  // no checksum
        const bool json = at >= layout.tokenizer && at < layout.footer_at;
        CHECK((message != "accepted" || token || json));
        CHECK((contains(message, "x.tokens") || token || json));
    }
}

TEST_CASE("token file: what does not fit together is told") {
    const Fixture f;
    const std::string bytes = read_file(f.path);
    const Layout layout(bytes);
    const auto footer = [&](size_t field, uint64_t value) {
        return complaint(with(bytes, layout.footer_at + 8 * field, value));
    };
    CHECK(contains(complaint(with(bytes, 8, uint32_t(2))),
                   "'x.tokens' is a token file of format 2, and this program reads format 1"));
    for (size_t field = 0; field < 5; ++field) {  // vocabulary, stories, tokens, names, tokenizer
        for (const uint64_t value :
             {uint64_t(0), uint64_t(1) << 32, uint64_t(1) << 60, uint64_t(1) << 61,
              uint64_t(1) << 63, UINT64_MAX, UINT64_MAX / 2, UINT64_MAX / 8 + 1}) {
            CAPTURE(field);
            CAPTURE(value);
            CHECK(contains(footer(field, value), "its size is not the one that its footer tells"));
        }
    }
    CHECK(contains(footer(0, 299), "its tokenizer is not the one that made it"));
    CHECK(contains(footer(5, 1), "its tokenizer is not the one that made it"));
    CHECK(contains(footer(6, 1), "its hash is not that of its stories"));
    CHECK(contains(complaint(with(bytes, 12, uint32_t(4))), "its size is not the one"));

    for (const uint64_t value : {uint64_t(0), layout.footer.tokens, UINT64_MAX}) {
        CHECK(contains(complaint(with(bytes, layout.offsets + 8 * 2, value)),
                       "its stories do not follow one another"));
    }
    CHECK(contains(complaint(with(bytes, layout.offsets, uint64_t(1))), "do not follow"));
    CHECK(contains(complaint(with(bytes, layout.domains, uint32_t(99))), "it names a domain"));
    CHECK(contains(complaint(with(bytes, layout.names, 'x')), "its list of domains is none"));
    CHECK(contains(complaint(with(bytes, layout.offsets + 8 * 41, ~uint64_t(5))), "its hash is"));

    CHECK(contains(complaint(with(bytes, 16, uint16_t(60000))),
                   "its story 0 holds the token 60000 where ids go from 0 to 298"));
    CHECK(contains(complaint(with(bytes, 16, uint16_t(299))), "its story 0 holds the token 299"));
    CHECK(contains(complaint(with(bytes, 16 + 2 * (layout.footer.tokens - 1), uint16_t(7))),
                   "its story 39 ends with the token 7 and not with the end of text"));
}

TEST_CASE("token file: a data set of it is the data set of its text") {
    const Fixture f;
    const std::string second = f.folder.path + "/b.TOKENS";
    const std::vector<Story> more = {{"A fox.", "german"}, {"A hen.", "zoo"}, {"A dog.", "ark"}};
    write(second, f.tokenizer, more);
    std::vector<Story> all = f.stories;
    all.insert(all.end(), more.begin(), more.end());
    const StoryList tokens = read_list({f.path, second}), texts = all;
    REQUIRE(tokens.size() == 43);
    CHECK(tokens.domain_names() == texts.domain_names());
    const std::string hash_of_others = Dataset(read_list({second}).encoded(f.tokenizer),
                                               f.tokenizer, {.context = 30, .held_out = true})
                                           .hash_text();
    for (const LongStories treatment : {LongStories::cut, LongStories::split, LongStories::drop}) {
        for (const bool pad : {false, true}) {
            for (const double share : {0.0, 0.1, 0.5}) {
                const DatasetSettings settings{.context = treatment == LongStories::drop ? 400 : 30,
                                               .long_stories = treatment,
                                               .pad = pad,
                                               .held_out = true,
                                               .batch = 5,
                                               .seed = 3};
                const StorySplit a = split_stories(texts, share), b = split_stories(tokens, share);
                for (const auto part : {&StorySplit::train, &StorySplit::valid}) {
                    REQUIRE((a.*part).size() == (b.*part).size());
                    if ((a.*part).empty()) {
                        continue;
                    }
                    const Dataset x((a.*part).encoded(f.tokenizer), f.tokenizer, settings);
                    const Dataset y((b.*part).encoded(f.tokenizer), f.tokenizer, settings);
                    REQUIRE(x.size() == y.size());
                    CHECK(x.domains() == y.domains());
                    CHECK(x.tokens() == y.tokens());
                    CHECK(x.counts().bytes == y.counts().bytes);
                    CHECK(x.counts().dropped == y.counts().dropped);
                    CHECK(x.token_counts() == y.token_counts());
                    CHECK(x.evaluation_batches(200) == y.evaluation_batches(200));
                    BatchStream of_x(x), of_y(y);
                    for (int batch = 0; batch < 20; ++batch) {
                        const Batch p = of_x.next(), q = of_y.next();
                        CHECK(p.stories == q.stories);
                        CHECK(p.targets == q.targets);
                        CHECK(p.inputs.tokens() == q.inputs.tokens());
                        CHECK(p.inputs.offsets() == q.inputs.offsets());
                        CHECK(p.inputs.domains() == q.inputs.domains());
                    }
                    for (int64_t sequence = 0; sequence < x.size(); ++sequence) {
                        CHECK(x.story_of(sequence) == y.story_of(sequence));
                    }
                    CHECK(x.sequence_hash() == y.sequence_hash());
                    CHECK(x.story_hash() == y.story_hash());
                    CHECK(x.hash() != y.hash());
                    CHECK(x.has_hash(y.hash_text()));
                    CHECK(y.has_hash(x.hash_text()));
                    CHECK(!x.has_hash(hash_of_others));
                    CHECK(!y.has_hash(hash_of_others));
                }
                CHECK(count_known(a) == 0);
                CHECK(count_known(b) == 0);
            }
        }
    }
    CHECK(count_known({texts, tokens}) == 43);
    CHECK(count_known({tokens, StoryList(more)}) == 3);
}

TEST_CASE("token file: lists of files") {
    const Fixture f;
    write_file(f.folder.path + "/a.txt", "A fox.\n");
    const std::string mixed = error_of([&] { read_list({f.path, f.folder.path + "/a.txt"}); });
    CHECK(contains(mixed, "a.txt' is text and '"));
    CHECK(read_list({f.folder.path + "/a.txt"}).texts().size() == 1);
    CHECK(read_list({}).empty());
    CHECK(!tokenizer_in({f.folder.path + "/a.txt"}));
    CHECK(tokenizer_in({f.folder.path + "/a.txt", f.path})->hash() == f.tokenizer.hash());
    const std::vector<Story> other = {{"another text", ""}};
    CHECK(contains(error_of([&] { read_list({f.path}).encoded(small_tokenizer(other)); }),
                   "a.tokens' was made with another tokenizer (hash "));
    // Under a different name it is not taken for text, nor for tokens under theirs if it is text.
    std::filesystem::rename(f.path, f.folder.path + "/a.bin");
    CHECK(contains(error_of([&] { read_list({f.folder.path + "/a.bin"}); }),
                   "is a token file of smoe tokenize: give it the ending .tokens"));
    write_file(f.path, "A fox.\n");
    CHECK(contains(error_of([&] { read_list({f.path}); }), "is no token file"));
    CHECK(contains(error_of([&] { read_stories(f.path); }), "holds tokens and not text"));
}

TEST_CASE(
    "token file: one that is written to in training is noticed, one that is replaced is kept") {
    const Fixture f;
    const auto data_of = [&] {
        return Dataset(read_list({f.path}).encoded(f.tokenizer), f.tokenizer, {.context = 30});
    };
    const std::vector<int64_t> first = {0, 1};
    const Dataset data = data_of();
    const Batch before = data.batch(first);
    write(f.path, f.tokenizer, {{"Something else.", "x"}});
    CHECK(data.batch(first).targets == before.targets);

    const Dataset written = data_of();
    std::filesystem::resize_file(f.path, 20);
    CHECK(contains(error_of([&] { written.batch(std::vector<int64_t>{0}); }),
                   "a.tokens' was written to while it was being read"));
    write(f.path, f.tokenizer, f.stories);
    const std::string bytes = read_file(f.path);
    std::ofstream(f.path, std::ios::binary) << with(bytes, 16, uint16_t(60000));
    const Dataset damaged = data_of();
    CHECK(contains(error_of([&] { damaged.batch(first); }), "a.tokens' is damaged: its story 0"));
    CHECK(damaged.batch(std::vector<int64_t>{1}).size() > 0);
}
