"""End the state's process, or make the disk fail, at every system call; nothing may be lost or counted twice.

    run_state_crash.py [--build DIR] [--only KIND] [--jobs N]

state_crash makes a fixed course of commits, fault.so counts its system calls. For every k one process is killed at its
k-th call (or in the middle of the write that it is), and a second one must find exactly what the last acknowledged
commit made, or the one that was under way, and go on to the end. In others the k-th call, or all of some that follow,
fails with EIO or ENOSPC; that process must get to the end by itself, and find all of it after opening again. The last
line is `N passed, N failed`.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
MORE = 8  # the checkpoints' thread makes the number of calls differ a little from run to run

# Kind, which calls, and how many of them fail.
COURSES = [
    ("kill", "change", 1),
    ("torn", "change", 1),
    ("kill", "read", 1),
    ("eio", "change", 1),
    ("eio", "read", 1),
    ("enospc", "change", 1),
    ("enospc", "change", 40),
]


class Crash:
    def __init__(self, build, work):
        self.program = os.path.join(build, "crash", "state_crash")
        self.shim = os.path.join(build, "crash", "fault.so")
        self.work = work

    def start(self, directory, acknowledged, **fault):
        env = dict(os.environ)
        if fault:
            env.update(fault, FAULT_UNDER=directory, LD_PRELOAD=self.shim)
        return subprocess.run([self.program, directory, str(acknowledged)], env=env, capture_output=True, text=True,
                              errors="replace", timeout=20, close_fds=False)

    def count(self, kind, calls):
        counts = os.path.join(self.work, f"count-{kind}-{calls}")
        for _ in range(3):
            with tempfile.TemporaryDirectory(dir=self.work) as directory:
                done = self.start(directory, 0, FAULT_KIND=kind, FAULT_AT="0", FAULT_CALLS=calls, FAULT_COUNT=counts)
            if done.returncode != 0:
                raise SystemExit(f"without a fault: {done.stdout}{done.stderr}")
        with open(counts, encoding="ascii") as f:
            return max(int(line) for line in f)

    def check(self, directory, kind, calls, length, k):
        """What is wrong, or None."""
        first = self.start(directory, 0, FAULT_KIND=kind, FAULT_CALLS=calls, FAULT_AT=str(k), FAULT_FOR=str(length))
        if first.returncode == 0:
            return None if first.stdout.endswith("done\n") else first.stdout
        if first.returncode != -9:
            return first.stdout[-200:] + first.stderr[-500:]
        acknowledged = max([int(n) for n in re.findall(r"^acked (\d+)$", first.stdout, re.M)], default=0)
        second = self.start(directory, acknowledged)
        found = re.match(r"found (\d+)\n", second.stdout)
        if second.returncode != 0 or not second.stdout.endswith("done\n"):
            return f"after commit {acknowledged}: {second.stdout[-200:]}{second.stderr[-500:]}"
        if int(found[1]) > acknowledged + 1:
            return f"commit {acknowledged} was the last, and {found[1]} is there"
        return None

    def point(self, kind, calls, length, k):
        directory = tempfile.mkdtemp(dir=self.work)
        try:
            wrong = self.check(directory, kind, calls, length, k)
        except subprocess.TimeoutExpired:
            wrong = "it hangs"
        shutil.rmtree(directory, ignore_errors=True)
        return wrong and f"FAIL  {kind} at {calls} call {k} (of {length}): {wrong.strip()}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", help="one kind: kill, torn, eio, enospc")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    options = parser.parse_args()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    passed = failed = 0
    with tempfile.TemporaryDirectory(dir=memory) as work, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        crash = Crash(os.path.join(TOP, options.build), work)
        for kind, calls, length in COURSES:
            if options.only and kind != options.only:
                continue
            points = range(1, crash.count(kind, calls) + MORE + 1)
            wrongs = [w for w in pool.map(lambda k: crash.point(kind, calls, length, k), points) if w]
            passed += len(points) - len(wrongs)
            failed += len(wrongs)
            print(f"{kind} at each of {len(points)} {calls} calls, {length} in a row: {len(wrongs)} failed", flush=True)
            for wrong in wrongs[:10]:
                print(wrong)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
