#!/bin/sh
# Does each page say what its program prints? The program checks each number by differences, and fails if a step of the
# derivation is wrong; here its lines, one after the other, must be those between the ``` of the page.
#   check.sh FOLDER_OF_PROGRAMS
set -eu
pages=$(dirname "$0")
for page in "$pages"/*.md; do
    name=$(basename "$page" .md)
    printed=$("$1/$name")
    quoted=$(awk '/^```/ { inside = !inside; next } inside' "$page")
    [ "$printed" = "$quoted" ] || {
        echo "$page does not say what $1/$name prints:" >&2
        echo "$printed" | diff - "$page" | grep '^<' >&2 || echo "(a line is in the page, or in a different order)" >&2
        exit 1
    }
done
echo "mathematics: $(ls "$pages"/*.md | wc -l) pages say what their programs print"
