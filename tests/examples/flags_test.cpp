// The flags of the settings: each names exactly one setting, and each setting that people can
// choose has a flag.
// Read next: tests/models/training/config_test.cpp, the settings themselves.
#include "examples/smoe/flags.h"

#include <doctest/doctest.h>

#include <set>

using namespace smoe;

TEST_CASE("flags: every setting but those that training writes has a flag of its own") {
    std::set<std::string> flags;
    const Config config;
    visit_settings(config, [&](const Setting& setting, const auto&) {
        CAPTURE(setting.name());
        const std::string flag = flag_of(setting);
        const bool written =
            setting.name() == "model.vocab_size" || setting.name().ends_with("_hash");
        CHECK(flag.empty() == written);
        CHECK(help_of(setting).empty() == written);
        if (!written) {
            CHECK(flag.starts_with("--"));
            CHECK(flags.insert(flag).second);
        }
    });
    for (const char* taken : {"--run", "--preset", "--config", "--resume", "--threads", "--help"}) {
        CHECK(!flags.contains(taken));
    }
}
