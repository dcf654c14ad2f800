"""What the differential tests share: the program that is asked, random numbers, and the count."""

import os
import random
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("DIFFERENTIAL_BUILD", "build"))
CASES = int(os.environ.get("CASES", "5000"))  # of each test
SEED = int(os.environ.get("SEED", "1"))


def foreign_locale():
    """An environment with a comma as the decimal point; the C library's own where none can be made."""
    folder = tempfile.mkdtemp(prefix="logtally-locale-")
    done = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder + "/de_DE.UTF-8"], capture_output=True)
    return folder, dict(os.environ, LOCPATH=folder, LC_ALL="de_DE.UTF-8") if done.returncode == 0 else dict(os.environ)


def hexed(text):
    return (text if isinstance(text, bytes) else text.encode()).hex()


def ask(lines, env=None):
    """The answers to questions, one a line."""
    program = BUILD + "/differential/answers"
    done = subprocess.run([program], input="".join(line + "\n" for line in lines), capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise AssertionError(f"{program} exits {done.returncode}: {done.stderr}")
    answers = done.stdout.splitlines()
    if len(answers) != len(lines):
        raise AssertionError(f"{len(lines)} questions, {len(answers)} answers")
    return answers


class Count:
    """Of tests, each with many cases; the last line is `N passed, N failed`."""

    def __init__(self):
        self.passed = self.failed = 0

    def test(self, name, cases):
        """`cases` yields (what was asked, expected, got)."""
        asked, bad = 0, []
        for what, expected, got in cases:
            asked += 1
            if expected != got:
                bad.append((what, expected, got))
        ok = asked > 0 and not bad
        self.passed += ok
        self.failed += not ok
        print(f"{'ok  ' if ok else 'FAIL'}  {name}: {asked} cases, {len(bad)} differ (SEED={SEED})", flush=True)
        for what, expected, got in bad[:10]:
            print(f"      {what!r}: expected {expected!r}, got {got!r}")

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


def rng(name):
    return random.Random(f"{SEED} {name}")


def mutated(r, text, alphabet):
    """The text with a character or two changed, left out, added or doubled."""
    for _ in range(r.choice((1, 1, 2))):
        at = r.randrange(len(text) + 1)
        how = r.randrange(4)
        if how == 0:
            text = text[:at] + r.choice(alphabet) + text[at:]
        elif how == 1:
            text = text[:at] + text[at + 1:]
        elif how == 2:
            text = text[:at] + r.choice(alphabet) + text[at + 1:]
        else:
            text = text[:at] + text[max(0, at - 2):]
    return text
