// Names, and the question to the processor.
// Read next: tiles/tile.cpp, which asks it.
#include "core/precision.h"

#include "core/tiles/tile.h"

namespace smoe {
namespace {

bool has_instructions() {
#ifdef SMOE_DOUBLE
    return false;
#else
    return has_bfloat16_instructions();
#endif
}

}  // namespace

const EnumNames<Precision>& enum_names(Precision) {
    static const EnumNames<Precision> names = {{Precision::float32, "float32"},
                                               {Precision::bfloat16, "bfloat16"}};
    return names;
}

Precision fastest_precision() {
    return has_instructions() ? Precision::bfloat16 : Precision::float32;
}

std::string precision_note(Precision precision) {
    if (precision == Precision::float32) {
        return has_instructions() ? "products in float32; --precision bfloat16 is faster here"
                                  : "products in float32";
    }
    return has_instructions()
               ? "products in bfloat16, for which this processor has instructions"
               : "products in bfloat16, for which this processor has no instructions: "
                 "float32 is faster here";
}

}  // namespace smoe
