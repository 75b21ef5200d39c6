#!/usr/bin/env bash
# Cuts the domains' texts into passages that fit a context, in equal shares: prepare.sh FROM TO.
# FROM holds DOMAIN_train.txt and DOMAIN_valid.txt, records separated by <|endoftext|> lines; TO gets
# train/DOMAIN.txt, train_4th/, train_16th/ (the first quarter and sixteenth of it) and
# valid/DOMAIN.txt. The domain of a text is the name of its file.
# Read next: README.md, which says where the texts are from.
set -euo pipefail
from=${1:?usage: prepare.sh FROM TO} to=${2:?usage: prepare.sh FROM TO}
domains=${DOMAINS:-tinystories english german maths python cpp}
train_bytes=${TRAIN_BYTES:-5000000} valid_bytes=${VALID_BYTES:-220000}

# passages FILE MOST: passages of about 1,000 bytes, cut between lines, MOST bytes in all. A record's
# last passage may be shorter.
passages() {
    LC_ALL=C awk -v most="$2" '
        function flush() {
            if (passage != "") {
                printf "%s<|endoftext|>\n", passage
                total += length(passage)
            }
            passage = ""
            if (total >= most) exit
        }
        /^<\|endoftext\|>$/ { flush(); next }
        {
            passage = passage $0 "\n"
            if (length(passage) >= 1000) flush()
        }
        END { if (total < most) flush() }' "$1"
}

mkdir -p "$to"/train "$to"/train_4th "$to"/train_16th "$to"/valid
for domain in $domains; do
    passages "$from/${domain}_train.txt" "$train_bytes" > "$to/train/$domain.txt"
    passages "$from/${domain}_train.txt" $((train_bytes / 4)) > "$to/train_4th/$domain.txt"
    passages "$from/${domain}_train.txt" $((train_bytes / 16)) > "$to/train_16th/$domain.txt"
    passages "$from/${domain}_valid.txt" "$valid_bytes" > "$to/valid/$domain.txt"
    echo "$domain: $(stat -c %s "$to/train/$domain.txt") bytes to learn from," \
         "$(stat -c %s "$to/valid/$domain.txt") held out"
done
