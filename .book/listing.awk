# Source as HTML: a line has a number to link to, and comments, strings and words of the language have their colours.
# Functions for other scripts; next: pages.awk.
function escaped(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    return text
}
function coloured(line, slashes,    out, piece) {
    while (line != "") {
        if (slashes ? line ~ /^\/\// : line ~ /^#/) return out "<i class=\"c\">" escaped(line) "</i>"
        if (match(line, /^"([^"\\]|\\.)*"/) || match(line, /^'([^'\\]|\\.)*'/)) {
            piece = "<i class=\"s\">" escaped(substr(line, 1, RLENGTH)) "</i>"
        } else if (match(line, /^[0-9][0-9A-Za-z_'.]*/)) {  # 10'000 is no string
            piece = substr(line, 1, RLENGTH)
        } else if (match(line, /^[A-Za-z_][A-Za-z0-9_]*/)) {
            piece = substr(line, 1, RLENGTH)
            if (slashes && piece in word) piece = "<i class=\"k\">" piece "</i>"
        } else if (match(line, /^[^A-Za-z0-9_"'\/#]+/) || match(line, /^./)) {
            piece = escaped(substr(line, 1, RLENGTH))
        }
        line = substr(line, RLENGTH + 1)
        out = out piece
    }
    return out
}
function begin_listing(    words, i) {
    split("alignas auto bool break case catch char class const constexpr continue default delete do double else enum " \
          "explicit false float for friend if inline int int32_t int64_t uint64_t uint8_t mutable namespace new noexcept " \
          "nullptr operator override private protected public real requires return size_t sizeof static struct switch " \
          "template this throw true try typename union unsigned using virtual void while", words, " ")
    for (i in words) word[words[i]]
}
# The lines `first` to `last` of a file (0: all), with their numbers.
function listing(path, first, last,    line, number, out) {
    out = "<pre class=\"listing\"><code>"
    while ((getline line < path) > 0) {
        number++
        if (number < first || (last && number > last)) continue
        out = out "<span id=\"L" number "\"><a href=\"#L" number "\">" number "</a>" \
              coloured(line, path ~ /\.(h|cpp|js|lua)$/) "</span>\n"
    }
    close(path)
    return out "</code></pre>"
}
