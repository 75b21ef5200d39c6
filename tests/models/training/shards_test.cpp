// Batches in shards: the tree is the same whoever adds, a sharded batch teaches what a whole one
// does, and one process learns from it bit for bit the same each time. Several processes are left to
// tests/mpi.sh.
// Read next: trainer_test.cpp.
#include "models/training/shards.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/threads.h"
#include "models/training/exchange.h"
#include "models/training/learner.h"
#include "models/training/shard_report.h"
#include "tests/error_of.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

// Sums as text: "((0+1)+2)".
class TextSum {
  public:
    explicit TextSum(int64_t shards) : sum_(shards) {}
    void push(TreeNode node, const std::string& text) {
        texts_.push_back(text);
        for (int additions = sum_.push(node); additions > 0; --additions) {
            const std::string right = texts_.back();
            texts_.pop_back();
            texts_.back() = "(" + texts_.back() + "+" + right + ")";
        }
    }
    const std::vector<TreeNode>& nodes() const { return sum_.nodes(); }
    const std::vector<std::string>& texts() const { return texts_; }

  private:
    TreeSum sum_;
    std::vector<std::string> texts_;
};

// As `processes` of them add S shards, each its own first.
std::string tree(int64_t shards, int processes) {
    TextSum whole(shards);
    for (int rank = 0; rank < processes; ++rank) {
        const ShardRange own = shards_of(shards, rank, processes);
        TextSum part(shards);
        for (int64_t shard = own.begin; shard < own.end; ++shard) {
            part.push({0, shard}, std::to_string(shard));
        }
        CHECK(part.nodes() == nodes_of(own, shards));
        for (size_t i = 0; i < part.nodes().size(); ++i) {
            whole.push(part.nodes()[i], part.texts()[i]);
        }
    }
    REQUIRE(whole.texts().size() == 1);
    return whole.texts().front();
}

TensorFile state_after(const SmallRun& run, int steps) {
    Trainer trainer(run.config, run.data);
    for (int step = 0; step < steps; ++step) {
        trainer.step();
    }
    TensorFile state = trainer.state_dict();
    for (auto& [name, tensor] : state.tensors) {
        tensor = tensor.clone();
    }
    return state;
}

Config sharded_config(int64_t shards, const std::string& routing) {
    Config config = small_config();
    config.batch = 6;
    config.shards = shards;
    config.model.router.kind = routing;
    return config;
}

double distance(const Tensor& a, const Tensor& b) {
    double largest = 0;
    for (int64_t i = 0; i < a.numel(); ++i) {
        largest = std::max(largest, std::abs(double(a.data()[i]) - double(b.data()[i])));
    }
    return largest;
}

}  // namespace

TEST_CASE("shards: the sums are the same tree for any number of processes") {
    CHECK(tree(1, 1) == "0");
    CHECK(tree(4, 1) == "((0+1)+(2+3))");
    CHECK(tree(5, 1) == "(((0+1)+(2+3))+4)");
    CHECK(tree(7, 1) == "(((0+1)+(2+3))+((4+5)+6))");
    for (int64_t shards = 1; shards <= 20; ++shards) {
        for (int processes = 1; processes <= shards; ++processes) {
            CAPTURE(shards);
            CAPTURE(processes);
            CHECK(tree(shards, processes) == tree(shards, 1));
        }
    }
}

TEST_CASE("shards: each sequence is in one of them, in order, and they are of about one size") {
    const SmallRun run(small_config());
    std::vector<int64_t> sequences;
    for (int64_t s = 0; s < run.data.size(); ++s) {
        sequences.push_back((s * 7) % run.data.size());
    }
    for (const int64_t shards : {1, 2, 3, 8}) {
        const auto cut = cut_into_shards(run.data, sequences, shards);
        REQUIRE(int64_t(cut.size()) == shards);
        std::multiset<int64_t> seen;
        std::vector<int64_t> tokens;
        for (const auto& shard : cut) {
            seen.insert(shard.begin(), shard.end());
            int64_t own = 0;
            auto place = sequences.begin();
            for (const int64_t sequence : shard) {
                place = std::find(place, sequences.end(), sequence);
                REQUIRE(place != sequences.end());
                own += run.data.tokens_of(sequence);
            }
            tokens.push_back(own);
        }
        CHECK(seen == std::multiset<int64_t>(sequences.begin(), sequences.end()));
        const auto [least, most] = std::minmax_element(tokens.begin(), tokens.end());
        CHECK(*most - *least <= 39);  // a sequence has at most so many
    }
    CHECK(cut_into_shards(run.data, sequences, 1).front() == sequences);
    const auto few = cut_into_shards(run.data, std::span(sequences).first(2), 4);
    CHECK(few[0].size() + few[1].size() == 2);
    CHECK((few[2].empty() && few[3].empty()));
}

TEST_CASE("shards: processes share them, each has some") {
    for (int64_t shards = 1; shards < 20; ++shards) {
        for (int processes = 1; processes <= shards; ++processes) {
            int64_t next = 0;
            for (int rank = 0; rank < processes; ++rank) {
                const ShardRange own = shards_of(shards, rank, processes);
                CHECK(own.begin == next);
                CHECK(own.size() >= 1);
                next = own.end;
            }
            CHECK(next == shards);
        }
    }
}

TEST_CASE("shards: parameters are cut into pieces without gap or overlap, last ones first") {
    for (const int64_t parameters : {int64_t(1), int64_t(40000), int64_t(3000000)}) {
        for (const int processes : {1, 2, 3, 8}) {
            int64_t end = parameters;
            for (const std::vector<Piece>& bucket : cut_into_pieces(parameters, processes)) {
                REQUIRE(int(bucket.size()) == processes);
                CHECK(bucket.back().end == end);
                for (int rank = 1; rank < processes; ++rank) {
                    CHECK(bucket[size_t(rank)].begin == bucket[size_t(rank) - 1].end);
                }
                end = bucket.front().begin;
            }
            CHECK(end == 0);
        }
    }
}

TEST_CASE("shards: they teach what the whole batch does") {
    // Without dropout, and with routers that do not draw, only the rounding of sums differs.
    for (const char* routing : {"none", "gate", "hash"}) {
        CAPTURE(routing);
        Config whole = sharded_config(1, routing);
        whole.model.sizes.dropout = 0;
        whole.optimizer = "sgd";  // Adam would turn a rounded 0 into a step
        Config cut = whole;
        cut.shards = 3;
        const SmallRun expected(whole), found(cut);
        Trainer a(whole, expected.data), b(cut, found.data);
        for (int step = 0; step < 5; ++step) {
            const StepReport of_whole = a.step(), of_shards = b.step();
            CHECK(of_shards.tokens == of_whole.tokens);
            CHECK(of_shards.loss == doctest::Approx(of_whole.loss).epsilon(1e-5));
            CHECK(of_shards.grad_norm == doctest::Approx(of_whole.grad_norm).epsilon(1e-4));
            CHECK(of_shards.expert_tokens == of_whole.expert_tokens);
        }
        CHECK(distance(a.state_dict().tensors.at("model.values"),
                       b.state_dict().tensors.at("model.values")) < 1e-5);
    }
}

#ifndef SMOE_DOUBLE
TEST_CASE("shards: an exchange in bfloat16 rounds each node of the tree below its root") {
    const auto numbers = [](std::vector<real> values) {
        round_node(values, Precision::bfloat16);
        return values;
    };
    CHECK(numbers({1, 1 + 0x1p-9F, 1 + 0x1.8p-8F, -3}) == std::vector<real>{1, 1, 1 + 0x1p-7F, -3});
    for (const int64_t shards : {1, 3}) {
        CAPTURE(shards);
        Config exact = sharded_config(shards, "gate");
        exact.optimizer = "sgd";
        Config rounded = exact;
        rounded.exchange = Precision::bfloat16;
        const SmallRun run(exact);
        Trainer a(exact, run.data), b(rounded, run.data);
        const StepReport of_exact = a.step(), of_rounded = b.step();
        CHECK(of_rounded.loss == of_exact.loss);
        CHECK(of_rounded.grad_norm == doctest::Approx(of_exact.grad_norm).epsilon(0x1p-8));
        const double moved = distance(a.state_dict().tensors.at("model.values"),
                                      b.state_dict().tensors.at("model.values"));
        CHECK((moved > 0) == (shards > 1));  // nothing is sent of a batch in one shard
        CHECK(moved < 1e-3);
    }
}
#endif

TEST_CASE("shards: runs of them do not depend on threads, and go on as if never stopped") {
    const int before = threads();
    for (const char* routing : {"router", "random", "gate"}) {
        CAPTURE(routing);
        const SmallRun run(sharded_config(4, routing));
        set_threads(1);
        const TensorFile one = state_after(run, 9);
        set_threads(2);
        const TensorFile two = state_after(run, 9);
        set_threads(before);
        CHECK(one.metadata == two.metadata);
        CHECK(one.metadata.contains("rng.experts.3"));
        const TensorFile half = state_after(run, 4);
        Trainer resumed(run.config, run.data);
        resumed.load_state_dict(half, "half");
        for (int step = 4; step < 9; ++step) {
            resumed.step();
        }
        const TensorFile again = resumed.state_dict();
        CHECK(again.metadata == one.metadata);
        for (const auto& entry : one.tensors) {
            CAPTURE(entry.first);
            const auto values = entry.second.values();
            CHECK(std::ranges::equal(values, two.tensors.at(entry.first).values()));
            CHECK(std::ranges::equal(values, again.tensors.at(entry.first).values()));
        }
    }
}

TEST_CASE("shards: a state belongs to its number of shards, and a batch has no more than stories") {
    const SmallRun two(sharded_config(2, "none")), three(sharded_config(3, "none"));
    const TensorFile state = state_after(two, 1);
    Trainer other(three.config, three.data);
    CHECK(error_of([&] { other.load_state_dict(state, "two"); }).find("shards") !=
          std::string::npos);
    Config config = small_config();
    config.shards = config.batch + 1;
    CHECK(error_of([&] { check_config(config); }) ==
          "shards must be from 1 to 3, the stories of a batch, found 4");
}

TEST_CASE("shards: losses that are not finite leave a run of several shards as it was") {
    const SmallRun run(sharded_config(3, "router"));
    Trainer trainer(run.config, run.data);
    trainer.step();
    TensorFile before = trainer.state_dict();
    for (auto& [name, tensor] : before.tensors) {
        tensor = tensor.clone();
    }
    const Tensor embedding = trainer.moe().model.parameters().front()->value();
    const Tensor good = embedding.clone();
    embedding.fill(NAN);
    CHECK(error_of([&] { trainer.step(); }).find("step 2:") == 0);
    embedding.copy_from(good);
    Trainer twin(run.config, run.data);
    twin.load_state_dict(before, "before");
    trainer.step();
    twin.step();
    CHECK(std::ranges::equal(trainer.state_dict().tensors.at("model.values").values(),
                             twin.state_dict().tensors.at("model.values").values()));
}

TEST_CASE("shards: reports are added up by name and by place") {
    NamedLosses losses;
    add_losses(losses, {{"a", 1}, {"b", 2}});
    add_losses(losses, {{"a", 0.5}, {"b", 3}});
    CHECK(losses == NamedLosses{{"a", 1.5}, {"b", 5}});
    std::vector<int64_t> rows;
    add_rows(rows, {1, 2});
    add_rows(rows, {3, 4});
    CHECK(rows == std::vector<int64_t>{4, 6});
    CHECK(ShardReport{.loss = 1}.is_finite());
    CHECK(!ShardReport{.loss = 1, .router_losses = {{"a", NAN}}}.is_finite());
}

}  // namespace smoe
