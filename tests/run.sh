#!/bin/sh
# Runs the test programs of these precisions, then says how many cases and assertions there were in all.
#   run.sh BUILD_FOLDER float double
set -eu
build=$1
shift
precisions=$(echo "$*" | sed "s, , and in ,")
SMOE_PROGRAM=$(cd "$build" && pwd)/smoe
SMOE_FAULT_LIBRARY=$(cd "$build" && pwd)/fault.so
export SMOE_PROGRAM SMOE_FAULT_LIBRARY
# Threads that wait sleep: a machine shared with other work then loses only its share.
OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
export OMP_WAIT_POLICY
cases=0
assertions=0
failed=0
for precision in "$@"; do
    log=$build/tests-$precision.log
    echo "== $precision"
    if ! "$build/tests-$precision" --force-colors=false --minimal=false >"$log" 2>&1; then failed=1; fi
    cat "$log"
    count() { sed -nE "s/^\[doctest\] $1: *([0-9]+) .*/\1/p" "$log" | grep . || echo 0; }  # 0 where it broke off
    cases=$((cases + $(count 'test cases')))
    assertions=$((assertions + $(count assertions)))
done
[ $failed = 0 ] || { echo "Tests failed." >&2; exit 1; }
echo "All tests passed: $cases cases, $assertions assertions, in $precisions."
echo "$cases passed, 0 failed"
