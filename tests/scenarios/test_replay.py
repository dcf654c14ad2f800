"""Whole files are read once, by the rules that would follow them, and the metrics are printed."""

import gzip
import json
import os
import pty
import random
import subprocess
import threading

from harness import DEADLINE, LOGTALLY, Scenario, parse, wait_for

RULES = """
files: ['app*.log']
timestamp: {from: time, layout: '%Y-%m-%dT%H:%M:%S', zone: UTC}
rules:
  - name: job
    pattern: '^(?<time>\\S+) job=(?<job>\\S+) took (?<ms>\\S+) ms'
    metrics:
      - counter: jobs_total
        help: 'Jobs, by "name".'
        labels: {task: $job}
      - histogram: job_seconds
        help: How long they took.
        value: $ms
        scale: 0.001
        labels: {file: $_file}
        buckets: [0.1, 0.5, 1]
      - gauge: last_job_ms
        help: The last one.
        value: $ms
        labels: {task: $job}
"""


def lines(seed, count):
    """Of several jobs, with fractions whose sum depends on their order, times that collide, and noise."""
    chance = random.Random(seed)
    for i in range(count):
        if chance.random() < 0.3:
            yield f"noise {i}\n"
        else:
            second = chance.randrange(60)
            yield f"2026-11-20T12:00:{second:02} job=j{chance.randrange(9)} took {chance.randrange(10000) / 7} ms\n"


def samples_of_json(text):
    """As parse() gives them of the text format."""
    samples = {}
    for family in json.loads(text):
        for series in family["metrics"]:
            labels = tuple(sorted(series.get("labels", {}).items()))
            if family["type"] == "HISTOGRAM":
                for bound, count in series["buckets"].items():
                    bucket = tuple(sorted((*labels, ("le", bound))))
                    samples[family["name"] + "_bucket", bucket] = float(count)
                samples[family["name"] + "_count", labels] = float(series["count"])
                samples[family["name"] + "_sum", labels] = float(series["sum"])
            else:
                samples[family["name"], labels] = float(series["value"])
    return samples


class Replay(Scenario):
    def setUp(self):
        super().setUp()
        self.pattern_file(RULES)
        for i in range(5):
            self.write(self.log(f"app{i}.log"), "".join(lines(i, 2000 * (i + 1))))

    def replay(self, *arguments, stdin=b"", status=0):
        """(stdout, stderr), after the status is as it should be."""
        done = subprocess.run([LOGTALLY, "replay", "--patterns", self.patterns, *arguments], input=stdin, capture_output=True,
                              timeout=DEADLINE)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        self.assertNotIn(b"AddressSanitizer", done.stderr)
        self.assertNotIn(b"runtime error", done.stderr)
        return done.stdout.decode(), done.stderr.decode()

    def test_it_counts_as_the_daemon_does(self):
        """The daemon reads a directory from its beginning; so does replay, and with one file after the other."""
        daemon = self.start("--workers", "1")
        whole = sum(2000 * (i + 1) for i in range(5))
        daemon.wait_value(whole, "logtally_lines_total")
        wait_for("the patterns' metrics", lambda: daemon.value("jobs_total", task="j0"))
        served = daemon.metrics()
        got = parse(self.replay("--workers", "1", "--own-metrics", self.logs)[0])
        self.assertEqual(got["logtally_lines_total", ()], whole)
        ours = {key: value for key, value in served.items() if key[0].startswith(("job", "last_job"))}
        self.assertEqual(len(ours), 2 * 9 + 5 * 6)
        for key, value in ours.items():
            if key[0] != "last_job_ms":  # times collide: which file comes last is replay's to say
                self.assertAlmostEqual(got[key], value, 6, key)
        for name in ("logtally_rule_matches_total", "logtally_unmatched_lines_total", "logtally_bytes_read_total"):
            self.assertEqual({k: v for k, v in got.items() if k[0] == name}, {k: v for k, v in served.items() if k[0] == name})

    def test_the_number_of_workers_makes_no_difference(self):
        """Fractions add up alike and ties of gauges fall alike, byte for byte, whatever the order of arguments."""
        names = [self.log(f"app{i}.log") for i in range(5)]
        one = self.replay("--workers", "1", *names)[0]
        self.assertEqual(len([line for line in one.splitlines() if line.startswith("last_job_ms{")]), 9)
        for workers in ("2", "4"):
            self.assertEqual(self.replay("--workers", workers, *names)[0], one)
            self.assertEqual(self.replay("--workers", workers, *reversed(names))[0], one)
        self.assertEqual(self.replay("--workers", "4", "--format", "json", *names)[0],
                         self.replay("--workers", "1", "--format", "json", *names)[0])

    def test_there_may_be_more_files_than_threads_could_keep_values_for(self):
        for i in range(200):
            self.write(self.log(f"app-{i:03}.log"), "".join(lines(i, i % 7)))
        one = self.replay("--workers", "1", self.logs)[0]
        self.assertEqual(self.replay("--workers", "4", self.logs)[0], one)
        self.assertIn('job_seconds_count{file="app-199.log"}', one)

    def test_of_a_tie_the_last_file_counts(self):
        """Two files set a gauge at the same log time: the one whose path is last in order wins."""
        for name, value in (("app8.log", 8), ("app9.log", 9)):
            self.write(self.log(name), f"2026-11-21T00:00:00 job=tie took {value} ms\n")
        for workers in ("1", "2"):
            got = parse(self.replay("--workers", workers, self.log("app9.log"), self.log("app8.log"))[0])
            self.assertEqual(got["last_job_ms", (("task", "tie"),)], 9)

    def test_archives_standard_input_and_globs_give_the_same(self):
        """The same bytes as .gz, .zst, through a pipe, from a redirected file and by a glob."""
        with open(self.log("app3.log"), "rb") as f:
            content = f.read()
        plain = self.replay(self.log("app3.log"))[0]
        os.mkdir(self.path("old"))
        for name, compress in (("app3.log.gz", gzip.compress), ("app3.log.zst", None)):
            path = self.path("old", name)
            if compress:
                self.write(path, compress(content))
            else:
                subprocess.run(["zstd", "-q", self.log("app3.log"), "-o", path], check=True)
            self.assertEqual(self.replay(path)[0], plain)
        self.assertEqual(self.replay("-", "--as", "/var/log/app3.log", stdin=content)[0], plain)
        with open(self.path("old", "app3.log.gz"), "rb") as f:
            done = subprocess.run([LOGTALLY, "replay", "--patterns", self.patterns, "--as", "app3.log", "-"], stdin=f, capture_output=True)
        self.assertEqual(done.stdout.decode(), plain)
        self.assertEqual(self.replay(self.log("app[3-3].l*"))[0], plain)
        self.assertEqual(self.replay(self.path("**", "app3.log"))[0], plain)

    def test_a_directory_is_read_with_what_was_rotated(self):
        """app0.log has two older generations, one packed: they count as app0.log, oldest first; a file counts once."""
        os.remove(self.log("app1.log"))
        for i, name in enumerate(("app0.log.2.gz", "app0.log.1")):
            line = f"2026-11-21T00:00:00 job=old took {i} ms\n".encode()
            self.write(self.log(name), gzip.compress(line) if name.endswith("gz") else line)
            os.utime(self.log(name), (1000 + i, 1000 + i))
        os.symlink("app0.log", self.log("app1.log"))
        text, errors = self.replay(self.logs, self.log("app0.log"), self.log("*.log.1"))
        self.assertIn("files=6", errors)
        got = parse(text)
        self.assertEqual(got["jobs_total", (("task", "old"),)], 2)
        self.assertEqual(got["last_job_ms", (("task", "old"),)], 1)
        self.assertNotIn('app0.log.', text)

    def test_the_configuration_says_what_is_read(self):
        """Without arguments its `logs` are read, with `exclude` and `path_pattern`; labels and limits hold."""
        self.pattern_file(RULES.replace("{file: $_file}", "{kind: $kind}"))
        self.write(self.path("logtally.yml"), f"logs: [{{path: {self.logs}, exclude: ['app[1-9].log'], path_pattern: '/(?<kind>logs)/'}}]\n"
                   f"patterns: [{self.patterns}]\nlabels: {{site: lab}}\nlimits: {{line_bytes: 1024}}\n")
        self.append(self.log("app0.log"), "x" * 2000 + "\n")
        status, out, err = self.run_once("replay", "--config.file", self.path("logtally.yml"))
        self.assertEqual(status, 0, err)
        self.assertIn("files=1 lines=2000", err)
        self.assertIn('job_seconds_count{kind="logs",site="lab"}', out)
        self.assertRegex(err, "line_bytes were skipped.*lines=1\n")

    def test_the_last_line_needs_no_newline(self):
        self.write(self.log("app.log"), "2026-11-21T00:00:00 job=a took 1 ms\n2026-11-21T00:00:00 job=b took 2 ms")
        got = parse(self.replay(self.log("app.log"))[0])
        self.assertEqual(got["jobs_total", (("task", "b"),)], 1)

    def test_lines_do_not_depend_on_how_they_lie_in_the_reads(self):
        """Lines up to the limit, at, and over it; far longer than a read, and the last without a newline."""
        text = ""
        limit = 1024 * 1024
        for i, pad in enumerate((10, 300_000, limit - 37, limit - 36, 3 * limit, 5, 262_144 - 37, limit - 37)):
            text += f"2026-11-21T00:00:0{i} job=len took 1 ms" + "x" * pad + "\n"
        self.assertEqual(len(text.split("\n")[2]), limit)
        self.write(self.log("app.log"), text + "y" * (limit + 1))
        text, errors = self.replay("--own-metrics", self.log("app.log"))
        got = parse(text)
        self.assertEqual(got["jobs_total", (("task", "len"),)], 6)
        self.assertEqual(got["logtally_oversized_lines_total", ()], 3)
        self.assertEqual(got["logtally_lines_total", ()], 6)
        self.write(self.log("app.log"), "2026-11-21T00:00:00 job=end took 1 ms" + "x" * (limit - 37))
        self.assertEqual(parse(self.replay(self.log("app.log"))[0])["jobs_total", (("task", "end"),)], 1)

    def test_json_has_the_content_of_the_text(self):
        text, _ = self.replay("--format", "prometheus", self.logs)
        as_json, _ = self.replay("--format", "json", self.logs)
        self.assertEqual(samples_of_json(as_json), parse(text))
        self.assertEqual(len(parse(text)), 2 * 9 + 5 * 6)

    def test_progress_is_shown_on_a_terminal_only(self):
        """Bytes, rate and time left, and gone in the end; of standard input there is no time left to tell."""
        text = self.on_terminal(self.log("app4.log"))
        self.assertRegex(text, r"\[=*>? *\] +\d+%  \d.* of \d")
        self.assertRegex(text, r"100%  .*B of .*B  .*B/s  0:00 left")
        self.assertTrue(text.split("level=info")[0].split("\r\x1b[K")[-1].startswith("ts="), "the bar is gone")
        text = self.on_terminal("-", "--as", "app.log")
        self.assertRegex(text, r"B  .*B/s  0:00 so far")
        self.assertNotIn("%", text)
        self.assertNotIn("\r", self.replay(self.logs)[1])

    def on_terminal(self, *arguments):
        """What appears on standard error."""
        master, slave = pty.openpty()
        chunks = []

        def read():
            try:
                while chunk := os.read(master, 65536):
                    chunks.append(chunk)
            except OSError:
                pass  # the other end is closed

        reader = threading.Thread(target=read)
        with open(self.log("app4.log"), "rb") as content:
            pipe = subprocess.Popen(["cat"], stdin=content, stdout=subprocess.PIPE)
            process = subprocess.Popen([LOGTALLY, "replay", "--patterns", self.patterns, *arguments], stdin=pipe.stdout, stdout=subprocess.DEVNULL,
                                       stderr=slave)
        os.close(slave)
        pipe.stdout.close()
        reader.start()
        self.assertEqual(process.wait(DEADLINE), 0)
        reader.join()
        pipe.wait()
        os.close(master)
        return b"".join(chunks).decode()

    def test_what_is_missing_is_told_all_of_it(self):
        """Nothing is printed then; neither is it of a directory without logs, a glob without a match."""
        os.mkdir(self.path("empty"))
        out, err = self.replay(self.path("nope.log"), self.path("no*pe"), self.path("empty"), self.logs, status=1)
        self.assertEqual(out, "")
        self.assertIn("nope.log: No such file", err)
        self.assertIn("no*pe: no file matches", err)
        self.assertIn("empty: holds no file called *.log", err)

    def test_damaged_archives_are_told(self):
        """One is cut, one is changed: both are named, and what could be read is printed."""
        packed = gzip.compress("".join(lines(3, 5000)).encode())
        self.write(self.log("app-cut.log.gz"), packed[:len(packed) // 2])
        self.write(self.log("app-bad.log.gz"), packed[:5000] + b"\0" * 100 + packed[5100:])
        out, err = self.replay(self.log("app-cut.log.gz"), self.log("app-bad.log.gz"), self.log("app0.log"), status=1)
        self.assertRegex(err, "app-cut.log.gz: the archive ends in the middle, after [1-9][0-9]* bytes")
        self.assertRegex(err, "app-bad.log.gz: the archive is damaged, after [1-9][0-9]* bytes")
        self.assertGreater(parse(out)["job_seconds_count", (("file", "app0.log"),)], 1000)
        self.assertGreater(parse(out)["job_seconds_count", (("file", "app-cut.log"),)], 100)

    def test_a_file_that_nobody_wants_is_told(self):
        """Named, it is an error; in a directory it is left out; and what no rule matches is told too."""
        self.write(self.log("other.log"), "x\n")
        out, err = self.replay(self.log("other.log"), status=1)
        self.assertIn("other.log: no patterns file wants it (see `files`)", err)
        out, err = self.replay(self.logs)
        self.assertRegex(err, "level=warn .*no patterns file wants this file.*other.log")
        out, err = self.replay("-", status=1)
        self.assertIn("--as", err)
        self.write(self.log("app.log"), "nothing\nhere\n")
        out, err = self.replay(self.log("app.log"))
        self.assertRegex(err, "level=warn .*no rule matched any line of this file.*lines=2\n")
        self.assertNotIn("level", self.replay("--log.level", "error", self.log("app.log"))[1])

    def test_packed_bytes_in_a_pipe_are_refused(self):
        out, err = self.replay("-", "--as", "app.log", stdin=gzip.compress(b"x\n" * 99), status=1)
        self.assertIn("standard input: is compressed", err)

    def test_usage_is_told(self):
        self.assertIn("nothing to read", self.replay(status=2)[1])
        self.assertIn("--format: write prometheus or json", self.replay("--format", "xml", self.logs, status=2)[1])
        self.assertIn("did you mean --workers", self.replay("--worker", "2", self.logs, status=2)[1])
        self.assertIn('--workers: "0" is no number of workers: write a whole number from 1 to 64', self.replay("--workers", "0", self.logs, status=1)[1])
        status, _, err = self.run_once("replay", self.logs)
        self.assertEqual((status, "no rules: give --patterns" in err), (2, True))

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([LOGTALLY, "replay", "--patterns", self.patterns, self.logs], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"write the metrics: No space left", done.stderr)

    def test_over_a_limit_it_is_told_that_others_may_be(self):
        self.pattern_file(RULES.replace("labels: {task: $job}", "labels: {task: $job}\n        max_series: 3", 1))
        out, err = self.replay(self.logs)
        self.assertRegex(err, "more label sets than its limit.*metric=jobs_total")
        self.assertGreater(parse(out)["jobs_total", (("task", "other"),)], 1000)
