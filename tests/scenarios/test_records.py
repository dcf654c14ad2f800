"""Records of several lines, and lines in envelopes, with the real daemon: each counts once, whole, whatever happens."""

import json
import os
import random
import signal
import sqlite3

from harness import Scenario, fetch, wait_for

TRACES = r"""
multiline: {preset: python, max_age: 60s}
rules:
  - name: failed
    pattern: '^(?<when>\S+) ERROR [\s\S]*\n(?<error>[\w.]+): [^\n]*$'
    metrics:
      - counter: failed_total
        help: Failures.
        labels: {error: $error, container: $container}
  - name: torn
    pattern: '^  File'
    metrics:
      - counter: torn_total
        help: Pieces of tracebacks.
  - name: line
    pattern: '^\S+ INFO'
    metrics:
      - counter: info_total
        help: Other lines.
"""

HEAD = "2026-11-20T12:00:00 ERROR failed\nTraceback (most recent call last):\n  File \"x.py\", line 1, in run\n"
TAIL = "    run()\nKeyError: 'p017'\n"
INFO = "2026-11-20T12:00:01 INFO next\n"


def cri(stream, tag, text):
    return f"2026-11-20T12:00:00.5Z {stream} {tag} {text}\n"


def docker(stream, text):
    return json.dumps({"log": text, "stream": stream, "time": "2026-11-20T12:00:00.5Z"}) + "\n"


class Records(Scenario):
    def setUp(self):
        super().setUp()
        self.pattern_file(TRACES)
        self.app = self.log("app.log")

    def config(self, text):
        path = self.path("logtally.yml")
        self.write(path, text)
        return path

    def read(self, daemon, lines):
        """Waits until so many lines are counted, and saved."""
        daemon.wait_value(lines, "logtally_lines_total")

    def expect_failed(self, daemon, count, lines, error="KeyError", container=""):
        daemon.wait_value(count, "failed_total", error=error, container=container)
        self.read(daemon, lines)
        self.assertEqual(daemon.value("torn_total"), 0)
        self.assertEqual(daemon.value("logtally_unmatched_lines_total"), 0)

    def test_a_traceback_survives_kill_9_between_two_of_its_lines(self):
        """Half of it is written, the daemon is killed, the rest comes: it counts once, whole."""
        for workers in ("1", "2", "4"):
            with self.subTest(workers):
                self.write(self.app, INFO + HEAD)
                d = self.start("--workers", workers)
                self.read(d, 4)
                d.kill9()
                d = self.restart(d)
                self.append(self.app, TAIL + INFO)
                self.expect_failed(d, 1, 7)
                self.assertEqual(d.value("info_total"), 1)
                self.assertEqual(d.stop()[0], 0)

    def test_the_rest_of_a_traceback_is_written_while_the_daemon_is_down(self):
        """A stop closes nothing early; after the start what waits in the file comes before age counts."""
        self.write(self.app, HEAD)
        d = self.start()
        self.read(d, 3)
        self.assertEqual(d.stop()[0], 0)
        self.append(self.app, TAIL + INFO + INFO)
        d = self.restart(d)
        self.expect_failed(d, 1, 7)
        d.wait_value(1, "info_total")

    def test_a_traceback_goes_on_in_the_next_file(self):
        """The log is rotated in the middle of it, once while the daemon runs and once while it is dead."""
        self.write(self.app, HEAD)
        d = self.start()
        self.read(d, 3)
        os.rename(self.app, self.app + ".1")
        self.write(self.app, TAIL + HEAD)
        self.read(d, 8)
        d.kill9()
        os.rename(self.app, self.app + ".2")
        self.write(self.app, TAIL + INFO)
        d = self.restart(d)
        self.expect_failed(d, 2, 11)

    def test_silence_completes_a_record(self):
        """Nothing comes after the traceback: it counts by itself, and so does its age."""
        self.pattern_file(TRACES.replace("60s", "500ms"))
        self.write(self.app, HEAD + TAIL)
        d = self.start()
        self.expect_failed(d, 1, 5)
        self.assertEqual(d.value("logtally_record_limits_total", reason="age"), 1)
        self.append(self.app, HEAD + TAIL)
        self.expect_failed(d, 2, 10)

    def test_a_record_whose_file_is_gone_after_a_kill_is_counted(self):
        """The file was deleted while the daemon was dead: what was read of its last record is a record."""
        self.pattern_file(TRACES.replace("60s", "1h"))
        self.write(self.app, HEAD + TAIL)
        d = self.start()
        self.read(d, 5)
        self.assertIsNone(d.value("failed_total", error="KeyError", container=""))
        d.kill9()
        os.unlink(self.app)
        d = self.restart(d)
        wait_for("the record", lambda: d.value("failed_total", error="KeyError", container="") == 1, 60)
        self.assertEqual(d.value("logtally_lines_total"), 5)
        self.assertEqual(d.stop()[0], 0)
        with sqlite3.connect(self.path("state-0", "state.db")) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM open_records").fetchone(), (0,))

    def test_a_deleted_file_ends_its_last_record(self):
        """The file is deleted under the daemon, which does not wait for max_age."""
        self.pattern_file(TRACES.replace("60s", "1h"))
        self.write(self.app, HEAD + TAIL)
        d = self.start()
        self.read(d, 5)
        os.unlink(self.app)
        self.expect_failed(d, 1, 5)

    def test_a_record_goes_on_over_a_reload(self):
        """The patterns change in the middle of a traceback: it counts once, whole, by the new rules."""
        self.write(self.app, HEAD)
        d = self.start("--web.enable-lifecycle")
        self.read(d, 3)
        self.pattern_file(TRACES.replace("counter: failed_total", "counter: broken_total"))
        self.assertEqual(fetch(d.url + "/-/reload", method="POST")[0], 200)
        self.append(self.app, TAIL + INFO)
        d.wait_value(1, "broken_total", error="KeyError", container="")
        self.read(d, 6)
        self.assertEqual(d.value("torn_total"), 0)

    def pods(self, *names):
        path = self.path("var", "log", "pods", "study_etl-7f9c_0f5a", "worker", *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def test_kubernetes_logs_work_out_of_the_box(self):
        """Interleaved streams, lines in parts, a traceback on stderr, and a kill in the middle of all of them."""
        log = self.pods("0.log")
        trace = (HEAD + TAIL).splitlines()
        self.write(log, cri("stdout", "P", "2026-11-20T12:00:02 IN") + cri("stderr", "F", trace[0]) + cri("stderr", "F", trace[1]) +
                   cri("stderr", "P", trace[2][:9]))
        d = self.start("--logs", self.path("var", "log", "pods"))
        self.read(d, 4)
        d.kill9()
        d = self.restart(d)
        self.append(log, cri("stderr", "F", trace[2][9:]) + cri("stdout", "F", "FO next") + cri("stderr", "F", trace[3]) +
                    cri("stderr", "F", trace[4]) + cri("stderr", "F", INFO.strip()) + cri("stdout", "F", INFO.strip()) + "broken\n" +
                    cri("stdout", "F", "2026-11-20T12:00:03 INFO open"))
        self.read(d, 12)
        d.wait_value(1, "failed_total", error="KeyError", container="worker")
        d.wait_value(2, "info_total")
        self.assertEqual(d.value("torn_total"), 0)
        self.assertEqual(d.value("logtally_unmatched_lines_total"), 0)
        self.assertEqual(d.value("logtally_malformed_lines_total", reason="cri"), 1)

    def test_docker_parts_survive_kill_9(self):
        """Docker cuts a long line up; the daemon is killed between the pieces, and the log is rotated there."""
        log = self.log("1-json.log")
        config = self.config(f"logs: [{{path: {self.logs}, envelope: docker}}]\npatterns: [{self.patterns}]\n")
        self.write(log, docker("stdout", "2026-11-20T12:00:02 IN"))
        d = self.start("--config.file", config)
        self.read(d, 1)
        d.kill9()
        os.rename(log, log + ".1")
        self.write(log, docker("stdout", "FO ne") + docker("stdout", "xt\n") + docker("stdout", INFO))
        d = self.restart(d)
        self.read(d, 4)
        d.wait_value(1, "info_total")

    def test_a_file_stays_in_its_envelope_over_restarts_and_reloads(self):
        """What is read first afterwards is a line that Docker did not finish: the file's beginning decides."""
        patterns = TRACES.replace("multiline: {preset: python, max_age: 60s}\n", "")
        self.pattern_file(patterns)
        self.write(self.app, docker("stdout", "2026-11-20T12:00:00 INFO " + "long " * 100 + "\n"))
        d = self.start()
        d.wait_value(1, "info_total")
        d.kill9()
        more = '{"log":"torn\n' + docker("stdout", INFO)
        self.append(self.app, more)
        d = self.restart(d)
        d.wait_value(2, "info_total")
        self.pattern_file(patterns + "# changed\n")
        reloads = d.value("logtally_config_last_reload_success_timestamp_seconds")
        d.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: d.value("logtally_config_last_reload_success_timestamp_seconds") != reloads)
        self.append(self.app, more)
        d.wait_value(3, "info_total")
        self.assertEqual(d.value("logtally_malformed_lines_total", reason="docker"), 2)

    def test_envelopes_are_chosen_by_entry_of_logs(self):
        """Two entries with envelopes of their own, and one relative path; the rest is seen by the first line."""
        for name in ("a", "b", "c"):
            os.mkdir(self.log(name))
        self.pattern_file("rules:\n  - name: x\n    pattern: '^x (?<n>\\d)$'\n"
                          "    metrics: [{counter: x_total, help: x, labels: {n: $n, stream: $stream}}]\n")
        config = self.config("logs:\n  - {path: logs/a, envelope: none}\n  - {path: ./logs/../logs/b, envelope: cri}\n  - logs/c\n"
                             "patterns: [patterns]\n")
        self.write(self.log("a/a.log"), cri("stdout", "F", "x 1") + "x 2\n")
        self.write(self.log("b/b.log"), "x 3\n" + cri("stdout", "F", "x 4"))
        self.write(self.log("c/c.log"), docker("stderr", "x 5\n"))
        d = self.start("--config.file", config)
        self.read(d, 5)
        d.wait_value(0, "logtally_catching_up")
        got = {(dict(labels)["n"], dict(labels)["stream"]) for (name, labels) in d.metrics() if name == "x_total"}
        self.assertEqual(got, {("2", ""), ("3", ""), ("4", "stdout"), ("5", "stderr")})
        self.assertEqual(d.value("logtally_malformed_lines_total", reason="cri"), 1)

    def test_replay_ends_records_with_the_files_of_a_path(self):
        """A record goes on in the next file of its path, and ends with the last."""
        self.write(self.app + ".1", HEAD)
        self.write(self.app, TAIL)
        os.utime(self.app + ".1", (1, 1))
        for workers in ("1", "4"):
            status, out, err = self.run_once("replay", "--workers", workers, "--patterns", self.patterns, self.logs)
            self.assertEqual(status, 0, err)
            self.assertIn('failed_total{error="KeyError",container=""} 1\n', out)
            self.assertNotIn("torn_total 1", out)

    def test_docker_s_json_is_what_python_s_json_says(self):
        """Random texts, as Python writes them: with escapes and without."""
        rng = random.Random(7)
        alphabet = ["a", '"', "\\", "/", "\t", "\r", "\b", "\f", "\x01", "\x7f", "é", "€", "😀", "\u2028", "\ud7ff", "\ue000",
                    "\uffff", "u00", "\\u0041", "n", "{", "}"]
        texts = {"".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 24))) for _ in range(5000)}
        self.pattern_file("rules:\n  - name: x\n    pattern: '^(?<all>(?s:.*))$'\n"
                          "    metrics: [{counter: x_total, help: x, labels: {l: '<$all>'}}]\n")
        with open(self.log("x-json.log"), "w", encoding="utf-8") as f:
            for text in sorted(texts):
                line = {"log": text + "\n", "stream": "stdout", "time": "2026-11-20T12:00:00Z"}
                if rng.random() < 0.2:
                    line["attrs"] = {text: [text, {"log": text}, None, -1.5e3, True]}
                f.write(json.dumps(line, ensure_ascii=rng.random() < 0.5) + "\n")
        status, out, err = self.run_once("replay", "--own-metrics", "--format", "json", "--patterns", self.patterns,
                                         self.log("x-json.log"))
        self.assertEqual(status, 0, err)
        family, = (f for f in json.loads(out) if f["name"] == "x_total")
        got = {m["labels"]["l"][1:-1]: m["value"] for m in family["metrics"]}
        # CRLF is stripped, as from any line.
        wanted = {}
        for text in texts:
            text = text[:-1] if text.endswith("\r") else text
            wanted[text] = wanted.get(text, 0) + 1
        self.assertEqual(got, {text: str(count) for text, count in wanted.items()})


if __name__ == "__main__":
    import unittest

    unittest.main()
