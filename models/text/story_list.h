// Stories that training, evaluation and reports are given by name: those of text files, which come
// into memory, or those of token files, which stay on disk.
//
// Read next: story_split.h, which divides them; dataset.h, which takes their tokens.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/text/story.h"
#include "models/text/token_file.h"

namespace smoe {

// What the split looks at.
struct StoryKey {
    uint64_t hash;   // of the text, text_hash
    uint32_t bytes;  // of the text
    int32_t domain;  // place among the names of all domains, sorted
};

class StoryList {
  public:
    StoryList() = default;
    StoryList(std::vector<Story> texts);
    explicit StoryList(const std::vector<TokenFile>& files);

    int64_t size() const { return tokens_.size() + int64_t(texts_.size()); }
    bool empty() const { return size() == 0; }
    const std::vector<Story>& texts() const { return texts_; }  // none of token files
    std::vector<StoryKey> keys() const;                         // in the order of the stories
    const std::vector<std::string>& domain_names() const { return domain_names_; }

    // The tokens of all stories. Throws Error if they lie in a file that was made with a different
    // tokenizer, naming the file.
    TokenStories encoded(const Tokenizer& tokenizer) const;

    // Story i goes to the second of two lists if second[i], else to the first. Both are in the
    // order of this one.
    static std::pair<StoryList, StoryList> divided(StoryList all, const std::vector<bool>& second);

  private:
    struct Origin {
        std::string path;
        uint64_t tokenizer_hash;
        int64_t vocab_size;
    };

    std::vector<Story> texts_;
    TokenStories tokens_;
    std::vector<Origin> files_;
    std::vector<std::string> domain_names_;
};

// The stories of the files, one after the other: either of text (see read_stories) or of token
// files, whose names end in .tokens. Throws Error for a file that cannot be read, and for files of
// both kinds.
StoryList read_list(const std::vector<std::string>& paths);

// The tokenizer that is stored in the first token file among these; none if there is no such file.
std::optional<Tokenizer> tokenizer_in(const std::vector<std::string>& paths);
bool has_token_file(const std::vector<std::string>& paths);  // by their names

}  // namespace smoe
