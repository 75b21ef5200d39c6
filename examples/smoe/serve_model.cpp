// A model with all that it needs to answer.
// Read next: serve_renewal.cpp; serve_exchange.h.
#include <filesystem>

#include "core/file.h"
#include "core/text.h"
#include "examples/smoe/serve.h"
#include "models/training/run_directory.h"

namespace smoe {

std::string weights_written(const RunDirectory& run) {
    std::string times;
    for (const char* const name : {"model.safetensors", "router.safetensors"}) {
        std::error_code none;  // not every router has weights
        const auto time = std::filesystem::last_write_time(run.file(name), none);
        times += fmt::format("{} ", time.time_since_epoch().count());
    }
    return times;
}

ServedModel load_served(const std::string& path, int64_t places, Precision precision) {
    const RunDirectory run(path);
    std::string written = weights_written(run);
    Config config = run.config();
    Tokenizer tokenizer = run.tokenizer(config);
    std::unique_ptr<SingleMoe> moe = run.load(config);
    auto generator = std::make_unique<Generator>(*moe, tokenizer.end_of_text(), places, precision);
    return {path,
            to_one_line(file_name(path)),
            std::move(config),
            std::move(tokenizer),
            std::move(moe),
            std::move(generator),
            places,
            precision,
            std::move(written)};
}

int64_t ServedModel::experts() const {
    return moe->router->is_dense() ? 0 : moe->router->num_experts();
}

bool ServedModel::can_ban() const {
    return experts() > 0 && !moe->router->is_inside();
}

std::vector<Scheduler::Model> workers(const std::vector<ServedModel>& models) {
    std::vector<Scheduler::Model> result;
    for (const ServedModel& model : models) {
        result.push_back({model.moe.get(), &model.tokenizer, model.generator.get()});
    }
    return result;
}

}  // namespace smoe
