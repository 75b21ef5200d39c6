// One row for each op of autograd/ops.h: calls of many shapes, the textbook loop that says what
// they should give, and calls that must be refused. op_test.cpp runs every check on every row, so a
// new op gets all of them for one row here.
// Read next: op_table.cpp, the rows; op_test.cpp, the checks.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/autograd/gradient_check.h"

namespace smoe {

// One call. `expected` takes the values of the same inputs.
struct OpCase {
    std::vector<Tensor> inputs;
    Op op;
    std::function<Tensor(const std::vector<Tensor>& inputs)> expected;

    std::string label() const;  // the shapes of the inputs: "(2, 3) (3)"
};

struct OpRow {
    std::string name;
    std::vector<OpCase> cases;  // small: every element of every gradient is checked
    OpCase large;               // cut into several chunks of parallel work
    std::vector<std::function<Variable()>>
        bad_calls;          // must throw an Error beginning with the name
    int64_t optional = -1;  // the input that may be undefined, if any
};

const std::vector<OpRow>& op_table();

// Does the table check nodes of this name, as graph_names gives it?
bool op_has_row(std::string_view name);

}  // namespace smoe
