"""What bad input gets: a clear error, and nothing else is lost."""

import socket

from harness import WORDS, Scenario, wait_for


class BadInput(Scenario):
    def assert_one_line(self, text):
        self.assertEqual(len(text.splitlines()), 1, text)

    def test_unknown_flags_and_commands_are_usage_errors(self):
        for arguments, word in ((["run", "--web.listen-adress", "x"], "--web.listen-address"), (["chekc"], "check"),
                                (["run", "--logs"], "--logs"), (["version", "what"], "what"),
                                (["-patterns", "x"], "-patterns is no flag: flags begin with --")):
            status, _, err = self.run_once(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assert_one_line(err)
            self.assertIn(word, err)

    def test_a_port_in_use_is_one_line(self):
        self.pattern_file(WORDS)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            status, _, err = self.run_once("run", "--logs", self.logs, "--patterns", self.patterns, "--storage.path", "",
                                           "--web.listen-address", f"127.0.0.1:{port}")
        self.assertEqual(status, 1)
        self.assert_one_line(err)
        self.assertIn(str(port), err)

    def test_a_state_directory_that_cannot_be_written_is_one_line(self):
        self.pattern_file(WORDS)
        self.write(self.path("file"), "")
        status, _, err = self.run_once("run", "--logs", self.logs, "--patterns", self.patterns, "--storage.path",
                                       self.path("file", "state"), "--web.listen-address", "127.0.0.1:0")
        self.assertEqual(status, 1)
        self.assert_one_line(err)
        self.assertIn("--storage.path", err)

    def test_a_second_daemon_on_the_same_state_is_refused(self):
        self.pattern_file(WORDS)
        state = self.path("state")
        self.start("--storage.path", state)
        status, _, err = self.run_once("run", "--logs", self.logs, "--patterns", self.patterns, "--storage.path", state,
                                       "--web.listen-address", "127.0.0.1:0")
        self.assertEqual(status, 1)
        self.assert_one_line(err)
        self.assertIn("another logtally", err)

    def test_all_errors_of_all_files_come_at_once(self):
        """Three files with five mistakes: five errors, each with file, line, column and a way out."""
        self.pattern_file("rules:\n  - name: a\n    patern: 'x'\n    metrics:\n      - counter: lines\n        help: x\n", "a.yml")
        self.pattern_file("rules:\n  - name: b\n    pattern: 'x(?<n>y'\n  - name: b\n    pattern: 'z'\n", "b.yml")
        self.pattern_file("rules:\n  - name: c\n    pattern: 'x(?<nn>y)'\n    metrics:\n      - counter: c_total\n        help: x\n        value: $n\n", "c.yml")
        status, _, err = self.run_once("check", self.patterns)
        self.assertEqual(status, 1)
        for expected in (r"a\.yml:3:5: .*patern.*pattern", r"a\.yml:5:18: .*lines.*_total", r"b\.yml:3:14: ",
                         r"b\.yml:4:11: .*called b", r"c\.yml:7:16: .*\$n"):
            self.assertRegex(err, expected)

    def test_check_says_what_each_rule_is_found_by_and_what_would_help(self):
        """Two rules have a text; the others are tried on every line, each for a reason of its own."""
        self.pattern_file("line: '^(?<level>\\w+) (?<message>.*)'\nrules:\n"
                          "  - {name: one, pattern: 'took (?<ms>\\d+) ms'}\n"
                          "  - {name: two, pattern: ['(?i)quick', 'brown']}\n"
                          "  - {name: value, pattern: ['brown', '(?<ms>\\d+)']}\n"
                          "  - {name: common, pattern: 'INFO'}\n"
                          "  - {name: fields, where: {level: INFO}}\n"
                          "  - {name: path, in: _path, pattern: 'quick'}\n"
                          "  - {name: verb, pattern: 'quick(*ACCEPT)'}\n")
        status, out, _ = self.run_once("check", self.patterns, "--verbose")
        self.assertEqual(status, 0)
        for expected in (r'test\.yml:3: one: found by "took "\n', r'test\.yml:4: two: found by "quic" in any case or "brown"\n',
                         r"value: tried on every line: pattern 2: no text", r'common: tried on every line: "INFO" stands',
                         r"fields: tried on every line: it has no pattern", r"path: tried on every line: its pattern looks at _path",
                         r"verb: tried on every line: a verb"):
            self.assertRegex(out, expected)
        self.assertNotIn("took", self.run_once("check", self.patterns)[1])

    def test_warnings_fail_only_if_that_is_asked_for(self):
        self.pattern_file("rules:\n  - {name: a, pattern: '(a+)+$', metrics: [{counter: n_total}]}\n")
        status, out, err = self.run_once("check", self.patterns)
        self.assertEqual((status, out), (0, "1 patterns file, 1 rule, 1 metric: 2 warnings\n"))
        for expected in (r"test\.yml:2:24: warning: .*very many steps.*: begin each", r"test\.yml:2:54: warning: n_total has no help: add help"):
            self.assertRegex(err, expected)
        self.assertEqual(self.run_once("check", self.patterns, "--strict")[0], 1)
        self.pattern_file(WORDS.replace("\\S+", "[a-z]+"))
        self.assertEqual(self.run_once("check", self.patterns, "--strict")[:2], (0, "1 patterns file, 1 rule, 1 metric: ok\n"))

    def test_mistakes_in_the_configuration_do_not_hide_those_in_the_patterns(self):
        self.write(self.path("logtally.yml"), "logs: [{path: logs, inclde: ['*']}]\npatterns: [patterns, nope]\nlimits: {line_bytes: 1zb}\n"
                   "workers: many\nlabels: {le: x}\n")
        self.pattern_file("rules:\n  - name: a\n    pattern: 'x(y'\n")
        status, _, err = self.run_once("check", "--config.file", self.path("logtally.yml"))
        self.assertEqual(status, 1)
        for expected in (r"logtally\.yml:1:21: .*include", r"logtally\.yml:3:22: .*64KiB", r"logtally\.yml:4:10: .*many",
                         r"logtally\.yml:5:10: le ", r"/nope: ", r"test\.yml:3:14: ", r"6 errors"):
            self.assertRegex(err, expected)

    def test_an_unreadable_log_path_is_named_and_the_rest_goes_on(self):
        self.pattern_file(WORDS)
        self.write(self.log("a.log"), "word=a\n")
        missing = self.path("missing")
        d = self.start("--logs", missing, "--logs", self.logs)
        d.wait_value(1, "words_total", word="a")
        self.assertIn(missing, d.log)

    def test_a_start_that_follows_nothing_lists_what_it_skipped(self):
        self.pattern_file(WORDS)
        self.write(self.log("notes.txt"), "word=a\n")
        d = self.start()
        wait_for("the list", lambda: "notes.txt" in d.log)
        self.assertNotIn(r'\n"', d.log, "the list has no empty end")

    def test_a_value_that_is_no_number_updates_nothing(self):
        self.pattern_file("rules:\n  - name: v\n    pattern: 'v=(?<v>\\S+)'\n    metrics:\n      - gauge: v\n        help: v\n        value: $v\n"
                          "      - counter: sum_total\n        help: s\n        value: $v\n")
        self.write(self.log("a.log"), "v=1.5\nv=abc\nv=-2\n")
        d = self.start()
        d.wait_value(3, "logtally_lines_total")
        d.wait_value(0, "logtally_catching_up")
        self.assertEqual(d.value("v"), -2)
        self.assertEqual(d.value("sum_total"), 1.5)
        self.assertEqual(d.value("logtally_rule_errors_total", patterns="test", rule="v", reason="value"), 2)
        self.assertEqual(d.value("logtally_rule_errors_total", patterns="test", rule="v", reason="negative"), 1)

    def test_series_lines_and_labels_are_bounded(self):
        """Too many label sets go to `other`, a long label and a long line are counted."""
        self.write(self.path("logtally.yml"), f"logs: [{{path: {self.logs}}}]\npatterns: [patterns]\n"
                   "limits: {series_per_metric: 10, line_bytes: 2KiB, label_value_bytes: 100}\n")
        self.pattern_file(WORDS)
        self.write(self.log("a.log"), "".join(f"word=w{i}\n" for i in range(25)) + "word=" + "x" * 200 + "\n" + "y" * 5000 + "\nword=w1\n")
        d = self.start("--config.file", self.path("logtally.yml"))
        d.wait_value(15, "words_total", word="other")
        self.assertEqual(d.value("words_total", word="w1"), 2)
        self.assertEqual(d.value("logtally_series_overflow_total", metric="words_total"), 15)
        self.assertEqual(d.value("logtally_oversized_lines_total"), 1)
        self.assertEqual(d.value("logtally_rule_errors_total", patterns="test", rule="word", reason="label_too_long"), 1)

    def test_a_pattern_that_explodes_is_bounded_and_the_others_go_on(self):
        self.pattern_file("files: ['evil.log']\nrules:\n  - name: boom\n    pattern: '^(a+)+$'\n    metrics:\n      - counter: boom_total\n        help: b\n", "evil.yml")
        self.pattern_file("files: ['good.log']\n" + WORDS, "good.yml")
        self.write(self.log("evil.log"), ("a" * 40 + "!\n") * 100000)
        self.write(self.log("good.log"), "")
        d = self.start("--workers", "1")
        wait_for("the bound", lambda: d.value("logtally_rule_errors_total", patterns="evil", rule="boom", reason="match_limit"))
        for i in range(1, 6):
            self.append(self.log("good.log"), "word=a\n")
            wait_for("the other file's line",
                     lambda: d.value("logtally_rule_matches_total", patterns="good", rule="word") == i)
        self.assertLess(d.value("logtally_rule_errors_total", patterns="evil", rule="boom", reason="match_limit"), 100000,
                        "the evil file is still being read")

    def test_rude_clients_do_not_stop_the_next_scrape(self):
        """A thousand idle connections, endless headers, and a client that reads 100 bytes a second."""
        self.pattern_file(WORDS)
        self.write(self.log("a.log"), "".join(f"word=w{i:06d}\n" for i in range(9000)))
        d = self.start()
        d.wait_value(9000, "logtally_lines_total")
        idle = []
        for _ in range(1000):
            try:
                idle.append(socket.create_connection(("127.0.0.1", d.port), timeout=5))
            except OSError:
                break
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", d.port))
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        slow.recv(100)
        endless = socket.create_connection(("127.0.0.1", d.port))
        try:
            for i in range(10000):
                endless.sendall(b"X-Header-%d: %s\r\n" % (i, b"x" * 100))
        except OSError:
            pass
        for _ in range(3):
            self.assertEqual(d.value("words_total", word="w000001"), 1)
        for s in idle + [slow, endless]:
            s.close()
