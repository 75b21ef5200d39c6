#!/bin/sh
# Makes the book of what lies in the tree: BUILD/book/index.html, static pages that need nothing else. `contents` beside
# this file lists its pages in order. A page is a document, a lesson with what it printed and drew
# (BUILD/lessons/NAME.txt, NAME*.svg), or an exercise; every source has a page with numbered lines, where names of files
# and functions lead. pandoc turns Markdown into HTML and formulas into MathML; awk does the rest.
#   weave.sh BUILD
# Read next: markdown.awk (what pandoc gets), links.lua (where names lead), pages.awk (what is around a page).
set -eu
cd "$(dirname "$0")/.."
build=$1
work=$build/book-work
rm -rf "$build/book" "$work"
mkdir -p "$build/book/source" "$work"

git ls-files -co --exclude-standard 2>/dev/null > "$work/all" ||  # an unpacked archive has no git
    find . -type f ! -path './build/*' | sed 's|^\./||' > "$work/all"
while read -r file; do
    case $file in
        *.safetensors|*.svg|tests/fuzz/seeds/*) ;;
        *) [ ! -f "$file" ] || echo "$file" ;;
    esac
done < "$work/all" | sort > "$work/files"

# A line for each page: its name, its source and the heading it stands under.
while read -r line; do
    # shellcheck disable=SC2086  # the pattern is meant to become names
    if [ "${line#*.}" = "$line" ]; then part=$line; else for source in $line; do
        case $source in
            README.md) page=index ;;
            examples/[0-9]*) page=lesson-$(basename "$source" .cpp) ;;
            tests/exercises/*) page=exercise-$(basename "$source" .cpp) ;;
            */README.md) page=$(dirname "$source" | tr / -) ;;
            *) page=$(echo "${source%.md}" | tr / -) ;;
        esac
        [ -f "$source" ] || { echo ".book/contents names $source, which is not there" >&2; exit 1; }
        printf '%s.html\t%s\t%s\n' "$page" "$source" "$part"
    done; fi
done < .book/contents > "$work/pages"
forgotten=$(grep '[.]md$' "$work/files" | while read -r document; do
    cut -f 2 "$work/pages" | grep -qx "$document" || echo "$document"
done)
[ -z "$forgotten" ] || { echo ".book/contents does not have" $forgotten >&2; exit 1; }

# Several of pandoc at once: starting it takes longer than its work.
export build work
cut -f 2 "$work/pages" | xargs -P "$(nproc 2>/dev/null || sysctl -n hw.ncpu)" -I SOURCE sh -euc '
    name=$work/$(echo SOURCE | tr / -)
    awk -v build="$build" -f .book/listing.awk -f .book/markdown.awk SOURCE > "$name.md"
    pandoc -f gfm+tex_math_dollars -t html --mathml --no-highlight --wrap=preserve --lua-filter .book/links.lua \
        -M source=SOURCE -M work="$work" "$name.md" -o "$name.html"'

awk -v build="$build" -v work="$work" -f .book/listing.awk -f .book/pages.awk "$work/pages" "$work/files"
echo "$build/book/index.html: $(wc -l < "$work/pages") pages, $(wc -l < "$work/files") sources"
