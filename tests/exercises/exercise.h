// What the tests of the exercises share. Each file beside this one is an exercise: its first lines
// say what is wanted, and you define what it declares in your own file, anywhere:
//     make exercise NAME=core_transpose FILE=mine.cpp
// Try to solve it before you look into solutions/.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "core/threads.h"
