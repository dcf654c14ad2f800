"""What `make bench` measures with: the corpora, the pattern sets, and that all of it still runs."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest

from harness import LOGTALLY, TOP

sys.path.insert(0, TOP + "/tests/bench")

import corpus  # noqa: E402
import measure  # noqa: E402
import rules  # noqa: E402


def text(kind, size=200_000, seed=1):
    return b"".join(corpus.blocks(kind, size, seed))


def share(kind, count=1000):
    """Of its lines, how many match a rule of the set."""
    either = [re.compile(rule.regex) for rule in rules.rule_set(count)]
    lines = text(kind).decode().splitlines()
    return sum(any(r.search(line) for r in either) for line in lines) / len(lines)


class Corpora(unittest.TestCase):
    def test_the_same_seed_gives_the_same_bytes(self):
        """Figures of different days are about the same logs: this one never changes."""
        for kind in corpus.KINDS:
            self.assertEqual(text(kind), text(kind))
            self.assertNotEqual(text(kind), text(kind, seed=2))
            self.assertNotEqual(text(kind)[:1000], text(kind, seed=2)[:1000])
        self.assertEqual(hashlib.sha256(text("mixed", 1 << 20)).hexdigest()[:16], "1f2026f99d71f3ab")

    def test_as_many_bytes_as_were_asked_for_in_whole_lines(self):
        for size in (0, 50, 1000, 300_000):
            got = text("mixed", size)
            self.assertTrue(size - 250 < len(got) <= size, (size, len(got)))
            self.assertTrue(got.endswith(b"\n") or not got)
        got = text("mixed")
        self.assertAlmostEqual(len(got) / got.count(b"\n"), 107, delta=2)

    def test_so_many_lines_match(self):
        for kind, expected in (("pipeline", 0.3), ("uvicorn", 0.95), ("json", 0.95), ("nginx", 0.95), ("quiet", 0), ("mixed", 0.625)):
            self.assertAlmostEqual(share(kind), expected, delta=0.025 if expected else 0, msg=kind)

    def test_more_rules_match_no_fewer_lines(self):
        shares = [share("mixed", count) for count in (5, 20, 100)]
        self.assertGreater(shares[0], 0.5)
        self.assertEqual(shares, sorted(shares))

    def test_sets_have_rules_of_their_own(self):
        names = [rule.metric for rule in rules.rule_set(1000)]
        self.assertEqual(len(set(names)), 1000)
        self.assertEqual(names[:20], [rule.metric for rule in rules.rule_set(20)])
        self.assertEqual({rule.kind for rule in rules.rule_set(20)}, {"counter", "gauge", "histogram"})
        self.assertEqual({re.compile(rule.regex).groups for rule in rules.rule_set(20)}, {1, 2, 3, 4})

    def test_the_sets_are_loaded(self):
        with tempfile.TemporaryDirectory() as top:
            for count in (5, 20, 100, 1000):
                with open(top + "/rules.yml", "w") as f:
                    f.write(rules.logtally_yaml(rules.rule_set(count)))
                done = subprocess.run([LOGTALLY, "check", top + "/rules.yml"], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"{count} rules", done.stdout)


class Harness(unittest.TestCase):
    def test_what_was_counted_otherwise_is_found(self):
        ours = measure.samples('# x\na_total{x="1",y="a\\"}"} 3\nb_bucket{le="1.0"} 2\nb_sum 0.3\nzero 0\n')
        self.assertEqual(measure.differences(ours, measure.samples('a_total{y="a\\"}",x="1"} 3\nb_bucket{le="1"} 2\nb_sum 0.30000000000000004\n')), [])
        self.assertEqual(len(measure.differences(ours, measure.samples('a_total{x="1",y="a\\"}"} 4\nb_bucket{le="1"} 2\nb_sum 0.3001\n'))), 2)
        self.assertEqual(len(measure.differences(ours, {})), 3)

    def test_all_of_it_runs(self):
        """With 1 MiB and 5 rules, and little of everything else; the figures mean nothing then."""
        done = subprocess.run([sys.executable, TOP + "/tests/bench/bench.py", "--size", "1MiB", "--rules", "5", "--series", "100", "--writes",
                               "8", "--files", "3", "--idle-seconds", "0.1"], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"mixed, 5 rules, 1 MiB: \d\d\d values, all equal")
        for title in ("Mixed corpus", "Single logs", "Two files", "Scrapes", "The exporter alone", "From write", "Idle"):
            self.assertRegex(done.stdout, rf"### {title}.*\n\n\|.*\n\|[-|]*\n\|.*\d")

    @unittest.skipUnless(os.access("/usr/bin/mtail", os.X_OK), "needs mtail")
    def test_a_difference_ends_the_run(self):
        """mtail's programs mean something else: nothing is measured."""
        code = ("import sys, rules\nmade = rules.mtail_program\n"
                "rules.mtail_program = lambda rs: made(rs).replace('[$method][$status]++', '[$method][$status] += 2', 1)\n"
                "sys.argv = ['bench.py', '--size', '100KiB', '--rules', '5', '--only', 'throughput']\nimport bench\nbench.main()\n")
        done = subprocess.run([sys.executable, "-c", code], cwd=TOP + "/tests/bench", capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"values differ of \d+:\n.*uvicorn_requests_total")


if __name__ == "__main__":
    unittest.main()
