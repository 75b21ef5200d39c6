// The router `domain`: the domain of a text, which labelled text says, decides on the expert of all
// its tokens. With more domains than experts, expert k gets every K-th of them. It is a control, an
// oracle about where texts come from; without labels it has no answer, so it cannot generate.
// Read next: learned.cpp.
#include <algorithm>

#include "core/check.h"
#include "core/hash.h"
#include "core/text.h"
#include "models/text/dataset.h"
#include "models/transformer/routers/kinds.h"

namespace smoe {
namespace {

// A name as a number that a `real` holds exactly. 0 stands for no domain.
real name_key(const std::string& name) {
    return real(1 + hash_bytes(name) % ((uint64_t(1) << 24) - 1));
}

constexpr int64_t max_domains = 256;

// The domains of the training text, saved and loaded as weights are.
struct DomainTable : Module {
    DomainTable()
        : Module(Scope{}), keys(register_buffer("domains", Tensor::zeros({max_domains}))) {}
    Tensor& keys;  // (max_domains)
};

class DomainRouter : public Router {
  public:
    using Router::Router;

    std::string description() const override { return "the domain of the text, as labelled"; }
    Module* module() override { return &table_; }
    bool can_generate() const override { return false; }

    void see_text(const Dataset& data) override {
        const std::vector<std::string>& names = data.domains();
        check(int64_t(names.size()) <= max_domains,
              "router: expected a text of at most {} domains, found {}", max_domains, names.size());
        for (size_t k = 0; k < names.size(); ++k) {
            const real key = name_key(names[k]);
            check(std::ranges::count(table_.keys.values().first(k), key) == 0,
                  "router: rename the domain '{}', whose hash is that of another",
                  to_one_line(names[k]));
            table_.keys.data()[k] = key;
        }
    }

    std::unique_ptr<Step> step(int64_t) const override {
        fail("router: the domain of a text decides, and generated text has none");
    }

  protected:
    Experts choose_experts(const Sequences& sequences, Rng&) const override {
        check(!sequences.domains().empty() || sequences.count() == 0,
              "router: the domain of a text decides, and this text is not labelled");
        Experts experts;
        for (int64_t b = 0; b < sequences.count(); ++b) {
            const std::string& name = sequences.domains()[size_t(b)];
            const auto keys = table_.keys.values();
            const auto found = std::ranges::find(keys, name_key(name));
            check(found != keys.end(), "router: the domain '{}' was not in the training text",
                  to_one_line(name));
            experts.resize(size_t(sequences.offsets()[size_t(b) + 1]),
                           int32_t((found - keys.begin()) % num_experts()));
        }
        return experts;
    }

  private:
    DomainTable table_;
};

}  // namespace

RouterKind domain_router_kind() {
    return {.make = [](const ModelSettings& settings,
                       uint64_t) { return std::make_unique<DomainRouter>(settings.experts.count); },
            .check_sizes = [](const ModelSettings&, const std::map<std::string, Tensor>&,
                              const std::string&) {}};
}

}  // namespace smoe
