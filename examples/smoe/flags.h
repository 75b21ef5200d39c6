// The settings of a run as flags of the program: which flag sets which, and its help text.
// Read next: train.cpp, which adds them; models/training/config.h, the table that they follow.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "examples/smoe/options.h"
#include "models/training/config.h"

namespace smoe {

// The flag of a setting, such as "--width" for "model.width"; "" if no flag sets it.
std::string flag_of(const Setting& setting);

std::string help_of(const Setting& setting);  // likewise

// A setting for messages: its flag, or its name in config.json if no flag sets it.
std::string flag_or_name(const Setting& setting);

struct Difference {
    Setting setting;
    std::string first, second;  // its values, as text
};
// The settings in which two configurations differ, in the order of the table.
std::vector<Difference> differences(const Config& first, const Config& second);

// "hidden and output": the neurons that masks apply to, for people.
std::string masked_neurons(MaskWhere where);

// Adds a flag for each setting. Call the result after parsing: it copies the flags that were given
// into a Config.
std::function<void(Config&)> add_setting_flags(Arguments arguments);

}  // namespace smoe
