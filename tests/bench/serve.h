// `bench serve`: a child process for compare_torch.py that takes a step, or encodes the text, each
// time it is told to. Its threads sleep while it waits, so that the other side has the machine to
// itself. The protocol is in serve.cpp.
// Read next: compare_torch.py.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace smoe::bench {

struct Serve {
    CLI::App* app;
    std::function<int(const std::string& data)> body;
};
Serve add_serve(CLI::App& app);

}  // namespace smoe::bench
