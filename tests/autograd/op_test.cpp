// Every check on every row of the table of ops. A check says which op and which shapes failed. No
// check knows an op by name: whatever is special about an op stands in its row.
//
// Read next: gradient_check_test.cpp, which asks whether these checks would notice anything.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <set>

#include "autograd/engine.h"
#include "core/file.h"
#include "core/threads.h"
#include "tests/autograd/op_table.h"
#include "tests/error_of.h"

using namespace smoe;

namespace {

constexpr double value_tolerance = sizeof(real) == 8 ? 1e-13 : 2e-5;

// Sets the size of the pool for the length of a test.
class Threads {
  public:
    explicit Threads(int count) : before_(threads()) { set_threads(count); }
    ~Threads() { set_threads(before_); }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

  private:
    int before_;
};

void for_each_case(const std::function<void(const OpCase&)>& body) {
    for (const OpRow& row : op_table()) {
        for (const OpCase& one : row.cases) {
            INFO(row.name << " " << one.label());
            body(one);
        }
    }
}

void for_each_large(const std::function<void(const OpCase&)>& body) {
    for (const OpRow& row : op_table()) {
        INFO(row.name << " " << row.large.label());
        body(row.large);
    }
}

Variable call(const OpCase& one) {
    return one.op(std::vector<Variable>(one.inputs.begin(), one.inputs.end()));
}

Variable call_on_leaves(const OpCase& one) {
    std::vector<Variable> leaves;
    for (const Tensor& input : one.inputs) {
        leaves.emplace_back(input, true);
    }
    return one.op(leaves);
}

Tensor upstream_of(const OpCase& one) {
    return random_tensor(call(one).shape(), 4);
}

bool same_bits(const Tensor& a, const Tensor& b) {
    return a.defined() == b.defined() && a.shape() == b.shape() &&
           (!a.defined() || std::memcmp(a.data(), b.data(), size_t(a.numel()) * sizeof(real)) == 0);
}

bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Tensor& x, const Tensor& y) { return same_bits(x, y); });
}

}  // namespace

TEST_CASE("ops: values are those of the textbook loops") {
    const auto body = [](const OpCase& one) {
        CHECK(difference(call(one).value(), one.expected(one.inputs)) < value_tolerance);
    };
    for_each_case(body);
    for_each_large(body);
}

TEST_CASE("ops: inputs stay as they were") {
    for_each_case([](const OpCase& one) {
        std::vector<Tensor> before;
        for (const Tensor& input : one.inputs) {
            before.push_back(input.clone());
        }
        const Tensor upstream = upstream_of(one), upstream_before = upstream.clone();
        gradients(one.op, one.inputs, upstream);
        CHECK(same_bits(one.inputs, before));
        CHECK(same_bits(upstream, upstream_before));
    });
}

TEST_CASE("ops: every element of every gradient against differences") {
    const Threads one_thread(1);
    for_each_case(
        [](const OpCase& one) { CHECK(gradient_error(one.op, one.inputs) < gradient_tolerance); });
}

TEST_CASE("ops: gradients of large inputs against differences along a direction") {
    for_each_large([](const OpCase& one) {
        CHECK(directional_error(one.op, one.inputs) < gradient_tolerance);
    });
}

TEST_CASE("ops: any subset of the inputs gets the gradients that it gets among all") {
    for_each_case([](const OpCase& one) {
        const Tensor upstream = upstream_of(one);
        const std::vector<Tensor> all = gradients(one.op, one.inputs, upstream);
        for (size_t subset = 1; subset < size_t(1) << one.inputs.size(); ++subset) {
            std::vector<bool> wanted;
            std::vector<Tensor> expected;
            for (size_t i = 0; i < one.inputs.size(); ++i) {
                wanted.push_back(subset >> i & 1);
                expected.push_back(wanted[i] ? all[i] : Tensor());
            }
            CAPTURE(subset);
            CHECK(same_bits(gradients(one.op, one.inputs, upstream, wanted), expected));
        }
    });
}

TEST_CASE("ops: a leaf that is used twice gets the sum") {
    int shared = 0;
    for_each_case([&](const OpCase& one) {
        CHECK(reuse_error(one.op, one.inputs) < value_tolerance);
        for (size_t i = 0; i < one.inputs.size(); ++i) {
            for (size_t j = i + 1; j < one.inputs.size(); ++j) {
                if (one.inputs[i].shape() == one.inputs[j].shape()) {
                    CHECK(same_input_error(one.op, one.inputs, i, j) < value_tolerance);
                    ++shared;
                }
            }
        }
    });
    CHECK(shared >= 30);  // add, sub, mul, square products, layer_norm: the condition above must
                          // not silently become false
}

TEST_CASE("ops: wrong calls are refused by an error that names the op") {
    for (const OpRow& row : op_table()) {
        for (size_t i = 0; i < row.bad_calls.size(); ++i) {
            CAPTURE(row.name);
            CAPTURE(i);
            const std::string message = error_of(row.bad_calls[i]);
            CAPTURE(message);
            CHECK(message.starts_with(row.name + ": "));
        }
    }
}

TEST_CASE("ops: an undefined input is refused by an error that names the op") {
    for (const OpRow& row : op_table()) {
        for (const OpCase& one : row.cases) {
            for (size_t i = 0; i < one.inputs.size(); ++i) {
                std::vector<Variable> inputs(one.inputs.begin(), one.inputs.end());
                inputs[i] = Variable();
                const std::string message = error_of([&] { one.op(inputs); });
                CAPTURE(row.name);
                CAPTURE(i);
                CAPTURE(message);
                CHECK((message.starts_with(row.name + ": ") ||
                       (message == "accepted" && row.optional == int64_t(i))));
            }
        }
    }
}

TEST_CASE("ops: NaN is hidden neither by the value nor by a gradient") {
    const auto any_nan = [](const Tensor& tensor) {
        return std::ranges::any_of(tensor.values(), [](real x) { return std::isnan(x); });
    };
    for_each_case([&](const OpCase& one) {
        for (size_t i = 0; i < one.inputs.size(); ++i) {
            std::vector<Variable> inputs(one.inputs.begin(), one.inputs.end());
            inputs[i] = Variable(Tensor::full(one.inputs[i].shape(), real(NAN)));
            const Tensor value = one.op(inputs).value();
            CAPTURE(i);
            CHECK((any_nan(value) || value.numel() == 0 || one.inputs[i].numel() == 0));
        }
        const auto finite = gradients(one.op, one.inputs, upstream_of(one));
        const auto nan = gradients(one.op, one.inputs, Tensor::full(call(one).shape(), real(NAN)));
        for (size_t i = 0; i < finite.size(); ++i) {
            const auto numbers = finite[i].values(), nans = nan[i].values();
            CHECK(std::equal(numbers.begin(), numbers.end(), nans.begin(),
                             [](real x, real y) { return x == 0 || std::isnan(y); }));
        }
    });
}

TEST_CASE("ops: nothing is recorded without gradients") {
    for_each_case([](const OpCase& one) {
        CHECK(!call(one).requires_grad());
        CHECK(call_on_leaves(one).requires_grad());
        const NoGrad constant;
        CHECK(!call_on_leaves(one).requires_grad());
    });
}

TEST_CASE("ops: all bytes are given back") {
    for_each_case([](const OpCase& one) {
        const int64_t before = memory_use().live;
        gradients(one.op, one.inputs, upstream_of(one));
        CHECK(memory_use().live == before);
        call_on_leaves(one);  // never walked
        CHECK(memory_use().live == before);
    });
}

TEST_CASE("ops: after the walk only the result and the gradients of leaves are kept") {
    for_each_large([](const OpCase& one) {
        const Tensor upstream = upstream_of(one);
        std::vector<Variable> leaves;
        for (const Tensor& input : one.inputs) {
            leaves.emplace_back(input, true);
        }
        const int64_t before = memory_use().live;
        const Variable root = one.op(leaves);
        backward(root, upstream);
        int64_t wanted = root.value().numel();
        for (const Variable& leaf : leaves) {
            wanted += leaf.grad().numel();
        }
        const int64_t kept = memory_use().live - before;
        // Blocks are rounded up by at most an eighth, or to 64 bytes.
        CHECK(kept >= wanted * int64_t(sizeof(real)));
        CHECK(kept <= wanted * int64_t(sizeof(real)) * 9 / 8 + 64 * int64_t(1 + leaves.size()));
    });
}

TEST_CASE("ops: the same bits for any number of threads") {
    const auto body = [](const OpCase& one) {
        Tensor value;
        std::vector<Tensor> grads;
        for (const int count : {1, 2, 4}) {
            const Threads pool(count);
            const Tensor value_now = call(one).value();
            const std::vector<Tensor> grads_now = gradients(one.op, one.inputs, upstream_of(one));
            if (count == 1) {
                value = value_now;
                grads = grads_now;
            }
            CAPTURE(count);
            CHECK(same_bits(value_now, value));
            CHECK(same_bits(grads_now, grads));
        }
    };
    for_each_case(body);
    for_each_large(body);
}

TEST_CASE("ops: each row calls the op it is named after, and nothing else") {
    for (const OpRow& row : op_table()) {
        for (const OpCase& one : row.cases) {
            CHECK(graph_names(call_on_leaves(one)) == std::vector<std::string>{row.name});
        }
        CHECK(!row.cases.empty());
        CHECK(graph_names(call_on_leaves(row.large)) == std::vector<std::string>{row.name});
    }
}

TEST_CASE("ops: the table has a row for each op that autograd/ops.h declares") {
    const std::filesystem::path here(__FILE__);
    const std::filesystem::path root = here.parent_path().parent_path().parent_path();
    const std::string header = read_file((root / "autograd/ops.h").string());
    std::set<std::string> declared, in_table;
    const std::string opening = "\nVariable ";
    for (size_t at = header.find(opening); at != std::string::npos; at = header.find(opening, at)) {
        at += opening.size();
        const std::string name = header.substr(at, header.find('(', at) - at);
        if (!name.starts_with("operator")) {  // they call ops: see operators_test.cpp
            declared.insert(name);
        }
    }
    for (const OpRow& row : op_table()) {
        CHECK(in_table.insert(row.name).second);  // no name twice
        CHECK(op_has_row(row.name));
    }
    CHECK(declared.size() >= 35);
    for (const std::string& name : declared) {
        CHECK_MESSAGE(in_table.contains(name),
                      "the op '" << name << "' of autograd/ops.h has no row in the table of ops");
    }
    for (const std::string& name : in_table) {
        CHECK_MESSAGE(declared.contains(name),
                      "the row '" << name << "' names no op that autograd/ops.h declares");
    }
    CHECK(!op_has_row("leaf"));
    CHECK(!op_has_row("no_such_op"));
}
