"""The disk of the saved state: full, read-only, or with a database that is broken."""

import glob
import os
import subprocess
import time
import unittest

from harness import Scenario, wait_for

EVENTS = r"""
rules:
  - name: event
    pattern: '^event=(?<event>\w+)'
    metrics:
      - counter: all_events_total
        help: Events.
      - counter: events_total
        help: Events by name.
        labels: {event: $event}
"""


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


class WithState(Scenario):
    def setUp(self):
        super().setUp()
        self.pattern_file(EVENTS)
        self.state = self.path("state")
        self.written = 0
        self.most = {}
        self.write(self.log("a.log"), "")

    def begin(self, *arguments):
        return self.start("--storage.path", self.state, *arguments)

    def events(self, count, kinds=5):
        """Lines with `kinds` names, each time others if there are many."""
        self.append(self.log("a.log"), "".join(f"event=e{(self.written + i) % kinds if kinds < 10 else self.written + i}\n" for i in range(count)))
        self.written += count

    def scrape(self, d):
        """Metrics, of which nothing is less than it was shown before."""
        metrics = d.metrics()
        for key, value in metrics.items():
            if key[0] in ("all_events_total", "events_total", "logtally_lines_total", "logtally_bytes_read_total"):
                self.assertGreaterEqual(value, self.most.get(key, 0), key)
                self.most[key] = value
        for key in self.most:
            self.assertIn(key, metrics)
        return metrics

    def total(self, d):
        return self.scrape(d).get(("all_events_total", ()), 0)

    def wait_total(self, d, expected):
        wait_for(f"{expected} events", lambda: self.total(d) == expected)

    def kill(self, d):
        d.process.kill()
        d.process.wait()
        self.daemons.remove(d)
        d.reader.join()
        d.process.stderr.close()

    def assert_exact(self, d):
        """All that was written is counted once, also after one more kill with nothing left to read again."""
        self.wait_total(d, self.written)
        self.kill(d)
        d = self.begin()
        d.wait_value(0, "logtally_catching_up")
        time.sleep(0.2)
        self.assertEqual(self.total(d), self.written)
        return d


@unittest.skipUnless(can_mount(), "needs to mount")
class Deleted(WithState):
    def test_a_database_that_is_deleted_or_moved_while_it_is_used_is_told_and_may_be_put_back(self):
        """An operator tidies up the wrong directory: saving to a file without a name must not look like success."""
        d = self.begin()
        self.events(3)
        self.wait_total(d, 3)
        self.assertEqual(d.value("logtally_commit_errors_total"), 0)
        os.rename(self.state, self.state + ".away")
        self.events(2)
        wait_for("failed commits", lambda: d.value("logtally_commit_errors_total") > 0)
        wait_for("a word of it", lambda: "moved or deleted while the daemon runs" in d.log)
        self.assertEqual(self.total(d), 3, "what was saved last")
        os.rename(self.state + ".away", self.state)
        self.wait_total(d, 5)


class FullDisk(WithState):
    def setUp(self):
        super().setUp()
        os.mkdir(self.state)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", self.state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.state], capture_output=True)

    def tearDown(self):
        for daemon in self.daemons:
            daemon.stop()
        subprocess.run(["umount", "-l", self.state], check=True)
        super().tearDown()

    def fill_up(self):
        with open(self.state + "/filler", "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass

    def fail_to_commit(self, d):
        """Fills the disk and writes until commits fail."""
        self.fill_up()
        end = time.monotonic() + 30
        before = d.value("logtally_commit_errors_total") or 0
        while (d.value("logtally_commit_errors_total") or 0) == before:
            self.assertLess(time.monotonic(), end, "commits go on, on a disk that is full")
            self.events(500, kinds=500)
            self.scrape(d)

    def test_a_full_disk_loses_nothing_when_there_is_space_again(self):
        """Commits fail and are counted, reading and scrapes go on; then space returns, then the daemon is killed."""
        d = self.begin()
        self.events(100)
        self.wait_total(d, 100)
        self.fail_to_commit(d)
        at_first = self.scrape(d)
        for _ in range(5):
            self.events(20)
            self.scrape(d)
        self.assertGreater(self.scrape(d)["logtally_commit_errors_total", ()], at_first["logtally_commit_errors_total", ()])
        self.assertIn("level=error", d.log.replace("level=warn", "level=error"))
        os.unlink(self.state + "/filler")
        self.wait_total(d, self.written)
        errors = d.value("logtally_commit_errors_total")
        self.events(10)
        self.wait_total(d, self.written)
        self.assertEqual(d.value("logtally_commit_errors_total"), errors, "commits succeed again")
        self.assert_exact(d)

    def test_what_is_shown_while_the_disk_is_full_was_saved_before(self):
        """Killed while the disk is full, and the log has gone: the next start shows no less than was ever shown."""
        d = self.begin()
        self.events(100)
        self.wait_total(d, 100)
        self.fail_to_commit(d)
        for _ in range(10):
            self.events(50)
            self.scrape(d)
        shown = self.total(d)
        self.assertLess(shown, self.written)
        self.kill(d)
        os.unlink(self.state + "/filler")
        os.unlink(self.log("a.log"))
        d = self.begin()
        d.wait_value(0, "logtally_catching_up")
        self.assertGreaterEqual(self.total(d), 100)

    def test_killed_while_the_disk_is_full_it_goes_on_from_the_last_commit(self):
        """As above with the log still there: every line is counted once."""
        d = self.begin()
        self.events(100)
        self.wait_total(d, 100)
        self.fail_to_commit(d)
        self.events(50)
        self.scrape(d)
        self.kill(d)
        os.unlink(self.state + "/filler")
        self.assert_exact(self.begin())

    def test_a_read_only_state_directory_is_refused_and_harmed_in_no_way(self):
        d = self.begin()
        self.events(100)
        self.wait_total(d, 100)
        self.kill(d)
        self.events(10)
        subprocess.run(["mount", "-o", "remount,ro", self.state], check=True)
        status, _, err = self.run_once("run", "--logs", self.logs, "--patterns", self.patterns, "--storage.path", self.state,
                                       "--web.listen-address", "127.0.0.1:0")
        self.assertEqual(status, 1)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertIn(self.state, err)
        subprocess.run(["mount", "-o", "remount,rw", self.state], check=True)
        self.assert_exact(self.begin())


class BrokenDatabase(WithState):
    def one_run(self, events):
        d = self.begin()
        d.wait_value(0, "logtally_catching_up")
        self.events(events)
        self.wait_total(d, self.written)
        d.stop()
        self.daemons.remove(d)

    def overwrite(self, path, at, count, text=b"\xa5"):
        with open(path, "r+b") as f:
            f.seek(at)
            f.write(text * count)

    def database(self):
        found = glob.glob(self.state + "/*.db")
        self.assertEqual(len(found), 1, os.listdir(self.state))
        return found[0]

    def assert_set_aside(self):
        """The broken one has a new name with a time, what is there is not read, its bytes are told, new lines count."""
        lost = os.path.getsize(self.log("a.log"))
        database = self.database()
        d = self.begin()
        d.wait_value(0, "logtally_catching_up")
        aside = [path for path in glob.glob(database + ".*") if not path.endswith(("-wal", "-shm"))]
        self.assertEqual(len(aside), 1, os.listdir(self.state))
        self.assertRegex(aside[0], r"\.db\..*\d{8}T\d{6}Z")
        self.assertIn(os.path.basename(aside[0]), d.log)
        time.sleep(0.2)
        self.assertEqual(d.value("all_events_total"), 0)
        self.assertEqual(d.value("logtally_lost_bytes_total", reason="state_lost"), lost)
        self.most.clear()
        self.events(7)
        d.wait_value(7, "all_events_total")
        self.assertEqual(d.value("logtally_lost_bytes_total", reason="state_lost"), lost)
        self.kill(d)
        d = self.begin()
        d.wait_value(0, "logtally_catching_up")
        self.assertEqual(d.value("all_events_total"), 7)
        self.assertEqual(d.value("logtally_lost_bytes_total", reason="state_lost"), lost)

    def test_a_database_whose_head_is_overwritten_is_set_aside(self):
        self.one_run(100)
        self.events(20)
        self.overwrite(self.database(), 0, 4096)
        self.assert_set_aside()

    def test_a_database_that_is_something_else_is_set_aside(self):
        self.one_run(100)
        with open(self.database(), "wb") as f:
            f.write(b"# notes\n" * 100)
        for path in glob.glob(self.state + "/*.db-*"):
            os.unlink(path)
        self.assert_set_aside()

    def test_a_database_whose_tables_are_overwritten_is_set_aside(self):
        """All pages but the first: the file still says that it is a database."""
        self.one_run(100)
        size = os.path.getsize(self.database())
        self.assertGreater(size, 8192)
        self.overwrite(self.database(), 4096, size - 4096)
        self.assert_set_aside()

    def test_a_cut_database_is_set_aside(self):
        self.one_run(100)
        os.truncate(self.database(), 4096)
        self.assert_set_aside()

    def test_a_torn_log_of_the_database_rolls_back_to_a_commit(self):
        """The last bytes of the -wal are garbage, as after a power loss: positions and values roll back together."""
        d = self.begin()
        d.wait_value(0, "logtally_catching_up")
        for _ in range(5):
            self.events(20)
            self.wait_total(d, self.written)
        self.kill(d)
        wal = self.database() + "-wal"
        size = os.path.getsize(wal)
        self.assertGreater(size, 0)
        with open(wal, "rb") as f:
            text = f.read().rstrip(b"\0")
        self.overwrite(wal, max(len(text) - 100, 0), 100)
        self.most.clear()
        self.assert_exact(self.begin())
