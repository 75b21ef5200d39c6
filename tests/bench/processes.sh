#!/usr/bin/env bash
# One step by more and more processes of one thread, and by one process of as many threads: processes.sh PROGRAM FOLDER
# [PRESET] [BATCH] [COUNTS...]. PROGRAM is built with MPI=1. All rows learn from batches of BATCH stories. Processes share
# 16 shards of them, threads take them at once. Prints the seconds of a step, how many times as fast it is as that of
# one process of one thread, and the share of waiting.
# Read next: network.sh, for several machines.
set -euo pipefail
steps_of=$(dirname "$(realpath "$0")")/step_time.awk
program=$(realpath "$1") folder=$2 preset=${3:-small} batch=${4:-32}
shift $(($# < 4 ? $# : 4))
if [ $# = 0 ]; then
    for count in 1 2 4 8 16; do
        if [ "$count" -le "$(nproc)" ]; then set -- "$@" "$count"; fi
    done
fi
mkdir -p "$folder" && cd "$folder"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
[ -d text ] || "$program" corpus -o text >/dev/null

measure() {  # SHARDS THREADS [MPIRUN...]
    local shards=$1 threads=$2
    shift 2
    rm -rf run
    "$@" "$program" train --run run --data text/train.jsonl --preset "$preset" --precision float32 --routing none \
        --batch "$batch" --shards "$shards" --threads "$threads" --steps 4 --log-every 1 --eval-every 0 --sample-every 0 \
        --checkpoint-every 0 --eval-tokens 100 >log 2>&1 || { tail -3 log >&2; exit 1; }
    awk -f "$steps_of" run/metrics.jsonl
}

printf '%-24s %9s %7s %8s\n' "$preset, $batch stories" "s a step" speed waiting
one=
row() {  # NAME SECONDS WAITING
    one=${one:-$2}
    awk -v name="$1" -v seconds="$2" -v waiting="$3" -v one="$one" \
        'BEGIN { printf "%-24s %9.3f %6.2fx %6.0f %%\n", name, seconds, one / seconds, 100 * waiting }'
}
for count in "$@"; do
    # shellcheck disable=SC2046  # two words
    row "$count processes" $(measure 16 1 mpirun -n "$count" --bind-to core)
done
for count in "$@"; do
    # shellcheck disable=SC2046
    row "$count threads" $(measure 1 "$count")
done
