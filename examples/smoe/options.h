// What a command asks for on the command line: names are taken as they are written, numbers as they
// are read. The parser behind it, CLI11, is known to five files only, since whatever includes it
// takes seconds more to compile.
// Read next: eval.cpp, a command; command_line.h, which takes the words apart.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace smoe {

// One option, flag or name. Each of these functions returns it again.
class Option {
  public:
    explicit Option(CLI::Option* option) : option_(option) {}

    Option required() const;
    Option called(const std::string& type) const;         // its value, in the help: "DIR"
    Option default_shown(const std::string& text) const;  // in place of the value it has
    Option group(const std::string& heading) const;       // under which the help lists it
    Option needs(const Option& other) const;              // may only be given with the other
    Option excludes(const Option& other) const;           // or only without it
    bool given() const;                                   // once the words are read

  private:
    CLI::Option* option_;
};

// The options of a command. Values go into variables, which must live until they are read. `names`
// are such as "-o,--out"; without a dash it is a name by its place.
class Arguments {
  public:
    explicit Arguments(CLI::App& app) : app_(&app) {}

    Option flag(const std::string& names, bool& value, const std::string& help) const;
    // Any text.
    Option text(const std::string& names, std::string& value, const std::string& help) const;
    // A name: any text but "".
    Option name(const std::string& names, std::string& value, const std::string& help) const;
    // The name of a file or folder, likewise.
    Option path(const std::string& names, std::string& value, const std::string& help) const;
    // One or more of those, which may also be given one by one: --data A B, --data A --data B.
    Option paths(const std::string& names, std::vector<std::string>& values,
                 const std::string& help) const;
    // One or more texts, given likewise; none is "".
    Option texts(const std::string& names, std::vector<std::string>& values,
                 const std::string& help) const;
    // Numbers, written in decimal. The help shows the value that they have now.
    Option number(const std::string& names, int& value, const std::string& help) const;
    Option number(const std::string& names, int64_t& value, const std::string& help) const;
    Option number(const std::string& names, uint64_t& value, const std::string& help) const;
    Option number(const std::string& names, double& value, const std::string& help) const;
    // One of `choices`, with ":NUMBER" behind it if `numbered`.
    Option choice(const std::string& names, const std::function<void(const std::string&)>& take,
                  const std::vector<std::string>& choices, const std::string& help,
                  bool numbered = false) const;
    Option choice(const std::string& names, std::string& value,
                  const std::vector<std::string>& choices, const std::string& help,
                  bool numbered = false) const;
    // --long, for text that a trained model is shown: what happens to stories beyond its context.
    // If it is not given, `treatment` stays "", and they are treated as in training.
    Option long_stories(std::string& treatment) const;

    Option find(const std::string& name) const;  // one that has been added
    Arguments command(const std::string& name, const std::string& help) const;
    bool parsed() const;  // whether this command was named

  private:
    CLI::App* app_;
};

// Reads `words` into what `add` asks for, then calls what it returned: options are known until that
// ends. Throws as parse_command_line does.
void parse_words(const std::function<std::function<void()>(Arguments)>& add,
                 const std::vector<std::string>& words);

}  // namespace smoe
