# The links of the book's pages; see check_book.sh. A page's contents are looked at once for its kind, since they are the
# same in all sources.
function complain(what) {
    print name ": " what > "/dev/stderr"
    failed = 1
}
FNR == 1 {
    name = substr(FILENAME, length(book) + 1)
    folder = name ~ /\// ? "source/" : ""
    page[name]
    inside = 0
}
/<nav id="contents">/ { inside = folder != "" && seen++ }
/<\/nav>/ { inside = 0 }
inside { next }
/<\/script>|<script>/ { next }
{
    for (rest = $0; match(rest, / id="[^"]*"/); rest = substr(rest, RSTART + RLENGTH)) {
        id = substr(rest, RSTART + 5, RLENGTH - 6)
        place[name "#" id]
        if (folder != "" && id ~ /^L[0-9]+$/) line[name "#" id] = rest
    }
    rest = $0
    while (match(rest, /<a[^>]* href="[^"]*"/)) {
        link = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        sub(/.* href="/, "", link)
        sub(/"$/, "", link)
        if (link ~ /^[a-z]+:/ || (folder != "" && link ~ /^#L[0-9]+$/)) continue
        links++
        after = substr(rest, 1, 120)
        said = match(after, /^><code>[A-Za-z_:]+<\/code>/) ? substr(after, 8, RLENGTH - 14) : ""
        sub(/.*::/, "", said)
        target = link ~ /^#/ ? name link : folder link
        sub(/^source\/\.\.\//, "", target)
        if (!((name, target) in from)) from[name, target] = said
    }
}
END {
    for (key in from) {
        split(key, part, SUBSEP)
        name = part[1]
        target = part[2]
        if (target ~ /#/ ? !(target in place) : !(target in page)) complain("the link to " target " leads nowhere")
        else if (target ~ /#L/ && from[key] != "" && line[target] !~ "[^A-Za-z0-9_]" from[key] "[^A-Za-z0-9_]")
            complain("the link to " target " should lead to " from[key])
    }
    if (failed) exit 1
    print "book: " links " links lead somewhere"
}
