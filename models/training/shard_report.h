// What every process has to know of each shard of a step, besides its gradients.
// Read next: trainer.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace smoe {

using NamedLosses = std::vector<std::pair<std::string, double>>;

struct ShardReport {
    double loss = 0;  // its part of the mean over the batch
    NamedLosses router_losses{};
    // The rows that each expert got, (K) for each router in the model, or for the one beside it.
    std::vector<std::vector<int64_t>> expert_rows{};
    std::string failure{};  // why it could not be learned from

    bool is_finite() const;  // all losses are
};

// The reports of all processes, in the order of the shards. Every process gives its own.
std::vector<ShardReport> from_all(const std::vector<ShardReport>& own);

// Adds losses by name, and counts by place.
void add_losses(NamedLosses& to, const NamedLosses& from);
void add_rows(std::vector<int64_t>& to, const std::vector<int64_t>& from);

}  // namespace smoe
