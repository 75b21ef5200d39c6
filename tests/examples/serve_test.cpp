// smoe serve as a process, through real sockets: what clients get, also when others come and go, and
// when the server is told to stop. The program is built in float only, so these cases belong to the
// float tests.
// Read next: http_client.h; serve_refusals_test.cpp.
#if !defined(SMOE_DOUBLE) && !defined(SMOE_NO_HTTP)
#include <doctest/doctest.h>

#include <cmath>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <thread>

#include "tests/examples/http_client.h"

namespace smoe {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

Json request(const std::string& prompt, int64_t max_tokens) {
    return {{"model", "run"}, {"prompt", prompt}, {"max_tokens", max_tokens}, {"seed", 5}};
}

// A run with a long context, whose greedy text goes round in circles: work for seconds.
std::string long_run() {
    static bool made = false;
    if (!std::exchange(made, true)) {
        done(
            "train --run served-long --data corpus/train.jsonl --valid corpus/valid.jsonl --width "
            "128 "
            "--layers 4 --heads 2 --hidden 256 --entries 300 --context 4000 --batch 4 --steps 1 "
            "--routing hash --sample-every 0");
    }
    return "served-long";
}
Json long_request(int64_t max_tokens = 4000) {
    return {{"model", "served-long"},
            {"prompt", "Once"},
            {"max_tokens", max_tokens},
            {"temperature", 0}};
}

}  // namespace

TEST_CASE("serve: models, texts and their probabilities") {
    copy_run("run", "other");
    const Served server("run other");
    Client client(server.port());
    const Json models = client.get("/v1/models").json();
    CHECK(models["object"] == "list");
    REQUIRE(models["data"].size() == 2);
    CHECK(models["data"][1]["id"] == "other");
    CHECK(client.get("/v1/models/run").json() == models["data"][0]);
    check_refused(client.get("/v1/models/nothing"), 404, "'nothing'");

    // The same text as the program writes by itself, on the same connection as all of the above.
    const Json alone = Json::parse(
        done("generate run --prompt Once --max-tokens 20 --seed 5 --sampling multinomial --json")
            .out);
    Json body = request("Once", 20);
    const Answer answer = client.post(body.dump());
    CHECK(answer.status == 200);
    const Json whole = answer.json();
    CHECK(whole["object"] == "text_completion");
    CHECK(whole["seed"] == 5);
    const Json choice = whole["choices"].at(0);
    CHECK(choice["text"] == alone["text"]);
    CHECK(choice["ended_by"] == alone["ended_by"]);
    CHECK(choice["finish_reason"] == (alone["ended_by"] == "end_of_text" ? "stop" : "length"));
    CHECK(choice["logprobs"].is_null());
    CHECK(whole["usage"]["total_tokens"].get<int>() ==
          whole["usage"]["prompt_tokens"].get<int>() +
              whole["usage"]["completion_tokens"].get<int>());

    body.update({{"logprobs", 3}, {"details", true}, {"echo", true}});
    const Json told = asked(server, body).json()["choices"].at(0);
    CHECK(told["text"] == "Once" + alone["text"].get<std::string>());
    const size_t of_prompt = told["details"].size() - alone["tokens"].size();
    CHECK(of_prompt > 0);
    for (size_t i = 0; i < alone["tokens"].size(); ++i) {
        Json token = told["details"][of_prompt + i];
        if (i < told["logprobs"]["tokens"].size() - of_prompt) {
            CHECK(told["logprobs"]["token_logprobs"][of_prompt + i] == token["log_probability"]);
            CHECK(told["logprobs"]["top_logprobs"][of_prompt + i].size() >= 3);
            CHECK(token["router"].size() == 10);
        }
        CHECK(token["likeliest"].size() == 5);
        token.erase("router");
        token.erase("likeliest");
        CHECK(token == alone["tokens"][i]);
    }
    // Several prompts and samples, as ids, with stop strings; experts forced and banned.
    const Json many =
        asked(server, {{"model", "run"}, {"prompt", {{1, 2}, {3}}}, {"n", 2}, {"seed", 1}}).json();
    CHECK(many["choices"].size() == 4);
    CHECK(many["choices"][3]["index"] == 3);
    body = request("Once", 9);
    body.update({{"expert", 7}, {"details", true}});
    const Json forced = asked(server, body).json();
    for (const Json& token : forced["choices"][0]["details"]) {
        CHECK((token["expert"] == 7 || token["expert"].is_null()));
    }
    body["expert"] = "all";
    CHECK(asked(server, body).json()["choices"][0]["details"][0]["expert"].is_null());
}

TEST_CASE("serve: a stream tells the same as the whole") {
    const Served server("run");
    Json body = request("Once", 25);
    body.update({{"n", 3}, {"echo", true}, {"stop", {"never so"}}});
    const Json whole = asked(server, body).json();
    body.update({{"stream", true}, {"stream_options", {{"include_usage", true}}}});
    Client client(server.port());
    const Answer answer = client.post(body.dump());
    CHECK(answer.headers.at("content-type") == "text/event-stream");
    std::vector<std::string> events = answer.events(), texts(3), reasons(3);
    REQUIRE(events.size() > 10);
    CHECK(events.back() == "[DONE]");
    events.pop_back();
    CHECK(Json::parse(events.back())["usage"] == whole["usage"]);
    events.pop_back();
    for (const std::string& event : events) {
        const Json chunk = Json::parse(event);
        CHECK(chunk["id"] == Json::parse(events[0])["id"]);
        const Json& choice = chunk["choices"].at(0);
        const size_t index = choice["index"];
        CHECK(reasons[index].empty());
        texts[index] += choice["text"];
        reasons[index] += choice["finish_reason"].is_null() ? "" : choice["finish_reason"];
    }
    for (size_t i = 0; i < 3; ++i) {
        CHECK(texts[i] == whole["choices"][i]["text"]);
        CHECK(reasons[i] == whole["choices"][i]["finish_reason"]);
    }
    CHECK(client.get("/v1/models").status == 200);  // the connection goes on
}

TEST_CASE("serve: runs are watched while they grow") {
    copy_run("run", "watched");
    copy_run("run", "begun");
    std::filesystem::remove(workshop() + "/begun/model.safetensors");
    const Served server("watched begun");
    Client client(server.port());
    const Json runs = client.get("/v1/runs").json()["data"];
    REQUIRE(runs.size() == 2);
    CHECK(runs[0]["id"] == "watched");
    CHECK(runs[1]["id"] == "begun");
    const Json models = client.get("/v1/models").json()["data"];
    CHECK(models.size() == 1);
    CHECK(client.get("/v1/runs/begun").json()["run"]["reports"] ==
          client.get("/v1/runs/watched").json()["run"]["reports"]);

    const Answer first = client.get("/v1/runs/watched");
    const Json run = first.json()["run"];
    CHECK(run["name"] == "watched");
    const size_t reports = run["reports"]["step"].size();
    REQUIRE(reports > 0);
    CHECK(run["reports"]["expert_shares"].size() == 10);
    CHECK(run["reports"]["tokens_per_second"].size() == reports);
    CHECK(std::abs(first.json()["reported"].get<double>() - double(std::time(nullptr))) < 100);
    const std::string tag = first.headers.at("etag"), seen = "If-None-Match: " + tag + "\r\n";
    const Answer same = client.get("/v1/runs/watched", seen);
    CHECK(same.status == 304);
    CHECK(same.body.empty());

    // A line counts when its end has been written.
    const std::string lines = contents("watched/metrics.jsonl");
    put("watched/metrics.jsonl", lines + R"({"step": 1000, "loss": 1.)");
    CHECK(client.get("/v1/runs/watched", seen).json()["run"]["reports"]["step"].size() == reports);
    put("watched/metrics.jsonl", lines + "{\"step\": 1000, \"loss\": 1.5}\n");
    put("watched/samples.jsonl", R"({"step": 1000, "text": "", "ids": [0, 1]})");
    const Json grown = client.get("/v1/runs/watched", seen).json();
    REQUIRE(grown["run"]["reports"]["step"].size() == reports + 1);
    CHECK(grown["run"]["reports"]["loss"].back() == 1.5);
    CHECK(grown["samples"].back()["step"] == 1000);

    for (const char* const path :
         {"/v1/runs/", "/v1/runs/nothing", "/v1/runs/watched/config.json", "/v1/runs/../watched",
          "/v1/runs/%2e%2e%2fwatched", "/v1/runs/./watched"}) {
        INFO(path);
        check_refused(client.get(path), 404, "");
    }
    check_refused(client.get("/v1/runs", "Origin: http://elsewhere\r\n"), 403, "elsewhere");
    std::filesystem::remove(workshop() + "/begun/config.json");
    const Answer gone = client.get("/v1/runs/begun");
    check_refused(gone, 500, "'begun' cannot be read");
    CHECK(!has(gone.body, workshop()));
}

TEST_CASE("serve: a client that leaves frees its place") {
    const Served server(long_run() + " --places 1 --queue 2");
    Json endless = long_request();
    endless["prompt"] = std::vector<std::string>(100, "Once");
    for (const bool stream : {true, false}) {
        endless["stream"] = stream;
        auto gone = std::make_unique<Client>(server.port());
        gone->send(gone->posted(endless.dump()));
        if (stream) {
            CHECK(has(gone->receive_until("\n\n"), "text_completion"));
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
        }
        Client waiting(server.port()), another(server.port());
        waiting.send(waiting.posted(long_request(1).dump()));
        another.send(another.posted(long_request(1).dump()));
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        const Answer full = asked(server, long_request(1));
        check_refused(full, 429, "2 requests are waiting");
        CHECK(full.headers.at("retry-after") == "1");
        gone.reset();
        const Clock::time_point start = Clock::now();
        CHECK(waiting.receive().status == 200);
        CHECK(another.receive().status == 200);
        CHECK(seconds_since(start) < 5);  // all of it takes much longer
    }
}

TEST_CASE("serve: on a signal it finishes what it writes, and goes") {
    for (const int signal : {SIGTERM, SIGINT}) {
        Served server(long_run() + " --places 4 --grace 30");
        Client stream(server.port()), whole(server.port()), late(server.port());
        Json body = long_request(400);
        whole.send(whole.posted(body.dump()));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        body["stream"] = true;
        stream.send(stream.posted(body.dump()));
        stream.receive_until("\n\n");
        server.send_signal(signal);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        const Answer refusal = late.post(long_request(1).dump());
        CHECK((refusal.status == 503 || refusal.status == 0));
        const Answer streamed = stream.receive(), answered = whole.receive();
        INFO(answered.body);
        CHECK(answered.json()["usage"]["completion_tokens"] == 400);
        CHECK(has(streamed.body, "max_tokens"));
        CHECK(streamed.body.ends_with("data: [DONE]\n\n"));
        const Outcome outcome = server.wait();
        CHECK(outcome.status == 0);
        CHECK(outcome.err == "");
    }
    Served server(long_run() + " --places 1 --grace 0");
    Client stream(server.port()), waiting(server.port());
    Json body = long_request();
    body["stream"] = true;
    stream.send(stream.posted(body.dump()));
    stream.receive_until("\n\n");
    waiting.send(waiting.posted(long_request().dump()));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    server.send_signal(SIGTERM);
    const Answer streamed = stream.receive(), never_begun = waiting.receive();
    CHECK(has(streamed.body, R"("finish_reason":"interrupted")"));
    CHECK(streamed.body.ends_with("data: [DONE]\n\n"));
    CHECK(never_begun.json()["choices"][0]["finish_reason"] == "interrupted");
    CHECK(server.wait().status == 0);
}

TEST_CASE("serve: newer weights answer when the older ones have ended their texts") {
    copy_run(long_run(), "followed");
    copy_run(long_run(), "further");
    done("train --run further --resume --steps 3");
    const Served server("followed --places 4");
    Json body = long_request(300);
    body.update({{"model", "followed"}, {"logprobs", 0}});
    const Json older = asked(server, body).json()["choices"];
    Client before(server.port());
    before.send(before.posted(body.dump()));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::string weights = workshop() + "/followed/model.safetensors";
    std::filesystem::rename(workshop() + "/further/model.safetensors", weights);
    CHECK(before.receive().json()["choices"] == older);
    Json newer = older;
    const auto start = Clock::now();
    while (newer == older && seconds_since(start) < 20) {
        newer = asked(server, body).json()["choices"];
    }
    CHECK(newer == asked(server, body).json()["choices"]);
    const Served fresh("followed");
    CHECK(newer == asked(fresh, body).json()["choices"]);
    // Weights that cannot be read change nothing.
    put("followed/model.safetensors", "broken");
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    CHECK(newer == asked(server, body).json()["choices"]);
}

TEST_CASE("serve: a crowd that comes at once waits at the door") {
    const Served server("run");
    server.send_signal(SIGSTOP);  // as if it were busy elsewhere
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::unique_ptr<Client>> crowd;
    for (int i = 0; i < 60; ++i) {
        crowd.push_back(std::make_unique<Client>(server.port()));
        crowd.back()->send(crowd.back()->posted(request("Once", 3).dump()));
    }
    CHECK(seconds_since(start) < 0.9);  // those who are turned away try again after a second
    server.send_signal(SIGCONT);
    for (const std::unique_ptr<Client>& client : crowd) {
        CHECK(client->receive().status == 200);
    }
}

TEST_CASE("serve: many clients at once get what each would get alone") {
    const Served server("run --places 5");
    std::vector<Json> alone(24), crowd(24);
    const auto body_of = [](size_t i) {
        Json body = request(std::string(i % 7, 'a'), int64_t(5 + i % 20));
        body["seed"] = i;
        return body;
    };
    for (size_t i = 0; i < alone.size(); ++i) {
        alone[i] = asked(server, body_of(i)).json()["choices"];
    }
    std::vector<std::thread> clients;
    for (size_t i = 0; i < crowd.size(); ++i) {
        clients.emplace_back([&, i] {
            if (i % 4 == 3) {  // leaves in the middle
                Json body = body_of(i);
                body["stream"] = true;
                Client client(server.port());
                client.send(client.posted(body.dump()));
                client.receive_until("data: ");
            } else {
                crowd[i] = asked(server, body_of(i)).json()["choices"];
            }
        });
    }
    for (std::thread& client : clients) {
        client.join();
    }
    for (size_t i = 0; i < crowd.size(); ++i) {
        CHECK((i % 4 == 3 || crowd[i] == alone[i]));
    }
}

}  // namespace smoe
#endif
