#!/bin/sh
# Can somebody else use the library? Installs it into a temporary folder, builds tests/outside there by pkg-config and by
# CMake, as two projects that do not see this tree, runs both, and removes it all again: nothing may be left.
#   install.sh MAKE      run by `make test-install`
set -eu
cd "$(dirname "$0")/.."
for tool in pkg-config cmake; do
    command -v "$tool" >/dev/null || { echo "make test-install needs $tool: install the package $tool" >&2; exit 1; }
done
compiler=${CXX:-g++}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
prefix=$place/there
require() {  # what must be, command
    what=$1
    shift
    "$@" || { echo "FAILED: $what" >&2; exit 1; }
    echo "ok: $what"
}
says_story() { "$1" >"$place/said" && grep -q '^smoe .*: loss' "$place/said" && [ "$(wc -c <"$place/said")" -gt 120 ]; }

"$@" install PREFIX="$prefix" >/dev/null
version=$("$prefix/bin/smoe" --version | sed -n 's/^smoe //p')

export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
require "smoe.pc says version $version" [ "$(pkg-config --modversion smoe)" = "$version" ]
mkdir "$place/by-pkg-config"
cp tests/outside/main.cpp "$place/by-pkg-config"
(
    cd "$place/by-pkg-config"
    # shellcheck disable=SC2046  # flags are words
    require "a program compiles without warnings and links by pkg-config" \
        "$compiler" -O1 -Wall -Wextra -Werror main.cpp $(pkg-config --cflags --libs smoe) -o outside
    (cd "$prefix/include/smoe" && find . -name '*.h' | sed 's|^./\(.*\)|#include <smoe/\1>|') >every.cpp
    # shellcheck disable=SC2046
    require "the $(wc -l <every.cpp) installed headers include nothing that is not installed" \
        "$compiler" -fsyntax-only -x c++ $(pkg-config --cflags smoe) every.cpp
)
require "it learns and tells a story" says_story "$place/by-pkg-config/outside"

mv "$prefix" "$place/moved"  # the CMake package finds its files wherever it lies
cp -r tests/outside "$place/by-cmake"
cmake_build() {
    cmake -S "$place/by-cmake" -B "$place/by-cmake/build" -DCMAKE_PREFIX_PATH="$place/moved" \
        -DCMAKE_CXX_COMPILER="$compiler" "$@" >"$place/log" 2>&1 && cmake --build "$place/by-cmake/build" >>"$place/log" 2>&1
}
require "the same program builds by CMake" cmake_build -DCMAKE_BUILD_TYPE=Release
require "it learns and tells a story" says_story "$place/by-cmake/build/outside"
sed -i.old 's/find_package(smoe 0.1/find_package(smoe 0.2/' "$place/by-cmake/CMakeLists.txt"
refuses() { ! cmake_build && grep -q 'version: '"$version" "$place/log"; }
require "CMake refuses version $version where 0.2 is asked for" refuses
mv "$place/moved" "$prefix"

touch "$prefix/include/smoe/of_an_older_version.h"
"$@" uninstall PREFIX="$prefix" >/dev/null
require "uninstall leaves no file" [ -z "$(find "$prefix" -type f)" ]
DESTDIR=$place/stage "$@" install PREFIX=/opt/smoe >/dev/null
require "DESTDIR holds a tree that names PREFIX" grep -q '^prefix=/opt/smoe$' "$place/stage/opt/smoe/lib/pkgconfig/smoe.pc"
refuses_blank() { ! "$@" install PREFIX="$place/a b" >"$place/log" 2>&1 && [ ! -e "$place/a b" ]; }
require "a PREFIX with a blank is refused" refuses_blank "$@"
echo "The installed library can be used by pkg-config and by CMake."
