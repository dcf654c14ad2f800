"""What is read at the very first start, at later ones, and what is not."""

import contextlib
import sqlite3

import rotation
from harness import wait_for
from rotation import Rotation


class FirstStart(Rotation):
    def old_files(self):
        """app.log, and what was rotated long before anyone followed it."""
        stream = self.stream("app.log")
        for kind, count in (("gzip", 30), ("zstd", 20), (None, 10)):
            stream.append("".join(f"line old {n}\n" for n in range(count)))
            old = rotation.rename_and_create(stream.path, rotation.shift)
            if kind:
                rotation.compress(old, kind)
        stream.write(100)
        return stream

    def not_read(self, arguments=()):
        stream = self.old_files()
        self.follow(*arguments)
        self.wait_counted()
        self.kill()
        stream.write(10)
        self.again()
        self.wait_counted()
        self.kill()
        stream.write(10)
        rotation.rename_and_create(stream.path, rotation.shift)
        rotation.compress(stream.path + ".2")
        stream.write(10)
        self.again()
        self.wait_counted()
        rotation.rename_and_create(stream.path, rotation.shift)
        rotation.compress(stream.path + ".2")
        stream.write(10)
        self.finish(kept=False)

    def test_rotated_files_that_were_there_before_are_not_read(self):
        """Neither at the first start nor later, when their numbers are shifted and app.log.1 is compressed."""
        self.not_read()

    def test_rotated_files_that_were_there_before_are_not_read_if_the_glob_matches_them(self):
        self.not_read(("--logs", self.logs + "/*.log*"))

    def test_what_is_not_shown_yet_is_still_being_caught_up_with(self):
        """Somebody else holds the database when the first backlog has been read: what a scrape is shown is from before."""
        self.stream("app.log").write(10)
        self.follow()
        self.wait_counted()
        self.d.stop()
        with contextlib.closing(sqlite3.connect(self.path("state", "state.db"), isolation_level=None)) as db:
            db.execute("DELETE FROM meta WHERE key = 'caught_up'")  # as when killed before
            db.execute("BEGIN IMMEDIATE")
            self.again()
            wait_for("the backlog", lambda: "msg=\"caught up" in self.d.log)
            metrics = self.d.metrics()
            self.assertNotIn(("comments_total", ()), metrics)
            self.assertEqual(metrics["logtally_catching_up", ()], 1)
            db.execute("ROLLBACK")
        metrics = wait_for("the end of it", lambda: (found := self.d.metrics())["logtally_catching_up", ()] == 0 and found)
        self.assertEqual(metrics["comments_total", ()], 0)
        self.wait_counted()

    def test_a_file_that_comes_while_the_daemon_is_stopped_is_read_from_its_start(self):
        """So is one in a new directory, and one that has been rotated meanwhile."""
        first = self.stream("first.log")
        first.write(100)
        self.follow()
        self.wait_counted()
        for stop in (self.d.stop, self.kill):
            stop()
            n = len(self.streams)
            for name in (f"new{n}.log", f"folder{n}/new.log"):
                self.stream(name).write(100)
            rotated = self.stream(f"rotated{n}.log")
            rotated.write(50)
            rotation.compress(rotation.rename_and_create(rotated.path))
            rotated.write(10)
            self.again()
            self.wait_counted()
        self.finish()

    def test_a_file_that_comes_while_the_daemon_runs_is_read_from_its_start(self):
        self.follow(*self.configure(f"logs: [{{path: {self.logs}, start_at: end}}]\n"))
        self.d.wait_value(0, "logtally_catching_up")
        self.stream("app.log").write(100)
        self.finish()

    def test_start_at_end_is_for_the_first_start_only(self):
        """What is there when the path is first configured is not read; what is written while the daemon is down is."""
        stream = self.stream("app.log")
        stream.append("".join(f"line old {n}\n" for n in range(100)))
        self.follow(*self.configure(f"logs: [{{path: {self.logs}, start_at: end}}]\n"))
        self.d.wait_value(0, "logtally_catching_up")
        self.wait_counted()
        stream.write(10)
        self.wait_counted()
        self.kill()
        stream.write(5)
        self.stream("new.log").write(20)
        self.again()
        self.wait_counted()
        self.kill()
        stream.write(5)
        rotation.rename_and_create(stream.path)
        stream.write(5)
        self.again()
        self.finish(kept=False)

    def test_start_at_end_holds_though_nothing_was_ever_counted(self):
        """The daemon is killed before a line comes: what comes meanwhile counts, what was there does not."""
        stream = self.stream("app.log")
        stream.append("".join(f"line old {n}\n" for n in range(100)))
        self.follow(*self.configure(f"logs: [{{path: {self.logs}, start_at: end}}]\n"))
        self.d.wait_value(0, "logtally_catching_up")
        self.kill()
        stream.write(5)
        self.again()
        self.finish(kept=False)

    def test_a_path_that_is_configured_later_has_a_first_start_of_its_own(self):
        """start_at: end, and rotated files there that are not read, for a second directory in a later run."""
        first = self.stream("app.log")
        first.write(10)
        arguments = self.configure(f"logs: [{self.logs}]\n")
        self.follow(*arguments)
        self.wait_counted()
        self.kill()
        second = self.stream(self.path("second/b.log"), "b")
        for name in ("b.log", "b.log.1"):
            self.write(self.path("second", name), "".join(f"line old {n}\n" for n in range(100)))
        self.configure(f"logs: [{self.logs}, {{path: {self.path('second')}, start_at: end}}]\n")
        first.write(10)
        self.again()
        self.wait_counted()
        second.write(10)
        self.finish(kept=False)
