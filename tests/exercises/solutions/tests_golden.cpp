// One solution of the exercise tests_golden.cpp; write your own first.
// Read next: tests/exercises/tests_golden.cpp, its test.
#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "core/safetensors.h"

namespace {

using namespace smoe;

bool agree(const Tensor& ours, const Tensor& golden, double tolerance) {
    if (ours.shape() != golden.shape()) {
        return false;
    }
    double scale = 1e-3;
    for (const real number : golden.values()) {
        scale = std::max(scale, double(std::abs(number)));
    }
    scale = std::min(scale, 1.0);
    for (int64_t i = 0; i < golden.numel(); ++i) {
        const double a = double(ours.data()[i]), b = double(golden.data()[i]);
        if (!std::isfinite(a) || !std::isfinite(b) ||
            std::abs(a - b) > tolerance * std::max(std::abs(b), scale)) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::vector<std::string> disagreements(const TensorFile& ours, const TensorFile& golden,
                                       double tolerance) {
    std::set<std::string> names;
    for (const auto& [name, tensor] : golden.tensors) {
        const auto found = ours.tensors.find(name);
        if (found == ours.tensors.end() || !agree(found->second, tensor, tolerance)) {
            names.insert(name);
        }
    }
    for (const auto& [name, tensor] : ours.tensors) {
        if (!golden.tensors.contains(name)) {
            names.insert(name);
        }
    }
    return {names.begin(), names.end()};
}
