#!/bin/sh
# Runs the test programs of these precisions, then says how many cases and assertions there were in all.
#   run.sh BUILD_FOLDER float double
# The cases are cut into groups, and as many groups run at once as there are processors: many cases wait for
# programs that they start. Prints what groups that fail have printed.
set -eu
build=$1
shift
precisions=$(echo "$*" | sed "s, , and in ,")
SMOE_PROGRAM=$(cd "$build" && pwd)/smoe
SMOE_FAULT_LIBRARY=$(cd "$build" && pwd)/fault.so
export SMOE_PROGRAM SMOE_FAULT_LIBRARY
# Threads that wait sleep: a machine shared with other work then loses only its share.
OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
# With this one set, too, the program need not start itself once more: tests start it hundreds of times.
OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}
export OMP_WAIT_POLICY OPENBLAS_NUM_THREADS
logs=$build/tests-logs
rm -rf "$logs"
mkdir -p "$logs"
group=15  # cases
cases=0
for precision in "$@"; do
    count=$("$build/tests-$precision" --count | sed -nE 's/.*: *([0-9]+)$/\1/p')
    cases=$((cases + count))
    first=1
    while [ "$first" -le "$count" ]; do
        echo "$build/tests-$precision $first $((first + group - 1)) $logs/$precision-$first" >>"$logs/groups"
        first=$((first + group))
    done
done
processors=$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
# shellcheck disable=SC2016  # sh -c is to expand them
xargs -P "$processors" -n 4 sh -c '
    if "$0" --first="$1" --last="$2" --force-colors=false --minimal=false --duration=true >"$3.log" 2>&1
    then mv "$3.log" "$3.passed"
    else mv "$3.log" "$3.failed"; fi' <"$logs/groups"
failed=$(find "$logs" -name '*.failed' | sort)
for log in $failed; do
    echo "== $(basename "$log" .failed)"
    cat "$log"
done
[ -z "$failed" ] || { echo "Tests failed." >&2; exit 1; }
[ "$(find "$logs" -name '*.passed' | wc -l)" -eq "$(wc -l <"$logs/groups")" ] || { echo "Some tests did not run." >&2; exit 1; }
assertions=$(cat "$logs"/*.passed | sed -nE "s/^\[doctest\] assertions: *([0-9]+) .*/\1/p" | awk '{total += $1} END {print total}')
echo "All tests passed: $cases cases, $assertions assertions, in $precisions."
echo "$cases passed, 0 failed"
