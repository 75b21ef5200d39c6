// A buffer that is filled until it holds a border, and loses its beginning when the next piece is
// asked for.
// Read next: story_reader.cpp.
#include "models/text/text_pieces.h"

#include <algorithm>
#include <span>

#include "models/text/line_ends.h"

namespace smoe {
namespace {

constexpr size_t longest_signature_at_end = 8;

}  // namespace

TextPieces::TextPieces(const std::string& path, size_t block)
    : path_(path), file_(std::make_unique<InputFile>(path)), block_(block) {}

TextPieces::TextPieces(std::string_view bytes, const std::string& path)
    : path_(path), memory_(bytes), block_(bytes.size() + 1) {}

bool TextPieces::next(const Border& border) {
    buffer_.erase(0, piece_);
    checked_ -= piece_;
    piece_ = 0;
    is_first_ = !begun_;
    begun_ = true;
    if (!at_end_) {
        fill();
    }
    while (!at_end_ && (piece_ = border(std::string_view(buffer_).substr(0, checked_))) == 0) {
        fill();  // as much again as there is, so that a long record takes linear time
    }
    if (at_end_) {
        piece_ = buffer_.size();
    }
    return is_first_ || piece_ > 0;
}

void TextPieces::fill() {
    const size_t before = buffer_.size(), wanted = std::max(block_, before);
    size_t got = 0;
    if (file_) {
        buffer_.resize(before + wanted);
        got = file_->read(std::span(buffer_).subspan(before));
        buffer_.resize(before + got);
    } else {
        got = memory_.size();
        buffer_ = memory_;
    }
    at_end_ = got < wanted;
    const bool begins = before == 0 && place_.byte == 0;
    if (begins) {
        refuse_known_format(
            buffer_, at_end_ || !file_ ? buffer_ : file_->last_bytes(longest_signature_at_end),
            path_);
    }
    const std::string_view fresh = std::string_view(buffer_).substr(checked_);
    if (checked_ > 0 && buffer_[checked_ - 1] == '\r' && fresh.starts_with('\n')) {
        --place_.line;  // that line goes on for a byte
    }
    const size_t whole = require_text(fresh, path_, place_, !at_end_);
    place_.byte += int64_t(whole);
    place_.line += count_line_ends(fresh.substr(0, whole));
    checked_ += whole;
    if (begins && buffer_.starts_with(byte_order_mark)) {
        buffer_.erase(0, byte_order_mark.size());
        checked_ -= byte_order_mark.size();
    }
}

}  // namespace smoe
