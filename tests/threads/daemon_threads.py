"""All of the daemon's threads at once, under ThreadSanitizer or helgrind.

    daemon_threads.py tsan BINARY [--seconds N]
    daemon_threads.py helgrind BINARY [--seconds N]

Four workers read logs that are rotated, while several clients scrape, the
patterns are edited, reloads come by signal and by request, and commits go on.
Nothing may be reported, and every line must be counted.
"""

import argparse
import glob
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE) + "/scenarios")

import harness  # noqa: E402
from writers import PATTERNS, Writer  # noqa: E402

TOOLS = {
    "tsan": ([], "TSAN_OPTIONS", "log_path={logs}/report:exitcode=66:second_deadlock_stack=1"),
    "helgrind": (["valgrind", "-q", "--tool=helgrind", "--history-level=approx", "--error-exitcode=66", "--fair-sched=yes",
                  f"--suppressions={HERE}/helgrind.supp", "--log-file={logs}/report.%p"], "NONE", ""),
}
LINES_PER_SECOND = {"tsan": 400, "helgrind": 60}


class Load:
    """What goes on beside the writers until stop()."""

    def __init__(self, daemon, pattern_path, pause):
        self.daemon = daemon
        self.pattern_path = pattern_path
        self.pause = pause
        self.ending = threading.Event()
        self.errors = []
        self.done = {"scrape": 0, "edit": 0, "hup": 0, "post": 0, "pages": 0}
        jobs = (self.scrape, self.scrape, self.scrape, self.edit, self.hup, self.post, self.pages)
        self.threads = [threading.Thread(target=self._forever, args=(job, i), daemon=True) for i, job in enumerate(jobs)]
        for thread in self.threads:
            thread.start()

    def _forever(self, job, number):
        chance = random.Random(number)
        while not self.ending.wait(chance.uniform(0, 2 * self.pause)):
            try:
                job(number)
                self.done[job.__name__] += 1
            except Exception as error:
                if not self.ending.is_set():
                    self.errors.append(f"{job.__name__}: {error!r}")
                    return

    def scrape(self, number):
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": "10", "User-Agent": f"Prometheus/{number}"} if number else {}
        status, text = harness.fetch(self.daemon.url + "/metrics", headers)
        assert status in (200, 503), status
        if status == 200:
            harness.parse(text)

    def edit(self, _):
        extra = f"      - counter: extra_{self.done['edit'] % 3}_total\n        help: One more.\n"
        with open(self.pattern_path + ".new", "w") as f:
            f.write(PATTERNS + extra * (self.done["edit"] % 2))
        os.rename(self.pattern_path + ".new", self.pattern_path)
        self.ending.wait(1.5)  # it is loaded when unchanged for a second

    def hup(self, _):
        self.daemon.process.send_signal(signal.SIGHUP)
        self.ending.wait(5 * self.pause)

    def post(self, _):
        status, text = harness.fetch(self.daemon.url + "/-/reload", method="POST")
        assert status == 200, (status, text)
        self.ending.wait(5 * self.pause)

    def pages(self, _):
        for page in ("/", "/-/healthy", "/-/ready", "/nope"):
            harness.fetch(self.daemon.url + page)

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool", choices=sorted(TOOLS))
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    top = tempfile.mkdtemp(prefix="logtally-threads-")
    for name in ("logs", "patterns", "reports"):
        os.mkdir(f"{top}/{name}")
    pattern_path = top + "/patterns/test.yml"
    with open(pattern_path, "w") as f:
        f.write(PATTERNS)
    prefix, variable, value = TOOLS[options.tool]
    os.environ[variable] = value.format(logs=top + "/reports")
    harness.COMMAND = [word.format(logs=top + "/reports") if "{logs}" in word else word for word in prefix] + [options.binary]
    harness.DEADLINE = 90
    slow = options.tool == "helgrind"

    def start():
        return harness.Daemon("--logs", top + "/logs", "--patterns", top + "/patterns", "--storage.path", top + "/state",
                              "--workers", "4", "--web.enable-lifecycle", "--web.listen-address", "127.0.0.1:0")

    def life(seconds, writers):
        daemon = start()
        load = Load(daemon, pattern_path, 0.2 if slow else 0.03)
        if not writers[0].is_alive():
            for writer in writers:
                writer.start()
        time.sleep(seconds)
        load.stop()
        return daemon, load

    writers = [Writer(top + "/logs", f"{i}.log", None, LINES_PER_SECOND[options.tool], 5 * LINES_PER_SECOND[options.tool] // (i + 1))
               for i in range(4)]
    complaints = []
    try:
        daemon, load = life(options.seconds / 2, writers)
        complaints += load.errors
        status, _ = daemon.stop()
        if status != 0:
            complaints.append(f"the daemon ended with {status}\n{daemon.log[-3000:]}")
        # Again, with what the first one saved.
        daemon, second = life(options.seconds / 2, writers)
        complaints += second.errors
        for writer in writers:
            writer.stop()
        for writer in writers:
            daemon.wait_value(writer.written, "events_total", log=writer.name_)
        status, _ = daemon.stop()
        if status != 0:
            complaints.append(f"the daemon ended with {status}\n{daemon.log[-3000:]}")
        print(f"{sum(w.written for w in writers)} lines, " + ", ".join(f"{load.done[k] + second.done[k]} {k}" for k in load.done))
    except AssertionError as error:
        complaints.append(str(error)[:2000])
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
    reports = "".join(open(path, errors="replace").read() for path in sorted(glob.glob(top + "/reports/*")))
    if reports:
        complaints.append(reports[:60000])
    print("\n".join(complaints))
    shutil.rmtree(top, ignore_errors=True)
    print(f"{options.tool}: {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
