#!/bin/sh
# Runs a lesson, shows what it prints, and keeps that beside it for the book, as PROGRAM.txt; its pictures come there, too.
#   run_lesson.sh PROGRAM
set -eu
program=$1
{ SMOE_PICTURES=$(dirname "$program") "$program" && status=0 || status=$?; echo $status > "$program.status"; } |
    tee "$program.part"
status=$(cat "$program.status")
rm "$program.status"
[ "$status" = 0 ] || { rm "$program.part"; exit 1; }
mv "$program.part" "$program.txt"
