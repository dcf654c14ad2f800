"""`logtally test`: what is said of a test that fails, to people and to CI."""

import xml.etree.ElementTree as xml

from harness import Scenario

FILE = """
files: ['app*.log']
rules:
  - name: took
    pattern: '^took (?<ms>\\S+) ms of (?<what>\\w+)$'
    metrics:
      - {gauge: took_seconds, help: How long it took., value: $ms, scale: 0.001}
      - {counter: runs_total, help: Runs., labels: {what: $what}}
tests:
  - name: it passes
    lines: took 250 ms of load
    expect: |
      took_seconds 0.25
      runs_total{what="load"} 1
  - name: 'it fails & says "why" <soon>'
    lines: |
      took 250 ms of load
      took long of load
      took n/a ms of check
    expect: |
      took_seconds 0.5
      runs_total{what="loads"} 1
      runs_total{what="check"} 1
"""

DIFFERENCE = """\
      ~ took_seconds: expected 0.5, got 0.25
      - runs_total{what="loads"} 1
      + runs_total{what="load"} 1
      no rule matched (logtally explain says why):
        line 2: took long of load
      not updated:
        line 3, took: took_seconds: the value "n/a" is not a number
"""


class PatternTests(Scenario):
    def pattern_file(self, text, name="test.yml"):
        super().pattern_file(text, name)
        return f"{self.patterns}/{name}"

    def test_a_failure_tells_both_values_and_what_became_of_the_lines(self):
        path = self.pattern_file(FILE)
        status, out, err = self.run_once("test", path)
        self.assertEqual((status, err), (1, ""))
        self.assertEqual(out, f"ok    {path}: it passes\nFAIL  {path}:15:5: it fails & says \"why\" <soon>\n{DIFFERENCE}1 passed, 1 failed\n")

    def test_junit_holds_what_was_said_whatever_it_holds(self):
        """A parser reads back names and differences, with characters that XML has no way to write replaced."""
        path = self.pattern_file(FILE.replace("'it fails & says \"why\" <soon>'", '"it fails & says \\"why\\" <soon>\\x07"').replace("of check\n", "of check\n      \U0001F4A9]]>\n"))
        broken = self.pattern_file("rules: 1\n", "zz.yml")
        status, _, _ = self.run_once("test", self.patterns, "--junit", self.path("junit.xml"))
        self.assertEqual(status, 1)
        root = xml.parse(self.path("junit.xml")).getroot()
        self.assertEqual((root.tag, root.get("tests"), root.get("failures")), ("testsuites", "3", "2"))
        suites = root.findall("testsuite")
        self.assertEqual([suite.get("name") for suite in suites], [path, broken])
        self.assertEqual((suites[0].get("tests"), suites[0].get("failures"), suites[0].get("errors")), ("2", "1", "0"))
        good, bad = suites[0].findall("testcase")
        self.assertEqual((good.get("name"), good.get("classname"), list(good)), ("it passes", path, []))
        self.assertEqual((bad.get("name"), bad.get("line")), ('it fails & says "why" <soon>\ufffd', "15"))
        self.assertIn("~ took_seconds: expected 0.5, got 0.25\n", bad.find("failure").text)
        self.assertIn("took long of load\n", bad.find("failure").text)
        self.assertIn("\U0001F4A9]]>", bad.find("failure").text)
        self.assertIn("rules", suites[1].find("testcase/failure").text)
        float(good.get("time"))

    def test_some_tests_can_be_run_alone(self):
        path = self.pattern_file(FILE)
        self.assertEqual(self.run_once("test", path, "--only", "PASSES")[:2], (0, f"ok    {path}: it passes\n1 passed, 0 failed\n"))
        status, _, err = self.run_once("test", path, "--only", "nothing")
        self.assertEqual(status, 1)
        self.assertIn("nothing", err)

    def test_a_directory_without_patterns_is_a_failure_that_says_what_is_looked_for(self):
        status, out, err = self.run_once("test", self.patterns, "--junit", self.path("junit.xml"))
        self.assertEqual((status, out), (1, f"FAIL  {self.patterns}: does not load\n0 passed, 1 failed\n"))
        self.assertEqual(err, f"logtally: {self.patterns}: the directory holds no patterns file: files are taken that end in .yml or .yaml "
                              "and lie in the directory itself\n")
        self.assertIn("no patterns file", xml.parse(self.path("junit.xml")).getroot().find("testsuite/testcase/failure").text)

    def test_results_that_cannot_be_written_are_a_failure(self):
        path = self.pattern_file(FILE.split("  - name: 'it fails")[0])
        status, out, err = self.run_once("test", path, "--junit", "/nowhere/junit.xml")
        self.assertEqual((status, len(err.splitlines())), (1, 1))
        self.assertIn("/nowhere/junit.xml", err)

    def test_of_many_lines_that_nothing_matched_some_are_told(self):
        path = self.pattern_file("rules:\n  - {name: a, pattern: 'x', metrics: [{counter: n_total, help: n}]}\n"
                                 "tests:\n  - name: t\n    lines: |\n" + "      y\n" * 25 + "    expect: n_total 1\n")
        _, out, _ = self.run_once("test", path)
        self.assertEqual(out.count(": y\n"), 10)
        self.assertIn("        and 15 more\n", out)
