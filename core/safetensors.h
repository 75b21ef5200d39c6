// Named tensors on disk in the safetensors format: eight bytes with the length of a header, the
// header (JSON: name -> type, shape, byte range), then the numbers, packed and little-endian.
// Nothing in the file can be executed and nothing in it is trusted: every length, range and shape
// is checked before it is used.
// Files are not mapped into memory, and other number types are not kept: what is read becomes
// `real`.
//
// Read next: the modules in nn/, whose parameters are stored this way.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/precision.h"
#include "core/tensor.h"

namespace smoe {

struct TensorFile {
    std::map<std::string, Tensor> tensors;
    std::map<std::string, std::string> metadata;
    std::string origin = "memory";  // where it was read from, for messages

    // The tensor of that name. If there is none, throws Error naming it and the origin.
    const Tensor& get(const std::string& name) const;
};

// Reads F64 F32 F16 BF16, I64 I32 I16 I8, U64 U32 U16 U8 and BOOL (0 or 1) of up to four dimensions
// as `real`; the float build rounds integers beyond 2^24. Throws Error naming the file and what is
// wrong with it.
TensorFile read_safetensors(const std::string& path);

// The same for bytes in memory; `origin` stands for the file in messages.
TensorFile parse_safetensors(std::string_view bytes, const std::string& origin);

// Writes F32 (F64 in the double build), or BF16 rounded to the nearest, in the order of the names,
// with the numbers beginning at a multiple of 64 bytes, and replaces the file atomically. "format":
// "pt" is added to the metadata if
// it is missing, because PyTorch programs ask for it; `origin` is not written. Throws Error for an
// undefined tensor, for a name that is not UTF-8 or is reserved ("__metadata__"), and if writing
// fails.
void write_safetensors(const std::string& path, const TensorFile& file,
                       Precision stored = Precision::float32);

// The bytes of that file.
std::string safetensors_bytes(const TensorFile& file, Precision stored);

}  // namespace smoe
