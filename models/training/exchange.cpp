// Buckets on their way. Whoever receives keeps what came for each node of the tree apart until all of
// a bucket is there, because only then is the order of the sums known to be right.
// Read next: learner.cpp.
#include "models/training/exchange.h"

#include <algorithm>
#include <cstring>

#include "core/bfloat16.h"
#include "core/storage.h"
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

namespace {

// The bytes in which numbers travel: they themselves, or the bfloat16s in the first half of their
// place, which narrow() puts there.
std::span<std::byte> travelling(std::span<real> numbers, Precision exchange) {
    const std::span<std::byte> bytes = std::as_writable_bytes(numbers);
    return rounds_to_bfloat16(exchange) ? bytes.first(bytes.size() / 2) : bytes;
}

void narrow(std::span<real> numbers) {
    auto* bytes = reinterpret_cast<unsigned char*>(numbers.data());
    for (size_t i = 0; i < numbers.size(); ++i) {
        const auto upper = uint16_t(rounded_to_bfloat16(float(numbers[i])) >> 16);
        std::memcpy(bytes + i * sizeof upper, &upper, sizeof upper);
    }
}

void widen(std::span<real> numbers) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(numbers.data());
    for (size_t i = numbers.size(); i-- > 0;) {
        uint16_t upper = 0;
        std::memcpy(&upper, bytes + i * sizeof upper, sizeof upper);
        numbers[i] = real(std::bit_cast<float>(uint32_t(upper) << 16));
    }
}

}  // namespace

void round_node(std::span<real> sum, Precision exchange) {
    if (rounds_to_bfloat16(exchange)) {
        parallel_for(int64_t(sum.size()), elementwise_grain, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                sum[size_t(i)] = real(nearest_bfloat16(float(sum[size_t(i)])));
            }
        });
    }
}

GradientExchange::GradientExchange(const std::vector<std::vector<Piece>>& pieces, int64_t shards,
                                   std::vector<Tensor> sums, int additions, Tensor own,
                                   Precision exchange, int channel)
    : pieces_(pieces),
      shards_(shards),
      sums_(std::move(sums)),
      additions_(additions),
      own_(std::move(own)),
      exchange_(exchange),
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
    round_node(part(sums_[last], whole), exchange_);
    for (int i = 1; i <= additions_; ++i) {
        add_to(part(sums_[last], whole), part(sums_[last - size_t(i)], whole));
        round_node(part(sums_[last], whole), exchange_);
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
                bucket.transfer->receive(r, travelling(values, exchange_));
            }
        }
    }
    for (int step = 1; step < count; ++step) {
        const int to = (rank + step) % count;
        for (const Tensor& sum : own_sums) {
            const std::span<real> numbers = part(sum, pieces_[b][size_t(to)]);
            if (rounds_to_bfloat16(exchange_)) {
                narrow(numbers);
            }
            bucket.transfer->send(to, travelling(numbers, exchange_));
        }
    }
}

void GradientExchange::collect(size_t b) {
    Bucket& bucket = buckets_[b];
    const int64_t own = pieces_[b][size_t(process_rank())].size();
    TreeSum sum(shards_);
    std::vector<std::span<real>> stack;
    int64_t row = 0;
    for (size_t r = 0; r < nodes_.size(); ++r) {
        for (const TreeNode& node : nodes_[r]) {
            stack.push_back(part(bucket.values, {row * own, (row + 1) * own}));
            ++row;
            if (rounds_to_bfloat16(exchange_) && int(r) != process_rank()) {
                widen(stack.back());
            }
            for (int additions = sum.push(node); additions > 0; --additions) {
                add_to(stack.back(), stack[stack.size() - 2]);
                stack.erase(stack.end() - 2);
                if (additions > 1 || !sum.complete()) {
                    round_node(stack.back(), exchange_);
                }
            }
        }
    }
    std::ranges::copy(stack.front(), own_.data() + bucket.place);
    zero_and_release(part(sums_.back(), {pieces_[b].front().begin, pieces_[b].back().end}));
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
