// Learner: gradients along the tree, and what processes send each other for it.
// Read next: trainer.cpp.
#include "models/training/learner.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/processes.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

// to += from
void add_to(std::span<real> to, std::span<const real> from) {
    parallel_for(int64_t(to.size()), elementwise_grain, [&](int64_t begin, int64_t end) {
#pragma omp simd
        for (int64_t i = begin; i < end; ++i) {
            to[size_t(i)] += from[size_t(i)];
        }
    });
}

std::span<real> part(const Tensor& flat, Piece piece) {
    return {flat.data() + piece.begin, size_t(piece.size())};
}

// The groups of an optimiser in the places that own parameters have.
std::vector<ParameterGroup> own_groups(const std::vector<ParameterGroup>& groups,
                                       const std::vector<Piece>& own) {
    std::vector<ParameterGroup> found;
    int64_t place = 0;
    for (const Piece& piece : own) {
        for (ParameterGroup group : groups) {
            const int64_t begin = std::max(group.begin, piece.begin),
                          end = std::min(group.end, piece.end);
            if (begin < end) {
                group.begin = place + begin - piece.begin;
                group.end = place + end - piece.begin;
                found.push_back(group);
            }
        }
        place += piece.size();
    }
    return found;
}

// Every process has its pieces of `all`, and gets those of the others. place(p) is where what belongs
// to parameter p lies in `all`.
template <class T, class Place>
void gather_pieces(const std::vector<std::vector<Piece>>& pieces, std::span<T> all,
                   const Place& place) {
    for (const std::vector<Piece>& bucket : pieces) {
        const size_t first = place(bucket.front().begin);
        std::vector<size_t> borders = {0};
        for (const Piece& piece : bucket) {
            borders.push_back((place(piece.end) - first) * sizeof(T));
        }
        all_gather(bytes_of(all.subspan(first, borders.back() / sizeof(T))), borders);
    }
}

}  // namespace

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

Learner::Learner(Module& module, const std::string& kind,
                 const std::function<OptimizerSettings(const FlatParameters& flat)>& settings,
                 int64_t shards)
    : flat_(module),
      shards_(shards),
      pieces_(cut_into_pieces(flat_.values().numel(), process_count())),
      own_values_(is_alone() ? flat_.values() : own_of(flat_.values())),
      own_grads_(is_alone() ? flat_.grads() : Tensor::zeros(own_values_.shape())),
      sum_(shards) {
    OptimizerSettings of_own = settings(flat_);
    if (!is_alone()) {
        of_own.groups = own_groups(of_own.groups, own_pieces());
    }
    optimizer_ = make_optimizer(kind, own_values_, own_grads_, of_own);
}

std::vector<Piece> Learner::own_pieces() const {
    std::vector<Piece> own;
    for (const std::vector<Piece>& bucket : pieces_) {
        own.push_back(bucket[size_t(process_rank())]);
    }
    return own;
}

Tensor Learner::own_of(const Tensor& flat) const {
    int64_t count = 0;
    for (const Piece& piece : own_pieces()) {
        count += piece.size();
    }
    const Tensor own = Tensor::empty({count});
    real* to = own.data();
    for (const Piece& piece : own_pieces()) {
        to = std::copy_n(flat.data() + piece.begin, piece.size(), to);
    }
    return own;
}

void Learner::gather(const Tensor& own, const Tensor& flat) const {
    const real* from = own.data();
    for (const Piece& piece : own_pieces()) {
        std::copy_n(from, piece.size(), flat.data() + piece.begin);
        from += piece.size();
    }
    gather_pieces(pieces_, flat.values(), [](int64_t parameter) { return size_t(parameter); });
}

Tensor Learner::whole(const Tensor& own) const {
    if (is_alone()) {
        return own;
    }
    const Tensor flat = Tensor::empty(flat_.values().shape());
    gather(own, flat);
    return flat;
}

void Learner::publish_values() const {
    if (!is_alone()) {
        gather(own_values_, flat_.values());
    }
}

void Learner::add_shard(int64_t shard) {
    for (int additions = sum_.push({0, shard}); additions > 0; --additions) {
        add_to(flat_.grads().values(), below_.back().values());
        below_.pop_back();
    }
    if (shard + 1 < shards_of(shards_, process_rank(), process_count()).end) {
        below_.push_back(flat_.grads().clone());
        flat_.zero_grad();
    }
}

void Learner::exchange_gradients() {
    const int rank = process_rank(), count = process_count();
    std::vector<std::vector<TreeNode>> nodes;  // of each process
    size_t all_nodes = 0;
    for (int r = 0; r < count; ++r) {
        nodes.push_back(nodes_of(shards_of(shards_, r, count), shards_));
        all_nodes += nodes.back().size();
    }
    std::vector<Tensor> own_sums = below_;  // of each node of this process
    own_sums.push_back(flat_.grads());
    int64_t place = 0;  // in own_grads_
    for (const std::vector<Piece>& bucket : pieces_) {
        const Piece own = bucket[size_t(rank)];
        // The values of all nodes for the own piece, from left to right.
        const Tensor values = Tensor::empty({int64_t(all_nodes), own.size()});
        Transfer transfer;
        size_t node = 0;
        for (int r = 0; r < count; ++r) {
            for (size_t i = 0; i < nodes[size_t(r)].size(); ++i, ++node) {
                const std::span<real> row =
                    values.values().subspan(node * size_t(own.size()), size_t(own.size()));
                if (r == rank) {
                    const std::span<real> from = part(own_sums[i], own);
                    std::copy(from.begin(), from.end(), row.begin());
                } else {
                    transfer.receive(r, bytes_of(row));
                }
            }
        }
        for (int step = 1; step < count; ++step) {
            const int to = (rank + step) % count;
            for (const Tensor& sum : own_sums) {
                transfer.send(to, bytes_of(part(sum, bucket[size_t(to)])));
            }
        }
        transfer.wait();
        TreeSum sum(shards_);
        std::vector<std::span<real>> stack;
        for (size_t r = 0, row = 0; r < nodes.size(); ++r) {
            for (const TreeNode& next : nodes[r]) {
                stack.push_back(
                    values.values().subspan(row++ * size_t(own.size()), size_t(own.size())));
                for (int additions = sum.push(next); additions > 0; --additions) {
                    add_to(stack.back(), stack[stack.size() - 2]);
                    stack.erase(stack.end() - 2);
                }
            }
        }
        std::copy(stack.front().begin(), stack.front().end(), own_grads_.data() + place);
        place += own.size();
    }
}

double Learner::finish_gradients(double most) {
    if (is_alone()) {
        return flat_.clip_grad_norm(most);
    }
    exchange_gradients();
    // Pieces begin with a chunk, so all sums over chunks are those of one process.
    std::vector<double> squares(chunk_count(flat_.values().numel()));
    int64_t place = 0;
    for (const Piece& piece : own_pieces()) {
        squares_of_chunks(part(own_grads_, {place, place + piece.size()}),
                          std::span(squares).subspan(chunk_count(piece.begin)));
        place += piece.size();
    }
    gather_pieces(pieces_, std::span(squares), chunk_count);
    return clip_norm(own_grads_.values(), squares, most);
}

std::string Learner::first_not_finite_gradient() const {
    if (!is_alone()) {
        gather(own_grads_, flat_.grads());
    }
    return flat_.first_not_finite(flat_.grads());
}

void Learner::step() {
    optimizer_->step();
    publish_values();
}

void Learner::zero_grad() {
    flat_.zero_grad();
    below_.clear();
    sum_ = TreeSum(shards_);
}

void Learner::eval() {
    optimizer_->eval();
    publish_values();
}

void Learner::train() {
    optimizer_->train();
    publish_values();
}

Tensor Learner::evaluation_values() const {
    return whole(optimizer_->evaluation_values());
}

Optimizer::State Learner::state_dict() const {
    Optimizer::State state = optimizer_->state_dict();
    for (auto& [name, tensor] : state.tensors) {
        tensor = whole(tensor);
    }
    return state;
}

Optimizer::State Learner::own_state(const Optimizer::State& state) const {
    Optimizer::State own = state;
    for (auto& [name, tensor] : own.tensors) {
        if (!is_alone() && tensor.shape() == flat_.values().shape()) {
            tensor = own_of(tensor);  // any other shape is refused as it is
        }
    }
    return own;
}

void Learner::check_state_dict(const Optimizer::State& state, const std::string& origin) const {
    optimizer_->check_state_dict(own_state(state), origin);
}

void Learner::load(const Tensor& values, const Optimizer::State& state, const std::string& origin) {
    flat_.values().copy_from(values);
    if (!is_alone()) {
        own_values_.copy_from(own_of(values));
    }
    optimizer_->load_state_dict(own_state(state), origin);
}

}  // namespace smoe
