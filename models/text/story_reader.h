// Stories from files that people have: plain text, CSV, TSV and JSON lines. Whatever cannot be a
// story is an error that names the file and the line; no story is silently lost. Line ends, blanks
// and every other byte of a text stay as they are.
//
// Read next: text_pieces.h, how large files are read; dataset.h, which turns stories into batches of
// tokens.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/story.h"
#include "models/text/text_pieces.h"

namespace smoe {

// Reads the stories of one file, in its order. The ending (in any case) tells its kind:
//   .jsonl, .ndjson  on each line an object with a string "text" and, optionally, a string "domain"
//                    or null; blank lines are skipped
//   .csv, .tsv       a header with a column "text" and, optionally, a column "domain"; a row that
//                    repeats the header, as in files that were joined, is skipped
//   .json            refused, with the way to .jsonl
//   anything else    text with the marker <|endoftext|> between stories. The line end before a
//                    marker and the one after it belong to the marker; the end of the file counts as
//                    one. HTML, XML and JSON without any marker are refused.
// Lines end in LF, CRLF or CR. Stories of nothing but blanks and line ends are skipped. If the file
// gives no domain, or an empty one, the domain is the file's name without folder, ending and a
// trailing _train, _valid or _test. A byte order mark at the beginning of the file is left out.
// Throws Error if the file cannot be read, is not UTF-8, has zero bytes (JSON lines may have them
// as \u0000), breaks its format or holds no story. A token file (.tokens) is refused: it holds none.
class StoryReader {
  public:
    // Reads `block` bytes at a time, so a file may be larger than memory.
    explicit StoryReader(const std::string& path, size_t block = TextPieces::usual_block);
    // The same for bytes in memory; the ending of `path` tells their kind, and messages name it.
    StoryReader(std::string_view bytes, const std::string& path);
    ~StoryReader();

    // Adds the stories of the next piece of the file to `stories`, which may be none; false at the
    // end.
    bool read(std::vector<Story>& stories);

    int64_t bytes_read() const { return pieces_.bytes_read(); }

    class Format;  // how pieces of one kind become stories

  private:
    StoryReader(const std::string& path, TextPieces pieces);

    std::string path_, domain_;
    TextPieces pieces_;
    std::unique_ptr<Format> format_;
    bool empty_ = true;
};

// All stories of a file, of bytes in memory, or of several files, one after the other.
std::vector<Story> read_stories(const std::string& path);
std::vector<Story> parse_stories(std::string_view bytes, const std::string& path);
std::vector<Story> read_stories(const std::vector<std::string>& paths);

// The ending of a file's name in small letters, with its dot: ".jsonl".
std::string lower_case_ending(const std::string& path);

}  // namespace smoe
