"""Does reading stand still while a million series are scraped?

    stalls.py [--series N] [--megabytes N]

As root, with perf.  One worker reads updates of random series, first undisturbed, then while a client scrapes
without a pause.  The kernel's own record of its reads says how long each block took; the worker runs at real-time
priority, and blocks during which it lost its core all the same are told apart: that was not logtally.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from measure import Server, get, percentile, table
from serving import LINE, SERIES, append, limits

EVENT = re.compile(r"(\d+\.\d+):\s+\w+:(\w+):\s*(.*)")
WHOLE_BLOCK_BYTES = 256 * 1024
THROTTLE = "/proc/sys/kernel/sched_rt_runtime_us"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--megabytes", type=int, default=300)
    options = parser.parse_args()
    top = tempfile.mkdtemp(prefix="logtally-stalls-")
    server = serve(top, options.series)
    with open(THROTTLE) as f:
        throttle = f.read()
    with open(THROTTLE, "w") as f:
        f.write("-1")
    try:
        rows = [measure(top, server, options, scraped) for scraped in (False, True)]
    finally:
        with open(THROTTLE, "w") as f:
            f.write(throttle)
        server.stop()
        shutil.rmtree(top)
    table(f"Reading updates of {options.series:,} series: ms from one read to the next, blocks of 256 KiB",
          ("", "scrapes", "blocks", "p50", "p99", "longest", "blocks without the core", "longest of them"), rows)


def serve(top, series):
    os.mkdir(top + "/logs")
    with open(top + "/logs/a.log", "w") as f:
        f.writelines(LINE % (f"{i:08x}", i % 10) for i in range(series))
    server = Server("logtally", top, top + "/logs", SERIES["logtally"], "--config.file", limits(top))
    server.wait(lambda: b'id="%08x"' % (series - 1) in get(server.port), pause=0.5)
    return server


def worker_of(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm") as f:
            if f.read().startswith("worker"):
                return task
    sys.exit("the daemon has no worker")


def measure(top, server, options, scraped):
    worker, trace, scrapes, done = worker_of(server.pid), top + "/perf.data", [], threading.Event()

    def scrape():
        while not done.is_set():
            get(server.port)
            scrapes.append(1)

    subprocess.run(["chrt", "--fifo", "--pid", "50", worker], check=True)
    perf = subprocess.Popen(["perf", "record", "--quiet", "--output", trace, "--tid", worker, "--event",
                             "syscalls:sys_enter_pread64,syscalls:sys_exit_pread64,sched:sched_switch"])
    time.sleep(1)
    client = threading.Thread(target=scrape)
    if scraped:
        client.start()
    write_updates(top + "/logs/a.log", options)
    server.wait(lambda: re.search(rb"logtally_file_lag_bytes\S+ 0\n", get(server.port)), pause=1)
    done.set()
    if scraped:
        client.join()
    perf.send_signal(2)
    perf.wait()
    kept, lost = blocks(trace)
    return ("scraped without a pause" if scraped else "undisturbed", len(scrapes), len(kept), percentile(kept, 50), percentile(kept, 99),
            max(kept), len(lost), max(lost, default=0))


def write_updates(path, options):
    chance = random.Random(1)
    text = "".join(LINE % (f"{(i := chance.randrange(options.series)):08x}", i % 10) for _ in range(300_000))
    for _ in range(options.megabytes * 1_000_000 // len(text)):
        append(path, text)


def blocks(trace):
    """Milliseconds from a read of a whole block to the next read: while the worker kept its core, and not."""
    script = subprocess.run(["perf", "script", "--input", trace, "--fields", "comm,tid,time,event,trace"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=True)
    kept, lost, since, whole, switched = [], [], 0, False, False
    for line in script.stdout.splitlines():
        event = EVENT.search(line)
        if not event:
            continue
        seconds, name, more = float(event[1]), event[2], event[3]
        if name == "sys_enter_pread64" and whole:
            (lost if switched else kept).append(1000 * (seconds - since))
            whole = False
        elif name == "sys_exit_pread64":
            whole, since, switched = int(more, 16) >= WHOLE_BLOCK_BYTES, seconds, False
        elif name == "sched_switch" and more.startswith("prev_comm=worker"):
            switched = True
    return kept, lost


if __name__ == "__main__":
    main()
