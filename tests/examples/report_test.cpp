// The pages of `smoe report`: what they show is what the run's files say, each is a single file
// that needs no other, and no text that is shown can become markup. tests/report/check.py checks
// how they look. The program is built in float only, so these cases belong to the float tests.
//
// Read next: examples/smoe/report_data.h.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/file.h"
#include "core/safetensors.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

using Json = nlohmann::json;

// The only text between `begin` and `end`.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
    const size_t at = text.find(begin);
    REQUIRE(at != text.npos);
    CHECK(text.find(begin, at + 1) == text.npos);
    return text.substr(at + begin.size(), text.find(end, at) - at - begin.size());
}

// Makes a page and returns the data in it, after a look at what holds for every page.
Json page_data(const std::string& words, const std::string& file) {
    const Outcome outcome = smoe_program(words);
    INFO(words << "\n" << outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(outcome.err == "");
    CHECK(outcome.out == file + "\n");
    const std::string page = contents(file);
    CHECK(page.starts_with("<!doctype html>"));
    for (const char* outside : {" src=", " href=", "url(", "@import", "fetch(", "XMLHttpRequest"}) {
        INFO(outside);
        CHECK(page.find(outside) == page.npos);
    }
    CHECK(page.find("default-src 'none'") != page.npos);
    return Json::parse(between(page, R"(<script type="application/json" id="data">)", "</script>"));
}

// The page of a copy of the workshop's run, which stays as training left it.
Json page_of_run() {
    copy_run("run", "shown");
    return page_data("report shown", "shown/report.html");
}

// A copy of the workshop's run with other settings: {from, to} replaces text in config.json.
void put_variant(const std::string& name, const std::map<std::string, std::string>& changes) {
    copy_run("run", name);
    std::string config = contents(name + "/config.json");
    for (const auto& [from, to] : changes) {
        const size_t at = config.find(from);
        REQUIRE(at != config.npos);
        config.replace(at, from.size(), to);
    }
    put(name + "/config.json", config);
}

double sum(const Json& numbers) {
    double total = 0;
    for (const Json& number : numbers) {
        total += number.get<double>();
    }
    return total;
}

std::string text_of(const Json& story) {
    std::string text;
    for (const Json& token : story["tokens"]) {
        text += token["t"].get<std::string>();
    }
    return text;
}

}  // namespace

TEST_CASE("report: the curves are those of metrics.jsonl") {
    const Json data = page_of_run();
    const Json& reports = data["run"]["reports"];
    size_t report = 0, evaluation = 0;
    for (const std::string& line : split(contents("run/metrics.jsonl"), '\n')) {
        const Json metrics = Json::parse(line);
        if (metrics.contains("valid_loss")) {
            CHECK(data["run"]["valid"]["step"][evaluation] == metrics["step"].get<double>());
            CHECK(data["run"]["valid"]["loss"][evaluation++] == metrics["valid_loss"]);
            continue;
        }
        CHECK(reports["step"][report] == metrics["step"].get<double>());
        CHECK(std::abs(reports["loss"][report].get<double>() - metrics["loss"].get<double>()) <=
              5e-5);
        CHECK(reports["peak_bytes"][report] == metrics["peak_bytes"].get<double>());
        CHECK(reports["router_correctness"][report].is_null() ==
              !metrics.contains("router_correctness"));
        double shares = 0;
        for (size_t k = 0; k < metrics["expert_tokens"].size(); ++k) {
            const double share =
                metrics["expert_tokens"][k].get<double>() / sum(metrics["expert_tokens"]);
            const double shown = reports["expert_shares"][k][report].get<double>();
            CHECK(std::abs(shown - share) <= 5e-5);
            shares += shown;
        }
        CHECK(std::abs(shares - 1) < 1e-3);
        ++report;
    }
    CHECK(reports["step"].size() == report);
    CHECK(data["run"]["valid"]["step"].size() == evaluation);
    CHECK(data["run"]["facts"]["steps"] == "6");
    CHECK(data["run"]["settings"]["model.width"] == "16");
}

TEST_CASE("report: stories are whole, and the router's probabilities fit its choices") {
    const Json model = page_of_run()["model"];
    CHECK(model["source"] == "held out from training");
    std::vector<std::string> held_out;
    for (const std::string& line : split(contents("corpus/valid.jsonl"), '\n')) {
        held_out.push_back(Json::parse(line)["text"]);
    }
    CHECK(model["stories"].size() == 6);
    for (const Json& story : model["stories"]) {
        const std::string text = text_of(story);
        CHECK(std::any_of(held_out.begin(), held_out.end(), [&](const std::string& whole) {
            return text.size() > 20 && whole.starts_with(text);
        }));
        for (const Json& token : story["tokens"]) {
            CHECK(std::abs(sum(token["r"]) - 1) < 0.01);
            CHECK(token["r"][token["e"].get<size_t>()] ==
                  *std::max_element(token["r"].begin(), token["r"].end()));
            CHECK(token["top"][0][1] >= token["top"][1][1]);
            CHECK(token["p"] <= token["top"][0][1]);
        }
    }
    const Json eval =
        Json::parse(smoe_program("eval run --data corpus/valid.jsonl --json").out)["domains"];
    CHECK(model["domains"].size() == eval.size());
    for (const Json& domain : model["domains"]) {
        CHECK(domain["expert_tokens"] == eval[domain["name"].get<std::string>()]["expert_tokens"]);
    }
}

TEST_CASE("report: what the experts know is what `smoe experts` says") {
    const Outcome said =
        smoe_program("experts run --data corpus/valid.jsonl --max-tokens 10000 --json");
    REQUIRE(said.status == 0);
    Json expected = Json::parse(said.out);
    for (const char* const one_by_one : {"banned", "single"}) {  // ten experts are too many
        expected[one_by_one] = Json::array();
    }
    expected["oracle"] = nullptr;
    CHECK(page_of_run()["model"]["experts"] == expected);
}

TEST_CASE("report: overlap is what the masks in the file say") {
    const Json overlap = page_of_run()["model"]["overlap"];
    const auto tensors = read_safetensors(workshop() + "/run/model.safetensors").tensors;
    const size_t K = overlap.size();
    REQUIRE(K == 10);
    for (size_t a = 0; a < K; ++a) {
        for (size_t b = 0; b < K; ++b) {
            double both = 0, neurons = 0;
            for (const auto& [name, tensor] : tensors) {
                if (name.ends_with(".mask")) {
                    const int64_t width = tensor.size(-1);
                    neurons += double(width);
                    for (int64_t i = 0; i < width; ++i) {
                        both += tensor.data()[int64_t(a) * width + i] *
                                tensor.data()[int64_t(b) * width + i];
                    }
                }
            }
            CHECK(std::abs(overlap[a][b].get<double>() - both / neurons) <= 5e-5);
        }
    }
}

TEST_CASE("report: text from outside stays text") {
    const std::string hostile = "</script><script>alert(1)</script><!-- & \xE2\x80\xA8 \" ' \\";
    put("hostile.jsonl", Json{{"text", hostile}, {"domain", "<b>&" + hostile}}.dump() + "\n");
    const Json data = page_data("report run --data hostile.jsonl -o hostile.html", "hostile.html");
    CHECK(hostile.starts_with(text_of(data["model"]["stories"][0])));
    CHECK(data["model"]["domains"][0]["name"] == "<b>&" + hostile);
    const std::string page = contents("hostile.html");
    CHECK(page.find("alert(1)") != page.npos);
    CHECK(page.find("<script>alert(1)") == page.npos);
    CHECK(page.find("<b>&") == page.npos);

    copy_run("run", "<b>run");
    page_data("report <b>run", "<b>run/report.html");
    CHECK(contents("<b>run/report.html").find("<b>run") == std::string::npos);
}

TEST_CASE("report: dense runs, other routings, and runs whose text has gone") {
    for (const std::string routing : {"none", "hash", "random"}) {
        const std::string run = "report_" + routing;
        put("lost_" + routing + ".jsonl", contents("corpus/train.jsonl"));
        REQUIRE(smoe_program("train --run " + run + " --data lost_" + routing + ".jsonl" +
                             tiny_settings() + "--routing " + routing)
                    .status == 0);
        const Json there = page_data("report " + run, run + "/report.html");
        CHECK(there["model"]["domains"].size() > 0);
        CHECK(there["model"]["experts"].is_null() == (routing == "none"));
        std::string others;
        for (const std::string& line : split(contents("corpus/train.jsonl"), '\n')) {
            Json story = Json::parse(line);
            story["text"] = "Again: " + story["text"].get<std::string>();
            others += story.dump() + "\n";
        }
        put("lost_" + routing + ".jsonl", others);
        CHECK(page_data("report " + run, run + "/report.html")["model"]["source"] ==
              "stories that training may have seen: its text, or which of it is held out, has "
              "changed since");
        std::filesystem::remove(workshop() + "/lost_" + routing + ".jsonl");
        const Json model = page_data("report " + run, run + "/report.html")["model"];
        CHECK(model["source"].get<std::string>().find("lost_" + routing) != std::string::npos);
        CHECK(model["source"].get<std::string>().ends_with("wrote these itself"));
        CHECK(model["domains"].empty());
        CHECK(model["experts"].is_null());
        CHECK(model["stories"].size() > 0);
        CHECK(model["overlap"].size() == (routing == "none" ? 0 : 10));
        CHECK(model["stories"][0]["tokens"][0].contains("e") == (routing != "none"));
        CHECK(!model["stories"][0]["tokens"][0].contains("r"));
    }
}

TEST_CASE("report: metrics that are missing, cut short, or many") {
    copy_run("run", "odd");
    std::filesystem::remove(workshop() + "/odd/metrics.jsonl");
    const Json none = page_data("report odd", "odd/report.html")["run"];
    CHECK(none["reports"]["step"].empty());
    CHECK(none["facts"].empty());

    std::string lines = "not JSON\n[]\n{\"step\": \"x\", \"loss\": 1}\n";
    for (int step = 1; step <= 2500; ++step) {
        lines += Json{{"step", step},
                      {"loss", 10.0 / step},
                      {"seconds", step},
                      {"expert_tokens", step % 2 == 0 ? Json{1, 2} : Json("none")}}
                     .dump() +
                 "\n";
    }
    put("odd/metrics.jsonl", lines + "{\"step\": 2501, \"lo");
    const Json many = page_data("report odd", "odd/report.html")["run"];
    CHECK(many["reports"]["step"].size() == 834);  // means of three
    CHECK(many["reports"]["step"][0] == 2);
    CHECK(many["reports"]["step"][833] == 2500);
    CHECK(many["reports"]["loss"][0] == 6.1111);
    CHECK(many["reports"]["seconds"][833] == 2500);
    CHECK(many["reports"]["expert_shares"][0][0].is_null());
    CHECK(many["facts"]["peak memory"] == "?");
}

TEST_CASE("report: several runs on one page") {
    REQUIRE(smoe_program("train --run other_run --data corpus/train.jsonl --valid "
                         "corpus/valid.jsonl" +
                         tiny_settings() + "--mask-rate 0.5")
                .status == 0);
    const Json data = page_data("report --compare run other_run", "compare.html");
    CHECK(data["runs"].size() == 2);
    CHECK(data["runs"][0]["name"] == "run");
    CHECK(data["runs"][1]["settings"]["experts.mask_rate"] == "0.5");
    CHECK(data["runs"][1]["facts"].contains("held-out bits per byte"));
    CHECK(data["arms"].size() == 2);
    CHECK(data["without_reports"].empty());
    CHECK(page_data("report --compare run other_run -o both.html", "both.html") == data);
}

TEST_CASE("report: a comparison says which runs have no reports, and needs one that has") {
    for (const char* const name : {"begun", "silent"}) {
        copy_run("run", name);
        std::filesystem::remove(workshop() + "/" + name + "/metrics.jsonl");
    }
    put("silent/metrics.jsonl", "{\"step\": 3}\nnot JSON\n");
    const Json data = page_data("report --compare begun run silent -o gaps.html", "gaps.html");
    CHECK(data["without_reports"] == Json{"begun", "silent"});
    CHECK(data["runs"][0]["reports"]["step"].empty());
    refused("report --compare begun silent", 1,
            "none of these 2 runs has a report in its metrics.jsonl");
    // One evaluation is enough to compare.
    put("silent/metrics.jsonl", R"({"step": 3, "valid_loss": 2, "valid_bits_per_byte": 1})");
    CHECK(page_data("report --compare begun silent -o gaps.html", "gaps.html")["without_reports"] ==
          Json{"begun"});
}

TEST_CASE("report: runs that differ by their seed are one arm") {
    const std::string seed_2 = "\"seed\": 2", seed_12 = "\"seed\": 12", seed = "\"seed\": 1";
    put_variant("sparse-s1", {});
    put_variant("sparse-s2", {{seed, seed_2},
                              {"\"mask_seed\": 1", "\"mask_seed\": 2"},
                              {"\"log_every\": 2", "\"log_every\": 1"},
                              {"\"valid_hash\": \"", "\"valid_hash\": \"0"}});
    put_variant("sparse-s12", {{seed, seed_12}, {"corpus/train", "elsewhere/train"}});
    put_variant("half-s1", {{"\"mask_rate\": 0.2", "\"mask_rate\": 0.5"}});
    put_variant("half-s2", {{"\"mask_rate\": 0.2", "\"mask_rate\": 0.5"}, {seed, seed_2}});
    // The seed in the name of a file is a seed, too; another number is not.
    put_variant("text_1", {{"corpus/train.jsonl", "a/train-1.jsonl"}});
    put_variant("text_2", {{"corpus/train.jsonl", "a/train-2.jsonl"}, {seed, seed_2}});
    put_variant("alone", {{"corpus/train.jsonl", "a/train-21.jsonl"}, {seed, seed_2}});

    const auto arms_of = [](const std::string& runs) {
        const Json data = page_data("report --compare " + runs + " -o arms.html", "arms.html");
        CHECK(data["colours"].size() == data["arms"].size());
        std::vector<std::string> arms;
        for (const Json& arm : data["arms"]) {
            arms.push_back(arm["name"].get<std::string>() + arm["runs"].dump());
        }
        return arms;
    };
    using Arms = std::vector<std::string>;
    CHECK(arms_of("sparse-s1 half-s1 sparse-s2 half-s2 sparse-s12") ==
          Arms{"sparse[0,2,4]", "half[1,3]"});
    CHECK(arms_of("text_1 text_2 alone") == Arms{"text[0,1]", "alone[2]"});
    CHECK(arms_of("sparse-s1 sparse-s1") == Arms{"sparse[0,1]"});
    // Where names do not tell, settings do.
    std::filesystem::create_directory(workshop() + "/half");
    copy_run("half-s1", "half/sparse-s1");
    CHECK(arms_of("sparse-s1 half/sparse-s1") == Arms{"mask_rate 0.2[0]", "mask_rate 0.5[1]"});
    copy_run("sparse-s2", "other");
    CHECK(arms_of("sparse-s1 other half-s1") == Arms{"mask_rate 0.2[0,1]", "mask_rate 0.5[2]"});
}

TEST_CASE("report: a colour for each expert") {
    for (const int64_t experts : {4, 40, 255}) {
        const std::string run = fmt::format("experts_{}", experts);
        REQUIRE(smoe_program("train --run " + run +
                             " --data corpus/train.jsonl --valid "
                             "corpus/valid.jsonl" +
                             tiny_settings() + fmt::format("--experts {}", experts))
                    .status == 0);
        const Json data = page_data("report " + run, run + "/report.html");
        const std::set<std::string> colours(data["colours"].begin(), data["colours"].end());
        CHECK(int64_t(data["colours"].size()) == std::max<int64_t>(8, experts));
        CHECK(colours.size() == data["colours"].size());
        CHECK(int64_t(data["model"]["overlap"].size()) == experts);
        CHECK(int64_t(data["model"]["experts"]["single"].size()) == (experts < 40 ? experts : 0));
    }
}

TEST_CASE("report: what it cannot do") {
    refused("report", 2, "one run directory");
    refused("report run --compare run", 2, "one run directory");
    refused("report --compare run", 2, "at least two");
    refused("report --compare run run --data corpus/valid.jsonl", 2, "--data");
    refused("report nowhere", 1, "'nowhere' is not a run directory");
    refused("report --compare run nowhere", 1, "'nowhere' is not a run directory");
    refused("report run --data nothing.txt", 1, "nothing.txt");
    refused("report run -o no/such/folder.html", 1, "no/such/folder.html");
}

}  // namespace smoe
#endif
