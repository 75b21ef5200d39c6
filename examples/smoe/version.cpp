// version_text: what the compiler says about itself and its target.
// Read next: core/blas.h.
#include "examples/smoe/version.h"

#include <fmt/core.h>

#include <vector>

#include "core/blas.h"
#include "core/text.h"
#include "core/tiles/tile.h"
#include "core/version.h"

namespace smoe {
namespace {

std::string compiler() {
#ifdef __clang__
    return "clang " __clang_version__;
#else
    return "g++ " __VERSION__;
#endif
}

// The instructions that the loops of core use.
std::string instructions() {
    std::vector<std::string> names;
#ifdef __AVX512F__
    names.push_back("AVX-512");
#endif
#ifdef __AVX2__
    names.push_back("AVX2");
#elif defined(__AVX__)
    names.push_back("AVX");
#endif
#ifdef __FMA__
    names.push_back("FMA");
#endif
#ifdef __ARM_NEON
    names.push_back("NEON");
#endif
    return names.empty() ? "no vector extensions" : join(names, ", ");
}

// What multiplies in bfloat16, which the program may have found when it started.
std::string bfloat16() {
#ifdef SMOE_DOUBLE
    return "";
#else
    return fmt::format("; bfloat16 by {}", bfloat16_tile().name);
#endif
}

}  // namespace

std::string version_text() {
    return fmt::format("smoe {}\n{}; {}; built for {}{}", SMOE_VERSION, compiler(), blas_name(),
                       instructions(), bfloat16());
}

}  // namespace smoe
