// What all optimisers share: they change one flat buffer of parameters from one flat buffer of
// gradients, one step at a time, and can be saved and continued. They know no parameters by name
// and treat all alike, except for groups.
// Read next: sgd.h, adamw.h, schedule_free_adamw.h.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/enum_names.h"
#include "core/tensor.h"

namespace smoe {

// How the learning rate goes on after the warm-up.
enum class Schedule {
    constant,
    cosine,  // to 0 along half a wave (Loshchilov and Hutter, "SGDR", 2017)
    linear   // to 0
};
const EnumNames<Schedule>& enum_names(Schedule);

// Parameters begin .. end - 1 of the flat buffer, whose rates are multiplied by factors.
struct ParameterGroup {
    int64_t begin = 0, end = 0;
    double lr = 1, weight_decay = 1;
};

struct OptimizerSettings {
    double lr = 1e-3;
    double beta1 = 0.9;  // momentum, for SGD as well
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0.01;
    int64_t warmup = 0;  // steps over which the learning rate rises linearly to lr
    Schedule schedule = Schedule::constant;
    int64_t steps = 0;  // after which a schedule has reached 0
    // None overlaps another; what is in no group has factors 1.
    std::vector<ParameterGroup> groups{};
};

// Throws Error for numbers that no optimiser can use.
void check_settings(const OptimizerSettings& settings);

class Optimizer {
  public:
    // Everything besides the parameters that the next step depends on.
    struct State {
        std::map<std::string, Tensor> tensors;  // as long as the parameters
        std::map<std::string, double> numbers;
    };

    // values, grads (P): the first is changed, the second is read. Both are shared, not copied.
    // Throws Error for unequal shapes, for impossible settings, and for groups that overlap or lie
    // outside.
    Optimizer(const Tensor& values, const Tensor& grads, const OptimizerSettings& settings);
    virtual ~Optimizer() = default;
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;

    // One update of the parameters from the gradients. Throws Error in evaluation mode.
    void step();

    // eval() puts into the parameters what should be evaluated, train() what is trained. Each does
    // nothing if already in its mode; train() after eval() restores the very bits.
    void eval();
    void train();
    bool training() const { return training_; }

    // What the parameters would hold in evaluation mode, without changing them; may share their
    // memory.
    Tensor evaluation_values() const { return training_ ? averaged_values() : values_; }

    // `state_dict` returns the state, which shares memory with the optimiser; `load_state_dict`
    // restores it, and throws Error, naming `origin`, if anything is missing, left over or of a
    // different size. Both throw Error in evaluation mode, in which the parameters are not those
    // that the next step starts from.
    State state_dict() const;
    void load_state_dict(const State& state, const std::string& origin);
    // Throws Error as load_state_dict would, and changes nothing.
    void check_state_dict(const State& state, const std::string& origin) const;

    int64_t steps() const { return steps_; }
    // The learning rate of the next step, by warm-up and schedule, times a group's factor.
    double learning_rate(double factor = 1) const;

  protected:
    // Parameters begin .. end - 1, with their rates in this step.
    struct Part {
        int64_t begin, end;
        double lr, weight_decay;
    };
    // Step number steps_, counted from 0, for a part; the parts cover all parameters once.
    virtual void update(const Part& part) = 0;
    virtual void begin_step() {}                                // called before the parts of a step
    virtual Tensor averaged_values() const { return values_; }  // called in training mode only

    Tensor values_, grads_;  // (P) each
    OptimizerSettings settings_;
    int64_t steps_ = 0;
    // What a kind of optimiser keeps: tensors of length P, and numbers.
    std::map<std::string, Tensor> kept_;
    std::map<std::string, double> numbers_;

  private:
    void require_training(const char* call) const;
    void swap_values();
    double schedule() const;

    std::vector<ParameterGroup> groups_;  // rising, and without gaps
    Tensor trained_;                      // in evaluation mode: what train() brings back
    bool training_ = true;
};

// Names of the kinds of optimisers: "schedule_free", "adamw", "sgd".
std::vector<std::string> optimizer_kinds();
// Throws Error for a kind that is not among them.
std::unique_ptr<Optimizer> make_optimizer(const std::string& kind, const Tensor& values,
                                          const Tensor& grads, const OptimizerSettings& settings);

}  // namespace smoe
