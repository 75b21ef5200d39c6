// A plan from its file. What the runs that follow from it are, study_candidates.cpp says.
// Read next: study_candidates.cpp.
#include "examples/smoe/study_plan.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "core/check.h"
#include "core/file.h"
#include "core/json.h"
#include "core/text.h"
#include "examples/smoe/flags.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t longest_name = 64;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_arm_name(const std::string& name) {
    const auto fits = [](char c) {
        return is_letter_or_digit(c) || std::string_view("_-+.").find(c) != std::string_view::npos;
    };
    return !name.empty() && name.size() <= longest_name && is_letter_or_digit(name[0]) &&
           std::all_of(name.begin(), name.end(), fits);
}

// Why a flag of `smoe train` has no place in a plan; "" if it has one.
std::string reason_against(const std::string& flag, bool in_arm) {
    if (flag == "lr" || flag == "seed") {
        return fmt::format("\"{}\" of the plan or of an arm lists them",
                           flag == "lr" ? flag : "seeds");
    }
    if (flag == "run" || flag == "resume") {
        return "the study chooses it";
    }
    if (flag == "minutes") {
        return "a study compares equal steps, so \"steps\" ends a run";
    }
    const bool of_tokenizer = flag == "tokenizer" || flag == "entries" || flag == "pre-tokenizer";
    return in_arm && of_tokenizer ? "all arms share one tokenizer, which \"base\" sets" : "";
}

// The flags of `smoe train` that a plan may set.
const std::vector<std::string>& settable_flags() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all = {"preset", "config"};
        const Config config;
        visit_settings(config, [&](const Setting& setting, const auto&) {
            const std::string flag = flag_of(setting);
            if (!flag.empty() && reason_against(flag.substr(2), false).empty()) {
                all.push_back(flag.substr(2));
            }
        });
        return all;
    }();
    return names;
}

class PlanReader {
  public:
    explicit PlanReader(const std::string& path)
        : path_(path), folder_(std::filesystem::path(path).parent_path()) {}

    StudyPlan read() const {
        const Json json = parsed();
        require_keys(json, "the plan", {"base", "arms", "lr", "seeds", "sweep", "compare_to"});
        StudyPlan plan;
        plan.path = path_;
        plan.base = flag_values(member(json, "base", Json::object()), "base", false);
        const Json arms = member(json, "arms", Json::array());
        require(arms.is_array() && !arms.empty(), "'arms' must be a list of at least one arm");
        for (const Json& arm : arms) {
            plan.arms.push_back(read_arm(arm, json, plan));
        }
        if (json.contains("sweep")) {
            read_sweep(json["sweep"], plan);
        }
        plan.compare_to = text(member(json, "compare_to", ""), "'compare_to'");
        std::vector<std::string> names;
        for (const StudyArm& arm : plan.arms) {
            names.push_back(arm.name);
        }
        require(plan.compare_to.empty() || std::ranges::count(names, plan.compare_to) == 1,
                fmt::format("'compare_to' names no arm: '{}'", plan.compare_to));
        return plan;
    }

  private:
    void require(bool ok, const std::string& problem) const {
        check(ok, "'{}': {}", path_, problem);
    }

    Json parsed() const {
        constexpr int deepest = 8;
        const std::string bytes = read_file(path_);
        Json json;
        try {
            json = parse_json<Json>(bytes, deepest,
                                    [&](const std::string& why) { fail("'{}': {}", path_, why); });
        } catch (const Json::parse_error& error) {
            const auto read = ptrdiff_t(std::min(error.byte, bytes.size()));
            fail("'{}' line {}: this is not valid JSON", path_,
                 1 + std::count(bytes.begin(), bytes.begin() + read, '\n'));
        } catch (const Json::exception&) {
            fail("'{}' is not valid JSON: a number is out of range", path_);
        }
        require(json.is_object(), "a plan is an object with \"base\" and \"arms\"");
        return json;
    }

    static Json member(const Json& object, const char* key, const Json& otherwise) {
        return object.contains(key) ? object[key] : otherwise;
    }

    void require_keys(const Json& object, const std::string& where,
                      const std::vector<std::string>& known) const {
        require(object.is_object(), where + " must be an object");
        for (const auto& [key, value] : object.items()) {
            const std::string nearest = nearest_name(key, known);
            require(std::ranges::count(known, key) > 0,
                    fmt::format("unknown key '{}' in {}{}", key, where,
                                nearest.empty() ? "; known are " + join(known, ", ")
                                                : ", did you mean '" + nearest + "'?"));
        }
    }

    std::string text(const Json& value, const std::string& what) const {
        require(value.is_string(), what + " must be a text");
        return value.get<std::string>();
    }

    template <class T>
    std::vector<T> numbers(const Json& list, const std::string& what) const {
        constexpr bool whole = std::is_integral_v<T>;
        const auto fits = [](const Json& value) {
            return whole ? value.is_number_unsigned() : value.is_number();
        };
        require(list.is_array() && !list.empty() && std::all_of(list.begin(), list.end(), fits),
                fmt::format("{} must be a list of {}numbers, such as [{}]", what,
                            whole ? "whole " : "", whole ? "1, 2, 3" : "0.002, 0.004"));
        auto values = list.get<std::vector<T>>();
        auto sorted = values;
        std::ranges::sort(sorted);
        require(std::ranges::adjacent_find(sorted) == sorted.end(), what + " has a number twice");
        return values;
    }

    // A setting's value as words: one, or those of a list.
    std::vector<std::string> words_of(const std::string& flag, const Json& value) const {
        if (value.is_array()) {
            std::vector<std::string> words;
            for (const Json& one : value) {
                require(!one.is_array(), fmt::format("'{}' is a list of lists", flag));
                words.push_back(words_of(flag, one)[0]);
            }
            return words;
        }
        require(value.is_string() || value.is_number() || value.is_boolean(),
                fmt::format("'{}' must be a text, a number, true, false or a list of them", flag));
        std::string word = value.is_string() ? value.get<std::string>() : value.dump();
        static const std::set<std::string> paths = {"data", "valid", "tokenizer", "config", "init"};
        if (paths.contains(flag)) {
            word = word.empty() ? word : (folder_ / word).string();
        }
        return {word};
    }

    FlagValues flag_values(const Json& object, const std::string& where, bool in_arm) const {
        require(object.is_object(), where + " must be an object of settings");
        FlagValues values;
        for (const auto& [flag, value] : object.items()) {
            const std::string reason = reason_against(flag, in_arm);
            require(reason.empty(),
                    fmt::format("'{}' cannot be set in {}: {}", flag, where, reason));
            const std::string nearest = nearest_name(flag, settable_flags());
            require(std::ranges::count(settable_flags(), flag) > 0,
                    fmt::format("{}: `smoe train` has no flag '{}'{}", where, flag,
                                nearest.empty() ? "" : ", did you mean '" + nearest + "'?"));
            values[flag] = words_of(flag, value);
        }
        return values;
    }

    StudyArm read_arm(const Json& json, const Json& plan_json, const StudyPlan& plan) const {
        require_keys(json, "an arm", {"name", "what", "set", "lr", "seeds"});
        StudyArm arm;
        arm.name = text(member(json, "name", ""), "the name of an arm");
        require(
            is_arm_name(arm.name),
            fmt::format("'{}' cannot be the name of an arm: it must begin with a letter or digit "
                        "and go on with those, '_', '-', '+' and '.'",
                        arm.name));
        for (const StudyArm& other : plan.arms) {
            require(other.name != arm.name, fmt::format("two arms have the name '{}'", arm.name));
        }
        const std::string where = fmt::format("arm '{}'", arm.name);
        arm.what = text(member(json, "what", ""), "'what' of " + where);
        arm.own = flag_values(member(json, "set", Json::object()), where, true);
        arm.flags = arm.own;
        arm.flags.insert(plan.base.begin(), plan.base.end());
        const auto of_arm = [&](const char* key) { return json.contains(key) ? json : plan_json; };
        if (of_arm("lr").contains("lr")) {
            arm.lr = numbers<double>(of_arm("lr")["lr"], "'lr' of " + where);
        }
        arm.seeds = {1};
        if (of_arm("seeds").contains("seeds")) {
            arm.seeds = numbers<uint64_t>(of_arm("seeds")["seeds"], "'seeds' of " + where);
        }
        return arm;
    }

    void read_sweep(const Json& json, StudyPlan& plan) const {
        require_keys(json, "'sweep'", {"steps", "seeds"});
        const Json steps = member(json, "steps", 0);
        require(steps.is_number_unsigned() && steps.get<uint64_t>() > 0 &&
                    steps.get<uint64_t>() <= INT64_MAX,
                "'sweep' needs \"steps\", a whole number above 0");
        plan.sweep_steps = steps.get<int64_t>();
        plan.sweep_seeds = {1};
        if (json.contains("seeds")) {
            plan.sweep_seeds = numbers<uint64_t>(json["seeds"], "'seeds' of the sweep");
        }
        for (StudyArm& arm : plan.arms) {
            arm.swept = arm.lr.size() > 1;
        }
    }

    std::string path_;
    std::filesystem::path folder_;
};

}  // namespace

StudyPlan read_plan(const std::string& path) {
    return PlanReader(path).read();
}

}  // namespace smoe
