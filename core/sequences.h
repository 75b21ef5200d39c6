// The sequences of a batch, ragged: they lie end to end, and nothing is computed on padding.
// Tokens, borders and positions travel as one value: a handle whose copies share the numbers, so
// that a closure can keep it. Where text is labelled, it travels with the domain of each sequence.
// Read next: autograd/ops/attention.cpp, which stays inside the borders.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace smoe {

class Sequences {
  public:
    Sequences() : Sequences({}, {0}) {}  // none

    // tokens (N), offsets (B + 1): sequence b is rows offsets[b] .. offsets[b + 1] - 1. Throws Error
    // unless the offsets go from 0 to N and never fall. domains (B), or none.
    Sequences(std::vector<int32_t> tokens, std::vector<int64_t> offsets,
              std::vector<std::string> domains = {});

    // A single sequence.
    static Sequences of(std::vector<int32_t> tokens);

    int64_t size() const { return int64_t(numbers_->tokens.size()); }        // N
    int64_t count() const { return int64_t(numbers_->offsets.size()) - 1; }  // B
    int64_t longest() const { return numbers_->longest; }                    // positions

    const std::vector<int32_t>& tokens() const { return numbers_->tokens; }        // (N)
    const std::vector<int64_t>& offsets() const { return numbers_->offsets; }      // (B + 1)
    const std::vector<int32_t>& positions() const { return numbers_->positions; }  // (N), from 0

    // The name of each sequence's domain (B); empty if the text is not labelled.
    const std::vector<std::string>& domains() const { return numbers_->domains; }

    // Sequence b by itself.
    Sequences only(int64_t b) const;

  private:
    struct Numbers {
        std::vector<int32_t> tokens;
        std::vector<int64_t> offsets;
        std::vector<int32_t> positions;
        std::vector<std::string> domains;
        int64_t longest = 0;
    };
    std::shared_ptr<const Numbers> numbers_;
};

}  // namespace smoe
