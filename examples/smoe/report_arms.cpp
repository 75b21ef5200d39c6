// Which of several runs repeat one experiment with different seeds, and what to call that
// experiment.
// Read next: report_script.cpp, which draws an arm in one colour.
#include <algorithm>
#include <map>
#include <regex>

#include "core/text.h"
#include "examples/smoe/report_data.h"

namespace smoe {
namespace {

using Json = nlohmann::ordered_json;

// "sparse" for "sparse-s" and "seed_sparse", which are left of names whose number was taken out.
std::string without_word_for_seed(const std::string& name) {
    static const std::regex ends("[-_. ]+(seed|s)?[-_. ]*$|^(seed|s)?[-_. ]+");
    return std::regex_replace(name, ends, "");
}

// The settings that decide the arm of a run.
std::map<std::string, std::string> arm_settings(const Json& run) {
    const std::string seed = run["settings"].value("training.seed", "");
    std::map<std::string, std::string> kept;
    for (const auto& [key, value] : run["settings"].items()) {
        if (!key.ends_with("seed") && !key.ends_with("_hash") && !key.ends_with("_every")) {
            const bool names = key == "data.data" || key == "data.valid" || key == "data.tokenizer";
            kept[key] = names ? without_number(value, seed) : value.get<std::string>();
        }
    }
    return kept;
}

struct Arm {
    std::map<std::string, std::string> settings;
    std::vector<size_t> runs;
};

// What the names of all its runs have in common besides the seed; "" if that is nothing.
std::string common_name(const Arm& arm, const Json& runs) {
    if (arm.runs.size() == 1) {
        return runs[arm.runs[0]]["name"];
    }
    std::vector<std::string> names;
    for (const size_t i : arm.runs) {
        names.push_back(without_word_for_seed(
            without_number(runs[i]["name"], runs[i]["settings"].value("training.seed", ""))));
    }
    return std::count(names.begin(), names.end(), names[0]) == std::ptrdiff_t(names.size())
               ? names[0]
               : "";
}

// "mask_rate 0.5, routing hash": the first three settings that are not the same in all arms.
std::string settings_name(const Arm& arm, const std::vector<Arm>& arms) {
    constexpr size_t most = 3;
    std::vector<std::string> words;
    for (const auto& [key, value] : arm.settings) {
        const bool differs =
            std::any_of(arms.begin(), arms.end(), [&key = key, &value = value](const Arm& other) {
                const auto found = other.settings.find(key);
                return found == other.settings.end() || found->second != value;
            });
        if (differs && words.size() < most) {
            words.push_back(key.substr(key.find('.') + 1) + " " + value);
        }
    }
    return words.empty() ? "all runs" : join(words, ", ");
}

}  // namespace

std::string without_number(const std::string& text, const std::string& number) {
    static const std::regex numbers("[0-9]+(\\.[0-9]+)*");
    std::string result = text;
    std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>> places;
    for (std::sregex_iterator found(text.begin(), text.end(), numbers), end; found != end;
         ++found) {
        if (found->str() == number) {
            places.emplace_back(found->position(), found->length());
        }
    }
    for (auto place = places.rbegin(); place != places.rend(); ++place) {
        result.erase(size_t(place->first), size_t(place->second));
    }
    return result;
}

std::vector<std::string> told_apart(std::vector<std::string> names) {
    std::map<std::string, int> count;
    for (std::string& name : names) {
        if (const int number = ++count[name]; number > 1) {
            name += " (" + std::to_string(number) + ")";
        }
    }
    return names;
}

Json arms_of(const Json& runs) {
    std::vector<Arm> arms;
    for (size_t i = 0; i < runs.size(); ++i) {
        const auto settings = arm_settings(runs[i]);
        const auto same = std::find_if(arms.begin(), arms.end(),
                                       [&](const Arm& arm) { return arm.settings == settings; });
        (same == arms.end() ? arms.emplace_back(Arm{settings, {}}) : *same).runs.push_back(i);
    }
    std::vector<std::string> names;
    for (const Arm& arm : arms) {
        names.push_back(common_name(arm, runs));
    }
    if (std::count(names.begin(), names.end(), "") > 0 || told_apart(names) != names) {
        names.clear();
        for (const Arm& arm : arms) {
            names.push_back(settings_name(arm, arms));
        }
        names = told_apart(names);
    }
    Json result = Json::array();
    for (size_t k = 0; k < arms.size(); ++k) {
        result.push_back({{"name", names[k]}, {"runs", arms[k].runs}});
    }
    return result;
}

}  // namespace smoe
