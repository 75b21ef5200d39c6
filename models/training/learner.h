// The parameters of a module and their optimiser, shared out among the processes of a run: each owns a
// piece of every bucket of parameters, adds up the gradients of its pieces, takes the optimiser's
// step for them, and sends the new values to all (Rajbhandari et al., "ZeRO", SC 2020, stage 1). So
// the optimiser's state and work are divided by the number of processes. A process that is alone
// owns everything, and nothing is copied.
//
//     a step:  shard by shard, backward, then add_shard();  finish_gradients();  step()
//
// All functions but flat(), sending() and add_shard() are to be called by every process at the same
// point.
// Read next: shards.h, the order in which gradients are added; trainer.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autograd/engine.h"
#include "models/training/exchange.h"
#include "models/training/shards.h"
#include "nn/flat_parameters.h"
#include "nn/optim/optimizer.h"

namespace smoe {

class Learner {
  public:
    // The module must outlive this. The settings of the optimiser may depend on where parameters lie.
    // Learners of one run have channels of their own.
    Learner(Module& module, const std::string& kind,
            const std::function<OptimizerSettings(const FlatParameters& flat)>& settings,
            int64_t shards, Precision exchange, int channel);

    const FlatParameters& flat() const { return flat_; }

    // For the backward walk of shard number `shard`: if it is the last of this process, gradients are
    // sent as soon as they are complete, while the walk goes on. Empty if there is nothing to send.
    LeafDone sending(int64_t shard);
    // The gradients in flat() are those of shard number `shard`, and become part of the sum. Shards
    // of a process come in rising order. This and `sending` wait for nobody, so other processes may
    // fail meanwhile.
    void add_shard(int64_t shard);
    // Adds up the gradients of all shards, and scales the sum down to length `most` if it is
    // longer. Returns the length before that.
    double finish_gradients(double most);
    // The first parameter whose gradient is not finite, after finish_gradients.
    std::string first_not_finite_gradient() const;

    double learning_rate() const { return optimizer_->learning_rate(); }  // of the next step
    void step();       // one update of all parameters from the sum
    void zero_grad();  // forgets gradients and their sum

    // As the optimiser's.
    void eval();
    void train();

    // Values (P) and the optimiser's state of all parameters, for who writes them to a file, which is
    // process 0. The others take part, and get tensors whose numbers are undefined.
    Tensor evaluation_values() const;
    Optimizer::State state_dict() const;
    void check_state_dict(const Optimizer::State& state, const std::string& origin) const;
    // Begins anew at the values in flat(), which every process has.
    void restart();
    // Takes over values (P) and a whole state, which every process has.
    void load(const Tensor& values, const Optimizer::State& state, const std::string& origin);

  private:
    bool is_alone() const { return pieces_.front().size() == 1; }
    std::vector<Piece> own_pieces() const;
    // What this process owns of a flat buffer (P), end to end; the same tensor if it is alone.
    Tensor own_of(const Tensor& flat) const;
    // The flat buffer of which every process gives its own, for process 0. Others get one that is
    // undefined, and as long as nobody writes to it, takes no memory.
    Tensor whole(const Tensor& own) const;
    void gather(const Tensor& own, const Tensor& flat) const;  // writes `flat`
    void publish_values() const;                               // the own ones, to all
    void begin_exchange(int64_t last_shard);
    // The same state, with tensors of own parameters only.
    Optimizer::State own_state(const Optimizer::State& state) const;

    FlatParameters flat_;
    std::string kind_;
    int64_t shards_;
    Precision exchange_precision_;
    int channel_;  // of its messages
    std::vector<std::vector<Piece>> pieces_;
    Tensor own_values_, own_grads_;  // the flat buffers themselves if alone
    OptimizerSettings own_settings_;
    std::unique_ptr<Optimizer> optimizer_;
    TreeSum sum_;
    std::vector<Tensor> below_;  // gradients (P) of the nodes below the top, which is in flat()
    std::unique_ptr<GradientExchange> exchange_;  // from the last shard of a step to its end
};

}  // namespace smoe
