# The numbers and quoted lines of documents; see check_book.sh.
#   awk -v build=BUILD -v printed=FOLDER -f check_numbers.awk LIST DOCUMENT ...
# A line of the list:  DOCUMENT#heading <tab> numbers, each perhaps with a formula behind it: 6.240=log(513)
function complain(where, what) {
    print where ": " what > "/dev/stderr"
    failed = 1
}
# "1,323" as "1323"
function plain(number) {
    gsub(/,/, "", number)
    return number
}
# The first number in `rest` from three digits on or with a decimal point; "" if there is none. What goes before and
# behind it decides whether it is a part of a name.
function next_number(    before, found) {
    while (match(rest, /[0-9][0-9,]*([.][0-9]+)?/)) {
        found = substr(rest, RSTART, RLENGTH)
        before = substr(" " rest, RSTART, 1)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/,+$/, "", found)
        if (before ~ /[A-Za-z_.\/#]/ || rest ~ /^[A-Za-wyz_]/ || rest ~ /^[.][0-9]/) continue
        if (found ~ /^(19[0-9]|20[0-3])[0-9]$/) continue  # a year
        if (found ~ /[.]/ || length(plain(found)) >= 3) return found
    }
    return ""
}
# What a program printed, rounded to fewer digits, too.
function known_from(path, home,    text, digits, value, i, found) {
    if ((path, home) in read_already) return
    read_already[path, home]
    while ((getline text < path) > 0) {
        rest = text
        while (match(rest, /[0-9][0-9,]*([.][0-9]+)?/)) {
            found = plain(substr(rest, RSTART, RLENGTH))
            rest = substr(rest, RSTART + RLENGTH)
            known[home, found]
            digits = found ~ /[.]/ ? length(found) - index(found, ".") : 0
            for (i = 1; i < digits; i++) known[home, sprintf("%." i "f", found)]
        }
    }
    close(path)
}
function value_of(formula,    command, result) {
    command = "awk 'BEGIN { printf \"%.12g\", " formula " }'"
    command | getline result
    close(command)
    return result
}
FNR == 1 { fence = 0; heading = ""; document = FILENAME }
NR == FNR {
    split($0, part, "\t")
    count = split(part[2], number, " ")
    for (i = 1; i <= count; i++) {
        formula = number[i]
        if (sub(/^[^=]*=/, "", formula)) {
            sub(/=.*/, "", number[i])
            digits = number[i] ~ /[.]/ ? length(number[i]) - index(number[i], ".") : 0
            if (sprintf("%." digits "f", value_of(formula)) != plain(number[i]))
                complain(FILENAME ":" FNR, number[i] " is not " formula)
        }
        listed[part[1], number[i]] = FNR
    }
    next
}
FNR == 1 {
    name = document
    gsub(/\//, "-", name)
    known_from(printed "/" name, document)
    while ((getline line < document) > 0)
        while (match(line, /[01][0-9]_[a-z_]+|lessons\/mathematics\/[a-z_]+|[Ll]esson [0-9]+/)) {
            lesson = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            sub(/^lessons\//, "", lesson)
            if (sub(/^[Ll]esson /, "", lesson)) lesson = sprintf("%02d_*", lesson)
            command = "ls " build "/lessons/" lesson ".txt 2>/dev/null"
            while ((command | getline path) > 0) known_from(path, document)
            close(command)
        }
    close(document)
}
/^```/ { fence = !fence }
!fence && /^#+ / {
    heading = tolower($0)
    sub(/^#+ /, "", heading)
    gsub(/[^a-z0-9 _-]/, "", heading)
    gsub(/ /, "-", heading)
}
/^<!-- printed by / { by = $4; quoted = 0 }
/^<!-- / || /^\$\$/ { next }
# What stands behind <!-- printed by NAME --> up to the end of the block, but for the margin.
by != "" && /^    / {
    if (!(by in lines_of)) {
        lines_of[by] = "\n"
        while ((getline line < (build "/lessons/" by ".txt")) > 0) {
            sub(/^ +/, "", line)
            lines_of[by] = lines_of[by] line "\n"
        }
    }
    line = $0
    sub(/^ +/, "", line)
    quoted = 1
    if (!index(lines_of[by], "\n" line "\n")) complain(document ":" FNR, "lesson " by " does not print this line")
}
by != "" && quoted && !/^    / { by = "" }
{
    rest = $0
    gsub(/`[^`]*`/, "`", rest)
    gsub(/\$[^$]*\$/, "$", rest)
    gsub(/\]\([^)]*\)/, "]", rest)
    gsub(/<http[^>]*>|http:[^ ]*|arXiv:[0-9.]*/, "", rest)
    for (number_here = next_number(); number_here != ""; number_here = next_number()) {
        numbers++
        key = document "#" heading
        if ((key, number_here) in listed) used[key, number_here]
        else if (!((document, plain(number_here)) in known))
            complain(document ":" FNR, number_here " is not what a program of the page prints; tests/numbers.txt has it not under " key)
    }
}
END {
    for (entry in listed)
        if (!(entry in used)) {
            split(entry, part, SUBSEP)
            complain("tests/numbers.txt:" listed[entry], part[1] " no longer says " part[2])
        }
    if (failed) exit 1
    print "numbers: " numbers " of the documents are printed by a program, computed or listed"
}
