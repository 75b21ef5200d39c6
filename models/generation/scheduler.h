// Jobs of many people for texts of one or several models. A request of a job waits in a queue until
// there are places for its texts, which then join those being written. Any thread may submit a job,
// read what has been written of it, or cancel it; one thread does the work. No job sees another:
// what it gets is what it would get alone. Sockets are left to the caller.
// Read next: generator.h, which writes; examples/smoe/serve.cpp, the thread that works.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/check.h"
#include "models/generation/generator.h"
#include "models/generation/stop_strings.h"
#include "models/text/tokenizer.h"

namespace smoe {

// A job cannot be taken now: the queue is full, or no more jobs are taken.
struct Refused : Error {
    enum class Why { full, closed };
    Refused(Why reason, const std::string& message) : Error(message), why(reason) {}
    Why why;
};

// A token that outlives the call in which it was reported.
struct WrittenToken {
    explicit WrittenToken(const Generator::Token& token);
    // The same, as views of this one.
    Generator::Token view() const;

    int32_t id, expert;
    double log_probability;
    std::vector<Sampler::Ranked> likeliest;
    std::vector<real> router;
};

class Job {
  public:
    // What one text of the job has got: a token, or its end, or both.
    struct Piece {
        int64_t text;       // its number in the job
        std::string bytes;  // what is now known to stand in front of every stop string
        bool of_prompt = false;
        std::optional<WrittenToken> token = {};
        std::optional<End> end = {};
        std::string stop = {};  // the stop string that ended it
    };

    // Moves the pieces that have come to `pieces`, in order, waiting up to `longest` for one.
    // Returns whether more may come. Throws Error if the work failed.
    bool take(std::vector<Piece>& pieces, std::chrono::milliseconds longest);
    // Sleeps until `then`, or until all pieces have come. Pieces on the way wake nobody.
    void sleep_until(std::chrono::steady_clock::time_point then);

    // Nobody will read the rest: its places are free before the next pass.
    void cancel() { cancelled_ = true; }

  private:
    friend class Scheduler;
    void give(Piece piece);
    void fail(const std::string& message);

    std::vector<TextRequest> requests_;
    std::vector<std::string> stops_;
    bool tell_prompt_ = false;
    std::atomic<bool> cancelled_ = false;

    std::mutex mutex_;
    std::condition_variable news_, over_;
    std::vector<Piece> pieces_;
    int64_t unfinished_ = 0;  // texts without an end
    std::string failure_;
};

class Scheduler {
  public:
    struct Model {
        const SingleMoe* moe;
        const Tokenizer* tokenizer;
        Generator* generator;
        // For weights that may become newer, by the thread that works. Asked between two passes.
        std::function<bool()> has_newer = {};
        // Called if so, once no text is left that the older ones write; new texts wait meanwhile.
        // Returns the generator from then on, with as many places. The settings stay the same.
        std::function<Generator*()> renew = {};
    };
    // At most `longest_queue` jobs wait. The models must outlive this.
    Scheduler(std::vector<Model> models, int64_t longest_queue);

    // Texts are numbered through: the samples of the first request, then those of the second, and
    // so on. With tell_prompt, a text begins with the tokens of its prompt. Throws Error for what
    // check_request or StopStrings refuse and for more samples of a request than there are places,
    // and Refused.
    std::shared_ptr<Job> submit(size_t model, std::vector<TextRequest> requests,
                                std::vector<std::string> stops, bool tell_prompt);

    void close();  // takes no more jobs
    bool idle() const;

    // These two are for the thread that works. The first lets jobs join and leave, and takes every
    // text one token further; it waits up to `longest` for a job if there is none. The second ends
    // all texts where they are.
    void work(std::chrono::milliseconds longest);
    void interrupt();

  private:
    // Samples of one request that wait, or a text that is written.
    struct Waiting {
        std::shared_ptr<Job> job;
        size_t request;
        int64_t first_text;
    };
    struct Running {
        std::shared_ptr<Job> job;
        int64_t text;
        StopStrings stop;
        size_t of_prompt;  // tokens of the prompt that are still to come
    };
    struct Desk {
        std::deque<Waiting> waiting;         // guarded by mutex_
        std::map<int64_t, Running> running;  // by place; only for the thread that works
    };

    void drop_cancelled(size_t model);
    bool is_current(size_t model);
    void start_waiting(size_t model);
    void pass(size_t model);
    void take_token(size_t model, const Generator::Token& token);
    bool nothing_waits() const;

    std::vector<Model> models_;
    std::vector<int64_t> places_;
    int64_t longest_queue_;
    mutable std::mutex mutex_;
    std::condition_variable arrival_;
    std::vector<Desk> desks_;  // of each model
    bool closed_ = false;
    std::atomic<int64_t> running_ = 0;
};

}  // namespace smoe
