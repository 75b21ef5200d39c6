// Learner: gradients along the tree, and what processes send each other for it.
// Read next: trainer.cpp.
#include "models/training/learner.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/processes.h"
#include "core/storage.h"
#include "core/threads.h"
#include "core/vector_math.h"

namespace smoe {
namespace {

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
        all_gather(std::as_writable_bytes(all.subspan(first, borders.back() / sizeof(T))), borders);
    }
}

}  // namespace

Learner::Learner(Module& module, const std::string& kind,
                 const std::function<OptimizerSettings(const FlatParameters& flat)>& settings,
                 int64_t shards, Precision exchange, int channel)
    : flat_(module),
      kind_(kind),
      shards_(shards),
      exchange_precision_(exchange),
      channel_(channel),
      pieces_(cut_into_pieces(flat_.values().numel(), process_count())),
      own_values_(is_alone() ? flat_.values() : own_of(flat_.values())),
      own_grads_(is_alone() ? flat_.grads() : Tensor::zeros(own_values_.shape())),
      own_settings_(settings(flat_)),
      sum_(shards) {
    if (!is_alone()) {
        own_settings_.groups = own_groups(own_settings_.groups, own_pieces());
        zero_grad();  // leaves no page of them
    }
    restart();
}

void Learner::restart() {
    if (!is_alone()) {
        own_values_.copy_from(own_of(flat_.values()));
    }
    optimizer_ = make_optimizer(kind_, own_values_, own_grads_, own_settings_);
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
    Transfer transfer(channel_);
    int64_t place = 0;
    for (const std::vector<Piece>& bucket : pieces_) {
        const int64_t size = bucket[size_t(process_rank())].size();
        const std::span<real> values = part(own, {place, place + size});
        place += size;
        if (process_rank() > 0) {
            transfer.send(0, std::as_writable_bytes(values));
            continue;
        }
        std::ranges::copy(values, part(flat, bucket.front()).begin());
        for (int rank = 1; rank < process_count(); ++rank) {
            transfer.receive(rank, std::as_writable_bytes(part(flat, bucket[size_t(rank)])));
        }
    }
    transfer.wait();
    return flat;
}

void Learner::publish_values() const {
    if (!is_alone()) {
        gather(own_values_, flat_.values());
    }
}

void Learner::begin_exchange(int64_t last_shard) {
    std::vector<Tensor> sums = below_;
    sums.push_back(flat_.grads());
    exchange_ = std::make_unique<GradientExchange>(pieces_, shards_, std::move(sums),
                                                   sum_.push({0, last_shard}), own_grads_,
                                                   exchange_precision_, channel_);
}

LeafDone Learner::sending(int64_t shard) {
    const bool is_last = shard + 1 == shards_of(shards_, process_rank(), process_count()).end;
    if (is_alone() || !is_last) {
        return {};
    }
    begin_exchange(shard);
    return [this](const Node& leaf) {
        const int64_t begin = flat_.place_of_grad(leaf.grad);
        if (begin >= 0) {
            exchange_->complete({begin, begin + leaf.grad.numel()});
        }
    };
}

void Learner::add_shard(int64_t shard) {
    const bool is_last = shard + 1 == shards_of(shards_, process_rank(), process_count()).end;
    if (is_last && !is_alone()) {
        if (exchange_ == nullptr) {
            begin_exchange(shard);
        }
        return;
    }
    const std::span<real> sum = flat_.grads().values();
    for (int additions = sum_.push({0, shard});; --additions) {
        if (additions > 0 || !sum_.complete()) {
            round_node(sum, exchange_precision_);
        }
        if (additions == 0) {
            break;
        }
        add_to(sum, below_.back().values());
        below_.pop_back();
    }
    if (!is_last) {
        below_.push_back(flat_.grads().clone());
        flat_.zero_grad();
    }
}

double Learner::finish_gradients(double most) {
    if (is_alone()) {
        return flat_.clip_grad_norm(most);
    }
    exchange_->finish();
    exchange_.reset();
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
    if (is_alone()) {
        flat_.zero_grad();
    } else {
        zero_and_release(flat_.grads().values());
    }
    below_.clear();
    exchange_.reset();
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
