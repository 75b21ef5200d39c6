// The model's side of a report: one pass of model and router over a few stories, and the overlap of
// the masks.
// Read next: report_page.cpp, which puts both halves into a page.
#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <numeric>

#include "autograd/ops.h"
#include "core/check.h"
#include "core/file.h"
#include "core/text.h"
#include "core/vector_math.h"
#include "examples/smoe/experts.h"
#include "examples/smoe/report_data.h"
#include "examples/smoe/token_text.h"
#include "models/generation/generator.h"
#include "models/text/story_split.h"
#include "models/training/evaluation.h"
#include "models/training/trainer.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

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
    const Experts chosen = moe.router->choose(batch.inputs, chance);
    const auto trace = std::make_shared<ExpertTrace>();
    const Tensor predicted =  // (N, V)
        softmax(moe.model.forward(batch.inputs, chosen, nullptr, moe.record(chosen, trace)))
            .value();
    // Those of the last block stand for all.
    const Experts experts = trace->blocks.empty() ? Experts() : trace->blocks.back();
    const Tensor routing = moe.router->probabilities(batch.inputs);  // (N, K)
    const int64_t V = predicted.size(-1), K = moe.router->num_experts();
    TokenText text;
    Json tokens = Json::array();
    for (size_t n = 1; n < batch.targets.size(); ++n) {
        const int32_t id = batch.inputs.tokens()[n];
        if (id == tokenizer.end_of_text()) {
            break;  // padding
        }
        const real* const before = predicted.data() + (int64_t(n) - 1) * V;
        Json token = {{"t", text.add(tokenizer.token_bytes(id))},
                      {"p", rounded(before[id], 4)},
                      {"top", likeliest(before, V, tokenizer)}};
        if (!experts.empty()) {
            token["e"] = experts[n];
        }
        if (routing.defined()) {
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

// The first sequences of each domain, six in all if there are that many.
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

// (K, K): the share of all masked neurons that two experts both keep.
Json mask_overlap(const Decoder& model) {
    const int64_t K = model.settings().num_experts;
    std::vector<double> both(size_t(K * K), 0);
    double neurons = 0;
    for (const std::unique_ptr<Block>& block : model.layers()) {
        for (const Tensor& mask : block->ffn->masks()) {
            const int64_t width = mask.size(-1);
            neurons += double(width);
            for (int64_t a = 0; a < K; ++a) {
                for (int64_t b = 0; b < K; ++b) {
                    both[size_t(a * K + b)] +=
                        double(dot(mask.data() + a * width, mask.data() + b * width, width));
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

// The text that a report looks at: stories and where they come from.
struct SampleText {
    StoryList stories;
    std::string source;
    bool held_out = true;  // neither trained on nor written by the model
};

std::string file_names(const std::vector<std::string>& paths) {
    std::vector<std::string> names;
    std::transform(paths.begin(), paths.end(), std::back_inserter(names), file_name);
    return to_valid_utf8(join(names, ", "));
}

// Up to three stories written by the model.
SampleText written_by(const SingleMoe& moe, const Tokenizer& tokenizer, const Config& config,
                      const std::string& reason) {
    std::vector<std::vector<int32_t>> ids(3);
    Generator generator(moe, tokenizer.end_of_text(), int64_t(ids.size()));
    generator.run({}, Sampling{}, config.seed, std::max<int64_t>(1, config.model.context - 2),
                  [&](const Generator::Token& token) {
                      if (token.id != tokenizer.end_of_text()) {
                          ids[size_t(token.sample)].push_back(token.id);
                      }
                  });
    std::vector<Story> stories;
    for (const std::vector<int32_t>& story : ids) {
        if (!story.empty()) {
            stories.push_back({to_valid_utf8(tokenizer.decode(story)), "its own"});
        }
    }
    return {std::move(stories), reason + ", so the model wrote these itself", false};
}

SampleText sample_text(const SingleMoe& moe, const Tokenizer& tokenizer, const Config& config,
                       const std::vector<std::string>& data) {
    if (!data.empty()) {
        return {read_list(data), file_names(data)};
    }
    std::string reason = "no text was held out";
    try {
        SampleText sample{read_split(config.data, config.valid, config.valid_share).valid,
                          "held out from training"};
        if (!sample.stories.empty()) {
            return sample;
        }
    } catch (const Error&) {  // its message names folders
        reason = file_names(config.valid.empty() ? config.data : config.valid) + " cannot be read";
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

Json model_summary(const RunDirectory& run, const Config& config,
                   const std::vector<std::string>& data) {
    const Tokenizer tokenizer = run.tokenizer(config);
    const std::unique_ptr<SingleMoe> moe = run.load(config);
    const SampleText sample = sample_text(*moe, tokenizer, config, data);
    Json result = {{"source", sample.source},
                   {"parameters", moe->model.parameter_count()},
                   {"active_parameters", std::llround(parameter_counts(*moe).active)},
                   {"domains", Json::array()},
                   {"experts", nullptr},
                   {"stories", Json::array()}};
    if (!sample.stories.empty()) {
        DatasetSettings settings = dataset_settings(config);
        settings.held_out = data.empty();
        settings.what = data.empty() ? "held-out text" : "text";
        const Dataset dataset(sample.stories.encoded(tokenizer), tokenizer, settings);
        if (data.empty() && sample.held_out && !config.valid_hash.empty() &&
            !dataset.has_hash(config.valid_hash)) {
            result["source"] =
                config.valid.empty()
                    ? "stories that training may have seen: its text, or which of it is held out, "
                      "has changed since"
                    : "held-out files that have changed since training";
        }
        for (const int64_t sequence : sample_sequences(dataset)) {
            result["stories"].push_back(
                story_json(*moe, tokenizer, dataset, sequence, config.seed));
        }
        if (sample.held_out) {
            result["domains"] =
                domains_json(evaluate(*moe, dataset, config.seed, evaluated_tokens));
        }
        if (sample.held_out && !moe->router->is_dense()) {
            result["experts"] =
                json_of(analyse_experts(*moe, dataset, config.seed, analysed_tokens,
                                        moe->router->num_experts() <= most_experts_one_by_one));
        }
    }
    result["overlap"] = moe->router->is_dense() ? Json::array() : mask_overlap(moe->model);
    return result;
}

}  // namespace smoe
