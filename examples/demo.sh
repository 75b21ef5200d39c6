#!/bin/sh
# The whole path in a few minutes: write the built-in corpus, train the tiny preset on it, measure it, let
# it tell stories, coloured by the expert that processed each token, and draw a report.
#   demo.sh PROGRAM FOLDER [MINUTES]
set -eu
smoe=$1
folder=$2
minutes=${3:-1.8}
# A word as a shell takes it.
quoted() {
    case $1 in
    *[!A-Za-z0-9_./-]*) printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")" ;;
    *) printf %s "$1" ;;
    esac
}
say() { printf '\n== %s\n' "$1"; }

# A run that somebody went on with is no longer the demo's: its settings are others.
if [ -e "$folder/run/config.json" ] && ! cmp -s "$folder/run/config.json" "$folder/config.json"; then
    kept="$folder-$(date +%Y%m%d-%H%M%S)"
    mv "$folder" "$kept"
    echo "the run in $folder went on after the demo, so it is kept as $kept"
fi
rm -rf "$folder"
say "A corpus of children's stories, in English and German, and of small sums"
"$smoe" corpus -o "$folder/corpus"

say "A model of three million parameters learns from it for $minutes minutes"
"$smoe" train --data "$folder/corpus/train.jsonl" --valid "$folder/corpus/valid.jsonl" \
    --preset tiny --minutes "$minutes" --run "$folder/run"
cp "$folder/run/config.json" "$folder/config.json"

say "What it learned, on stories it has never seen, and how the experts divide the domains"
"$smoe" eval "$folder/run" --data "$folder/corpus/valid.jsonl"

say "An English story"
"$smoe" generate "$folder/run" --prompt "Once upon a time" --temperature 0.5 --show-experts
say "A German one"
"$smoe" generate "$folder/run" --prompt "Es war einmal" --temperature 0.5 --show-experts
say "And some sums"
"$smoe" generate "$folder/run" --prompt "Tom has" --temperature 0.5 --show-experts

say "All of this as a page for the browser"
"$smoe" report "$folder/run"

say "Yours to go on with"
smoe=$(quoted "$smoe") run=$(quoted "$folder/run")
echo "$smoe generate $run --prompt \"One day\" --samples 3 --show-experts"
echo "$smoe train --run $run --resume --minutes 5"
echo "$smoe train --data YOUR_STORIES.txt --preset tiny --minutes 10 --run runs/mine"
