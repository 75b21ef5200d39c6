// The parameters of a module and their optimiser, shared out among the processes of a run: each owns a
// piece of every bucket of parameters, adds up the gradients of its pieces, takes the optimiser's
// step for them, and sends the new values to all (Rajbhandari et al., "ZeRO", SC 2020, stage 1). So
// the optimiser's state and work are divided by the number of processes. A process that is alone
// owns everything, and nothing is copied.
//
//     a step:  shard by shard, backward, then add_shard();  finish_gradients();  step()
//
// All functions but flat() are to be called by every process at the same point.
// Read next: shards.h, the order in which gradients are added; trainer.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/training/shards.h"
#include "nn/flat_parameters.h"
#include "nn/optim/optimizer.h"

namespace smoe {

// Parameters [begin, end) of the flat buffer.
struct Piece {
    int64_t begin = 0, end = 0;

    int64_t size() const { return end - begin; }
};

// The pieces of each process, [bucket][rank]. Buckets go from the last parameters to the first, as
// backward does, and hold 2^20 numbers or more. Borders depend on the sizes alone.
std::vector<std::vector<Piece>> cut_into_pieces(int64_t parameters, int processes);

class Learner {
  public:
    // The module must outlive this. The settings of the optimiser may depend on where parameters lie.
    Learner(Module& module, const std::string& kind,
            const std::function<OptimizerSettings(const FlatParameters& flat)>& settings,
            int64_t shards);

    const FlatParameters& flat() const { return flat_; }

    // The gradients in flat() are those of shard number `shard`, and become part of the sum. Shards
    // of a process come in rising order.
    void add_shard(int64_t shard);
    // Adds up the gradients of all shards, and scales the sum down to length `most` if it is
    // longer. Returns the length before that.
    double finish_gradients(double most);
    // The first parameter whose gradient is not finite, after finish_gradients.
    std::string first_not_finite_gradient() const;

    void step();       // one update of all parameters from the sum
    void zero_grad();  // forgets gradients and their sum

    // As the optimiser's.
    void eval();
    void train();
    Tensor evaluation_values() const;

    // The optimiser's state for all parameters.
    Optimizer::State state_dict() const;
    void check_state_dict(const Optimizer::State& state, const std::string& origin) const;
    // Takes over values (P) and a whole state, which every process has.
    void load(const Tensor& values, const Optimizer::State& state, const std::string& origin);

  private:
    bool is_alone() const { return pieces_.front().size() == 1; }
    std::vector<Piece> own_pieces() const;
    // What this process owns of a flat buffer (P), end to end; and the buffer of which every process
    // gives its own. Both are the same tensor if it is alone.
    Tensor own_of(const Tensor& flat) const;
    Tensor whole(const Tensor& own) const;
    void gather(const Tensor& own, const Tensor& flat) const;  // writes `flat`
    void publish_values() const;                               // the own ones, to all
    void exchange_gradients();
    // The same state, with tensors of own parameters only.
    Optimizer::State own_state(const Optimizer::State& state) const;

    FlatParameters flat_;
    int64_t shards_;
    std::vector<std::vector<Piece>> pieces_;
    Tensor own_values_, own_grads_;  // the flat buffers themselves if alone
    std::unique_ptr<Optimizer> optimizer_;
    TreeSum sum_;
    std::vector<Tensor> below_;  // gradients (P) of the nodes below the top, which is in flat()
};

}  // namespace smoe
