// Safetensors against an opponent: what the format allows is read to the bit, everything else is
// refused with a message, and no single changed byte makes the reader crash.
// Read next: tests/fuzz/safetensors.cpp, the opponent that never tires.
#include "core/safetensors.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <vector>

#include "core/check.h"
#include "core/file.h"
#include "core/rng.h"
#include "tests/error_of.h"

using namespace smoe;

namespace {

std::string little_endian(uint64_t number) {
    return {reinterpret_cast<const char*>(&number), sizeof number};
}

std::string file_of(const std::string& header, const std::string& data = "") {
    return little_endian(header.size()) + header + data;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <class T>
void check_dtype(const std::string& dtype, const std::vector<T>& stored,
                 const std::vector<real>& expected) {
    CAPTURE(dtype);
    const std::string data = bytes_of(stored);
    const std::string header =
        fmt::format(R"({{"t":{{"dtype":"{}","shape":[{}],"data_offsets":[0,{}]}}}})", dtype,
                    stored.size(), data.size());
    const TensorFile file = parse_safetensors(file_of(header, data), "f");
    const Tensor& tensor = file.get("t");
    REQUIRE(tensor.shape() == Shape{int64_t(stored.size())});
    for (size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        if (std::isnan(expected[i])) {
            CHECK(std::isnan(tensor.values()[i]));
        } else {
            CHECK(tensor.values()[i] == expected[i]);
            CHECK(std::signbit(tensor.values()[i]) == std::signbit(expected[i]));
        }
    }
}

// The message of the Error that reading `bytes` must end with.
std::string refusal(const std::string& bytes) {
    return error_of([&] { parse_safetensors(bytes, "some/path"); });
}

void check_refused(const std::string& bytes, const std::string& reason) {
    const std::string message = refusal(bytes);
    CAPTURE(message);
    CHECK(message.find("'some/path'") != message.npos);
    CHECK_MESSAGE(message.find(reason) != message.npos, "expected: ", reason);
}

std::string scratch_path() {
    return (std::filesystem::temp_directory_path() /
            fmt::format("smoe_safetensors_test_{}", ::getpid()))
        .string();
}

const std::string four_ints(16, '\0');

std::string int_header(const std::string& shape, const std::string& offsets) {
    return R"({"test":{"dtype":"I32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

}  // namespace

TEST_CASE("safetensors: every number type becomes real") {
    constexpr real inf = std::numeric_limits<real>::infinity();
    constexpr real nan = std::numeric_limits<real>::quiet_NaN();
    check_dtype<double>("F64", {1.5, -0.0, INFINITY}, {1.5, real(-0.0), inf});
    check_dtype<float>("F32", {1e-45f, -3.25f, NAN}, {real(1e-45f), -3.25, nan});
    check_dtype<uint16_t>(
        "F16",
        {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x03FF, 0x0400, 0x8000, 0x7C00, 0xFC00, 0x7E01, 0x3555},
        {1, -2, 65504, real(0x1p-24), real(1023 * 0x1p-24), real(0x1p-14), real(-0.0), inf, -inf,
         nan, real(1365 * 0x1p-12)});
    check_dtype<uint16_t>("BF16", {0x3F80, 0xC049, 0x7F80, 0x7FC0, 0x0001},
                          {1, real(-3.140625), inf, nan, real(0x1p-133)});
    check_dtype<int64_t>("I64", {-5, int64_t(1) << 62}, {-5, real(0x1p62)});
    check_dtype<int32_t>("I32", {-7, INT32_MIN}, {-7, real(-0x1p31)});
    check_dtype<int16_t>("I16", {-32768, 12}, {-32768, 12});
    check_dtype<int8_t>("I8", {-128, 127}, {-128, 127});
    check_dtype<uint64_t>("U64", {UINT64_MAX}, {real(0x1p64)});
    check_dtype<uint32_t>("U32", {1u << 31}, {real(0x1p31)});
    check_dtype<uint16_t>("U16", {65535}, {65535});
    check_dtype<uint8_t>("U8", {255, 0}, {255, 0});
    check_dtype<uint8_t>("BOOL", {0, 1, 7}, {0, 1, 1});
}

TEST_CASE("safetensors: what the format allows is accepted") {
    CHECK(parse_safetensors(file_of("{}"), "f").tensors.empty());
    CHECK(parse_safetensors(file_of(" \n{} \t "), "f").tensors.empty());
    CHECK(parse_safetensors(file_of(R"({"__metadata__":{"a":"b"}})"), "f").metadata.at("a") == "b");
    CHECK(parse_safetensors(file_of(int_header("[2,2]", "[0,16]"), four_ints), "f")
              .get("test")
              .shape() == Shape{2, 2});

    SUBCASE(
        "single numbers, empty tensors, four dimensions, unknown keys, any order of the entries") {
        const std::string header =
            R"({"z":{"dtype":"U8","shape":[],"data_offsets":[0,1],"note":[1]},)"
            R"("a":{"dtype":"U8","shape":[1,2,1,3],"data_offsets":[1,7]},)"
            R"("e":{"dtype":"F64","shape":[3,0],"data_offsets":[1,1]},)"
            R"("f":{"dtype":"F64","shape":[0],"data_offsets":[7,7]}})";
        const TensorFile file = parse_safetensors(file_of(header, "\1\2\3\4\5\6\7"), "f");
        CHECK(file.tensors.size() == 4);
        CHECK(file.get("z").item() == 1);
        CHECK(file.get("z").shape().rank() == 0);
        CHECK(file.get("a").shape() == Shape{1, 2, 1, 3});
        CHECK(file.get("a").values()[0] == 2);
        CHECK(file.get("a").values()[5] == 7);
        CHECK(file.get("e").shape() == Shape{3, 0});
        CHECK(file.get("f").numel() == 0);
    }
}

TEST_CASE("safetensors: unsound files are refused with the reason") {
    SUBCASE("length of the header") {
        check_refused("", "it has 0 bytes");
        check_refused("1234567", "it has 7 bytes");
        check_refused(little_endian(0), "not a JSON object");
        check_refused(little_endian(3) + "{}", "only 2 follow");
        check_refused(little_endian(100'000'001) + "{}", "more than 100000000");
        check_refused(little_endian(UINT64_MAX) + "{}", "more than 100000000");
        check_refused(little_endian(UINT64_MAX - 7) + "{}", "more than 100000000");
    }
    SUBCASE("header that is no object, no JSON or no UTF-8") {
        for (const char* header : {"[]", "1", "\"a\"", "null", "   ", "\xEF\xBB\xBF{}"}) {
            check_refused(file_of(header), "not a JSON object");
        }
        for (const char* header : {"{", "{}}", "{} x", "{\"a\":}", "{\"a\" 1}", "{\"\\ud800\":1}",
                                   "{\"a\":1e999}", "{\"a\":01}", "{'a':1}"}) {
            check_refused(file_of(header), "not valid JSON");
        }
        check_refused(file_of("{\"\xFF\":1}"), "byte 2 of the header is not valid UTF-8");
        check_refused(file_of("{\"\xED\xA0\x80\":1}"), "UTF-8");
        check_refused(file_of(std::string("{}\0 ", 4)), "zero byte");
    }
    SUBCASE("depth") {
        const std::string many(2'000'000, '[');
        check_refused(file_of("{\"a\":" + many), "nested more than");
        std::string objects;
        for (int i = 0; i < 100'000; ++i) {
            objects += "{\"a\":";
        }
        check_refused(file_of(objects), "nested more than");
    }
    SUBCASE("names that occur twice") {
        const std::string entry = R"({"dtype":"I32","shape":[2,2],"data_offsets":[0,16]})";
        check_refused(file_of("{\"a\":" + entry + ",\"a\":" + entry + "}", four_ints),
                      "the key \"a\" is given twice");
        check_refused(file_of("{\"a\":" + entry + ",\"\\u0061\":" + entry + "}", four_ints),
                      "is given twice");
        check_refused(file_of(R"({"__metadata__":{},"__metadata__":{}})"), "is given twice");
        check_refused(file_of(R"({"__metadata__":{"k":"1","k":"2"}})"), "is given twice");
        check_refused(
            file_of(R"({"a":{"dtype":"U8","shape":[],"shape":[0],"data_offsets":[0,0]}})"),
            "is given twice");
    }
    SUBCASE("metadata") {
        check_refused(file_of(R"({"__metadata__":[]})"), "__metadata__ is not an object");
        check_refused(file_of(R"({"__metadata__":{"a":1}})"), "is not a string");
        check_refused(file_of(R"({"__metadata__":{"a":{"b":"c"}}})"), "is not a string");
    }
    SUBCASE("entries") {
        check_refused(file_of(R"({"a":1})"), "is not an object");
        check_refused(file_of(R"({"a":{"shape":[],"data_offsets":[0,0]}})"), "has no dtype");
        check_refused(file_of(R"({"a":{"dtype":"U8","data_offsets":[0,0]}})"), "has no shape");
        check_refused(file_of(R"({"a":{"dtype":"U8","shape":[0],"offsets":[0,0]}})"),
                      "has no data_offsets");
        for (const char* dtype : {"\"F8_E4M3\"", "\"f32\"", "\"\"", "7", "null"}) {
            const std::string message = refusal(file_of(std::string("{\"a\":{\"dtype\":") + dtype +
                                                        R"(,"shape":[0],"data_offsets":[0,0]}})"));
            CHECK(message.find("the dtype of \"a\"") != message.npos);
        }
        const std::string hostile = "{\"\\u001b[31m" + std::string(5000, 'x') + "\":1}";
        CHECK(refusal(file_of(hostile)).size() < 300);
        CHECK(refusal(file_of(hostile)).find('\x1B') == std::string::npos);
    }
    SUBCASE("shapes") {
        for (const char* shape : {"[2,-2]", "[4.0]", "[4e0]", "[-0]", "[\"4\"]", "[null]", "[[4]]",
                                  "[2,18446744073709551616]", "[true]"}) {
            CAPTURE(shape);
            check_refused(file_of(int_header(shape, "[0,16]"), four_ints), "integers from 0");
        }
        for (const char* shape :
             {"[2,18446744073709551614]", "[2,9223372036854775807]", "[4294967296,4294967296]",
              "[65536,65536,65536,65540]", "[9223372036854775808,2]", "[18446744073709551615,0]"}) {
            CAPTURE(shape);
            check_refused(file_of(int_header(shape, "[0,16]"), four_ints), "more than 2^48");
        }
        check_refused(file_of(int_header("[1,1,1,1,4]", "[0,16]"), four_ints), "at most 4");
        check_refused(file_of(int_header("4", "[0,16]"), four_ints), "at most 4");
        check_refused(file_of(int_header("{}", "[0,16]"), four_ints), "at most 4");
        check_refused(file_of(int_header("[5]", "[0,16]"), four_ints), "needs 20 bytes");
        check_refused(file_of(int_header("[0]", "[0,16]"), four_ints), "needs 0 bytes");
    }
    SUBCASE("offsets") {
        const auto offsets = [](const std::string& range) {
            return file_of(int_header("[2,2]", range), four_ints);
        };
        check_refused(offsets("[0,4]"), "needs 16 bytes");
        check_refused(offsets("[16,0]"), "would occupy");
        check_refused(offsets("[0,17]"), "would occupy");
        check_refused(offsets("[18446744073709551600,0]"), "would occupy");
        check_refused(offsets("[0,18446744073709551615]"), "would occupy");
        check_refused(offsets("[-16,0]"), "integers from 0");
        check_refused(offsets("[0,16.0]"), "integers from 0");
        check_refused(offsets("[0]"), "two numbers");
        check_refused(offsets("[0,16,16]"), "two numbers");
        check_refused(offsets("16"), "two numbers");
        check_refused(file_of(int_header("[2,2]", "[0,16]"), four_ints + "x"), "1 bytes follow");
        check_refused(file_of(int_header("[2,2]", "[0,16]"), four_ints.substr(2)), "would occupy");
        check_refused(file_of("{}", "polyglot"), "8 bytes follow");
        const auto two = [](const std::string& first, const std::string& second) {
            return file_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
                               R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}",
                           "01234567");
        };
        CHECK(refusal(two("[4,8]", "[0,4]")) == "accepted");
        check_refused(two("[0,4]", "[0,4]"), "inside the tensor before it");
        check_refused(two("[0,4]", "[3,7]"), "inside the tensor before it");
        check_refused(two("[1,5]", "[4,8]"), "leaving a hole");
        check_refused(file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                              R"("b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})",
                              "01234"),
                      "leaving a hole");
        check_refused(file_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                              R"("b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})",
                              "0123"),
                      "inside the tensor before it");
    }
}

TEST_CASE("safetensors: writing and reading back gives the same bits") {
    const std::string path = scratch_path();
    TensorFile file;
    file.tensors["layers.0.weight"] = Tensor::from({2, 3}, {1, -2, real(1e-40), 4, 5, real(0.1)});
    file.tensors["a"] = Tensor::from({1, 1, 1, 2}, {std::numeric_limits<real>::infinity(), 7});
    file.tensors["scalar \"\\ \u00E4\n"] = Tensor::full({}, 3);
    file.tensors["none"] = Tensor::zeros({0, 5});
    file.metadata = {{"step", "12"}, {"quote\"", "\u20AC\t"}};
    write_safetensors(path, file);

    const std::string bytes = read_file(path);
    uint64_t length;
    std::memcpy(&length, bytes.data(), sizeof length);
    CHECK((8 + length) % 64 == 0);
    CHECK(bytes[8] == '{');
    CHECK(bytes.size() == 8 + length + (6 + 2 + 1) * sizeof(real));
    CHECK(!file_exists(path + ".smoe-tmp"));

    const TensorFile back = read_safetensors(path);
    CHECK(back.origin == path);
    CHECK(back.metadata.at("format") == "pt");
    CHECK(back.metadata.at("step") == "12");
    CHECK(back.metadata.at("quote\"") == "\u20AC\t");
    CHECK(back.metadata.size() == 3);
    REQUIRE(back.tensors.size() == file.tensors.size());
    for (const auto& [name, tensor] : file.tensors) {
        const Tensor& other = back.get(name);
        CHECK(other.shape() == tensor.shape());
        CHECK(std::memcmp(other.data(), tensor.data(), size_t(tensor.numel()) * sizeof(real)) == 0);
    }
    CHECK_THROWS_WITH_AS(back.get("b"), ("'" + path + "' holds no tensor \"b\"").c_str(), Error);

    SUBCASE("in bfloat16: half the room, each number the nearest") {
        const std::string halved = safetensors_bytes(file, Precision::bfloat16);
        std::memcpy(&length, halved.data(), sizeof length);
        CHECK(halved.size() == 8 + length + (6 + 2 + 1) * 2);
        const TensorFile rounded = parse_safetensors(halved, "halved");
        CHECK(rounded.metadata == back.metadata);
        const std::vector<real> expected = {1, -2, real(0x1p-133), 4, 5, real(0x1.9ap-4)};
        const Tensor& weight = rounded.get("layers.0.weight");
        CHECK(weight.shape() == Shape{2, 3});
        CHECK(std::ranges::equal(weight.values(), expected));
        CHECK(rounded.get("a").values()[0] == std::numeric_limits<real>::infinity());
        CHECK(rounded.get("none").shape() == Shape{0, 5});
        write_safetensors(path, file, Precision::bfloat16);
        CHECK(read_file(path) == halved);
    }
    SUBCASE("a format that was given stays") {
        file.metadata["format"] = "np";
        write_safetensors(path, file);
        CHECK(read_safetensors(path).metadata.at("format") == "np");
    }
    SUBCASE("what cannot be written leaves the old file alone") {
        for (const char* name : {"__metadata__", "\xFF", "undefined"}) {
            TensorFile bad = file;
            bad.tensors[name] = std::string(name) == "undefined" ? Tensor() : Tensor::zeros({1});
            CHECK_THROWS_AS(write_safetensors(path, bad), Error);
        }
        TensorFile bad = file;
        bad.metadata["key"] = "\xC0\x80";
        CHECK_THROWS_AS(write_safetensors(path, bad), Error);
        CHECK(read_file(path) == bytes);
        CHECK_THROWS_AS(write_safetensors("/no/such/folder/f", file), Error);
    }
    std::filesystem::remove(path);
    CHECK_THROWS_AS(read_safetensors(path), Error);
}

TEST_CASE("safetensors: damaged files are read or refused, never worse") {
    const std::string path = scratch_path();
    TensorFile file;
    file.tensors["w"] = Tensor::full({3, 2}, 1);
    file.tensors["b"] = Tensor::full({2}, 2);
    write_safetensors(path, file);
    const std::string sound = read_file(path);
    std::filesystem::remove(path);
    for (size_t length = 0; length < sound.size(); ++length) {
        REQUIRE(refusal(sound.substr(0, length)) != "accepted");
    }
    Rng rng(1);
    const std::string spice = "{}[]\",:0123456789-e.\\ \x80\xFF";
    int refused = 0;
    constexpr int rounds = 4000;
    for (int round = 0; round < rounds; ++round) {
        std::string bytes = sound;
        const uint64_t changes = 1 + rng.below(3);
        for (uint64_t change = 0; change < changes; ++change) {
            const char byte = rng.below(2) ? spice[rng.below(spice.size())] : char(rng.below(256));
            bytes[rng.below(bytes.size())] = byte;
        }
        refused += refusal(bytes) != "accepted";
    }
    CHECK(refused > rounds / 2);
    CHECK(refused < rounds);  // changed numbers and names are none of the reader's business
}
