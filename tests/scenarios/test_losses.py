"""What the operating system made unreadable is counted, in bytes and files, by reason, and logged once."""

import glob
import os

from harness import wait_for
from rotation import Rotation

HALF = "line half a line"  # never finished: the state has seen these bytes, and nobody has counted them


class Losses(Rotation):
    def assert_one_loss(self, reason, lost_bytes, path):
        """One file, so many bytes, one warning that says both."""
        self.assertEqual(self.lost(), {reason: lost_bytes}, self.d.log)
        self.assertEqual(self.lost("generations"), {reason: 1}, self.d.log)
        warnings = [line for line in self.d.lines if path in line and f"={lost_bytes}" in line and "level=warn" in line]
        self.assertEqual(len(warnings), 1, self.d.log)

    def seen_and_killed(self, tail=HALF):
        """app.log has 100 lines, which are counted, and `tail`; the state knows both."""
        stream = self.stream("app.log")
        stream.write(100)
        stream.append(tail)
        self.follow()
        self.wait_counted()
        self.assertEqual(self.d.value("logtally_file_lag_bytes", file=stream.path), len(tail))
        self.kill()
        return stream

    def test_deleted_while_down(self):
        """The file is gone when the daemon starts, with bytes that it had not counted."""
        stream = self.seen_and_killed()
        os.unlink(stream.path)
        stream.write(10)
        self.again()
        wait_for("the loss", self.lost)
        self.assert_one_loss("deleted", len(HALF), stream.path)
        self.finish(kept=False, lost={"deleted": len(HALF)})

    def test_deleted_while_down_with_all_that_was_known(self):
        """No byte is known to be lost, but that the file went unseen is an event, and logged."""
        stream = self.seen_and_killed(tail="")
        os.unlink(stream.path)
        self.vanished = 1
        self.again()
        wait_for("the event", lambda: self.lost("generations"))
        self.assertIn(f"path={stream.path} reason=deleted lost_bytes=0", self.d.log)
        stream.write(10)
        self.finish(kept=False)

    def test_truncated_while_down_without_a_copy(self):
        """The file starts over and there is no copy anywhere."""
        stream = self.seen_and_killed()
        os.truncate(stream.path, 0)
        stream.write(10)
        self.again()
        wait_for("the loss", self.lost)
        self.assert_one_loss("truncated", len(HALF), stream.path)
        self.finish(kept=False, lost={"truncated": len(HALF)})

    def test_truncated_without_a_copy(self):
        """The same while the daemon runs."""
        stream = self.stream("app.log")
        stream.write(100)
        stream.append(HALF)
        self.follow()
        self.wait_counted()
        self.assertEqual(self.d.value("logtally_file_lag_bytes", file=stream.path), len(HALF))
        with self.d.frozen():
            os.truncate(stream.path, 0)
            stream.write(10)
        wait_for("the loss", self.lost)
        self.assert_one_loss("truncated", len(HALF), stream.path)
        self.finish(kept=False, lost={"truncated": len(HALF)})

    def test_read_in_part_and_deleted_while_down(self):
        """The kill comes in the middle of a large backlog: what is counted and what is lost add up to the file."""
        stream = self.stream("app.log")
        text = "".join(f"line app {n}\n" for n in range(1, 1000001))
        stream.append(text)
        self.follow()
        wait_for("some of it", lambda: self.d.value("logtally_bytes_read_total"))
        self.kill()
        os.unlink(stream.path)
        self.again()

        def read():
            return self.d.value("logtally_bytes_read_total")

        if read() < len(text):
            wait_for("the loss", self.lost)
        self.assertEqual(read() + self.lost().get("deleted", 0), len(text), self.d.log)

    def tail_vanished(self, stream, keep_lines, down):
        with open(stream.path, "rb") as f:
            lines = f.readlines()
        kept = sum(map(len, lines[:keep_lines]))
        lost = sum(map(len, lines[keep_lines:]))
        if down:
            self.kill()
        os.truncate(stream.path, kept)
        if down:
            stream.append("")
            self.again()
        wait_for("the loss", self.lost)
        self.assert_one_loss("tail_vanished", lost, stream.path)
        stream.write(10)
        self.finish(kept=False, lost={"tail_vanished": lost})

    def test_the_tail_vanished_while_down(self):
        """As after power loss: the file is shorter, what is left of it is as it was.  Following goes on at its end."""
        stream = self.stream("app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        self.tail_vanished(stream, 60, down=True)

    def test_the_tail_vanished_and_the_file_has_grown_again(self):
        """It is shorter still than it was: what comes behind the old end of the rest is new."""
        stream = self.stream("app.log")
        stream.write(1000)
        self.follow()
        self.wait_counted()
        size = os.path.getsize(stream.path)
        self.kill()
        with open(stream.path, "rb") as f:
            kept = sum(map(len, f.readlines()[:600]))
        os.truncate(stream.path, kept)
        self.again()
        wait_for("the loss", self.lost)
        self.kill()
        stream.write(10)
        self.again()
        self.finish(kept=False, lost={"tail_vanished": size - kept})

    def state_is_lost(self, spoil):
        """The file of the saved state is spoiled: it is set aside, and nothing that is there is read again."""
        stream = self.stream("app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        self.kill()
        stream.write(50)
        size = os.path.getsize(stream.path)
        spoil(self.path("state", "state.db"))
        self.seen.clear()
        stream.first = stream.next
        self.again()
        wait_for("the loss", self.lost)
        self.assert_one_loss("state_lost", size, stream.path)
        aside = [name for name in glob.glob(self.path("state", "state.db.*")) if not name.endswith(("-wal", "-shm"))]
        self.assertEqual(len(aside), 1, os.listdir(self.path("state")))
        self.assertIn(os.path.basename(aside[0]), self.d.log)
        stream.write(10)
        self.wait_counted({"state_lost": size})
        self.finish(kept=False, lost={"state_lost": size})

    def test_the_state_is_garbage(self):
        self.state_is_lost(lambda path: self.write(path, b"\0garbage" * 1000))

    def test_the_state_is_corrupt_in_the_middle(self):
        """The header is as it was; everything behind the first page is not, and there is no WAL."""
        def spoil(path):
            for name in (path + "-wal", path + "-shm"):
                if os.path.exists(name):
                    os.unlink(name)
            size = max(os.path.getsize(path), 8192)
            with open(path, "r+b") as f:
                f.seek(100)
                f.write(b"\xa5" * (size - 100))

        self.state_is_lost(spoil)

    def test_the_state_is_missing(self):
        """Somebody has removed the directory: that is a first start, which reads all."""
        stream = self.stream("app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        self.d.stop()
        for name in glob.glob(self.path("state", "*")):
            os.unlink(name)
        self.seen.clear()
        self.again()
        self.finish()
