// What `smoe study` shows of its runs: page, figures, table and costs, against numbers that are
// worked out by hand. tests/report/check.py checks how the page looks.
// The program is built in float only, so these cases belong to the float tests.
//
// Read next: examples/smoe/study_comparison.h, examples/smoe/study_page.h.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "core/file.h"
#include "examples/smoe/study_comparison.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

const std::string hostile = "</script><b onclick=\"x\">&amp;\u202e";

// Arms with 2, 4 and 32 experts beside a dense one.
Json plan_of_experts() {
    Json plan = Json::parse(R"({
        "base": {"preset": "tiny_original", "data": ["../corpus/train.jsonl"], "valid": "../corpus/valid.jsonl",
                 "width": 16, "layers": 1, "heads": 2, "hidden": 32, "entries": 300, "context": 40,
                 "batch": 4, "steps": 6, "log-every": 3, "eval-every": 3, "sample-every": 0,
                 "warmup": 2, "routing": "hash"},
        "arms": [{"name": "dense", "what": "<b>no</b> experts", "set": {"routing": "none"}},
                 {"name": "hash2", "set": {"experts": 2}}, {"name": "hash4", "set": {"experts": 4}},
                 {"name": "hash32", "set": {"experts": 32}}],
        "lr": [0.01], "seeds": [1, 2], "compare_to": "dense"})");
    return plan;
}

std::string study_words(const std::string& more = "") {
    return "study plans/shown.json --jobs 2 -o study-shown" + more;
}

// A report and an evaluation as training writes them.
std::string report(int step, double multiply_adds, double seconds, double loss) {
    const Json domains = {{hostile, {{"loss", loss + 1}, {"bits_per_byte", (loss + 1) / 2}}},
                          {"plain", {{"loss", loss - 1}, {"bits_per_byte", (loss - 1) / 4}}}};
    const Json training = {{"step", step},
                           {"tokens", 10 * step},
                           {"seconds", seconds},
                           {"loss", loss},
                           {"multiply_adds", multiply_adds}},
               evaluation = {{"step", step},
                             {"valid_loss", loss},
                             {"valid_bits_per_byte", loss / 3},
                             {"valid_domains", domains}};
    return training.dump() + "\n" + evaluation.dump() + "\n";
}

// Two evaluations; `work` and `seconds` are those of a step.
void put_metrics(const std::string& arm, int seed, double work, double seconds, double first,
                 double last) {
    put(fmt::format("study-shown/runs/{}/lr_0.01_seed_{}/metrics.jsonl", arm, seed),
        report(3, 3 * work, 3 * seconds, first) + report(6, 6 * work, 6 * seconds, last));
}

// A study that has ended, with losses by hand.
void make_study() {
    put("plans/shown.json", plan_of_experts().dump());
    if (!file_exists(workshop() + "/study-shown")) {
        done(study_words());
    }
    put_metrics("dense", 1, 100, 1, 5, 4);
    put_metrics("dense", 2, 100, 1, 5.2, 4.4);
    put_metrics("hash2", 1, 150, 0.5, 4.5, 3.5);
    put_metrics("hash2", 2, 150, 0.5, 4.7, 4.0);
    put_metrics("hash4", 1, 150, 1, 4.5, 3.8);
    put_metrics("hash4", 2, 150, 1, 4.7, 4.2);
    put_metrics("hash32", 1, 150, 1, 4.5, 3.2);
    put_metrics("hash32", 2, 150, 1, 4.7, 3.6);
    done(study_words());
}

Json page_data() {
    const std::string page = contents("study-shown/index.html"),
                      begin = R"(<script type="application/json" id="data">)";
    const size_t at = page.find(begin) + begin.size();
    REQUIRE(at > begin.size());
    return Json::parse(page.substr(at, page.find("</script>", at) - at));
}

void check_near(const Json& found, double expected) {
    INFO(found.dump() << " instead of " << expected);
    REQUIRE(found.is_number());
    CHECK(std::abs(found.get<double>() - expected) < 1e-5);
}

// Whether tags are closed in order, and nothing else looks like one.
void check_xml(const std::string& text) {
    static const std::regex tag(R"x(<(/?)([a-z]+)(?:\s[a-zA-Z0-9:-]+="[^"<]*")*(/?)>)x");
    static const std::regex entity("&(amp|lt|gt|quot);");
    const size_t root = text.find("<svg");
    REQUIRE(root != text.npos);
    const std::string body = text.substr(root);
    std::vector<std::string> open;
    for (std::sregex_iterator at(body.begin(), body.end(), tag), end; at != end; ++at) {
        if ((*at)[1].length() > 0) {
            REQUIRE(!open.empty());
            CHECK(open.back() == (*at)[2].str());
            open.pop_back();
        } else if ((*at)[3].length() == 0) {
            open.push_back((*at)[2]);
        }
    }
    CHECK(open.empty());
    const std::string words = std::regex_replace(std::regex_replace(body, tag, ""), entity, "");
    CHECK(words.find_first_of("<>&") == words.npos);
    CHECK(!has(body, "nan"));
    CHECK(!has(body, "<script"));
}

}  // namespace

TEST_CASE("study: between two evaluations a curve is straight, and beyond them there is none") {
    const std::vector<HeldOut> curve = {{100, 5, 2}, {200, 4, 1}, {400, 3, 0.5}};
    CHECK(held_out_at(curve, 100)->loss == 5);
    CHECK(held_out_at(curve, 150)->loss == doctest::Approx(4.5));
    CHECK(held_out_at(curve, 350)->loss == doctest::Approx(3.25));
    CHECK(held_out_at(curve, 350)->bits_per_byte == doctest::Approx(0.625));
    CHECK(held_out_at(curve, 400)->loss == 3);
    CHECK(!held_out_at(curve, 99));
    CHECK(!held_out_at(curve, 401));
    CHECK(!held_out_at({}, 1));
}

TEST_CASE("study: the page compares after equal steps, work and time, in each domain") {
    make_study();
    const std::string page = contents("study-shown/index.html");
    for (const char* outside : {" src=", " href=", "url(", "@import", "fetch("}) {
        CHECK(page.find(outside) == page.npos);
    }
    CHECK(has(page, "default-src 'none'"));
    CHECK(!has(page, hostile));
    const Json data = page_data();
    CHECK(data["name"] == "shown.json");
    CHECK((data["domains"] == Json{"all", hostile, "plain"}));
    CHECK(data["ended"] == 8);
    const Json steps = data["comparisons"][0][0], work = data["comparisons"][0][1],
               time = data["comparisons"][0][2];
    CHECK(steps["text"] == "6 steps");
    CHECK(work["text"] == "600 multiply-adds");
    CHECK(time["text"] == "3.00 s of training");
    // Losses of hash2 - those of dense, of both seeds.
    const auto check_arm = [](const Json& arm, double a, double b, double dense_a, double dense_b) {
        const double mean = (a - dense_a + b - dense_b) / 2;
        check_near(arm["loss"][0], (a + b) / 2);
        check_near(arm["loss"][1], std::abs(a - b) / std::sqrt(2.0));
        check_near(arm["difference"][0], mean);
        // t of a 95 % interval with one degree of freedom is 12.706205.
        const double reach = 12.706205 * std::abs(a - dense_a - b + dense_b) / 2;
        check_near(arm["difference"][1], mean - reach);
        check_near(arm["difference"][2], mean + reach);
    };
    check_arm(steps["arms"][1], 3.5, 4.0, 4, 4.4);
    // 600 multiply-adds are a third of the way from 450 to 900.
    check_arm(work["arms"][1], 4.5 - 1.0 / 3, 4.7 - 0.7 / 3, 4, 4.4);
    check_arm(time["arms"][1], 3.5, 4.0, 5, 5.2);
    check_arm(data["comparisons"][1][0]["arms"][1], 4.5, 5.0, 5, 5.4);
    CHECK(steps["arms"][0]["difference"].is_null());
    check_near(data["comparisons"][2][0]["arms"][1]["bits_per_byte"][0], 2.75 / 4);

    const Json& dense = data["arms"][0];
    CHECK(dense["what"] == "<b>no</b> experts");
    CHECK(dense["multiply_adds"] == 10);  // 600 of 60 tokens
    CHECK(dense["seconds"] == 6);
    const Json results = Json::parse(contents("study-shown/results.json"));
    CHECK(dense["parameters"] == results["arms"][0]["parameters"]["model"]);
    CHECK(data["curves"][0][1][1]["multiply_adds"] == Json{450, 900});
    CHECK(data["curves"][0][1][1]["loss"] == Json{4.7, 4.0});
}

TEST_CASE("study: the table has the numbers of the page, of one domain at a time") {
    make_study();
    const std::string table = done(study_words(" --table")).out;
    CHECK(has(table, "after 600 multiply-adds, and after 3.00 s of training"));
    CHECK(has(table, "| at equal multiply-adds | - dense | at equal seconds | - dense |"));
    CHECK(std::regex_search(
        table,
        std::regex(R"(\| hash2  \| 0\.01 .* 3\.7500 ± 0\.3536 \| +-0\.4500 .*)"
                   R"( +4\.3167 ± 0\.2121 \| \+0\.1167 \| +3\.7500 ± 0\.3536 \| -1\.3500 \|)")));
    const std::string plain = done(study_words(" --table --domain plain")).out;
    CHECK(has(plain, "Held-out text of the domain plain after 6 steps"));
    CHECK(has(plain, " 2.7500 ± 0.3536 |"));
    refused(study_words(" --table --domain plane"), 1, "plain");
    refused(study_words(" --domain plain"), 2, "--table");
}

TEST_CASE("study: figures are well-formed and hold no markup of their texts") {
    make_study();
    CHECK(done(study_words(" --figure arms.svg")).out == "arms.svg\n");
    const std::string arms = contents("arms.svg");
    check_xml(arms);
    CHECK(has(arms, ">3.4000 (-0.8000)</text>"));
    // The lowest comes first.
    CHECK(arms.find(">hash32<") < arms.find(">hash2<"));
    CHECK(arms.find(">hash4<") < arms.find(">dense<"));
    // hash2 reaches from 3.75 - 0.35 to 3.75 + 0.35, and a dot lies in the middle.
    const std::regex row(
        R"x(>hash2</text>\n<line x1="([0-9.]+)" y1="([0-9.]+)" x2="([0-9.]+)".*\n)x"
        R"x(<circle cx="([0-9.]+)" cy="([0-9.]+)")x");
    std::smatch found;
    REQUIRE(std::regex_search(arms, found, row));
    CHECK(std::abs((std::stod(found[1]) + std::stod(found[3])) / 2 - std::stod(found[4])) < 0.11);
    CHECK(found[2] == found[5]);

    const Outcome drawn = smoe_program({"study", "plans/shown.json", "-o", "study-shown",
                                        "--figure", "hostile.svg", "--domain", hostile});
    CHECK(drawn.status == 0);
    check_xml(contents("hostile.svg"));
    CHECK(has(contents("hostile.svg"), "&lt;/script&gt;"));

    done(study_words(" --figure experts.svg --figure-x experts"));
    const std::string experts = contents("experts.svg");
    check_xml(experts);
    CHECK(has(experts, ">hash</text>"));  // one line of three arms
    CHECK(!has(experts, ">hash2</text>"));
    for (const char* value : {"2", "4", "32"}) {
        CHECK(has(experts, std::string(">") + value + "</text>"));
    }
    refused(study_words(" --figure x.svg --figure-x exprts"), 1, "did you mean 'experts'?");
    refused(study_words(" --figure x.svg --figure-x mask-family"), 1, "sets no number");
    refused(study_words(" --figure-x experts"), 2, "--figure");
    put("mine.svg", "<svg/>");
    refused(study_words(" --figure mine.svg"), 1, "a figure of smoe study");
    put("study-shown/index.html", "mine");
    refused(study_words(), 1, "a page of smoe study");
    put("study-shown/index.html", "");
}

TEST_CASE("study: costs are known before anything runs, and failed runs are named") {
    Json plan = plan_of_experts();
    plan["arms"][1]["lr"] = {1e30};
    plan["arms"].erase(3);
    plan["arms"].erase(2);
    put("plans/failing.json", plan.dump());
    const std::string words = "study plans/failing.json --jobs 2 -o study-page-failing";
    const std::string dry = done(words + " --dry-run").out;
    const std::regex line(
        R"(dense: ([0-9,]+) parameters, ([0-9,]+) active; a token takes ([0-9.]+ k) multiply-adds in training)");
    std::smatch found;
    REQUIRE(std::regex_search(dry, found, line));
    CHECK(found[1] == found[2]);
    CHECK(std::regex_search(dry, std::regex("hash2: [0-9,]+ parameters")));
    smoe_program(words);
    const std::string page = contents("study-page-failing/index.html");
    CHECK(has(page, R"({"run":"hash2, lr 1e+30, seed 2","message":"step )"));
    const Json results = Json::parse(contents("study-page-failing/results.json"));
    const std::string parameters = std::regex_replace(found[1].str(), std::regex(","), "");
    CHECK(results["arms"][0]["parameters"]["model"].dump() == parameters);
}

}  // namespace smoe
#endif
