#!/bin/sh
# Trains for MINUTES and notes the resident memory of the process every minute. Passes when training ends in order and
# the memory of the second half grows by less than 64 KiB a minute: a leak of 200 bytes a step is found, the settling of
# the memory pool (a longer batch than any before asks for a larger block) is not taken for one.
#   soak.sh PROGRAM FOLDER MINUTES [TEXT]
# FOLDER gets the run, its output (train.log) and the minutes (memory.tsv: minute, KiB). Without TEXT it learns from the
# built-in corpus.
set -eu
program=$1
folder=$2
minutes=$3
text=${4:-$folder/corpus/train.jsonl}
[ "$minutes" -ge 30 ] || {
    echo "soak.sh: error: memory settles in the first quarter of an hour, so 30 minutes are the least, got $minutes" >&2
    exit 2
}
[ -r /proc/self/status ] || { echo "soak.sh: error: memory is read from /proc, which is not here" >&2; exit 1; }
rm -rf "$folder/run" "$folder/memory.tsv"
mkdir -p "$folder"
[ $# = 4 ] || "$program" corpus -o "$folder/corpus"
"$program" train --preset tiny --minutes "$minutes" --run "$folder/run" --data "$text" >"$folder/train.log" 2>&1 &
training=$!
trap 'kill $training 2>/dev/null' INT TERM

minute=0
while sleep 60 && memory=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$training/status" 2>/dev/null) && [ "$memory" ]; do
    minute=$((minute + 1))
    printf '%d\t%d\n' "$minute" "$memory" | tee -a "$folder/memory.tsv"
done
wait $training || { tail -n 5 "$folder/train.log"; echo "soak: training ended with an error" >&2; exit 1; }

# Least squares over the second half: slope = sum (x - mean x)(y - mean y) / sum (x - mean x)^2.
awk -v total="$minute" -v limit=64 '
    $1 > total / 2 { n++; x[n] = $1; y[n] = $2; mean_x += $1; mean_y += $2 }
    END {
        if (n < 10) { print "soak: training ended early" > "/dev/stderr"; exit 1 }
        mean_x /= n; mean_y /= n
        for (i = 1; i <= n; i++) { xy += (x[i] - mean_x) * (y[i] - mean_y); xx += (x[i] - mean_x) ^ 2 }
        slope = xy / xx
        printf "soak: %d minutes, %.1f MiB at half time, %.1f MiB at the end; the second half grows by %.1f KiB a minute\n",
            total, y[1] / 1024, y[n] / 1024, slope
        if (slope >= limit) { printf "soak: that is %d KiB a minute or more\n", limit > "/dev/stderr"; exit 1 }
    }' "$folder/memory.tsv"
