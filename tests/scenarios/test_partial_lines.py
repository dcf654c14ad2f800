"""Lines that are unfinished when something happens to the file, or to the daemon."""


import rotation
from rotation import Rotation


class PartialLines(Rotation):
    def torn(self, name="app.log"):
        """A log of 100 lines and a half, which is seen."""
        stream = self.stream(name)
        stream.next = stream.first = 1001
        stream.write(100)
        rest = stream.tear()
        return stream, rest

    def test_finished_while_down(self):
        """The half line that was there at the kill is whole at the start, and counts once."""
        stream, rest = self.torn()
        self.follow()
        self.wait_counted()
        self.kill()
        stream.mend(rest)
        self.again()
        self.finish()

    def test_finished_after_a_restart(self):
        """It is still half a line at the start."""
        stream, rest = self.torn()
        self.follow()
        self.wait_counted()
        self.kill()
        self.again()
        self.wait_counted()
        stream.mend(rest)
        self.finish()

    def test_finished_in_the_renamed_file(self):
        """The writer ends its line after the rename: the new file's lines come after it."""
        stream, rest = self.torn()
        self.follow()
        self.wait_counted()
        with open(stream.path, "a") as old:
            rotation.rename_and_create(stream.path)
            old.write(rest)
            stream.next += 1
        stream.write(10)
        self.finish()

    def test_never_finished_in_a_renamed_file(self):
        """The last writer closes the rotated file without a newline: what is there is a line."""
        stream = self.stream("app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        with open(stream.path, "a") as old:
            line = stream.take(1, end="")
            old.write(line)
            old.flush()
            rotation.rename_and_create(stream.path)
        stream.write(10)
        self.wait_counted()
        for s in self.streams:
            s.write(1)
        self.wait_counted()
        self.again()
        stream.write(1)
        self.wait_counted()

    def test_never_finished_in_a_file_that_was_renamed_while_down(self):
        """Nobody has the rotated file open when the daemon starts: its last line has no newline, and counts."""
        seen = self.stream("seen/app.log")
        unseen = self.stream("unseen/app.log")
        gzipped = self.stream("gzipped/app.log")
        for stream in self.streams:
            stream.write(100)
        self.follow()
        self.wait_counted()
        seen.append(seen.take(1, end=""))
        self.kill()
        for stream in (unseen, gzipped):
            stream.append(stream.take(1, end=""))
        for stream in self.streams:
            old = rotation.rename_and_create(stream.path)
            if stream is gzipped:
                rotation.compress(old)
            stream.write(10)
        self.again()
        self.wait_counted()
        for restart in (False, True):
            if restart:
                self.again()
            for stream in self.streams:
                stream.write()
            self.wait_counted()

    def test_the_writer_finishes_the_line_of_a_rotated_file_after_a_restart(self):
        """Renamed while the daemon is down, and the writer still has it, in the middle of a line."""
        stream, rest = self.torn()
        self.follow()
        self.wait_counted()
        self.kill()
        with open(stream.path, "a") as old:
            rotation.rename_and_create(stream.path)
            self.again()
            old.write(rest)
            stream.next += 1
        stream.write(10)
        self.finish()

    def test_joined_over_a_copytruncate(self):
        """The truncation comes in the middle of a line: the stream is the writer's, the line goes on in the new file."""
        running, rest = self.torn("running/app.log")
        self.follow()
        self.wait_counted()
        rotation.copytruncate(running.path)
        running.mend(rest)
        running.write(10)
        self.wait_counted()
        held, rest = self.torn("held/app.log")
        self.wait_counted()
        with self.d.frozen():
            rotation.copytruncate(held.path)
            held.mend(rest)
            held.write(10)
        self.wait_counted()
        self.finish(kept=False)

    def test_joined_over_a_copytruncate_while_down(self):
        """Half of the line was seen, or none of it."""
        seen, rest_of_seen = self.torn("seen/app.log")
        unseen = self.stream("unseen/app.log")
        unseen.write(100)
        self.follow()
        self.wait_counted()
        self.kill()
        unseen.write(20)
        rest_of_unseen = unseen.tear()
        for stream, rest in ((seen, rest_of_seen), (unseen, rest_of_unseen)):
            rotation.copytruncate(stream.path)
            stream.mend(rest)
            stream.write(10)
        self.again()
        self.finish(kept=False)

    def test_crlf(self):
        """Lines end in CRLF, one of them over a kill and one over a rename."""
        stream = self.stream("app.log")
        stream.append(stream.take(100, end="\r\n"))
        stream.append(f"line app {stream.next}\r")
        self.follow()
        self.wait_counted()
        self.kill()
        stream.append("\n")
        stream.next += 1
        stream.append(stream.take(10, end="\r\n"))
        self.again()
        self.wait_counted()
        with open(stream.path, "a", newline="") as old:
            old.write(f"line app {stream.next}\r")
            old.flush()
            rotation.rename_and_create(stream.path)
            old.write("\n")
            stream.next += 1
        stream.append(stream.take(10, end="\r\n"))
        self.finish()
