"""Summaries, uniques, states, and gauges of a window, held against all that was written."""

import json
import math
import os
import random
import subprocess
from datetime import datetime, timedelta, timezone

from harness import Scenario, fetch, parse, wait_for
from test_prometheus import Prometheus

PATTERNS = r"""
line: '^(?<time>\S+) (?<message>.*)$'
timestamp: {from: time}
rules:
  - name: request
    pattern: '^request job=(?<job>\w+) user=(?<user>\w+) took (?<ms>-?[\d.]+) ms$'
    metrics:
      - summary: took_seconds
        help: Time that requests took.
        value: $ms
        scale: 0.001
        quantiles: [0, 0.5, 0.9, 0.99, 1]
        window: 1m
        labels: {task: $job}
      - unique: active_users
        help: Users of the last minute.
        from: user
        window: 1m
        track_age: true
        labels: {task: $job}
      - gauge: longest_seconds
        help: The longest of the last minute.
        op: max
        window: 1m
        value: $ms
        scale: 0.001
        labels: {task: $job}
      - gauge: shortest_seconds
        help: The shortest of the last minute.
        op: min
        window: 1m
        value: $ms
        scale: 0.001
  - name: job
    pattern: '^job (?<job>\w+) is (?<state>\w+)$'
    metrics:
      - state: task_state
        help: What a task does.
        value: $state
        states: [idle, running, failed]
        labels: {task: $job}
        track_age: true
"""
START = datetime(2025, 11, 20, 12, 0, tzinfo=timezone.utc)
STATES = ("idle", "running", "failed")
FILES = 8
PANE = 10  # seconds: a sixth of the window


class Model:
    """Everything that was written; no two lines have the same time."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.requests, self.states = [], []
        self.number = 0

    def line(self):
        """One more; the times of all files run on together, and some lines are late."""
        self.number += 1
        late = self.random.choice((0, 0, 0, 5, 30, 300))
        moment = timedelta(microseconds=self.number * 40_000 + self.number) - timedelta(seconds=late)
        job = self.random.choice("abc")
        stamp = (START + moment).isoformat().replace("+00:00", "Z")
        if self.random.random() < 0.2:
            state = self.random.choice(STATES)
            self.states.append((moment, job, state))
            return f"{stamp} job {job} is {state}\n"
        # Sums of such numbers are exact, in any order.
        ms = self.random.choice((0, -125, 500 * self.random.randrange(1, 4), 125 * self.random.randrange(1, 4000)))
        user = f"u{self.random.randrange(self.number // 10 + 1)}"
        self.requests.append((moment, job, user, ms / 1000))
        return f"{stamp} request job={job} user={user} took {ms} ms\n"

    def in_window(self, requests):
        pane = lambda moment: moment // timedelta(seconds=PANE)
        newest = max(pane(r[0]) for r in requests)
        return [r for r in requests if pane(r[0]) >= newest - 6]


class Kinds(Scenario):
    def shown(self, text):
        """What the patterns' metrics are, as parsed."""
        return {k: v for k, v in parse(text).items() if not k[0].startswith(("logtally_", "process_"))}

    def lint(self, text):
        own = "".join(line + "\n" for line in text.splitlines() if "logtally_" not in line and "process_" not in line)
        done = subprocess.run(["promtool", "check", "metrics"], input=own, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def age(self, moment):
        return (START + moment).timestamp()

    def expect_model(self, shown, model):
        for job in "abc":
            requests = [r for r in model.requests if r[1] == job]
            window = model.in_window(requests)
            self.assertLess(len(window), len(requests))
            took = sorted(r[3] for r in window)
            key = ("task", job)
            for q in (0, 0.5, 0.9, 0.99, 1):
                exact = took[max(math.ceil(round(q * len(took), 9)) - 1, 0)]
                told = shown["took_seconds", (("quantile", repr(float(q))), key)]
                self.assertLessEqual(abs(told - exact), 0.0100001 * abs(exact), (job, q))
            self.assertEqual(shown["took_seconds_count", (key,)], len(requests))
            self.assertEqual(shown["took_seconds_sum", (key,)], sum(r[3] for r in requests))
            self.assertEqual(shown["active_users", (key,)], len({r[2] for r in window}))
            self.assertEqual(shown["active_users_last_update_timestamp_seconds", (key,)], self.age(max(r[0] for r in requests)))
            self.assertEqual(shown["longest_seconds", (key,)], took[-1])
            moment, _, now = max(s for s in model.states if s[1] == job)
            for state in STATES:
                self.assertEqual(shown["task_state", (key, ("task_state", state))], state == now)
            self.assertEqual(shown["task_state_last_update_timestamp_seconds", (key,)], self.age(moment))
        self.assertEqual(shown["shortest_seconds", ()], min(r[3] for r in model.in_window(model.requests)))

    def test_all_kinds_are_what_was_written_whoever_reads_and_is_killed(self):
        """
        Eight logs are written in six parts, read by 1, 2 and 4 workers, and by changing numbers of them. The
        daemon is killed after each part, some logs are rotated, some parts are written while it is down. At the
        end each metric is what all lines together say, and the same to the last digit for all of them; replay
        says it too, as text and as JSON.
        """
        self.pattern_file(PATTERNS)
        seen = []
        for run, workers in enumerate((("1",) * 6, ("2",) * 6, ("4",) * 6, ("1", "4", "2", "3", "1", "4"))):
            model = Model(1)
            for name in os.listdir(self.logs):
                os.remove(self.log(name))
            for i in range(FILES):
                self.write(self.log(f"{i}.log"), "")
            given = ("--storage.path", self.path(f"state-of-{run}"))
            for part, count in enumerate(workers):
                down = part % 3 == 2
                d = None if down else self.start(*given, "--workers", count)
                if d:
                    d.wait_value(0, "logtally_catching_up")
                for _ in range(1500):
                    self.append(self.log(f"{model.random.randrange(FILES)}.log"), model.line())
                for i in range(FILES):
                    if (part + i) % 3 == 0:
                        os.rename(self.log(f"{i}.log"), self.log(f"{i}.log.{part}"))
                        self.write(self.log(f"{i}.log"), "")
                d = d or self.start(*given, "--workers", count)
                d.wait_value((part + 1) * 1500, "logtally_lines_total")
                text = fetch(d.url + "/metrics")[1]
                d.kill9()
            shown = self.shown(text)
            self.expect_model(shown, model)
            self.lint(text)
            seen.append(shown)
        self.assertEqual(seen[1:], seen[:1] * 3)

        status, text, errors = self.run_once("replay", "--patterns", self.patterns, self.logs)
        self.assertEqual(status, 0, errors)
        self.assertEqual(self.shown(text), seen[0])
        status, text, errors = self.run_once("replay", "--format", "json", "--patterns", self.patterns, self.logs)
        families = {family["name"]: family for family in json.loads(text)}
        self.assertEqual(families["took_seconds"]["type"], "SUMMARY")
        for metric in families["took_seconds"]["metrics"]:
            key = ("task", metric["labels"]["task"])
            self.assertEqual(float(metric["count"]), seen[0]["took_seconds_count", (key,)])
            self.assertEqual({q: float(v) for q, v in metric["quantiles"].items()},
                             {q: seen[0]["took_seconds", (("quantile", q), key)] for q in metric["quantiles"]})
        self.assertEqual(len(families["task_state"]["metrics"]), 9)

    def test_prometheus_sees_a_summarys_first_event_and_how_old_a_state_is(self):
        """
        A task says something for the first time: Prometheus has the count at 0 before it is at 3, and the
        quantiles at once. Another said its state 85 seconds ago: that is its age. Both expire, and go.
        """
        self.pattern_file(PATTERNS.replace("track_age: true\n", "track_age: true\n        expire: 100s\n"))
        d = self.start()
        d.wait_value(0, "logtally_catching_up")
        p = Prometheus(self.path("prometheus"), d.port)
        self.addCleanup(p.stop)
        wait_for("two scrapes", lambda: p.query("count_over_time(up[1m])").get((), 0) >= 2)
        ago = (datetime.now(timezone.utc) - timedelta(seconds=85)).isoformat()
        self.append(self.log("a.log"), "".join(f"{ago} request job=a user=u{ms} took {ms} ms\n" for ms in (100, 200, 300)))
        self.append(self.log("a.log"), f"{ago} job a is running\n")
        key = (("task", "a"),)
        wait_for("the count", lambda: p.query("took_seconds_count").get(key) == 3)
        self.assertEqual(p.query("min_over_time(took_seconds_count[1m])")[key], 0)
        self.assertAlmostEqual(p.query("max_over_time(took_seconds_sum[1m]) - min_over_time(took_seconds_sum[1m])")[key], 0.6)
        self.assertAlmostEqual(p.query('min_over_time(took_seconds{quantile="0.5"}[1m])')[(("quantile", "0.5"), *key)], 0.2, delta=0.002)
        with_state = lambda state: (*key, ("task_state", state))
        seen = p.query("task_state == 1")
        self.assertIn(with_state("running"), seen)
        self.assertNotIn(with_state("idle"), seen)
        self.assertIn(round(p.query("time() - task_state_last_update_timestamp_seconds")[key]), range(84, 100))
        for metric in ("task_state", "active_users", "task_state_last_update_timestamp_seconds"):
            wait_for(f"{metric} to go", lambda: p.query("up") and not p.query(metric))
        self.assertEqual(p.query("took_seconds_count")[key], 3)

    def test_a_text_that_is_no_state_is_an_error_and_changes_nothing(self):
        """A program that is newer than the patterns says a state that they do not know."""
        self.pattern_file(PATTERNS)
        d = self.start()
        stamp = "2025-11-20T12:00:0{}Z"
        self.append(self.log("a.log"), stamp.format(1) + " job a is failed\n" + stamp.format(2) + " job a is paused\n")
        d.wait_value(1, "logtally_rule_errors_total", patterns="test", rule="job", reason="state")
        d.wait_value(1, "task_state", task="a", task_state="failed")
        self.assertEqual(d.value("task_state_last_update_timestamp_seconds", task="a"), 1763640001)

    def test_a_reload_changes_quantiles_and_keeps_what_was_seen(self):
        """The operator wants other quantiles, then another window: the one keeps all values, the other begins anew."""
        self.pattern_file(PATTERNS)
        d = self.start("--web.enable-lifecycle")
        self.append(self.log("a.log"), "2025-11-20T12:00:00Z request job=a user=u took 500 ms\n")
        d.wait_value(1, "took_seconds_count", task="a")
        self.pattern_file(PATTERNS.replace("[0, 0.5, 0.9, 0.99, 1]", "[0.25]"))
        self.assertEqual(fetch(d.url + "/-/reload", method="POST")[0], 200)
        wait_for("the other quantile", lambda: d.value("took_seconds", task="a", quantile="0.25"))
        self.assertIsNone(d.value("took_seconds", task="a", quantile="0.5"))
        self.assertEqual(d.value("took_seconds_count", task="a"), 1)
        self.pattern_file(PATTERNS.replace("window: 1m", "window: 2m"))
        self.assertEqual(fetch(d.url + "/-/reload", method="POST")[0], 200)
        wait_for("it to be gone", lambda: d.value("took_seconds_count", task="a") is None)
        self.append(self.log("a.log"), "2025-11-20T12:00:00Z request job=a user=u took 500 ms\n")
        d.wait_value(1, "took_seconds_count", task="a")
