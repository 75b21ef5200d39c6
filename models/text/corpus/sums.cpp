// Small sums, in digits and in words, about the same small world as the English stories. Numbers
// are drawn and computed by the cast of a plot, so that no sum can be wrong. Fractions, negative
// numbers and anything else that a child could not do in the head are left out.
// Read next: corpus.cpp, which deals the three books.
#include <fmt/core.h>

#include "models/text/corpus/books.h"

namespace smoe {

namespace {

constexpr std::string_view sums = R"(
table thing: name, many
apple | apples
plum | plums
cookie | cookies
nut | nuts
egg | eggs
stone | stones
shell | shells
flower | flowers
book | books
button | buttons
pencil | pencils
card | cards
ball | balls
orange | oranges

table box: name, many
bag | bags
box | boxes
basket | baskets
crate | crates

table toy: name, many
ball | balls
button | buttons
pencil | pencils
card | cards
flower | flowers
book | books
hat | hats

table colour: word
red
blue
green
yellow
white
brown
black

plot more
cast hero:child, friend:child, x:1..40, y:1..40, z:x+y
- {hero} has {count x thing}.
| One day, {hero} has {count x thing}.
- {friend} gives {him hero} {y} more.
| Then {he hero} gets {y} more from {friend}.
- Now {he hero} has {count z thing}, because {x} + {y} = {z}.
| {x} + {y} = {z}, so now {he hero} has {count z thing}.

plot less
cast hero:child, friend:child, x:2..60, most:x-1, y:1..most, z:x-y
- {hero} has {count x thing}.
| One day, {hero} has {count x thing}.
- {He hero} gives {y} of them to {friend}.
| {friend} gets {y} of them.
- Now {he hero} has {count z thing} left, because {x} - {y} = {z}.
| {x} - {y} = {z}, so now {he hero} has {count z thing} left.

plot more and less
cast hero:child, friend:child, x:1..30, y:2..20, z:x+y, most:y-1, u:1..most, v:z-u
- {hero} has {count x thing} and finds {y} more.
| {hero} has {count x thing}. Then {he hero} gets {y} more.
- Now {he hero} has {z}, because {x} + {y} = {z}.
- {He hero} gives {u} of them to {friend}. Now {he hero} has {v}, because {z} - {u} = {v}.
| {friend} gets {u} of them. {z} - {u} = {v}, so {hero} has {v} left.

plot together
cast red:colour, blue:colour, x:2..70, y:2..70, z:x+y
- There are {x} {red} {toy.many} and {y} {blue} {toy.many} in {a box}.
| In {a box}, there are {x} {red} {toy.many} and {y} {blue} ones.
- Together, there are {count z toy}. {x} + {y} = {z}.
| How many are there? {x} + {y} = {z}, so there are {count z toy}.

plot who has more
cast hero:child, friend:child, y:1..40, d:1..20, x:y+d
- {hero} has {count x thing}, and {friend} has {count y thing}.
| {friend} has {count y thing}, and {hero} has {count x thing}.
- Who has more? {hero} has {d} more, because {x} - {y} = {d}.
| {x} is more than {y}, so {hero} has more. {x} - {y} = {d}.
| {friend} has {d} fewer than {hero}. {y} + {d} = {x}.

plot twice as many
cast hero:child, friend:child, x:1..30, z:2*x, y:1..30, s:z+y
- {hero} has {count x thing}. {friend} has twice as many.
| {friend} has twice as many {thing.many} as {hero}. {hero} has {x}.
- So {friend} has {count z thing}, because 2 x {x} = {z}.
| {x} + {x} = {z}, so {friend} has {count z thing}.
- Then {he friend} gets {y} more. {z} + {y} = {s}.
| With {y} more, {he friend} has {s}, because {z} + {y} = {s}.

plot boxes
cast hero:child, friend:child, x:2..9, y:2..12, z:x*y, u:2..9, v:2..12, w:u*v
- {hero} has {count x box} with {count y thing} in each. {x} x {y} = {z}, so {he hero} has {z}.
| In each of {hero}'s {box.many}, there are {count y thing}. With {count x box}, that is {x} x {y}
  = {z}.
- {friend} has {count u box} with {v} in each. {u} x {v} = {w}, so {he friend} has {w}.
| {friend} has {count u box} with {v} in each. That is {u} x {v} = {w}.

plot sharing
cast hero:child, friend:child, x:2..9, y:2..12, z:x*y, u:1..20, v:y+u
- {hero} and {friend} put {count z thing} into {count x box}.
| {hero} has {count z thing}. With {friend}, {he hero} puts them into {count x box}.
- Each {box} gets {y}, because {x} x {y} = {z}.
| How many are in each {box}? {x} x {y} = {z}, so there are {y}.
- {friend} puts {u} more into one {box}. {y} + {u} = {v}, so now there are {v} in it.
| Then {friend} puts {u} more into one {box}, and it has {v}, because {y} + {u} = {v}.

plot there and back
cast x:1..50, y:1..50, z:x+y, u:1..50, v:1..50, w:u+v
- {x} + {y} = {z}. {z} - {y} = {x}.
| {z} - {x} = {y}. {x} + {y} = {z}.
- {u} + {v} = {w}. {w} - {v} = {u}.
| {w} - {u} = {v}. {u} + {v} = {w}.

plot in words
cast x:1..20, y:1..20, z:x+y, u:1..20, v:1..20, w:u+v, a:1..20, b:1..20, c:a+b
- {X.word} plus {y.word} is {z.word}.
| {X.word} and {y.word} make {z.word}.
- {W.word} minus {v.word} is {u.word}.
| {W.word} take away {v.word} is {u.word}.
- {A.word} plus {b.word} is {c.word}.
| {A.word} and {b.word} make {c.word}.

plot in words and digits
cast x:1..40, y:1..40, z:x+y, u:1..40, v:1..40, w:u+v
- {X.word} plus {y.word} is {z.word}. {x} + {y} = {z}.
| {x} + {y} = {z}. {X.word} plus {y.word} is {z.word}.
- {W.word} minus {v.word} is {u.word}. {w} - {v} = {u}.
| {w} - {v} = {u}. {W.word} minus {v.word} is {u.word}.

plot counting
cast hero:child, friend:child, x:1..40, y:2..10, x1:x+y, x2:x1+y, x3:x2+y, u:0..30, v:2..10, u1:u+v
cast u2:u1+v, u3:u2+v
- {hero} counts by {y}: {x}, {x1}, {x2}.
| {hero} starts at {x} and counts by {y}: {x}, {x1}, {x2}.
- Next is {x3}, because {x2} + {y} = {x3}.
| {x2} + {y} = {x3}, so {x3} is next.
- {friend} counts back by {v}: {u3}, {u2}, {u1}.
| {friend} starts at {u3} and counts back by {v}: {u3}, {u2}, {u1}.
- Next is {u}, because {u1} - {v} = {u}.
| {u1} - {v} = {u}, so {u} is next.

plot which is more
cast y:1..90, d:1..40, x:y+d, v:1..90, e:1..40, u:v+e
- {x} is more than {y}. {x} - {y} = {d}.
| {y} is less than {x}. {y} + {d} = {x}.
- {u} is more than {v}. {u} - {v} = {e}.
| {v} is less than {u}. {v} + {e} = {u}.

plot times
cast x:2..12, y:2..12, z:x*y, u:2..12, v:2..12, w:u*v, a:2..12, b:2..12, c:a*b
cast k:2..12, l:2..12, m:k*l
- {x} x {y} = {z}.
| {X.word} times {y.word} is {z.word}.
- {u} x {v} = {w}.
| {U.word} times {v.word} is {w.word}.
- {a} x {b} = {c}.
| {A.word} times {b.word} is {c.word}.
- {k} x {l} = {m}.
| {K.word} times {l.word} is {m.word}.
)";

constexpr std::string_view ones[] = {"zero",    "one",     "two",       "three",    "four",
                                     "five",    "six",     "seven",     "eight",    "nine",
                                     "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                     "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::string_view tens[] = {"twenty", "thirty",  "forty",  "fifty",
                                     "sixty",  "seventy", "eighty", "ninety"};

std::string in_words(int number) {
    if (number < 20) {
        return std::string(ones[number]);
    }
    if (number >= 100) {
        return number == 100 ? "one hundred"
                             : fmt::format("one hundred and {}", in_words(number - 100));
    }
    const std::string_view ten = tens[number / 10 - 2];
    return number % 10 == 0 ? std::string(ten) : fmt::format("{}-{}", ten, ones[number % 10]);
}

// Row i of the table is the number i; 12 x 12 is the largest that any plot reaches.
std::string number_table() {
    std::string table = "table number: digits, word\n";
    for (int number = 0; number <= 144; ++number) {
        table += fmt::format("{} | {}\n", number, in_words(number));
    }
    return table + '\n';
}

// The children of the English stories; their other tables would clash with those above.
std::string child_table() {
    const std::string_view tables = english_tables();
    const size_t start = tables.find("table child");
    return std::string(tables.substr(start, tables.find("\n\n", start) + 2 - start));
}

}  // namespace

const Book& sums_book() {
    static const Book book("sums", fmt::format("{}{}{}", child_table(), number_table(), sums),
                           inflect_english);
    return book;
}

}  // namespace smoe
