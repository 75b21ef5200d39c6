#!/bin/sh
# Installs what BUILD holds, or removes it again:
#   install.sh install|uninstall BUILD PREFIX LIBS     LIBS: what the static library is linked with
#     PREFIX/bin/smoe                                  the program
#     PREFIX/include/smoe/                             the headers, with their folders, and smoe.h for all of them
#     PREFIX/lib/libsmoe.a
#     PREFIX/lib/pkgconfig/smoe.pc, lib/cmake/smoe/    the flags that a user of the library needs
# With DESTDIR everything lies below that folder instead, and the files name PREFIX all the same. Headers of tiles and
# vector types stay inside: what is in them depends on how they are compiled.
set -eu
action=$1 build=$2 prefix=$3 libs=$4
cd "$(dirname "$0")/.."
case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
esac
case $prefix in
    *[!A-Za-z0-9/._+@~:-]*)
        echo "PREFIX='$prefix': expected a path of letters, digits and / . _ + @ ~ : -, since pkg-config splits others" >&2
        exit 2 ;;
esac
root=${DESTDIR:-}$prefix
part() { sed -n "s/^#define SMOE_VERSION_$1 //p" core/version.h; }
version=$(part MAJOR).$(part MINOR).$(part PATCH)
headers=$(find core autograd nn models -name "*.h" ! -path "core/tiles/*" ! -name vector_type.h ! -name smoe.h)

put() {  # file, its new place, its mode
    mkdir -p "$(dirname "$2")"
    cp "$1" "$2.new"
    chmod "$3" "$2.new"
    mv "$2.new" "$2"
}
fill() {  # template, its new place
    sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" -e "s|@MAJOR@|$(part MAJOR)|" -e "s|@MINOR@|$(part MINOR)|" \
        -e "s|@LIBS@|$libs|" ".packaging/$1.in" >"$build/$1"
    put "$build/$1" "$2/$1" 644
}

if [ "$action" = install ]; then
    put "$build/smoe" "$root/bin/smoe" 755
    put "$build/libsmoe.a" "$root/lib/libsmoe.a" 644
    rm -rf "$root/include/smoe"  # an older one may have headers that are no more
    for header in $headers; do
        put "$header" "$root/include/smoe/$header" 644
    done
    put models/smoe.h "$root/include/smoe/smoe.h" 644
    fill smoe.pc "$root/lib/pkgconfig"
    fill smoeConfig.cmake "$root/lib/cmake/smoe"
    fill smoeConfigVersion.cmake "$root/lib/cmake/smoe"
    echo "smoe $version is installed in $root"
else
    rm -rf "$root/include/smoe"
    rm -f "$root/bin/smoe" "$root/lib/libsmoe.a" "$root/lib/pkgconfig/smoe.pc" "$root/lib/cmake/smoe/smoeConfig.cmake" \
        "$root/lib/cmake/smoe/smoeConfigVersion.cmake"
    rmdir "$root/lib/cmake/smoe" 2>/dev/null || true
    echo "smoe is removed from $root"
fi
