// A run that starts from the weights of another one: what comes along, what may be given anew, and
// that it needs its origin no more once it has begun. The program is built in float only, so these
// cases belong to the float tests.
// Read next: examples/smoe/initial_weights.cpp.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/safetensors.h"
#include "tests/examples/workshop.h"

namespace smoe {
namespace {

const std::string text = " --data corpus/valid.jsonl --valid corpus/train.jsonl ";

double loss_of(const std::string& run) {
    return nlohmann::json::parse(done("eval " + run + " --data corpus/valid.jsonl --json").out)
        .value("loss", 0.0);
}

TensorFile tensors_of(const std::string& file) {
    return read_safetensors(workshop() + "/" + file);
}

bool same_numbers(const TensorFile& a, const TensorFile& b) {
    return std::ranges::equal(a.tensors, b.tensors, [](const auto& x, const auto& y) {
        return x.first == y.first && std::ranges::equal(x.second.values(), y.second.values());
    });
}

}  // namespace

TEST_CASE("init: the weights are those of the other run, and a step changes them") {
    done("train --init run --run init_still --steps 1 --lr 1e-9" + text);
    CHECK(std::abs(loss_of("init_still") - loss_of("run")) < 1e-5);
    done("train --init run --run init_tuned --steps 30" + text);
    CHECK(loss_of("init_tuned") < loss_of("run") - 0.01);
    CHECK(same_numbers(tensors_of("init_tuned/router.safetensors"),
                       tensors_of("run/router.safetensors")));
    CHECK(contents("init_tuned/tokenizer.json") == contents("run/tokenizer.json"));
    done("train --init run --run init_routed --steps 6 --router-steps 3" + text);
    CHECK(!same_numbers(tensors_of("init_routed/router.safetensors"),
                        tensors_of("run/router.safetensors")));
    CHECK(has(done("experts init_tuned --data corpus/valid.jsonl").out, "expert"));
}

TEST_CASE("init: the run goes on to equal bits without the folder that it came from") {
    for (const std::string dtype : {"float32", "bfloat16"}) {
        CAPTURE(dtype);
        const std::string name = "init_" + dtype;
        done("export run --hf " + name + "_parent --dtype " + dtype);
        const std::string start = "train --init " + name + "_parent --router-steps 2" + text;
        done(start + "--steps 6 --run " + name + "_whole");
        done(start + "--steps 3 --run " + name + "_parts");
        CHECK(smoe_program(start + "--steps 3 --lr 1e30 --run " + name + "_failed").status == 1);
        std::filesystem::remove_all(workshop() + "/" + name + "_parent");
        done("train --resume --steps 6 --run " + name + "_parts");
        for (const std::string file : {"/model.safetensors", "/router.safetensors"}) {
            CHECK(contents(name + "_parts" + file) == contents(name + "_whole" + file));
        }
        // One that reached no checkpoint has the weights of its first step.
        check_complaint(smoe_program("train --resume --run " + name + "_failed"), 1,
                        "a lower --lr");
        CHECK(contents(name + "_failed/model.safetensors").size() > 10000);
    }
}

TEST_CASE("init: routers of every kind come along") {
    for (const std::string kind : {"none", "hash", "hash_balanced", "gate", "frozen"}) {
        CAPTURE(kind);
        const std::string parent = "init_from_" + kind, child = "init_to_" + kind;
        done("train --run " + parent + " --routing " + kind +
             " --data corpus/train.jsonl --valid corpus/valid.jsonl" + tiny_settings());
        done("train --init " + parent + " --steps 1 --lr 1e-9 --balance 0 --run " + child + text);
        CHECK(std::abs(loss_of(child) - loss_of(parent)) < 1e-5);
        done("train --resume --steps 2 --run " + child);
    }
    // Another seed would hash tokens to other experts than those that know them.
    refused("train --init init_from_hash --seed 2 --run new" + text, 1,
            "--seed is '1' in 'init_from_hash' and cannot become '2'");
    done("train --init init_from_gate --seed 2 --steps 1 --run init_seed" + text);
}

TEST_CASE("init: what contradicts the weights is refused in one sentence") {
    const std::string start = "train --init run --run new" + text;
    refused(start + "--width 32", 1, "--width is '16' in 'run' and cannot become '32'");
    refused(start + "--experts 3", 1, "--experts is '10' in 'run'");
    refused(start + "--mask-seed 3", 1, "--mask-seed is '1' in 'run'");
    refused(start + "--routing hash", 1, "--routing is 'router' in 'run'");
    refused(start + "--entries 400", 1, "--entries is '300' in 'run'");
    refused(start + "--preset tiny", 2, "--preset");
    refused("train --init run --run run" + text, 1, "already holds a run");
    refused("train --init nowhere --run new" + text, 1, "'nowhere' is not a run directory");
    refused("train --init run --run new", 2, "--data");
    done("tokenizer train --data corpus/valid.jsonl --entries 300 -o init_words.json");
    refused(start + "--tokenizer init_words.json", 1, "'init_words.json' is not the one of 'run'");
    done(start + "--tokenizer run/tokenizer.json --steps 1 --run init_same_words");
    refused("train --resume --run init_same_words --init corpus", 1, "--init was 'run'");
    copy_run("run", "init_masks");
    TensorFile model = tensors_of("run/model.safetensors");
    real& mask = model.tensors.at("layers.0.ffn.lin_1.mask").data()[0];
    mask = 1 - mask;
    write_safetensors(workshop() + "/init_masks/model.safetensors", model);
    refused("train --init init_masks --run new" + text, 1, "is not what the settings");
    std::filesystem::remove(workshop() + "/init_masks/model.safetensors");
    refused("train --init init_masks --run new" + text, 1, "model.safetensors");
}

TEST_CASE("init: a card names what weights came from, without its folder") {
    copy_run("run", "init_place");
    done("train --init ../" + std::filesystem::path(workshop()).filename().string() +
         "/init_place --steps 1 --run init_carded" + text);
    done("export init_carded --hf init_card");
    const std::string card = contents("init_card/README.md");
    CHECK(has(card, "Started from:\n\n    \"init_place\"\n"));
    CHECK(!has(card, ".."));
    CHECK(!has(card, "from scratch"));
}

}  // namespace smoe
#endif
