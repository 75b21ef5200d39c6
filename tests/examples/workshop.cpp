// Starts the program and reads what it leaves. It forks and executes by hand, since a shell would
// hide signals and change words.
// Read next: killed_test.cpp, which needs that most.
#include "tests/examples/workshop.h"
#include "examples/smoe/shell.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <regex>

#include "core/file.h"
#include "tests/models/small_run.h"

namespace smoe {
namespace {

// The streams of the program lie beside the workshop, so that inventory() does not see them.
std::string stream_file(const std::string& name) {
    return workshop() + "-" + name;
}

struct Workshop {
    TemporaryFolder folder{"workshop"};
    ~Workshop() {
        for (const char* name : {"in", "out", "err"}) {
            std::filesystem::remove(folder.path + "-" + name);
        }
    }
};

// In the child: only calls that are safe between fork and exec.
void become_program(const char* program, char** arguments, char** environment,
                    const std::vector<std::string>& streams, const std::string& folder,
                    const Circumstances& circumstances) {
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    ::dup2(::open(streams[0].c_str(), O_RDONLY), 0);
    ::dup2(::open(streams[1].c_str(), flags, 0644), 1);
    ::dup2(::open(streams[2].c_str(), flags, 0644), 2);
    const auto limit = [](int resource, int64_t bytes) {
        if (bytes >= 0) {
            const rlimit both{rlim_t(bytes), rlim_t(bytes)};
            ::setrlimit(resource, &both);
        }
    };
    limit(RLIMIT_FSIZE, circumstances.largest_file);
    limit(RLIMIT_AS, circumstances.address_space);
    // A test that was started in the background, or by nohup, must not hand that on.
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGHUP, SIG_DFL);
    for (const int signal : circumstances.ignored_signals) {
        ::signal(signal, SIG_IGN);
    }
    ::alarm(60);
    if (::chdir(folder.c_str()) == 0) {
        ::execve(program, arguments, environment);
    }
    ::_exit(127);
}

}  // namespace

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(separator, begin), text.size());
        if (end > begin) {
            parts.push_back(text.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    return parts;
}

std::string tiny_settings() {
    return " --preset tiny_original --width 16 --layers 1 --heads 2 --hidden 32 --dropout 0.1 "
           "--router-width 8"
           " --router-layers 1 --router-heads 2 --router-hidden 16 --router-dropout 0.1"
           " --entries 300 --context 40 --batch 4 --steps 6 --log-every 2 --eval-every 3"
           " --checkpoint-every 3 --sample-every 0 --router-steps 3 --warmup 2 --router-warmup 2 ";
}

std::string workshop() {
    static const Workshop made;
    static bool first = true;
    if (std::exchange(first, false)) {
        REQUIRE(smoe_program("corpus -o corpus --stories 60 --valid-stories 10").status == 0);
        REQUIRE(
            smoe_program("train --run run --data corpus/train.jsonl --valid corpus/valid.jsonl" +
                         tiny_settings())
                .status == 0);
    }
    return made.folder.path;
}

pid_t start_program(const std::vector<std::string>& words, const Circumstances& circumstances) {
    const char* const program = std::getenv("SMOE_PROGRAM");
    REQUIRE_MESSAGE(program != nullptr,
                    "SMOE_PROGRAM must hold the path of the program smoe; run tests/run.sh");
    // The first of two variables of one name counts.
    std::vector<std::string> arguments = words, environment = circumstances.variables;
    arguments.insert(arguments.begin(), circumstances.name);
    for (char** variable = environ; *variable != nullptr; ++variable) {
        environment.push_back(*variable);
    }
    if (!circumstances.fault.empty()) {
        const char* const library = std::getenv("SMOE_FAULT_LIBRARY");
        REQUIRE_MESSAGE(library != nullptr,
                        "SMOE_FAULT_LIBRARY must hold the path of fault.so; run tests/run.sh");
        environment.push_back(std::string("LD_PRELOAD=") + library);
        environment.push_back("SMOE_FAULT=" + circumstances.fault);
    }
    write_file(stream_file("in"), circumstances.input);
    const std::vector<std::string> streams = {
        stream_file("in"),
        circumstances.output_file.empty() ? stream_file("out") : circumstances.output_file,
        stream_file("err")};
    write_file(stream_file("out"), "");
    const std::string folder = workshop();
    std::vector<char*> argument_list = exec_list(arguments), variable_list = exec_list(environment);
    const pid_t child = ::fork();
    if (child == 0) {
        become_program(program, argument_list.data(), variable_list.data(), streams, folder,
                       circumstances);
    }
    REQUIRE(child > 0);
    return child;
}

Outcome wait_for_program(pid_t program) {
    int status = 0;
    REQUIRE(::waitpid(program, &status, 0) == program);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            read_file(stream_file("out")), read_file(stream_file("err"))};
}

Outcome smoe_program(const std::vector<std::string>& words, const Circumstances& circumstances) {
    return wait_for_program(start_program(words, circumstances));
}

Outcome smoe_program(const std::string& words, const Circumstances& circumstances) {
    return smoe_program(split(words, ' '), circumstances);
}

std::string contents(const std::string& name) {
    return read_file(workshop() + "/" + name);
}

void put(const std::string& name, const std::string& bytes) {
    const std::filesystem::path path = workshop() + "/" + name;
    make_folder(path.parent_path().string());
    write_file(path.string(), bytes);
}

void copy_run(const std::string& from, const std::string& to) {
    std::filesystem::remove_all(workshop() + "/" + to);
    std::filesystem::copy(workshop() + "/" + from, workshop() + "/" + to);
}

std::map<std::string, std::string> inventory() {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(workshop())) {
        found[entry.path().string()] =
            entry.is_regular_file() ? read_file(entry.path().string()) : "(no file)";
    }
    return found;
}

void check_complaint(const Outcome& outcome, int status, const std::string& part) {
    INFO(outcome.err);
    CHECK(outcome.status == status);
    CHECK(outcome.err.starts_with("smoe: error: "));
    CHECK(outcome.err.find('\n') + 1 == outcome.err.size());
    CHECK(outcome.err.find("json.exception") == outcome.err.npos);
    CHECK(outcome.err.find(part) != outcome.err.npos);
}

namespace {

// Fails if `message`, of a call with `words`, names an option that this command does not have.
void check_proposals(const std::string& message, const std::vector<std::string>& words) {
    std::string command, given;
    for (const std::string& word : words) {
        const bool is_command = word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == word.npos;
        command += is_command && (given.empty() || given == "tokenizer ") ? " " + word : "";
        given += word + " ";
    }
    const auto help = [](const std::string& of) {
        static std::map<std::string, std::string> known;
        if (!known.contains(of)) {
            known[of] = smoe_program(of + " --help").out;
        }
        return known[of];
    };
    const std::regex flag("--[a-z][a-z0-9-]*");
    for (std::sregex_iterator name(message.begin(), message.end(), flag), end; name != end;
         ++name) {
        const std::regex whole(name->str() + "(?![a-z0-9-])");
        INFO(message);
        CHECK((std::regex_search(given, whole) || std::regex_search(help(command), whole) ||
               std::regex_search(help(""), whole)));
    }
}

}  // namespace

void refused(const std::vector<std::string>& words, int status, const std::string& part,
             const Circumstances& circumstances) {
    std::string line;
    for (const std::string& word : words) {
        line += word + " ";
    }
    INFO(line);
    const auto before = inventory();
    const Outcome outcome = smoe_program(words, circumstances);
    check_complaint(outcome, status, part);
    CHECK((inventory() == before));
    check_proposals(outcome.err, words);
}

void refused(const std::string& words, int status, const std::string& part,
             const Circumstances& circumstances) {
    refused(split(words, ' '), status, part, circumstances);
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

std::string unwrapped(const std::string& text) {
    return std::regex_replace(text, std::regex("[ \n]+"), " ");
}

Outcome done(const std::string& words, const Circumstances& circumstances) {
    const Outcome outcome = smoe_program(words, circumstances);
    INFO(words << "\n" << outcome.err);
    CHECK(outcome.status == 0);
    CHECK(outcome.err == "");
    return outcome;
}

std::string tiny_train() {
    return "train --run new --data corpus/train.jsonl --valid corpus/valid.jsonl" + tiny_settings();
}

}  // namespace smoe
