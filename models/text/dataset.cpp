// Stories become sequences once, and sequences become batches at every step. A sequence is a place
// in a story. The inputs are the same numbers as the targets, behind a start token.
// Read next: models/training/trainer.cpp.
#include "models/text/dataset.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"
#include "core/format.h"
#include "core/hash.h"
#include "core/streams.h"

namespace smoe {
namespace {

constexpr int max_context = 1 << 20, max_batch = 1 << 20;
constexpr size_t separators_missing = 4;  // a single story of this many contexts

std::vector<int32_t> shuffled(int64_t count, Rng rng) {
    std::vector<int32_t> order(static_cast<size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    rng.shuffle(std::span<int32_t>(order));
    return order;
}

template <class T>
uint64_t hash_of(std::span<const T> values, uint64_t before) {
    return hash_bytes({reinterpret_cast<const char*>(values.data()), values.size_bytes()}, before);
}

}  // namespace

const EnumNames<LongStories>& enum_names(LongStories) {
    static const EnumNames<LongStories> names = {
        {LongStories::cut, "cut"}, {LongStories::split, "split"}, {LongStories::drop, "drop"}};
    return names;
}

Dataset::Dataset(std::span<const Story> stories, const Tokenizer& tokenizer,
                 const DatasetSettings& settings)
    : Dataset(TokenStories::encode(stories, tokenizer), tokenizer, settings) {}

Dataset::Dataset(TokenStories stories, const Tokenizer& tokenizer, const DatasetSettings& settings)
    : settings_(settings), end_of_text_(tokenizer.end_of_text()), stories_(std::move(stories)) {
    // The shortest story needs three tokens: start, one token, and the end, which is only
    // predicted.
    check(settings.context >= 3 && settings.context <= max_context,
          "dataset: the context must be from 3 to {} tokens, found {}", max_context,
          settings.context);
    check(settings.batch >= 1 && settings.batch <= max_batch,
          "dataset: a batch must have from 1 to {} stories, found {}", max_batch, settings.batch);
    for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
        token_bytes_.push_back(int32_t(tokenizer.token_bytes(id).size()));
    }
    require_separators();
    number_domains();
    for (int64_t story = 0; story < stories_.size(); ++story) {
        ++counts_.stories;
        counts_.bytes += stories_.bytes(story);
        if (is_kept(story)) {
            add_story(story);
        } else {
            ++(stories_.length(story) == 1 ? counts_.empty : counts_.dropped);
        }
    }
    check(size() > 0,
          "{}: none of the {} stories is left: {} are empty, {} are longer than the {} tokens that "
          "fit, which --long cut or --long split would use",
          settings.what, counts_.stories, counts_.empty, counts_.dropped, room() - 1);
    check(size() <= INT32_MAX, "{}: expected at most {} sequences, found {}", settings.what,
          INT32_MAX, size());
    hash_ = stories_.in_memory() ? sequence_hash() : story_hash();
}

void Dataset::require_separators() const {
    if (stories_.size() == 1 && settings_.long_stories != LongStories::split &&
        !settings_.held_out) {
        const size_t tokens = size_t(stories_.length(0)) - 1;
        check(tokens <= separators_missing * room(),
              "{}: it holds one story of {} tokens and only {} fit: separate stories with a line "
              "<|endoftext|>, or take it as continuous by --long split",
              settings_.what, tokens, room());
    }
}

bool Dataset::is_kept(int64_t story) const {
    const int64_t length = stories_.length(story);
    return length > 1 && (settings_.long_stories != LongStories::drop || size_t(length) <= room());
}

// Only domains that have sequences count.
void Dataset::number_domains() {
    domain_ranks_.assign(stories_.domain_names().size(), -1);
    for (int64_t story = 0; story < stories_.size(); ++story) {
        if (is_kept(story)) {
            domain_ranks_[size_t(stories_.domain(story))] = 0;
        }
    }
    for (size_t i = 0; i < domain_ranks_.size(); ++i) {
        if (domain_ranks_[i] == 0) {
            domain_ranks_[i] = int32_t(domains_.size());
            domains_.push_back(stories_.domain_names()[i]);
        }
    }
}

void Dataset::add_story(int64_t story) {
    const size_t length = size_t(stories_.length(story));
    const bool cut = settings_.long_stories == LongStories::cut && length > room();
    ++(length <= room() ? counts_.whole : counts_.shortened);
    size_t left = cut ? room() : length;
    Sequence next{.story = int32_t(story),
                  .begin = 0,
                  .length = 0,
                  .domain = domain_ranks_[size_t(stories_.domain(story))]};
    while (left > 0) {
        // A sequence with only an end would teach that stories may be empty, so it keeps a token.
        next.length = int32_t(left == room() + 1 ? room() - 1 : std::min(left, room()));
        sequences_.push_back(next);
        tokens_ += next.length;
        next.begin += next.length;
        left -= size_t(next.length);
    }
    if (!cut) {
        counts_.bytes_kept += stories_.bytes(story);
    } else if (stories_.in_memory()) {
        std::vector<int32_t> targets;
        read(sequences_.back(), targets);
        for (const int32_t target : targets) {
            counts_.bytes_kept += bytes_of(target);
        }
    } else {
        counts_.bytes_kept += stories_.bytes(story) * int64_t(room()) / int64_t(length - 1);
    }
}

void Dataset::read(const Sequence& sequence, std::vector<int32_t>& targets) const {
    const size_t before = targets.size();
    targets.resize(before + size_t(sequence.length));
    stories_.read(sequence.story, sequence.begin, std::span(targets).subspan(before));
}

int64_t Dataset::batches() const {
    return (size() + settings_.batch - 1) / settings_.batch;
}

int64_t Dataset::tokens() const {
    return settings_.pad ? size() * int64_t(room()) : tokens_;
}

int64_t Dataset::tokens_of(int64_t sequence) const {
    return settings_.pad ? int64_t(room()) : sequences_[size_t(sequence)].length;
}

uint64_t Dataset::sequence_hash() const {
    // It covers tokens and borders: a resumed run must find the same sequences at the same places.
    std::vector<int32_t> targets;
    int64_t border = 0;
    uint64_t of_borders = hash_of<int64_t>({&border, 1}, hash_of_nothing);
    uint64_t of_targets = hash_of_nothing;
    for (const Sequence& sequence : sequences_) {
        targets.clear();
        read(sequence, targets);
        of_targets = hash_of<int32_t>(targets, of_targets);
        border += sequence.length;
        of_borders = hash_of<int64_t>({&border, 1}, of_borders);
    }
    return of_targets ^ of_borders;
}

uint64_t Dataset::story_hash() const {
    uint64_t hash = 0;
    for (const Sequence& sequence : sequences_) {
        hash = mixed_bits(hash ^ stories_.hash(sequence.story));
        hash = mixed_bits(hash ^ (uint64_t(sequence.begin) << 32 | uint64_t(sequence.length)));
    }
    return hash;
}

std::string Dataset::hash_text() const {
    return fmt::format("{:016x}", hash_);
}

bool Dataset::has_hash(const std::string& text) const {
    return text == hash_text() ||
           text == fmt::format("{:016x}", stories_.in_memory() ? story_hash() : sequence_hash());
}

std::string Dataset::summary() const {
    const bool split = settings_.long_stories == LongStories::split;
    const bool about = !split && counts_.shortened > 0 && !stories_.in_memory();  // see Counts
    std::string fate = fmt::format("{} whole", format_count(counts_.whole));
    if (counts_.shortened > 0) {
        fate += fmt::format(", {} {} {} tokens", format_count(counts_.shortened),
                            split ? "split into sequences of" : "cut to", room());
    }
    if (counts_.dropped > 0) {
        fate += fmt::format(", {} dropped (longer than {} tokens)", format_count(counts_.dropped),
                            room() - 1);
    }
    if (counts_.empty > 0) {
        fate += fmt::format(", {} dropped (empty)", format_count(counts_.empty));
    }
    return fmt::format("{} stories, {}: {}; {} sequences, {} tokens, {}{:.1f} % of the text kept",
                       format_count(counts_.stories), format_bytes(counts_.bytes), fate,
                       format_count(size()), format_count(tokens()), about ? "about " : "",
                       100.0 * double(counts_.bytes_kept) / double(counts_.bytes));
}

std::vector<int64_t> Dataset::token_counts() const {
    std::vector<int64_t> counts(token_bytes_.size(), 0);
    std::vector<int32_t> targets;
    for (const Sequence& sequence : sequences_) {
        targets.clear();
        read(sequence, targets);
        for (const int32_t token : targets) {
            ++counts[size_t(token)];
        }
    }
    return counts;
}

Batch Dataset::batch(std::span<const int64_t> sequences) const {
    stories_.require_unchanged();
    Batch batch;
    std::vector<int32_t> inputs;
    std::vector<int64_t> offsets = {0};
    std::vector<std::string> domains;
    for (const int64_t sequence : sequences) {
        check(sequence >= 0 && sequence < size(), "dataset: no sequence {} among {}", sequence,
              size());
        const ptrdiff_t begin = ptrdiff_t(batch.targets.size());
        read(sequences_[size_t(sequence)], batch.targets);
        inputs.push_back(end_of_text_);
        inputs.insert(inputs.end(), batch.targets.begin() + begin, batch.targets.end());
        inputs.pop_back();
        offsets.push_back(offsets.back() + tokens_of(sequence));
        inputs.resize(size_t(offsets.back()), end_of_text_);
        batch.targets.resize(size_t(offsets.back()), end_of_text_);
        batch.stories.push_back(int32_t(sequence));
        domains.push_back(domains_[size_t(domain_of(sequence))]);
    }
    batch.inputs = Sequences(std::move(inputs), std::move(offsets), std::move(domains));
    return batch;
}

std::vector<std::vector<int64_t>> Dataset::evaluation_batches(int64_t max_tokens) const {
    // The seed is fixed, so that runs with different seeds are compared on the same text.
    std::vector<int32_t> chosen = shuffled(size(), stream(0, Stream::evaluation_order));
    size_t count = 0;
    int64_t tokens = 0;
    while (count < chosen.size()) {
        tokens += tokens_of(chosen[count]);
        if (max_tokens > 0 && tokens > max_tokens && count > 0) {
            break;
        }
        ++count;
    }
    chosen.resize(count);
    std::sort(chosen.begin(), chosen.end());
    std::vector<std::vector<int64_t>> batches;
    for (size_t begin = 0; begin < count; begin += size_t(settings_.batch)) {
        const size_t end = std::min(count, begin + size_t(settings_.batch));
        batches.emplace_back(chosen.begin() + ptrdiff_t(begin), chosen.begin() + ptrdiff_t(end));
    }
    return batches;
}

BatchStream::BatchStream(const Dataset& data) : data_(data) {
    shuffle();
}

void BatchStream::shuffle() {
    order_ = shuffled(data_.size(), stream(data_.settings().seed, Stream::order, position_.epoch));
}

std::vector<int64_t> BatchStream::next_sequences() {
    const size_t batch = size_t(data_.settings().batch), begin = size_t(position_.batch) * batch;
    const size_t count = std::min(batch, order_.size() - begin);
    const auto first = order_.begin() + ptrdiff_t(begin);
    std::vector<int64_t> result(first, first + ptrdiff_t(count));
    if (++position_.batch == batches_per_epoch()) {
        position_ = {position_.epoch + 1, 0};
        shuffle();
    }
    return result;
}

Batch BatchStream::next() {
    return data_.batch(next_sequences());
}

void BatchStream::check_position(const Position& position) const {
    check(position.batch < batches_per_epoch(),
          "{}: there is no batch {} in epochs of {}: the text or the batch size has changed",
          data_.settings().what, position.batch, batches_per_epoch());
}

void BatchStream::seek(const Position& position) {
    check_position(position);
    position_ = position;
    shuffle();
}

}  // namespace smoe
