"""The daemon dies at its k-th call that changes a file, for every k, and is started again.

    every_call.py [--all] [--call K]

A small set of logs is read, rotated once and read on, with scrapes in between.
Whichever call was the last, afterwards every line is counted once and no
counter has gone backwards.  Each k is tried twice: the last call not made at
all, and half made where it is a write.  Without --all about a minute's worth of
them are tried, spread evenly.  The last line is "N passed, N failed".
"""

import argparse
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

from ledger import PATTERNS, Ledger
from logs import Log
from process import TOP, Ended, Failure, Process

BUDGET = 50  # seconds


def shim(directory):
    path = os.path.join(directory, "die_at.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, TOP + "/tests/model/die_at.c", "-ldl"], check=True)
    return path


class Life:
    """One set of logs; the first daemon dies at the call `die_at`, later ones live."""

    def __init__(self, library, die_at, torn):
        self.top = tempfile.mkdtemp(prefix="logtally-call-")
        self.story = []
        self.count_path = self.top + "/count"
        self.env = dict(os.environ, LD_PRELOAD=library, DIE_AT=str(die_at), DIE_COUNT=self.count_path)
        if torn:
            self.env["DIE_TORN"] = "1"
        os.makedirs(self.top + "/logs")
        os.mkdir(self.top + "/patterns")
        with open(self.top + "/patterns/lines.yml", "w") as f:
            f.write(PATTERNS)
        self.logs = [Log(f"{self.top}/logs/{name}", name, random.Random(1), self.story.append, False) for name in ("a.log", "b.log")]
        self.ledger = Ledger(self.logs)
        self.daemon = None
        self.deaths = 0
        self.keep = False

    def start(self):
        """After the death of one that was to die another is started, until it stays."""
        while self.daemon is None:
            try:
                self.daemon = Process(["--logs", self.top + "/logs", "--patterns", self.top + "/patterns", "--storage.path",
                                       self.top + "/state", "--workers", "2"], self.top + "/daemon.log", env=self.env)
            except Ended as ended:
                self.died(ended)

    def died(self, ended):
        if self.daemon is not None and self.daemon.process.returncode is None:
            raise ended
        self.deaths += 1
        if self.deaths > 1 or "-9" not in str(ended):
            raise Failure(f"a second end: {ended}")
        self.story.append(f"died: {ended}")
        self.env = {key: value for key, value in self.env.items() if not key.startswith(("DIE_", "LD_"))}
        self.daemon = None
        for log in self.logs:
            log.died()

    def scrape(self):
        """One scrape, by whichever daemon lives."""
        while True:
            self.start()
            try:
                metrics = self.daemon.metrics()
            except Ended as ended:
                self.died(ended)
                continue
            self.ledger.check(metrics, False)
            for log in self.logs:
                log.drop_shown()
            return

    def settle(self):
        end, pause = time.monotonic() + 20, 0.002
        while True:
            self.scrape()
            missing = self.ledger.missing()
            if not missing:
                return
            if time.monotonic() > end:
                raise Failure("not shown: " + "; ".join(missing))
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)

    def terminate(self):
        try:
            self.daemon.terminate()
        except Ended as ended:
            self.died(ended)
        self.daemon = None

    def live(self):
        a, b = self.logs
        a.write(20)
        b.write(5)
        self.settle()
        a.write(10)
        a.rotate_rename(True)
        a.write(7)
        self.scrape()
        b.rotate_copytruncate(None)
        b.write(3)
        self.settle()
        self.terminate()
        a.write(2)
        b.rotate_rename(True)
        b.write(1)
        self.settle()
        self.daemon.kill()
        self.daemon = None
        for log in self.logs:
            log.died()
        self.start()
        self.settle()

    def run(self):
        """None or a report."""
        try:
            self.live()
        except Failure as failure:
            with open(self.top + "/daemon.log", errors="replace") as log:
                return "\n".join([str(failure)] + self.story + ["the daemon's log:"] + log.read().splitlines()[-30:] + [f"kept: {self.top}"])
        finally:
            if self.daemon is not None:
                self.daemon.kill()
        if not self.keep:
            shutil.rmtree(self.top)
        return None


def try_call(library, die_at, torn):
    life = Life(library, die_at, torn)
    report = life.run()
    return die_at, torn, report and f"call {die_at}{', half made' if torn else ''}: {report}", life.deaths


def count_calls(library):
    """(calls that the first daemon makes if it may live, seconds)."""
    life = Life(library, 0, False)
    began = time.monotonic()
    life.keep = True
    report = life.run()
    if report is not None:
        sys.exit(report)
    with open(life.count_path) as f:
        calls = int(f.read())
    shutil.rmtree(life.top)
    return calls, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every call")
    parser.add_argument("--call", type=int, help="this one")
    options = parser.parse_args()
    jobs, passed, failed, deaths = os.cpu_count() or 1, 0, 0, 0
    with tempfile.TemporaryDirectory() as directory, multiprocessing.Pool(jobs) as pool:
        library = shim(directory)
        calls, seconds = count_calls(library)
        # Their number varies a little from run to run.
        wanted = [options.call] if options.call else list(range(1, calls + 6))
        afford = max(int(BUDGET * jobs / seconds / 2), 1)
        if not options.all and len(wanted) > afford:
            wanted = wanted[: afford // 2] + random.sample(wanted[afford // 2:], afford - afford // 2)
        began = time.monotonic()
        runs = [pool.apply_async(try_call, (library, k, torn)) for k in wanted for torn in (False, True)]
        for run in runs:
            _, _, report, died = run.get()
            passed += report is None
            failed += report is not None
            deaths += died
            if report is not None and failed <= 5:
                print(report + "\n", flush=True)
    print(f"{calls} calls, {len(wanted)} of them tried, {deaths} deaths in {time.monotonic() - began:.0f} s")
    if not deaths:
        print("no daemon died")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
