"""Run every test and count them: the last line is `N passed, N failed`.

    run.py [--build DIR] [--only WORD]

Unit tests run twice: as built for release, and under AddressSanitizer and
UndefinedBehaviorSanitizer, whose reports fail the run (Criterion forks for
each test, so they are gathered in files).  Programs and modules of scenarios
run side by side, one a core.
"""

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)


class Totals:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.lock = threading.Lock()

    def add(self, passed, failed, what, output=""):
        """`output` is printed if something failed."""
        with self.lock:
            self.passed += passed
            self.failed += failed
            print(f"{'FAIL' if failed else 'ok  '}  {what}: {passed} passed, {failed} failed", flush=True)
            if failed and output:
                print(output, flush=True)


def side_by_side(call, items):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(call, items):
            pass


def run(command, **more):
    return subprocess.run(command, cwd=TOP, text=True, errors="replace", capture_output=True, timeout=600, **more)


def unit(totals, binary, sanitized):
    """Once more if it fails: what then passes is said to be flaky, and is not hidden."""
    if not unit_once(totals, binary, sanitized, last=False):
        print(f"flaky?  {os.path.relpath(binary, TOP)}: once more", flush=True)
        unit_once(totals, binary, sanitized, last=True)


def unit_once(totals, binary, sanitized, last):
    what = os.path.relpath(binary, TOP)
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
    if not failed or last or reports:
        totals.add(passing, failed, what, done.stdout + done.stderr + reports)
    return not failed or bool(reports)


def shell(totals, what, command):
    done = run(command)
    ok = done.returncode == 0
    totals.add(int(ok), int(not ok), what, done.stdout + done.stderr)


def counted(totals, what, command, seconds):
    """A script whose last line is `N passed, N failed`."""
    try:
        done = subprocess.run([sys.executable, *command], cwd=TOP, text=True, errors="replace", capture_output=True, timeout=seconds)
        out, found = done.stdout + done.stderr, re.search(r"(\d+) passed, (\d+) failed\n$", done.stdout)
    except subprocess.TimeoutExpired as late:
        out, found = f"{late}\n{late.stdout}", None
    passed, failed = (int(found[1]), int(found[2])) if found else (0, 1)
    if passed + failed == 0:
        failed = 1
    totals.add(passed, failed, what, out)


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
    done = run([sys.executable, HERE + "/crash/run_state_crash.py", "--build", build])
    found = re.search(r"^(\d+) passed, 0 failed\n\Z", done.stdout, re.M)
    totals.add(int(bool(found)), int(not found), f"crash at every system call: {found[1] if found else '?'} points")
    if not found:
        print(done.stdout + done.stderr)


def scenarios(totals, only):
    """Each module in a process of its own; `only`: the tests whose name has this word."""
    modules = sorted(os.path.basename(path)[:-3] for path in glob.glob(HERE + "/scenarios/test_*.py"))
    side_by_side(lambda module: scenario_module(totals, module, ["-k", f"*{only}*"] if only else []), modules)


def scenario_module(totals, module, more):
    done = subprocess.run([sys.executable, "-m", "unittest", "-v", *more, module], cwd=HERE + "/scenarios", text=True, errors="replace",
                          capture_output=True, timeout=1800)
    ran = re.search(r"^Ran (\d+) tests?", done.stderr, re.M)
    count = int(ran[1]) if ran else 0
    bad = bad_tests(done.stderr)
    for line in re.findall(r"^NOT TESTED: .*", done.stderr, re.M):
        print(line, flush=True)
    failed = len(still_bad(bad, os.environ))
    if bad and not failed:
        print(done.stderr, flush=True)
    if not more and (count == 0 or (done.returncode and not bad)):
        failed += 1
    if count or failed:
        totals.add(max(count - failed, 0), failed, f"scenarios {module}", done.stderr)


def bad_tests(output):
    return re.findall(r"^(?:FAIL|ERROR): \w+ \((\S+)\)", output, re.M)


def still_bad(tests, env):
    """Each alone once more: on a busy machine a deadline may have passed.  What then passes is told."""
    bad = []
    for test in tests:
        done = subprocess.run([sys.executable, "-m", "unittest", test], cwd=HERE + "/scenarios", env=env, text=True,
                              errors="replace", capture_output=True, timeout=300)
        print(f"{'FAIL' if done.returncode else 'flaky?'}  {test}: alone once more", flush=True)
        if done.returncode:
            bad.append(test)
    return bad


def sanitized_scenarios(totals, binary):
    """The scenarios again, with the daemon under AddressSanitizer and UndefinedBehaviorSanitizer."""
    with tempfile.TemporaryDirectory() as logs:
        options = f"log_path={logs}/report"
        env = dict(os.environ, LOGTALLY=binary, ASAN_OPTIONS="detect_leaks=1:" + options, UBSAN_OPTIONS=options)
        done = subprocess.run([sys.executable, "-m", "unittest", "test_main_job", "test_bad_input",
                               "test_identity", "test_losses", "test_partial_lines", "test_first_start", "test_replay", "test_explain",
                               "test_pattern_tests"], cwd=HERE + "/scenarios",
                              env=env, text=True, errors="replace", capture_output=True, timeout=900)
        bad = still_bad(bad_tests(done.stderr), env)
        reports = "".join(open(path, errors="replace").read() for path in glob.glob(logs + "/*"))
    ran = re.search(r"^Ran (\d+) tests", done.stderr, re.M)
    count = int(ran[1]) if ran else 0
    failed = len(bad) + bool(reports) if count else 1
    totals.add(max(count - failed, 0), failed, "scenarios under the sanitizers", done.stderr + reports)


def stack(totals):
    """docker-compose.yml in a Docker daemon of its own, where one can be started."""
    # A signal at its time, so that it takes down what it has started.
    done = subprocess.run(["timeout", "1500", sys.executable, "tests/stack/stack_test.py"], cwd=TOP, text=True, errors="replace",
                          capture_output=True)
    found = re.search(r"^(\d+) passed, (\d+) failed\n\Z", done.stdout, re.M)
    skipped = re.search(r"^NOT TESTED: .*", done.stdout, re.M)
    if skipped and not done.returncode:
        print(skipped[0], flush=True)
        return
    passed, failed = (int(found[1]), int(found[2])) if found else (0, 1)
    totals.add(passed, failed, "the stack in containers", done.stdout + done.stderr)


def programs(pattern):
    return [path for path in sorted(glob.glob(pattern)) if "." not in os.path.basename(path)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", help="scenarios whose name has this word, and nothing else")
    options = parser.parse_args()
    totals = Totals()
    build = os.path.join(TOP, options.build)
    if options.only:
        scenarios(totals, options.only)
    else:
        side_by_side(lambda binary: unit(totals, binary, False), programs(build + "/unit/*/test_*"))
        side_by_side(lambda binary: unit(totals, binary, True), programs(build + "/asan/unit/*/test_*"))
        for binary in programs(build + "/tsan/threads/*/test_*"):
            shell(totals, os.path.relpath(binary, TOP), [binary])
        side_by_side(lambda binary: fuzz(totals, binary), programs(build + "/fuzzing/fuzz/fuzz_*"))
        shell(totals, "check-rooms", ["make", "-s", "check-rooms"])
        planted_violation(totals)
        shell(totals, "check-headers", ["make", "-s", "check-headers"])
        shell(totals, "lint", ["make", "-s", "lint"])
        shell(totals, "docs/metrics.md is made from the table",
              ["sh", "-c", f"make -s {options.build}/metrics_doc >/dev/null && {options.build}/metrics_doc | diff - docs/metrics.md"])
        for page in sorted(glob.glob(TOP + "/docs/man/*.[15]")):
            shell(totals, f"mandoc {os.path.basename(page)}",
                  ["sh", "-c", f"test -z \"$(mandoc -T lint -W warning {page})\""])
        pattern_tests(totals, TOP + "/patterns")
        documented_patterns(totals)
        state_crash(totals, build)
        scenarios(totals, None)
        sanitized_scenarios(totals, build + "/asan/logtally")
        counted(totals, "JSON and logfmt against other readers", ["tests/differential/formats.py", "--build", build], 300)
        counted(totals, "random sequences against the model", ["tests/model/model.py", "--sequences", "300"], 1200)
        counted(totals, "dying at each call that changes a file", ["tests/model/every_call.py"], 600)
        os.environ["DIFFERENTIAL_BUILD"] = options.build
        for what in ("values", "times", "regexes", "exposition"):
            counted(totals, f"{what} as other implementations have them", [f"tests/differential/{what}.py"], 600)
        stack(totals)
        for tool in ("tsan", "helgrind"):
            shell(totals, f"all threads under {tool}",
                  [sys.executable, "tests/threads/daemon_threads.py", tool, f"{options.build}/{tool}/logtally"])
    print(f"{totals.passed} passed, {totals.failed} failed")
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
