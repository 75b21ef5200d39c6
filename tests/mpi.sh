#!/usr/bin/env bash
# Several processes train one run: mpi.sh PROGRAM FAULT FOLDER KILLS. The program is built with MPI=1;
# FAULT is the library of tests/faults.
# Checks that 1, 2, 4 and 8 processes write the same bits, across the router's freeze; that a killed
# process ends the run soon, and that the run goes on to the same bits with any other number of
# processes, KILLS times at random instants; that processes which differ are noticed; and that a
# stalled one is named. Prints a line for each, and fails at the first that does not hold.
# Read next: models/training/shards.h, which says why the bits are equal.
set -euo pipefail
program=$(realpath "$1") FAULT=$(realpath "$2") folder=$3 kills=${4:-5}
export FAULT
rm -rf "$folder/runs" && mkdir -p "$folder/runs" && cd "$folder/runs"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=passive

fail() { echo "mpi: $*" >&2; exit 1; }
trap 'pkill -KILL -P $$ 2>/dev/null || true' EXIT
processes() { local count=$1; shift; timeout 300 mpirun --oversubscribe --mca odls_base_sigkill_timeout "${grace:-1}" -n "$count" "$@"; }
begin="--data text/train.jsonl --valid text/valid.jsonl --preset tiny_original --entries 300 --width 32 --layers 2 --heads 2
       --hidden 64 --batch 16 --shards 8 --eval-tokens 2000 --sample-every 30 --threads 1"

"$program" corpus -o text >/dev/null
evaluations() { grep -o '"valid_loss": [0-9.]*, "valid_bits_per_byte": [0-9.]*' "$1/metrics.jsonl"; }
sha() { sha256sum "$1"/{model,state}.safetensors | cut -d' ' -f1 | tr '\n' ' '; }

# One process with 8 shards, and others that share them.
for kind in router gate; do
    set -- --router-steps 30 --steps 60 --checkpoint-every 20
    if [ $kind = gate ]; then set -- --routing gate --dropout 0.1 --clip 0.5 --steps 30 --exchange bfloat16; fi
    for count in 1 2 3 4 8; do
        # shellcheck disable=SC2086  # $begin holds words
        processes $count "$program" train --run $kind$count $begin "$@" >log 2>&1 ||
            { tail -5 log >&2; fail "$count processes could not train"; }
        [ "$(sha $kind$count)" = "$(sha ${kind}1)" ] || fail "$count processes wrote other bits than one ($kind)"
        [ "$(evaluations $kind$count)" = "$(evaluations ${kind}1)" ] || fail "$count processes evaluated otherwise ($kind)"
    done
    echo "mpi: $kind: 1, 2, 3, 4 and 8 processes wrote the same bits"
done
"$program" train --run unrounded --data text/train.jsonl --preset tiny_original --entries 300 --width 32 --layers 2 --heads 2 \
    --hidden 64 --batch 16 --shards 8 --threads 1 --routing gate --dropout 0.1 --clip 0.5 --steps 30 >log
[ "$(sha unrounded)" != "$(sha gate1)" ] || fail "an exchange in bfloat16 rounds nothing"
"$program" report router4 -o page.html >log && grep -q '"waiting":\[0' page.html || fail "the report does not draw how long processes waited"
# shellcheck disable=SC2086
"$program" train --run threads $begin --router-steps 30 --steps 60 --checkpoint-every 20 --threads 2 >log
[ "$(sha threads)" = "$(sha router1)" ] || fail "two threads of one process wrote other bits"
# shellcheck disable=SC2086
taskset -c 0 mpirun --oversubscribe -n 2 "$program" train --run bound $begin --steps 1 --threads 2 >log
grep -q "bound to 1 of" log || fail "nobody says that two threads have one processor"

# A process is killed, at any moment; others go on.
RANDOM=1 killed=0
for ((kill = 1; kill <= kills; ++kill)); do
    rm -rf killed
    count=$((2 + 2 * (RANDOM % 2)))
    # shellcheck disable=SC2086
    processes $count "$program" train --run killed $begin --router-steps 30 --steps 60 --checkpoint-every 5 \
        >log 2>&1 &
    sleep "$((RANDOM % 3)).$((RANDOM % 10))"
    # It may not have begun yet, or have ended already, and then nothing is killed.
    victim=$(for pid in $(pgrep -f "train --run killed"); do
        if grep -qz OMPI_COMM_WORLD_RANK "/proc/$pid/environ" 2>/dev/null; then echo "$pid"; fi
    done | shuf -n1 --random-source=<(yes "$kill"))
    if [ -n "$victim" ] && kill -9 "$victim" 2>/dev/null; then
        started=$SECONDS
        wait $! || true
        [ $((SECONDS - started)) -le 10 ] || fail "kill $kill: the others lived for another $((SECONDS - started)) s"
        killed=$((killed + 1))
    fi
    wait $! || true
    other=$((1 + RANDOM % 4))
    if ls killed/state*.safetensors >/dev/null 2>&1; then
        processes $other "$program" train --run killed --resume --threads 1 >log 2>&1 || { tail -5 log >&2; fail "kill $kill: no going on"; }
    else
        # shellcheck disable=SC2086
        processes $other "$program" train --run killed $begin --router-steps 30 --steps 60 --checkpoint-every 5 >log 2>&1 ||
            { tail -5 log >&2; fail "kill $kill: no new beginning"; }
    fi
    [ "$(sha killed)" = "$(sha router1)" ] || fail "kill $kill: $count processes, then $other: other bits"
done
[ "$kills" = 0 ] || [ $killed -gt 0 ] || fail "no process was there to be killed"
echo "mpi: $killed of $kills runs were killed, and all went on with other numbers of processes to the same bits"

# Every refusal is one line, and nobody waits for ever.
refused() {  # refused WHAT TEXT COMMAND...
    local what=$1 text=$2
    shift 2
    if "$@" >log 2>&1; then fail "$what was not refused"; fi
    [ "$(grep -c 'smoe: error' log)" = 1 ] || { cat log >&2; fail "$what: not one line of error"; }
    # mpirun gives its processes a terminal, which wraps lines.
    tr -s ' \r\n' ' ' <log | grep -q "$text" || { cat log >&2; fail "$what: the error does not say '$text'"; }
}
cat >other_text <<'SCRIPT'
#!/bin/sh
text=text/train.jsonl
[ "$OMPI_COMM_WORLD_RANK" != 1 ] || text=text/valid.jsonl
exec "$@" --data $text
SCRIPT
cat >no_text <<'SCRIPT'
#!/bin/sh
text=text/train.jsonl
[ "$OMPI_COMM_WORLD_RANK" != 2 ] || text=nowhere.txt
exec "$@" --data $text
SCRIPT
cat >full_disk <<'SCRIPT'
#!/bin/sh
[ "$OMPI_COMM_WORLD_RANK" != 0 ] || export LD_PRELOAD="$FAULT" SMOE_FAULT="full 150"
exec "$@"
SCRIPT
chmod +x other_text no_text full_disk
# shellcheck disable=SC2086
set -- "$program" train --run refused --valid text/valid.jsonl ${begin#--data text/train.jsonl --valid text/valid.jsonl} --steps 20
refused "another text" "another .* than process 0" processes 2 ./other_text "$@"
refused "a missing file" "process 2 .*nowhere.txt" processes 3 ./no_text "$@"
refused "a full disk" "full.*No space left" processes 2 ./full_disk "$@" --data text/train.jsonl --run full --log-every 1 --steps 300
refused "more processes than shards" "cut into 8" processes 9 "$@" --data text/train.jsonl --run many
refused "a wrong option" "nonsense" processes 2 "$@" --nonsense
refused "another command" "one process" processes 2 "$program" generate router1
refused "NaN" "so training stops here" processes 2 "$@" --data text/train.jsonl --lr 1e30 --warmup 0 --run nan
echo "mpi: what cannot be trained together is refused, in one line"

# A stalled process is named after ten seconds. mpirun leaves `grace` seconds between its signals.
grace=20
# shellcheck disable=SC2086
processes 4 "$program" train --run stalled $begin --router-steps 30 --steps 100000 --checkpoint-every 0 >log 2>&1 &
sleep 4
victim=$(pgrep -f "train --run stalled" | tail -1)
kill -STOP "$victim"
sleep 13
kill -CONT "$victim"
grep -q "waiting for process . (pid $victim" log || { tail -3 log >&2; fail "nobody said that pid $victim was waited for"; }
sleep 1
pkill -TERM -f "^mpirun .*--run stalled"
wait $! || true
grep -q "interrupted; saved" log || fail "SIGTERM did not save the run"
echo "mpi: a stalled process was named, and the run went on"
