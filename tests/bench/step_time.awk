# Of a run that logged every step, its metrics.jsonl: the median seconds of a step and the mean share of waiting for
# other processes. The first two steps are slower and do not count.
function number(name) {
    return match($0, "\"" name "\": *[0-9.]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0 : 0
}
/"tokens_per_second"/ {
    tokens = number("tokens")
    if (++steps > 2) {
        seconds[++n] = (tokens - before) / number("tokens_per_second")
        waiting += number("waiting")
    }
    before = tokens
}
END {
    for (i = 1; i <= n; ++i) for (j = i + 1; j <= n; ++j) if (seconds[j] < seconds[i]) {
        t = seconds[i]; seconds[i] = seconds[j]; seconds[j] = t
    }
    printf "%.4f %.4f\n", seconds[int((n + 1) / 2)], n ? waiting / n : 0
}
