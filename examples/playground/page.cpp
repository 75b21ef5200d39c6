// Writes a playground: the page of smoe serve as one file that needs no server, since it holds the
// model and the module that computes it.
//     page MODULE DIR NAME FILE     the module (JavaScript), the files of a run, its name, the page
// Read next: worker.js, which the page starts; examples/smoe/serve_script.cpp, the page.
#include <fmt/core.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "core/text.h"
#include "examples/smoe/serve_page.h"

namespace smoe {
namespace {

constexpr const char* backend = R"js(
const backend = (() => {
  const worker = new Worker(URL.createObjectURL(new Blob([data.module], {type: 'text/javascript'})));
  const listeners = new Map();  // by the number of a request; that of the model's own answer is undefined
  let asked = 0;
  worker.onmessage = ({data: message}) => listeners.get(message.id)?.(message);
  worker.onerror = event => listeners.forEach(listener => listener({error: {message: event.message || 'the module does not run in this browser'}}));

  const models = new Promise((resolve, reject) => {
    listeners.set(undefined, ({models, error}) => error ? reject(new Error(error.message)) : resolve(models.map(model => ({...model, id: data.name}))));
    worker.postMessage({files: data.files});
    data.files = data.module = null;
  });

  // What comes for a request, in order; ends with the request.
  async function* messages(id, signal) {
    const come = [];
    let wake = () => {};
    const take = message => { come.push(message); wake(); };
    const stop = () => take({stopped: true});
    listeners.set(id, take);
    signal.addEventListener('abort', stop);
    try {
      for (;;) {
        while (come.length === 0) await new Promise(resolve => { wake = resolve; });
        signal.throwIfAborted();
        const message = come.shift();
        if (message.ended) return;
        yield message;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      listeners.delete(id);
      worker.postMessage({id, cancel: true});
    }
  }

  return {
    models: () => models,
    async *complete(body, signal) {
      const id = ++asked;
      worker.postMessage({id, body: JSON.stringify({...body, model: 'model'})});
      for await (const {events, error} of messages(id, signal)) {
        if (error) throw new Error(error.message);
        yield events;
      }
    },
  };
})();
)js";

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](size_t at) {
            return at < bytes.size() ? uint32_t(uint8_t(bytes[at])) : 0;
        };
        const uint32_t three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        for (size_t digit = 0; digit < 4; ++digit) {
            const bool there = i + digit <= bytes.size();  // three bytes are four digits
            text += there ? digits[three >> (18 - 6 * digit) & 63] : '=';
        }
    }
    return text;
}

void write_page(const std::string& module, const std::string& run, const std::string& name,
                const std::string& path) {
    nlohmann::ordered_json data = {{"name", to_valid_utf8(name)}, {"module", read_file(module)}};
    for (const char* const file : {"config.json", "tokenizer.json", "model.safetensors"}) {
        data["files"][file] = base64(read_file(run + "/" + file));
    }
    const std::string html =
        writing_page({.start = "<!doctype html>\n<!-- a playground of smoe -->",
                      .script = backend,
                      .policy = " 'wasm-unsafe-eval'; worker-src blob:"},
                     name, data);
    write_file(path, html);
    fmt::print("{}: {} and all that it needs, {}\n", path, to_one_line(name),
               format_bytes(int64_t(html.size())));
}

}  // namespace
}  // namespace smoe

int main(int count, char** words) {
    try {
        smoe::check(count == 5, "usage: page MODULE DIR NAME FILE");
        smoe::write_page(words[1], words[2], words[3], words[4]);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "playground: error: %s\n", error.what());
        return 1;
    }
}
