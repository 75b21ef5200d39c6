#!/bin/sh
# Writes the tree of the course: a copy of the project in which the bodies of the functions in `holes` are to be written.
#   cut.sh DIR [OBJECTS]     OBJECTS: a folder of compiled files; those that need no change come along
# With CUT=guard a function keeps its body, and is open only if SMOE_OPEN holds ";its name;": so check.sh builds one
# program for all cases.
set -eu
cd "$(dirname "$0")/../.."
target=$1
objects=${2:-}
refuse() {
    echo "make course: $1" >&2
    exit 2
}
[ ! -e COURSE.md ] || refuse "this is a tree of the course; the project writes new ones"
[ ! -e "$target" ] || refuse "'$target' is there already, and nothing is overwritten; give another DIR, or remove it"
mkdir -p "$target"
target=$(cd "$target" && pwd)

copy() {  # with the times, by which make knows what to compile
    tar --format=pax -cf - -T - | tar -xpf - -C "$target"
}
{ git ls-files -co --exclude-standard 2>/dev/null || find . -type f ! -path './build/*'; } |
    sed 's|^\./||' | grep -E '^(\.(book|packaging)/|\.ci/install|\.clang-format|LICENSE|Makefile|README\.md|(core|autograd|nn|models|examples|tests)/)' |
    grep -vE '^(tests/exercises/solutions/|.*/$)' | while read -r file; do [ ! -f "$file" ] || echo "$file"; done | copy
if [ -d "$objects" ]; then
    find "$objects" -type f | copy
fi
cp tests/course/COURSE.md "$target/COURSE.md"

# Where a definition begins, its signature is copied up to the line that ends with "{". Its body ends with the "}" that
# stands as far to the right as the definition.
for file in $(awk '/^[-0-9]/ && $3 ~ /[.]/ { print $3 }' tests/course/holes | sort -u); do
    awk -v file="$file" -v guard="${CUT:-}" -v has_fail="$(grep -c '"core/check.h"' "$file")" '
        function begins(line, name,    at) {
            at = index(line, name "(")
            return at > 0 && line !~ /^ *(\/\/|if|for|while|return|})/ && (at == 1 || substr(line, at - 1, 1) ~ /[ *&]/)
        }
        function open_hole(name,    what) {
            print indent "    // Stage " stage[name] " of COURSE.md says what belongs here."
            what = "fail(\"stage " stage[name] ": " name " is still to be written, in " file "\");"
            if (guard == "") { print indent "    " what; return }
            print indent "    if (const char* open = std::getenv(\"SMOE_OPEN\");"
            print indent "        open && std::string_view(open).find(\";" name ";\") != std::string_view::npos) {"
            print indent "        " what
            print indent "    }"
        }
        FNR == NR {
            if ($1 ~ /^[0-9]/ && $3 == file) stage[$4] = $1
            if ($1 == "-" && $3 == file) unneeded[$4]
            next
        }
        skipping { if ($0 == indent closing) { skipping = 0; if (closing == "}") print }; next }
        /^#include "/ && !included {
            print
            if (!has_fail) print "#include \"core/check.h\""
            if (guard != "") print "#include <cstdlib>\n#include <string_view>"
            included = 1
            next
        }
        in_signature == "" && $1 == "class" && $2 in unneeded && guard == "" {
            found[$2]
            match($0, /^ */)
            indent = substr($0, 1, RLENGTH)
            closing = "};"
            skipping = 1
            next
        }
        in_signature == "" {
            for (name in stage) if (!(name in found) && begins($0, name)) {
                in_signature = name
                match($0, /^ */)
                indent = substr($0, 1, RLENGTH)
            }
        }
        { print }
        in_signature != "" && /;$/ { in_signature = "" }  # a call or a declaration
        in_signature != "" && /{$/ {
            found[in_signature]
            open_hole(in_signature)
            in_signature = ""
            closing = "}"
            skipping = guard == ""
        }
        END {
            for (name in unneeded) if (guard == "") stage[name]
            for (name in stage) if (!(name in found)) {
                print "tests/course/holes: " file " defines no " name > "/dev/stderr"
                failed = 1
            }
            exit failed
        }' tests/course/holes "$file" >"$target/$file"
done
awk -v target="$1" '/^[0-9]/ && $3 ~ /[.]/ { ++holes } /^[0-9]/ { points += $2; stages = $1 }
    END { printf "%s: %d functions to write in %d stages, for %d points. COURSE.md there says how; it begins with\n    cd %s\n    make stage-1\n",
          target, holes, stages, points, target }' tests/course/holes
