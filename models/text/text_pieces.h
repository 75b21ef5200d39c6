// A text file in pieces that end where a record ends (a story, a line, a row), so that a file larger
// than memory can be read. The bytes are checked on the way: a file that is not text is refused
// before anybody parses it. What a record is, the caller says.
//
// Read next: story_reader.cpp, the only user; foreign_format.h, what is refused.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/file.h"
#include "models/text/foreign_format.h"

namespace smoe {

// What some programs put before UTF-8.
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

class TextPieces {
  public:
    static constexpr size_t usual_block = size_t(1) << 24;

    // Reads `block` bytes at a time. Pieces are about as large, or as large as the largest record.
    // Throws Error like read_file.
    explicit TextPieces(const std::string& path, size_t block = usual_block);
    // Takes them from memory; messages name `path`.
    TextPieces(std::string_view bytes, const std::string& path);

    // The length of the longest beginning that is made of whole records, whatever follows; 0 where
    // there is none.
    using Border = std::function<size_t(std::string_view bytes)>;
    // Goes to the next piece; false at the end. The first piece is there even if it is empty. The
    // last one is what is left, whole or not. Throws Error for what is not UTF-8 text, and leaves
    // out a byte order mark at the beginning.
    bool next(const Border& border);

    // Valid until next() is called.
    std::string_view piece() const { return std::string_view(buffer_).substr(0, piece_); }
    bool is_first() const { return is_first_; }
    bool is_last() const { return at_end_ && piece_ == buffer_.size(); }

    int64_t bytes_read() const { return place_.byte; }

  private:
    void fill();

    std::string path_;
    std::unique_ptr<InputFile> file_;
    std::string_view memory_;  // in place of a file
    size_t block_;
    std::string buffer_;  // the piece and what was read beyond it
    size_t piece_ = 0;    // bytes of the piece
    size_t checked_ = 0;  // bytes of the buffer that are known to be text
    TextPlace place_;     // of the byte behind those
    bool begun_ = false, is_first_ = false, at_end_ = false;
};

}  // namespace smoe
