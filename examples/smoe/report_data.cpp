// The numbers of a report: curves out of metrics.jsonl, thinned to what a screen can show, and one
// pass of model and router over a few stories. What cannot be read as a number is shown as missing.
// Read next: report_page.cpp.
#include "examples/smoe/report_data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/text.h"
#include "core/vector_math.h"
#include "examples/smoe/stories.h"
#include "examples/smoe/token_text.h"
#include "models/generator.h"
#include "models/progress.h"
#include "models/story_reader.h"
#include "models/trainer.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

// A number with as many digits as a page can show.
Json rounded(double value, int digits) {
    if (!std::isfinite(value)) {
        return nullptr;
    }
    const double scale = std::pow(10, digits);
    return std::round(value * scale) / scale;
}

double number_or_nan(const Json& object, const char* key) {
    return object.contains(key) && object[key].is_number() ? object[key].get<double>() : NAN;
}

// The lines of metrics.jsonl that have a step and this key.
std::vector<Json> lines_with(const RunDirectory& run, const char* key) {
    std::vector<Json> lines;
    for (const std::string& line : run.metrics()) {
        Json object = Json::parse(line, nullptr, false);
        if (object.is_object() && std::isfinite(number_or_nan(object, "step")) &&
            std::isfinite(number_or_nan(object, key))) {
            lines.push_back(std::move(object));
        }
    }
    return lines;
}

using Column = std::vector<double>;

Column column(const std::vector<Json>& lines, const char* key) {
    Column values;
    for (const Json& line : lines) {
        values.push_back(number_or_nan(line, key));
    }
    return values;
}

// Each process counts its own seconds: adds up those before it.
Column joined(Column seconds) {
    double before = 0, last = 0;
    for (double& value : seconds) {
        if (value < last) {
            before += last;
        }
        last = value;
        value += before;
    }
    return seconds;
}

// (K) columns of shares in [0, 1]; a line whose counts do not fit has none.
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

// At most `most_points` means of neighbours. Where a value is missing the mean is of the others.
Json thinned(const Column& values) {
    const size_t stride = (values.size() + most_points - 1) / most_points;
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

std::string text_of(const std::string& value) {
    return to_valid_utf8(value);
}
std::string text_of(const std::vector<std::string>& value) {
    return to_valid_utf8(join(value, ", "));
}
template <class T>
std::string text_of(T value) {
    return fmt::format("{}", value);
}

Json settings(Config config) {
    Json result = Json::object();
    visit_settings(config, [&](const Setting& setting, const auto& field) {
        result[fmt::format("{}.{}", setting.group, setting.key)] = text_of(field);
    });
    return result;
}

// The three likeliest tokens of a row of probabilities, as [[text, probability], ...].
Json likeliest(const real* probabilities, int64_t vocab, const Tokenizer& tokenizer) {
    std::vector<int32_t> ids(static_cast<size_t>(vocab));
    std::iota(ids.begin(), ids.end(), 0);
    const auto count = std::min<std::ptrdiff_t>(3, std::ptrdiff_t(ids.size()));
    std::partial_sort(ids.begin(), ids.begin() + count, ids.end(),
                      [&](int32_t a, int32_t b) { return probabilities[a] > probabilities[b]; });
    Json result = Json::array();
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        const int32_t id = ids[size_t(i)];
        result.push_back(
            {id == tokenizer.end_of_text() ? "(the end)" : to_valid_utf8(tokenizer.token_bytes(id)),
             rounded(probabilities[id], 4)});
    }
    return result;
}

// What the model and its router make of one sequence.
Json story_json(const SingleMoe& moe, const Tokenizer& tokenizer, const Dataset& data,
                int64_t sequence, uint64_t seed) {
    const NoGrad no_grad;
    const Batch batch = data.batch(std::array{sequence});
    Rng chance = stream(seed, Stream::evaluation);
    const Labels labels = moe.router.choose(batch.inputs, batch.offsets, chance);
    const Tensor predicted =  // (N, V)
        softmax(moe.model.forward(batch.inputs, batch.offsets, labels)).value();
    Tensor routing;  // (N, K)
    const int64_t V = predicted.size(-1), K = moe.router.experts();
    if (moe.router.network() != nullptr) {
        routing = softmax(moe.router.network()->forward(batch.inputs, batch.offsets, {})).value();
    }
    TokenText text;
    Json tokens = Json::array();
    for (size_t n = 1; n < batch.inputs.size(); ++n) {
        const int32_t id = batch.inputs[n];
        if (id == tokenizer.end_of_text()) {
            break;  // padding
        }
        const real* const before = predicted.data() + (int64_t(n) - 1) * V;
        Json token = {{"t", text.add(tokenizer.token_bytes(id))},
                      {"p", rounded(before[id], 4)},
                      {"top", likeliest(before, V, tokenizer)}};
        if (!labels.empty()) {
            token["e"] = labels[n];
        }
        if (moe.router.network() != nullptr) {
            Json& row = token["r"] = Json::array();
            for (int64_t k = 0; k < K; ++k) {
                row.push_back(rounded(routing.data()[int64_t(n) * K + k], 3));
            }
        }
        tokens.push_back(std::move(token));
    }
    return {{"domain", data.domains()[size_t(data.domain_of(sequence))]},
            {"tokens", std::move(tokens)}};
}

// The first sequences of each domain, six in all where there are that many.
std::vector<int64_t> sample_sequences(const Dataset& data) {
    const int64_t domains = std::min<int64_t>(6, int64_t(data.domains().size()));
    const int64_t of_each = domains == 1 ? 3 : 6 / domains;
    std::map<int, int64_t> taken;
    std::vector<int64_t> sequences;
    for (int64_t i = 0; i < data.size() && int64_t(sequences.size()) < of_each * domains; ++i) {
        if (taken[data.domain_of(i)] < of_each) {
            ++taken[data.domain_of(i)];
            sequences.push_back(i);
        }
    }
    return sequences;
}

// (K, K): the share of all masked neurons that both of two experts keep.
Json mask_overlap(const Decoder& model) {
    const int64_t K = model.settings().experts;
    std::vector<double> both(size_t(K * K), 0);
    double neurons = 0;
    for (const std::unique_ptr<Block>& block : model.layers()) {
        for (const MaskedLinear* layer : {&block->ffn.lin_1, &block->ffn.lin_2}) {
            if (layer->all_kept()) {
                continue;
            }
            const int64_t width = layer->mask.size(-1);
            neurons += double(width);
            for (int64_t a = 0; a < K; ++a) {
                for (int64_t b = 0; b < K; ++b) {
                    both[size_t(a * K + b)] += double(
                        dot(layer->mask.data() + a * width, layer->mask.data() + b * width, width));
                }
            }
        }
    }
    Json rows = Json::array();
    for (int64_t a = 0; a < K && neurons > 0; ++a) {
        Json& row = rows.emplace_back(Json::array());
        for (int64_t b = 0; b < K; ++b) {
            row.push_back(rounded(both[size_t(a * K + b)] / neurons, 4));
        }
    }
    return rows;
}

// What a report looks at: stories and where they come from.
struct SampleText {
    std::vector<Story> stories;
    std::string source;
    bool held_out = true;  // neither trained on nor written by the model
};

// Up to three stories of the model's own.
SampleText written_by(const SingleMoe& moe, const Tokenizer& tokenizer, const Config& config,
                      const std::string& reason) {
    std::vector<std::vector<int32_t>> ids(3);
    Generator generator(moe, tokenizer.end_of_text(), int64_t(ids.size()));
    generator.run({}, Sampling{}, config.seed, std::max<int64_t>(1, config.context - 2),
                  [&](const Generator::Token& token) {
                      if (token.id != tokenizer.end_of_text()) {
                          ids[size_t(token.sample)].push_back(token.id);
                      }
                  });
    SampleText sample{{}, reason + ", so the model wrote these itself", false};
    for (const std::vector<int32_t>& story : ids) {
        if (!story.empty()) {
            sample.stories.push_back({to_valid_utf8(tokenizer.decode(story)), "its own"});
        }
    }
    return sample;
}

SampleText sample_text(const SingleMoe& moe, const Tokenizer& tokenizer, const Config& config,
                       const std::vector<std::string>& data) {
    if (!data.empty()) {
        return {read_stories(data), to_valid_utf8(join(data, ", "))};
    }
    std::string reason = "no text was held out";
    try {
        SampleText sample{split_stories(config).second, "held out from training"};
        if (!sample.stories.empty()) {
            return sample;
        }
    } catch (const Error& error) {
        reason = to_valid_utf8(error.what());
    }
    return written_by(moe, tokenizer, config, reason);
}

Json domains_json(const Evaluation& result) {
    Json rows = Json::array();
    for (const EvaluationPart& part : result.domains) {
        if (part.tokens > 0) {
            rows.push_back({{"name", part.domain},
                            {"tokens", part.tokens},
                            {"loss", rounded(part.loss(), 4)},
                            {"bits_per_byte", rounded(part.bits_per_byte(), 4)},
                            {"expert_tokens", part.expert_tokens}});
        }
    }
    return rows;
}

}  // namespace

Json run_summary(const RunDirectory& run, const Config& config) {
    const std::vector<Json> reports = lines_with(run, "loss"),
                            valid = lines_with(run, "valid_loss");
    Json result;
    result["name"] = to_valid_utf8(run.path());
    const Column seconds = joined(column(reports, "seconds"));

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
        facts["time"] = format_duration(seconds.back());
        facts["tokens/s"] = count_text(median(column(reports, "tokens_per_second")));
        const Column peaks = column(reports, "peak_bytes");
        const double peak = *std::max_element(peaks.begin(), peaks.end());
        facts["peak memory"] = is_count(peak) ? format_bytes(std::llround(peak)) : "?";
    }
    result["settings"] = settings(config);

    Json& columns = result["reports"];
    for (const char* key : {"step", "tokens", "loss", "tokens_per_second", "peak_bytes",
                            "router_correctness", "router_distribution"}) {
        columns[key] = thinned(column(reports, key));
    }
    columns["seconds"] = thinned(seconds);
    columns["expert_shares"] = Json::array();
    if (config.routing != "none") {
        for (const Column& share : expert_shares(reports, config.experts)) {
            columns["expert_shares"].push_back(thinned(share));
        }
    }
    result["valid"] = {{"step", column(valid, "step")},
                       {"loss", column(valid, "valid_loss")},
                       {"bits_per_byte", column(valid, "valid_bits_per_byte")}};
    return result;
}

Json model_summary(const RunDirectory& run, const Config& config,
                   const std::vector<std::string>& data) {
    const Tokenizer tokenizer = run.tokenizer(config);
    const std::unique_ptr<SingleMoe> moe = run.load(config);
    const SampleText sample = sample_text(*moe, tokenizer, config, data);
    Json result = {{"source", sample.source},
                   {"parameters", moe->model.parameter_count()},
                   {"domains", Json::array()},
                   {"stories", Json::array()}};
    if (!sample.stories.empty()) {
        const Dataset dataset(sample.stories, tokenizer, dataset_settings(config));
        for (const int64_t sequence : sample_sequences(dataset)) {
            result["stories"].push_back(
                story_json(*moe, tokenizer, dataset, sequence, config.seed));
        }
        if (sample.held_out) {
            result["domains"] =
                domains_json(evaluate(*moe, dataset, config.seed, evaluated_tokens));
        }
    }
    result["overlap"] = config.routing == "none" ? Json::array() : mask_overlap(moe->model);
    return result;
}

}  // namespace smoe
