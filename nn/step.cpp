// Memory for inference steps.
// Read next: attention.cpp.
#include "nn/step.h"

#include <algorithm>

namespace smoe {

void StepMemory::reserve(const StepNeeds& needs, int64_t rows, int64_t width) {
    const auto grow = [](Tensor& tensor, int64_t count) {
        if (tensor.numel() < count) {
            tensor = Tensor::empty({count});
        }
    };
    grow(parts, needs.parts * rows * width);
    grow(numbers, needs.numbers);
    ids.resize(std::max(ids.size(), size_t(needs.ids)));
    experts.resize(std::max(experts.size(), size_t(rows)));
    weights.resize(std::max(weights.size(), size_t(rows)));
}

}  // namespace smoe
