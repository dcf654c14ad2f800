"""Numbered lines, those who write and rotate them, and what must have been counted in the end.

Every line is `line WRITER N`.  A counter of lines and one of the sum of their
numbers, both by writer and by the path that the file is followed as, tell a
line that was lost from one that was counted twice.
"""

import contextlib
import gzip
import itertools
import os
import re
import shutil
import subprocess
import sys

from harness import DEADLINE, Scenario, freeze, wait_for

PATTERN = """
rules:
  - name: line
    pattern: '^line (?<writer>\\w+) (?<n>\\d+)$'
    metrics:
      - counter: lines_total
        help: Lines.
        labels: {writer: $writer, file: $_file}
      - counter: numbers_total
        help: The sum of their numbers.
        value: $n
        labels: {writer: $writer, file: $_file}
  - name: comment
    pattern: '^# '
    metrics:
      - counter: comments_total
        help: Lines of the files' heads.
"""

LOAD_LINES = 20000
GENERATION_BYTES = 20000  # that a writer under load makes before the next rotation


class Stream:
    """One writer's lines, all of which belong to the path of its log."""

    def __init__(self, path, writer):
        self.path = path
        self.writer = writer
        self.file = os.path.basename(path)
        self.first = 1
        self.next = 1

    @property
    def count(self):
        return self.next - self.first

    @property
    def sum(self):
        return sum(range(self.first, self.next))

    def take(self, count=1, end="\n"):
        """The text of the next lines."""
        numbers = range(self.next, self.next + count)
        self.next += count
        return "".join(f"line {self.writer} {n}{end}" for n in numbers)

    def append(self, text):
        with open(self.path, "a", newline="") as f:
            f.write(text)

    def write(self, count=1):
        self.append(self.take(count))

    def tear(self):
        """Writes half a line, which does not count until the other half, which it returns, is there."""
        line = f"line {self.writer} {self.next}"
        self.append(line[:-1])
        return line[-1:] + "\n"

    def mend(self, rest):
        self.append(rest)
        self.next += 1

    def begin(self, kind, count=LOAD_LINES):
        """A process that writes the next lines (load.py)."""
        writer = Load(kind, self, count)
        self.next += count
        return writer


class Load:
    def __init__(self, kind, stream, count):
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.py")
        self.process = subprocess.Popen([sys.executable, "-S", program, kind, stream.path, stream.writer, str(stream.next), str(count)])

    @property
    def running(self):
        return self.process.poll() is None

    @contextlib.contextmanager
    def paused(self):
        """Writes nothing meanwhile, unless it has ended."""
        if self.running:
            freeze(self.process.pid)
        yield
        self.signal("CONT")

    def signal(self, name):
        self.process.send_signal(getattr(__import__("signal"), "SIG" + name))

    def end(self):
        assert self.process.wait(timeout=DEADLINE) == 0

    def kill(self):
        self.process.kill()
        self.process.wait()


# -- rotations ----------------------------------------------------------------


def fresh(path, form="{path}.{n}"):
    """The first name of that form that nothing has, compressed or not."""
    n = 1
    while any(os.path.exists(form.format(path=path, n=n) + end) for end in ("", ".gz", ".zst")):
        n += 1
    return form.format(path=path, n=n)


def dated(path):
    """As logrotate's dateext, one day after the other."""
    return fresh(path, "{path}-202611{n:02d}")


def shift(path):
    """path.1 becomes path.2 and so on, compressed or not; returns path.1, which is free now."""
    last = 1
    while any(os.path.exists(f"{path}.{last}{end}") for end in ("", ".gz", ".zst")):
        last += 1
    for n in range(last - 1, 0, -1):
        for end in ("", ".gz", ".zst"):
            if os.path.exists(f"{path}.{n}{end}"):
                os.rename(f"{path}.{n}{end}", f"{path}.{n + 1}{end}")
    return path + ".1"


def rename(path, name=fresh):
    """Nothing is created: the writer will."""
    to = name(path)
    os.rename(path, to)
    return to


def rename_and_create(path, name=fresh):
    to = rename(path, name)
    open(path, "a").close()  # unless the writer was faster
    return to


def create_and_rename(path):
    """The new file is there, under another name, before the old one goes."""
    open(path + ".new", "x").close()
    os.rename(path, fresh(path))
    os.rename(path + ".new", path)


def copytruncate(path, name=fresh):
    to = name(path)
    shutil.copyfile(path, to)
    os.truncate(path, 0)
    return to


def compress(path, command="gzip"):
    """As a rotator does: at once, and the plain file is gone afterwards."""
    options = ["--quiet", "--rm"] if command == "zstd" else []
    subprocess.run([command, *options, path], check=True, timeout=DEADLINE)


def replace_link(path, target):
    """The symbolic link leads elsewhere from one moment to the next."""
    os.symlink(target, path + ".tmp")
    os.rename(path + ".tmp", path)


# -- what must have been counted ---------------------------------------------


def content(path):
    if path.endswith(".gz"):
        with gzip.open(path) as f:
            return f.read()
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True, timeout=DEADLINE).stdout
    with open(path, "rb") as f:
        return f.read()


class Rotation(Scenario):
    """Streams of numbered lines, and a daemon that keeps its state between restarts."""

    def setUp(self):
        super().setUp()
        self.pattern_file(PATTERN)
        self.streams = []
        self.comments = 0
        self.seen = {}
        self.vanished = 0  # files that went while the daemon was down: none can know what was still written to them
        self.d = None

    def stream(self, name, writer=None):
        """A log below logs/ (or at an absolute path), whose directory is made."""
        path = os.path.join(self.logs, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        stream = Stream(path, writer or re.sub(r"\W", "_", os.path.splitext(name)[0]).lstrip("_"))
        self.streams.append(stream)
        return stream

    def follow(self, *arguments):
        """From the very first look on: what is rotated before that is history, and does not count."""
        self.d = self.start("--storage.path", self.path("state"), *arguments)
        self.d.wait_value(0, "logtally_catching_up")
        return self.d

    def configure(self, text):
        """Arguments that make the daemon follow by logtally.yml."""
        self.write(self.path("logtally.yml"), text + f"patterns: [{self.patterns}]\n")
        return ["--config.file", self.path("logtally.yml")]

    def kill(self):
        self.d.kill9()

    def again(self):
        """The daemon stops, or was killed, and starts again."""
        self.d = self.restart(self.d)
        return self.d

    def counted(self):
        """{(file, writer): (lines, sum)}; no value ever goes backwards, whatever the daemon went through."""
        metrics = self.d.metrics()
        for key, value in self.seen.items():
            self.assertGreaterEqual(metrics.get(key, 0), value, f"{key} went backwards\n{self.d.log}")
        found = {}
        for (name, labels), value in metrics.items():
            if name in ("lines_total", "numbers_total"):
                self.seen[name, labels] = value
                found.setdefault(tuple(value for _, value in labels), {})[name] = value
        return metrics, {key: (parts.get("lines_total", 0), parts.get("numbers_total", 0)) for key, parts in found.items()}

    def expected(self):
        return {(s.file, s.writer): (s.count, s.sum) for s in self.streams if s.count}

    def wait_counted(self, lost=None):
        """Until exactly the streams' lines are counted; and as lost what `lost` says by reason, in bytes."""
        expected = self.expected()
        last = {}

        def difference():
            _, last["found"] = self.counted()
            found = last["found"]
            return {key: f"{found.get(key, (0, 0))}, not {expected.get(key, (0, 0))}"
                    for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)}

        def done():
            wrong = difference()
            for key, (count, total) in last["found"].items():
                most = expected.get(key, (0, 0))
                self.assertFalse(count > most[0] or total > most[1],
                                 f"counted too much (lines, sum): {wrong}\n{self.d.log}")
            last["wrong"] = wrong
            return not wrong

        try:
            wait_for("all lines to be counted", done)
        except AssertionError as error:
            if "wrong" not in last or "counted too much" in str(error) or "backwards" in str(error):
                raise
            self.fail(f"(lines, sum) counted: {last['wrong']}\n{self.d.log}")
        self.assertEqual(self.lost(), lost or {}, self.d.log)
        if not lost:
            # Of a file that went nothing may be left to count: that it is missed shows a little later.
            if self.vanished:
                wait_for("what vanished to be told", lambda: self.lost("generations"))
            self.assertEqual(self.lost("generations"), {"deleted": self.vanished} if self.vanished else {}, self.d.log)
        metrics, _ = self.counted()
        self.assertEqual(metrics.get(("comments_total", ()), 0), self.comments, self.d.log)
        self.assertEqual(metrics["logtally_unmatched_lines_total", ()], 0, self.d.log)
        self.assertEqual(metrics["logtally_lines_total", ()], sum(s.count for s in self.streams) + self.comments, self.d.log)

    def lost(self, what="bytes"):
        return {dict(labels)["reason"]: value for (name, labels), value in self.d.metrics().items()
                if name == f"logtally_lost_{what}_total" and value}

    def assert_kept(self):
        """What the test believes to have written, and every line of it, is on the disk, once or in copies."""
        lines = set()
        for folder, folders, names in os.walk(self.top):
            if folder == self.top:
                folders[:] = [f for f in folders if f not in ("state", "patterns")]
            for name in names:
                lines.update(re.findall(rb"line (\w+) (\d+)\r?\n", content(os.path.join(folder, name))))
        written = {(s.writer.encode(), b"%d" % n) for s in self.streams for n in range(s.first, s.next)}
        self.assertEqual(lines, written, "the test itself is wrong")

    def rotated_and_open(self):
        """A rotated file is followed as long as it may have a writer: for a second longer than it has."""
        current = {os.path.realpath(stream.path) for stream in self.streams}
        return {path for path in self.d.open_files(self.top) if not path.startswith(self.path("state"))} - current

    def finish(self, kept=True, lost=None):
        """
        All lines are counted; so is one more of each stream, and one after a restart.  Then nothing can be left
        that would be counted twice: older generations come first.
        """
        self.wait_counted(lost)
        if kept:
            self.assert_kept()
        for restart in (False, True):
            if restart:
                wait_for("rotated files to be closed", lambda: not self.rotated_and_open())
                self.again()
            for stream in self.streams:
                stream.write()
            self.wait_counted(lost)

    # -- two ways to be rotated

    def under_load(self, rotate, kind="reopen", at_least=3, kept=True, arguments=(), name="app.log"):
        """rotate(path, writer) again and again, while a process writes 20,000 lines and the daemon reads."""
        stream = self.stream(name)
        if self.d is None:
            self.follow(*arguments)
        writer = stream.begin(kind)
        self.addCleanup(writer.kill)
        rotations = 0
        while self._grown(stream.path, writer):
            rotate(stream.path, writer)
            rotations += 1
        writer.end()
        self.assertGreaterEqual(rotations, at_least)
        self.finish(kept)

    def _grown(self, path, writer):
        def grown():
            try:
                return os.path.getsize(path) >= GENERATION_BYTES or not writer.running
            except FileNotFoundError:
                return not writer.running
        wait_for("the log to grow", grown)
        return writer.running

    def while_down(self, rotate, kinds=("read", "unread", "torn"), generations=1, kept=True, arguments=(), head="",
                   created=True, vanished=0):
        """
        The daemon is killed.  By then it has counted all of read/app.log, not the last lines of unread/app.log,
        and half a line at the end of torn/app.log is finished later.  Then rotate(path) is called, and lines are
        written to the new file, once or several times, and the daemon starts again.
        """
        streams = {kind: self.stream(kind + "/app.log") for kind in kinds}
        for stream in streams.values():
            stream.append(head)
            self.comments += head.count("\n")
            stream.write(100)
        rest = streams["torn"].tear() if "torn" in kinds else None
        self.follow(*arguments)
        self.wait_counted()
        self.d.freeze()
        if "unread" in kinds:
            streams["unread"].write(50)
        self.kill()
        if "torn" in kinds:
            streams["torn"].mend(rest)
        for _ in range(generations):
            for stream in streams.values():
                rotate(stream.path)
                if created:
                    stream.append(head)
                    self.comments += head.count("\n")
                    stream.write(10)
        self.vanished = vanished
        self.again()
        self.finish(kept)


class Linked(Rotation):
    """A log that is found through symbolic links: each method lays one out, and returns its stream and what changes it, again and again."""

    def linked(self, name, target):
        stream = self.stream(name)
        os.symlink(target, stream.path)
        return stream

    def link_to_a_file(self):
        """current.log leads to 0.log, then to 1.log and so on."""
        os.mkdir(self.path("store"))
        stream = self.linked("current.log", "../store/0.log")
        count = itertools.count(1)
        return stream, lambda: replace_link(stream.path, f"../store/{next(count)}.log")

    def link_in_the_middle(self):
        """app.log -> ../now/app.log, and `now` leads to v0, then to v1 and so on."""
        stream = self.linked("app.log", "../now/app.log")
        os.mkdir(self.path("v0"))
        os.symlink("v0", self.path("now"))
        count = itertools.count(1)

        def change():
            version = f"v{next(count)}"
            os.mkdir(self.path(version))
            replace_link(self.path("now"), version)

        return stream, change

    def link_to_what_is_rotated(self):
        """The link stays; what it leads to is renamed, and a new file takes its place, beside it and not beside the link."""
        os.mkdir(self.path("store"))
        return self.linked("app.log", "../store/real.log"), lambda: rename_and_create(self.path("store", "real.log"))

    def links_of_a_container(self):
        """containers/x.log -> pods/x/0.log -> docker/x-json.log; the last one is rotated."""
        for folder in ("pods", "docker"):
            os.mkdir(self.path(folder))
        stream = self.linked("x.log", "../pods/0.log")
        os.symlink("../docker/x-json.log", self.path("pods/0.log"))
        return stream, lambda: rename_and_create(self.path("docker/x-json.log"))

    def links_of_kubernetes(self):
        """app.log -> ..data/app.log, ..data -> ..0; a new directory is linked in, the old one removed at once."""
        stream = self.linked("app.log", "..data/app.log")
        os.mkdir(self.log("..0"))
        os.symlink("..0", self.log("..data"))
        count = itertools.count(1)

        def change():
            n = next(count)
            os.mkdir(self.log(f"..{n}"))
            replace_link(self.log("..data"), f"..{n}")
            shutil.rmtree(self.log(f"..{n - 1}"))

        return stream, change
