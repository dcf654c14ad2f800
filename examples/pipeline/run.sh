#!/bin/sh
# Start the example pipeline: the API and the ingest job, until either ends or a signal comes.
#
#   run.sh [DIR [ingest.py's options...]]
#
# DIR (default: demo/ at the top of the repository) gets logs/api.log, logs/ingest.log,
# participants.db, truth-api.json and truth-ingest.json. While there is a file DIR/outage, the source answers with
# the HTTP status in it. With "--days N" the job ends by itself,
# the API is stopped after it, and the exit status is 0.
#
# API_PORT   the API's port on 127.0.0.1 (8000)
# LOG_BYTES  size at which the logs rotate (1048576)
# PYTHON     the interpreter that has FastAPI and uvicorn (/usr/bin/python3, Debian's)

set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
directory=${1:-$here/../../demo}
[ $# -gt 0 ] && shift
port=${API_PORT:-8000}
log_bytes=${LOG_BYTES:-1048576}
python=${PYTHON:-/usr/bin/python3}

mkdir -p "$directory/logs" || exit 1
directory=$(CDPATH='' cd -- "$directory" && pwd) || exit 1
export PYTHONDONTWRITEBYTECODE=1

api='' ingest=''

# The job first: the request it is in the middle of still gets its answer.
stop_both() {
    for pid in $ingest $api; do
        kill -TERM "$pid" 2>/dev/null
        wait "$pid"
        status=$?
        [ "$pid" = "$ingest" ] && ingest_status=$status
    done
}

trap 'trap "" INT TERM HUP; stop_both; exit 0' INT TERM HUP

"$python" "$here/api.py" --port "$port" --database "$directory/participants.db" \
    --log-dir "$directory/logs" --log-bytes "$log_bytes" --truth "$directory/truth-api.json" &
api=$!
"$python" "$here/ingest.py" --api "http://127.0.0.1:$port" \
    --log-dir "$directory/logs" --log-bytes "$log_bytes" --truth "$directory/truth-ingest.json" \
    --outage "$directory/outage" "$@" &
ingest=$!

# A sleep in the background, so that a signal is acted on at once.
while kill -0 "$api" 2>/dev/null && kill -0 "$ingest" 2>/dev/null; do
    sleep 0.5 &
    wait $!
done

if kill -0 "$ingest" 2>/dev/null; then
    echo "run.sh: the API ended: see $directory/logs/api.log" >&2
    stop_both
    exit 1
fi
stop_both
if [ "$ingest_status" -ne 0 ]; then
    echo "run.sh: the ingest job failed with status $ingest_status, see above or $directory/logs/ingest.log" >&2
fi
exit "$ingest_status"
