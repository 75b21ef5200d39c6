#!/bin/sh
# How much there is to read, folder by folder, against a budget: code grows a line at a time, and nobody
# decides it. A line of code is one that is neither blank nor only a comment; the share is that of the
# non-blank lines that carry a comment. Counts .h and .cpp files but for tables that a script wrote.
# Fails above a budget, and for a file of more than 400 lines.
set -eu
cd "$(dirname "$0")/.."

# Folder, and the most lines of code in it. A file belongs to the innermost of these folders. To raise a
# number is to say that the folder shall be longer to read: say in the commit what the reader gets for it.
budgets='
core                4460
autograd            2550
nn                  2000
models/text         3050
models/text/corpus  1980
models/transformer  1550
models/generation   1090
models/training     3330
examples            2720
examples/playground 265
examples/smoe       9640
tests               420
tests/core          3240
tests/autograd      2750
tests/nn            1560
tests/models        7000
tests/examples      5270
tests/bench         1450
tests/exercises     1950
tests/course         670
'
files=$(find core autograd nn models examples tests \( -name '*.h' -o -name '*.cpp' \) \
    ! -path models/text/unicode_tables.cpp)

# shellcheck disable=SC2086  # no name holds a blank
awk -v budgets="$budgets" -v longest_file=400 '
function complain(text) {
    print "sloc: " text | "cat >&2"
    failed = 1
}
BEGIN {
    count = split(budgets, words)
    for (i = 1; i < count; i += 2) {
        folder[++folders] = words[i]
        budget[words[i]] = words[i + 1]
    }
}
FNR == 1 {
    home = FILENAME
    do {
        sub("/[^/]*$", "", home)
    } while (!(home in budget) && home ~ "/")
    ++files[home]
}
FNR > longest[home] { longest[home] = FNR; longest_name[home] = FILENAME }
FNR > longest_file { too_long[FILENAME] = FNR }
/^[ \t\r]*$/ { next }
{ ++lines[home] }
/^[ \t]*\/\// { ++comments[home]; next }
/[ \t]\/\/ / { ++comments[home] }
{ ++code[home] }
END {
    heading = "%-19s %6s %7s %7s %9s %6s  %s\n"
    printf heading, "folder", "files", "code", "budget", "comments", "share", "longest file"
    for (i = 1; i <= folders; ++i) {
        name = folder[i]
        if (!(name in files)) {
            complain(name " has a budget and no file: take it out of the table in tests/sloc.sh")
            continue
        }
        printf "%-19s %6d %7d %7d %9d %4.0f %%  %s, %d\n", name, files[name], code[name], budget[name],
            comments[name], 100 * comments[name] / lines[name], longest_name[name], longest[name]
        all_files += files[name]
        all_code += code[name]
        all_budget += budget[name]
        all_comments += comments[name]
        all_lines += lines[name]
    }
    printf "%-19s %6d %7d %7d %9d %4.0f %%\n", "all", all_files, all_code, all_budget, all_comments,
        100 * all_comments / all_lines
    fflush()
    for (i = 1; i <= folders; ++i) {
        name = folder[i]
        if (code[name] > budget[name]) {
            complain(name " has " code[name] " lines of code, its budget is " budget[name] \
                ": make it shorter, or raise the budget in tests/sloc.sh and say why")
        }
    }
    for (file in too_long) {
        complain(file " has " too_long[file] " lines, more than the " longest_file \
            " that one can keep in mind: split it")
    }
    close("cat >&2")
    exit failed
}' $files
