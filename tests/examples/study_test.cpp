// `smoe study`: what it runs, that it goes on after every way to end, and what it refuses. A run of
// a study is a run of `smoe train`, so what a run contains is tested elsewhere.
// The program is built in float only, so these cases belong to the float tests.
//
// Read next: examples/smoe/study.cpp; study_statistics_test.cpp, the numbers of its table.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include "core/file.h"
#include "tests/examples/small_study.h"

namespace smoe {
namespace {

std::vector<Names> rows_without_seconds(const std::string& folder) {
    std::vector<Names> rows = rows_of(folder);
    for (Names& row : rows) {
        row.erase(row.begin() + 7);
    }
    return rows;
}

std::map<std::string, std::string> inventory_of(const std::string& folder) {
    auto all = inventory();
    std::erase_if(all, [&](const auto& entry) { return !has(entry.first, folder + "/"); });
    return all;
}

}  // namespace

TEST_CASE("study: broken plans are refused before anything runs") {
    const auto refuse = [](const std::function<void(Json&)>& change, const std::string& part) {
        Json plan = small_plan();
        change(plan);
        put_plan(plan);
        refused(study("new"), 1, part);
    };
    refuse([](Json& plan) { plan["arm"] = 1; },
           "unknown key 'arm' in the plan, did you mean 'arms'?");
    refuse([](Json& plan) { plan["arms"] = Json::array(); }, "at least one arm");
    refuse([](Json& plan) { plan["arms"][1]["name"] = "dense"; }, "two arms have the name 'dense'");
    refuse([](Json& plan) { plan["arms"][1]["name"] = "../x"; }, "cannot be the name of an arm");
    refuse([](Json& plan) { plan["arms"][1]["sett"] = 1; }, "did you mean 'set'?");
    refuse([](Json& plan) { plan["arms"][1]["set"]["exprts"] = 3; },
           "arm 'hash': `smoe train` has no flag 'exprts', did you mean 'experts'?");
    refuse([](Json& plan) { plan["arms"][1]["set"]["heads"] = 3; }, "arm 'hash': ");
    refuse([](Json& plan) { plan["arms"][1]["set"]["experts"] = 1.5; }, "arm 'hash': ");
    refuse([](Json& plan) { plan["arms"][1]["set"]["routing"] = "chance"; }, "arm 'hash': ");
    refuse([](Json& plan) { plan["arms"][1]["set"]["entries"] = 400; }, "share one tokenizer");
    refuse([](Json& plan) { plan["arms"][1]["set"]["lr"] = 0.1; }, "cannot be set in arm 'hash'");
    refuse([](Json& plan) { plan["base"]["seed"] = 3; }, "\"seeds\" of the plan");
    refuse([](Json& plan) { plan["base"]["minutes"] = 3; }, "equal steps");
    refuse([](Json& plan) { plan["base"].erase("data"); }, "no text to train on");
    refuse([](Json& plan) { plan["base"]["data"] = "none.txt"; }, "none.txt");
    refuse([](Json& plan) { plan["lr"] = {0.1, 0.1}; }, "has a number twice");
    refuse([](Json& plan) { plan["lr"] = "fast"; }, "must be a list of numbers");
    refuse([](Json& plan) { plan["lr"] = {-1}; }, "arm 'dense': ");
    refuse([](Json& plan) { plan["seeds"] = {1.5}; }, "list of whole numbers");
    refuse([](Json& plan) { plan["seeds"] = Json::array(); }, "list of whole numbers");
    refuse([](Json& plan) { plan["compare_to"] = "none"; }, "names no arm: 'none'");
    refuse([](Json& plan) { plan["sweep"] = {{"seeds", {1}}}; }, "'sweep' needs \"steps\"");
    put("plans/plan.json", "{\n\"base\": {},\n]");
    refused(study("new"), 1, "line 3: this is not valid JSON");
    put("plans/plan.json", R"({"arms": [], "base": {}, "arms": []})");
    refused(study("new"), 1, "the key \"arms\" is given twice");
    put("plans/plan.json", "[1]");
    refused(study("new"), 1, "a plan is an object");
    put("plans/plan.json", std::string(10000, '['));
    refused(study("new"), 1, "plan");
    refused("study missing.json -o new", 1, "missing.json");
    refused("study plans/plan.json", 2, "--out");
    put_plan(small_plan());
    refused(study("new") + " --jobs 0", 1, "--jobs");
}

TEST_CASE("study: trains what the plan says, writes rows, and does nothing twice") {
    put_plan(small_plan());
    const Outcome dry = done(study("study-first") + " --dry-run");
    CHECK(has(dry.out, "0 of 4 runs have ended; time unknown"));
    CHECK(!file_exists(workshop() + "/study-first"));

    const Outcome outcome = done(study("study-first"));
    CHECK(has(outcome.out, "[4/4] "));
    CHECK(
        (runs_in("study-first") == Names{"runs/dense/lr_0.01_seed_1", "runs/dense/lr_0.01_seed_2",
                                         "runs/hash/lr_0.01_seed_1", "runs/hash/lr_0.01_seed_2"}));
    // The same run by hand.
    done(
        "train --run study-byhand --data corpus/train.jsonl --valid corpus/valid.jsonl "
        "--preset tiny_original --width 16 --layers 1 --heads 2 --hidden 32 --tokenizer "
        "study-first/tokenizer.json --context 40 "
        "--batch 4 "
        "--steps 6 --log-every 3 --eval-every 3 --sample-every 0 --warmup 2 --experts 4 "
        "--routing hash --lr 0.01 --seed 2");
    CHECK(contents("study-byhand/model.safetensors") ==
          contents("study-first/runs/hash/lr_0.01_seed_2/model.safetensors"));

    const std::vector<Names> rows = rows_of("study-first");
    CHECK((rows[0] == Names{"arm", "seed", "lr", "phase", "step", "tokens", "multiply_adds",
                            "seconds", "domain", "loss", "bits_per_byte", "settings", "text"}));
    std::vector<std::string> found;
    for (const Names& row : rows) {
        if (row[8] == "all") {
            found.push_back(row[0] + " " + row[1] + " " + row[2] + " " + row[3] + " " + row[4]);
            CHECK(std::atof(row[5].c_str()) > 0);
            CHECK(std::atof(row[9].c_str()) > 1);
            CHECK(std::atof(row[10].c_str()) > 1);
        }
    }
    CHECK((found == Names{"dense 1 0.01 full 3", "dense 1 0.01 full 6", "dense 2 0.01 full 3",
                          "dense 2 0.01 full 6", "hash 1 0.01 full 3", "hash 1 0.01 full 6",
                          "hash 2 0.01 full 3", "hash 2 0.01 full 6"}));
    const Json results = Json::parse(contents("study-first/results.json"));
    CHECK(results["arms"][0]["what"] == "no experts");
    CHECK(results["arms"][0]["parameters"]["model"].get<int64_t>() > 1000);
    CHECK(results["rows"].size() == rows.size() - 1);
    CHECK(results["rows"][0]["tokens"].is_number());

    const auto before = inventory_of("study-first");
    const Outcome again = done(study("study-first"));
    CHECK((inventory_of("study-first") == before));
    CHECK(!has(again.out, "/4]"));
    CHECK(has(done(study("study-first") + " --dry-run").out, "4 of 4 runs have ended"));
    const std::string table = done(study("study-first") + " --table").out;
    CHECK(has(again.out, table));
    CHECK(has(table, "after 6 steps"));
    CHECK(has(table, "| hash "));
}

TEST_CASE("study: an extended plan runs only what is new") {
    Json plan = small_plan();
    put_plan(plan);
    done(study("study-grown"));
    const auto before = inventory_of("study-grown/runs");
    plan["arms"].push_back(
        Json::parse(R"({"name": "random", "set": {"routing": "random"}, "seeds": [7]})"));
    plan["arms"][0]["seeds"] = {1, 2, 3};
    put_plan(plan);
    CHECK(has(done(study("study-grown") + " --dry-run").out, "4 of 6 runs have ended; about "));
    done(study("study-grown"));
    const auto after = inventory_of("study-grown/runs");
    for (const auto& entry : before) {
        const auto& [name, bytes] = entry;
        INFO(entry.first);
        CHECK(after.at(name) == bytes);
    }
    CHECK(runs_in("study-grown").size() == 6);
    // More steps go on with what is there.
    plan["base"]["steps"] = 9;
    put_plan(plan);
    done(study("study-grown"));
    CHECK(has(contents("study-grown/runs/hash/lr_0.01_seed_1.log.txt"), "going on from step 6"));
    CHECK(rows_of("study-grown").back()[4] == "9");
}

TEST_CASE("study: the sweep chooses the learning rate") {
    Json plan = small_plan();
    plan["lr"] = {1e-6, 0.01};
    plan["sweep"] = {{"steps", 3}, {"seeds", {5}}};
    plan["arms"][1]["lr"] = {0.02};
    put_plan(plan);
    const std::string dry = done(study("study-swept") + " --dry-run").out;
    CHECK(has(dry, "dense, lr from the sweep, seed 2, 6 steps: to do"));
    CHECK(has(dry, "0 of 6 runs"));
    const Outcome outcome = done(study("study-swept"));
    CHECK((runs_in("study-swept") == Names{"runs/dense/lr_0.01_seed_1", "runs/dense/lr_0.01_seed_2",
                                           "runs/hash/lr_0.02_seed_1", "runs/hash/lr_0.02_seed_2",
                                           "sweep/dense/lr_0.01_seed_5",
                                           "sweep/dense/lr_1e-06_seed_5"}));
    CHECK(has(outcome.out, "[6/6]"));
    CHECK(has(outcome.out, "| 0.01* |"));
    CHECK(has(outcome.out, "|  0.02 |"));
    CHECK(Json::parse(contents("study-swept/results.json"))["arms"][0]["best_lr_at_end"] == true);
}

TEST_CASE("study: a run that fails is told, not tried again, and holds nobody up") {
    Json plan = small_plan();
    plan["arms"].erase(1);
    plan["lr"] = {0.01, 1e30};
    put_plan(plan);
    const Outcome outcome = done(study("study-failing"));
    CHECK(has(outcome.out, "dense, lr 1e+30, seed 2: failed: step "));
    const Json failed = Json::parse(contents("study-failing/results.json"))["failed"];
    REQUIRE(failed.size() == 2);
    CHECK(failed[0]["lr"] == 1e30);
    CHECK(has(failed[0]["message"], "step "));
    const std::string log = "study-failing/runs/dense/lr_1e+30_seed_1.log.txt",
                      before = contents(log);
    done(study("study-failing"));
    CHECK(contents(log) == before);
    done(study("study-failing") + " --retry");
    CHECK(contents(log).size() > before.size());
    CHECK(Json::parse(contents("study-failing/results.json"))["failed"] == failed);
    // An arm without any result is no success.
    plan["lr"] = {1e30};
    put_plan(plan);
    const Outcome none = smoe_program(study("study-failing"));
    check_complaint(none, 1, "no learning rate");
}

#ifdef __linux__
namespace {

// Kills a study and its runs after a moment, the study first, so that it takes no note.
void kill_all(pid_t program, std::chrono::steady_clock::duration moment) {
    std::this_thread::sleep_for(moment);
    const std::string list =
        "/proc/" + std::to_string(program) + "/task/" + std::to_string(program) + "/children";
    std::ifstream file(list);
    std::vector<pid_t> runs;
    for (pid_t run = 0; file >> run;) {
        runs.push_back(run);
    }
    ::kill(program, SIGKILL);
    for (const pid_t run : runs) {
        ::kill(run, SIGKILL);
    }
    CHECK(wait_for_program(program).status == 128 + SIGKILL);
}

}  // namespace

TEST_CASE("study: killed or interrupted, it goes on to the same rows") {
    Json plan = small_plan();
    plan["base"]["steps"] = 600;
    plan["base"]["eval-every"] = 200;
    plan["base"]["log-every"] = 100;
    plan["base"]["checkpoint-every"] = 50;
    put_plan(plan);
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    done(study("study-unharmed"));
    const auto whole = Clock::now() - start;
    for (const int share : {10, 20, 15}) {  // per cent, of the time that all of it takes
        kill_all(start_program(split(study("study-killed"), ' ')), whole * share / 100);
    }
    const pid_t program = start_program(split(study("study-killed"), ' '));
    std::this_thread::sleep_for(whole * 20 / 100);
    ::kill(program, SIGTERM);
    const Outcome interrupted = wait_for_program(program);
    CHECK(interrupted.status == 130);
    CHECK(has(interrupted.out, "smoe study plans/plan.json -o study-killed"));
    done(study("study-killed"));
    CHECK((rows_without_seconds("study-killed") == rows_without_seconds("study-unharmed")));
    CHECK(has(contents("study-killed/runs/dense/lr_0.01_seed_1.log.txt"), "going on from step"));
    for (const std::string& run : runs_in("study-killed")) {
        CHECK(contents("study-killed/" + run + "/state.safetensors") ==
              contents("study-unharmed/" + run + "/state.safetensors"));
    }
}
#endif

TEST_CASE("study: a folder holds one experiment") {
    Json plan = small_plan();
    put_plan(plan);
    done(study("study-one"));
    plan["arms"][1]["set"]["hidden"] = 64;
    put_plan(plan);
    refused(study("study-one"), 1, "was begun with hidden '32' and the plan says '64'");
    plan = small_plan();
    plan["base"]["valid"] = "../corpus/train.jsonl";
    put_plan(plan);
    refused(study("study-one"), 1, "was begun with valid 'corpus/valid.jsonl'");
    plan = small_plan();
    plan["base"]["entries"] = 310;
    put_plan(plan);
    refused(study("study-one"), 1, "choose another folder");
}

}  // namespace smoe
#endif
