"""Texts to try tokenizers on, the same ones each time: the built-in corpus in one piece, words of many scripts, random
bytes. Refuses to download anything. Read next: check.py, their user."""
import random
import unicodedata

# First and last character of Unicode blocks: alphabets, abjads, syllabaries, ideographs, combining marks, numbers,
# punctuation, symbols, and what lies beyond 16 bits.
BLOCKS = [(0x20, 0x7E), (0xA1, 0xFF), (0x100, 0x24F), (0x250, 0x2AF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF),
          (0x531, 0x58F), (0x591, 0x5F4), (0x600, 0x6FF), (0x900, 0x97F), (0x980, 0x9FE), (0xB80, 0xBFA),
          (0xE01, 0xE5B), (0xF00, 0xFDA), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x137C), (0x13A0, 0x13FD),
          (0x1780, 0x17F9), (0x1E00, 0x1EFF), (0x2010, 0x2027), (0x2030, 0x205E), (0x2070, 0x209C), (0x20A0, 0x20C0),
          (0x2100, 0x218B), (0x2190, 0x22FF), (0x2460, 0x24FF), (0x2580, 0x27BF), (0x3041, 0x30FF), (0x3105, 0x312F),
          (0x3220, 0x33FF), (0x4E00, 0x9FFF), (0xA000, 0xA48C), (0xAC00, 0xD7A3), (0xE000, 0xE0FF), (0xFB50, 0xFDC7),
          (0xFF01, 0xFFEE), (0x10330, 0x1034A), (0x10400, 0x1044F), (0x12000, 0x123FF), (0x1D400, 0x1D7FF),
          (0x1F300, 0x1F6FF), (0x1F900, 0x1F9FF), (0x20000, 0x2A6DF), (0xE0100, 0xE01EF)]
SPACES = [" "] * 8 + ["  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\u00a0", "\u1680", "\u2003", "\u2028", "\u3000",
          "\u0085", "\u200b", ""]
ENDINGS = [""] * 8 + ["'s", "'re", "'ll", "'S", "'", "...", "42", "\u0663", "_", "!\u200d"]


def mixed_scripts(size, seed):
    """About `size` bytes of words, each from one block, with all kinds of white space between them."""
    chance = random.Random(seed)
    # Characters that the Unicode of this Python does not know yet are left out: to which class they belong depends
    # on the version.
    blocks = [[c for c in map(chr, range(first, last + 1)) if unicodedata.category(c) != "Cn"]
              for first, last in BLOCKS]
    pieces, length = [], 0
    while length < size:
        word = "".join(chance.choices(chance.choice(blocks), k=chance.randint(1, 9)))
        pieces.append(word + chance.choice(ENDINGS) + chance.choice(SPACES))
        length += len(pieces[-1].encode())
    return "".join(pieces)


def random_bytes(size, seed):
    """`size` bytes at random, decoded as UTF-8; what is no UTF-8 has become U+FFFD, as `tokenizers` takes no bytes."""
    return random.Random(seed).randbytes(size).decode("utf-8", errors="replace")


def joined(stories, size):
    """At least `size` bytes of stories, one after the other."""
    pieces, length = [], 0
    for story in stories:
        pieces.append(story + "\n\n")
        length += len(pieces[-1].encode())
        if length >= size:
            return "".join(pieces)
    raise ValueError(f"the stories hold {length} bytes, {size} are needed")


def paragraphs(text, length=2000):
    """The text in pieces of `length` characters: stories to learn merges from."""
    return [text[i:i + length] for i in range(0, len(text), length)]
