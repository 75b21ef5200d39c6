// The one place that builds doctest's main; every other file of tests/ is a list of cases.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
