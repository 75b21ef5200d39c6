// One loop that starts processes and waits for them.
// Read next: interruption.h; train.cpp, what they run.
#include "examples/smoe/study_workers.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <set>
#include <thread>
#include <tuple>

#include "core/file.h"
#include "core/text.h"
#include "examples/smoe/interruption.h"
#include "examples/smoe/printing.h"
#include "examples/smoe/shell.h"

extern char** environ;

namespace smoe {
namespace {

constexpr int status_of_interrupted = 130;

std::string log_file(const StudyRun& run) {
    return run.path + ".log.txt";
}

std::vector<std::string> environment_of_run() {
    std::vector<std::string> variables = {"OMP_NUM_THREADS=1"};
    for (char** variable = environ; *variable != nullptr; ++variable) {
        if (!std::string_view(*variable).starts_with("OMP_NUM_THREADS=")) {
            variables.emplace_back(*variable);
        }
    }
    return variables;
}

// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become_run(int log, const char* program, char** words, char** variables,
                             pid_t study) {
    ::setpgid(0, 0);  // a Ctrl-C is for the study, which hands it on
#ifdef __linux__
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // nor does it outlive a study that is killed
    if (::getppid() != study) {
        ::_exit(status_of_interrupted);
    }
#else
    (void)study;
#endif
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::execve(program, words, variables);
    ::_exit(127);
}

pid_t start(const StudyRun& run) {
    make_folder(std::filesystem::path(run.path).parent_path().string());
    const bool begun = file_exists(run.path + "/config.json");
    std::vector<std::string> words = begun ? resume_words(run) : start_words(run);
    words.insert(words.begin(), program_name());
    std::vector<std::string> variables = environment_of_run();
    const std::vector<char*> word_list = exec_list(words), variable_list = exec_list(variables);
    const std::string program = own_program(), path = log_file(run);
    const int log = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    check(log >= 0, "cannot write '{}': {}", path, std::strerror(errno));
    const pid_t study = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        become_run(log, program.c_str(), const_cast<char**>(word_list.data()),
                   const_cast<char**>(variable_list.data()), study);
    }
    const int problem = errno;
    ::close(log);
    check(child > 0, "cannot start a run: {}", std::strerror(problem));
    return child;
}

// The last complaint of the program in its log, without its name.
std::string last_complaint(const StudyRun& run) {
    const std::string log = read_file(log_file(run)), begin = "smoe: error: ";
    const size_t at = log.rfind(begin);
    if (at == log.npos || (at > 0 && log[at - 1] != '\n')) {
        return "it left no message, see " + log_file(run);
    }
    const size_t text = at + begin.size();
    return to_one_line(log.substr(text, log.find('\n', text) - text));
}

// Trains another process this run, such as one of a study that was killed a moment ago?
bool is_in_use(const StudyRun& run) {
    if (!file_exists(run.path)) {
        return false;
    }
    try {
        const FolderLock lock(run.path);
        return false;
    } catch (const Error&) {
        return true;
    }
}

class Workers {
  public:
    Workers(Study& study, int jobs, const std::function<void(size_t)>& when_ended)
        : study_(study), jobs_(size_t(jobs)), when_ended_(when_ended) {}

    ~Workers() { end_all(); }  // after an error, no run is left behind
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    bool go() {
        while (!interrupted()) {
            bool waiting = false;
            while (running_.size() < jobs_) {
                const std::optional<size_t> run = next(waiting);
                if (!run) {
                    break;
                }
                running_.push_back({start(study_.runs()[*run]), *run});
            }
            if (running_.empty() && !waiting) {
                return left_.empty();
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            collect();
        }
        for (const size_t run : end_all()) {
            study_.look_at(run);
        }
        return false;
    }

  private:
    struct Worker {
        pid_t process;
        size_t run;
    };

    // The first run to do: sweeps before full runs, and one seed of all arms before the next.
    // `waiting` is set if there are only runs that another process still holds.
    std::optional<size_t> next(bool& waiting) {
        std::optional<size_t> found;
        const auto place = [this](size_t i) {
            const StudyRun& run = study_.runs()[i];
            return std::tuple(run.phase, run.turn, i);
        };
        for (size_t i = 0; i < study_.runs().size(); ++i) {
            const RunState state = study_.status(i).state;
            const bool to_do = (state == RunState::untouched || state == RunState::begun) &&
                               !left_.contains(i) && study_.is_wanted(i) &&
                               std::ranges::none_of(
                                   running_, [i](const Worker& worker) { return worker.run == i; });
            if (to_do && is_in_use(study_.runs()[i])) {
                waiting = true;
                if (said_.insert(i).second) {
                    say("{}: another process still trains it", study_.runs()[i].name);
                }
            } else if (to_do && (!found || place(i) < place(*found))) {
                found = i;
            }
        }
        return found;
    }

    // Takes note of the runs that have ended.
    void collect() {
        for (size_t i = 0; i < running_.size();) {
            int status = 0;
            const Worker worker = running_[i];
            const pid_t ended = ::waitpid(worker.process, &status, WNOHANG);
            if (ended == 0 || (ended < 0 && errno == EINTR)) {
                ++i;
                continue;
            }
            running_.erase(running_.begin() + ptrdiff_t(i));
            judge(worker.run, status);
        }
    }

    void judge(size_t i, int status) {
        const StudyRun& run = study_.runs()[i];
        study_.look_at(i);
        const bool exited = WIFEXITED(status);
        if (exited ? WEXITSTATUS(status) == status_of_interrupted : WTERMSIG(status) == SIGTERM) {
            left_.insert(i);
            return;
        }
        if (study_.status(i).state != RunState::finished) {
            study_.set_failed(
                i, !exited ? fmt::format("it was ended by signal {}", WTERMSIG(status))
                   : WEXITSTATUS(status) != 0
                       ? last_complaint(run)
                       : fmt::format("it ended without an evaluation at step {}: is there no "
                                     "held-out text?",
                                     run.config.steps));
        }
        when_ended_(i);
    }

    // Lets all save and end; returns their runs.
    std::vector<size_t> end_all() {
        std::vector<size_t> runs;
        for (const Worker& worker : running_) {
            ::kill(worker.process, SIGTERM);
        }
        for (const Worker& worker : running_) {
            int status = 0;
            while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
            }
            runs.push_back(worker.run);
        }
        running_.clear();
        return runs;
    }

    Study& study_;
    size_t jobs_;
    const std::function<void(size_t)>& when_ended_;
    std::vector<Worker> running_;
    std::set<size_t> left_;  // stopped by somebody else; not started again by this study
    std::set<size_t> said_;  // to be held by another process
};

}  // namespace

bool train_alone(const StudyRun& run) {
    const pid_t process = start(run);
    int status = 0;
    while (::waitpid(process, &status, interrupted() ? 0 : WNOHANG) <= 0) {
        if (interrupted()) {
            ::kill(process, SIGTERM);
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
    const bool stopped = WIFEXITED(status) ? WEXITSTATUS(status) == status_of_interrupted
                                           : WTERMSIG(status) == SIGTERM;
    check(stopped || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "{}: {}", run.name,
          last_complaint(run));
    return !stopped;
}

bool train_runs(Study& study, int jobs, const std::function<void(size_t run)>& when_ended) {
    return Workers(study, jobs, when_ended).go();
}

}  // namespace smoe
