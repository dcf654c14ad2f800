"""Series that expire, come back or go for good, and counters that are fed by running totals."""

import json
import os
import sqlite3
import subprocess
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

from harness import Scenario, fetch, free_port, wait_for
from test_prometheus import Prometheus

EXPIRE = timedelta(hours=36)
PATTERNS = """
line: '^(?<time>\\S+) (?<message>.*)$'
timestamp: {from: time}
rules:
  - name: night
    pattern: '^hrv participant=(?<participant>\\S+) rmssd=(?<rmssd>\\S+)$'
    metrics:
      - gauge: hrv_rmssd
        help: Last night.
        value: $rmssd
        labels: {participant: $participant}
        expire: 36h
      - counter: nights_total
        help: Nights received.
        labels: {participant: $participant}
        expire: 36h
      - histogram: rmssd
        help: All nights.
        value: $rmssd
        labels: {participant: $participant}
        buckets: [50, 100]
        expire: 36h
"""
TOTALS = """
rules:
  - name: processed
    pattern: '^(?<task>\\w+): processed (?<total>\\d+) records so far$'
    metrics:
      - counter: records_total
        help: Records.
        value: $total
        mode: total
        labels: {task: $task}
"""


class SeriesLife(Scenario):
    def start_again(self, *more):
        if not hasattr(self, "port"):
            self.port = free_port()
        return self.start("--storage.path", self.path("state"), "--web.listen-address", f"127.0.0.1:{self.port}", *more)

    def begin(self, patterns=PATTERNS):
        self.pattern_file(patterns)
        d = self.start_again()
        d.wait_value(0, "logtally_catching_up")
        p = Prometheus(self.path("prometheus"), d.port)
        self.addCleanup(p.stop)
        wait_for("two scrapes", lambda: p.query("count_over_time(up[1m])").get((), 0) >= 2)
        return d, p

    def night(self, participant, rmssd, age=timedelta()):
        moment = datetime.now(timezone.utc) - age
        self.append(self.log("a.log"), f"{moment.isoformat().replace('+00:00', 'Z')} hrv participant={participant} rmssd={rmssd}\n")

    def nights_until_seen(self, p, participant, rmssd, left):
        """Nights that have `left` to be shown, until Prometheus has one; returns how many."""
        for written in range(1, 20):
            self.night(participant, rmssd, EXPIRE - left)
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                if p.query(f'nights_total{{participant="{participant}"}}').get((("participant", participant),)) == written:
                    return written
                time.sleep(0.05)
        self.fail(f"Prometheus does not see {participant}")

    def samples(self, p, series):
        """The values that Prometheus has of one series, in the order of time."""
        status, text = fetch(f"http://127.0.0.1:{p.port}/api/v1/query?query=" + urllib.parse.quote(f"{series}[1h]"))
        self.assertEqual(status, 200, text)
        [result] = json.loads(text)["data"]["result"]
        return [float(value) for _, value in result["values"]]

    def gone(self, p, series):
        wait_for(f"{series} to be stale", lambda: p.query("up") and not p.query(series))

    def test_a_counter_hides_and_comes_back_and_a_gauge_goes(self):
        """
        A participant leaves the study. 36 hours after their last night they are shown no more, while another
        is; Prometheus does not go on with the last value. The daemon is killed and started: they stay away.
        They return: their counters go on from where they were, through a second kill as well, and what
        Prometheus finds added is what was written.
        """
        d, p = self.begin()
        self.night("stays", 30)
        first = self.nights_until_seen(p, "leaves", 60, timedelta(seconds=2))
        key = (("participant", "leaves"),)
        self.assertEqual(p.query('hrv_rmssd{participant="leaves"}')[key], 60)
        for metric in ("hrv_rmssd", "nights_total", "rmssd_count", "rmssd_bucket"):
            self.gone(p, metric + '{participant="leaves"}')
            self.assertTrue(p.query(metric + '{participant="stays"}'))

        d.kill9()
        d = self.start_again()
        self.night("stays", 31)
        d.wait_value(2, "nights_total", participant="stays")
        for metric in ("hrv_rmssd", "nights_total", "rmssd_count"):
            self.assertIsNone(d.value(metric, participant="leaves"))
        self.night("leaves", 70, EXPIRE + timedelta(minutes=1))
        self.night("stays", 32)
        d.wait_value(3, "nights_total", participant="stays")
        self.assertIsNone(d.value("nights_total", participant="leaves"), "that was too long ago")

        for _ in range(4):
            self.night("leaves", 80)
        now = first + 5
        wait_for("it to come back", lambda: p.query('nights_total{participant="leaves"}').get(key) == now)
        d.kill9()
        d = self.start_again()
        self.night("leaves", 80)
        wait_for("it to go on", lambda: p.query('nights_total{participant="leaves"}').get(key) == now + 1)
        self.assertEqual(d.value("hrv_rmssd", participant="leaves"), 80)
        self.assertEqual(d.value("rmssd_bucket", participant="leaves", le="100.0"), now + 1)

        values = self.samples(p, 'nights_total{participant="leaves"}')
        self.assertEqual(sorted(values), values)
        self.assertEqual(values[0], 0, "as each new counter")
        self.assertEqual(values[-1], now + 1)
        self.assertLessEqual(set(values), {*range(first + 1), now, now + 1})
        for metric in ("nights_total", "rmssd_count", "rmssd_sum", "rmssd_bucket"):
            self.assertEqual(set(p.query(f"resets({metric}[1h])").values()), {0})
        self.assertEqual(p.query("max_over_time(rmssd_count[1h]) - min_over_time(rmssd_count[1h])")[key], now + 1)

    def test_after_it_came_back_prometheus_has_the_old_value_first(self):
        """
        A counter is hidden for longer than the range that a rule asks for: only what was shown since it came
        back is in it. increase() gives what was added.
        """
        d, p = self.begin()
        first = self.nights_until_seen(p, "leaves", 60, timedelta(seconds=1.5))
        key = (("participant", "leaves"),)
        self.gone(p, 'nights_total{participant="leaves"}')
        hidden = time.time()
        wait_for("a scrape without it", lambda: p.query("timestamp(up)").get((), 0) > hidden + 0.6)
        for _ in range(3):
            self.night("leaves", 80)
        wait_for("it", lambda: p.query('nights_total{participant="leaves"}').get(key) == first + 3)
        wait_for("more scrapes", lambda: self.samples(p, 'nights_total{participant="leaves"}').count(first + 3) >= 2)
        since = f"[{int((time.time() - hidden) * 1000)}ms]"
        values = self.samples(p, 'nights_total{participant="leaves"}')
        self.assertEqual(p.query(f"min_over_time(nights_total{since})")[key], first)
        self.assertEqual(p.query(f"max_over_time(nights_total{since})")[key], first + 3)
        self.assertEqual(p.query(f"max_over_time(rmssd_sum{since}) - min_over_time(rmssd_sum{since})")[key], 240)
        self.assertEqual(sorted(values), values)

    def test_what_came_while_it_was_hidden_is_part_of_what_was_added_also_after_a_kill(self):
        """
        Nights that are too old to bring a counter back are counted while it is hidden. The daemon is killed and
        started twice. When the counter comes back, Prometheus first has the value that it had last.
        """
        d, p = self.begin()
        first = self.nights_until_seen(p, "leaves", 60, timedelta(seconds=1.5))
        key = (("participant", "leaves"),)
        self.gone(p, 'nights_total{participant="leaves"}')
        hidden = time.time()
        wait_for("a scrape without it", lambda: p.query("timestamp(up)").get((), 0) > hidden + 0.6)
        for late in range(2):
            for _ in range(5):
                self.night("leaves", 70, EXPIRE + timedelta(minutes=1))
            d.wait_value(first + 5 * (late + 1), "logtally_rule_matches_total", patterns="test", rule="night")
            self.assertIsNone(d.value("nights_total", participant="leaves"))
            d.kill9()
            d = self.start_again()
            self.assertIsNone(d.value("nights_total", participant="leaves"))
        self.night("leaves", 80)
        wait_for("it", lambda: p.query('nights_total{participant="leaves"}').get(key) == first + 11)
        since = f"[{int((time.time() - hidden) * 1000)}ms]"
        self.assertEqual(p.query(f"min_over_time(nights_total{since})")[key], first)
        self.assertEqual(p.query(f"max_over_time(rmssd_sum{since}) - min_over_time(rmssd_sum{since})")[key], 10 * 70 + 80)
        values = self.samples(p, 'nights_total{participant="leaves"}')
        self.assertEqual(sorted(values), values)

    def test_what_expired_while_the_daemon_was_stopped_is_not_shown(self):
        """It is stopped in an orderly way; 36 hours pass for one of two participants; it is started."""
        d, p = self.begin()
        self.nights_until_seen(p, "leaves", 60, timedelta(seconds=2))
        self.night("stays", 30)
        d.wait_value(1, "nights_total", participant="stays")
        self.assertEqual(d.stop()[0], 0)
        time.sleep(2)
        d = self.start_again()
        self.assertEqual(d.value("hrv_rmssd", participant="stays"), 30)
        self.assertEqual([key for key in d.metrics() if ("participant", "leaves") in key[1]], [])
        self.assertEqual(d.value("logtally_series", metric="nights_total"), 1)

    def test_pods_that_come_and_go_leave_nothing_behind(self):
        """
        2400 pods live for a second each; the metric may have 300 series. None is refused, and neither the
        daemon's numbers nor the database's rows grow with them. The daemon is killed once in the middle.
        """
        self.pattern_file(PATTERNS.replace("expire: 36h", "expire: 36h\n        max_series: 300"))
        d = self.start_again()
        d.wait_value(0, "logtally_catching_up")
        for batch in range(24):
            for pod in range(100):
                self.night(f"pod-{batch}-{pod}", 60, EXPIRE - timedelta(seconds=1))
            d.wait_value((batch + 1) * 100, "logtally_rule_matches_total", patterns="test", rule="night")
            wait_for("room", lambda: d.value("logtally_series", metric="hrv_rmssd") <= 200)
            if batch == 12:
                d.kill9()
                d = self.start_again()
        d.wait_value(0, "logtally_series", metric="hrv_rmssd")
        d.wait_value(0, "logtally_series", metric="nights_total")
        for metric in ("hrv_rmssd", "nights_total", "rmssd"):
            self.assertEqual(d.value("logtally_series_overflow_total", metric=metric), 0)
        self.assertGreater(d.value("logtally_series_forgotten_total", metric="nights_total"), 600, "since the kill")
        self.assertEqual(d.value("logtally_series_forgotten_total", metric="hrv_rmssd"), 0)
        d.stop()
        with sqlite3.connect(self.path("state", "state.db")) as db:
            rows = dict(db.execute("SELECT name, count(*) FROM series s JOIN families f ON f.id = s.id >> 32 GROUP BY name"))
        for metric, most in (("hrv_rmssd", 600), ("nights_total", 1200), ("rmssd", 1200)):
            self.assertLess(rows[metric], most)

    def test_running_totals_count_what_they_grow_whatever_happens(self):
        """
        Two logs tell how many records were processed so far. The daemon is killed, its log is rotated while it
        is down, it is started with more workers, a program is restarted and begins at 0: the counter has
        what was processed, and Prometheus sees no reset.
        """
        def processed(name, task, *totals):
            for total in totals:
                self.append(self.log(name), f"{task}: processed {total} records so far\n")

        d, p = self.begin(TOTALS)
        processed("a.log", "hrv", 1000)
        d.wait_value(0, "records_total", task="hrv")
        processed("a.log", "hrv", 1100, 1250)
        processed("b.log", "hrv", 5, 12)
        processed("b.log", "sleep", 7)
        d.wait_value(257, "records_total", task="hrv")
        d.wait_value(0, "records_total", task="sleep")
        d.kill9()
        processed("a.log", "hrv", 1300)
        os.rename(self.log("a.log"), self.log("a.log.1"))
        processed("a.log", "hrv", 1310)
        processed("b.log", "sleep", 10)

        d = self.start_again("--workers", "4")
        d.wait_value(317, "records_total", task="hrv")
        d.wait_value(3, "records_total", task="sleep")
        os.rename(self.log("a.log"), self.log("a.log.2"))
        processed("a.log", "hrv", 40, 50)
        d.wait_value(367, "records_total", task="hrv")
        self.assertEqual(d.stop()[0], 0)
        processed("b.log", "hrv", 13)

        d = self.start_again("--workers", "2")
        d.wait_value(368, "records_total", task="hrv")
        os.remove(self.log("b.log"))
        wait_for("it to be gone", lambda: not d.has_open(self.log("b.log")))
        processed("b.log", "hrv", 14)
        d.wait_value(369, "records_total", task="hrv")
        key = (("task", "hrv"),)
        wait_for("Prometheus", lambda: p.query("records_total").get(key) == 369)
        self.assertEqual(p.query("max_over_time(records_total[1h]) - min_over_time(records_total[1h])"),
                         {key: 369, (("task", "sleep"),): 3})
        self.assertEqual(set(p.query("resets(records_total[1h])").values()), {0})
        self.assertNotIn("base", fetch(d.url + "/metrics")[1])
        lint = subprocess.run(["promtool", "check", "metrics"], input=fetch(d.url + "/metrics")[1], capture_output=True, text=True)
        self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, ""))

    def test_totals_are_equal_with_any_number_of_workers(self):
        """The same eight logs, read by 1, 2 and 4 workers that are killed half-way."""
        def write(until):
            for f in range(8):
                self.append(self.log(f"{f}.log"), "".join(
                    f"task{i % 3}: processed {(i * 7 + f) % 100 + i // 50 * 100} records so far\n" for i in range(until - 500, until)))

        self.pattern_file(TOTALS)
        results = []
        for workers in (1, 2, 4):
            for name in os.listdir(self.logs):
                os.remove(self.log(name))
            write(500)
            given = ("--workers", str(workers), "--storage.path", self.path(f"state-of-{workers}"))
            d = self.start(*given)
            d.wait_value(4000, "logtally_lines_total")
            d.kill9()
            write(1000)
            d = self.start(*given)
            d.wait_value(8000, "logtally_lines_total")
            results.append([d.value("records_total", task=f"task{i}") for i in range(3)])
            d.stop()
        self.assertGreater(min(results[0]), 0)
        self.assertEqual(results[1:], results[:1] * 2)
