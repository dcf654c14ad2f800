"""Run every test and count them: the last line is `N passed, N failed`.

    run.py [--build DIR] [--only WORD]

Unit tests run twice: as built for release, and under AddressSanitizer and
UndefinedBehaviorSanitizer, whose reports fail the run (Criterion forks for
each test, so they are gathered in files).  Everything runs side by side, in
their order below: what keeps a core busy beside what mostly waits, so that
the cores are never more than just busy.  Each line says how long it took.
"""

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import deque

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
CORES = os.cpu_count() or 1


class Totals:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.flaky = []
        self.lock = threading.Lock()
        self.job = threading.local()

    def begin(self):
        """What this thread adds from now on is told with the seconds since now."""
        self.job.began = time.monotonic()

    def add(self, passed, failed, what, output=""):
        """`output` is printed if something failed."""
        with self.lock:
            self.passed += passed
            self.failed += failed
            took = time.monotonic() - self.job.began
            print(f"{'FAIL' if failed else 'ok  '}  {what}: {passed} passed, {failed} failed ({took:.0f} s)", flush=True)
            if failed and output:
                print(output, flush=True)

    def once_more(self, what, passes):
        """What failed was run again, alone: what then passes is told, here and at the end."""
        with self.lock:
            print(f"{'flaky?' if passes else 'FAIL'}  {what}: alone once more", flush=True)
            if passes:
                self.flaky.append(what)


def side_by_side(totals, busy, waiting):
    """Calls, each with its arguments.  One core less than there are is busy beside as many calls that wait as there are cores; when
    nothing waits any more, all are busy.
    """
    queues = {"busy": deque(busy), "waiting": deque(waiting)}

    def work(*order):
        for name in order:
            while True:
                try:
                    call, *arguments = queues[name].popleft()
                except IndexError:
                    break
                totals.begin()
                try:
                    call(totals, *arguments)
                except Exception:  # of this file's: what was not run has failed
                    totals.add(0, 1, f"{call.__name__} {arguments}", traceback.format_exc())

    orders = [("busy", "waiting")] * max(CORES - 1, 1) + [("waiting", "busy")] + [("waiting",)] * (CORES - 1)
    threads = [threading.Thread(target=work, args=order, daemon=True) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(command, seconds=600, **more):
    """What takes longer has failed."""
    try:
        return subprocess.run(command, **{"cwd": TOP, **more}, text=True, errors="replace", capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(command, 124, *((text or b"").decode(errors="replace") for text in (late.stdout, late.stderr)))


def unit(totals, binary, sanitized):
    """Once more if it fails, unless a sanitizer says why."""
    what = os.path.relpath(binary, TOP)
    passed, failed, output, reports = unit_once(binary, sanitized)
    if failed and not reports:
        passed, failed, output, reports = unit_once(binary, sanitized)
        totals.once_more(what, not failed)
    totals.add(passed, failed, what, output + reports)


def unit_once(binary, sanitized):
    """(passed, failed, what it printed, what a sanitizer reports)"""
    with tempfile.TemporaryDirectory() as logs:
        env = dict(os.environ)
        if sanitized:
            options = f"log_path={logs}/report"
            env["ASAN_OPTIONS"] = "detect_leaks=1:" + options
            env["UBSAN_OPTIONS"] = "print_stacktrace=1:" + options
        done = run([binary], env=env)
        reports = "".join(open(path, errors="replace").read() for path in glob.glob(logs + "/*"))
    found = re.search(r"Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)", done.stderr)
    tested, passing = (int(found[1]), int(found[2])) if found else (0, 0)
    failed = tested - passing if tested else 1
    if reports or (done.returncode != 0 and failed == 0):
        failed += 1
    return passing, failed, done.stdout + done.stderr, reports


def shell(totals, what, command, seconds=600):
    done = run(command, seconds)
    ok = done.returncode == 0
    totals.add(int(ok), int(not ok), what, done.stdout + done.stderr)


def counted(totals, what, command, seconds):
    """A program whose last line is `N passed, N failed`; a signal comes at its time, so that it can take down what it has started."""
    done = run(["timeout", str(seconds), *command], seconds + 60)
    skipped = re.search(r"^NOT TESTED: .*", done.stdout, re.M)
    if skipped and not done.returncode:
        print(skipped[0], flush=True)
        return
    found = re.search(r"(\d+) passed, (\d+) failed\n$", done.stdout)
    passed, failed = (int(found[1]), int(found[2])) if found else (0, 1)
    if passed + failed == 0:
        failed = 1
    totals.add(passed, failed, what, done.stdout + done.stderr)


def fuzz(totals, binary):
    """A few seconds from the seeds: that the target still works, and what is found at once."""
    done = run(["tests/fuzz/run.sh", binary, "5"])
    totals.add(int(done.returncode == 0), int(done.returncode != 0), os.path.relpath(binary, TOP), done.stderr[-10000:])


def pattern_tests(totals, path):
    done = run(["./logtally", "test", path])
    found = re.search(r"(\d+) passed, (\d+) failed\n$", done.stdout)
    passed, failed = (int(found[1]), int(found[2])) if found else (0, 1)
    if passed + failed == 0:
        failed = 1
    totals.add(passed, failed, f"logtally test {os.path.relpath(path, TOP)}", done.stdout + done.stderr)


def documented_patterns(totals):
    """Every ```yaml patterns block of the documents carries tests, which pass."""
    for document in sorted(glob.glob(TOP + "/docs/*.md") + [TOP + "/README.md"]):
        text = open(document, encoding="utf-8").read()
        for number, block in enumerate(re.findall(r"^```yaml patterns\n(.*?)^```$", text, re.S | re.M)):
            with tempfile.TemporaryDirectory() as directory:
                name = f"{os.path.basename(document).split('.')[0]}-{number + 1}.yml"
                path = os.path.join(directory, name)
                open(path, "w", encoding="utf-8").write(block)
                pattern_tests(totals, path)


def planted_violation(totals):
    """The check of the rooms fails when a room reaches sideways."""
    with tempfile.TemporaryDirectory() as top:
        for folder in ("tailer", "include/tailer"):
            os.makedirs(os.path.join(top, folder))
        with open(top + "/tailer/a.c", "w") as f:
            f.write('#include "parsers/engine.h"\n')
        done = run([HERE + "/check_rooms.sh", top, "tailer: tailer common"])
    ok = done.returncode == 1 and "parsers/engine.h" in done.stdout
    totals.add(int(ok), int(not ok), "check-rooms fails on a planted violation")


def state_crash(totals, build):
    """The state's process is killed, or its disk fails, at every system call."""
    done = run([sys.executable, HERE + "/crash/run_state_crash.py", "--build", build, "--jobs", str(CORES)])
    found = re.search(r"^(\d+) passed, 0 failed\n\Z", done.stdout, re.M)
    totals.add(int(bool(found)), int(not found), f"crash at every system call: {found[1] if found else '?'} points")
    if not found:
        print(done.stdout + done.stderr)


def scenario_module(totals, module, sanitized=None, only=None):
    """In a process of its own.  `sanitized`: the daemon that reports; `only`: the tests whose name has this word."""
    with tempfile.TemporaryDirectory() as logs:
        env = dict(os.environ)
        if sanitized:
            options = f"log_path={logs}/report"
            env.update(LOGTALLY=sanitized, ASAN_OPTIONS="detect_leaks=1:" + options, UBSAN_OPTIONS=options)
        chosen = ["-k", f"*{only}*"] if only else []
        done = run([sys.executable, "-m", "unittest", "-v", *chosen, module], 1800, cwd=HERE + "/scenarios", env=env)
        bad = bad_tests(done.stderr)
        for line in re.findall(r"^NOT TESTED: .*", done.stderr, re.M):
            print(line, flush=True)
        failed = len(still_bad(totals, bad, env))
        reports = "".join(open(path, errors="replace").read() for path in glob.glob(logs + "/*"))
    ran = re.search(r"^Ran (\d+) tests?", done.stderr, re.M)
    count = int(ran[1]) if ran else 0
    if bad and not failed:
        print(done.stderr, flush=True)
    if reports or (not only and (count == 0 or (done.returncode and not bad))):
        failed += 1
    if count or failed:
        what = f"scenarios {module}{' under the sanitizers' if sanitized else ''}"
        totals.add(max(count - failed, 0), failed, what, done.stderr + reports)


def bad_tests(output):
    return re.findall(r"^(?:FAIL|ERROR): \w+ \((\S+)\)", output, re.M)


def still_bad(totals, tests, env):
    """Each alone once more: on a busy machine a deadline may have passed."""
    bad = []
    for test in tests:
        done = run([sys.executable, "-m", "unittest", test], 300, cwd=HERE + "/scenarios", env=env)
        totals.once_more(test, done.returncode == 0)
        if done.returncode:
            bad.append(test)
    return bad


def programs(pattern):
    return [path for path in sorted(glob.glob(pattern)) if "." not in os.path.basename(path)]


# The daemon of these runs under AddressSanitizer and UndefinedBehaviorSanitizer, too.
SANITIZED = ("test_main_job", "test_bad_input", "test_identity", "test_losses", "test_partial_lines", "test_first_start", "test_replay",
             "test_explain", "test_pattern_tests")


def modules():
    return sorted(os.path.basename(path)[:-3] for path in glob.glob(HERE + "/scenarios/test_*.py"))


def busy_jobs(build, name):
    """What keeps a core busy; what takes minutes comes first."""
    python = sys.executable
    yield shell, "lint", ["make", "-s", "lint", "LINT_JOBS=1"], 2400
    yield counted, "the Debian package", ["make", "-s", "package-test"], 1500
    yield state_crash, build
    for what, command in (("dying at each call that changes a file", ["tests/model/every_call.py"]),
                          ("JSON and logfmt against other readers", ["tests/differential/formats.py", "--build", build]),
                          *((f"{what} as other implementations have them", [f"tests/differential/{what}.py"])
                            for what in ("values", "times", "regexes", "exposition"))):
        yield counted, what, [python, *command], 600
    for binary in programs(build + "/asan/unit/*/test_*"):
        yield unit, binary, True
    for binary in programs(build + "/fuzzing/fuzz/fuzz_*"):
        yield fuzz, binary
    for binary in programs(build + "/unit/*/test_*"):
        yield unit, binary, False
    for binary in programs(build + "/tsan/threads/*/test_*"):
        yield shell, os.path.relpath(binary, TOP), [binary]
    yield shell, "check-rooms", ["make", "-s", "check-rooms"]
    yield (planted_violation,)
    yield shell, "check-headers", ["make", "-s", "check-headers"]
    yield shell, "docs/metrics.md is made from the table", ["sh", "-c", f"{name}/metrics_doc | diff - docs/metrics.md"]
    for page in sorted(glob.glob(TOP + "/docs/man/*.[15]")):
        yield shell, f"mandoc {os.path.basename(page)}", ["sh", "-c", f"test -z \"$(mandoc -T lint -W warning {page})\""]
    yield pattern_tests, TOP + "/patterns"
    yield (documented_patterns,)


def waiting_jobs(build, name):
    """What waits most of the time: for the daemon to look again, for a container, for the end of its seconds."""
    yield counted, "the stack in containers", [sys.executable, "tests/stack/stack_test.py"], 1500
    yield counted, "random sequences against the model", [sys.executable, "tests/model/model.py", "--sequences", "300", "--jobs", str(CORES)], 1200
    for tool in ("tsan", "helgrind"):
        yield shell, f"all threads under {tool}", [sys.executable, "tests/threads/daemon_threads.py", tool, f"{name}/{tool}/logtally"]
    for module in SANITIZED:
        yield scenario_module, module, build + "/asan/logtally"
    for module in modules():
        yield scenario_module, module


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", help="scenarios whose name has this word, and nothing else")
    options = parser.parse_args()
    totals = Totals()
    build = os.path.join(TOP, options.build)
    os.environ["DIFFERENTIAL_BUILD"] = options.build
    if options.only:
        side_by_side(totals, (), [(scenario_module, module, None, options.only) for module in modules()])
    else:
        side_by_side(totals, busy_jobs(build, options.build), waiting_jobs(build, options.build))
    for what in totals.flaky:
        print(f"flaky?  {what}: passed when it ran once more")
    print(f"{totals.passed} passed, {totals.failed} failed")
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
