// A Module owns parameters (trained), buffers (fixed, but saved) and sub-modules, all under names.
// So a checkpoint is a list of names, and nothing can be forgotten: creating a parameter registers
// it. There is no virtual forward: each module has the signature that it needs. Modules do not
// move, because their parents and members point to them.
// Read next: linear.h, the smallest one; flat_parameters.h.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "autograd/variable.h"

namespace smoe {

class Module;

// The place of a module: below `parent`, under `name`. A Scope without a parent makes a root.
struct Scope {
    Module* parent = nullptr;
    std::string name;
};

// A buffer is the same from the first step to the last, or follows training without a gradient, as
// a running mean does.
enum class BufferUse { fixed, running };

class Module {
  public:
    // Throws Error if the parent has something of this name already.
    explicit Module(const Scope& scope);
    virtual ~Module();  // leaves the parent
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    // Every parameter here and below, in the order of creation: this module's own, then those of
    // its sub-modules.
    std::vector<Variable*> parameters();
    int64_t parameter_count() const;

    // Parameters and buffers by name, "layers.0.attn.qkv_proj.weight"; the tensors share memory
    // with the module.
    std::map<std::string, Tensor> state_dict() const;

    // The running buffers among them, which a resumed run must get back, and the fixed ones, which a
    // module makes anew from its settings.
    std::map<std::string, Tensor> running_buffers() const;
    std::map<std::string, Tensor> fixed_buffers() const;

    // Copies `values` into parameters and buffers. Throws Error, naming `origin`, unless the names
    // are exactly those of state_dict(), every shape fits, every number is finite and every module
    // accepts its buffers; in that case nothing has been changed.
    void load_state_dict(const std::map<std::string, Tensor>& values, const std::string& origin);
    // Throws Error as load_state_dict would, and changes nothing.
    void check_state_dict(const std::map<std::string, Tensor>& values,
                          const std::string& origin) const;

    // Sets whether the parameters here and below want gradients, as they do at first. Switching
    // gradients off frees their memory.
    void requires_grad_(bool on);

    // Training mode (the default) switches dropout on, here and below.
    void train(bool on = true);
    void eval() { train(false); }
    bool training() const { return training_; }

  protected:
    // Both return a reference that stays valid as long as the module lives. Both throw Error if the
    // name is taken: a checkpoint would hold only one of the two.
    Variable& register_parameter(const std::string& name, const Tensor& value);
    Tensor& register_buffer(const std::string& name, const Tensor& value,
                            BufferUse use = BufferUse::fixed);

    // Throws Error for a value that the buffer must not have. It is called before load_state_dict
    // changes anything.
    virtual void check_buffer(const std::string& name, const Tensor& value) const;

    // Called after load_state_dict has changed buffers, for what is derived from them.
    virtual void state_loaded() {}

  private:
    void collect(const std::string& prefix, std::map<std::string, Tensor>& found) const;
    void collect_buffers(BufferUse use, const std::string& prefix,
                         std::map<std::string, Tensor>& found) const;
    void check_buffers(const std::string& prefix,
                       const std::map<std::string, Tensor>& values) const;
    void announce_loaded();
    void require_new(const std::string& name) const;

    template <class T>
    struct Named {
        std::string name;
        T value;
    };
    std::deque<Named<Variable>> parameters_;  // deque: references into it survive growth
    std::deque<Named<Tensor>> buffers_;
    std::vector<std::string> running_;  // names of buffers
    std::vector<Named<Module*>> children_;
    Module* parent_;
    bool training_ = true;
};

}  // namespace smoe
