"""Scraped by a real Prometheus, whose query API gives the right numbers."""

import json
import os
import signal
import subprocess
import urllib.parse

from harness import TOP, WORDS, Scenario, fetch, free_port, wait_for


class Prometheus:
    def __init__(self, directory, target, interval="500ms"):
        self.port = free_port()
        os.mkdir(directory)
        with open(directory + "/prometheus.yml", "w") as f:
            f.write(f"global: {{scrape_interval: {interval}, scrape_timeout: {interval}}}\n"
                    f"scrape_configs:\n  - job_name: logtally\n    static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n")
        self.log = open(directory + "/log", "w")
        self.process = subprocess.Popen(
            ["prometheus", "--config.file", directory + "/prometheus.yml", "--storage.tsdb.path", directory + "/data",
             "--web.listen-address", f"127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log)

    def query(self, expression):
        """{labels: value} of an instant query."""
        try:
            status, text = fetch(f"http://127.0.0.1:{self.port}/api/v1/query?query=" + urllib.parse.quote(expression))
        except OSError:
            return {}
        if status != 200:
            return {}
        result = json.loads(text)["data"]["result"]
        return {tuple(sorted((k, v) for k, v in r["metric"].items() if k not in ("__name__", "job", "instance"))):
                float(r["value"][1]) for r in result}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.log.close()


class WithPrometheus(Scenario):
    def prometheus(self, daemon):
        p = Prometheus(self.path("prometheus"), daemon.port)
        self.addCleanup(p.stop)
        wait_for("two scrapes", lambda: p.query("count_over_time(up[1m])").get((), 0) >= 2)
        return p

    def test_increase_sees_a_labelled_counters_first_event(self):
        """A label set appears while Prometheus scrapes: increase() gives its one event."""
        self.pattern_file(WORDS)
        self.write(self.log("a.log"), "word=old\n")
        d = self.start()
        d.wait_value(1, "words_total", word="old")
        p = self.prometheus(d)
        self.append(self.log("a.log"), "word=first\n")
        key = (("word", "first"),)
        wait_for("the series", lambda: p.query('words_total{word="first"} == 1').get(key) == 1)
        wait_for("some more scrapes", lambda: p.query('count_over_time(words_total{word="first"}[1m])').get(key, 0) >= 6)
        self.assertEqual(p.query('max_over_time(words_total{word="first"}[1m]) - min_over_time(words_total{word="first"}[1m])')[key], 1)
        increase = p.query('increase(words_total{word="first"}[1m])')[key]
        self.assertGreater(increase, 0.9)
        self.assertEqual(p.query('increase(words_total{word="old"}[1m])')[(("word", "old"),)], 0)

    def test_the_example_pipeline_gives_the_numbers_that_it_had(self):
        """The pipeline and its API run for real, rotating their logs; what Prometheus has is what they did."""
        demo = self.path("demo")
        os.makedirs(demo + "/logs")
        d = self.start("--logs", demo + "/logs", "--patterns", TOP + "/patterns")
        p = self.prometheus(d)
        env = dict(os.environ, API_PORT=str(free_port()), LOG_BYTES="20000")
        done = subprocess.run([TOP + "/examples/pipeline/run.sh", demo, "--days", "5", "--interval", "0", "--stall", "1"],
                              env=env, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        truth = {}
        for name in ("api", "ingest"):
            with open(f"{demo}/truth-{name}.json") as f:
                truth.update(json.load(f))
        self.assertIn("ingestion_errors_total", truth)
        self.assertIn("hrv_rmssd_seconds", truth)
        self.assertIn("api_requests_total", truth)
        for metric, entries in truth.items():
            for entry in entries:
                key = tuple(sorted(entry["labels"].items()))

                def same():
                    value = p.query(metric).get(key)
                    return value is not None and abs(value - entry["value"]) <= max(
                        1e-6 * abs(entry["value"]), 0.1 if "timestamp" in metric else 1e-9)

                try:
                    wait_for("it", same)
                except AssertionError:
                    self.fail(f"{metric}{key} is {p.query(metric).get(key)}, not {entry['value']}")
        status, text = fetch(d.url + "/metrics")
        lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, ""))
