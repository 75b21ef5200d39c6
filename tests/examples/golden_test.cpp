// The model against the reference: the model must match both golden files, and every changed number
// in one must be noticed.
// Read next: tests/models/transformer/incremental_decoder_test.cpp.
#include "examples/smoe/golden.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/error_of.h"

using namespace smoe;

namespace {

const std::string small = "tests/golden/smoe_small.safetensors";
const std::string half_masked = "tests/golden/smoe_half_masked.safetensors";

// The same file with its own copy of `name`.
TensorFile with_copy_of(const TensorFile& file, const std::string& name) {
    TensorFile copy = file;
    copy.tensors[name] = copy.tensors.at(name).clone();
    return copy;
}

TensorFile changed(const TensorFile& file, const std::string& name, int64_t i, double value) {
    TensorFile copy = with_copy_of(file, name);
    copy.tensors[name].data()[i] = real(value);
    return copy;
}

int64_t largest_element(const Tensor& tensor) {
    const std::span<real> values = tensor.values();
    return std::max_element(values.begin(), values.end(),
                            [](real a, real b) { return std::abs(a) < std::abs(b); }) -
           values.begin();
}

std::vector<std::string> failed(const TensorFile& file) {
    const GoldenReport report = verify_golden(file);
    std::vector<std::string> names;
    for (const GoldenQuantity& quantity : report.quantities) {
        if (!quantity.passed(GoldenReport::tolerance)) {
            names.push_back(quantity.name);
        }
    }
    CHECK(report.passed() == names.empty());
    return names;
}

std::string refusal(const TensorFile& file) {
    return error_of([&] { verify_golden(file); });
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("golden: both files are met, far inside the tolerance") {
    for (const std::string& path : {small, half_masked}) {
        CAPTURE(path);
        const TensorFile file = read_safetensors(path);
        const GoldenReport report = verify_golden(file);
        CHECK(report.passed());
        std::vector<std::string> compared;
        for (const GoldenQuantity& quantity : report.quantities) {
            CAPTURE(quantity.name);
            CHECK(quantity.own_error < 2e-5);
            CHECK(quantity.error <= quantity.own_error);
            compared.push_back(quantity.name);
        }
        // Everything but the inputs is compared, and each of it once.
        std::vector<std::string> expected;
        for (const auto& [name, tensor] : file.tensors) {
            if (!name.starts_with("model.") && !name.starts_with("router.") && name != "tokens" &&
                name != "sampled_expert") {
                expected.push_back(name);
            }
        }
        std::sort(compared.begin(), compared.end());
        CHECK(compared == expected);
    }
}

TEST_CASE("golden: every form of the feed-forward network meets them") {
    for (const std::string& path : {small, half_masked}) {
        for (const char* form :
             {"masked-composed", "masked-fused", "masked-sparse", "masked-blocks"}) {
            for (const GoldenQuantity& quantity :
                 verify_golden(read_safetensors(path), form).quantities) {
                CAPTURE(quantity.name);
                CHECK(quantity.own_error < 2e-5);
            }
        }
    }
}

TEST_CASE("golden: every changed number is noticed") {
    const TensorFile file = read_safetensors(half_masked);
    for (const auto& entry : file.tensors) {
        const std::string& name = entry.first;
        const Tensor& tensor = entry.second;
        // The router runs without experts, so its masks have no influence on anything.
        if (name.starts_with("router.") && name.ends_with(".mask")) {
            continue;
        }
        CAPTURE(name);
        const int64_t i = largest_element(tensor);
        const double value = tensor.data()[i];
        if (name.starts_with("model.") || name.starts_with("router.")) {
            const bool mask = name.ends_with(".mask");
            CHECK_FALSE(failed(changed(file, name, i, mask ? 0 : 1.1 * value)).empty());
        } else if (name == "tokens" || name == "expert" || name == "sampled_expert") {
            CHECK_FALSE(failed(changed(file, name, 5, tensor.data()[5] == 0 ? 1 : 0)).empty());
        } else {
            const bool bit = name == "nucleus.kept";
            CHECK(failed(changed(file, name, i, bit ? 0 : 1.001 * value)) ==
                  std::vector<std::string>{name});
        }
    }
}

TEST_CASE("golden: the report names place and size of the error") {
    const TensorFile file = read_safetensors(half_masked);
    const auto report_of = [&](double offset) {
        const Tensor& logits = file.get("logits");  // (2, 17, 40)
        const int64_t i = (1 * 17 + 16) * 40 + 3;
        const double scale = std::max(1.0, double(std::abs(logits.data()[i])));
        return verify_golden(changed(file, "logits", i, logits.data()[i] + offset * scale));
    };
    const GoldenReport off = report_of(1e-2);
    CHECK_FALSE(off.passed());
    CHECK(off.quantities[0].name == "logits");
    CHECK(off.quantities[0].error == doctest::Approx(1e-2).epsilon(0.02));
    CHECK(off.quantities[0].where == "(1, 16, 3)");
    CHECK(report_of(5e-5).passed());
    CHECK_FALSE(report_of(2e-4).passed());
    CHECK_FALSE(report_of(std::numeric_limits<double>::quiet_NaN()).passed());
    CHECK_FALSE(report_of(std::numeric_limits<double>::infinity()).passed());
    CHECK_FALSE(GoldenReport{}.passed());
}

TEST_CASE("golden: missing or impossible metadata is named") {
    const TensorFile file = read_safetensors(half_masked);
    for (const auto& entry : file.metadata) {
        const std::string& key = entry.first;
        if (key == "seed" || key == "format") {
            continue;
        }
        CAPTURE(key);
        TensorFile broken = file;
        broken.metadata.erase(key);
        CHECK(contains(refusal(broken), "'" + key + "'"));
        for (const char* const text :
             {"", "-1", "nan", "inf", "1 2", "abc", "99999999999999999999"}) {
            CAPTURE(text);
            broken.metadata[key] = text;
            CHECK(contains(refusal(broken), "'" + key + "'"));
        }
    }
    for (const char* const key : {"batch", "length", "vocab", "experts", "dim", "layers", "heads",
                                  "router_dim", "router_layers", "router_heads", "steps"}) {
        CAPTURE(key);
        TensorFile broken = file;
        for (const char* const text : {"0", "1.5", "5", "65536", "65537"}) {
            CAPTURE(text);
            broken.metadata[key] = text;
            CHECK(contains(refusal(broken), half_masked));
        }
    }
}

TEST_CASE("golden: missing, left-over and ill-shaped tensors are named") {
    const TensorFile file = read_safetensors(half_masked);
    for (const char* const name :
         {"tokens", "expert", "logits", "loss", "sampled_expert", "nucleus.kept", "trained.loss",
          "model.layers.0.ffn.lin_2.mask", "router.layers.0.norm1.bias",
          "grad.model.decoder.weight", "grad.router.layers.0.norm1.bias",
          "trained.x.model.token_embedding.weight"}) {
        CAPTURE(name);
        TensorFile broken = file;
        broken.tensors.erase(name);
        // load_state_dict speaks of names within the network.
        const std::string full = name;
        const std::string part = full.starts_with("model.")    ? full.substr(6)
                                 : full.starts_with("router.") ? full.substr(7)
                                                               : full;
        CHECK(contains(refusal(broken), part));

        broken = file;
        Tensor& tensor = broken.tensors[name];
        tensor = Tensor::zeros({tensor.numel() + 1});
        CHECK(contains(refusal(broken), part));
    }
    for (const char* const name : {"extra", "model.extra", "grad.model.extra", "nucleus.extra"}) {
        CAPTURE(name);
        TensorFile broken = file;
        broken.tensors[name] = Tensor::zeros({1});
        CHECK(contains(refusal(broken), "extra"));
    }
    CHECK(contains(refusal(TensorFile{{}, {}, "model.safetensors"}), "no golden file"));
}

TEST_CASE("golden: ids must be ids") {
    const TensorFile file = read_safetensors(half_masked);
    for (const char* const name : {"tokens", "expert", "sampled_expert"}) {
        for (const double value : {-1.0, 40.0, 0.5, std::nan("")}) {
            CAPTURE(name);
            CAPTURE(value);
            CHECK(contains(refusal(changed(file, name, 3, value)), name));
        }
    }
    CHECK(contains(refusal(changed(file, "model.layers.0.ffn.lin_1.mask", 0, 0.5)), "mask"));
}
