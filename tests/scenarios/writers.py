"""Steady writers that rotate their logs, and a Prometheus that is asked what it saw."""

import json
import os
import threading
import time

from harness import fetch
from test_prometheus import Prometheus

PATTERNS = r"""
rules:
  - name: event
    pattern: '^log=(?<log>\S+) g=(?<g>\d+) took (?<ms>\d+) ms$'
    metrics:
      - counter: events_total
        help: Lines of each log.
        labels: {log: $log}
      - counter: generation_events_total
        help: Lines of each generation.
        labels: {log: $log, g: $g}
      - histogram: took_seconds
        help: How long they took.
        labels: {log: $log}
        value: $ms
        scale: 0.001
        buckets: [0.1, 0.5, 1]
"""

# By contract these start again at 0 with the process.
RESTART = ("process_", "logtally_commit_", "logtally_watch_fallbacks_total", "logtally_series_overflow_total")


class Writer(threading.Thread):
    """
    Writes `lines` lines to one path, `per_second` (None: until stop()), rotates it by rename
    and create after every `rotate_every`, and deletes a generation once drop() says that it
    was counted: to read everything again finds nothing.
    """

    def __init__(self, directory, name, lines, per_second, rotate_every, batch=None):
        super().__init__(daemon=True)
        self.path = os.path.join(directory, name)
        self.name_ = name.removesuffix(".log")
        self.lines = lines
        self.per_second = per_second
        self.rotate_every = rotate_every
        self.batch = batch or max(per_second // 50, 1)
        self.written = 0
        self.generation = 1
        self.by_generation = {}
        self.buckets = {100: 0, 500: 0, 1000: 0, 2000: 0}
        self.old = []
        self.lock = threading.Lock()
        self.ending = threading.Event()
        open(self.path, "w").close()

    def run(self):
        began, in_file = time.monotonic(), 0
        while not self.ending.is_set() and (self.lines is None or self.written < self.lines):
            count = min(self.batch, self.rotate_every - in_file)
            if self.lines is not None:
                count = min(count, self.lines - self.written)
            text = []
            for i in range(self.written, self.written + count):
                ms = i * 7919 % 1999 + 1
                text.append(f"log={self.name_} g={self.generation} took {ms} ms\n")
                for bound in self.buckets:
                    self.buckets[bound] += ms <= bound
            with open(self.path, "a") as f:
                f.write("".join(text))
            in_file += count
            with self.lock:
                self.written += count
                self.by_generation[self.generation] = self.by_generation.get(self.generation, 0) + count
            if in_file == self.rotate_every:
                self._rotate()
                in_file = 0
            ahead = self.written / self.per_second - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)

    def _rotate(self):
        name = f"{self.path}.{self.generation}"
        os.rename(self.path, name)
        open(self.path, "w").close()
        with self.lock:
            self.old.append((name, self.written))
            self.generation += 1

    def drop(self, counted):
        """So many of its lines are known to be counted."""
        with self.lock:
            done = [entry for entry in self.old if entry[1] <= counted]
            self.old = [entry for entry in self.old if entry[1] > counted]
        for name, _ in done:
            os.unlink(name)

    def stop(self):
        self.ending.set()
        self.join()


class Witness(Prometheus):
    """Scrapes each second, and tells what a range of its samples says."""

    def __init__(self, directory, target):
        super().__init__(directory, target, interval="1s")

    def names(self):
        status, text = fetch(f"http://127.0.0.1:{self.port}/api/v1/label/__name__/values")
        assert status == 200, text
        return json.loads(text)["data"]

    def counters(self):
        """All that never goes down: counters, buckets and counts and sums of histograms, but those that restart with the process."""
        return [name for name in self.names()
                if name.endswith(("_total", "_bucket", "_count", "_sum")) and not name.startswith(RESTART)]

    def resets(self):
        """{(name, labels): resets} of all counters that had some."""
        return {(name, labels): value for name in self.counters() for labels, value in self.query(f"resets({name}[1h])").items() if value}

    def increase(self, name):
        """{labels: last sample - first sample}: what increase() gives without extrapolation while there are no resets."""
        return self.query(f"max_over_time({name}[1h]) - min_over_time({name}[1h])")
