#!/bin/sh
# run.sh PROGRAM SECONDS: fuzz from the seeds; what is found new lies beside the program.
set -e
seeds=$(dirname "$0")/corpus/$(basename "$1" | sed s/^fuzz_//)
mkdir -p "$1.found"
exec "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$1." -print_final_stats=1 "$1.found" "$seeds"
