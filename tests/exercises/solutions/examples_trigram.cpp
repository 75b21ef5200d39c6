// One solution of the exercise examples_trigram.cpp; write your own first.
// Read next: tests/exercises/examples_trigram.cpp, its test.
#include <functional>
#include <map>
#include <string>

std::function<double(char, char, char)> learn_trigrams(const std::string& text) {
    // How often each piece of the text of one to three characters occurs, and how often a piece of up
    // to two is followed by another character.
    std::map<std::string, double> count, followed;
    for (size_t i = 0; i < text.size(); ++i) {
        for (size_t before = 0; before <= 2 && before <= i; ++before) {
            ++count[text.substr(i - before, before + 1)];
            ++followed[text.substr(i - before, before)];
        }
    }
    return [count, followed](char before_last, char last, char next) {
        const auto of = [](const std::map<std::string, double>& table, const std::string& piece) {
            const auto found = table.find(piece);
            return found == table.end() ? 0 : found->second;
        };
        // From knowing nothing to two characters: what a longer piece says counts as often as the
        // piece occurred, what the shorter ones said before counts `trust` times.
        constexpr double trust = 3;
        double probability = 1.0 / 128;
        for (const std::string& seen :
             {std::string(), std::string{last}, std::string{before_last, last}}) {
            probability =
                (of(count, seen + next) + trust * probability) / (of(followed, seen) + trust);
        }
        return probability;
    };
}
