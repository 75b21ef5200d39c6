// Datasets tested by hand-counted examples (with 256 entries every token is one byte) and by laws
// that hold for any text: nothing lost, nothing twice, nothing invented.
// Read next: tests/models/training/trainer_test.cpp.
#include "models/text/dataset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/check.h"
#include "core/rng.h"
#include "core/threads.h"
#include "tests/error_of.h"

using namespace smoe;

namespace {

using Ids = std::vector<int32_t>;
using Offsets = std::vector<int64_t>;

Tokenizer byte_tokenizer() {
    const std::vector<std::string_view> none = {"a"};
    return Tokenizer::train(none, 256, PreTokenizer::none);
}

std::vector<Story> stories_of(const std::vector<std::string>& texts) {
    std::vector<Story> stories;
    for (const std::string& text : texts) {
        stories.push_back({text, "d"});
    }
    return stories;
}

// The tokens of `text`, where '.' stands for end of text.
Ids ids(const Tokenizer& tokenizer, const std::string& text) {
    Ids result;
    for (const char byte : text) {
        result.push_back(byte == '.' ? tokenizer.end_of_text()
                                     : tokenizer.encode(std::string(1, byte)).at(0));
    }
    return result;
}

std::vector<int64_t> all_of(const Dataset& data) {
    std::vector<int64_t> sequences;
    for (int64_t sequence = 0; sequence < data.size(); ++sequence) {
        sequences.push_back(sequence);
    }
    return sequences;
}

void check_layout(const Tokenizer& tokenizer, const Dataset& data, const std::string& inputs,
                  const std::string& targets, const Offsets& offsets) {
    const Batch batch = data.batch(all_of(data));
    CHECK(batch.inputs.tokens() == ids(tokenizer, inputs));
    CHECK(batch.targets == ids(tokenizer, targets));
    CHECK(batch.inputs.offsets() == offsets);
    CHECK(batch.size() == int64_t(targets.size()));
    CHECK(data.tokens() == int64_t(targets.size()));
    CHECK(data.size() == int64_t(offsets.size()) - 1);
}

// Random stories of 1 to `longest` letters in three domains.
std::vector<Story> random_stories(int count, uint64_t longest, uint64_t seed) {
    Rng rng(seed);
    std::vector<Story> stories;
    for (int i = 0; i < count; ++i) {
        Story story{"", std::string(1, char('x' + rng.below(3)))};
        for (uint64_t length = 1 + rng.below(longest); length > 0; --length) {
            story.text += char('a' + rng.below(3));
        }
        stories.push_back(story);
    }
    return stories;
}

std::string message_of(const std::vector<Story>& stories, const DatasetSettings& settings) {
    return error_of([&] { const Dataset data(stories, byte_tokenizer(), settings); });
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("dataset: layout of whole, cut, split and dropped stories") {
    const Tokenizer t = byte_tokenizer();
    const std::vector<Story> stories = stories_of({"ab", "cdefg", "hijk", "lmn", "opqrstuv"});
    DatasetSettings settings{.context = 5};  // 4 positions: 3 tokens and the end fit

    SUBCASE("cut") {
        const Dataset data(stories, t, settings);
        check_layout(t, data, ".ab.cde.hij.lmn.opq", "ab.cdefhijklmn.opqr", {0, 3, 7, 11, 15, 19});
        CHECK(data.counts().whole == 2);
        CHECK(data.counts().shortened == 3);
        CHECK(data.counts().bytes_kept == 17);
        CHECK(data.summary() ==
              "5 stories, 22 B: 2 whole, 3 cut to 4 tokens; "
              "5 sequences, 19 tokens, 77.3 % of the text kept");
    }
    SUBCASE("split, leaving the end a token for company") {
        settings.long_stories = LongStories::split;
        const Dataset data(stories, t, settings);
        // hijk would leave its end alone, and so would the second half of opqrstuv.
        check_layout(t, data, ".ab.cde.g.hi.k.lmn.opq.st.v", "ab.cdefg.hijk.lmn.opqrstuv.",
                     {0, 3, 7, 9, 12, 14, 18, 22, 25, 27});
        CHECK(data.counts().whole == 2);
        CHECK(data.counts().shortened == 3);
        CHECK(data.counts().bytes_kept == 22);
        CHECK(contains(data.summary(), "3 split into sequences of 4 tokens; 9 sequences"));
        CHECK(contains(data.summary(), "100.0 %"));
    }
    SUBCASE("drop") {
        settings.long_stories = LongStories::drop;
        const Dataset data(stories, t, settings);
        check_layout(t, data, ".ab.lmn", "ab.lmn.", {0, 3, 7});
        CHECK(data.counts().dropped == 3);
        CHECK(data.counts().bytes_kept == 5);
        CHECK(contains(data.summary(), "2 whole, 3 dropped (longer than 3 tokens)"));
    }
    SUBCASE("padding is input and target") {
        settings.pad = true;
        const Dataset data(stories, t, settings);
        check_layout(t, data, ".ab..cde.hij.lmn.opq", "ab..cdefhijklmn.opqr",
                     {0, 4, 8, 12, 16, 20});
        settings.context = 8;
        settings.long_stories = LongStories::drop;
        const Dataset wide(stories_of({"ab", "c"}), t, settings);
        check_layout(t, wide, ".ab.....c.....", "ab.....c......", {0, 7, 14});
        CHECK(wide.counts().bytes_kept == 3);
    }
    SUBCASE("the smallest context") {
        settings.context = 3;
        settings.long_stories = LongStories::split;
        const Dataset data(stories_of({"a", "bc", "def"}), t, settings);
        check_layout(t, data, ".a..c.d.f", "a.bc.def.", {0, 2, 3, 5, 7, 9});
    }
}

TEST_CASE("dataset: a batch holds what was asked for, in that order") {
    const Tokenizer t = byte_tokenizer();
    const Dataset data(stories_of({"a", "bc", "def"}), t, {.context = 9});
    const std::vector<int64_t> wanted = {2, 0, 2};
    const Batch batch = data.batch(wanted);
    CHECK(batch.inputs.tokens() == ids(t, ".def.a.def"));
    CHECK(batch.targets == ids(t, "def.a.def."));
    CHECK(batch.inputs.offsets() == Offsets{0, 4, 6, 10});
    CHECK(batch.stories == Ids{2, 0, 2});
    CHECK(data.batch({}).size() == 0);
    CHECK(data.batch({}).inputs.offsets() == Offsets{0});
    for (const int64_t bad : {int64_t(-1), int64_t(3), INT64_MAX}) {
        CHECK_THROWS_AS(data.batch(std::vector<int64_t>{bad}), Error);
    }
}

TEST_CASE("dataset: domains and bytes") {
    std::vector<std::string_view> texts = {"the cat the cat the cat the cat"};
    const Tokenizer t = Tokenizer::train(texts, 262, PreTokenizer::none);
    REQUIRE(t.vocab_size() > 257);
    const std::vector<Story> stories = {
        {"the cat", "zoo"},      {std::string(99, 'z'), "gone"}, {"", "empty"},
        {"the \xC3\xA4", "art"}, {"cat the cat t", "zoo"},       {"\xFF", "art"}};
    const Dataset data(stories, t, {.context = 20, .long_stories = LongStories::drop});
    CHECK(data.domains() == std::vector<std::string>{"art", "zoo"});
    REQUIRE(data.size() == 4);
    CHECK(data.counts().dropped == 1);
    CHECK(data.counts().empty == 1);
    CHECK(contains(data.summary(), "1 dropped (longer than 18 tokens), 1 dropped (empty)"));

    const size_t places[] = {0, 3, 4, 5};
    for (int64_t sequence = 0; sequence < data.size(); ++sequence) {
        const Batch batch = data.batch(std::vector<int64_t>{sequence});
        int64_t bytes = 0;
        for (const int32_t target : batch.targets) {
            bytes += data.bytes_of(target);
        }
        CHECK(bytes == int64_t(stories[places[sequence]].text.size()));
        CHECK(t.decode(batch.targets) == stories[places[sequence]].text);
        CHECK(data.domains()[size_t(data.domain_of(sequence))] == stories[places[sequence]].domain);
    }
    CHECK(data.counts().bytes_kept == 7 + 6 + 13 + 1);
    CHECK(data.counts().bytes == 7 + 6 + 13 + 1 + 99);
    CHECK(data.bytes_of(t.end_of_text()) == 0);
}

TEST_CASE("dataset: whatever the lengths, split loses nothing and cut keeps beginnings") {
    const Tokenizer t = byte_tokenizer();
    const std::vector<Story> stories = random_stories(200, 30, 5);
    for (int context = 3; context <= 14; ++context) {
        CAPTURE(context);
        const size_t room = size_t(context - 1);
        DatasetSettings settings{.context = context, .long_stories = LongStories::split};
        const Dataset split(stories, t, settings);
        settings.long_stories = LongStories::cut;
        const Dataset cut(stories, t, settings);
        settings.long_stories = LongStories::drop;
        std::string whole_text;  // of all pieces, with a '.' at each end of text
        for (const int64_t sequence : all_of(split)) {
            const Batch piece = split.batch(std::vector<int64_t>{sequence});
            REQUIRE(piece.targets.size() <= room);
            REQUIRE(piece.targets[0] != t.end_of_text());
            REQUIRE(std::vector(piece.inputs.tokens().begin() + 1, piece.inputs.tokens().end()) ==
                    std::vector(piece.targets.begin(), piece.targets.end() - 1));
            REQUIRE(piece.inputs.tokens()[0] == t.end_of_text());
            whole_text += t.decode(piece.targets);
            whole_text += piece.targets.back() == t.end_of_text() ? "." : "";
        }
        std::string expected;
        size_t fitting = 0;
        REQUIRE(cut.size() == int64_t(stories.size()));
        for (size_t i = 0; i < stories.size(); ++i) {
            const std::string& text = stories[i].text;
            expected += text + ".";
            fitting += text.size() < room;
            const Batch beginning = cut.batch(std::vector<int64_t>{int64_t(i)});
            REQUIRE(t.decode(beginning.targets) == text.substr(0, room));
            REQUIRE((beginning.targets.back() == t.end_of_text()) == (text.size() < room));
        }
        CHECK(whole_text == expected);
        CHECK(cut.counts().whole == int64_t(fitting));
        CHECK(Dataset(stories, t, settings).size() == int64_t(fitting));
    }
}

TEST_CASE("dataset: errors say what to do") {
    const std::string text(100, 'a');
    DatasetSettings settings{.context = 11, .what = "held-out text"};
    for (const LongStories choice : {LongStories::cut, LongStories::drop}) {
        settings.long_stories = choice;
        CHECK(contains(message_of(stories_of({text}), settings),
                       "held-out text: it holds one story of 100 tokens and only 10 fit:"));
    }
    // Up to four contexts, with company, or held out from a larger text, it may well be a story.
    settings.long_stories = LongStories::cut;
    settings.held_out = true;
    CHECK(message_of(stories_of({text}), settings) == "accepted");
    settings.held_out = false;
    CHECK(message_of(stories_of({text.substr(60)}), settings) == "accepted");
    CHECK(contains(message_of(stories_of({text.substr(59)}), settings), "one story of 41 tokens"));
    CHECK(message_of(stories_of({text, "a"}), settings) == "accepted");
    settings.long_stories = LongStories::split;
    CHECK(message_of(stories_of({text}), settings) == "accepted");

    settings.long_stories = LongStories::drop;
    CHECK(contains(message_of(stories_of({text, "", text}), settings),
                   "none of the 3 stories is left: 1 are empty, 2 are longer than the 9 tokens"));
    CHECK(contains(message_of({}, settings), "held-out text: none of the 0 stories"));
    CHECK(contains(message_of(stories_of({"", ""}), settings), "2 are empty"));

    for (const int context : {2, 0, -5, INT32_MAX, INT32_MIN}) {
        CHECK(contains(message_of(stories_of({"a"}), {.context = context}), "the context must be"));
    }
    for (const int batch : {0, -1, INT32_MAX}) {
        CHECK(contains(message_of(stories_of({"a"}), {.batch = batch}), "a batch must have"));
    }
}

TEST_CASE("dataset: evaluation takes the same even share each time") {
    const Tokenizer t = byte_tokenizer();
    std::vector<Story> stories;
    for (int i = 0; i < 300; ++i) {  // the domains stand one after the other, as in three files
        stories.push_back(
            {std::string(size_t(1 + i % 7), 'a'), std::string(1, char('x' + i / 100))});
    }
    const Dataset data(stories, t, {.context = 20, .batch = 7, .seed = 1});
    const auto all = data.evaluation_batches();
    std::vector<int64_t> seen;
    for (const auto& batch : all) {
        CHECK((batch.size() == 7 || &batch == &all.back()));
        seen.insert(seen.end(), batch.begin(), batch.end());
    }
    CHECK(seen == all_of(data));
    CHECK(data.evaluation_batches(data.tokens()) == all);

    const auto part = data.evaluation_batches(500);
    std::map<int, int> by_domain;
    int64_t tokens = 0;
    std::set<int64_t> once;
    for (const auto& batch : part) {
        for (const int64_t sequence : batch) {
            ++by_domain[data.domain_of(sequence)];
            once.insert(sequence);
        }
        tokens += data.batch(batch).size();
    }
    CHECK(tokens <= 500);
    CHECK(tokens > 500 - 8);
    CHECK(by_domain.size() == 3);
    for (const auto& [domain, count] : by_domain) {
        CHECK(count >= 20);
    }
    CHECK(int64_t(once.size()) == by_domain[0] + by_domain[1] + by_domain[2]);
    CHECK(Dataset(stories, t, {.context = 20, .batch = 7, .seed = 2}).evaluation_batches(500) ==
          part);
    REQUIRE(data.evaluation_batches(1).size() == 1);
    CHECK(data.evaluation_batches(1)[0].size() == 1);
    const Dataset padded(stories, t, {.context = 20, .pad = true, .batch = 7});
    size_t sequences = 0;
    for (const auto& batch : padded.evaluation_batches(500)) {
        sequences += batch.size();
    }
    CHECK(sequences == 500 / 19);
}

TEST_CASE(
    "batch stream: every sequence once an epoch, in an order of the seed's and the epoch's own") {
    const Tokenizer t = byte_tokenizer();
    const std::vector<Story> stories = random_stories(50, 10, 6);
    const Dataset data(stories, t, {.context = 9, .batch = 8, .seed = 3});
    BatchStream stream(data);
    CHECK(stream.batches_per_epoch() == 7);
    std::set<Ids> orders;
    for (uint64_t epoch = 0; epoch < 4; ++epoch) {
        Ids order;
        for (uint64_t batch = 0; batch < 7; ++batch) {
            CHECK(stream.position() == BatchStream::Position{epoch, batch});
            CHECK(stream.epoch() == epoch);
            const Batch next = stream.next();
            CHECK(next.stories.size() == (batch == 6 ? 2 : 8));
            const std::vector<int64_t> sequences(next.stories.begin(), next.stories.end());
            CHECK(next.targets == data.batch(sequences).targets);
            order.insert(order.end(), next.stories.begin(), next.stories.end());
        }
        orders.insert(order);
        std::sort(order.begin(), order.end());
        for (int32_t i = 0; i < 50; ++i) {
            REQUIRE(order[size_t(i)] == i);
        }
    }
    CHECK(orders.size() == 4);

    const Dataset other(stories, t, {.context = 9, .batch = 8, .seed = 4});
    CHECK(BatchStream(other).next().stories != BatchStream(data).next().stories);
    // The batch size cuts the order, it does not change it.
    const Dataset wide(stories, t, {.context = 9, .batch = 50, .seed = 3});
    CHECK(orders.count(BatchStream(wide).next().stories) == 1);
}

TEST_CASE("batch stream: seeking anywhere goes on as if it had never stopped") {
    const Tokenizer t = byte_tokenizer();
    const Dataset data(random_stories(23, 10, 7), t, {.context = 9, .batch = 5, .seed = 8});
    BatchStream stream(data);
    std::vector<BatchStream::Position> positions;
    std::vector<Batch> batches;
    for (int i = 0; i < 17; ++i) {
        positions.push_back(stream.position());
        batches.push_back(stream.next());
    }
    for (const size_t start : {size_t(16), size_t(0), size_t(4), size_t(5), size_t(11)}) {
        CAPTURE(start);
        BatchStream fresh(data);
        for (BatchStream* resumed : {&fresh, &stream}) {
            resumed->seek(positions[start]);
            for (size_t i = start; i < batches.size(); ++i) {
                CHECK(resumed->position() == positions[i]);
                const Batch batch = resumed->next();
                CHECK(batch.inputs.tokens() == batches[i].inputs.tokens());
                CHECK(batch.stories == batches[i].stories);
            }
        }
    }
    const BatchStream::Position before = stream.position();
    CHECK_THROWS_AS(stream.seek({0, 5}), Error);
    CHECK_THROWS_AS(stream.seek({1, UINT64_MAX}), Error);
    CHECK(stream.position() == before);
    stream.seek({4'000'000'000, 4});
    CHECK(stream.next().stories.size() == 3);
}

TEST_CASE("dataset: the hash tells texts apart, and threads do not matter") {
    const Tokenizer t = byte_tokenizer();
    const DatasetSettings settings{.context = 9};
    const std::vector<Story> stories = random_stories(40, 12, 9);
    const Dataset data(stories, t, settings);
    const int before = threads();
    set_threads(1);
    const Dataset alone(stories, t, settings);
    set_threads(3);
    const Dataset crowd(stories, t, settings);
    set_threads(before);
    CHECK(alone.hash() == data.hash());
    CHECK(crowd.hash() == data.hash());
    CHECK(crowd.batch(all_of(crowd)).targets == alone.batch(all_of(alone)).targets);

    std::set<uint64_t> hashes = {data.hash()};
    hashes.insert(Dataset(stories_of({"ab", "c"}), t, settings).hash());
    hashes.insert(Dataset(stories_of({"a", "bc"}), t, settings).hash());
    hashes.insert(Dataset(stories_of({"c", "ab"}), t, settings).hash());
    hashes.insert(Dataset(stories_of({"ab", "d"}), t, settings).hash());
    CHECK(hashes.size() == 5);
    CHECK(Dataset(stories, t, {.context = 9, .batch = 3, .seed = 5}).hash() == data.hash());
    // The same targets, but other sequences.
    const LongStories split = LongStories::split;
    CHECK(Dataset(stories_of({"abcdef"}), t, {.context = 5, .long_stories = split}).hash() !=
          Dataset(stories_of({"abcdef"}), t, {.context = 6, .long_stories = split}).hash());
}
