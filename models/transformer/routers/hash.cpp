// Routers that look up a token's expert by hash (Roller et al., "Hash Layers for Large Sparse
// Models", 2021). They learn nothing and cost nothing.
//     hash           of the token's id, the same wherever the token stands
//     hash_bigram    of the token's id and that of the token before it
//     hash_balanced  of the token's id, corrected so that experts get equal shares of the text:
//                    tokens, the most frequent first, go to the expert that has least
// Read next: random.cpp; gate.cpp for a hash that differs between blocks.
#include <algorithm>
#include <numeric>

#include "core/check.h"
#include "core/streams.h"
#include "models/text/dataset.h"
#include "models/transformer/routers/kinds.h"

namespace smoe {

int32_t hash_expert(uint64_t seed, uint64_t index, int64_t key, int64_t num_experts) {
    const auto words = philox(seed, stream_number(Stream::hash, index), uint64_t(key));
    return int32_t(words[0] % uint64_t(num_experts));
}

namespace {

// A router whose expert is a function of the token and the one before it (-1 at the start).
class TokenRouter : public Router {
  public:
    using Router::Router;
    virtual int32_t expert_of(int32_t before, int32_t token) const = 0;

    std::unique_ptr<Step> step(int64_t slots) const override {
        class TokenStep : public Step {
          public:
            TokenStep(const TokenRouter& router, int64_t slots)
                : router_(router), before_(size_t(slots), -1) {}
            void choose(std::span<NextToken> next, std::span<Rng>) override {
                for (NextToken& one : next) {
                    int32_t& before = before_[size_t(one.slot)];
                    one.expert = router_.expert_of(before, one.token);
                    before = one.token;
                }
            }
            void clear(int32_t slot) override { before_[size_t(slot)] = -1; }
            void copy(int32_t from, int32_t to) override {
                before_[size_t(to)] = before_[size_t(from)];
            }

          private:
            const TokenRouter& router_;
            std::vector<int32_t> before_;  // the last token of each text
        };
        return std::make_unique<TokenStep>(*this, slots);
    }

  protected:
    Experts choose_experts(const Sequences& sequences, Rng&) const override {
        const std::vector<int32_t>& tokens = sequences.tokens();
        Experts experts(tokens.size());
        for (size_t n = 0; n < tokens.size(); ++n) {
            experts[n] = expert_of(sequences.positions()[n] == 0 ? -1 : tokens[n - 1], tokens[n]);
        }
        return experts;
    }
};

class HashRouter : public TokenRouter {
  public:
    HashRouter(int64_t num_experts, uint64_t seed) : TokenRouter(num_experts), seed_(seed) {}
    std::string description() const override { return "a hash of the token's id"; }
    int32_t expert_of(int32_t, int32_t token) const override {
        return hash_expert(seed_, 0, token, num_experts());
    }

  private:
    uint64_t seed_;
};

class HashBigramRouter : public TokenRouter {
  public:
    HashBigramRouter(int64_t num_experts, uint64_t seed) : TokenRouter(num_experts), seed_(seed) {}
    std::string description() const override { return "a hash of the last two tokens' ids"; }
    int32_t expert_of(int32_t before, int32_t token) const override {
        return hash_expert(seed_, 0, (int64_t(before) + 1) << 32 | token, num_experts());
    }

  private:
    uint64_t seed_;
};

// The table of experts is a buffer, so it is saved and loaded as weights are.
struct ExpertTable : Module {
    ExpertTable(int64_t tokens, int64_t num_experts)
        : Module(Scope{}),
          experts(register_buffer("experts", Tensor::zeros({tokens}))),
          num_experts_(num_experts) {}
    Tensor& experts;  // (V)

  private:
    void check_buffer(const std::string&, const Tensor& value) const override {
        for (const real expert : value.values()) {
            check(expert >= 0 && expert < real(num_experts_) && expert == real(int(expert)),
                  "router: the table holds {}, which is none of {} experts", expert, num_experts_);
        }
    }

    int64_t num_experts_;
};

class HashBalancedRouter : public TokenRouter {
  public:
    HashBalancedRouter(const ModelSettings& settings, uint64_t seed)
        : TokenRouter(settings.experts.count),
          seed_(seed),
          table_(settings.vocab_size, settings.experts.count) {}

    std::string description() const override {
        return "a hash of the token's id, with equal shares for all experts";
    }
    Module* module() override { return &table_; }
    int32_t expert_of(int32_t, int32_t token) const override {
        return int32_t(table_.experts.data()[token]);
    }

    void see_text(const Dataset& data) override {
        const std::vector<int64_t> counts = data.token_counts();
        // The hash only decides between equals.
        const auto hash = [&](int32_t token) {
            return philox(seed_, stream_number(Stream::hash), uint64_t(token))[0];
        };
        std::vector<int32_t> tokens(counts.size());
        std::iota(tokens.begin(), tokens.end(), 0);
        std::ranges::stable_sort(tokens, [&](int32_t a, int32_t b) {
            const int64_t of_a = counts[size_t(a)], of_b = counts[size_t(b)];
            return of_a != of_b ? of_a > of_b : hash(a) < hash(b);
        });
        std::vector<std::pair<int64_t, int64_t>> loads(
            static_cast<size_t>(num_experts()));  // text, ids
        for (const int32_t token : tokens) {
            const auto least = std::ranges::min_element(loads);
            table_.experts.data()[token] = real(least - loads.begin());
            least->first += counts[size_t(token)];
            least->second += 1;
        }
    }

  private:
    uint64_t seed_;
    ExpertTable table_;
};

template <class Kind>
RouterKind by_seed() {
    return {
        .make = [](const ModelSettings& settings,
                   uint64_t seed) { return std::make_unique<Kind>(settings.experts.count, seed); },
        .seeded = true};
}

}  // namespace

RouterKind hash_router_kind() {
    return by_seed<HashRouter>();
}

RouterKind hash_bigram_router_kind() {
    return by_seed<HashBigramRouter>();
}

RouterKind hash_balanced_router_kind() {
    return {
        .make = [](const ModelSettings& settings,
                   uint64_t seed) { return std::make_unique<HashBalancedRouter>(settings, seed); },
        .check_sizes =
            [](const ModelSettings& settings, const std::map<std::string, Tensor>& state,
               const std::string& origin) {
                const auto found = state.find("experts");
                check(found != state.end() && found->second.shape() == Shape{settings.vocab_size},
                      "'{}' lacks the experts of {} tokens", origin, settings.vocab_size);
            }};
}

}  // namespace smoe
