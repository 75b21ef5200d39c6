// What smoe serve serves. The command itself is in serve.cpp.
// Read next: serve_http.h, where requests come from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/generation/generator.h"
#include "models/text/tokenizer.h"
#include "models/training/config.h"

namespace smoe {

struct ServedModel {
    std::string name;  // of the run's folder, by which requests name it
    Config config;
    Tokenizer tokenizer;
    std::unique_ptr<SingleMoe> moe;
    std::unique_ptr<Generator> generator;

    // The experts that requests may force or ban: none if the model is dense or its router inside.
    int64_t experts() const {
        return moe->router->is_dense() || moe->router->is_inside() ? 0 : moe->router->num_experts();
    }
};

}  // namespace smoe
