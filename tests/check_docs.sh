#!/bin/sh
# Do the documents lead anywhere? In Markdown there must be: the files that links and `backticks` name, the target of
# each `make TARGET` in backticks or in a command block, and in a file the functions named behind it, as in
# `core/rng.cpp` `philox`. In sources: the files of "Read next:". Each source of a folder has a place in its chapter.
# It does not judge what a sentence says.
set -u
cd "$(dirname "$0")/.."
files=$(git ls-files -co --exclude-standard 2>/dev/null) ||  # an unpacked archive has no git
    files=$(find . -type f ! -path './build/*' | sed 's|^\./||')
files=$(echo "$files" | while read -r file; do [ ! -e "$file" ] || echo "$file"; done)
missing=$(for folder in core autograd nn models examples; do
    echo "$files" | grep -E "^$folder/.*\.(h|cpp|sh)$" | sed 's|.*/||; s|[.][a-z]*$||' | sort -u | while read -r name; do
        grep -q "[\`/]$name[.]" "$folder/README.md" || echo "$folder/README.md: says nothing of $name"
    done
done)
# The first names in the rows of a chapter's table, and those of the answers to it, in one order.
missing=$missing$(for folder in core autograd nn models examples tests; do
    asked=$(awk '/^\| file \|/ { inside = 1; next } !/^\|/ { inside = 0 } inside && /`/ { split($0, part, "`"); print part[2] }' \
        "$folder/README.md")
    answered=$(awk -v chapter="## $folder" '/^## / { inside = $0 == chapter } inside && /^\*\*`/ {
        split($0, part, "`"); sub(/^tests\//, "", part[2]); print part[2] }' examples/course/answers.md)
    [ "$asked" = "$answered" ] || echo "examples/course/answers.md: the answers of $folder are not those to its questions"
done)
[ -z "$missing" ] || { echo "$missing" >&2; exit 1; }
# shellcheck disable=SC2046  # none of these names has a blank
echo "$files" | awk '
function complain(what) {
    print FILENAME ":" FNR ": " what > "/dev/stderr"
    failed = 1
}
# The file that `name` means: a path from `folder` or from the root, or, in Markdown, the end of any path that does not
# begin at the root. * and CAPITALS stand for anything.
function file_of(name,    pattern, file) {
    names++
    if (folder name in exists) return folder name
    if (name in exists) return name
    if (FILENAME ~ /[.]md$/ && name !~ tree && name in ending) return ending[name]
    pattern = name
    gsub(/[.]/, "[.]", pattern)
    if (gsub(/\*|[A-Z][A-Z]+/, "[^/]*", pattern))
        for (file in exists) if (file ~ "^(" folder ")?" pattern "$") return file
    complain("there is no file " name)
}
function require_function(name, file,    line) {
    functions++
    if (!(file in text)) while ((getline line < file) > 0) text[file] = text[file] "\n" line
    if (text[file] !~ "[^A-Za-z0-9_]" name "[(<]") complain(file " has no function " name)
}
function require_target(command,    words, count, i) {
    count = split(command, words, " ")
    for (i = 2; i <= count && words[i] ~ /^-|[=\/]|^[A-Z]+$/;) i++
    sub(/^stage-[0-9]+$/, "stage-%", words[i])
    if (i <= count && words[i] !~ /^#/ && !(words[i] in target)) complain("the Makefile has no target " words[i])
}
# Has a document the heading that `anchor` stands for? Small letters, blanks to "-", nothing else but digits.
function has_heading(file, anchor,    line) {
    if (!(file in outlined))
        while ((getline line < file) > 0)
            if (sub(/^#+ /, "", line)) {
                line = tolower(line)
                gsub(/[^a-z0-9 _-]/, "", line)
                gsub(/ /, "-", line)
                outline[file "#" line]
            }
    outlined[file]
    return (file "#" anchor) in outline
}
function require_link(link,    file, anchor) {
    if (link ~ /^[a-z]+:/) return
    links++
    file = FILENAME
    if (link !~ /^#/) {
        file = folder link
        sub(/#.*/, "", file)
    }
    while (sub(/[^\/]+\/\.\.\//, "", file)) {}  # a/../b
    sub(/\/$/, "", file)
    anchor = link
    if (!(file in exists || file in folders) || (sub(/^[^#]*#/, "", anchor) && !has_heading(file, anchor)))
        complain("the link to " link " leads nowhere")
}
BEGIN { tree = "^(core|autograd|nn|models|examples|tests)/" }
NR == FNR {
    exists[$0]
    for (rest = $0; sub(/^[^\/]*\//, "", rest);) ending[rest] = $0
    for (folder = $0; sub(/\/[^\/]*$/, "", folder);) folders[folder]
    next
}
FILENAME == "Makefile" { if (match($0, /^[a-z0-9%-]+:/)) target[substr($0, 1, RLENGTH - 1)]; next }
FNR == 1 { folder = FILENAME; sub(/[^\/]*$/, "", folder); heading = 1; leads = 0 }
FILENAME ~ /[.]md$/ {
    if (sub(/^    (\$ )?make /, "make ")) { require_target($0); next }
    count = split($0, part, "`")
    if (count < 2 || tail !~ /^,?$/) file = ""
    tail = part[count]
    for (i = 2; i <= count; i += 2) {
        if (part[i] ~ /^make /) require_target(part[i])
        if (file != "" && part[i - 1] ~ /^,? *(and )?$/ && part[i] ~ /^[A-Za-z_][A-Za-z0-9_:]*$/) {
            require_function(part[i], file)
            continue
        }
        file = ""
        for (j = split(part[i], words, " "); j > 0; j--)
            if (words[j] ~ /^[A-Za-z0-9_.\/*-]+[.](h|cpp|sh|py|md)$/ || words[j] ~ tree "[^ ]*[.][a-z]")
                file = file_of(words[j])
    }
    gsub(/`[^`]*`/, "")
    while ($0 !~ /^    / && match($0, /\]\([^)]*\)/)) {
        require_link(substr($0, RSTART + 2, RLENGTH - 3))
        $0 = substr($0, RSTART + RLENGTH)
    }
    next
}
heading && /^\/\// {
    if (sub(/.*Read next:|^\/\/ [nN]ext:/, "")) leads = 1
    for (i = split($0, words, /[ ,;()]+/); leads && i > 0; i--) {
        sub(/[.]$/, "", words[i])
        if (words[i] ~ /^[a-z0-9_\/]+[.](h|cpp|sh|py|md)$/) file_of(words[i])
    }
    next
}
{ heading = 0 }
END {
    if (failed) exit 1
    print "documents: " links " links, " names " names of files and " functions + 0 " of functions lead somewhere"
}' - Makefile $(echo "$files" | grep -E '\.(md|h|cpp)$' | grep -v '^tests/fuzz/seeds/')
