"""Whole files from their first line to their last: one worker, against mtail and the reading limit."""

import os
import time

import corpus
import rules
from measure import BUILD, LOGTALLY, MTAIL_ONCE, Run, Server, cpu_seconds, differences, get, median_run, rss_mb, run, samples, table, warm

# Rules; the part of the corpus that logtally reads; MiB of it that mtail reads.
SETS = ((5, 1, 10), (20, 1, 10), (100, 1, 10), (1000, 0.1, 2))
COLUMNS = ("rules", "logtally MB/s", "MB/s of CPU", "peak MiB", "mtail MB/s", "MB/s of CPU", "peak MiB", "x mtail, wall", "x mtail, CPU",
           "of the reading limit", "time a line, x 5 rules")


class Throughput:
    def __init__(self, options, top):
        self.o, self.top = options, top
        self.read_limit = BUILD + "/bench/read_limit"

    def corpus(self, kind, size):
        path = f"{self.top}/{kind}-{size}.log"
        if not os.path.exists(path):
            corpus.write(path, kind, size, self.o.seed)
            warm(path)
        return path

    def rules(self, count):
        """(patterns file, directory with mtail's program)."""
        patterns, progs = f"{self.top}/rules-{count}.yml", f"{self.top}/progs-{count}"
        if not os.path.exists(patterns):
            os.mkdir(progs)
            with open(patterns, "w") as f:
                f.write(rules.logtally_yaml(rules.rule_set(count)))
            with open(progs + "/rules.mtail", "w") as f:
                f.write(rules.mtail_program(rules.rule_set(count)))
        return patterns, progs

    def replay(self, patterns, log, *more):
        return [LOGTALLY, "replay", "--workers", "1", "--patterns", patterns, *more, log]

    def mtail(self, progs, log):
        return [*MTAIL_ONCE, "--progs", progs, "--logs", log]

    def check(self, patterns, progs, log):
        """Both counted the same, or nothing here means anything."""
        ours, theirs = self.top + "/logtally.out", self.top + "/mtail.out"
        run(self.replay(patterns, log), ours)
        run(self.mtail(progs, log), theirs)
        with open(ours) as a, open(theirs) as b:
            counted = samples(a.read())
            bad = differences(counted, samples(b.read()))
        if bad or not counted:
            raise SystemExit(f"{log}: {len(bad)} values differ of {len(counted)}:\n" + "\n".join(bad[:20]))
        return len(counted)

    def measure(self, kind, count, slice_bytes, size):
        """Medians of runs that take turns: logtally, mtail (less its start), reading alone."""
        log, part, empty = self.corpus(kind, size), self.corpus(kind, slice_bytes), self.corpus(kind, 0)
        patterns, progs = self.rules(count)
        if kind != "quiet":
            values = self.check(patterns, progs, part)
            print(f"{kind}, {count} rules, {slice_bytes / 2**20:g} MiB: {values} values, all equal", flush=True)
        ours, theirs, starts, limits = [], [], [], []
        for _ in range(self.o.runs):
            ours.append(run(self.replay(patterns, log)))
            limits.append(run([self.read_limit, log]))
            theirs.append(run(self.mtail(progs, part)))
            starts.append(run(self.mtail(progs, empty)))
        mtail, start = median_run(theirs), median_run(starts)
        mtail.wall, mtail.cpu = max(mtail.wall - start.wall, 1e-3), max(mtail.cpu - start.cpu, 1e-3)
        return median_run(ours), mtail, median_run(limits)

    def row(self, kind, count, slice_mib, share=1, five=None):
        """(row, MB/s): `five` is that of 5 rules."""
        bytes_read = int(self.o.size * share)
        slice_bytes = min(slice_mib << 20, bytes_read)
        ours, theirs, limit = self.measure(kind, count, slice_bytes, bytes_read)
        size = os.path.getsize(self.corpus(kind, bytes_read)) / 1e6
        part = os.path.getsize(self.corpus(kind, slice_bytes)) / 1e6
        rates = (size / ours.wall, size / ours.cpu), (part / theirs.wall, part / theirs.cpu)
        row = (count, *rates[0], ours.rss, *rates[1], theirs.rss, rates[0][0] / rates[1][0], rates[0][1] / rates[1][1],
               f"{100 * limit.wall / ours.wall:.0f}%", five / rates[0][0] if five else 1)
        return row, rates[0][0]

    def tables(self):
        rows, five = [], None
        for count, share, slice_mib in SETS:
            if count > self.o.rules:
                continue
            row, rate = self.row("mixed", count, slice_mib, share, five)
            five = five or rate
            rows.append(row)
        size = f"{self.o.size / 2**20:g} MiB, one worker, medians of {self.o.runs}"
        table(f"Mixed corpus, {size} (a tenth of it with 1,000 rules)", COLUMNS, rows)
        count = min(20, self.o.rules)
        table(f"Single logs, {size}", ("log", *COLUMNS[:-1]), [
            (kind, *self.row(kind, count, 10)[0][:-1]) for kind in ("quiet", "pipeline", "uvicorn", "json", "nginx")])
        self.ways(count)

    def ways(self, count):
        """The same with two workers, and by a daemon that follows and saves."""
        half = self.o.size // 2
        logs = self.top + "/two"
        os.mkdir(logs)
        for name in "ab":
            corpus.write(f"{logs}/{name}.log", "mixed", half, name)
        size = sum(os.path.getsize(f"{logs}/{name}.log") for name in "ab") / 1e6
        patterns, _ = self.rules(count)
        one, two, follow = [], [], []
        for _ in range(self.o.runs):
            one.append(run(self.replay(patterns, logs)))
            two.append(run([LOGTALLY, "replay", "--workers", "2", "--patterns", patterns, logs]))
            follow.append(self.follow(patterns, logs))
        rows = [(what, size / r.wall, size / r.cpu, r.rss, median_run(one).wall / r.wall)
                for what, r in (("replay, 1 worker", median_run(one)), ("replay, 2 workers", median_run(two)),
                                ("run, 1 worker, until all is counted and saved", median_run(follow)))]
        table(f"Two files of {half / 2**20:g} MiB, {count} rules, medians of {self.o.runs}",
              ("how", "MB/s", "MB/s of CPU", "peak MiB", "x one worker"), rows)

    def follow(self, patterns, logs):
        lines = 0
        for name in os.listdir(logs):
            with open(f"{logs}/{name}", "rb") as f:
                lines += sum(block.count(b"\n") for block in iter(lambda: f.read(1 << 20), b""))
        state = f"{self.top}/follow-{time.monotonic_ns()}"
        with open(patterns) as f:
            text = f.read()
        began = time.perf_counter()
        server = Server("logtally", state, logs, text)
        want = b"\nlogtally_lines_total %d\n" % lines
        server.wait(lambda: want in get(server.port), pause=0.01)
        wall = time.perf_counter() - began
        taken = Run(wall, cpu_seconds(server.pid), rss_mb(server.pid, "VmHWM") * 1e6 / 2**20)
        server.stop()
        return taken
