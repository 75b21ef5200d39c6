// Stories as token sequences, and the batches a model learns from. A story becomes one sequence of
// predictions. Each predicts the next token from the start token and the tokens so far; the last
// predicts the end of text.
//     story  s1 s2 s3     inputs  E s1 s2 s3     targets  s1 s2 s3 E     (E: end of text and start)
// Batches are ragged: their sequences lie end to end, and nothing is computed on padding. The
// caller hands in the stories and the seed; story_list.h opens files. Tokens stay where they are
// until a batch asks for them.
//
// Read next: models/training/trainer.h, which takes one step for each batch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/enum_names.h"
#include "core/sequences.h"
#include "models/text/story.h"
#include "models/text/token_stories.h"
#include "models/text/tokenizer.h"

namespace smoe {

// What happens to a story that exceeds the context.
enum class LongStories {
    cut,    // its beginning is kept, without an end
    split,  // consecutive sequences, each with a start token, the last with the end
    drop    // it is left out
};
const EnumNames<LongStories>& enum_names(LongStories);

struct DatasetSettings {
    // Most tokens of a sequence, start token included. The last of them predicts nothing, so a
    // sequence has at most context - 1 positions, and a story of context - 2 tokens fits whole.
    int context = 251;
    LongStories long_stories = LongStories::cut;
    // Fill every sequence up to context - 1 positions with end of text, and predict that too, as
    // the original does.
    bool pad = false;
    // Held out from a larger text that is known to have separators, so a single long story is fine.
    bool held_out = false;
    int batch = 16;             // sequences
    uint64_t seed = 0;          // of the order in training
    std::string what = "text";  // as messages call it: "training text", "held-out text"
};

// B sequences with N positions in all. Position n predicts targets[n] from the tokens of its
// sequence up to its own.
struct Batch {
    Sequences inputs;
    std::vector<int32_t> targets;  // (N)
    std::vector<int32_t> stories;  // (B) number of each sequence in the dataset

    int64_t size() const { return inputs.size(); }  // N
};

class Dataset {
  public:
    // Throws Error, naming settings.what, if a setting is out of range or no sequence is left. It
    // also throws for a text that is a single story of more than four times the context and would
    // not be split: its separators are missing.
    Dataset(TokenStories stories, const Tokenizer& tokenizer, const DatasetSettings& settings);
    // The same for text, which becomes tokens in memory.
    Dataset(std::span<const Story> stories, const Tokenizer& tokenizer,
            const DatasetSettings& settings);

    const DatasetSettings& settings() const { return settings_; }
    int64_t size() const { return int64_t(sequences_.size()); }  // sequences
    int64_t batches() const;                                     // that make an epoch
    int64_t tokens() const;                                      // predictions in one epoch
    int64_t tokens_of(int64_t sequence) const;                   // those of a sequence

    // One line for people about what happened to the stories.
    std::string summary() const;
    struct Counts {
        int64_t stories = 0;
        int64_t whole = 0, shortened = 0, dropped = 0, empty = 0;  // shortened: cut or split
        // Of text. Of a story in a token file that was cut, its share of the tokens is taken for
        // its share of the bytes, since the tokens are not looked at.
        int64_t bytes = 0, bytes_kept = 0;
    };
    const Counts& counts() const { return counts_; }

    // The sorted names of the domains that have sequences, and the place of a sequence's domain
    // among them.
    const std::vector<std::string>& domains() const { return domains_; }
    int domain_of(int64_t sequence) const { return sequences_.at(size_t(sequence)).domain; }
    // The number of the story that a sequence is of, among those that were handed in.
    int64_t story_of(int64_t sequence) const { return sequences_.at(size_t(sequence)).story; }

    // How many bytes of text `target` stands for, 0 for end of text. Their sum over the targets
    // turns a loss per token into bits per byte.
    int64_t bytes_of(int32_t target) const { return token_bytes_.at(size_t(target)); }

    // How often each token occurs as a target, (vocab_size). Reads all tokens.
    std::vector<int64_t> token_counts() const;

    // The given sequences, in that order. Throws Error for a number outside [0, size()), and for a
    // token file that was written to meanwhile or holds a token that is none (TokenStories::read).
    Batch batch(std::span<const int64_t> sequences) const;

    // The sequences of each batch for evaluation: all of them, or, if `max_tokens` is not 0, as
    // many as have at most that many predictions (but at least one). The choice is spread evenly,
    // so that each domain has its share, and it is the same each time, whatever the seed.
    std::vector<std::vector<int64_t>> evaluation_batches(int64_t max_tokens = 0) const;

    // A number that tells texts apart when training resumes, whatever the order in training: of
    // text sequence_hash(), of token files story_hash().
    uint64_t hash() const { return hash_; }
    // It, in 16 hexadecimal digits.
    std::string hash_text() const;
    // Whether `text` is what hash_text() gives for these sequences, from text or from token files.
    bool has_hash(const std::string& text) const;
    // A hash of all tokens and borders. Reads all tokens.
    uint64_t sequence_hash() const;
    // A hash of the hashes of the texts and of the borders. Looks at no token.
    uint64_t story_hash() const;

  private:
    // Consecutive tokens of a story, the end included, that are the targets of one sequence.
    struct Sequence {
        int32_t story, begin, length, domain;
    };

    size_t room() const { return size_t(settings_.context - 1); }  // positions of a sequence
    void require_separators() const;
    bool is_kept(int64_t story) const;
    void number_domains();
    void add_story(int64_t story);
    void read(const Sequence& sequence, std::vector<int32_t>& targets) const;

    DatasetSettings settings_;
    int32_t end_of_text_;
    TokenStories stories_;
    std::vector<Sequence> sequences_;
    int64_t tokens_ = 0;                 // of all sequences, without padding
    std::vector<int32_t> domain_ranks_;  // places in domains_ of the names that stories_ has
    std::vector<std::string> domains_;
    std::vector<int32_t> token_bytes_;  // (vocab_size)
    Counts counts_;
    uint64_t hash_ = 0;
};

// An endless stream of training batches. Every epoch has each sequence once, in an order that
// depends on (seed, epoch) alone. The last batch of an epoch may be smaller.
class BatchStream {
  public:
    explicit BatchStream(const Dataset& data);  // must outlive the stream

    Batch next();
    std::vector<int64_t> next_sequences();  // those of the next batch

    struct Position {
        uint64_t epoch = 0, batch = 0;
        bool operator==(const Position&) const = default;
    };
    Position position() const { return position_; }  // of the batch that comes next
    // Both throw Error if epochs of this dataset have no batch of that number.
    void seek(const Position& position);
    void check_position(const Position& position) const;

    uint64_t epoch() const { return position_.epoch; }
    uint64_t batches_per_epoch() const { return uint64_t(data_.batches()); }

  private:
    void shuffle();

    const Dataset& data_;
    Position position_;
    std::vector<int32_t> order_;  // of the sequences, in this epoch
};

}  // namespace smoe
