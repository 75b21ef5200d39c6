// The program from outside, as in the README: every command once, then every kind of routing,
// optimiser and mask.
// The program is built in float only, so these cases belong to the float tests.
// Read next: workshop.h; runs_test.cpp and refusals_test.cpp for the details.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <filesystem>

#include "core/file.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

const std::string train_corpus =
    "train --data corpus/train.jsonl" + tiny_settings() + "--sample-every 4 ";

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("program: corpus, train, eval, generate, verify") {
    const Outcome trained = smoe_program(train_corpus + "--valid corpus/valid.jsonl --run path");
    CHECK(trained.status == 0);
    CHECK(trained.err.empty());
    CHECK(contains(trained.out, "held-out loss"));
    CHECK(contains(trained.out, "\n    | "));  // a sample
    CHECK(contains(trained.out, "loss over steps"));
    for (const char* name : {"config.json", "tokenizer.json", "model.safetensors",
                             "router.safetensors", "state.safetensors", "metrics.jsonl"}) {
        CHECK(file_exists(workshop() + "/path/" + name));
    }
    const Outcome measured = smoe_program("eval path --data corpus/valid.jsonl");
    CHECK(measured.status == 0);
    for (const char* word : {"english", "german", "sums", "bits/byte", "share of each expert"}) {
        CHECK(contains(measured.out, word));
    }
    const auto generate = [](const std::string& flags) {
        std::vector<std::string> words = split("generate path --max-tokens 10 " + flags, ' ');
        words.insert(words.end(), {"--prompt", "Once upon"});
        return smoe_program(words);
    };
    const Outcome once = generate("--samples 3 --seed 4");
    CHECK(once.status == 0);
    CHECK(once.out.starts_with("Once upon"));
    CHECK(generate("--samples 3 --seed 4").out == once.out);
    CHECK(generate("--samples 3 --seed 5").out != once.out);
    CHECK(contains(generate("--show-experts").out, "\x1b[38;5;"));
    for (const std::string kind : {"greedy", "multinomial", "nucleus"}) {
        CHECK(generate("--sampling " + kind).status == 0);
    }
    CHECK(generate("--precision bfloat16").out == generate("").out);
    CHECK(generate("--precision float32").status == 0);

    const std::string golden =
        std::filesystem::absolute("tests/golden/smoe_half_masked.safetensors");
    const Outcome verified = smoe_program({"verify", golden});
    CHECK(verified.status == 0);
    CHECK(contains(verified.out, "passed: "));
    std::string tampered = read_file(golden);
    tampered[tampered.size() - 2] ^= 0x40;
    put("tampered.safetensors", tampered);
    CHECK(smoe_program("verify tampered.safetensors").status == 1);
}

TEST_CASE("program: every kind of routing, optimiser and mask trains and writes") {
    for (const std::string kind :
         {"--routing hash", "--routing random", "--routing none", "--optimizer adamw",
          "--optimizer sgd", "--mask-where hidden", "--mask-where output",
          "--mask-family shared:0.5 --mask-rate 0.75 --experts 3 --mask-scale one", "--pad",
          "--long split", "--long drop --context 200", "--pre-tokenizer none"}) {
        CAPTURE(kind);
        std::filesystem::remove_all(workshop() + "/kind");
        const Outcome outcome = smoe_program(train_corpus + kind + " --run kind");
        CAPTURE(outcome.err);
        CHECK(outcome.status == 0);
        CHECK(smoe_program("generate kind --max-tokens 5").status == 0);
    }
}

}  // namespace smoe
#endif
