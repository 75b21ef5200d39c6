# What pandoc gets of a page's source: a document as it is, a lesson or an exercise as a document made of it. In
# documents, lines that only the book sees bring in what programs printed and drew:
#     <!-- picture: NAME -->                 BUILD/lessons/NAME.svg
#     <!-- printed: NAME /PATTERN/ LINES --> so many lines of BUILD/lessons/NAME.txt, from the one that fits
#     <!-- code: PATH /PATTERN/ LINES -->    the same of a source
#     <!-- says: PATH -->                    the comment at its head
# Needs listing.awk.
function fail(what) {
    print FILENAME ":" FNR ": " what > "/dev/stderr"
    exit 1
}
function read(path,    line, text) {
    while ((getline line < path) > 0) text = text line "\n"
    close(path)
    return text
}
# `count` lines of a file from the first that fits.
function lines_of(path, pattern, count,    line, text, found) {
    while (count > 0 && (getline line < path) > 0)
        if (found || line ~ pattern) {
            found = 1
            text = text line "\n"
            count--
        }
    close(path)
    if (count > 0) fail(path " has not so many lines from " pattern)
    return text
}
function fenced(text, language) {
    return "```" language "\n" text "```\n"
}
function picture(name,    svg) {
    svg = read(build "/lessons/" name ".svg")
    if (svg == "") fail("no lesson draws " name ".svg")
    return "<figure>\n" svg "</figure>\n"
}
# File names in backticks, so that they lead somewhere.
function with_names(line,    out, name) {
    while (match(line, /[a-z0-9\\_\/]+[.](h|cpp|md)/)) {
        name = substr(line, RSTART, RLENGTH)
        gsub(/\\/, "", name)
        out = out substr(line, 1, RSTART - 1) "`" name "`"
        line = substr(line, RSTART + RLENGTH)
    }
    return out line
}
# The comment at the head of a source as prose: a line that is set in becomes a block of its own, and where to go next
# a paragraph.
function says(path,    line, text, inside) {
    while ((getline line < path) > 0 && line ~ /^\/\//) {
        sub(/^\/\/ ?/, "", line)
        if (line ~ /^    /) {
            if (!inside) text = text "\n"
            inside = 1
        } else if (inside) {
            text = text "\n"
            inside = 0
        }
        if (line ~ /^(Claims?:|[nN]ext:|Level )/) text = text "\n"
        if (!inside) {
            gsub(/[<>*_]/, "\\\\&", line)
            if (match(line, /^Lesson [0-9]+: /)) line = toupper(substr(line, RLENGTH + 1, 1)) substr(line, RLENGTH + 2)
            line = with_names(line)
        }
        text = text line "\n"
    }
    close(path)
    return text
}
# The line in which the code of a source begins, and the one before its hints.
function code_from(path,    line, number) {
    while ((getline line < path) > 0 && line ~ /^\/\//) number++
    close(path)
    return number + 1
}
function code_until(path,    line, number) {
    while ((getline line < path) > 0 && line !~ /^\/\/ Hint/) number++
    close(path)
    return number
}
# The cell behind `name` in a table of a document, without the rest of its row.
function cell(document, name, column,    line, part, found) {
    while ((getline line < document) > 0)
        if (index(line, "`" name "`") && line ~ /^\|/) {
            split(line, part, / *\| */)
            found = part[column]
            break
        }
    close(document)
    if (found == "") fail(document " has no row for " name)
    return found
}
function lesson(path,    name, number, text, what, drawn, command) {
    name = path
    gsub(/.*\/|\.cpp$/, "", name)
    number = substr(name, 1, 2) + 0
    text = "# Lesson " number ": " substr(name, 4) "\n\n"
    gsub(/_/, " ", text)
    what = cell("README.md", substr(name, 4), 4)
    text = text "<div class=\"what\">\n\n" toupper(substr(what, 1, 1)) substr(what, 2) ".\n\n</div>\n\n" says(path) "\n"
    command = "ls " build "/lessons/" name "*.svg 2>/dev/null"
    while ((command | getline drawn) > 0) {
        gsub(/.*\/|\.svg$/, "", drawn)
        text = text picture(drawn) "\n"
    }
    close(command)
    text = text "## What it prints\n\n`build/lessons/" name "`, after `make lessons`:\n\n" \
           fenced(read(build "/lessons/" name ".txt")) "\n## A question\n\n" \
           cell("examples/README.md", name ".cpp", 3) " [Answers](course/answers.md#examples) to all questions are there for when you have tried.\n\n" \
           "## The program\n\n`" path "`\n\n" listing(path, code_from(path)) "\n"
    return text
}
function exercise(path,    name, text) {
    name = path
    gsub(/.*\/|\.cpp$/, "", name)
    text = "# Exercise " name "\n\n" says(path)
    sub(/# Exercise [a-z]*_/, "&", text)
    return text "\n    make exercise NAME=" name " FILE=mine.cpp\n\n## What you begin with\n\n" \
           listing("tests/exercises/starters/" name ".cpp") "\n\n## What judges it\n\n" \
           listing(path, code_from(path), code_until(path)) "\n\n## Hints\n\n" hints(path)
}
function hints(path,    line, text, inside) {
    while ((getline line < path) > 0)
        if (line ~ /^\/\/ Hint/) {
            if (inside) text = text "</details>\n\n"
            inside = 1
            sub(/^\/\/ /, "", line)
            text = text "<details><summary>" substr(line, 1, 6) "</summary>\n" escaped(substr(line, 9)) "\n"
        } else if (inside && sub(/^\/\/ /, "", line)) {
            text = text escaped(line) "\n"
        }
    close(path)
    return text "</details>\n"
}
BEGIN { begin_listing() }
FNR == 1 && FILENAME ~ /^examples\/[0-9]/ { printf "%s", lesson(FILENAME); exit }
FNR == 1 && FILENAME ~ /^tests\/exercises\// { printf "%s", exercise(FILENAME); exit }
/^<!-- (picture|printed|code|says): .* -->$/ {
    pattern = ""
    if (match($0, /\/.*\//) && $2 ~ /^(printed|code):$/) {
        match($0, / \/.*\/ /)
        pattern = substr($0, RSTART + 2, RLENGTH - 4)
    }
    if ($2 == "picture:") printf "%s", picture($3)
    if ($2 == "says:") printf "%s", says($3)
    if ($2 == "printed:") printf "%s", fenced(lines_of(build "/lessons/" $3 ".txt", pattern, $(NF - 1)))
    if ($2 == "code:") printf "%s", fenced(lines_of($3, pattern, $(NF - 1)))
    next
}
FILENAME ~ /course\/answers[.]md$/ && /^## / { chapter = $2 "/README.md" }
FILENAME ~ /course\/answers[.]md$/ && /^\*\*`/ {  # the question first
    split($0, tick, "`")
    sub(/^tests\//, "", tick[2])
    print "*" cell(chapter, tick[2], 3) "*\n"
}
{ print }
