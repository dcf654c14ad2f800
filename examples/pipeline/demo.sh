#!/bin/sh
# Start the example pipeline and the daemon on its logs, and say what to open.
# Ctrl-C ends both.

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(CDPATH='' cd -- "$here/../.." && pwd)
demo=$top/demo
address=${LISTEN_ADDRESS:-127.0.0.1:8001}
mkdir -p "$demo/logs"

"$here/run.sh" "$demo" --interval 1 --stall 10 >"$demo/pipeline.out" 2>&1 &
pipeline=$!
"$top/logtally" run --logs "$demo/logs" --patterns "$top/patterns/wearables.yml" --patterns "$top/patterns/fastapi.yml" \
    --storage.path "$demo/state" --web.listen-address "$address" --web.enable-lifecycle &
daemon=$!
trap 'trap "" INT TERM; kill -TERM "$pipeline" "$daemon" 2>/dev/null; wait; exit 0' INT TERM

tries=0
until "$top/logtally" healthcheck "$address" 2>/dev/null; do
    tries=$((tries + 1))
    if ! kill -0 "$daemon" 2>/dev/null || [ "$tries" -gt 100 ]; then
        kill -TERM "$pipeline" "$daemon" 2>/dev/null
        wait
        exit 1
    fi
    sleep 0.1
done
cat <<TEXT

The example pipeline writes to  $demo/logs
Its metrics are served at       http://$address/metrics
The API it calls is at          http://127.0.0.1:${API_PORT:-8000}/docs

Edit $top/patterns/wearables.yml: new lines are read by it two seconds later.
Ctrl-C stops all.

TEXT
wait
