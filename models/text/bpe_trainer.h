// Learning byte-pair merges (Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words
// with Subword Units", ACL 2016): join the most frequent pair of neighbours, again and again.
// Nothing is recounted: equal words are kept once, with their count, and each merge updates only
// the pairs that it touches.
// Read next: tokenizer.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "models/text/bpe.h"
#include "models/text/pre_tokenizer.h"

namespace smoe {

// Learns up to `count` merges and returns them in the order of learning. The ids 0 to 255 are
// bytes_in_id_order(); merge i makes id 256 + i. The next merge is the pair of neighbours with the
// highest count; among equals the smaller left id wins, then the smaller right id. It stops when no
// pair occurs twice. No merge crosses the border of a story or of a word. Neighbours are counted at
// each place, overlaps included ("aaa" holds (a, a) twice), and joined from left to right. These
// are the rules of Hugging Face's BpeTrainer with min_frequency = 2, so the merges are the same. It
// takes about 8 bytes per byte of *distinct* words (in mode `none`: stories), or 12 where they
// occur more than once. Throws Error if those words hold 2 GiB or more.
std::vector<Merge> learn_merges(std::span<const std::string_view> stories, int count,
                                PreTokenizer pre);

}  // namespace smoe
