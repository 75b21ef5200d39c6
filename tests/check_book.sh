#!/bin/sh
# Is the book right? Four things that `make check-docs`, which builds nothing, cannot see:
#   links    each one in the pages leads to a page and a place in it, and asks for nothing outside of the book; where it
#            stands for a function, the line that it leads to names that function
#   traces   what a document shows behind "    $ COMMAND" is what the command prints now
#   prints   what stands behind <!-- printed by NAME --> are lines of BUILD/lessons/NAME.txt
#   numbers  each number of three digits or with a decimal point is one that a program printed that the page names (a
#            lesson, or a command of the page), rounded perhaps, or stands under its heading in tests/numbers.txt, where
#            measured numbers are listed and others have a formula. Nothing is listed there in vain.
# Years, versions in names and what is in `backticks` or formulas are no numbers here.
#   check_book.sh BUILD      after make book
set -eu
cd "$(dirname "$0")/.."
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pages=$(ls "$build"/book/*.html "$build"/book/source/*.html)

# shellcheck disable=SC2086  # none of these names has a blank
awk -v book="$build/book/" -f tests/check_links.awk $pages
grep -lE '<(script|img|link|iframe)[^>]*(src|href)="' $pages && { echo "the book asks for something outside" >&2; exit 1; }

# Commands run where build/ holds what they make, beside the tree's own files.
mkdir -p "$work/run/build" "$work/printed"
for name in tests examples core autograd nn models; do ln -s "$PWD/$name" "$work/run/$name"; done
ln -s "$build/smoe" "$work/run/build/smoe"
ln -s "$build/lessons" "$work/run/build/lessons"
documents=$(grep '[.]md$' .book/contents)
failed=0
for document in $documents; do
    awk -f tests/traces.awk "$document" > "$work/trace.sh"
    printed=$work/printed/$(echo "$document" | tr / -)
    : > "$printed"
    [ ! -s "$work/trace.sh" ] || (cd "$work/run" && bash "$work/trace.sh" "$document" 2>"$work/errors") > "$printed" || {
        cat "$work/errors" >&2
        failed=1
    }
    find "$work/run/build/" \( -name metrics.jsonl -o -name config.json \) -newer "$work/trace.sh" -exec cat {} + >> "$printed"
done
# shellcheck disable=SC2086
[ ! "${KEEP:-}" ] || cp -r "$work/printed" "$KEEP"
awk -v build="$build" -v printed="$work/printed" -f tests/check_numbers.awk tests/numbers.txt $documents || failed=1
exit $failed
