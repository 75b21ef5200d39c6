# What is around a page: contents, search, the way to the next page; and a page for each source. Also the index that
# the search reads: [page, title, text] for each section and each source.
#   awk -v build=... -v work=... -f listing.awk -f pages.awk PAGES FILES
function read(path,    line, text) {
    while ((getline line < path) > 0) text = text line "\n"
    close(path)
    return text
}
function text_of(fragment,    at, end) {
    while (match(fragment, /<(svg|annotation|pre class="listing")[ >]/)) {
        at = RSTART
        match(substr(fragment, at), /<\/(svg|annotation|pre)>/)
        if (RSTART == 0) break
        fragment = substr(fragment, 1, at - 1) " " substr(fragment, at + RSTART + RLENGTH - 1)
    }
    gsub(/<[^>]*>/, "", fragment)
    gsub(/[ \t\n]+/, " ", fragment)
    gsub(/&lt;/, "<", fragment)
    gsub(/&gt;/, ">", fragment)
    gsub(/&quot;/, "\"", fragment)
    gsub(/&amp;/, "\\&", fragment)
    return fragment
}
function quoted(text) {
    gsub(/\\/, "&&", text)
    gsub(/"/, "\\\"", text)
    return "\"" text "\""
}
function add_to_index(page, title, text) {
    print "[" quoted(page) "," quoted(title) "," quoted(text) "]," > (build "/book/index.js")
}
# Sections of a page, for index and contents: h2 and h3 begin one.
function index_page(page, title, body,    part, count, i, id, heading, here, name) {
    sections[page] = ""
    count = split(body, part, /<h[23] id="/)
    add_to_index(page, title, text_of(part[1]))
    for (i = 2; i <= count; i++) {
        id = substr(part[i], 1, index(part[i], "\"") - 1)
        heading = text_of("<" substr(part[i], 1, index(part[i], "</h") - 1))
        add_to_index(page "#" id, title ": " heading, text_of("<" substr(part[i], index(part[i], "</h") + 1)))
        if (index(body, "<h2 id=\"" id "\""))
            sections[page] = sections[page] "<li><a href=\"#" id "\">" escaped(heading) "</a></li>\n"
    }
}
function contents(root, current,    i, out, part) {
    for (i = 1; i <= pages; i++) {
        if (part_of[i] != part) out = out (part == "" ? "" : "</ul>\n") "<h2>" part_of[i] "</h2>\n<ul>\n"
        part = part_of[i]
        out = out "<li><a href=\"" root page[i] "\"" (i == current ? " aria-current=\"page\"" : "") ">" title[i] "</a>"
        if (i == current && sections[page[i]] != "") out = out "<ul>\n" sections[page[i]] "</ul>"
        out = out "</li>\n"
    }
    return out "</ul>\n"
}
# The template in pieces, around the names of what belongs there: @TITLE@ and so on.
function cut(template) {
    while (match(template, /@[A-Z]+@/)) {
        piece[++places] = substr(template, 1, RSTART - 1)
        place[places] = substr(template, RSTART + 1, RLENGTH - 2)
        template = substr(template, RSTART + RLENGTH)
    }
    end_of_template = template
}
function write(path, root, heading, kind, body, list, turn,    i, file) {
    value["TITLE"] = heading
    value["ROOT"] = root
    value["KIND"] = kind
    value["BODY"] = body
    value["CONTENTS"] = list
    value["TURN"] = turn
    file = build "/book/" path
    for (i = 1; i <= places; i++) printf "%s%s", piece[i], value[place[i]] > file
    printf "%s", end_of_template > file
    close(file)
}
BEGIN {
    FS = "\t"
    begin_listing()
    value["STYLE"] = read(".book/style.css")
    value["SCRIPT"] = read(".book/script.js")
    cut(read(".book/template.html"))
    print "window.bookIndex = [" > (build "/book/index.js")
}
NR == FNR {
    page[++pages] = $1
    part_of[pages] = $3
    name = $2
    gsub(/\//, "-", name)
    body_of[pages] = read(work "/" name ".html")
    gsub(/stretchy="true"/, "stretchy=\"false\"", body_of[pages])  # browsers without a font for formulas overdo it
    heading = body_of[pages]
    match(heading, /<h1[^>]*>/)
    heading = substr(heading, RSTART + RLENGTH)
    title[pages] = escaped(text_of(substr(heading, 1, index(heading, "</h1>") - 1)))
    sub(/^Exercise /, "", title[pages])
    index_page($1, text_of(title[pages]), body_of[pages])
    page_of[$2] = $1
    kind[pages] = "text"
    if ($1 ~ /slides/) {
        kind[pages] = "slides"
        gsub(/<h[12] id=/, "</section>\n<section>&", body_of[pages])
        body_of[pages] = "<section>" body_of[pages] "</section>"
        sub(/<section><\/section>/, "", body_of[pages])
    }
    next
}
{
    name = $0
    gsub(/\//, "-", name)
    sub(/^[.]/, "", name)
    if (list == "") list = contents("../", 0)
    said = ""
    while ((getline line < $0) > 0 && line ~ /^(\/\/|#) /) said = said substr(line, 4) " "
    close($0)
    add_to_index("source/" name ".html", $0, said)
    write("source/" name ".html", "../", $0, "source", "<h1>" $0 "</h1>\n" \
          ($0 in page_of ? "<p>As <a href=\"../" page_of[$0] "\">a page of the book</a>.</p>\n" : "") listing($0), list, "")
    folder = $0
    if (!sub(/\/[^\/]*$/, "", folder)) folder = "."
    if (folder != last_folder) tree = tree (tree == "" ? "" : "</ul>\n") "<h2 id=\"" folder "\">" folder "</h2>\n<ul>\n"
    last_folder = folder
    tree = tree "<li><a href=\"source/" name ".html\">" $0 "</a></li>\n"
}
END {
    for (i = 1; i <= pages; i++) {
        turn = "<p class=\"turn\"><span>"
        if (i > 1) turn = turn "<a href=\"" page[i - 1] "\">&larr; " title[i - 1] "</a>"
        turn = turn "</span><span>"
        if (i < pages) turn = turn "<a href=\"" page[i + 1] "\">" title[i + 1] " &rarr;</a>"
        write(page[i], "", title[i], kind[i], body_of[i], contents("", i), turn "</span></p>")
    }
    write("sources.html", "", "All sources", "text", "<h1>All sources</h1>\n" tree "</ul>\n", contents("", 0), "")
    print "];" > (build "/book/index.js")
}
