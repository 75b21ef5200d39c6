#!/bin/sh
# A header as Doxygen wants it, on standard output: `//` before a declaration becomes `///`, and behind one `///<`. The
# first comment of a file is about the file. What is indented in a comment, such as a formula, stays as it is; elsewhere
# nothing that Doxygen takes for a command or for HTML has a meaning.
exec awk '
function plain(text) {
    gsub(/[\\@<>&#%"$]/, "\\\\&", text)
    gsub(/--/, "\\--", text)
    return text
}
function end_indented() {
    if (indented) print "/// </pre>"
    indented = 0
}
/^[ ]*\/\/( |$)/ {
    if (NR == 1) print "/// \\file"
    text = $0
    sub(/^[ ]*\/\/ ?/, "", text)
    if (text ~ /^    /) {
        if (!indented) print "/// <pre>"
        indented = 1
        text = plain(text)
        sub(/^ *- /, "\\&zwj;&", text)  # or it would begin a list
        print "/// " text
    } else {
        end_indented()
        print "/// " plain(text)
    }
    next
}
{ end_indented() }
match($0, /[;,] +\/\/ /) {
    print substr($0, 1, RSTART) " ///< " plain(substr($0, RSTART + RLENGTH))
    next
}
{ print }
' "$1"
