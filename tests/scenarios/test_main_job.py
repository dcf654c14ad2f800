"""Point at a log directory, edit patterns, scrape."""

import json
import os
import random
import signal
import socket
import time

from harness import Scenario, fetch, wait_for

WORDS = """
rules:
  - name: word
    pattern: 'word=(?<word>\\S+)(?: n=(?<n>\\S+))?'
    metrics:
      - counter: words_total
        help: Words seen.
        labels: {word: $word}
"""

LATENCY = """
rules:
  - name: done
    pattern: 'done in (?<ms>\\S+) ms'
    metrics:
      - counter: done_total
        help: Things done.
      - histogram: latency_seconds
        help: How long they took.
        value: $ms
        scale: 0.001
        buckets: [0.1, 1]
      - gauge: last_seconds
        help: The last one.
        value: $ms
        scale: 0.001
"""


class MainJob(Scenario):
    def test_lines_become_counters_gauges_and_histograms(self):
        """A log is there before the start; more is written afterwards, in pieces."""
        self.write(self.log("a.log"), "done in 50 ms\nnoise\ndone in 500 ms\n")
        self.pattern_file(LATENCY)
        d = self.start()
        d.wait_value(2, "done_total")
        with open(self.log("a.log"), "a") as f:
            for piece in ("done in ", "5000", " ms"):
                f.write(piece)
                f.flush()
                time.sleep(0.02)
            self.assertEqual(d.value("done_total"), 2, "a line counts when its newline is there")
            f.write("\n")
        d.wait_value(3, "done_total")
        metrics = d.metrics()
        for le, count in (("0.1", 1), ("1.0", 2), ("+Inf", 3)):
            self.assertEqual(metrics["latency_seconds_bucket", (("le", le),)], count)
        self.assertEqual(metrics["latency_seconds_sum", ()], 5.55)
        self.assertEqual(metrics["latency_seconds_count", ()], 3)
        self.assertEqual(metrics["last_seconds", ()], 5)
        self.assertEqual(metrics["logtally_lines_total", ()], 4)
        self.assertEqual(metrics["logtally_unmatched_lines_total", ()], 1)
        self.assertEqual(metrics["logtally_rule_matches_total", (("patterns", "test"), ("rule", "done"))], 3)

    def test_an_edited_patterns_file_is_loaded_by_itself(self):
        """A user adds a metric to a patterns file; old values stay, new lines count in both."""
        self.write(self.log("a.log"), "word=one\n")
        self.pattern_file(WORDS)
        d = self.start()
        d.wait_value(1, "words_total", word="one")
        self.pattern_file(WORDS + "      - counter: all_words_total\n        help: All.\n")
        wait_for("the reload", lambda: d.value("all_words_total") == 0)
        self.append(self.log("a.log"), "word=one\n")
        d.wait_value(1, "all_words_total")
        self.assertEqual(d.value("words_total", word="one"), 2)
        wait_for("the word of it", lambda: "new patterns apply to new lines" in d.log)

    def test_a_bad_edit_changes_nothing_and_is_named(self):
        """A regex is broken while the daemon runs: it says where, and goes on with the old rules."""
        self.write(self.log("a.log"), "word=one\n")
        self.pattern_file(WORDS)
        d = self.start("--web.enable-lifecycle")
        d.wait_value(1, "words_total", word="one")
        self.pattern_file(WORDS.replace("(?<word>", "(?<word"))
        status, text = fetch(d.url + "/-/reload", method="POST")
        self.assertEqual(status, 500)
        self.assertRegex(text, r"test\.yml:4:14: ")
        self.assertIn("^", text)
        self.assertEqual(d.value("logtally_config_last_reload_successful"), 0)
        self.append(self.log("a.log"), "word=one\n")
        d.wait_value(2, "words_total", word="one")
        self.pattern_file(WORDS)
        d.process.send_signal(signal.SIGHUP)
        d.wait_value(1, "logtally_config_last_reload_successful")

    def test_a_patterns_directory_that_becomes_empty_is_told(self):
        self.pattern_file(WORDS)
        d = self.start()
        for name in os.listdir(self.patterns):
            os.unlink(os.path.join(self.patterns, name))
        wait_for("the warning", lambda: "the directory holds no patterns file" in d.log and "the new configuration has warnings" in d.log)

    def test_reload_by_post_needs_the_flag(self):
        self.pattern_file(WORDS)
        d = self.start()
        status, text = fetch(d.url + "/-/reload", method="POST")
        self.assertEqual(status, 403)
        self.assertIn("--web.enable-lifecycle", text)

    def test_files_directories_and_globs_are_picked_up_when_they_appear(self):
        """A missing directory, a new subdirectory with a file in it, and a ** glob."""
        self.pattern_file(WORDS)
        later, tree = self.path("later", "app"), self.path("tree")
        os.mkdir(tree)
        d = self.start("--logs", later, "--logs", self.logs, "--logs", tree + "/**/x*.txt")
        os.makedirs(self.log("sub/deep"))
        self.write(self.log("sub/deep/new.log"), "word=sub\n")
        os.makedirs(later)
        self.write(later + "/b.log", "word=later\n")
        os.makedirs(tree + "/1/2")
        self.write(tree + "/1/2/x1.txt", "word=glob\n")
        self.write(tree + "/1/2/y1.txt", "word=other\n")
        for word in ("sub", "later", "glob"):
            d.wait_value(1, "words_total", word=word)
        self.assertIsNone(d.value("words_total", word="other"))

    def test_rename_and_create_loses_nothing(self):
        """A writer rotates by rename every 50 lines while the daemon reads."""
        self.pattern_file(WORDS)
        self.write(self.log("a.log"), "")
        d = self.start()
        d.wait_value(0, "logtally_catching_up")
        for generation in range(20):
            for _ in range(50):
                self.append(self.log("a.log"), "word=x\n")
            os.rename(self.log("a.log"), self.log(f"a.log.{generation}"))
        d.wait_value(1000, "words_total", word="x")
        self.assertGreater(d.value("logtally_rotations_total", kind="rename"), 0)

    def test_a_truncated_file_is_read_from_its_start(self):
        self.pattern_file(WORDS)
        self.write(self.log("a.log"), "word=a\n" * 10)
        d = self.start()
        d.wait_value(10, "words_total", word="a")
        self.write(self.log("a.log"), "word=b\n")
        d.wait_value(1, "words_total", word="b")
        self.assertEqual(d.value("words_total", word="a"), 10)
        self.assertEqual(d.value("logtally_rotations_total", kind="truncate"), 1)

    def test_totals_are_equal_with_1_2_and_4_workers(self):
        """The same eight files, read by each number of workers."""
        self.pattern_file(WORDS + LATENCY.replace("rules:\n", ""))
        shuffled = random.Random(1)
        for i in range(8):
            self.write(self.log(f"{i}.log"), "".join(
                f"word=w{shuffled.randrange(50)}\ndone in {shuffled.randrange(2000)} ms\n" for _ in range(2000)))
        seen = []
        for workers in ("1", "2", "4"):
            d = self.start("--workers", workers)
            d.wait_value(16000, "done_total")
            d.wait_value(32000, "logtally_lines_total")
            metrics = {k: v for k, v in d.metrics().items() if not k[0].startswith(("logtally_", "process_", "last_"))}
            total = metrics.pop(("latency_seconds_sum", ()))
            seen.append((metrics, round(total, 6)))
            d.stop()
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0], seen[2])

    def test_whatever_is_in_a_line_the_exposition_stays_valid(self):
        """Quotes, backslashes, control characters, invalid UTF-8, NUL and emoji become label values."""
        self.pattern_file("rules:\n  - name: all\n    metrics:\n"
                          "      - counter: lines_total\n        help: 'A \\ and \"quotes\".'\n        labels: {text: $_line}\n")
        odd = [b'say "hi"', b"back\\slash", b"tab\there", b"\xff\xfe\xc3", b"nul\0byte", "🙂 höhe".encode(), b"\x1b[31mred", b"#", b"{}", b""]
        self.write(self.log("a.log"), b"\n".join(odd) + b"\n")
        d = self.start()
        d.wait_value(len(odd), "logtally_lines_total")
        d.wait_value(0, "logtally_catching_up")
        texts = {dict(labels)["text"] for name, labels in d.metrics() if name == "lines_total"}
        self.assertIn('say "hi"', texts)
        self.assertIn("back\\slash", texts)
        self.assertIn("🙂 höhe", texts)
        self.assertIn("nul\ufffdbyte", texts)
        self.assertEqual(len(texts), len(odd))

    def test_crlf_and_an_unterminated_last_line(self):
        self.pattern_file(WORDS)
        self.write(self.log("a.log"), b"word=dos\r\nword=dos\r\nword=unfinished")
        d = self.start()
        d.wait_value(2, "words_total", word="dos")
        self.assertIsNone(d.value("words_total", word="unfinished"))

    def test_json_log_lines_are_json(self):
        self.pattern_file(WORDS)
        d = self.start("--log.format", "json", "--log.level", "debug")
        d.stop()
        for line in d.lines:
            entry = json.loads(line)
            self.assertTrue({"ts", "level", "msg"} <= set(entry))

    def test_sigterm_stops_within_a_second(self):
        self.pattern_file(WORDS)
        d = self.start()
        slow = socket.create_connection(("127.0.0.1", d.port))
        slow.sendall(b"GET /metrics HTTP/1.1\r\n")
        status, seconds = d.stop()
        slow.close()
        self.assertEqual(status, 0)
        self.assertLess(seconds, 1.0)

    def test_healthcheck_says_whether_the_daemon_is_ready(self):
        self.pattern_file(WORDS)
        d = self.start()
        wait_for("readiness", lambda: self.run_once("healthcheck", f"127.0.0.1:{d.port}")[0] == 0)
        d.stop()
        status, _, err = self.run_once("healthcheck", f"127.0.0.1:{d.port}")
        self.assertEqual(status, 1)
        self.assertIn(str(d.port), err)

    def test_help_fits_a_screen(self):
        status, out, _ = self.run_once("--help")
        self.assertEqual(status, 0)
        self.assertLessEqual(len(out.splitlines()), 26)
        self.assertLessEqual(max(map(len, out.splitlines())), 80)
        self.assertIn("usage: logtally [COMMAND] [FLAGS]", out)
        for command in ("run", "check", "test", "explain", "replay", "healthcheck", "version"):
            self.assertEqual(self.run_once(command, "--help")[0], 0)
            self.assertIn(command, out)

    def test_a_new_counters_first_event_is_shown_to_each_scraper(self):
        """A label set is born between two scrapes: the scraper sees 0 once, a person sees the value."""
        self.pattern_file(WORDS)
        self.write(self.log("a.log"), "word=old\n")
        d = self.start()
        d.wait_value(1, "words_total", word="old")
        scraper = {"X-Prometheus-Scrape-Timeout-Seconds": "10", "User-Agent": "Prometheus/2.42.0"}
        other = dict(scraper, **{"User-Agent": "another"})
        key = ("words_total", (("word", "new"),))
        self.assertEqual(d.metrics(**scraper)["words_total", (("word", "old"),)], 1)
        self.append(self.log("a.log"), "word=new\n")
        d.wait_value(1, "words_total", word="new")
        self.assertEqual(d.metrics(**scraper)[key], 0)
        self.assertEqual(d.metrics(**scraper)[key], 1)
        self.assertEqual(d.metrics(**other)[key], 1, "a scraper without history sees values as they are")
