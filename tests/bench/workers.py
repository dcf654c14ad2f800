"""Two workers on two files against one: how much faster.

    workers.py [--megabytes N] [--runs N] [--storage DIR|""]

Two files of the given size each, in the page cache, are read from their start
by a daemon with one worker and by one with two, in turns.  Prints each time and
the medians; exits 1 if two workers are not 1.5 times as fast.
"""

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/tests/scenarios")

from harness import Daemon  # noqa: E402

PATTERNS = r"""
rules:
  - name: request
    pattern: '"(?<method>GET|POST) (?<path>\S+) HTTP/1\.1" (?<status>\d+)'
    metrics:
      - counter: requests_total
        help: Requests.
        labels: {method: $method, path: $path, status: $status}
  - name: took
    pattern: 'took (?<ms>\d+) ms'
    metrics:
      - histogram: took_seconds
        help: How long they took.
        value: $ms
        scale: 0.001
        buckets: [0.1, 0.5, 1]
"""


def fill(path, megabytes, seed):
    chance = random.Random(seed)
    block = "".join(
        f'2026-11-20 12:00:{i % 60:02d} 10.0.0.{i % 250} "{chance.choice(("GET", "POST"))} /api/v1/items/{chance.randrange(20)} HTTP/1.1" '
        f"{chance.choice((200, 404, 500))} took {chance.randrange(2000)} ms\n" for i in range(10000)).encode()
    lines = 0
    with open(path, "wb") as f:
        for _ in range(megabytes * 1_000_000 // len(block)):
            f.write(block)
            lines += 10000
    return lines


def run(top, workers, storage, lines):
    state = top + "/state" if storage is None else storage
    shutil.rmtree(top + "/state", ignore_errors=True)
    began = time.monotonic()
    daemon = Daemon("--logs", top + "/logs", "--patterns", top + "/patterns", "--storage.path", state,
                    "--web.listen-address", "127.0.0.1:0", "--workers", str(workers))
    while daemon.value("logtally_lines_total") != lines:
        time.sleep(0.05)
    took = time.monotonic() - began
    daemon.stop()
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=300, help="of each file")
    parser.add_argument("--runs", type=int, default=5, help="of each kind")
    parser.add_argument("--storage", help='default: a directory of its own; "": nowhere')
    options = parser.parse_args()
    top = tempfile.mkdtemp(prefix="logtally-workers-")
    os.makedirs(top + "/logs")
    os.mkdir(top + "/patterns")
    with open(top + "/patterns/test.yml", "w") as f:
        f.write(PATTERNS)
    lines = sum(fill(f"{top}/logs/{name}.log", options.megabytes, name) for name in "ab")
    size = sum(os.path.getsize(f"{top}/logs/{name}.log") for name in "ab")
    took = {1: [], 2: []}
    for i in range(options.runs):
        for workers in (1, 2) if i % 2 == 0 else (2, 1):
            took[workers].append(run(top, workers, options.storage, lines))
            print(f"{workers} worker{'s' if workers > 1 else ' '}: {took[workers][-1]:.2f} s", flush=True)
    shutil.rmtree(top)
    one, two = statistics.median(took[1]), statistics.median(took[2])
    print(f"{lines} lines, {size / 1e6:.0f} MB; medians: {one:.2f} s with one worker ({lines / one / 1e6:.2f} M lines/s), "
          f"{two:.2f} s with two ({lines / two / 1e6:.2f} M lines/s): {one / two:.2f} times as fast")
    return 0 if one / two >= 1.5 else 1


if __name__ == "__main__":
    sys.exit(main())
