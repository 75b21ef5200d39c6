// smoe serve under clients that are slow, rude or somebody else's: what is refused, by which status,
// and that the others notice nothing. The program is built in float only, so these cases belong to
// the float tests.
// Read next: examples/smoe/serve_door.cpp, examples/smoe/serve_http.cpp.
#if !defined(SMOE_DOUBLE) && !defined(SMOE_NO_HTTP)
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <thread>

#include "tests/examples/http_client.h"

namespace smoe {
namespace {

using Json = nlohmann::json;

Json request(const std::string& prompt, int64_t max_tokens) {
    return {{"model", "run"}, {"prompt", prompt}, {"max_tokens", max_tokens}, {"seed", 5}};
}

}  // namespace

TEST_CASE("serve: bodies that are no requests") {
    const Served server("run");
    const auto refused_body = [&](const Json& change, const std::string& part) {
        Json body = request("Once", 5);
        body.update(change);
        check_refused(asked(server, body), 400, part);
    };
    refused_body({{"max_tokens", -1}}, "max_tokens");
    refused_body({{"max_tokens", 1.5}}, "max_tokens");
    refused_body({{"temperature", -1}}, "temperature");
    refused_body({{"temperature", "hot"}}, "temperature");
    refused_body({{"top_p", 0}}, "top_p");
    refused_body({{"n", 0}}, "n: ");
    refused_body({{"n", 33}}, "32 texts are written");
    refused_body({{"prompt", std::string(500, '#')}}, "context");
    refused_body({{"prompt", {1, "a"}}}, "prompt");
    refused_body({{"prompt", {1000000}}}, "1000000");
    refused_body({{"prompt", Json::array()}}, "prompt");
    refused_body({{"prompt", 3}}, "prompt");
    refused_body({{"stop", ""}}, "stop");
    refused_body({{"stop", {1}}}, "stop");
    refused_body({{"logprobs", true}}, "logprobs");
    refused_body({{"echo", 1}}, "echo");
    refused_body({{"best_of", 3}}, "best_of");
    refused_body({{"presence_penalty", 1}}, "presence_penalty");
    refused_body({{"expert", 10}}, "expert");
    refused_body({{"banned_experts", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}}, "banned");
    refused_body({{"max_token", 3}}, "did you mean 'max_tokens'?");
    refused_body({{"stream_options", {{"include_usage", true}}}}, "stream: true");
    check_refused(asked(server, {{"model", "none"}}), 404, "'none'");
    check_refused(asked(server, {{"prompt", "A"}}), 400, "model: missing");
    // Nothing that asks for nothing is refused.
    Json body = request("Once", 5);
    body.update({{"best_of", 1},
                 {"suffix", nullptr},
                 {"logit_bias", Json::object()},
                 {"presence_penalty", 0},
                 {"user", "me"},
                 {"stop", nullptr}});
    CHECK(asked(server, body).status == 200);
    Client client(server.port());
    std::string deep(5000, '[');
    for (const std::string& broken :
         {std::string("{"), std::string("[]"), std::string(), std::string("\xff\xfe"), deep,
          std::string(R"({"model": "run", "model": "run"})"), std::string(R"({"seed": 1e999})")}) {
        check_refused(client.post(broken), 400, "the body must be one JSON object");
    }
}

TEST_CASE("serve: who may ask") {
    const Served server("run");
    const std::string port = std::to_string(server.port());
    const auto with_headers = [&](const std::string& headers) {
        Client client(server.port());
        client.send("GET /v1/models HTTP/1.1\r\n" + headers + "\r\n");
        return client.receive();
    };
    for (const std::string& host :
         {"localhost:" + port, "LOCALHOST:" + port, "127.0.0.1:" + port, "[::1]:" + port}) {
        CHECK(with_headers("Host: " + host + "\r\n").status == 200);
        CHECK(with_headers("Host: " + host + "\r\nOrigin: http://" + host + "\r\n").status == 200);
    }
    for (const std::string& host :
         std::vector<std::string>{"evil.example", "evil.example:" + port, "127.0.0.1",
                                  "127.0.0.1.evil.example:" + port, "localhost:1", ""}) {
        INFO(host);
        check_refused(with_headers("Host: " + host + "\r\n"), 403, "answers at");
    }
    check_refused(with_headers(""), 403, "answers at");
    check_refused(with_headers("Host: localhost:" + port + "\r\nHost: evil.example\r\n"), 403, "");
    Client client(server.port());
    for (const std::string headers :
         {"Origin: http://evil.example\r\n", "Origin: null\r\n", "Origin: http://localhost:1\r\n",
          "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n"}) {
        check_refused(client.get("/v1/models", headers), 403, "may not ask");
    }
    CHECK(client.get("/v1/models", "Sec-Fetch-Site: same-origin\r\n").status == 200);
    for (const std::string path :
         {"/x", "/../../etc/passwd", "/v1/models/..%2f..%2f..%2fetc%2fpasswd", "//etc/passwd",
          "/v1/%00", "/run/config.json", "/v1/models/run/config.json"}) {
        check_refused(client.get(path), 404, "");
    }
    check_refused(client.get("/v1/models/" + std::string(8000, 'a')), 404, "");
    check_refused(client.get("/v1/completions"), 405, "POST");
    const Answer page = client.get("/", "Sec-Fetch-Site: cross-site\r\n");  // a link may lead here
    CHECK(page.status == 200);
    CHECK(page.headers.at("content-security-policy") == "frame-ancestors 'none'");
    CHECK(has(page.body, "connect-src 'self'"));
    CHECK(page.body.find("http://") == page.body.rfind("http://www.w3.org/2000/svg"));
    CHECK_FALSE(has(page.body, "https://"));
    check_refused(client.get("/", "Origin: http://evil.example\r\n"), 403, "may not ask");
    CHECK(client.get("/v1/models", "Range: bytes=0-1\r\n").body == client.get("/v1/models").body);
}

TEST_CASE("serve: where a request ends and the next one begins") {
    const Served server("run");
    const std::string host = "Host: localhost:" + std::to_string(server.port()) + "\r\n";
    const std::string get = "GET /v1/models HTTP/1.1\r\n" + host;
    // Many at once are answered in order, wherever the library's reads would cut them.
    Client crowd(server.port());
    std::string all;
    for (const size_t length : {1, 3000, 4000, 5000, 7000}) {
        all += crowd.posted(std::string(length, '{')) + get + "\r\n";
        all += crowd.posted(request(std::string(length / 1000, 'a'), 2).dump());
        all += get + "X: " + std::string(length, 'x') + "\r\n\r\n";
    }
    crowd.send(all + crowd.posted(request("Once", 1).dump()));
    for (int i = 0; i < 5; ++i) {
        CAPTURE(i);
        check_refused(crowd.receive(), 400, "JSON");
        CHECK(crowd.receive().status == 200);
        CHECK(crowd.receive().json()["object"] == "text_completion");
        CHECK(crowd.receive().json()["object"] == "list");
    }
    CHECK(crowd.receive().json()["object"] == "text_completion");

    // A body that is not read is not taken for a request, and the answer says that it is the last.
    const auto is_last = [&](const std::string& head, const std::string& body, int status) {
        INFO(head);
        Client client(server.port());
        client.send(head + "\r\n" + body);
        const Answer answer = client.receive();
        CHECK(answer.status == status);
        REQUIRE(answer.headers.contains("connection"));
        CHECK(answer.headers.at("connection") == "close");
        CHECK(client.is_closed());
    };
    const std::string inner = get + "\r\n";
    const std::string length = "Content-Length: " + std::to_string(inner.size()) + "\r\n";
    const std::string post = "POST /v1/completions HTTP/1.1\r\n" + host;
    is_last(post + "Origin: http://evil.example\r\n" + length, inner, 403);
    is_last("POST /v1/models HTTP/1.1\r\n" + host + length, inner, 405);
    is_last(get + length, inner, 200);
    is_last("garbage\r\n" + host, inner, 400);
    is_last(post + "Content-Type: multipart/form-data; boundary=x\r\n" + length, inner, 400);
    is_last(post + "Transfer-Encoding: chunked\r\n", "1\r\n{\r\n0\r\n\r\n" + inner, 400);
    // Nor is one whose length is not said, or said twice.
    for (const std::string& lengths :
         {length + "Content-Length: 5\r\n", length + length,
          "Transfer-Encoding: chunked\r\n" + length,
          std::string("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
          std::string("Content-Length: -1\r\n"), std::string("Content-Length: 1e3\r\n"),
          std::string("Content-Length: 5, 5\r\n"),
          "Content-Length: " + std::string(30, '9') + "\r\n"}) {
        is_last(post + lengths, inner, 400);
    }
    Client chunks(server.port());
    const std::string body = request("Once", 2).dump(), first = body.substr(0, 10);
    chunks.send(post + "Transfer-Encoding: Chunked\r\n\r\na\r\n" + first + "\r\n" +
                fmt::format("{:x}\r\n", body.size() - 10) + body.substr(10) + "\r\n0\r\n\r\n");
    CHECK(chunks.receive().json()["object"] == "text_completion");
    Client none(server.port());  // no length is no body
    none.send(post + "\r\n" + inner);
    check_refused(none.receive(), 400, "JSON");
    CHECK(none.receive().status == 200);
}

TEST_CASE("serve: a key") {
    const Served server("run --key open-sesame");
    Client client(server.port());
    for (const std::string key :
         {"", "Authorization: Bearer open\r\n", "Authorization: open-sesame\r\n",
          "Authorization: Bearer open-sesame2\r\n", "Authorization: Bearer \r\n"}) {
        const Answer answer = client.get("/v1/models", key);
        check_refused(answer, 401, "Authorization");
        CHECK(answer.headers.at("www-authenticate") == "Bearer");
        CHECK(answer.json()["error"]["code"] == "invalid_api_key");
    }
    CHECK(client.get("/").status == 200);  // the page asks for the key
    CHECK(client.get("/v1/models", "Authorization: Bearer open-sesame\r\n").status == 200);
    CHECK(client.post(request("A", 2).dump(), "Authorization: Bearer open-sesame\r\n").status ==
          200);
    refused("serve run --host 0.0.0.0", 1, "--key");
    refused("serve run --host example.org", 1, "--key");
    refused("serve run --host 127.example.org", 1, "--key");
    refused("serve run --port 70000", 1, "--port");
    refused("serve run --places 0", 1, "--places");
    refused("serve run --port " + std::to_string(server.port()), 1, "another program listens");
    refused("serve run run", 1, "'run'");
    refused("serve nowhere", 1, "not a run directory");
    refused("serve", 2, "runs is required");
}

TEST_CASE("serve: clients that send too much, too slowly, or garbage") {
    const Served server("run");
    Client slow(server.port());
    const auto start = std::chrono::steady_clock::now();
    std::thread drip([&slow] {  // a byte now and then would keep a connection for ever
        slow.send("GET /v1/models HTTP/1.1\r\nHost: ");
        while (slow.send("x")) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    });
    // A body may take longer than headers, and no longer than that.
    Client slow_body(server.port());
    double body_seconds = 0;
    std::thread body_drip([&] {
        slow_body.send("POST /v1/completions HTTP/1.1\r\nHost: localhost:" +
                       std::to_string(server.port()) + "\r\nContent-Length: 100000\r\n\r\n");
        while (slow_body.send(" ")) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        body_seconds = seconds_since(start);
    });
    const std::string blanks(3'000'000, ' ');
    {
        Client client(server.port());
        check_refused(client.post(blanks), 413, "1048576 bytes");
        check_refused(client.post(blanks, "Content-Type: text/plain\r\n"), 413, "1048576 bytes");
    }
    for (const std::string& bytes :
         {std::string("\0\1\2garbage\r\n\r\n", 13), std::string("GET\r\n\r\n"),
          std::string("GET / HTTP/9.9\r\n\r\n"), "GET /" + std::string(100000, 'a'),
          "GET / HTTP/1.1\r\n" + std::string(100000, 'a'),
          "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nRange: bytes=" + std::string(8000, '0') +
              "\r\n\r\n",
          std::string(
              "POST /v1/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n")}) {
        Client client(server.port());
        client.send(bytes);
        const Answer answer = client.receive();
        INFO(bytes.substr(0, 40));
        CHECK((answer.status == 0 || answer.status >= 400));
    }
    std::string many = "GET /v1/models HTTP/1.1\r\n";
    for (int i = 0; i < 20000; ++i) {
        many += "a: b\r\n";
    }
    Client crowd(server.port());
    crowd.send(many);
    CHECK(crowd.receive().status != 200);
    Client broken(server.port());
    broken.send("POST /v1/completions HTTP/1.1\r\nHost: localhost:" +
                std::to_string(server.port()) + "\r\nContent-Length: 50\r\n\r\n{\"model\"");
    // All of them at once, and the server answers others as ever.
    CHECK(asked(server, request("Once", 5)).status == 200);
    drip.join();
    CHECK(seconds_since(start) > 8);
    CHECK(seconds_since(start) < 20);
    body_drip.join();
    CHECK(body_seconds > 28);
    CHECK(body_seconds < 40);
}

}  // namespace smoe
#endif
