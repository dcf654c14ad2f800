"""`logtally explain`: what a person and a tool are told.  docs/explain.md is run by test_documents.py."""

import gzip
import json
import os
import subprocess

from harness import DEADLINE, LOGTALLY, Scenario

RULES = """
files: ['app*.log']
line: '^(?<level>[A-Z]+) (?<message>.*)$'
definitions: {ID: 'u\\d+'}
rules:
  - name: login
    where: {level: [INFO, WARN]}
    pattern: '^login of %{ID:user} took (?<ms>\\S+) ms$'
    unless: 'test'
    stop: true
    metrics:
      - histogram: login_seconds
        help: How long logins took.
        value: $ms
        scale: 0.001
        labels: {user: $user}
      - counter: logins_total
        help: Logins.
        labels: {user: $user}
  - name: any
    pattern: ['x', 'y=(?<n>-?\\d+)']
    metrics:
      - counter: n_total
        help: n
        value: $n
"""


class Explain(Scenario):
    def setUp(self):
        super().setUp()
        self.pattern_file(RULES, "app.yml")

    def explain(self, *arguments, stdin="", env=None):
        done = subprocess.run([LOGTALLY, "explain", "--patterns", self.patterns, *arguments], input=stdin if isinstance(stdin, bytes) else stdin.encode(),
                              capture_output=True, timeout=DEADLINE, env=dict(os.environ, **(env or {})))
        return done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="replace")

    def tree(self, *arguments, stdin=""):
        status, out, err = self.explain(*arguments, "--format", "json", stdin=stdin)
        self.assertEqual((status, err), (0, ""))
        return json.loads(out)

    def rule(self, line, name="login"):
        return {rule["rule"]: rule for rule in self.tree(line)["records"][0]["rules"]}[name]

    def assert_shows(self, line, *expected):
        status, out, err = self.explain(line)
        self.assertEqual((status, err), (0, ""))
        for text in expected:
            self.assertIn(text, out)

    def test_labels_are_shown_as_the_exposition_has_them(self):
        """Letters of any script stay as they are, none is cut in two, and what a terminal would obey is escaped."""
        self.pattern_file("rules:\n  - {name: a, pattern: '(?s)who=(?<who>.*)', metrics: [{counter: who_total, help: h, labels: {who: $who}}]}\n", "app.yml")
        self.assert_shows('who=Zo\u00eb "\u65e5\u672c" \\ \x1b[1m', 'who_total{who="Zo\u00eb \\"\u65e5\u672c\\" \\\\ \\x1b[1m"} +1\n')
        self.assert_shows("who=" + "x" * 199 + "\u00eb", 'who_total{who="' + "x" * 199 + '..."} +1\n')

    def test_a_match_tells_captures_and_every_update(self):
        rule = self.rule("INFO login of u1 took 250 ms")
        self.assertEqual(rule["captures"], {"user": "u1", "ms": "250"})
        self.assertEqual(rule["updates"], [
            {"metric": "login_seconds", "labels": {"user": "u1"}, "op": "observe", "value": 0.25},
            {"metric": "logins_total", "labels": {"user": "u1"}, "op": "add", "value": 1}])
        self.assertEqual(self.rule("INFO login of u1 took 250 ms", "any"), {"rule": "any", "at_line": 20, "verdict": "stopped", "stopped_by": "login"})

    def test_a_text_is_shown_where_it_is_no_number_that_counts(self):
        self.pattern_file("""
rules:
  - name: job
    pattern: '^(?<user>\\w*): job is (?<state>\\w+)$'
    metrics:
      - {unique: users, help: Users., from: user}
      - {state: job_state, help: Its state., value: $state, states: [idle, running]}
      - {gauge: longest, help: The longest., value: $state, op: max}
""", "job.yml")
        self.assert_shows("ann: job is running", 'users sees "ann"', 'job_state = "running"')
        self.assert_shows(": job is odd", "users: no update: the field user is missing or empty", 'job_state: no update: "odd" is none of its states')
        self.assert_shows("ann: job is inf", "longest observes +Inf  not counted: a sum or a window cannot take inf")
        [rule] = [r for record in self.tree("ann: job is idle")["records"] for r in record["rules"] if r["rule"] == "job"]
        self.assertEqual(rule["updates"][:2], [{"metric": "users", "labels": {}, "op": "see", "text": "ann"},
                                               {"metric": "job_state", "labels": {}, "op": "set", "text": "idle"}])

    def test_a_value_or_label_that_cannot_be_used_says_why_and_the_rest_goes_on(self):
        self.assert_shows("INFO login of u1 took 1,5 ms", 'login_seconds: no update: the value "1,5" is not a number', 'logins_total{user="u1"} +1')
        self.assert_shows("INFO y=-3", "n_total -3  not counted: a counter cannot go down")
        self.assert_shows("INFO x", 'n_total: no update: the value "" is not a number')
        self.assert_shows("INFO login of u" + "1" * 2000 + " took 1 ms", "a label is over limits: label_value_bytes")

    def test_each_gate_says_what_it_saw(self):
        self.assert_shows("ERROR login of u1 took 1 ms", 'where refuses: level is "ERROR", wanted "INFO" or "WARN" (its pattern would match)')
        self.assert_shows("no level", "`line` does not match", 'level is missing', "it looks at message, which this line does not have")
        self.pattern_file(RULES.replace("unless: 'test'", "unless: '[0-9]{4}'"), "app.yml")
        self.assert_shows("INFO login of u1 took 12345 ms", 'unless refuses: [0-9]{4} matches "1234"')

    def test_hints_name_what_keeps_a_line_from_matching(self):
        for line, hint in (("INFO login of u1 took 1 ms ", "blanks stand before the end"), ("INFO Login of u1 took 1 ms", "only the case of letters"),
                           ("INFO a login of u1 took 1 ms", "it matches without ^"), ("INFO login of u1\ttook 1 ms", "a tab stands"),
                           ("INFO login  of u1 took 1 ms", "several spaces")):
            self.assert_shows(line, "hint: " + hint)
        self.assert_shows("x INFO", "it looks at message")
        self.pattern_file(RULES.replace("'^login", "'^INFO login"), "app.yml")
        self.assert_shows("INFO login of u1 took 1 ms", "it matches the whole line, but looks at message")

    def test_carets_stand_right_under_wide_characters_tabs_and_bytes_that_are_none(self):
        for before, columns in (("日本", 4), ("ä", 1), ("\t", 2), ("e\u0301", 1), ("\x1b[0m", 7)):
            _, out, _ = self.explain("INFO y=" + before + "1")
            lines = out.splitlines()
            at = next(i for i, line in enumerate(lines) if "pattern 2" in line)
            self.assertEqual(lines[at + 3].index("^"), lines[at + 2].index("y=") + 2, out)
            _, out, _ = self.explain("INFO " + before + "y=z")
            lines = out.splitlines()
            at = next(i for i, line in enumerate(lines) if "pattern 2" in line)
            self.assertEqual(lines[at + 3].index("^"), len("      message:   ") + columns + 2, out)

    def test_any_bytes_are_valid_json_and_shown_escaped(self):
        everything = b"INFO " + bytes(i for i in range(256) if i != 10) + b"\n"
        record = self.tree(stdin=everything)["records"][0]
        self.assertTrue(record["text"].startswith("INFO "))
        _, out, _ = self.explain(stdin=everything)
        self.assertNotRegex(out, "[\x00-\x09\x0b-\x1f\x7f\udc80-\udcff]")

    def test_lines_come_from_arguments_files_archives_and_standard_input(self):
        line = "INFO login of u1 took 1 ms\n"
        self.write(self.path("lines"), line * 2)
        with gzip.open(self.path("lines.gz"), "wb") as f:
            f.write(line.encode() * 3)
        self.assertEqual(self.tree(line.strip(), "x")["lines"], 2)
        self.assertEqual(self.tree("--file", self.path("lines"), "--file", self.path("lines.gz"))["matched"], 5)
        tree = self.tree(stdin=line * 2 + "no end")
        self.assertEqual([record["line"] for record in tree["records"]], [1, 2, 3])
        self.assertEqual((tree["lines"], tree["matched"]), (3, 2))

    def test_the_path_decides_which_patterns_files_see_a_line(self):
        self.pattern_file("files: ['other.log']\nrules:\n  - {name: o, pattern: 'INFO'}\n", "other.yml")
        self.assertEqual([record["patterns"] for record in self.tree("INFO y=1")["records"]], [self.patterns + "/app.yml", self.patterns + "/other.yml"])
        tree = self.tree("--as", "/var/log/app.log", "INFO y=1")
        self.assertEqual([record["patterns"] for record in tree["records"]], [self.patterns + "/app.yml"])
        self.assertEqual(tree["not_wanted"], [self.patterns + "/other.yml"])
        self.write(self.log("other.log"), "INFO\n")
        tree = self.tree("--file", self.log("other.log"))
        self.assertEqual((tree["as"], len(tree["records"])), (os.path.realpath(self.log("other.log")), 1))

    def test_the_configuration_supplies_labels_limits_and_fields_of_the_path(self):
        self.pattern_file("rules:\n  - {name: e, where: {service: api}, pattern: 'E', metrics: [{counter: e_total, help: e, labels: {s: $service}}]}\n", "app.yml")
        self.write(self.path("logtally.yml"), f"logs: [{{path: {self.logs}, path_pattern: '/(?<service>[^/]+)/[^/]+$'}}]\npatterns: [patterns]\nlabels: {{site: lab1}}\n")
        done = subprocess.run([LOGTALLY, "explain", "--config.file", self.path("logtally.yml"), "--as", "/srv/api/a.log", "E"], capture_output=True, text=True)
        self.assertIn('service="api"', done.stdout)
        self.assertIn('e_total{s="api",site="lab1"} +1', done.stdout)

    def test_of_many_rules_the_closest_are_shown(self):
        self.pattern_file("rules:\n" + "".join(f"  - {{name: r{i}, pattern: 'rule number {i} says \\d+'}}\n" for i in range(30)), "app.yml")
        _, out, _ = self.explain("rule number 17 says nothing")
        self.assertIn("rule r17: no match", out)
        self.assertEqual(out.count("rule r"), 5)
        self.assertIn("25 more rules (--all shows them)", out)
        self.assertEqual(self.explain("--all", "rule number 17 says nothing")[1].count("rule r"), 30)
        self.assertIn("no rule comes close", self.explain("zzz")[1])

    def test_what_a_line_only_could_have_held_brings_no_rule_closer(self):
        self.pattern_file("definitions: {STAMP: '(?:(?:Mon|Tue|Wed) \\d+:\\d+ )?'}\nrules:\n" + "".join(
            f"  - {{name: left_out_{i}, pattern: '^(?:a long optional text )?end {i}'}}\n"
            f"  - {{name: stamped_{i}, pattern: '^%{{STAMP}}end {i}'}}\n" for i in range(10)) +
                          "  - {name: close, pattern: 'took \\d+ ms'}\n", "app.yml")
        _, out, _ = self.explain("Mon 1:2 it took n/a ms")
        self.assertEqual([line.split()[1] for line in out.splitlines() if line.startswith("    rule ")], ["close:"])

    def test_a_line_is_one_line_to_files_that_join_lines_and_to_others(self):
        self.pattern_file("multiline: {start: '^\\S'}\nrules:\n  - {name: joined, pattern: 'INFO'}\n", "joined.yml")
        tree = self.tree("INFO x", "  more", "INFO z")
        self.assertEqual((tree["lines"], tree["matched"]), (3, 2))
        _, out, _ = self.explain("INFO x")
        self.assertEqual(out.count("line 1"), 1)

    def test_colours_are_for_terminals_and_for_who_asks(self):
        self.assertNotIn("\x1b", self.explain("INFO x")[1])
        self.assertIn("\x1b[32mmatched\x1b[0m", self.explain("INFO x", "--color", "always")[1])
        shown = "TERM=xterm script -qec \"$0\" /dev/null"
        command = f"{LOGTALLY} explain --patterns {self.patterns} 'INFO x'"
        for setting, expected in ((command, True), ("NO_COLOR=1 " + command, False), (command + " --color never", False)):
            out = subprocess.run(["sh", "-c", shown, setting], capture_output=True, text=True, timeout=DEADLINE).stdout
            self.assertEqual("\x1b[32m" in out, expected, out)

    def test_bad_input_is_one_clear_line(self):
        self.pattern_file("rules:\n  - {name: o, pattern: '(INFO'}\n", "bad.yml")
        self.assertEqual(self.explain("x")[0], 1)
        os.unlink(self.patterns + "/bad.yml")
        for arguments, status, words in ((["--file", self.path("missing")], 1, "missing"), (["x", "--format", "xml"], 2, "text or json"),
                                         (["x", "--color", "red"], 2, "auto, always or never"), ([], 1, "no line"),
                                         (["--as", "/nope", "x"], 1, "no patterns file wants /nope")):
            found, _, err = self.explain(*arguments)
            self.assertEqual((found, len(err.splitlines())), (status, 1), (arguments, err))
            self.assertIn(words, err)
        status, _, err = self.run_once("explain", "x")
        self.assertEqual(status, 2)
        self.assertIn("--patterns", err)

    def test_a_pattern_that_explodes_is_bounded_and_said_to_be(self):
        self.pattern_file("rules:\n  - {name: boom, pattern: '^(a+)+$'}\n", "app.yml")
        self.assert_shows("a" * 40 + "!", "more than limits: match_steps")
