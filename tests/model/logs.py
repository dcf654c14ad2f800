"""Log files, what their writers and rotations do to them, and what must be counted of it.

A stream is what one generation of a path holds: its lines carry its number, and
they are counted in order.  A log file on disk holds the lines of one stream,
after a copytruncate also the end of the line that the stream before it had begun.
A file that was rotated away is deleted as soon as a scrape has shown all of its
lines: whoever reads everything again has nothing to read.
"""

import datetime
import os
import shutil
import subprocess
import time

TICK = 0.01  # seconds; of the clock that file systems use


class Stream:
    """The lines of one generation: exactly these are counted, unless a loss is allowed."""

    def __init__(self, path, number, counts=True):
        self.path = path
        self.number = number
        self.counts = counts  # False: there before the very first start as a rotated file
        self.sums = [0]  # of the line numbers, after each line
        self.sizes = [0]
        self.shown = 0  # lines, by the latest scrape
        self.pending = None  # (file, rest of a line) of an unfinished line
        self.may_lose = False

    @property
    def written(self):
        return len(self.sums) - 1

    def add(self, number, size):
        self.sums.append(self.sums[-1] + number)
        self.sizes.append(self.sizes[-1] + size)

    @property
    def done(self):
        """All of it was shown."""
        return self.pending is None and (self.shown == self.written or not self.counts)

    def __str__(self):
        return f"{self.path}#{self.number}"


class File:
    """A file on disk under its present name; name None: deleted."""

    def __init__(self, name, streams, fd=None):
        self.name = name
        self.streams = streams
        self.fd = fd
        self.truncated_in_a_line = False
        self.held_by = None  # the daemon that certainly has it open

    @property
    def done(self):
        return all(stream.done for stream in self.streams)

    @property
    def pending(self):
        return next((s for s in self.streams if s.pending and s.pending[0] is self), None)

    @property
    def tells(self):
        """Where a line that a copytruncate cut goes on shows as long as the truncated file is there."""
        return not self.truncated_in_a_line or self.streams[0].done

    @property
    def compressed(self):
        return self.name.endswith((".gz", ".zst"))

    def close(self):
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


class Log:
    """One followed path."""

    def __init__(self, path, label, random, note, keeps_open):
        self.path = path
        self.label = label
        self.random = random
        self.note = note
        self.keeps_open = keeps_open
        self.streams = []
        self.current = None
        self.old = []
        self.dates = 0
        self.went_unseen = False  # names went while no daemon lived to see it, or too late for it to be seen
        self.looked = False  # the daemon that lives now has had its first look
        self.went = 0  # scrapes until it is sure that the daemon has seen which names went

    # -- writing ---------------------------------------------------------------

    def _stream(self, counts=True):
        stream = Stream(self.label, len(self.streams) + 1, counts)
        self.streams.append(stream)
        return stream

    def line(self, stream, size=None):
        """(number, bytes) of a new line; `size`: of the whole line, if it has room."""
        number = self.random.randrange(1, 1 << 20)
        text = f"p={self.label} g={stream.number} n={number} ".encode()
        if size is None:
            size = len(text) + 1 + self.random.choice((0, 10, 60, 200, 3000) if self.random.random() < 0.2 else (5, 20, 40))
        return number, text + os.urandom(size).hex().encode()[: max(size - len(text) - 1, 0)] + b"\n"

    def create(self):
        self.current = File(self.path, [self._stream()])
        self._open(self.current)

    def _open(self, file):
        if file.fd is None:
            file.fd = os.open(file.name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def _writable(self):
        """The current file, opened, and the stream that its next line belongs to."""
        if self.current is None:
            self.create()
        self._open(self.current)
        if self.current.pending:
            self.finish(self.current)
            self._open(self.current)
        return self.current, self.current.streams[-1]

    def write(self, count):
        file, stream = self._writable()
        batch = b""
        for _ in range(count):
            number, text = self.line(stream)
            batch += text
            stream.add(number, len(text))
            if len(batch) > 1 << 15:
                os.write(file.fd, batch)
                batch = b""
        os.write(file.fd, batch)
        if not self.keeps_open:
            file.close()
        self.note(f"{stream}: {count} lines, up to {stream.written}")

    def fill(self, size):
        """Writes to a file that was just truncated until it has exactly this size, if possible."""
        file, stream = self._writable()
        have = os.fstat(file.fd).st_size
        while size - have >= 200:
            number, text = self.line(stream, min(size - have, 2000) if size - have < 2200 else 2000)
            os.write(file.fd, text)
            stream.add(number, len(text))
            have += len(text)
        if not self.keeps_open:
            file.close()
        self.note(f"{stream}: filled up to {have} of {size} bytes, {stream.written} lines")

    def begin(self):
        """The first part of a line; the writer keeps the file open until it finishes it."""
        file, stream = self._writable()
        number, text = self.line(stream)
        cut = self.random.randrange(1, len(text))
        os.write(file.fd, text[:cut])
        stream.pending = (file, text[cut:], number, len(text))
        self.note(f"{stream}: {cut} bytes of a line")

    def finish(self, file):
        stream = file.pending
        if stream is None:
            return
        _, rest, number, size = stream.pending
        os.write(file.fd, rest)
        stream.add(number, size)
        stream.pending = None
        if file is not self.current or not self.keeps_open:
            file.close()
        if file.name is None and file.held_by is None:
            stream.may_lose = True
        self.note(f"{stream}: finished line {stream.written} in {file.name or 'a deleted file'}")

    def finish_all(self):
        for file in self.files():
            self.finish(file)

    def files(self):
        return self.old + ([self.current] if self.current else [])

    # -- rotating --------------------------------------------------------------

    def _put_away(self):
        """The current file becomes an old one; a writer stays only for an unfinished line."""
        file, self.current = self.current, None
        if not file.pending:
            file.close()
        self.old.append(file)
        return file

    def _rename(self, file, name):
        self.note(f"rename {os.path.basename(file.name)} to {os.path.basename(name)}")
        os.rename(file.name, name)
        file.name = name

    def _named(self):
        return [file for file in self.old if file.name is not None]

    def _free_name(self, style):
        taken = {os.path.basename(f.name).removesuffix(".gz").removesuffix(".zst") for f in self._named()}
        base = os.path.basename(self.path)
        if style in ("old", "~"):
            name = base + (".old" if style == "old" else "~")
            if name not in taken:
                return self.path + name[len(base):]
            style = "date"
        if style == "date":
            self.dates += 1
            return self.path + "-" + (datetime.date(2026, 1, 1) + datetime.timedelta(self.dates)).strftime("%Y%m%d")
        numbers = [int(n[len(base) + 1:]) for n in taken if n[len(base):len(base) + 1] == "." and n[len(base) + 1:].isdigit()]
        return self.path + f".{max(numbers, default=0) + 1}"

    def _shift(self):
        """NAME.2 to NAME.3, NAME.1 to NAME.2, archives too: NAME.1 is free then."""
        numbered = []
        for file in self._named():
            rest = file.name[len(self.path):]
            suffix = next((s for s in (".gz", ".zst") if rest.endswith(s)), "")
            number = rest.removesuffix(suffix)[1:]
            if number.isdigit() and rest[0] == ".":
                numbered.append((int(number), suffix, file))
        for number, suffix, file in sorted(numbered, key=lambda entry: -entry[0]):
            self._rename(file, f"{self.path}.{number + 1}{suffix}")
        return self.path + ".1"

    def rotated_name(self):
        style = self.random.choice(("shift", "shift", "shift", "date", "count", "old", "~"))
        return self._shift() if style == "shift" else self._free_name(style)

    def rotate_rename(self, create):
        if self.current is None or not self.current.tells:
            return None
        self._rename(self.current, self.rotated_name())
        file = self._put_away()
        if create:
            self.create()
            self.note(f"{self.current.streams[0]}: created")
        return file

    def rotate_copytruncate(self, regrow):
        """`regrow`: of the old size, how much the writer adds at once; None: lines as they come."""
        if self.current is None or not self.current.tells:
            return
        file, name = self.current, self.rotated_name()
        self._open(file)
        # Which of a copy and its original comes first only their times tell: they differ by a tick at least.
        unfinished = any(stream.pending for stream in file.streams)
        time.sleep(TICK if unfinished else 0)
        self.note(f"copytruncate to {os.path.basename(name)}, regrow {regrow}")
        (shutil.copy2 if self.random.random() < 0.3 else shutil.copyfile)(self.path, name)
        size = os.fstat(file.fd).st_size
        os.ftruncate(file.fd, 0)
        self.old.append(File(name, list(file.streams)))
        time.sleep(TICK if unfinished else 0)
        # The end of an unfinished line is written to the truncated file.
        file.streams = [stream for stream in file.streams if stream.pending] + [self._stream()]
        file.truncated_in_a_line = unfinished
        if regrow is not None:
            self.fill(int(size * regrow))
        elif not self.keeps_open and not file.pending:
            file.close()

    def compress(self, file, program):
        if file is None or file.name is None or file.compressed or not file.tells:
            return
        self.finish(file)
        self.note(f"{program} {os.path.basename(file.name)}")
        subprocess.run({"gzip": ["gzip", "-q", "-1"], "zstd": ["zstd", "-q", "-1", "--rm"]}[program] + [file.name], check=True)
        file.name += {"gzip": ".gz", "zstd": ".zst"}[program]
        file.held_by = None

    # -- what may lose lines ---------------------------------------------------

    def _name_went(self, running):
        self.went = 2
        self.went_unseen |= running is None or not self.looked

    def _deleted(self, file, running):
        """It has no name any more; `running`: the daemon that lives now, or None."""
        file.name = None
        self._name_went(running)
        if not file.done and file.held_by is not running or running is None:
            file.held_by = None
            for stream in file.streams:
                stream.may_lose |= not stream.done

    def delete(self, running):
        if self.current is None or not self.current.tells:
            return
        self.note(f"delete {self.label}, shown {[f'{s.shown}/{s.written}' for s in self.current.streams]}")
        os.unlink(self.current.name)
        self._deleted(self._put_away(), running)

    def replace(self, running):
        """A new file, written under another name, takes the path's place at once."""
        if self.current is None or not self.current.tells:
            return
        old = self._put_away()
        other = os.path.join(os.path.dirname(self.path), f".{self.label}.{len(self.streams)}.new")
        self.current = File(other, [self._stream()])
        self.write(self.random.randrange(0, 5))
        self.note(f"rename it over {self.label}, shown {[f'{s.shown}/{s.written}' for s in old.streams]}")
        os.rename(other, self.path)
        self.current.name = self.path
        self._deleted(old, running)

    def truncate(self):
        if self.current is None or not self.current.tells:
            return
        self.finish(self.current)
        for stream in self.current.streams:
            stream.may_lose |= not stream.done
        self.note(f"truncate {self.label}, shown {[f'{s.shown}/{s.written}' for s in self.current.streams]}")
        os.truncate(self.current.name, 0)
        self.went, self.went_unseen = 2, True
        self.current.streams = [self._stream()]

    def died(self):
        """No daemon has a file open any more: of those without a name the rest is lost."""
        self.went_unseen |= self.went > 0
        self.looked = False
        for file in self.files():
            file.held_by = None
            if file.name is None:
                for stream in file.streams:
                    stream.may_lose |= not stream.done

    # -- after a scrape --------------------------------------------------------

    def held(self, daemon, grown):
        """Lines of these streams were shown as counted by this daemon: it has their files open."""
        for file in self.files():
            if file.name is not None and file.streams[-1] in grown:
                file.held_by = daemon

    def drop_shown(self):
        self.went = max(self.went - 1, 0)  # a scrape may come before the event
        for file in [file for file in self.old if file.done and file.streams[0].counts]:
            if file.name is not None:
                self.note(f"delete {os.path.basename(file.name)}: all of it was shown")
                os.unlink(file.name)
                self.went = 2
                self.went_unseen |= not self.looked
            file.close()
            self.old.remove(file)

    def add_ancient(self, lines):
        """A rotated file that was there before the very first start: recorded, never read."""
        stream = self._stream(counts=False)
        file = File(self._free_name("count"), [stream])
        with open(file.name, "wb") as f:
            for _ in range(lines):
                f.write(self.line(stream)[1])
        self.old.append(file)
        self.note(f"{stream}: was there before, as {os.path.basename(file.name)}")
