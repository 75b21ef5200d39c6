// The numbers of many_machines.md: in which order gradients are added, what processes send each other,
// and how long a step takes on up to 256 hosts, by a model of a host and of a network.
// Read next: models/training/exchange.h.
#include <array>

#include "core/format.h"
#include "core/text.h"
#include "examples/mathematics/steps.h"
#include "models/training/config.h"
#include "models/training/exchange.h"
#include "models/training/run_costs.h"

using namespace smoe;

namespace {

// A host does `rate` multiply-adds a second; a link carries `bandwidth` bytes a second each way, and
// each message costs its sender `message` seconds.
constexpr double rate = 16 * 30e9, message = 10e-6;
constexpr double gigabit = 1e9 / 8;

struct Workload {
    int64_t parameters = 0;
    double multiply_adds = 0;  // of a token in training
    double batch = 0;          // tokens, of full sequences
};

Workload workload(const std::string& name) {
    Config config = preset(name);
    config.precision = Precision::float32;
    config.model.vocab_size = config.entries;
    const SingleMoe moe(config.model, config.seed);
    const RunCosts costs(moe, config);
    return {.parameters = std::llround(costs.parameters.total),
            .multiply_adds = costs.training.total() - costs.learning,
            .batch = double(config.batch * config.model.context)};
}

// Seconds to send all others their pieces, of the gradients or of the new weights.
double exchange(const Workload& work, int hosts, double bandwidth) {
    const double bytes = 4.0 * double(work.parameters) * (hosts - 1) / hosts;
    const auto buckets = double(cut_into_pieces(work.parameters, hosts).size());
    return bytes / bandwidth + message * buckets * (hosts - 1);
}

// Of a step in which each host has `tokens`: two thirds of its work are backward, which hides that
// much of the gradients' way; nothing hides that of the weights.
double step_seconds(const Workload& work, int hosts, double tokens, double bandwidth) {
    const double compute = tokens * work.multiply_adds / rate;
    if (hosts == 1) {
        return compute;
    }
    const double way = exchange(work, hosts, bandwidth);
    return compute + std::max(0.0, way - compute * 2 / 3) + way;
}

// The fewest tokens of a host with which it computes for nine tenths of the time.
double tokens_for_nine_tenths(const Workload& work, int hosts, double bandwidth) {
    double low = 1, high = 1e12;
    for (int halving = 0; halving < 100; ++halving) {
        const double tokens = std::sqrt(low * high);
        const double compute = tokens * work.multiply_adds / rate;
        (compute < 0.9 * step_seconds(work, hosts, tokens, bandwidth) ? low : high) = tokens;
    }
    return high;
}

// The sum of S shards as the tree takes it.
std::string sum_of_shards(int64_t shards) {
    TreeSum sum(shards);
    std::vector<std::string> texts;
    for (int64_t shard = 0; shard < shards; ++shard) {
        texts.push_back(std::to_string(shard));
        for (int additions = sum.push({0, shard}); additions > 0; --additions) {
            const std::string right = texts.back();
            texts.pop_back();
            texts.back() = fmt::format("({} + {})", texts.back(), right);
        }
    }
    return texts.front();
}

}  // namespace

int main() {
    const std::array<float, 4> shards = {1e8F, 1, -1e8F, 1};
    fmt::print("from left to right {:6.4f}\n", ((shards[0] + shards[1]) + shards[2]) + shards[3]);
    fmt::print("two and two        {:6.4f}\n", (shards[0] + shards[1]) + (shards[2] + shards[3]));
    for (const int64_t count : {4, 6}) {
        fmt::print("{} shards: {}\n", count, sum_of_shards(count));
    }

    fmt::print("8 shards on   nodes that each process sends of a piece\n");
    for (const int processes : {2, 3, 4, 8}) {
        std::vector<std::string> counts;
        for (int rank = 0; rank < processes; ++rank) {
            counts.push_back(std::to_string(nodes_of(shards_of(8, rank, processes), 8).size()));
        }
        fmt::print("{} processes   {}\n", processes, join(counts, " "));
    }

    const std::array<std::string, 3> names = {"tiny", "small", "paper"};
    const std::array works = {workload(names[0]), workload(names[1]), workload(names[2])};
    fmt::print("preset  parameters  multiply-adds a token  MB a step, out and in\n");
    for (size_t i = 0; i < names.size(); ++i) {
        fmt::print("{:<6} {:>10.1f} M {:>20.0f} M {:>20.0f}\n", names[i],
                   double(works[i].parameters) / 1e6, works[i].multiply_adds / 1e6,
                   2 * 4e-6 * double(works[i].parameters));
    }

    fmt::print("tokens a host needs      2        4       16       64      256 hosts\n");
    for (size_t i = 0; i < names.size(); ++i) {
        for (const double gigabits : {1, 10, 100}) {
            fmt::print("{:<6}{:4.0f} Gbit/s", names[i], gigabits);
            for (const int hosts : {2, 4, 16, 64, 256}) {
                fmt::print(" {:>8}", format_count(std::llround(tokens_for_nine_tenths(
                                         works[i], hosts, gigabits * gigabit))));
            }
            fmt::print("\n");
        }
    }

    const Workload& paper = works.back();
    fmt::print("paper, {} tokens a step in all\n", format_count(std::llround(paper.batch)));
    fmt::print("times as fast as one with 2        4       16       40       80 hosts\n");
    for (const double gigabits : {1, 10, 100}) {
        fmt::print("{:10.0f} Gbit/s", gigabits);
        const double alone = step_seconds(paper, 1, paper.batch, 1);
        for (const int hosts : {2, 4, 16, 40, 80}) {
            fmt::print(" {:>8.1f}",
                       alone / step_seconds(paper, hosts, paper.batch / hosts, gigabits * gigabit));
        }
        fmt::print("\n");
    }
    return 0;
}
