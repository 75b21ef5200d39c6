// The one place that builds doctest's main; every other file of tests/ is a list of cases. Refuses
// cases of its own.
// Read next: core/shape_test.cpp, the first in the order of the layers.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
