// The Python that an export carries, so that `transformers` can load and run the model.
// Read next: huggingface_model.cpp, the model once more, in PyTorch; export.cpp, which writes it.
#pragma once

#include <string>

#include "models/training/config.h"

namespace smoe {

extern const char* const configuration_smoe_py;
extern const char* const modeling_smoe_py;

// "" if that Python runs a model of these settings, else why not, as the end of a sentence.
std::string why_not_in_transformers(const Config& config);

}  // namespace smoe
