# The commands of a document as a shell script. A block of them that stands below <!-- run --> is run: a line behind
# "$ " is a command whose output must be the lines below it, where there are some; in a block without "$ " all lines are
# commands, and their output is not compared. A block with "$ " that is not run must say why: <!-- not run: WHY -->.
function quoted(text) {
    gsub(/'/, "'\\''", text)
    return "'" text "'"
}
function finish() {
    if (command != "") print "run " number " " quoted(command) " " quoted(expected)
    command = expected = ""
}
# Does a command go on in the next line?
function open() {
    return last ~ /\\$/ || (command ~ /<< 'END'/ && last != "END") || (command ~ /^for / && last !~ /(^|\n| )done/)
}
BEGIN {
    print "wrong=0"
    print "run() {"
    print "    printed=$(eval \"$2\" 2>&1)"
    print "    printf '%s\\n' \"$printed\""
    print "    [ -z \"$3\" ] || [ \"$printed\" = \"$3\" ] || {"
    print "        printf '%s:%s: the command prints\\n%s\\nand not\\n%s\\n' " quoted(ARGV[1]) " \"$1\" \"$printed\" \"$3\" >&2"
    print "        wrong=1"
    print "    }"
    print "}"
}
/^ *<!-- run -->$/ { mode = "run"; next }
/^ *<!-- not run: .* -->$/ { mode = "not"; next }
{ match($0, /^ */); blanks = RLENGTH }
!inside && blanks >= 4 && $0 != "" && (mode != "" || $0 ~ /^ *\$ /) {
    inside = 1
    margin = blanks
    asked = $0 ~ /^ *\$ /
    if (mode == "") {
        print ARGV[1] ":" FNR ": the block is neither <!-- run --> nor <!-- not run: WHY -->" > "/dev/stderr"
        failed = 1
    }
}
inside && $0 != "" && blanks < margin { finish(); inside = 0; mode = "" }
!inside || mode != "run" || $0 == "" { next }
{ line = substr($0, margin + 1) }
command != "" && open() {
    if (asked) sub(/^> /, "", line)
    command = command "\n" line
    last = line
    next
}
line ~ /^\$ / || !asked {
    finish()
    number = FNR
    command = last = asked ? substr(line, 3) : line
    next
}
{ expected = expected (expected == "" ? "" : "\n") line }
END {
    finish()
    print "exit $wrong"
    if (failed) exit 1
}
