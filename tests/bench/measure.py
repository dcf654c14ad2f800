"""What all of `make bench` uses: running, timing, reading metrics, printing tables."""

import os
import re
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, TOP + "/tests/scenarios")

from harness import free_port  # noqa: E402

LOGTALLY = os.environ.get("LOGTALLY", TOP + "/logtally")
MTAIL_ONCE = ("mtail", "--one_shot", "--one_shot_format", "prometheus", "--emit_prog_label=false", "--address", "127.0.0.1", "--port",
              "13903")


class Run:
    """What a command took: seconds of wall clock and CPU, peak memory in MiB."""

    def __init__(self, wall, cpu, rss):
        self.wall, self.cpu, self.rss = wall, cpu, rss


BUILD = os.environ.get("BENCH_BUILD", TOP + "/build")


def run(command, out=os.devnull):
    done = subprocess.run([BUILD + "/bench/timed", out, *command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}{done.stderr}")
    wall, cpu, kib = map(float, done.stdout.split())
    return Run(wall, cpu, kib / 1024)


def median_run(runs):
    return Run(*(statistics.median(getattr(r, key) for r in runs) for key in ("wall", "cpu", "rss")))


def warm(path):
    """The page cache is not what is measured."""
    with open(path, "rb") as f:
        while f.read(1 << 20):
            pass


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def cpu_seconds(pid):
    """Of all threads, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def rss_mb(pid, key="VmRSS"):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key)) * 1024 / 1e6


# -- metrics ------------------------------------------------------------------

SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def samples(text):
    """{(name, labels): value} but for zeros, which one may show before there is anything to count."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        name, labels, value = SAMPLE.match(line).groups()
        pairs = [(key, float(text) if key == "le" else text) for key, text in LABEL.findall(labels or "")]
        if float(value) != 0:
            found[name, tuple(sorted(pairs))] = float(value)
    return found


def differences(ours, theirs):
    """Sums of fractions may be rounded differently; everything else is equal."""
    bad = []
    for key in sorted(ours.keys() | theirs.keys(), key=str):
        a, b = ours.get(key, 0), theirs.get(key, 0)
        exact = not key[0].endswith("_sum")
        if a != b if exact else abs(a - b) > 1e-9 * max(abs(a), abs(b)):
            bad.append(f"{key}: logtally {a}, mtail {b}")
    return bad


def get(port, path="/metrics", headers=""):
    """The whole answer, as fast as it comes."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(f"GET {path} HTTP/1.0\r\nHost: x\r\n{headers}\r\n".encode())
        chunks = []
        while chunk := s.recv(1 << 20):
            chunks.append(chunk)
    return b"".join(chunks)


class Server:
    """logtally or mtail on a directory of logs; `rules`: its patterns or program."""

    def __init__(self, tool, top, logs, rules, *more):
        self.port = free_port()
        os.makedirs(f"{top}/{tool}", exist_ok=True)
        with open(f"{top}/{tool}/rules." + ("yml" if tool == "logtally" else "mtail"), "w") as f:
            f.write(rules)
        if tool == "logtally":
            command = [LOGTALLY, "run", "--logs", logs, "--patterns", f"{top}/{tool}", "--storage.path", f"{top}/state", "--workers", "1",
                       "--web.listen-address", f"127.0.0.1:{self.port}", *more]
        else:
            command = ["mtail", "--progs", f"{top}/{tool}", "--logs", f"{logs}/*.log", "--emit_prog_label=false", "--address", "127.0.0.1",
                       "--port", str(self.port), *more]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.wait(lambda: self.text() is not None)

    def text(self):
        try:
            return get(self.port).partition(b"\r\n\r\n")[2].decode()
        except OSError:
            return None

    def wait(self, condition, seconds=300, pause=0.05):
        end = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{self.process.args[0]} ended, or is not there after {seconds} s")
            time.sleep(pause)

    def stop(self):
        self.process.terminate()
        self.process.wait()


# -- tables -------------------------------------------------------------------

def number(value):
    """Three digits that mean something."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(title, columns, rows):
    print(f"\n### {title}\n\n| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(map(number, row)) + " |")
    sys.stdout.flush()
