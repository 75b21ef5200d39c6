// Columns, and one numbering for the stories of several parts.
// Read next: token_file.cpp.
#include "models/text/token_stories.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"
#include "core/hash.h"
#include "core/threads.h"

namespace smoe {

uint64_t text_hash(std::string_view text) {
    return mixed_bits(hash_bytes(text));
}

TokenColumns::TokenColumns(const Tokenizer& tokenizer)
    : end_of_text_(tokenizer.end_of_text()), is_narrow_(fits_16_bits(tokenizer.vocab_size())) {}

void TokenColumns::add_tokens(const std::vector<int32_t>& tokens) {
    if (is_narrow_) {
        narrow.insert(narrow.end(), tokens.begin(), tokens.end());
        narrow.push_back(uint16_t(end_of_text_));
    } else {
        wide.insert(wide.end(), tokens.begin(), tokens.end());
        wide.push_back(uint32_t(end_of_text_));
    }
    offsets.push_back(offsets.back() + tokens.size() + 1);
}

void TokenColumns::add(std::span<const Story> stories, const Tokenizer& tokenizer) {
    std::vector<std::string_view> texts;
    for (const Story& story : stories) {
        texts.push_back(story.text);
    }
    for (const std::vector<int32_t>& tokens : tokenizer.encode_all(texts)) {
        add_tokens(tokens);
    }
    const size_t before = hashes.size();
    hashes.resize(before + stories.size());
    constexpr int64_t grain = 256;
    parallel_for(int64_t(stories.size()), grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            hashes[before + size_t(i)] = text_hash(texts[size_t(i)]);
        }
    });
    for (const Story& story : stories) {
        bytes.push_back(uint32_t(story.text.size()));
        // Mostly that of the story before.
        size_t domain = domains.empty() ? 0 : domains.back();
        if (domain_names.empty() || domain_names[domain] != story.domain) {
            const auto [known, is_new] = numbers_.try_emplace(story.domain, domain_names.size());
            domain = known->second;
            if (is_new) {
                domain_names.push_back(story.domain);
            }
        }
        domains.push_back(uint32_t(domain));
    }
}

TokenStories::TokenStories(std::vector<TokenPart> parts) {
    for (const TokenPart& part : parts) {
        domain_names_.insert(domain_names_.end(), part.domain_names.begin(),
                             part.domain_names.end());
    }
    std::ranges::sort(domain_names_);
    domain_names_.erase(std::unique(domain_names_.begin(), domain_names_.end()),
                        domain_names_.end());
    for (const TokenPart& part : parts) {
        std::vector<int32_t>& ranks = ranks_.emplace_back();
        for (const std::string& name : part.domain_names) {
            ranks.push_back(
                int32_t(std::ranges::lower_bound(domain_names_, name) - domain_names_.begin()));
        }
        first_.push_back(all_);
        all_ += part.stories();
        in_memory_ = in_memory_ && part.file == nullptr;
    }
    check(all_ <= INT32_MAX, "text: expected at most {} stories, found {}", INT32_MAX, all_);
    parts_ = std::make_shared<const std::vector<TokenPart>>(std::move(parts));
}

TokenStories TokenStories::encode(std::span<const Story> stories, const Tokenizer& tokenizer) {
    constexpr size_t batch_bytes = size_t(1) << 26;
    const auto columns = std::make_shared<TokenColumns>(tokenizer);
    for (size_t begin = 0; begin < stories.size();) {
        size_t end = begin;
        for (size_t bytes = 0; end < stories.size() && bytes < batch_bytes; ++end) {
            bytes += stories[end].text.size();
        }
        columns->add(stories.subspan(begin, end - begin), tokenizer);
        begin = end;
    }
    return TokenStories({{.offsets = columns->offsets,
                          .hashes = columns->hashes,
                          .bytes = columns->bytes,
                          .domains = columns->domains,
                          .domain_names = columns->domain_names,
                          .narrow = columns->narrow,
                          .wide = columns->wide,
                          .end_of_text = tokenizer.end_of_text(),
                          .origin = "",
                          .file = nullptr,
                          .owner = columns}});
}

TokenStories TokenStories::chosen(std::vector<int32_t> stories) const {
    if (numbers_) {
        for (int32_t& number : stories) {
            number = (*numbers_)[size_t(number)];
        }
    }
    TokenStories some = *this;
    some.numbers_ = std::make_shared<const std::vector<int32_t>>(std::move(stories));
    return some;
}

TokenStories::Place TokenStories::place(int64_t i) const {
    const int64_t number = numbers_ ? (*numbers_)[size_t(i)] : i;
    const size_t part = size_t(std::ranges::upper_bound(first_, number) - first_.begin()) - 1;
    return {&(*parts_)[part], size_t(number - first_[part]), part};
}

int64_t TokenStories::length(int64_t i) const {
    const auto [part, story, number] = place(i);
    return int64_t(part->offsets[story + 1] - part->offsets[story]);
}

int64_t TokenStories::bytes(int64_t i) const {
    const auto [part, story, number] = place(i);
    return part->bytes[story];
}

uint64_t TokenStories::hash(int64_t i) const {
    const auto [part, story, number] = place(i);
    return part->hashes[story];
}

int TokenStories::domain(int64_t i) const {
    const auto [part, story, number] = place(i);
    return ranks_[number][part->domains[story]];
}

void TokenStories::read(int64_t i, int64_t begin, std::span<int32_t> tokens) const {
    const auto [part, story, number] = place(i);
    const size_t from = size_t(part->offsets[story]) + size_t(begin);
    const auto copy = [&, &part = part](const auto& column) {
        // The offsets rose when the file was opened; they lie in it, too.
        check(from <= column.size() && tokens.size() <= column.size() - from,
              "'{}' was written to while it was being read", part->origin);
        std::ranges::copy(column.subspan(from, tokens.size()), tokens.begin());
    };
    part->narrow.empty() ? copy(part->wide) : copy(part->narrow);
    const bool ends = from + tokens.size() == part->offsets[story + 1];
    const auto inside = tokens.first(tokens.size() - (ends ? 1 : 0));
    const auto wrong = std::ranges::find_if_not(
        inside, [&part = part](int32_t id) { return id >= 0 && id < part->end_of_text; });
    if (wrong != inside.end()) {
        fail("'{}' is damaged: its story {} holds the token {} where ids go from 0 to {}",
             part->origin, story, uint32_t(*wrong), part->end_of_text - 1);
    }
    check(!ends || tokens.back() == part->end_of_text,
          "'{}' is damaged: its story {} ends with the token {} and not with the end of text",
          part->origin, story, ends ? uint32_t(tokens.back()) : 0);
}

void TokenStories::require_unchanged() const {
    for (size_t part = 0; !in_memory_ && part < parts_->size(); ++part) {
        if ((*parts_)[part].file) {
            (*parts_)[part].file->require_unchanged();
        }
    }
}

}  // namespace smoe
