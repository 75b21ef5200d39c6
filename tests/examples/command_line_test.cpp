// The program takes every text as it was written. Each option that has a value gets values that a
// parser might read as something else, and must treat them like any other value. The options of
// each command come from --help, so that a new one cannot be left out. The program is built in
// float only, so these cases belong to the float tests.
// Read next: examples/smoe/command_line.cpp.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <regex>

#include "core/file.h"
#include "core/text.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

using Words = std::vector<std::string>;

const Words commands = {"corpus",
                        "tokenizer train",
                        "tokenizer encode",
                        "tokenizer decode",
                        "tokenize",
                        "train",
                        "eval",
                        "experts",
                        "generate",
                        "report",
                        "metrics",
                        "export",
                        "verify",
                        "study",
                        "serve"};

// Anything a command line, a shell or CLI11 gives a meaning to. No file has such a name.
const Words odd_texts = {"",      "--threads=1", "-",  "--",    "-x",   "--help", "=a=b",
                         "[x,y]", "{}",          "%%", "++",    "a, b", " ",      "\"q\"",
                         "'q'",   "\\n",         "@f", "train", "#!~",  "$HOME *"};

struct Option {
    std::string name, type;  // "--data" or, of a positional argument, "run"; "FILE..."
    bool is_choice;          // among names
};

// The options with a value that `command` lists in its help.
std::vector<Option> options_of(const std::string& command) {
    std::vector<Option> options;
    const std::regex with_value(R"(^  (?:-\w,)?((?:--)?[a-z0-9-]+) ([A-Z]+(?:\.\.\.)?)\b(:\{)?.*)");
    for (const std::string& line : split(smoe_program(command + " --help").out, '\n')) {
        std::smatch parts;
        if (std::regex_match(line, parts, with_value)) {
            options.push_back({parts[1], parts[2], parts[3].matched});
        }
    }
    return options;
}

// A call in which VALUE is what this option is given, and what must come of it.
struct Use {
    std::string words;
    enum { quoted, is_file, is_output, is_taken } then = quoted;
    std::string complaint = "";  // instead of the value in quotes
};

// Of each option that takes any text.
const std::map<std::string, Use> uses = {
    {"corpus --out", {"corpus --stories 1 --valid-stories 1 VALUE", Use::is_file}},
    {"tokenizer train --data", {"tokenizer train -o new.json VALUE"}},
    {"tokenizer train --out",
     {"tokenizer train --data corpus/train.jsonl --entries 256 VALUE", Use::is_file}},
    {"tokenizer encode tokenizer", {"tokenizer encode VALUE"}},
    {"tokenizer decode tokenizer", {"tokenizer decode VALUE"}},
    {"tokenize text", {"tokenize --tokenizer run/tokenizer.json -o new.tokens VALUE"}},
    {"tokenize --tokenizer", {"tokenize corpus/train.jsonl -o new.tokens VALUE"}},
    {"tokenize --out", {"tokenize corpus/train.jsonl --tokenizer run/tokenizer.json VALUE"}},
    {"train --run", {"train --resume VALUE"}},
    {"train --config", {"train --run new --data corpus/train.jsonl VALUE"}},
    {"train --data", {"train --run new VALUE"}},
    {"train --valid", {"train --run new --data corpus/train.jsonl VALUE"}},
    {"train --tokenizer", {"train --run new --data corpus/train.jsonl VALUE"}},
    {"train --init", {"train --run new --data corpus/train.jsonl VALUE"}},
    {"eval run", {"eval --data corpus/valid.jsonl VALUE"}},
    {"eval --data", {"eval run VALUE"}},
    {"experts run", {"experts --data corpus/valid.jsonl VALUE"}},
    {"experts other", {"experts run --data corpus/valid.jsonl VALUE"}},
    {"experts --data", {"experts run VALUE"}},
    {"generate run", {"generate VALUE"}},
    {"generate --prompt", {"generate run --max-tokens 1 VALUE", Use::is_output}},
    {"generate --prompt-file", {"generate run VALUE"}},
    {"generate --stop", {"generate run --max-tokens 1 VALUE", Use::is_taken}},
    {"serve runs", {"serve VALUE"}},
    {"serve --host", {"serve run VALUE"}},
    {"serve --key", {"serve nowhere VALUE", Use::quoted, "'nowhere'"}},
    {"metrics run", {"metrics --csv new.csv VALUE"}},
    {"metrics --csv", {"metrics run VALUE", Use::is_file}},
    {"metrics --tensorboard", {"metrics run VALUE", Use::is_file}},
    {"report run", {"report VALUE"}},
    {"report --compare", {"report --compare run VALUE"}},
    {"report --data", {"report run VALUE"}},
    {"report --out", {"report run VALUE", Use::is_file}},
    {"export run", {"export --hf new VALUE"}},
    {"export --hf", {"export run VALUE", Use::is_file}},
    {"verify files", {"verify VALUE"}},
    {"study plan", {"study -o new VALUE"}},
    {"study --out", {"study plan.json VALUE", Use::is_file}},
    {"study --figure", {"study plan.json --out made VALUE", Use::is_file}},
    {"study --rows", {"study plan.json --out made --table VALUE"}},
    {"study --figure-x", {"study plan.json --out made --figure made/x.svg VALUE"}},
    {"study --domain", {"study plan.json --out made --table VALUE"}}};

// The words of `use`, with `value` given to `option` in one way or the other.
Words words_of(const Use& use, const Option& option, const std::string& value, bool one_word) {
    Words words = split(use.words, ' ');
    words.pop_back();
    if (!option.name.starts_with("--")) {
        words.insert(words.end(), {"--", value});
    } else if (one_word) {
        words.push_back(option.name + "=" + value);
    } else {
        words.insert(words.end(), {option.name, value});
    }
    return words;
}

void check_taken(const Use& use, const Option& option, const std::string& value, bool one_word) {
    const Words words = words_of(use, option, value, one_word);
    INFO(join(words, " "));
    const Outcome outcome = smoe_program(words);
    if (value.empty() && use.then != Use::is_output) {
        check_complaint(outcome, 2, option.name + ": '' is no name");
    } else if (use.then == Use::quoted) {
        check_complaint(outcome, 1, use.complaint.empty() ? "'" + value + "'" : use.complaint);
    } else {
        CHECK(outcome.err == "");
        CHECK(outcome.status == 0);
        const std::string path = workshop() + "/" + value;
        CHECK((use.then == Use::is_file     ? file_exists(path)
               : use.then == Use::is_output ? outcome.out.starts_with(value)
                                            : outcome.out.ends_with("\n")));
        if (use.then == Use::is_file) {
            std::filesystem::remove_all(path);
        }
    }
}

// An option that takes a number or one of a few names.
void refuse_odd(const std::string& command, const Option& option) {
    const bool is_number = option.type == "INT" || option.type == "UINT" || option.type == "FLOAT";
    REQUIRE((option.is_choice || is_number));
    for (const std::string value : {"", "[1,2]"}) {
        Words words = split(command, ' ');
        words.push_back(option.name + "=" + value);
        refused(words, 2,
                option.name +
                    (option.is_choice ? ": " + value + " not in {" : ": '" + value + "' is not"));
    }
}

}  // namespace

TEST_CASE("command line: names and texts are taken as they are") {
    put("plan.json", R"({"arms": [{"name": "a"}], "base": {"preset": "tiny_original",
            "data": "corpus/valid.jsonl", "valid": "corpus/valid.jsonl",
            "tokenizer": "run/tokenizer.json", "routing": "none", "width": 16, "layers": 1,
            "heads": 2, "hidden": 32, "context": 40, "steps": 1}})");
    done("study plan.json --out made");
    const auto before = inventory();
    size_t used = 0;
    for (const std::string& command : commands) {
        for (const Option& option : options_of(command)) {
            const std::string which = command + " " + option.name;
            CAPTURE(which);
            if (uses.contains(which)) {
                // A few for each option, in turn: every one goes the same way through the program.
                constexpr size_t few = 3;
                for (size_t i = 0; i < few; ++i) {
                    const std::string& text = odd_texts[(few * used + i) % odd_texts.size()];
                    check_taken(uses.at(which), option, text, i % 2 == 0);
                }
                ++used;
                check_taken(uses.at(which), option, "", false);
                check_taken(uses.at(which), option, "--threads=1", true);
            } else {
                refuse_odd(command, option);
            }
        }
    }
    CHECK(used == uses.size());
    CHECK((inventory() == before));
    std::filesystem::remove(workshop() + "/plan.json");
    std::filesystem::remove_all(workshop() + "/made");
}

TEST_CASE("command line: a program that starts itself once more gets the same words") {
    const char* const name = "OPENBLAS_NUM_THREADS";
    const char* const found = std::getenv(name);
    const std::string before = found == nullptr ? "" : found;
    ::unsetenv(name);
    for (const std::string& text : odd_texts) {
        check_taken(uses.at("generate run"), {"run", "DIR", false}, text, false);
    }
    if (found != nullptr) {
        ::setenv(name, before.c_str(), 1);
    }
}

TEST_CASE("command line: several names, names of commands, names behind --") {
    put("train", "A fox.\n<|endoftext|>\nA hen.\n");
    put("-dash", "An owl.\n");
    const auto stories = [](const Words& words) {
        const Outcome outcome = smoe_program(words);
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        return outcome.out.substr(0, outcome.out.find(','));
    };
    const Words eval = {"eval", "run", "--data", "corpus/valid.jsonl"};
    const auto with = [](Words words, const Words& more) {
        words.insert(words.end(), more.begin(), more.end());
        return words;
    };
    CHECK(stories(eval) == "text: 10 stories");
    CHECK(stories(with(eval, {"train"})) == "text: 12 stories");
    CHECK(stories(with(eval, {"train", "train"})) == "text: 14 stories");
    CHECK(stories(with(eval, {"--data", "train", "--data=-dash"})) == "text: 13 stories");
    CHECK(stories({"eval", "--data", "-dash", "train", "run"}) == "text: 3 stories");
    CHECK(stories({"eval", "--data", "train", "--", "run"}) == "text: 2 stories");
    CHECK(stories({"--threads", "1", "eval", "--data=train", "--threads=2", "run"}) ==
          "text: 2 stories");
    refused(with(eval, {"-dash"}), 2, "unknown option '-dash'");
    refused({"eval", "run", "--", "--data", "train"}, 2, "unknown argument '--data'");
    refused("-- train", 2, "unknown argument 'train'; --help");
    refused({"generate", "run", "++"}, 2, "unknown argument '++'");
    refused({"generate", "run", ""}, 2, "unknown argument ''");
    refused("train --run", 2, "--run needs a value");
    refused({"report", "run", "-o"}, 2, "-o needs a value");
    refused({"report", "run", "--long", "cut"}, 2, "--data");
    std::filesystem::remove(workshop() + "/train");
    std::filesystem::remove(workshop() + "/-dash");
}

TEST_CASE("command line: flags, numbers, help and version") {
    const std::string generate = "generate run --max-tokens 3 --seed 2 ";
    const std::string plain = done(generate).out, coloured = done(generate + "--show-experts").out;
    CHECK(plain != coloured);
    CHECK(done(generate + "--show-experts=false").out == plain);
    CHECK(done(generate + "--show-experts=true").out == coloured);
    for (const std::string value : {"", "no", "1", "{}", "truer"}) {
        refused(generate + "--show-experts=" + value, 2, "true or false, found '" + value + "'");
    }
    for (const std::string value : {"", " 1", "1 ", "0x1", "1,5", "--seed", "[1]", "one"}) {
        refused({"generate", "run", "--temperature", value}, 2, "'" + value + "' is not a number");
    }
    CHECK(done(generate + "--temperature 1e0 --top-p .9").out == plain);
    CHECK(has(done("tokenizer encode --help").out, "Usage: smoe tokenizer encode"));
    CHECK(done("eval --version").out == done("--version").out);
    const Words version = split(done("--version").out, '\n');
    REQUIRE(version.size() == 2);
    CHECK(std::regex_match(version[0], std::regex(R"(smoe \d+\.\d+\.\d+)")));
    CHECK(std::regex_match(version[1], std::regex(R"((g\+\+|clang) \d+.*; .+; built for .+)")));
}

#if defined(__x86_64__) && !defined(SMOE_NO_BLAS)
TEST_CASE("command line: products do not go to an OpenBLAS that does not know the processor") {
    const auto taken_for = [](const std::string& processor) {
        return done("--version", {.variables = {"OPENBLAS_CORETYPE=" + processor}}).out;
    };
    const bool avx2 = __builtin_cpu_supports("avx2");
    CHECK(has(taken_for("Prescott"), "own product, since OpenBLAS does not know") == avx2);
    CHECK(has(taken_for(avx2 ? "Haswell" : "Nehalem"), "; OpenBLAS ("));
}
#endif

TEST_CASE("command line: text that is one long story is read as its message proposes") {
    std::string story;
    for (int i = 0; i < 100; ++i) {
        story += "There was a fox. ";
    }
    put("one.txt", story);
    refused("eval run --data one.txt", 1, "by --long split");
    CHECK(has(done("eval run --data one.txt --long split").out, "split into sequences of"));
    CHECK(has(done("eval run --data corpus/valid.jsonl --long cut").out, "cut to"));
    refused("eval run --data one.txt --long drop", 1, "separate stories");
    refused("eval run --data one.txt --long fold", 2, "fold");
    copy_run("run", "reported");
    refused("report reported --data one.txt", 1, "by --long split");
    done("report reported --data one.txt --long split");
    CHECK(has(contents("reported/report.html"), "one.txt"));
}

TEST_CASE("command line: what messages propose is there") {
    std::string known = done("--help").out;
    for (const std::string& command : commands) {
        known += done(command + " --help").out;
    }
    const std::regex text(R"x("([^"]|\\")*")x"), flag("--[a-z][a-z0-9-]*");
    size_t found = 0;
    for (const std::string folder : {"core", "autograd", "nn", "models", "examples/smoe"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            const std::string path = entry.path().string();
            const bool is_page = has(path, "report_page") || has(path, "_script");  // CSS
            if (!path.ends_with(".cpp") || is_page) {
                continue;
            }
            for (const std::string& line : split(read_file(path), '\n')) {
                for (std::sregex_iterator at(line.begin(), line.end(), text), end; at != end;
                     ++at) {
                    const std::string literal = at->str();
                    if (has(literal, "mpirun")) {
                        continue;  // which has options of its own
                    }
                    for (std::sregex_iterator name(literal.begin(), literal.end(), flag);
                         name != end; ++name, ++found) {
                        INFO(path << ": " << literal);
                        CHECK(std::regex_search(known, std::regex(name->str() + "\\b")));
                    }
                }
            }
        }
    }
    CHECK(found > 50);
}

}  // namespace smoe
#endif
