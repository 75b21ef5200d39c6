// StoryList: one of its two halves is empty.
// Read next: story_split.cpp.
#include "models/text/story_list.h"

#include <algorithm>

#include "core/check.h"
#include "core/file.h"
#include "core/threads.h"
#include "models/text/story_reader.h"

namespace smoe {
namespace {

bool is_token_file_name(const std::string& path) {
    return lower_case_ending(path) == token_file_ending;
}

}  // namespace

StoryList::StoryList(std::vector<Story> texts) : texts_(std::move(texts)) {
    for (const Story& story : texts_) {
        if (domain_names_.empty() || domain_names_.back() != story.domain) {
            domain_names_.push_back(story.domain);
        }
    }
    std::ranges::sort(domain_names_);
    domain_names_.erase(std::unique(domain_names_.begin(), domain_names_.end()),
                        domain_names_.end());
}

StoryList::StoryList(const std::vector<TokenFile>& files) {
    std::vector<TokenPart> parts;
    for (const TokenFile& file : files) {
        files_.push_back({file.part().origin, file.tokenizer_hash(), file.vocab_size()});
        parts.push_back(file.part());
    }
    tokens_ = TokenStories(std::move(parts));
    domain_names_ = tokens_.domain_names();
}

std::vector<StoryKey> StoryList::keys() const {
    std::vector<StoryKey> keys(static_cast<size_t>(size()));
    constexpr int64_t grain = 1024;
    parallel_for(size(), grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            StoryKey& key = keys[size_t(i)];
            if (texts_.empty()) {
                key = {tokens_.hash(i), uint32_t(tokens_.bytes(i)), tokens_.domain(i)};
                continue;
            }
            const Story& story = texts_[size_t(i)];
            const auto domain = std::ranges::lower_bound(domain_names_, story.domain);
            key = {text_hash(story.text), uint32_t(story.text.size()),
                   int32_t(domain - domain_names_.begin())};
        }
    });
    return keys;
}

TokenStories StoryList::encoded(const Tokenizer& tokenizer) const {
    const uint64_t hash = files_.empty() ? 0 : tokenizer.hash();
    for (const Origin& file : files_) {
        check(file.tokenizer_hash == hash && file.vocab_size == tokenizer.vocab_size(),
              "'{}' was made with another tokenizer (hash {:016x}, {} tokens) than the one in use "
              "({:016x}, {}): make it anew with smoe tokenize and the tokenizer.json in use",
              file.path, file.tokenizer_hash, file.vocab_size, hash, tokenizer.vocab_size());
    }
    return files_.empty() ? TokenStories::encode(texts_, tokenizer) : tokens_;
}

std::pair<StoryList, StoryList> StoryList::divided(StoryList all, const std::vector<bool>& second) {
    std::vector<Story> texts[2];
    std::vector<int32_t> numbers[2];
    for (size_t i = 0; i < second.size(); ++i) {
        if (all.files_.empty()) {
            texts[second[i]].push_back(std::move(all.texts_[i]));
        } else {
            numbers[second[i]].push_back(int32_t(i));
        }
    }
    if (all.files_.empty()) {
        return {std::move(texts[0]), std::move(texts[1])};
    }
    StoryList part = all;
    part.tokens_ = all.tokens_.chosen(std::move(numbers[1]));
    all.tokens_ = all.tokens_.chosen(std::move(numbers[0]));
    return {std::move(all), std::move(part)};
}

bool has_token_file(const std::vector<std::string>& paths) {
    return std::ranges::any_of(paths, is_token_file_name);
}

StoryList read_list(const std::vector<std::string>& paths) {
    if (!has_token_file(paths)) {
        return read_stories(paths);
    }
    const auto text = std::ranges::find_if_not(paths, is_token_file_name);
    check(text == paths.end(),
          "'{}' is text and '{}' holds tokens: give files of one kind, or make tokens of the text "
          "with smoe tokenize",
          text == paths.end() ? "" : *text, *std::ranges::find_if(paths, is_token_file_name));
    require_readable(paths);
    std::vector<TokenFile> files;
    for (const std::string& path : paths) {
        files.emplace_back(path);
    }
    return StoryList(files);
}

std::optional<Tokenizer> tokenizer_in(const std::vector<std::string>& paths) {
    const auto found = std::ranges::find_if(paths, is_token_file_name);
    return found == paths.end() ? std::nullopt : std::optional(TokenFile::tokenizer_in(*found));
}

}  // namespace smoe
