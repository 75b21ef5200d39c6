// The curves of a report: what metrics.jsonl says, thinned to what a screen can show. Whatever
// cannot be read as a number is shown as missing.
// Read next: report_model.cpp, the other half.
#include <algorithm>
#include <cmath>
#include <optional>

#include "core/file.h"
#include "core/format.h"
#include "core/text.h"
#include "examples/smoe/report_data.h"
#include "examples/smoe/token_text.h"

namespace smoe {

using Json = nlohmann::ordered_json;

namespace {

double number_or_nan(const Json& object, const char* key) {
    return object.contains(key) && object[key].is_number() ? object[key].get<double>() : NAN;
}

// The objects of metrics.jsonl that have this number.
std::vector<Json> reports_with(const RunDirectory& run, const char* key) {
    std::vector<Json> reports;
    for (Json& object : run.metrics()) {
        if (std::isfinite(number_or_nan(object, key))) {
            reports.push_back(std::move(object));
        }
    }
    return reports;
}

using Column = std::vector<double>;

Column column(const std::vector<Json>& lines, const char* key) {
    Column values;
    for (const Json& line : lines) {
        values.push_back(number_or_nan(line, key));
    }
    return values;
}

// The whole numbers from 0 to `end` - 1 in a list, or nothing if it is none of such.
std::optional<std::vector<int64_t>> counts_of(const Json& list, int64_t end) {
    std::vector<int64_t> counts;
    for (const Json& number : list) {
        if (!number.is_number_unsigned() || number.get<uint64_t>() >= uint64_t(end)) {
            return std::nullopt;
        }
        counts.push_back(number.get<int64_t>());
    }
    return list.is_array() ? std::optional(counts) : std::nullopt;
}

// A column for each block that chooses, of shares in [0, 1]; none if no expert ever changed.
Json experts_changed(const std::vector<Json>& lines, int64_t blocks) {
    std::vector<Column> shares(size_t(blocks), Column(lines.size(), NAN));
    size_t chosen = 0;
    for (size_t i = 0; i < lines.size(); ++i) {
        const Json changed = lines[i].value("experts_changed", Json());
        for (size_t block = 0;
             changed.is_array() && block < std::min(changed.size(), shares.size()); ++block) {
            if (changed[block].is_number()) {
                shares[block][i] = changed[block].get<double>();
                chosen = shares[block][i] > 0 ? std::max(chosen, changed.size()) : chosen;
            }
        }
    }
    shares.resize(std::min(chosen, shares.size()));
    return shares;
}

// (K) columns of shares in [0, 1]. A line whose counts do not fit has none.
std::vector<Column> expert_shares(const std::vector<Json>& lines, int64_t experts) {
    std::vector<Column> shares(size_t(experts), Column(lines.size(), NAN));
    for (size_t i = 0; i < lines.size(); ++i) {
        const Json counts = lines[i].value("expert_tokens", Json());
        if (!counts.is_array() || int64_t(counts.size()) != experts ||
            !std::all_of(counts.begin(), counts.end(),
                         [](const Json& count) { return count.is_number_unsigned(); })) {
            continue;
        }
        double total = 0;
        for (const Json& count : counts) {
            total += count.get<double>();
        }
        for (size_t k = 0; k < shares.size() && total > 0; ++k) {
            shares[k][i] = counts[k].get<double>() / total;
        }
    }
    return shares;
}

// At most `max_points` means of neighbours. Missing values are left out of the mean.
Json thinned(const Column& values) {
    const size_t stride = (values.size() + max_points - 1) / max_points;
    Json result = Json::array();
    for (size_t begin = 0; begin < values.size(); begin += stride) {
        double sum = 0;
        int count = 0;
        for (size_t i = begin; i < std::min(begin + stride, values.size()); ++i) {
            if (std::isfinite(values[i])) {
                sum += values[i];
                ++count;
            }
        }
        result.push_back(count > 0 ? rounded(sum / count, 4) : Json());
    }
    return result;
}

bool is_count(double value) {
    return value >= 0 && value < 1e18;
}

std::string count_text(double value) {
    return is_count(value) ? format_count(std::llround(value)) : "?";
}

double median(Column values) {
    values.erase(std::remove_if(values.begin(), values.end(),
                                [](double value) { return !std::isfinite(value); }),
                 values.end());
    if (values.empty()) {
        return NAN;
    }
    const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

Json settings(const Config& config) {
    Json result = Json::object();
    const Config published = without_folders(config);
    visit_settings(published, [&](const Setting& setting, const auto& field) {
        result[fmt::format("{}.{}", setting.group, setting.key)] =
            to_valid_utf8(setting_text(field));
    });
    return result;
}

}  // namespace

Json run_summary(const RunDirectory& run, const Config& config) {
    const std::vector<Json> reports = reports_with(run, "loss"),
                            valid = reports_with(run, "valid_loss");
    Json result;
    result["name"] = to_valid_utf8(file_name(run.path()));
    const Column seconds = column(reports, "seconds");

    Json& facts = result["facts"] = Json::object();
    if (!valid.empty()) {
        facts["held-out bits per byte"] =
            fmt::format("{:.4f}", number_or_nan(valid.back(), "valid_bits_per_byte"));
        facts["held-out loss per token"] =
            fmt::format("{:.4f}", number_or_nan(valid.back(), "valid_loss"));
    }
    if (!reports.empty()) {
        const Json& last = reports.back();
        facts["training loss"] = fmt::format("{:.4f}", number_or_nan(last, "loss"));
        facts["steps"] = count_text(number_or_nan(last, "step"));
        facts["tokens"] = count_text(number_or_nan(last, "tokens"));
        if (const double count = number_or_nan(last, "multiply_adds"); count > 0) {
            facts["multiply-adds"] = format_large(count);
        }
        facts["time"] = format_duration(seconds.back());
        facts["tokens/s"] = count_text(median(column(reports, "tokens_per_second")));
        const Column peaks = column(reports, "peak_bytes");
        const double peak = *std::max_element(peaks.begin(), peaks.end());
        facts["peak memory"] = is_count(peak) ? format_bytes(std::llround(peak)) : "?";
    }
    result["settings"] = settings(config);

    Json& columns = result["reports"];
    for (const char* key : {"step", "tokens", "loss", "tokens_per_second", "waiting", "peak_bytes",
                            "router_correctness", "router_distribution"}) {
        columns[key] = thinned(column(reports, key));
    }
    columns["seconds"] = thinned(seconds);
    columns["expert_shares"] = Json::array();
    if (std::ranges::any_of(reports, [](const Json& r) { return r.contains("expert_tokens"); })) {
        for (const Column& share : expert_shares(reports, config.model.experts.count)) {
            columns["expert_shares"].push_back(thinned(share));
        }
    }
    result["valid"] = {{"step", column(valid, "step")},
                       {"loss", column(valid, "valid_loss")},
                       {"bits_per_byte", column(valid, "valid_bits_per_byte")},
                       {"experts_changed", experts_changed(valid, config.model.sizes.layers)}};
    return result;
}

Json run_samples(const RunDirectory& run, const Config& config) {
    const std::vector<Json> lines = run.samples();
    Json result = Json::array();
    if (lines.empty()) {
        return result;
    }
    const Tokenizer tokenizer = run.tokenizer(config);
    const size_t stride = (lines.size() + max_samples - 1) / max_samples;
    for (size_t i = (lines.size() - 1) % stride; i < lines.size(); i += stride) {
        const auto ids = counts_of(lines[i].value("ids", Json()), tokenizer.vocab_size());
        const auto experts =
            counts_of(lines[i].value("experts", Json()), config.model.experts.count);
        TokenText text;
        Json tokens = Json::array();
        for (size_t n = 0; ids && n < ids->size() && (*ids)[n] != tokenizer.end_of_text(); ++n) {
            tokens.push_back({{"t", text.add(tokenizer.token_bytes(int32_t((*ids)[n])))}});
            if (experts && n < experts->size()) {
                tokens.back()["e"] = (*experts)[n];
            }
        }
        if (const std::string rest = text.finish(); !rest.empty()) {
            tokens.push_back({{"t", rest}});
        }
        result.push_back({{"step", lines[i]["step"]}, {"tokens", std::move(tokens)}});
    }
    return result;
}

}  // namespace smoe
