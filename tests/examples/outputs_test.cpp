// What the program must not overwrite, and where it cannot write: it says so and leaves every file
// as it was, also on a full disk. The program is built in float only, so these cases belong to the
// float tests.
//
// Read next: killed_test.cpp, where writing is cut short at every moment.
#ifndef SMOE_DOUBLE
#include <doctest/doctest.h>

#include <filesystem>

#include "core/file.h"
#include "tests/examples/workshop.h"

namespace smoe {

TEST_CASE("outputs: outputs replace nothing but what they could have written") {
    put("mine.jsonl", contents("corpus/train.jsonl"));
    refused("tokenizer train --data mine.jsonl -o mine.jsonl", 1, "'mine.jsonl' is there");
    refused("tokenizer train --data mine.jsonl -o run/config.json", 1, "'run/config.json'");
    for (const std::string name : {"model.safetensors", "config.json", "metrics.jsonl"}) {
        refused("report run -o run/" + name, 1, "'run/" + name + "' is there");
    }
    // Alike, but not what this program writes.
    put("alike/train.jsonl", "{\"text\":\"A.\",\"domain\":\"english\"}\n{\"text\": \"B.\"}\n");
    refused("corpus -o alike --stories 2 --valid-stories 2", 1, "'alike/train.jsonl' is there");
    put("alike.json", contents("run/tokenizer.json") + "\n");
    refused("tokenizer train --data mine.jsonl -o alike.json", 1, "'alike.json' is there");
    copy_run("run", "paged");
    put("paged/report.html", "Somebody's.");
    refused("report paged", 1, "'paged/report.html' is there");
    put("page.html", "<!doctype html>\n<html>somebody's</html>");
    refused("report run -o page.html", 1, "'page.html' is there");
    refused("tokenizer train --data mine.jsonl -o run/tokenizer.json", 1, "tokenizer of a run");
    put("blank/train.jsonl", "\nSomebody's.");
    refused("corpus -o blank --stories 2 --valid-stories 2", 1, "'blank/train.jsonl' is there");
    put("texts/train.jsonl", "{\"text\":\"Somebody's.\"}\n");
    refused("corpus -o texts --stories 2 --valid-stories 2", 1, "'texts/train.jsonl' is there");
    put("others/valid.jsonl", "Somebody's.");
    refused("corpus -o others --stories 2 --valid-stories 2", 1, "'others/valid.jsonl' is there");

    for (const std::string again :
         {"corpus -o twice --stories 5 --valid-stories 5",
          "tokenizer train --data corpus/train.jsonl -o twice.json --entries 300",
          "report run -o twice.html", "report run -o /dev/null"}) {
        INFO(again);
        CHECK(smoe_program(again).status == 0);
        CHECK(smoe_program(again).status == 0);
    }
    CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("outputs: places that cannot be written to") {
    put("file", "here");
    for (const std::string folder : {"file/below", "file", "/proc/smoe/run"}) {
        refused(tiny_train() + "--run " + folder, 1, folder);
        refused("corpus -o " + folder + " --stories 2 --valid-stories 2", 1, folder);
        refused("export run --hf " + folder, 1, folder);
    }
    refused({"corpus", "-o", ""}, 2, "''");
    refused({"export", "run", "--hf", ""}, 2, "''");
    refused("tokenizer train --data corpus/train.jsonl -o corpus", 1, "'corpus'");
    refused("tokenizer train --data corpus/train.jsonl -o nowhere/tokenizer.json", 1, "nowhere");
    if (file_exists("/dev/full")) {
        const Circumstances full{.input = "A fox.", .output_file = "/dev/full"};
        refused("generate run", 1, "standard output", full);
        refused("tokenizer encode run/tokenizer.json", 1, "standard output", full);
        refused("eval run --data corpus/valid.jsonl", 1, "standard output", full);
    }
    for (const std::string ids : {"1 2 x", "9999", "-1", "1.5", "99999999999"}) {
        refused("tokenizer decode run/tokenizer.json", 1, "ids", {.input = ids});
    }
}

TEST_CASE("outputs: a full disk leaves the old files as they were") {
    const Circumstances full{.largest_file = 3000};
    refused("corpus -o corpus --stories 60 --valid-stories 10", 1, "cannot write", full);
    put("old.json", contents("run/tokenizer.json"));
    refused("tokenizer train --data corpus/train.jsonl -o old.json", 1, "cannot write", full);
    refused(tiny_train(), 1, "cannot write", full);
    refused("export run --hf new", 1, "cannot write", full);
    std::filesystem::create_directory(workshop() + "/bare");
    refused("export run --hf bare", 1, "cannot write", full);

    // Room for metrics and settings, not for a checkpoint.
    copy_run("run", "full");
    const Outcome outcome =
        smoe_program("train --run full --resume --steps 9", {.largest_file = 60000});
    check_complaint(outcome, 1, "state.next.safetensors");
    CHECK(outcome.err.find("the checkpoint of step 6 is kept in 'full'") != std::string::npos);
    for (const char* file : {"state", "state.previous", "model", "router"}) {
        const std::string name = std::string("/") + file + ".safetensors";
        CHECK(contents("full" + name) == contents("run" + name));
        CHECK(!file_exists(workshop() + "/full" + name + ".smoe-tmp"));
    }
    CHECK(!file_exists(workshop() + "/full/state.next.safetensors.smoe-tmp"));
    CHECK(smoe_program("eval full --data corpus/valid.jsonl").status == 0);
    CHECK(smoe_program("train --run full --resume --steps 9").status == 0);
}

}  // namespace smoe
#endif
