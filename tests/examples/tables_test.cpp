// Tables at every width of a terminal and for any number of experts: no row is too long, and what
// matters is there. In a pipe nothing is left out.
// Read next: terminal_test.cpp.
#include "examples/smoe/tables.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "core/terminal.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

EvaluationPart part_of(const std::string& domain, int64_t experts, int64_t factor) {
    EvaluationPart part{
        .domain = domain, .loss_sum = 0, .tokens = 0, .bytes = 0, .expert_tokens = {}};
    for (int64_t k = 0; k < experts; ++k) {
        part.expert_tokens.push_back(k % 2 == 1 ? 0 : factor * (k + 1));
        part.tokens += part.expert_tokens.back();
    }
    part.bytes = 4 * part.tokens;
    part.loss_sum = 1.25 * double(part.tokens);
    return part;
}

Evaluation evaluation_of(int64_t experts) {
    Evaluation result;
    result.domains = {part_of("english", experts, 17),
                      part_of("a domain of a very long name", experts, 1),
                      part_of("sums", experts, 12345)};
    result.total = part_of("all", experts, 3);
    return result;
}

int64_t widest(const std::string& text) {
    int64_t columns = 0;
    for (const std::string& line : split(text, '\n')) {
        columns = std::max(columns, columns_of(line));
    }
    return columns;
}

}  // namespace

TEST_CASE("tables: they fit at every width, for any number of experts") {
    for (int width = 39; width <= 200; ++width) {
        for (int64_t experts = 1; experts <= 255; experts += experts < 14 ? 1 : 11) {
            CAPTURE(width);
            CAPTURE(experts);
            const Evaluation result = evaluation_of(experts);
            const std::string domains = domain_table(result, width);
            CHECK(widest(domains) <= width);
            CHECK(split(domains, '\n').size() == 5);
            CHECK(has(domains, "loss/token"));
            CHECK(has(domains, "1.2500"));
            const std::string table = expert_table(result, width, false);
            CHECK(widest(table) <= width);
            CHECK(has(table, "english"));
            CHECK(has(table, "all "));
            const std::string counts = expert_counts(result.total.expert_tokens, width, false);
            CHECK(widest(counts) <= width);
            CHECK(std::count(counts.begin(), counts.end(), '\n') <= 4);
            CHECK(has(counts, "experts"));
        }
    }
}

TEST_CASE("tables: in a pipe nothing is left out") {
    const Evaluation result = evaluation_of(255);
    CHECK(has(domain_table(result, any_width), "a domain of a very long name "));
    for (const char* const head :
         {"domain ", " tokens ", " bytes ", " loss/token ", " bits/byte\n"}) {
        CHECK(has(domain_table(result, any_width), head));
    }
    const std::string table = expert_table(result, any_width, false);
    CHECK(split(split(table, '\n')[1], ' ').size() == 255);  // a head for each
    CHECK(has(table, " 254 "));
    CHECK(has(table, "a domain of a very long name "));
    CHECK(has(expert_counts(result.total.expert_tokens, any_width, false), "  253: 0  254: 765\n"));
}

TEST_CASE("tables: shares, bars and sums of them") {
    Evaluation result;
    result.total = {
        .domain = "all", .loss_sum = 20, .tokens = 20, .bytes = 80, .expert_tokens = {15, 5, 0}};
    CHECK(expert_table(result, 79, false) ==
          "share of each expert in a domain's tokens, %\n"
          "                     0     1     2     \n"
          "all               75.0  25.0   0.0  █▃▁\n");
    result.total.expert_tokens.assign(100, 0);
    result.total.expert_tokens[3] = result.total.expert_tokens[99] = 10;
    const std::vector<std::string> summary = split(expert_table(result, 79, false), '\n');
    REQUIRE(summary.size() == 4);
    CHECK(summary[0] + summary[1] ==
          "100 experts by domain; effective: how many with equal shares have the same    entropy");
    CHECK(summary[2].starts_with("      busiest idle effective  "));
    CHECK(summary[3].starts_with("all 3: 50.0 %   98       2.0  ▁█"));
}

TEST_CASE("tables: of many experts the busiest are listed") {
    std::vector<int64_t> tokens(255, 0);
    tokens[3] = 2, tokens[77] = 40, tokens[200] = 2;
    CHECK(expert_counts(tokens, 39, false) ==
          "255 experts, 252 idle; the busiest:\n         77: 40  3: 2  200: 2\n");
    CHECK(expert_counts({1, 2, 3}, 39, false) == "experts  0: 1  1: 2  2: 3\n");
    CHECK(expert_counts({1, 2, 3, 4, 5}, 39, false) == "experts  0: 1  1: 2  2: 3  3: 4  4: 5\n");
    CHECK(expert_counts({1, 2, 3, 4, 5}, 36, false) ==
          "experts  0: 1  1: 2  2: 3  3: 4\n         4: 5\n");
    CHECK(has(expert_counts({1, 2, 3}, 39, true), "\x1b["));
    CHECK(widest(expert_counts({1, 2, 3}, 39, true)) > 39);  // colours take no columns
}

}  // namespace smoe
