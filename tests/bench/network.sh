#!/usr/bin/env bash
# A run on several hosts that are joined by slow links: network.sh PROGRAM FOLDER [PRESET] [STEPS]. PROGRAM is built
# with MPI=1. The hosts are network namespaces of this machine, and their links are limited by a token bucket in both
# directions, so this needs root, and no other host is needed. Without a limit, messages go the same way.
# Prints for 2 and 4 hosts and for each bandwidth the seconds of a step, the share of waiting, and what the model of
# examples/mathematics/many_machines.md adds for the bandwidth to the step without a limit.
# Read next: examples/mathematics/many_machines.md.
set -euo pipefail
steps_of=$(dirname "$(realpath "$0")")/step_time.awk
program=$(realpath "$1") folder=$2 preset=${3:-small} steps=${4:-12}
mkdir -p "$folder" && cd "$folder"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=passive

clean() {
    for h in 0 1 2 3 switch; do ip netns del "smoe-$h" 2>/dev/null || true; done
}
trap clean EXIT
clean
ip netns add smoe-switch
ip -n smoe-switch link add bridge type bridge
ip -n smoe-switch link set bridge up
for h in 0 1 2 3; do
    ip netns add smoe-$h
    ip link add eth0 netns smoe-$h type veth peer name port$h netns smoe-switch
    ip -n smoe-switch link set port$h master bridge up
    ip -n smoe-$h addr add 10.9.0.$((h + 1))/24 dev eth0
    ip -n smoe-$h link set eth0 up
    ip -n smoe-$h link set lo up
done

limit() {  # RATE, or none
    for h in 0 1 2 3; do
        for place in "smoe-$h eth0" "smoe-switch port$h"; do
            # shellcheck disable=SC2086  # two words
            set -- $1 $place
            ip netns exec "$2" tc qdisc del dev "$3" root 2>/dev/null || true
            [ "$1" = none ] || ip netns exec "$2" tc qdisc add dev "$3" root tbf rate "$1" burst 1mb latency 50ms
        done
    done
}

# Stands in for ssh: on_host ADDRESS COMMAND...
cat >on_host <<'SCRIPT'
#!/bin/sh
host=$((${1##*.} - 1))
shift
exec ip netns exec "smoe-$host" unshare --uts sh -c "hostname smoe-$host; $*"
SCRIPT
chmod +x on_host
[ -d text ] || "$program" corpus -o text >/dev/null

# The median seconds of a step, and the mean share of waiting. Each host would bind its process to its first core, and
# all hosts are one machine.
measure() {  # HOSTS
    rm -rf run
    ip netns exec smoe-0 unshare --uts sh -c 'hostname smoe-0; exec "$@"' mpirun mpirun --mca plm_rsh_agent "$PWD/on_host" \
        --host "$(seq -s, -f 10.9.0.%g 1 "$1")" --bind-to none --mca oob_tcp_if_include eth0 --mca btl tcp,self \
        --mca btl_tcp_if_include eth0 --mca pml ob1 -n "$1" "$program" train \
        --run run --data text/train.jsonl --preset "$preset" --precision float32 --routing none --shards 4 --threads 1 \
        --steps "$steps" --log-every 1 --eval-every 0 --sample-every 0 --checkpoint-every 0 --eval-tokens 100 >log 2>&1 ||
        { tail -3 log >&2; exit 1; }
    awk -f "$steps_of" run/metrics.jsonl
}
weights() { stat -c %s run/model.safetensors; }

printf '%s\n' "$preset: seconds a step, share of waiting; the model: step without a limit + what the bandwidth adds"
for hosts in 2 4; do
    limit none
    read -r free waiting < <(measure $hosts)
    printf '%d hosts   no limit  %.3f s  %3.0f %%\n' $hosts "$free" "$(awk "BEGIN { print 100 * $waiting }")"
    for gigabits in 10 1; do
        limit ${gigabits}gbit
        read -r seconds waiting < <(measure $hosts)
        # Backward of the last of its shards hides the way of the gradients; nothing hides that of the weights.
        awk -v hosts=$hosts -v free="$free" -v seconds="$seconds" -v waiting="$waiting" -v bytes="$(weights)" \
            -v gigabits=$gigabits 'BEGIN {
                way = bytes * (hosts - 1) / hosts / (gigabits * 1e9 / 8)
                window = 2 / 3 * free / (4 / hosts)
                late = way > window ? way - window : 0
                printf "%d hosts %3d Gbit/s  %.3f s  %3.0f %%   model %.3f s   way of the gradients %.3f s, hidden %.0f %%\n",
                       hosts, gigabits, seconds, 100 * waiting, free + late + way, way,
                       100 * (1 - (seconds - free - way) / way)
            }'
    done
done
