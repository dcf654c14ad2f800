"""Values, births and what scrapers were shown come back after a stop and after kill -9, exactly."""

import os
import signal
import socket
import time

from harness import Scenario, fetch, wait_for

EVENTS = r"""
rules:
  - name: event
    pattern: '^event=(?<event>\w+)(?: took=(?<took>\S+))?'
    metrics:
      - counter: events_total
        help: Events.
        labels: {event: $event}
        declare: [{event: [never, seldom]}]
  - name: took
    pattern: 'took=(?<took>\S+)'
    metrics:
      - histogram: took_seconds
        help: How long they took.
        value: $took
        buckets: [0.1, 1]
      - gauge: last_took_seconds
        help: How long the last one took.
        value: $took
        labels: {kind: all}
  - name: begun
    pattern: '^begin'
    metrics:
      - gauge: running
        help: What has begun and not ended.
        op: add
        value: 1
  - name: ended
    pattern: '^end'
    metrics:
      - gauge: running
        help: What has begun and not ended.
        op: subtract
        value: 1
"""

SCRAPER = {"X-Prometheus-Scrape-Timeout-Seconds": "10", "User-Agent": "Prometheus/2.42.0"}

# Own metrics that lines make: they are saved with the positions.
STORED = ("logtally_lines_total", "logtally_bytes_read_total", "logtally_unmatched_lines_total", "logtally_oversized_lines_total",
          "logtally_rotations_total", "logtally_rule_matches_total", "logtally_rule_errors_total",
          "logtally_rule_last_match_timestamp_seconds")


def stored(metrics):
    return {key: value for key, value in metrics.items()
            if key[0].startswith(STORED) or not key[0].startswith(("logtally_", "process_"))}


class Restart(Scenario):
    def setUp(self):
        super().setUp()
        self.pattern_file(EVENTS)
        self.write(self.log("a.log"), "")

    def lines(self, *lines):
        self.append(self.log("a.log"), "".join(line + "\n" for line in lines))

    def kill(self, d):
        d.kill9()

    def stop(self, d):
        self.assertEqual(d.stop()[0], 0, d.log)

    def ready(self, d):
        d.wait_value(0, "logtally_catching_up")
        return d

    def test_everything_comes_back_after_a_stop_and_after_a_kill(self):
        """Counters, gauges, histograms, declared zeros and own counters; nothing is read twice."""
        self.lines("event=a took=0.5", "event=b took=0.05", "noise", "event=bad took=much", "begin", "begin", "end")
        d = self.ready(self.start())
        for end in (self.stop, self.kill, self.stop, self.kill):
            before = stored(d.metrics())
            end(d)
            d = self.start(*d.arguments)
            self.assertEqual(stored(d.metrics()), before, "before anything is read")
            self.ready(d)
            self.assertEqual(stored(d.metrics()), before, "after nothing was there to be read")
            self.lines("event=a took=2", "begin")
            d.wait_value(before["events_total", (("event", "a"),)] + 1, "events_total", event="a")
            d.wait_value(before["running", ()] + 1, "running")
        metrics = d.metrics()
        self.assertEqual(metrics["events_total", (("event", "a"),)], 5)
        self.assertEqual(metrics["events_total", (("event", "b"),)], 1)
        self.assertEqual(metrics["events_total", (("event", "never"),)], 0)
        self.assertEqual(metrics["took_seconds_sum", ()], 8.55)
        self.assertEqual(metrics["took_seconds_bucket", (("le", "0.1"),)], 1)
        self.assertEqual(metrics["took_seconds_count", ()], 6)
        self.assertEqual(metrics["last_took_seconds", (("kind", "all"),)], 2)
        self.assertEqual(metrics["running", ()], 5)
        self.assertEqual(metrics["logtally_lines_total", ()], 15)
        self.assertEqual(metrics["logtally_unmatched_lines_total", ()], 1)
        errors = {key: value for key, value in metrics.items() if key[0] == "logtally_rule_errors_total"}
        self.assertEqual(sum(errors.values()), 2, errors)

    def test_what_is_written_while_it_is_down_is_counted_once(self):
        self.lines("event=a")
        d = self.ready(self.start())
        for end, count in ((self.stop, 2), (self.kill, 3)):
            end(d)
            self.lines("event=a")
            d = self.start(*d.arguments)
            d.wait_value(count, "events_total", event="a")

    def test_what_was_shown_is_never_taken_back(self):
        """Killed right after each scrape, thirty times, while lines come: no counter goes back, and none is missed."""
        d = self.ready(self.start())
        shown, written = {}, 0
        for _ in range(30):
            for _ in range(20):
                self.lines(f"event=e{written % 7} took=0.5")
                written += 1
            metrics = stored(d.metrics())
            d.kill9()
            for key, value in shown.items():
                self.assertGreaterEqual(metrics.get(key, -1), value, key)
            shown = {key: value for key, value in metrics.items() if key[0] != "last_took_seconds"}
            d = self.start(*d.arguments)
        d.wait_value(written, "took_seconds_count")
        self.assertEqual(sum(v for k, v in d.metrics().items() if k[0] == "events_total"), written)

    def test_a_stop_saves_what_was_read(self):
        """The log is deleted once the daemon has ended: all of its lines count all the same."""
        d = self.ready(self.start())
        self.lines(*["event=a"] * 1000)
        wait_for("the lines to be read", lambda: d.value("logtally_lines_total") == 1000)
        self.lines("event=b")
        self.assertEqual(wait_for("b", lambda: d.value("events_total", event="b")), 1)
        self.stop(d)
        os.unlink(self.log("a.log"))
        d = self.ready(self.start(*d.arguments))
        self.assertEqual(d.value("events_total", event="a"), 1000)
        self.assertEqual(d.value("logtally_lines_total"), 1001)

    def test_the_workers_may_be_others(self):
        for i in range(8):
            self.append(self.log(f"{i}.log"), "event=a took=0.5\nbegin\n" * (i + 1))
        d = self.start("--workers", "1", "--storage.path", self.path("state"))
        d.wait_value(36, "running")
        for workers in ("4", "2", "3", "1"):
            before = stored(self.ready(d).metrics())
            self.stop(d)
            d = self.ready(self.start("--workers", workers, "--storage.path", self.path("state")))
            self.assertEqual(stored(d.metrics()), before, workers)
            for i in range(8):
                self.append(self.log(f"{i}.log"), "event=a took=0.5\nbegin\n")
            d.wait_value(before["running", ()] + 8, "running")
            d.wait_value(before["events_total", (("event", "a"),)] + 8, "events_total", event="a")

    def test_after_a_restart_metrics_are_shown_at_once(self):
        """A backlog is there; only the very first start hides the patterns' metrics until it is read."""
        d = self.ready(self.start())
        self.lines("event=a")
        d.wait_value(1, "events_total", event="a")
        self.kill(d)
        with open(self.log("a.log"), "a") as f:
            f.writelines("event=a took=0.5\n" for _ in range(200000))
        d = self.start(*d.arguments)
        self.assertGreaterEqual(d.value("events_total", event="a"), 1)
        d.wait_value(200001, "events_total", event="a")

    # -- definitions ----------------------------------------------------------

    def test_a_definition_that_changed_meanwhile_starts_at_0(self):
        """Other buckets, another label: the old series are not shown; back again, they go on."""
        self.lines("event=a took=0.5")
        d = self.ready(self.start())
        self.stop(d)
        self.pattern_file(EVENTS.replace("[0.1, 1]", "[0.1, 2]").replace("labels: {event: $event}", "labels: {name: $event}")
                          .replace("{event: [never, seldom]}", "{name: [never]}"))
        d = self.ready(self.start(*d.arguments))
        metrics = d.metrics()
        self.assertEqual(metrics["took_seconds_count", ()], 0)
        self.assertEqual(metrics["events_total", (("name", "never"),)], 0)
        self.assertEqual(len([key for key in metrics if key[0] == "events_total"]), 1)
        self.assertEqual(metrics["last_took_seconds", (("kind", "all"),)], 0.5, "this one did not change")
        self.lines("event=a took=1.5")
        d.wait_value(1, "took_seconds_bucket", le="2.0")
        self.stop(d)
        self.pattern_file(EVENTS)
        d = self.ready(self.start(*d.arguments))
        self.assertEqual(d.value("took_seconds_count"), 1)
        self.assertEqual(d.value("events_total", event="a"), 1)

    def test_a_removed_metric_resumes_when_it_comes_back(self):
        """Removed and brought back: both while it runs, both while it is down, and one of each."""
        without = EVENTS[:EVENTS.index("  - name: took")]
        self.lines("event=a took=0.5")
        d = self.ready(self.start())
        count = 1

        def reload(text, has_it):
            self.pattern_file(text)
            d.process.send_signal(signal.SIGHUP)
            wait_for("the reload", lambda: (d.value("took_seconds_count") is not None) == has_it)

        def restart(text, has_it):
            nonlocal d
            self.kill(d)
            self.pattern_file(text)
            d = self.ready(self.start(*d.arguments))
            self.assertEqual(d.value("took_seconds_count") is not None, has_it)

        for remove in (reload, restart):
            for put_back in (reload, restart):
                before = d.value("took_seconds_count")
                self.lines("event=a took=0.5")  # nobody scrapes before it is removed
                count += 1
                d.wait_value(count, "logtally_lines_total")
                remove(without, False)
                self.lines("event=a took=0.5")
                count += 1
                d.wait_value(count, "events_total", event="a")
                put_back(EVENTS, True)
                self.assertEqual(d.value("took_seconds_count"), before + 1, (remove, put_back))

    def test_rules_that_are_gone_are_shown_no_more(self):
        self.lines("event=a took=0.5")
        d = self.ready(self.start())
        labels = {"patterns": "test", "rule": "took"}
        self.assertEqual(d.value("logtally_rule_matches_total", **labels), 1)
        self.stop(d)
        self.pattern_file(EVENTS[:EVENTS.index("  - name: took")])
        d = self.ready(self.start(*d.arguments))
        self.assertIsNone(d.value("logtally_rule_matches_total", **labels))
        self.pattern_file(EVENTS)
        wait_for("the reload", lambda: d.value("logtally_rule_matches_total", **labels) == 1)

    def test_limits_hold_over_a_restart(self):
        self.pattern_file(EVENTS.replace("labels: {event: $event}", "labels: {event: $event}\n        max_series: 3"))
        self.lines(*[f"event=e{i}" for i in range(10)])
        d = self.ready(self.start())
        before = stored(d.metrics())
        self.assertEqual(before["events_total", (("event", "other"),)], 7)
        self.kill(d)
        d = self.ready(self.start(*d.arguments))
        self.assertEqual(stored(d.metrics()), before)
        self.lines("event=e0", "event=e11")
        d.wait_value(8, "events_total", event="other")
        self.assertEqual(d.value("events_total", event="e0"), 2)

    # -- scrapers -------------------------------------------------------------

    def test_the_first_event_is_seen_across_a_kill(self):
        """Born after the last scrape, shown by the next process: at 0 once, then at its value."""
        key = ("events_total", (("event", "new"),))
        d = self.ready(self.start())
        d.metrics(**SCRAPER)
        d.metrics(**SCRAPER)
        self.lines("event=new")
        d.wait_value(1, "events_total", event="new")
        self.kill(d)
        d = self.ready(self.start(*d.arguments))
        self.assertEqual(d.metrics(**SCRAPER)[key], 0)
        self.assertEqual(d.metrics(**SCRAPER)[key], 1)
        self.kill(d)
        d = self.ready(self.start(*d.arguments))
        self.assertEqual(d.metrics(**SCRAPER)[key], 1, "it is not new any more")

    def test_a_first_event_while_it_is_down_is_seen(self):
        key = ("events_total", (("event", "new"),))
        d = self.ready(self.start())
        d.metrics(**SCRAPER)
        d.metrics(**SCRAPER)
        self.stop(d)
        self.lines("event=new", "event=new")
        d = self.ready(self.start(*d.arguments))
        self.assertEqual(d.metrics(**SCRAPER)[key], 0)
        self.assertEqual(d.metrics(**SCRAPER)[key], 2)

    def test_a_value_that_a_scraper_saw_is_not_0_after_a_kill(self):
        """However soon after the scrape: what it saw is what is saved."""
        d = self.ready(self.start())
        d.metrics(**SCRAPER)
        seen = {}
        for i in range(15):
            self.lines(f"event=e{i}")
            for _ in range(3):
                metrics = d.metrics(**SCRAPER)
                for key, value in seen.items():
                    self.assertGreaterEqual(metrics[key], value, key)
                seen = {key: value for key, value in metrics.items() if key[0] == "events_total"}
            d.kill9()
            d = self.start(*d.arguments)

    # -- scrapes and commits --------------------------------------------------

    def test_a_scrape_while_others_read_slowly_is_answered(self):
        """Ten clients take their answers slowly, each another cut: the eleventh is served."""
        self.lines(*[f"event=e{i}{'x' * 500}" for i in range(8000)])
        d = self.ready(self.start())
        d.wait_value(8000, "logtally_lines_total")
        slow = []
        for i in range(10):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.connect(("127.0.0.1", d.port))
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            s.recv(100)
            slow.append(s)
            self.lines("event=a")
            status, _ = fetch(d.url + "/metrics")
            self.assertEqual(status, 200, i)
        for s in slow:
            s.close()
        d.wait_value(10, "events_total", event="a")

    def test_commits_are_counted_and_timed(self):
        d = self.ready(self.start())
        self.lines("event=a")
        d.wait_value(1, "events_total", event="a")
        metrics = d.metrics()
        self.assertGreaterEqual(metrics["logtally_commit_duration_seconds_count", ()], 2)
        self.assertGreater(metrics["logtally_commit_duration_seconds_sum", ()], 0)
        self.assertEqual(metrics["logtally_commit_errors_total", ()], 0)
        self.assertLess(abs(time.time() - metrics["logtally_commit_last_success_timestamp_seconds", ()]), 10)

    def test_nothing_is_written_when_nothing_happens(self):
        """Scrapes and the 5-second commits leave the database as it is."""
        self.lines("event=a")
        d = self.ready(self.start("--storage.path", self.path("state")))

        def look():
            return [(name, os.stat(self.path("state", name)).st_mtime_ns) for name in sorted(os.listdir(self.path("state")))
                    if not name.endswith("-shm")]

        def commits():
            return d.metrics(**SCRAPER)["logtally_commit_duration_seconds_count", ()]

        wait_for("what the scraper was shown to be saved", lambda: commits() == commits())
        count, before = commits(), look()
        time.sleep(6)
        self.assertEqual(commits(), count)
        self.assertEqual(look(), before)
        self.assertLess(time.time() - d.value("logtally_commit_last_success_timestamp_seconds"), 5, "but all is known to be saved")

    # -- without state --------------------------------------------------------

    def test_without_a_state_directory_it_says_so_and_starts_anew(self):
        self.lines("event=a")
        for _ in range(2):
            d = self.ready(self.start("--storage.path", ""))
            self.assertIn("keeps nothing", d.log)
            metrics = d.metrics()
            self.assertEqual(metrics["events_total", (("event", "a"),)], 1)
            self.assertNotIn(("logtally_commit_errors_total", ()), metrics)
            self.lines("event=b")
            d.wait_value(1, "events_total", event="b")
            self.write(self.log("a.log"), "event=a\n")
            self.stop(d)

    def test_the_state_can_be_read_with_sqlite3(self):
        import sqlite3

        self.lines("event=a took=0.5")
        d = self.ready(self.start("--storage.path", self.path("state")))
        self.stop(d)
        with sqlite3.connect(self.path("state", "state.db")) as db:
            values = dict(db.execute("SELECT metric, value FROM metrics"))
        db.close()
        self.assertEqual(values['events_total{event="a"}'], 1)
        self.assertEqual(values["took_seconds_sum"], 0.5)


class FewBytes(Scenario):
    """A disk that takes no more, for want of a real one: the limit on the size of files."""

    def limit(self, d, soft):
        import resource

        _, hard = resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, (soft, hard))

    def test_commits_that_fail_are_counted_said_once_and_made_up_for(self):
        """What is not saved is not shown; once commits succeed all is, and it survives a kill."""
        self.pattern_file(EVENTS)
        self.write(self.log("a.log"), "event=a\n")
        d = self.start()
        d.wait_value(1, "events_total", event="a")
        self.limit(d, 0)
        self.append(self.log("a.log"), "event=a\n" * 9)
        for i in range(3):
            wait_for("a commit to fail", lambda: d.value("logtally_commit_errors_total") > i)
        self.assertEqual(d.value("events_total", event="a"), 1)
        wait_for("it to be said", lambda: "cannot save state" in d.log)
        self.pattern_file(EVENTS[:EVENTS.index("  - name: took")])
        wait_for("a reload meanwhile", lambda: "configuration loaded" in d.log)
        self.limit(d, -1)
        d.wait_value(10, "events_total", event="a")
        wait_for("it to be said", lambda: "state is saved again" in d.log)
        self.assertEqual(d.log.count("cannot save state"), 1, d.log)
        d.kill9()
        self.pattern_file(EVENTS)
        d = self.start(*d.arguments)
        self.assertEqual(d.value("events_total", event="a"), 10)

    def test_a_stop_is_not_held_up_by_a_disk_that_is_full(self):
        self.pattern_file(EVENTS)
        self.write(self.log("a.log"), "event=a\n")
        d = self.start()
        d.wait_value(1, "events_total", event="a")
        self.limit(d, 0)
        self.append(self.log("a.log"), "event=a\n")
        status, seconds = d.stop()
        self.assertEqual(status, 0, d.log)
        self.assertLess(seconds, 1.5)
        d = self.start(*d.arguments)
        d.wait_value(2, "events_total", event="a")
