// Reading and writing safetensors. Reading takes three steps, each of which relies on the one
// before: the header is sound JSON, its entries describe the data exactly, the numbers are
// converted.
// Read next: tests/core/safetensors_test.cpp, which attacks all of it.
#include "core/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/bfloat16.h"
#include "core/check.h"
#include "core/file.h"
#include "core/json.h"
#include "core/utf8.h"

namespace smoe {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

using Json = nlohmann::json;

constexpr uint64_t length_bytes = 8, alignment = 64;
constexpr uint64_t max_header = 100'000'000;  // the format's own limit
constexpr uint64_t max_elements = uint64_t(1) << 48;
constexpr int max_depth = 8;  // three levels are needed
constexpr const char* metadata_key = "__metadata__";

double half_to_double(uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double magnitude = std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 0) {
        magnitude = std::ldexp(fraction, -24);
    } else if (exponent == 31) {
        magnitude = fraction == 0 ? HUGE_VAL : std::nan("");
    }
    return bits >> 15 ? -magnitude : magnitude;
}

real from_half(uint16_t bits) {
    return real(half_to_double(bits));
}
real from_bfloat(uint16_t bits) {
    return std::bit_cast<float>(uint32_t(bits) << 16);
}
real from_bool(uint8_t byte) {
    return byte != 0;
}

template <class Stored>
real from_number(Stored value) {
    return real(value);
}

// Numbers of one type, at any address.
template <class Stored, real (*to_real)(Stored)>
void convert_all(const char* bytes, std::span<real> values) {
    for (real& value : values) {
        Stored stored;
        std::memcpy(&stored, bytes, sizeof stored);
        bytes += sizeof stored;
        value = to_real(stored);
    }
}

struct Dtype {
    const char* name;
    uint64_t size;  // bytes of one element
    void (*convert)(const char* bytes, std::span<real> values);
};

template <class Stored>
constexpr Dtype number(const char* name) {
    return {name, sizeof(Stored), convert_all<Stored, from_number<Stored>>};
}

constexpr std::array dtypes = {
    number<double>("F64"),
    number<float>("F32"),
    number<int64_t>("I64"),
    number<int32_t>("I32"),
    number<int16_t>("I16"),
    number<int8_t>("I8"),
    number<uint64_t>("U64"),
    number<uint32_t>("U32"),
    number<uint16_t>("U16"),
    number<uint8_t>("U8"),
    Dtype{"F16", 2, convert_all<uint16_t, from_half>},
    Dtype{"BF16", 2, convert_all<uint16_t, from_bfloat>},
    Dtype{"BOOL", 1, convert_all<uint8_t, from_bool>},
};

// What the header says of one tensor, after checks that it is sound in itself.
struct Entry {
    std::string name;
    const Dtype* dtype;
    std::vector<int64_t> shape;
    uint64_t begin, end;  // bytes of the data section
};

class Reader {
  public:
    Reader(std::string_view bytes, const std::string& origin) : bytes_(bytes), origin_(origin) {}

    TensorFile read() {
        const Json header = parse_header();
        TensorFile file;
        file.origin = origin_;
        std::vector<Entry> entries;
        for (const auto& [name, value] : header.items()) {
            if (name == metadata_key) {
                file.metadata = read_metadata(value);
            } else {
                entries.push_back(read_entry(name, value));
            }
        }
        require_full_cover(entries);
        for (const Entry& entry : entries) {
            const Tensor tensor = Tensor::empty(Shape(std::span<const int64_t>(entry.shape)));
            entry.dtype->convert(data_.data() + entry.begin, tensor.values());
            file.tensors.emplace(entry.name, tensor);
        }
        return file;
    }

  private:
    template <class... Args>
    void require(bool ok, fmt::format_string<Args...> message, Args&&... args) const {
        if (!ok) [[unlikely]] {
            refuse(fmt::format(message, std::forward<Args>(args)...));
        }
    }

    [[noreturn]] void refuse(const std::string& why) const {
        fail("'{}' is not a sound safetensors file: {}", origin_, why);
    }

    Json parse_header() {
        require(bytes_.size() >= length_bytes,
                "it has {} bytes, fewer than the {} of a header length", bytes_.size(),
                length_bytes);
        uint64_t length;
        std::memcpy(&length, bytes_.data(), length_bytes);
        require(length <= max_header, "the header would have {} bytes, more than {}", length,
                max_header);
        require(length <= bytes_.size() - length_bytes,
                "the header would have {} bytes, but only {} follow: the file is cut short", length,
                bytes_.size() - length_bytes);
        const std::string_view header = bytes_.substr(length_bytes, length);
        data_ = bytes_.substr(length_bytes + length);
        require(valid_utf8(header), "byte {} of the header is not valid UTF-8",
                valid_utf8_prefix(header));
        // The parser takes a zero byte for the end, and skips a byte order mark.
        require(header.find('\0') == header.npos, "the header holds a zero byte");
        const size_t start = header.find_first_not_of(" \t\r\n");
        require(start != header.npos && header[start] == '{', "the header is not a JSON object");
        try {
            return parse_json<Json>(header, max_depth,
                                    [this](const std::string& why) { refuse(why); });
        } catch (const Json::exception&) {
            refuse("the header is not valid JSON");
        }
    }

    std::map<std::string, std::string> read_metadata(const Json& json) const {
        require(json.is_object(), "{} is not an object", metadata_key);
        std::map<std::string, std::string> metadata;
        for (const auto& [key, value] : json.items()) {
            require(value.is_string(), "the value of {} in {} is not a string", shown_json(key),
                    metadata_key);
            metadata[key] = value.get<std::string>();
        }
        return metadata;
    }

    // A non-negative integer written as one: 2, but not 2.0, 2e0 or -0.
    uint64_t read_integer(const Json& json, const std::string& name, const char* key) const {
        require(json.is_number_unsigned(), "the {} of {} holds something else than integers from 0",
                key, shown_json(name));
        return json.get<uint64_t>();
    }

    Entry read_entry(const std::string& name, const Json& json) const {
        require(json.is_object(), "the entry of {} is not an object", shown_json(name));
        for (const char* key : {"dtype", "shape", "data_offsets"}) {
            require(json.contains(key), "the entry of {} has no {}", shown_json(name), key);
        }
        Entry entry = {name, find_dtype(name, json["dtype"]), {}, 0, 0};

        const Json& shape = json["shape"];
        require(shape.is_array() && shape.size() <= size_t(Shape::max_rank),
                "the shape of {} is not an array of at most {} sizes", shown_json(name),
                int(Shape::max_rank));
        uint64_t elements = 1;
        for (const Json& item : shape) {
            const uint64_t size = read_integer(item, name, "shape");
            require(size <= max_elements && (size == 0 || elements <= max_elements / size),
                    "the shape of {} has more than 2^48 elements", shown_json(name));
            elements *= size;
            entry.shape.push_back(int64_t(size));
        }

        const Json& offsets = json["data_offsets"];
        require(offsets.is_array() && offsets.size() == 2,
                "the data_offsets of {} are not an array of two numbers", shown_json(name));
        entry.begin = read_integer(offsets[0], name, "data_offsets");
        entry.end = read_integer(offsets[1], name, "data_offsets");
        require(entry.begin <= entry.end && entry.end <= data_.size(),
                "{} would occupy the bytes {} to {} of {} bytes of data", shown_json(name),
                entry.begin, entry.end, data_.size());
        require(entry.end - entry.begin == elements * entry.dtype->size,
                "{} needs {} bytes for its shape and type, its data_offsets give it {}",
                shown_json(name), elements * entry.dtype->size, entry.end - entry.begin);
        return entry;
    }

    const Dtype* find_dtype(const std::string& name, const Json& json) const {
        require(json.is_string(), "the dtype of {} is not a string", shown_json(name));
        const std::string& wanted = json.get_ref<const std::string&>();
        const auto* const dtype = std::find_if(
            dtypes.begin(), dtypes.end(), [&](const Dtype& known) { return known.name == wanted; });
        require(dtype != dtypes.end(), "the dtype of {}, {}, is none of those that can be read",
                shown_json(name), shown_json(wanted));
        return dtype;
    }

    // Every byte of data belongs to exactly one tensor.
    void require_full_cover(std::vector<Entry>& entries) const {
        std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
            return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
        });
        uint64_t covered = 0;
        for (const Entry& entry : entries) {
            require(entry.begin == covered, "{} begins at byte {} of the data, {} {}",
                    shown_json(entry.name), entry.begin,
                    entry.begin < covered ? "inside the tensor before it, which ends at"
                                          : "leaving a hole after byte",
                    covered);
            covered = entry.end;
        }
        require(covered == data_.size(), "{} bytes follow the last tensor", data_.size() - covered);
    }

    std::string_view bytes_;
    const std::string& origin_;
    std::string_view data_;  // what follows the header
};

std::string make_header(const std::string& path, const TensorFile& file, Precision stored) {
    const auto require_utf8 = [&](const std::string& text, const char* what) {
        check(valid_utf8(text), "cannot write '{}': {} is not valid UTF-8", path, what);
    };
    Json header = Json::object();
    Json& metadata = header[metadata_key];
    metadata["format"] = "pt";
    for (const auto& [key, value] : file.metadata) {
        require_utf8(key, "a key of the metadata");
        require_utf8(value, "a value of the metadata");
        metadata[key] = value;
    }
    const bool halved = stored == Precision::bfloat16;
    const char* const dtype = halved ? "BF16" : sizeof(real) == 4 ? "F32" : "F64";
    uint64_t offset = 0;
    for (const auto& [name, tensor] : file.tensors) {
        require_utf8(name, "the name of a tensor");
        check(name != metadata_key, "cannot write '{}': the name {} is reserved", path, name);
        check(tensor.defined(), "cannot write '{}': the tensor {} is undefined", path,
              shown_json(name));
        Json shape = Json::array();
        for (int dim = 0; dim < tensor.shape().rank(); ++dim) {
            shape.push_back(tensor.size(dim));
        }
        const uint64_t end = offset + uint64_t(tensor.numel()) * (halved ? 2 : sizeof(real));
        header[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {offset, end}}};
        offset = end;
    }
    std::string text = header.dump();
    text.append((alignment - (length_bytes + text.size()) % alignment) % alignment, ' ');
    check(text.size() <= max_header, "cannot write '{}': names and metadata exceed {} bytes", path,
          max_header);
    return text;
}

void append_all(const std::string& header, const TensorFile& file, Precision stored,
                const Append& append) {
    const uint64_t length = header.size();
    append({reinterpret_cast<const char*>(&length), sizeof length});
    append(header);
    for (const auto& [name, tensor] : file.tensors) {
        if (stored == Precision::float32) {
            append({reinterpret_cast<const char*>(tensor.data()),
                    size_t(tensor.numel()) * sizeof(real)});
            continue;
        }
        std::vector<uint16_t> halves;
        for (const real number : tensor.values()) {
            halves.push_back(uint16_t(rounded_to_bfloat16(float(number)) >> 16));
        }
        append({reinterpret_cast<const char*>(halves.data()), halves.size() * sizeof(uint16_t)});
    }
}

}  // namespace

const Tensor& TensorFile::get(const std::string& name) const {
    const auto found = tensors.find(name);
    check(found != tensors.end(), "'{}' holds no tensor {}", origin, shown_json(name));
    return found->second;
}

TensorFile read_safetensors(const std::string& path) {
    return parse_safetensors(read_file(path), path);
}

TensorFile parse_safetensors(std::string_view bytes, const std::string& origin) {
    return Reader(bytes, origin).read();
}

void write_safetensors(const std::string& path, const TensorFile& file, Precision stored) {
    const std::string header = make_header(path, file, stored);
    write_file(path, [&](const Append& append) { append_all(header, file, stored, append); });
}

std::string safetensors_bytes(const TensorFile& file, Precision stored) {
    std::string bytes;
    append_all(make_header(file.origin, file, stored), file, stored,
               [&](std::string_view part) { bytes += part; });
    return bytes;
}

}  // namespace smoe
