"""Logs that begin with a byte order mark: UTF-16 of either order, and UTF-8."""

import codecs
import os
import subprocess

import rotation
from harness import DEADLINE, LOGTALLY, parse
from rotation import Rotation, Stream

MARKS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE, "utf-8": codecs.BOM_UTF8}

# Bytes that look like a newline's, and a character of two units.
NAME = "\u0a0a\u0a0d\u0d0a\u010a\u0a00\U0001f600é"
NAMES = """
rules:
  - name: name
    pattern: '^# (?<name>[^ ]+)$'
    metrics:
      - counter: names_total
        help: Lines by name.
        labels: {it: $name}
"""


class Marked(Stream):
    """What it writes to an empty file has a mark before it."""

    def __init__(self, path, encoding):
        super().__init__(path, encoding.replace("-", "_"))
        self.encoding = encoding

    def append(self, text):
        data = text if isinstance(text, bytes) else text.encode(self.encoding)
        with open(self.path, "ab") as f:
            f.write(data if f.tell() else MARKS[self.encoding] + data)

    def tear(self):
        """In the middle of a unit of two bytes."""
        line = f"line {self.writer} {self.next}\n".encode(self.encoding)
        self.append(line[:-3])
        return line[-3:]


class Encodings(Rotation):
    """Each test has a log in each encoding."""

    def setUp(self):
        super().setUp()
        self.pattern_file(NAMES, "names.yml")
        for encoding in MARKS:
            os.mkdir(self.log(encoding))
            self.streams.append(Marked(self.log(encoding + "/app.log"), encoding))

    def each(self, what):
        for stream in self.streams:
            what(stream)

    def write_all(self, count, end="\n"):
        self.each(lambda stream: stream.append(stream.take(count, end=end)))

    def write_names(self):
        self.each(lambda stream: stream.append(f"# {NAME}\n"))
        self.comments += len(self.streams)

    def wait_counted(self, lost=None):
        self.d.wait_value(self.comments or None, "names_total", it=NAME)
        super().wait_counted(lost)

    def test_kills_and_restarts(self):
        """Killed between lines and in the middle of a unit, whose rest is there at the start, or comes later."""
        self.write_all(100)
        self.write_names()
        self.follow()
        self.wait_counted()
        for after_the_start in (False, True):
            rests = [stream.tear() for stream in self.streams]
            self.wait_counted()
            self.kill()
            if after_the_start:
                self.again()
                self.wait_counted()
            for stream, rest in zip(self.streams, rests):
                stream.mend(rest)
            self.write_all(20, end="\r\n")
            self.write_names()
            if not after_the_start:
                self.again()
            self.wait_counted()
        self.finish(kept=False)

    def test_bytes_one_by_one(self):
        """The daemon sees the file with every byte that is written."""
        self.follow()
        for stream in self.streams:
            for byte in f"line {stream.writer} {stream.next}\n".encode(stream.encoding):
                stream.append(bytes([byte]))
                self.d.metrics()
            stream.next += 1
        self.wait_counted()
        self.write_names()
        self.finish(kept=False)

    def test_rotated_while_it_runs(self):
        """Renamed, copied and truncated, compressed; each new file begins with a mark again."""
        self.write_all(100)
        self.follow()
        self.wait_counted()
        self.write_names()
        self.each(lambda stream: rotation.rename(stream.path))
        self.write_all(10)
        self.wait_counted()
        with self.d.frozen():
            self.write_all(10)
            self.each(lambda stream: rotation.copytruncate(stream.path))
            self.write_all(50)
        self.write_names()
        self.wait_counted()
        self.each(lambda stream: rotation.compress(stream.path + ".1"))
        self.finish(kept=False)

    def test_rotated_while_down(self):
        """What was not read is in a copy, in a renamed file, in archives."""
        self.write_all(100)
        self.follow()
        self.wait_counted()
        for rotate in (rotation.copytruncate, rotation.rename,
                       lambda path: rotation.compress(rotation.rename(path)),
                       lambda path: rotation.compress(rotation.rename(path), "zstd")):
            self.kill()
            self.write_all(10)
            self.write_names()
            self.each(lambda stream: rotate(stream.path))
            self.write_all(10)
            self.again()
            self.wait_counted()
        self.finish(kept=False)

    def test_replay_counts_the_same(self):
        """Of the files, of archives of them, and of a pipe."""
        self.write_all(5000)
        self.write_names()
        self.each(lambda stream: stream.append(stream.take(1, end="")))
        self.assertEqual(self.replayed([self.logs]), self.written())
        for stream in self.streams:
            with open(stream.path, "rb") as f:
                self.assertEqual(self.replayed(["--as", stream.path, "-"], f.read()).items() & self.written().items(),
                                 {(stream.writer, (stream.count, stream.sum))})
        self.each(lambda stream: rotation.compress(stream.path))
        self.assertEqual(self.replayed([self.logs]), self.written())

    def written(self):
        return {stream.writer: (stream.count, stream.sum) for stream in self.streams}

    def replayed(self, inputs, stdin=b""):
        done = subprocess.run([LOGTALLY, "replay", "--patterns", self.patterns, *inputs], input=stdin, capture_output=True,
                              timeout=DEADLINE)
        self.assertEqual(done.returncode, 0, done.stderr)
        metrics = parse(done.stdout.decode())
        self.assertEqual(metrics["names_total", (("it", NAME),)], 1 if stdin else len(self.streams))
        found = {}
        for (name, labels), value in metrics.items():
            if name in ("lines_total", "numbers_total"):
                found.setdefault(dict(labels)["writer"], {})[name] = value
        return {writer: (parts["lines_total"], parts["numbers_total"]) for writer, parts in found.items()}
