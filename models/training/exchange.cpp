// Buckets on their way. Whoever receives keeps what came for each node of the tree apart until all of
// a bucket is there, because only then is the order of the sums known to be right.
// Read next: learner.cpp.
#include "models/training/exchange.h"

#include <algorithm>

#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {

std::vector<std::vector<Piece>> cut_into_pieces(int64_t parameters, int processes) {
    if (processes == 1) {
        return {{{0, parameters}}};
    }
    // Pieces end where chunks of a vector kernel do, so that sums over chunks stay what they are.
    constexpr int64_t chunk = elementwise_grain, smallest_bucket = int64_t(1) << 20;
    const int64_t bucket_chunks = std::max<int64_t>(processes, smallest_bucket / chunk);
    const int64_t chunks = (parameters + chunk - 1) / chunk;
    std::vector<std::vector<Piece>> pieces;
    for (int64_t last = chunks; last > 0; last = std::max<int64_t>(0, last - bucket_chunks)) {
        const int64_t first = std::max<int64_t>(0, last - bucket_chunks);
        std::vector<Piece>& bucket = pieces.emplace_back();
        const auto border = [&](int rank) {
            const int64_t number = first + (last - first) * rank / processes;
            return std::min(parameters, number * chunk);
        };
        for (int rank = 0; rank < processes; ++rank) {
            bucket.push_back({border(rank), border(rank + 1)});
        }
    }
    return pieces;
}

void add_to(std::span<real> to, std::span<const real> from) {
    parallel_for(int64_t(to.size()), elementwise_grain, [&](int64_t begin, int64_t end) {
        axpy(end - begin, 1, from.data() + begin, to.data() + begin);
    });
}

std::span<real> part(const Tensor& flat, Piece piece) {
    return {flat.data() + piece.begin, size_t(piece.size())};
}

GradientExchange::GradientExchange(const std::vector<std::vector<Piece>>& pieces, int64_t shards,
                                   std::vector<Tensor> sums, int additions, Tensor own, int channel)
    : pieces_(pieces),
      shards_(shards),
      sums_(std::move(sums)),
      additions_(additions),
      own_(std::move(own)),
      channel_(channel) {
    for (int rank = 0; rank < process_count(); ++rank) {
        nodes_.push_back(nodes_of(shards_of(shards, rank, process_count()), shards));
    }
    int64_t place = 0;
    for (const std::vector<Piece>& bucket : pieces) {
        buckets_.push_back(
            {.incomplete = bucket.back().end - bucket.front().begin, .place = place});
        place += bucket[size_t(process_rank())].size();
    }
}

void GradientExchange::complete(Piece piece) {
    for (size_t b = started_; b < buckets_.size(); ++b) {
        const int64_t begin = std::max(piece.begin, pieces_[b].front().begin),
                      end = std::min(piece.end, pieces_[b].back().end);
        buckets_[b].incomplete -= std::max<int64_t>(0, end - begin);
    }
    while (started_ < buckets_.size() && buckets_[started_].incomplete == 0) {
        start(started_++);
    }
    // Messages only move while somebody looks.
    while (collected_ < started_ && buckets_[collected_].transfer->done()) {
        collect(collected_++);
    }
}

void GradientExchange::start(size_t b) {
    const int rank = process_rank(), count = process_count();
    const Piece whole{pieces_[b].front().begin, pieces_[b].back().end};
    const size_t last = sums_.size() - 1;
    for (int i = 1; i <= additions_; ++i) {
        add_to(part(sums_[last], whole), part(sums_[last - size_t(i)], whole));
    }
    std::vector<Tensor> own_sums(sums_.begin(), sums_.end() - 1 - additions_);
    own_sums.push_back(sums_.back());

    Bucket& bucket = buckets_[b];
    const Piece own = pieces_[b][size_t(rank)];
    int64_t rows = 0;
    for (const std::vector<TreeNode>& of_process : nodes_) {
        rows += int64_t(of_process.size());
    }
    bucket.values = Tensor::empty({rows, own.size()});
    bucket.transfer = std::make_unique<Transfer>(channel_);
    int64_t row = 0;
    for (int r = 0; r < count; ++r) {
        for (size_t i = 0; i < nodes_[size_t(r)].size(); ++i, ++row) {
            const std::span<real> values =
                part(bucket.values, {row * own.size(), (row + 1) * own.size()});
            if (r == rank) {
                std::ranges::copy(part(own_sums[i], own), values.begin());
            } else {
                bucket.transfer->receive(r, std::as_writable_bytes(values));
            }
        }
    }
    for (int step = 1; step < count; ++step) {
        const int to = (rank + step) % count;
        for (const Tensor& sum : own_sums) {
            bucket.transfer->send(to, std::as_writable_bytes(part(sum, pieces_[b][size_t(to)])));
        }
    }
}

void GradientExchange::collect(size_t b) {
    Bucket& bucket = buckets_[b];
    const int64_t own = pieces_[b][size_t(process_rank())].size();
    TreeSum sum(shards_);
    std::vector<std::span<real>> stack;
    int64_t row = 0;
    for (const std::vector<TreeNode>& of_process : nodes_) {
        for (const TreeNode& node : of_process) {
            stack.push_back(part(bucket.values, {row * own, (row + 1) * own}));
            ++row;
            for (int additions = sum.push(node); additions > 0; --additions) {
                add_to(stack.back(), stack[stack.size() - 2]);
                stack.erase(stack.end() - 2);
            }
        }
    }
    std::ranges::copy(stack.front(), own_.data() + bucket.place);
    bucket = {.incomplete = 0, .place = bucket.place};
}

void GradientExchange::finish() {
    while (collected_ < buckets_.size()) {
        if (started_ == collected_) {
            start(started_++);  // one at a time from here on: nothing is left to hide them behind
        }
        buckets_[collected_].transfer->wait();
        collect(collected_++);
    }
}

}  // namespace smoe
