#!/bin/sh
# Does the course test what it asks for?
#   - The project gets all points.
#   - A tree in which the first stage is written gets its points and no other, and it does not help that a test of the
#     tree was changed.
#   - With any one function open, its own test fails and names it.
#   - With all later functions open, a stage passes.
#   check.sh BUILD OBJECTS
set -eu
build=$1
objects=$2
here=$(dirname "$0")
trees=$build/course/trees
complain() {
    echo "check-course: $1" >&2
    exit 1
}
result() {  # tree: the results of all functions, each on a line
    sed -nE 's/.*"function": "([^"]*)".*"points": ([0-9]+).*"result": "([^"]*)".*/\1 \2 \3/p' "$1/grade.json"
}
silent_make() { make --no-print-directory "$@" >"$build/course/log" 2>&1 || { cat "$build/course/log" >&2; exit 1; }; }

awk -v guide="$here/COURSE.md" '
    BEGIN { while ((getline line < guide) > 0) text = text "\n" line }
    /^[0-9]/ { points += $2; of[$1] += $2; if (!index(text, "`" $4 "` " $2)) missing = missing " " $4 }
    END {
        for (stage in of) if (text !~ "\n## Stage " stage "[^0-9\n]*\\(" of[stage] " points") missing = missing " stage-" stage
        if (points != 100) print "the points are " points ", not 100"
        if (missing != "") print "COURSE.md does not say, or with other points:" missing
    }' "$here/holes" >"$build/course/log"
[ ! -s "$build/course/log" ] || complain "$(cat "$build/course/log")"

echo "== filled: the project itself"
silent_make grade BUILD="$build"
[ "$(result "$build" | grep -vc ' passed$')" = 0 ] || { result "$build" >&2; complain "the project does not pass its own course"; }

rm -rf "$trees"
echo "== open: all functions but those of the first stage"
"$here/cut.sh" "$trees/open" >/dev/null
! "$here/cut.sh" "$trees/open" 2>/dev/null || complain "make course overwrites a tree"
for script in $(grep -oE '[.a-z_]+(/[a-z_.]+)*[.]sh' Makefile | sort -u); do
    [ -x "$trees/open/$script" ] || complain "the tree lacks $script, which its Makefile runs"
done
cp core/shape.cpp core/tensor.cpp "$trees/open/core/"
sed 's/^TEST_CASE.*/&\n    return;/' tests/course/stage_2.cpp >"$trees/open/tests/course/stage_2.cpp"
silent_make grade DIR="$trees/open" BUILD="$build"
! result "$build" | grep -vE '^(Shape|Tensor)::[^ ]* [12] passed$| 0 open$' || complain "what is open was not told so"
grep -q '^"points": 8, "of": 100' "$build/grade.json" || complain "the first stage has 8 points, and they were not counted"

echo "== open: each function in turn"
CUT=guard "$here/cut.sh" "$trees/guard" "$objects" >/dev/null
silent_make -C "$trees/guard" -k BUILD=build $(seq -f build/course/stage_%g 10)
lines=$(awk '/^[0-9]/ && $4 != "story" { print $1, $4 }' "$here/holes")
echo "$lines" | while read -r stage function; do
    ! SMOE_OPEN=";$function;" "$here/grade.sh" "$trees/guard/build" "$stage" "$function" >"$build/course/log" ||
        complain "stage $stage passes with $function open"
    grep -qF "stage $stage: $function is still to be written" "$build/course/log" || {
        cat "$build/course/log" >&2
        complain "$function is open, and stage $stage does not name it"
    }
done
for stage in 1 2 3 4 5 6 7 8 9; do
    SMOE_OPEN=$(echo "$lines" | awk -v stage=$stage '$1 > stage { printf ";%s;", $2 }') \
        "$here/grade.sh" "$trees/guard/build" $stage >"$build/course/log" || {
        cat "$build/course/log" >&2
        complain "stage $stage does not pass while those behind it are open"
    }
done

rm -rf "$trees" "$build/course/graded"
echo "$(echo "$lines" | wc -l) functions: all filled pass, each open one is noticed by the test of its stage, and by none before"
