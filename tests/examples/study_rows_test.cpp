// The rows of a study without its runs: taken from a file, and with seconds that were measured apart.
// Read next: study_statistics_test.cpp.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>

#include "core/file.h"
#include "tests/examples/small_study.h"

namespace smoe {

TEST_CASE("study: the pace of arms takes the place of the seconds of runs") {
    put_plan(small_plan());
    done(study("study-pace"));
    const auto before = rows_of("study-pace");
    const Outcome measured = done(study("study-pace") + " --pace");
    CHECK(has(measured.out, "hash: "));
    CHECK(!file_exists(workshop() + "/study-pace/pace"));
    std::map<std::string, double> pace;
    for (const std::string& line : split(contents("study-pace/pace.csv"), '\n')) {
        const size_t first = line.find(','), last = line.rfind(',');
        pace[line.substr(0, first)] = std::atof(line.c_str() + last + 1);
    }
    CHECK(pace.size() == 3);  // with the head
    done(study("study-pace"));
    const auto after = rows_of("study-pace");
    REQUIRE(after.size() == before.size());
    for (size_t i = 1; i < after.size(); ++i) {
        CHECK(std::stod(after[i][7]) ==
              doctest::Approx(std::stod(after[i][5]) / pace.at(after[i][0])));
        for (size_t cell = 0; cell < after[i].size(); ++cell) {
            CHECK((cell == 7 || after[i][cell] == before[i][cell]));
        }
    }
    // An arm that is not measured leaves all of them with the seconds of their runs.
    Json plan = small_plan();
    plan["arms"][1]["set"]["experts"] = 8;
    plan["arms"][1]["name"] = "hash8";
    put_plan(plan);
    done(study("study-pace"));
    CHECK(rows_of("study-pace")[1][7] == before[1][7]);
    put("study-pace/pace.csv", "arm\n");
    refused(study("study-pace"), 1, "pace.csv");
}

TEST_CASE("study: losses of an arm with padded batches are compared for the same tokens") {
    Json plan = small_plan();
    plan["arms"].push_back({{"name", "padded"}, {"set", {{"routing", "none"}, {"pad", true}}}});
    plan["arms"].erase(1);
    plan["base"]["context"] = 400;  // so that stories end before it
    put_plan(plan);
    done(study("study-padded"));
    std::map<std::string, double> nats_for_a_bit;  // as the rows have it
    for (const Names& row : rows_of("study-padded")) {
        if (row[8] == "all") {
            nats_for_a_bit[row[0]] = std::stod(row[9]) / std::stod(row[10]);
        }
    }
    REQUIRE(nats_for_a_bit["padded"] < 0.9 * nats_for_a_bit["dense"]);
    const std::string table = done(study("study-padded") + " --table").out;
    for (const std::string arm : {"dense", "padded"}) {
        CAPTURE(table);
        std::smatch parts;
        REQUIRE(std::regex_search(
            table, parts,
            std::regex("\\| " + arm + R"( +\|[^|]*\|[^|]*\| +([0-9.]+) ±[^|]*\| +([0-9.]+) ±)")));
        CHECK(std::stod(parts[2]) / std::stod(parts[1]) ==
              doctest::Approx(nats_for_a_bit["dense"]).epsilon(0.002));
    }
}

TEST_CASE("study: rows of runs done elsewhere take the place of the runs") {
    put_plan(small_plan());
    done(study("study-there"));
    const std::string rows = " --rows study-there/results.csv";
    Json plan = small_plan();
    plan["arms"][0]["name"] = "renamed";  // settings say which run it is
    plan["compare_to"] = "renamed";
    plan["arms"].push_back({{"name", "wide"}, {"set", {{"routing", "none"}, {"hidden", 64}}}});
    put_plan(plan);
    CHECK(has(done(study("study-here") + rows + " --dry-run").out, "4 of 6 runs have ended"));
    done(study("study-here") + rows);
    CHECK((runs_in("study-here") == Names{"runs/wide/lr_0.01_seed_1", "runs/wide/lr_0.01_seed_2"}));
    auto there = rows_of("study-there"), here = rows_of("study-here");
    CHECK(here.size() > there.size());
    here.resize(there.size());
    for (Names& row : there) {
        row[0] = row[0] == "dense" ? "renamed" : row[0];
    }
    CHECK((here == there));
    // The whole table without a run, and without a text.
    put_plan(small_plan());
    std::filesystem::rename(workshop() + "/corpus", workshop() + "/corpus-away");
    const Outcome table = done(study("study-nowhere") + rows + " --table");
    std::filesystem::rename(workshop() + "/corpus-away", workshop() + "/corpus");
    CHECK(table.out == done(study("study-there") + " --table").out);
    CHECK(!file_exists(workshop() + "/study-nowhere"));
    // Other settings, other runs.
    plan = small_plan();
    plan["base"]["warmup"] = 3;
    put_plan(plan);
    CHECK(has(done(study("study-new") + rows + " --dry-run").out, "0 of 4 runs have ended"));
    put_plan(small_plan());
    put("study-there/text.csv", "text\nonce\n");
    refused(study("study-new") + " --rows study-there/text.csv", 1, "has no rows of a study");
    const std::string good = contents("study-there/results.csv");
    put("study-there/cut.csv", good.substr(0, good.size() - 40));
    refused(study("study-new") + " --rows study-there/cut.csv", 1, "cells instead of 13");
    put("study-there/word.csv",
        std::string(good).replace(good.find("\ndense,1,0.01,full,3"), 20, "\ndense,1,0.01,full,x"));
    refused(study("study-new") + " --rows study-there/word.csv", 1,
            "line 2: 'x' is no number for the column step");
    refused(study("study-new") + " --rows missing.csv", 1, "missing.csv");
    // Rows of runs on another text are not compared with runs on this one.
    put("study-there/other.csv", [&] {
        std::string other = good;
        const std::string hash = rows_of("study-there")[1].back();
        for (size_t at = 0; (at = other.find(hash, at)) != other.npos; at += hash.size()) {
            other.replace(at, hash.size(), "0123456789abcdef");
        }
        return other;
    }());
    plan["base"]["warmup"] = 2;
    plan["arms"].push_back({{"name", "wide"}, {"set", {{"routing", "none"}, {"hidden", 64}}}});
    put_plan(plan);
    done(study("study-mixed"));
    std::filesystem::remove_all(workshop() + "/study-mixed/runs/dense");
    refused(study("study-mixed") + " --rows study-there/other.csv", 1, "cannot be compared");
}

}  // namespace smoe
#endif
