#!/bin/sh
# Runs the tests of the course, function by function, each in a process of its own, so that a crash or an endless loop
# costs no other points.
#   grade.sh BUILD STAGE [FUNCTION]   one stage, or a function of it: shows what fails, and fails unless all pass
#   grade.sh BUILD                    all stages: a line for each function, and the points as JSON in BUILD/grade.json
# The result of a function is passed, open (nothing was written yet), failed, crashed, too slow, or not built.
set -eu
build=$1
only=${2:-}
one=${3:-}
list=$(dirname "$0")/holes
logs=$build/course/logs
mkdir -p "$logs"
seconds=${COURSE_SECONDS:-120}  # for a function; a story may take ten times as long
limited=$(command -v timeout || true)
OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
export OMP_WAIT_POLICY

result_of() {  # stage, cases, log, seconds
    program=$build/course/stage_$1
    [ -x "$program" ] || { echo "not built"; return; }
    status=0
    ${limited:+$limited -k 5 $4} "$program" --test-case="$2" --force-colors=false --minimal=false >"$3" 2>&1 || status=$?
    if grep -q 'test cases: *0 ' "$3"; then
        echo "there is no test case '$2' in $program" >"$3"
        echo failed
    elif [ $status = 0 ]; then echo passed
    elif [ $status = 124 ] || [ $status = 137 ]; then echo "too slow"
    elif [ $status -ge 128 ]; then echo crashed
    elif grep -q 'stage [0-9]*: .* is still to be written' "$3"; then echo open
    else echo failed; fi
}

# Stage, points, file, function and cases of each line, separated by tabs.
awk -v only="$only" -v one="$one" '/^[0-9]/ && (only == "" || $1 == only) && (one == "" || $4 == one) {
    cases = "stage " $1 ": " $4
    if (split($0, half, " [|] ") > 1) cases = half[2]
    print $1 "\t" $2 "\t" $3 "\t" $4 "\t" cases
}' "$list" >"$logs/lines"
[ -s "$logs/lines" ] || { echo "there is no stage $only with a function $one" >&2; exit 2; }
: >"$logs/results"
tab=$(printf '\t')
while IFS="$tab" read -r stage points file function cases <&3; do
    log=$logs/$stage-$(echo "$function" | tr -c 'A-Za-z_\n' '_').log
    [ "$function" != story ] || seconds=${seconds}0
    result=$(result_of "$stage" "$cases" "$log" "$seconds")
    printf '%s\t%s\t%s\t%s\t%s\n' "$stage" "$points" "$file" "$function" "$result" >>"$logs/results"
    printf 'stage %-2s  %-9s %-34s %s\n' "$stage" "$result" "$function" "$([ "$result" = passed ] && echo "$points" || echo 0) of $points"
    if [ -z "$only" ] || [ ! -f "$log" ]; then continue; fi
    if [ "$result" = open ]; then
        grep -o 'stage [0-9]*: .* is still to be written, in [a-z_/.]*' "$log" | head -1 | sed 's/^/          /'
    elif [ "$result" = "too slow" ]; then
        echo "          stopped after $seconds seconds"
    elif [ "$result" != passed ] || [ "$function" = story ]; then
        sed -e '/^\[doctest\]/d' -e '/^=*$/d' "$log" | head -40
    fi
done 3<"$logs/lines"

if [ -n "$only" ]; then
    awk -F'\t' -v stage="$only" '{ of += $2 } $5 == "passed" { points += $2 } { ++functions } $5 == "passed" { ++passed }
        END { printf "stage %s: %d of %d points\n", stage, points, of; exit passed < functions }' "$logs/results"
    exit
fi
awk -F'\t' -v json="$build/grade.json" '
{
    won = $5 == "passed" ? $2 : 0
    points += won
    of += $2
    if ($1 != stage) {
        stage = $1
        stages[++count] = stage
    }
    stage_points[stage] += won
    stage_of[stage] += $2
    rows[stage] = rows[stage] (rows[stage] == "" ? "" : ",\n") sprintf( \
        "      {\"function\": \"%s\", \"file\": \"%s\", \"points\": %d, \"of\": %d, \"result\": \"%s\"}", $4, $3, won, $2, $5)
}
END {
    printf "{\n\"points\": %d, \"of\": %d,\n\"stages\": [\n", points, of >json
    for (i = 1; i <= count; ++i)
        printf "  {\"stage\": %d, \"points\": %d, \"of\": %d, \"functions\": [\n%s]}%s\n", stages[i], stage_points[stages[i]], \
            stage_of[stages[i]], rows[stages[i]], i < count ? "," : "" >json
    print "]\n}" >json
    printf "%d of %d points, in %s, too\n", points, of, json
}' "$logs/results"
