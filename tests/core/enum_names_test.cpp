// Enums with names: there and back, and what other names are told.
// Read next: tests/models/training/config_test.cpp, where settings have them.
#include "core/enum_names.h"

#include <doctest/doctest.h>

#include "models/text/dataset.h"
#include "tests/error_of.h"

namespace smoe {
namespace {

enum class Meal { breakfast, lunch, supper };

const EnumNames<Meal>& enum_names(Meal) {
    static const EnumNames<Meal> names = {{Meal::lunch, "lunch"}, {Meal::supper, "supper"}};
    return names;
}

template <class Enum>
void check_there_and_back(const std::vector<std::string>& names) {
    CHECK(names_of<Enum>() == names);
    for (const std::string& name : names) {
        CHECK(name_of(enum_named<Enum>(name)) == name);
    }
}

}  // namespace

TEST_CASE("enum names: there and back") {
    check_there_and_back<Meal>({"lunch", "supper"});
    check_there_and_back<PreTokenizer>({"gpt2", "none"});
    check_there_and_back<LongStories>({"cut", "split", "drop"});
    CHECK(enum_named<Meal>("supper") == Meal::supper);
    CHECK(name_of(Meal::breakfast) == "");
}

TEST_CASE("enum names: another name gets those that there are") {
    CHECK(error_of([] { enum_named<Meal>("tea"); }) ==
          "expected one of lunch, supper, found 'tea'");
    for (const std::string other : {"", "Lunch", "lunch ", "breakfast"}) {
        CHECK(error_of([&] { enum_named<Meal>(other); }) ==
              "expected one of lunch, supper, found '" + other + "'");
    }
    CHECK(error_of([] { enum_named<Meal>("\x1b[2J"); }).find('\x1b') == std::string::npos);
}

}  // namespace smoe
