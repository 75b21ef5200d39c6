#!/bin/sh
# Runs every fuzzer for some seconds, from the seeds and from what earlier runs found worth keeping.
#   run.sh BUILD_FOLDER SECONDS
set -eu
build=$1
seconds=$2
here=$(dirname "$0")
failed=""
total=0
for fuzzer in "$build"/fuzz-*; do
    target=${fuzzer##*/fuzz-}
    mkdir -p "$build/found/$target"
    log=$build/$target.log
    if ! "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/found/crash-$target-" "$build/found/$target" "$here/seeds/$target" \
        >"$log" 2>&1; then
        failed="$failed $target"
        tail -n 40 "$log"
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    total=$((total + ${runs:-0}))
    echo "$target: ${runs:-no} executions"
done
[ -z "$failed" ] || { echo "Fuzzing found something in:$failed" >&2; exit 1; }
echo "$total executions, nothing found."
