"""How it scales with the number and the size of files.  Prints a table; decides nothing.

    files.py [--files N] [--seconds S] [--big-gib G] [--logtally PATH]

The daemon follows N files in one directory, then in 100, then polled, while
one of a hundred gets a line each second and nobody scrapes; then a big file
beside 1,000 small ones, of which one gets a line now and then; then three that
a program writes to as often as it can.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE + "/../scenarios")

import harness  # noqa: E402

PATTERNS = """
rules:
  - name: failed
    pattern: 'ingest failed participant=(?<participant>p\\d+) status=(?<status>\\d+)'
    metrics:
      - counter: ingestion_errors_total
        help: Ingests that failed.
        labels: {status: $status}
  - name: latency
    pattern: 'ingested participant=\\S+ in (?<ms>\\d+) ms'
    metrics:
      - histogram: ingestion_seconds
        help: How long ingests took.
        value: $ms
        scale: 0.001
        buckets: [0.1, 1]
  - name: seen
    pattern: 'marker=(?<marker>\\w+)'
    metrics:
      - counter: markers_total
        help: Markers.
        labels: {marker: $marker}
"""

LINE = "2026-11-20 12:00:01,%03d - etl.loader - INFO - ingested participant=p%03d in %d ms\n"
TARGETS = {"caught up": "2 s", "RSS": "25 MB", "CPU": "0.2 %", "visible": "100 ms"}


def report(what, figure, unit, target=""):
    print(f"  {what:<58}{figure:>10.3g} {unit:<6}{'target ' + target if target else ''}", flush=True)


def cpu_ns(pid):
    """CPU time of each thread, by name."""
    threads = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm") as f:
            name = f.read().strip()
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            threads[name] = threads.get(name, 0) + int(f.read().split()[0])
    return threads


def rss_mb(pid, key="VmRSS"):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key)) * 1024 / 1e6


class Bench:
    def __init__(self, options):
        self.options = options
        self.top = tempfile.mkdtemp(prefix="logtally-bench-", dir=options.dir)
        self.logs = self.top + "/logs"
        os.mkdir(self.logs)
        with open(self.top + "/bench.yml", "w") as f:
            f.write(PATTERNS)
        self.configure(False)

    def close(self):
        shutil.rmtree(self.top)

    def start(self):
        harness.LOGTALLY = self.options.logtally
        return harness.Daemon("--config.file", self.top + "/logtally.yml", "--patterns", self.top + "/bench.yml",
                              "--storage.path", "", "--web.listen-address", "127.0.0.1:0")

    def start_caught_up(self):
        began = time.monotonic()
        daemon = self.start()
        harness.wait_for("the backlog", lambda: "caught up" in daemon.log, 600)
        return daemon, time.monotonic() - began

    def seen(self, daemon, marker):
        return daemon.value("markers_total", marker=marker) is not None

    def visible_ms(self, daemon, path, marker):
        with open(path, "a") as f:
            return self.visible_in_ms(daemon, f, marker)

    def visible_in_ms(self, daemon, f, marker):
        f.write(f"marker={marker}\n")
        f.flush()
        began = time.monotonic()
        while not self.seen(daemon, marker):
            assert time.monotonic() - began < 60, "never seen"
        return 1000 * (time.monotonic() - began)

    def configure(self, poll):
        with open(self.top + "/logtally.yml", "w") as f:
            f.write(f"logs: [{{path: {self.logs}, poll: {str(poll).lower()}}}]\n")

    def many(self, directories, poll=False):
        files = []
        self.configure(poll)
        for i in range(self.options.files):
            directory = self.logs + (f"/{i % directories}" if directories > 1 else "")
            os.makedirs(directory, exist_ok=True)
            files.append(f"{directory}/app-{i:05}.log")
            with open(files[-1], "w") as f:
                f.writelines(LINE % (j, j, j) for j in range(10))
        print(f"{len(files)} files in {directories} director{'ies' if directories > 1 else 'y'}{', polled' if poll else ''}")
        daemon, seconds = self.start_caught_up()
        report("start until caught up", seconds, "s", TARGETS["caught up"])
        report("RSS", rss_mb(daemon.process.pid), "MB", TARGETS["RSS"])
        self.idle(daemon, "nothing happens: CPU", lambda: None)
        self.idle(daemon, "a line a second in 1% of the files: CPU", lambda: self.append_some(files))
        report("RSS afterwards", rss_mb(daemon.process.pid), "MB", TARGETS["RSS"])
        times = [self.visible_ms(daemon, files[-1 - i], f"m{i}") for i in range(20)]
        report("a line is visible after, at most", max(times), "ms", TARGETS["visible"])
        daemon.stop()
        shutil.rmtree(self.logs)
        os.mkdir(self.logs)

    def append_some(self, files):
        for path in files[::100]:
            with open(path, "a") as f:
                f.write(LINE % (1, 1, 1))

    def idle(self, daemon, what, each_second):
        before, began = cpu_ns(daemon.process.pid), time.monotonic()
        while time.monotonic() - began < self.options.seconds:
            each_second()
            time.sleep(1)
        after, wall = cpu_ns(daemon.process.pid), time.monotonic() - began
        spent = {name: (after[name] - before.get(name, 0)) / wall / 1e7 for name in after}
        report(what, sum(spent.values()), "%", TARGETS["CPU"])
        for name, share in sorted(spent.items(), key=lambda item: -item[1])[:4]:
            if share >= 0.001:
                report("    thread " + name, share, "%")

    def big(self):
        self.configure(False)
        small = [f"{self.logs}/small-{i:04}.log" for i in range(1000)]
        for path in small:
            with open(path, "w") as f:
                f.write(LINE % (1, 1, 1))
        piece = "".join(LINE % (i % 1000, i % 1000, i % 3000) for i in range(100000)).encode()
        with open(self.top + "/big.log", "wb") as f:
            for _ in range(int(self.options.big_gib * 2**30 / len(piece))):
                f.write(piece)
            size = f.tell()
        print(f"a file of {size / 2**30:.1f} GiB appears beside 1000 small ones")
        daemon, _ = self.start_caught_up()
        lines = size / len(piece) * 100000
        began = time.monotonic()
        os.rename(self.top + "/big.log", self.logs + "/big.log")
        times = []
        while (daemon.value("logtally_lines_total") or 0) < lines:
            times.append(self.visible_ms(daemon, small[len(times) % 1000], f"n{len(times)}"))
        seconds = time.monotonic() - began
        report("read", size / seconds / 1e6, "MB/s")
        report("RSS, at most", rss_mb(daemon.process.pid, "VmHWM"), "MB", TARGETS["RSS"])
        report("meanwhile a line of a small file is visible after, at most", max(times), "ms", TARGETS["visible"])
        report("    median", sorted(times)[len(times) // 2], "ms")
        stop = threading.Event()
        writer = threading.Thread(target=self.write_big, args=(piece, stop))
        writer.start()
        times = [self.visible_ms(daemon, small[i], f"b{i}") for i in range(50)]
        stop.set()
        writer.join()
        report("while it grows: a line is visible after, at most", max(times), "ms", TARGETS["visible"])
        daemon.stop()
        shutil.rmtree(self.logs)
        os.mkdir(self.logs)

    def write_big(self, piece, stop):
        """About 100 MB/s."""
        with open(self.logs + "/big.log", "ab") as f:
            while not stop.is_set():
                f.write(piece[:1000000])
                time.sleep(0.01)

    def flood(self):
        busy = ("import os,sys,time\nfds=[os.open(f'{sys.argv[1]}/{n}.log',os.O_WRONLY|os.O_CREAT|os.O_APPEND) for n in 'abc']\n"
                "end,count=time.monotonic()+10,0\nwhile time.monotonic()<end:\n for _ in range(100):\n  for fd in fds: os.write(fd,b'x\\n')\n"
                " count+=300\nprint(count)\n")
        self.configure(False)
        print("a program writes to 3 files as often as it can")
        writer = subprocess.run([sys.executable, "-c", busy, self.logs], stdout=subprocess.PIPE, text=True)
        report("writes without the daemon", int(writer.stdout) / 10, "/s")
        daemon, _ = self.start_caught_up()
        writer = subprocess.Popen([sys.executable, "-c", busy, self.logs], stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        before, began = cpu_ns(daemon.process.pid), time.monotonic()
        time.sleep(4)
        after, wall = cpu_ns(daemon.process.pid), time.monotonic() - began
        with open(self.logs + "/quiet.log", "a") as quiet:
            times = [self.visible_in_ms(daemon, quiet, f"f{i}") for i in range(100)]
        report("    thread discovery", (after["discovery"] - before["discovery"]) / wall / 1e7, "%")
        report("writes with the daemon", int(writer.communicate()[0]) / 10, "/s")
        report("a line of a fourth file is visible after, median", sorted(times)[len(times) // 2], "ms")
        report("    and at most", max(times), "ms", TARGETS["visible"])
        for reason in ("flood", "overflow"):
            report("fallbacks, " + reason, daemon.value("logtally_watch_fallbacks_total", reason=reason) or 0, "")
        daemon.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--big-gib", type=float, default=2)
    parser.add_argument("--only", choices=["one", "spread", "polled", "big", "flood"])
    parser.add_argument("--dir", help="where the files are written")
    parser.add_argument("--logtally", default=harness.LOGTALLY)
    options = parser.parse_args()
    bench = Bench(options)
    try:
        for name, run in (("one", lambda: bench.many(1)), ("spread", lambda: bench.many(100)),
                          ("polled", lambda: bench.many(1, True)), ("big", bench.big),
                          ("flood", bench.flood)):
            if options.only in (None, name):
                run()
    finally:
        bench.close()


if __name__ == "__main__":
    main()
