// Records and protocol buffers by hand: a message is a row of fields, each with its number, how it
// is stored, and its bytes.
// Read next: tests/examples/metrics_test.cpp, which takes a file apart again.
#include "examples/smoe/event_file.h"

#include <array>
#include <bit>

namespace smoe {
namespace {

template <class Number>
std::string little_endian(Number number) {
    std::string bytes;
    for (size_t i = 0; i < sizeof number; ++i) {
        bytes += char(uint8_t(number >> (8 * i)));
    }
    return bytes;
}

// Checksums inside data that has a checksum of its own would be weak, so they are rotated and
// shifted.
uint32_t masked_crc(std::string_view bytes) {
    return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

std::string record(const std::string& content) {
    const std::string length = little_endian(uint64_t(content.size()));
    return length + little_endian(masked_crc(length)) + content +
           little_endian(masked_crc(content));
}

// Seven bits a byte, the lowest first; all but the last have the top bit set.
std::string varint(uint64_t number) {
    std::string bytes;
    for (; number >= 128; number >>= 7) {
        bytes += char(uint8_t(number | 128));
    }
    return bytes + char(uint8_t(number));
}

enum class Stored { as_varint = 0, as_8_bytes = 1, as_bytes = 2, as_4_bytes = 5 };

std::string key(int field, Stored stored) {
    return varint(uint64_t(field) << 3 | uint64_t(stored));
}

std::string bytes_field(int field, const std::string& bytes) {
    return key(field, Stored::as_bytes) + varint(bytes.size()) + bytes;
}

std::string event(double wall_time, int64_t step, const std::string& what) {
    return key(1, Stored::as_8_bytes) + little_endian(std::bit_cast<uint64_t>(wall_time)) +
           key(2, Stored::as_varint) + varint(uint64_t(step)) + what;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
    static const std::array<uint32_t, 256> table = [] {
        std::array<uint32_t, 256> made;
        for (uint32_t byte = 0; byte < 256; ++byte) {
            uint32_t crc = byte;
            for (int bit = 0; bit < 8; ++bit) {
                crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78U : 0);
            }
            made[byte] = crc;
        }
        return made;
    }();
    uint32_t crc = ~0U;
    for (const char byte : bytes) {
        crc = crc >> 8 ^ table[(crc ^ uint8_t(byte)) & 255];
    }
    return ~crc;
}

std::string event_file_start(double wall_time) {
    return record(event(wall_time, 0, bytes_field(3, "brain.Event:2")));
}

std::string scalars_record(double wall_time, int64_t step, const std::vector<Scalar>& scalars) {
    std::string summary;
    for (const Scalar& scalar : scalars) {
        summary += bytes_field(1, bytes_field(1, scalar.tag) + key(2, Stored::as_4_bytes) +
                                      little_endian(std::bit_cast<uint32_t>(scalar.value)));
    }
    return record(event(wall_time, step, bytes_field(5, summary)));
}

bool is_event_file(std::string_view bytes) {
    return bytes.substr(0, 64).find("brain.Event:") != std::string_view::npos;
}

}  // namespace smoe
