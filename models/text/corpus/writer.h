// Writes stories from a book: tables of words, and plots with gaps that the words fill. The code
// here knows no language: each book brings a function for articles, pronouns and endings.
// Read next: english_plots.cpp for the plots, english.cpp for the tables and for the function.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/rng.h"

namespace smoe {

struct Table {
    std::string_view name;
    std::vector<std::string_view> columns;
    std::vector<std::vector<std::string_view>> rows;
};

// One row of a table, the word that a role was given.
struct Row {
    const Table* table;
    size_t index;

    // Throws Error naming a column that the table does not have.
    std::string_view operator[](std::string_view column) const;
    bool operator==(const Row&) const = default;
};

struct Phrase {
    std::string_view first;                    // "a", "he", "einen"
    std::vector<std::string_view> adjectives;  // in order, without endings
    std::string_view noun;                     // the cell named last
    Row row;                                   // the row of that cell
    const Row* owner;                          // null unless the first word was written owner:word
};

using Inflect = std::string (*)(const Phrase&);

struct Beat {
    std::vector<std::string_view> wordings;  // none: a place for a new paragraph
    bool spare = false;                      // the story can do without
};

struct Plot {
    std::string_view name;
    std::vector<std::pair<std::string_view, std::string_view>> cast;  // role, table or number
    std::vector<Beat> beats;
};

// The text of a book is tables and plots, with an empty line after each. A line that starts with a
// blank continues the line above.
//
// How a table is written. The first column is the word itself; the others belong to it.
//     table child: name, he, kind
//     Tom | he  | boy
//     Mia | she | girl
//
// How a plot is written. `cast` says which table a role is drawn from, and two roles of one table
// never get the same row. A role that is not in the cast is drawn from the table of its own name. A
// role keeps its row for the whole story. "-" opens a beat of the story, "|" says the same beat in
// other words, and "--" is a place where half of the stories start a new paragraph. "?" opens a
// beat that the story can do without: a story tells at most one of these. Exactly one wording of a
// beat is used.
//     plot the lost ball
//     cast hero:child
//     - {Hero} had {a colour} ball.
//     | {Hero} loved {his hero} [big|small] ball.
//
// Square brackets hold alternatives, which may be empty. Braces hold a slot:
//     {hero}            the first column of the row that plays the role
//     {hero.kind}       another column of it; a cell may hold slots and alternatives of its own
//     {a colour toy}    a phrase: a first word that the language knows, adjectives, the noun; an
//                       adjective is a role or, with a hyphen, written out: {einen rot- ball}
//     {hero:sein ball}  a phrase whose first word depends on an owner as well
// A slot that starts with a capital is filled with text that starts with one.
//
// Numbers are roles too; they are rows of the table `number`, where row i stands for i:
//     cast x:2..9, y:1..x, z:x+y       drawn from 2 to 9, from 1 to x, computed with +, - or *
class Book {
  public:
    // Throws Error quoting the line of `text` (tables and plots) that breaks the rules.
    Book(std::string title, std::string_view text, Inflect grammar);
    Book(const Book&) = delete;

    // A story of a random plot, or of the given one.
    std::string write(Rng& rng) const;
    std::string write(const Plot& plot, Rng& rng) const;

    // A single wording with its slots filled in. Throws Error naming an unknown slot.
    std::string expand(const Plot& plot, std::string_view wording, Rng& rng) const;

    std::span<const Table> tables() const { return tables_; }
    std::span<const Plot> plots() const { return plots_; }
    const Table* find_table(std::string_view name) const;  // null where there is none
    const std::string& title() const { return title_; }
    Inflect inflect() const { return inflect_; }

  private:
    void read_table_line(std::string_view line);
    void read_plot_line(std::string_view line);

    std::string title_, text_;  // the names and cells below are views of text_
    Inflect inflect_;
    std::vector<Table> tables_;
    std::vector<Plot> plots_;
};

// The pieces of `text` between the separators that lie outside brackets; there is always at least
// one.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);

// Changes ASCII only, which is all the books need.
std::string capitalised(std::string text);

}  // namespace smoe
