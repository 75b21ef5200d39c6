// Stories become sequences once, and sequences become batches at every step. All sequences lie end
// to end in one list of targets. The inputs are the same numbers behind a start token.
// Read next: models/training/trainer.cpp.
#include "models/text/dataset.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/check.h"
#include "core/format.h"
#include "core/hash.h"
#include "core/streams.h"

namespace smoe {
namespace {

constexpr int max_context = 1 << 20, max_batch = 1 << 20;
constexpr size_t separators_missing = 4;  // a single story of this many contexts

std::vector<int64_t> shuffled(int64_t count, Rng rng) {
    std::vector<int64_t> order(static_cast<size_t>(count));
    std::iota(order.begin(), order.end(), int64_t(0));
    rng.shuffle(std::span<int64_t>(order));
    return order;
}

template <class T>
std::string_view bytes_in(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

const EnumNames<LongStories>& enum_names(LongStories) {
    static const EnumNames<LongStories> names = {
        {LongStories::cut, "cut"}, {LongStories::split, "split"}, {LongStories::drop, "drop"}};
    return names;
}

Dataset::Dataset(std::span<const Story> stories, const Tokenizer& tokenizer,
                 const DatasetSettings& settings)
    : settings_(settings), end_of_text_(tokenizer.end_of_text()) {
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

    std::vector<std::string_view> texts;
    for (const Story& story : stories) {
        texts.push_back(story.text);
    }
    const std::vector<std::vector<int32_t>> tokens = tokenizer.encode_all(texts);
    require_separators(tokens);

    std::map<std::string, int32_t> numbers;  // of the domains, in the order of their names
    for (size_t i = 0; i < stories.size(); ++i) {
        if (is_kept(tokens[i])) {
            numbers[stories[i].domain] = 0;
        }
    }
    for (auto& [name, number] : numbers) {
        number = int32_t(domains_.size());
        domains_.push_back(name);
    }
    for (size_t i = 0; i < stories.size(); ++i) {
        ++counts_.stories;
        counts_.bytes += int64_t(stories[i].text.size());
        if (is_kept(tokens[i])) {
            add_story(tokens[i], numbers[stories[i].domain]);
        } else {
            ++(tokens[i].empty() ? counts_.empty : counts_.dropped);
        }
    }
    check(size() > 0,
          "{}: none of the {} stories is left: {} are empty, {} are longer than the {} tokens that "
          "fit, which --long cut or --long split would use",
          settings.what, counts_.stories, counts_.empty, counts_.dropped, room() - 1);
    for (const int32_t target : targets_) {
        counts_.bytes_kept += bytes_of(target);
    }
    // It covers tokens and borders: a resumed run must find the same sequences at the same places.
    hash_ = hash_bytes(bytes_in(targets_)) ^ hash_bytes(bytes_in(offsets_));
}

void Dataset::require_separators(std::span<const std::vector<int32_t>> stories) const {
    if (stories.size() == 1 && settings_.long_stories != LongStories::split &&
        !settings_.held_out) {
        check(stories[0].size() <= separators_missing * room(),
              "{}: it holds one story of {} tokens and only {} fit: separate stories with a line "
              "<|endoftext|>, or take it as continuous by --long split",
              settings_.what, stories[0].size(), room());
    }
}

bool Dataset::is_kept(std::span<const int32_t> tokens) const {
    return !tokens.empty() &&
           (settings_.long_stories != LongStories::drop || tokens.size() < room());
}

void Dataset::add_story(std::span<const int32_t> tokens, int32_t domain) {
    std::vector<int32_t> targets(tokens.begin(), tokens.end());
    targets.push_back(end_of_text_);
    std::span<const int32_t> left = targets;
    ++(left.size() <= room() ? counts_.whole : counts_.shortened);
    if (settings_.long_stories == LongStories::cut) {
        left = left.first(std::min(left.size(), room()));
    }
    while (!left.empty()) {
        // A sequence with only an end would teach that stories may be empty, so it keeps a token.
        const size_t length =
            left.size() == room() + 1 ? room() - 1 : std::min(left.size(), room());
        targets_.insert(targets_.end(), left.begin(), left.begin() + ptrdiff_t(length));
        offsets_.push_back(int64_t(targets_.size()));
        domain_of_.push_back(domain);
        story_of_.push_back(counts_.stories - 1);
        left = left.subspan(length);
    }
}

int64_t Dataset::tokens() const {
    return settings_.pad ? size() * int64_t(room()) : int64_t(targets_.size());
}

int64_t Dataset::tokens_of(int64_t sequence) const {
    return settings_.pad ? int64_t(room())
                         : offsets_[size_t(sequence) + 1] - offsets_[size_t(sequence)];
}

std::string Dataset::summary() const {
    const bool split = settings_.long_stories == LongStories::split;
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
    return fmt::format("{} stories, {}: {}; {} sequences, {} tokens, {:.1f} % of the text kept",
                       format_count(counts_.stories), format_bytes(counts_.bytes), fate,
                       format_count(size()), format_count(tokens()),
                       100.0 * double(counts_.bytes_kept) / double(counts_.bytes));
}

std::vector<int64_t> Dataset::token_counts() const {
    std::vector<int64_t> counts(token_bytes_.size(), 0);
    for (const int32_t token : targets_) {
        ++counts[size_t(token)];
    }
    return counts;
}

Batch Dataset::batch(std::span<const int64_t> sequences) const {
    Batch batch;
    std::vector<int32_t> inputs;
    std::vector<int64_t> offsets = {0};
    std::vector<std::string> domains;
    for (const int64_t sequence : sequences) {
        check(sequence >= 0 && sequence < size(), "dataset: no sequence {} among {}", sequence,
              size());
        const auto begin = targets_.begin() + offsets_[size_t(sequence)];
        const auto end = targets_.begin() + offsets_[size_t(sequence) + 1];
        inputs.push_back(end_of_text_);
        inputs.insert(inputs.end(), begin, end - 1);
        batch.targets.insert(batch.targets.end(), begin, end);
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
    std::vector<int64_t> chosen = shuffled(size(), stream(0, Stream::evaluation_order));
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

uint64_t BatchStream::batches_per_epoch() const {
    const uint64_t batch = uint64_t(data_.settings().batch);
    return (uint64_t(data_.size()) + batch - 1) / batch;
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
