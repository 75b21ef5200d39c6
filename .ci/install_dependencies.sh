#!/bin/sh
# Installs what the build needs and this machine lacks, and says what that is: a C++20 compiler, OpenBLAS
# (unless BLAS=none), fmt, CLI11, nlohmann/json, doctest, and cpp-httplib with pkg-config (unless HTTP=none);
# with MPI=1 Open MPI, too, with BOOK=1 pandoc, and with PLAYGROUND=1 Emscripten. Does nothing where all are there.
#   install_dependencies.sh [--quiet]     with --quiet it prints nothing if nothing is missing
set -eu

compiler=${CXX:-g++}  # perhaps with words before it, such as ccache
probe() {  # can a file with this include be compiled?
    echo "#include <$1>" | $compiler -std=c++20 -x c++ -fsyntax-only $include_flags - >/dev/null 2>&1
}

include_flags=""
for folder in /usr/include/openblas "$(brew --prefix 2>/dev/null || true)/include" \
              "$(brew --prefix openblas 2>/dev/null || true)/include"; do
    if [ -d "$folder" ] && [ "$folder" != /include ]; then include_flags="$include_flags -I$folder"; fi
done

missing=""
command -v "${compiler%% *}" >/dev/null 2>&1 || missing="compiler"
if [ -z "$missing" ]; then
    probe fmt/core.h || missing="$missing fmt"
    probe CLI/CLI.hpp || missing="$missing cli11"
    probe nlohmann/json.hpp || missing="$missing json"
    probe doctest/doctest.h || missing="$missing doctest"
    if [ "${HTTP:-httplib}" != none ]; then
        if command -v pkg-config >/dev/null 2>&1; then
            pkg-config --exists cpp-httplib || missing="$missing httplib"
        else
            missing="$missing pkg-config httplib"
        fi
    fi
    [ "${BLAS:-openblas}" = none ] || probe cblas.h || missing="$missing openblas"
else
    missing="compiler fmt cli11 json doctest openblas pkg-config httplib"
fi
if [ "${MPI:-0}" = 1 ]; then
    command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
    command -v mpirun >/dev/null 2>&1 && { pkg-config --exists mpi-c || pkg-config --exists ompi-c ||
        pkg-config --exists ompi || pkg-config --exists mpich; } 2>/dev/null || missing="$missing mpi mpirun"
fi
if [ "${BOOK:-0}" = 1 ]; then command -v pandoc >/dev/null 2>&1 || missing="$missing pandoc"; fi
if [ "${PLAYGROUND:-0}" = 1 ] && ! command -v em++ >/dev/null 2>&1; then missing="$missing emscripten"; fi
if [ -z "$missing" ]; then
    [ "${1:-}" = --quiet ] || echo "All packages that the build needs are installed."
    exit 0
fi

if command -v apt-get >/dev/null 2>&1; then
    manager="apt-get install -y --no-install-recommends"
    refresh="apt-get update"
    names="compiler=g++ fmt=libfmt-dev cli11=libcli11-dev json=nlohmann-json3-dev doctest=doctest-dev openblas=libopenblas-dev httplib=libcpp-httplib-dev pkg-config=pkg-config mpi=libopenmpi-dev mpirun=openmpi-bin pandoc=pandoc emscripten=emscripten"
elif command -v dnf >/dev/null 2>&1; then
    manager="dnf install -y"
    refresh=""
    names="compiler=gcc-c++ fmt=fmt-devel cli11=cli11-devel json=json-devel doctest=doctest-devel openblas=openblas-devel httplib=cpp-httplib-devel pkg-config=pkgconf-pkg-config mpi=openmpi-devel mpirun=openmpi pandoc=pandoc emscripten=emscripten"
elif command -v pacman >/dev/null 2>&1; then
    manager="pacman -S --needed --noconfirm"
    refresh="pacman -Sy"
    names="compiler=gcc fmt=fmt cli11=cli11 json=nlohmann-json doctest=doctest openblas=openblas httplib=cpp-httplib pkg-config=pkgconf mpi=openmpi mpirun=openmpi pandoc=pandoc-cli emscripten=emscripten"
elif command -v brew >/dev/null 2>&1; then
    manager="brew install"
    refresh=""
    names="compiler=llvm fmt=fmt cli11=cli11 json=nlohmann-json doctest=doctest openblas=openblas httplib=cpp-httplib pkg-config=pkgconf mpi=open-mpi mpirun=open-mpi pandoc=pandoc emscripten=emscripten"
    missing="$missing libomp"
    names="$names libomp=libomp"
else
    echo "Missing:$missing. No apt, dnf, pacman or brew here: please install these packages by hand." >&2
    exit 1
fi

packages=""
for need in $missing; do
    for name in $names; do
        if [ "${name%%=*}" = "$need" ]; then packages="$packages ${name#*=}"; fi
    done
done

sudo=""
case "$manager" in
    brew*) ;;
    *) if [ "$(id -u)" != 0 ]; then sudo=sudo; fi ;;
esac
echo "Installing what is missing:$packages"
log=$(mktemp)
run() {
    if ! $sudo env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        echo "Could not install:$packages (the command was: $sudo $*)" >&2
        rm -f "$log"
        exit 1
    fi
}
if [ -n "$refresh" ]; then run $refresh; fi
run $manager $packages
rm -f "$log"
