// Metrics as JSON.
// Read next: training_loop.cpp.
#include "models/training/metrics.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "core/processes.h"
#include "core/storage.h"

namespace smoe {
namespace {

// Now, in seconds since 1970, for whoever puts several runs side by side.
std::string wall_time() {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return fmt::format("{:.3f}", std::chrono::duration<double>(since_1970).count());
}

}  // namespace

std::string metrics_line(const Window& window, const Trainer& trainer, const RunCosts& costs,
                         double seconds) {
    std::string line = fmt::format(
        R"({{"step": {}, "tokens": {}, "epoch": {}, "seconds": {:.3f}, "loss": {:.6f}, )"
        R"("grad_norm": {:.6g}, "learning_rate": {:.6g}, "multiply_adds": {:.0f}, )"
        R"("tokens_per_second": {:.1f}, "peak_bytes": {}, "time": {})",
        trainer.steps(), trainer.tokens(), trainer.epoch(), seconds, window.loss(),
        window.grad_norm(), window.learning_rate,
        costs.multiply_adds(trainer.tokens(), trainer.steps()), window.tokens_per_second(),
        memory_use().peak, wall_time());
    if (process_count() > 1) {
        line += fmt::format(R"(, "processes": {}, "waiting": {:.4f})", process_count(),
                            window.waiting());
    }
    for (const auto& [name, sum] : window.router_losses) {
        line += fmt::format(R"(, "router_{}": {:.6f})", name, sum / double(window.router_steps));
    }
    if (!window.expert_tokens.empty()) {
        line += R"(, "expert_tokens": [)";
        for (size_t k = 0; k < window.expert_tokens.size(); ++k) {
            line += fmt::format("{}{}", k > 0 ? ", " : "", window.expert_tokens[k]);
        }
        line += "]";
    }
    return line + "}";
}

std::string evaluation_line(int64_t step, const Evaluation& result,
                            const std::vector<double>& changed) {
    std::string line = fmt::format(
        R"({{"step": {}, "valid_loss": {:.6f}, "valid_bits_per_byte": {:.6f}, "time": {})", step,
        result.total.loss(), result.total.bits_per_byte(), wall_time());
    if (result.domains.size() > 1) {
        nlohmann::ordered_json domains = nlohmann::ordered_json::object();
        for (const EvaluationPart& part : result.domains) {
            if (part.tokens > 0) {  // of a small domain, --eval-tokens may leave none
                domains[part.domain] = {{"loss", part.loss()},
                                        {"bits_per_byte", part.bits_per_byte()}};
            }
        }
        line += R"(, "valid_domains": )" +
                domains.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
    }
    if (!changed.empty()) {
        line += fmt::format(R"(, "experts_changed": [{:.4f}])", fmt::join(changed, ", "));
    }
    return line + "}";
}

}  // namespace smoe
