// TensorBoard's event files, as far as numbers over steps need them. A file is a row of records
// (TFRecord): length (8 bytes), checksum of the length (4), content, checksum of the content (4),
// all little-endian. A content is a protocol buffer `Event`. Written from the published formats
// (tensorflow/core/lib/io/record_writer.h, core/util/event.proto, core/framework/summary.proto);
// histograms, images and graphs are left out.
// Read next: metrics.cpp, which fills one; tests/interop/check.py, where TensorBoard reads it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace smoe {

struct Scalar {
    std::string
        tag;  // "valid_domains/english/loss": TensorBoard groups by what precedes the first /
    float value;
};

// The first record of every file, which names the format's version.
std::string event_file_start(double wall_time);
// The record of some numbers at one step. wall_time is in seconds since 1970.
std::string scalars_record(double wall_time, int64_t step, const std::vector<Scalar>& scalars);

// Whether `bytes` begin as such a file does.
bool is_event_file(std::string_view bytes);

// CRC-32C (Castagnoli; RFC 3720, appendix B.4), of "123456789" it is 0xE3069283.
uint32_t crc32c(std::string_view bytes);

}  // namespace smoe
