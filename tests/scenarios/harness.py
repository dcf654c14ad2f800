"""The real daemon on real files, for tests that end on the exposition text."""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

from prometheus_client.parser import text_fd_to_metric_families, text_string_to_metric_families

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOGTALLY = os.environ.get("LOGTALLY", TOP + "/logtally")
COMMAND = [LOGTALLY]  # a tool may stand before it
DEADLINE = 30

# Patterns for those who need only something that counts.
WORDS = """
rules:
  - name: word
    pattern: 'word=(?<word>\\S+)'
    metrics:
      - counter: words_total
        help: Words seen.
        labels: {word: $word}
"""


def wait_for(what, condition, deadline=None):
    """Waits until `condition()` is true; fails with its last value."""
    deadline = deadline or DEADLINE
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline} s for {what}; last: {value!r}")
        time.sleep(0.02)


def fetch(url, headers=None, method="GET"):
    """(status, text) of a request."""
    request = urllib.request.Request(url, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def parse(text):
    """{(name, ((label, value), ...)): value}, after both of Prometheus' Python parsers took it."""
    import io

    families = list(text_string_to_metric_families(text))
    assert len(families) == len(list(text_fd_to_metric_families(io.StringIO(text))))
    names = [family.name for family in families]
    assert len(names) == len(set(names)), "a family stands twice"
    samples = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples, f"{key} stands twice"
            samples[key] = sample.value
    return samples


def free_port():
    """A port that nobody has, below those that the kernel gives to whoever connects somewhere meanwhile."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        end = int(f.read().split()[0])
    while True:
        port = random.randrange(min(10000, end // 2), end)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def freeze(pid):
    """SIGSTOP; returns when all threads of the process have stopped, or it has ended."""
    os.kill(pid, signal.SIGSTOP)
    folder = f"/proc/{pid}/task"

    def stopped():
        states = []
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/stat") as f:
                states.append(f.read().rpartition(") ")[2][0])
        return set(states) <= {"T", "Z"}

    wait_for(f"process {pid} to stop", stopped)


class Daemon:
    """A running `logtally run`; its log is in .log, its port in .port.  `prefix`: a command that runs it."""

    def __init__(self, *arguments, wait=True, prefix=()):
        self.arguments = arguments
        self.killed = False
        self.lines = []
        self.process = subprocess.Popen([*prefix, *COMMAND, "run", *arguments], stderr=subprocess.PIPE, text=True, errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = None
        if wait:
            wait_for("the daemon to start", self._started)
            self.url = f"http://127.0.0.1:{self.port}"

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    @property
    def log(self):
        return "".join(self.lines)

    def _started(self):
        if self.process.poll() is not None:
            self.reader.join()
            raise AssertionError("the daemon ended: " + self.log)
        found = re.search(r"logtally started.*?\"?\bport\"?[=:](\d+)", self.log)
        if found:
            self.port = int(found[1])
        return found

    def metrics(self, **headers):
        status, text = fetch(self.url + "/metrics", headers)
        assert status == 200, (status, text)
        return parse(text)

    def value(self, name, **labels):
        return self.metrics().get((name, tuple(sorted(labels.items()))))

    def wait_value(self, expected, name, **labels):
        last = []

        def condition():
            last[:] = [self.value(name, **labels)]
            return last[0] == expected

        try:
            wait_for(f"{name}{labels} = {expected}", condition)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {last[0]}\n{self.log}") from None

    def open_inodes(self):
        """The inode numbers of what the daemon has open."""
        inodes = set()
        folder = f"/proc/{self.process.pid}/fd"
        for fd in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                inodes.add(os.stat(f"{folder}/{fd}").st_ino)
        return inodes

    def open_files(self, top):
        """The paths below `top` of what the daemon has open; a deleted file's ends in " (deleted)"."""
        paths = set()
        folder = f"/proc/{self.process.pid}/fd"
        for fd in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                paths.add(os.readlink(f"{folder}/{fd}"))
        return {path for path in paths if path.startswith(top + "/")}

    def has_open(self, path):
        """True if there is a file at `path` and the daemon has it open."""
        with contextlib.suppress(FileNotFoundError):
            return os.stat(path).st_ino in self.open_inodes()
        return False

    def freeze(self):
        """SIGSTOP: until thaw() or kill9() the daemon sees nothing."""
        freeze(self.process.pid)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def frozen(self):
        self.freeze()
        yield
        self.thaw()

    def kill9(self):
        self.killed = True
        self.process.kill()
        self._end()

    def stop(self):
        """SIGTERM; returns (exit status, seconds)."""
        if self.process.poll() is not None:
            return 0 if self.killed else self.process.returncode, 0
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.thaw()
        return self._end(), time.monotonic() - start

    def _end(self):
        status = self.process.wait(timeout=DEADLINE)
        self.reader.join()
        self.process.stderr.close()
        return status


class Scenario(unittest.TestCase):
    """A scratch directory with logs/ and patterns/."""

    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="logtally-")
        self.logs = self.path("logs")
        self.patterns = self.path("patterns")
        os.mkdir(self.logs)
        os.mkdir(self.patterns)
        self.daemons = []

    def tearDown(self):
        for daemon in self.daemons:
            status, _ = daemon.stop()
            if status not in (0, 1, 2):
                print(daemon.log)
            self.assertIn(status, (0, 1, 2), "the daemon crashed")
            self.assertNotIn("ERROR: AddressSanitizer", daemon.log)
            self.assertNotIn("runtime error:", daemon.log)
        shutil.rmtree(self.top)

    def path(self, *names):
        return os.path.join(self.top, *names)

    def write(self, path, text, mode="w"):
        with open(path, mode + ("b" if isinstance(text, bytes) else "")) as f:
            f.write(text)

    def append(self, path, text):
        self.write(path, text, "a")

    def log(self, name):
        return os.path.join(self.logs, name)

    def pattern_file(self, text, name="test.yml"):
        self.write(os.path.join(self.patterns, name), text)

    def start(self, *arguments, wait=True, prefix=()):
        """A daemon on the scratch directory, with a state of its own; arguments are added."""
        given = list(arguments)
        state = self.path(f"state-{len(self.daemons)}")
        for flag, value in (("--logs", self.logs), ("--patterns", self.patterns), ("--storage.path", state),
                            ("--web.listen-address", "127.0.0.1:0")):
            configured = "--config.file" in given and flag in ("--logs", "--patterns")
            if flag not in given and not configured:
                given += [flag, value]
        daemon = Daemon(*given, wait=wait, prefix=prefix)
        self.daemons.append(daemon)
        return daemon

    def restart(self, daemon, *more):
        """A daemon as the one before, which is stopped if it still runs."""
        if daemon.process.poll() is None:
            self.assertEqual(daemon.stop()[0], 0, daemon.log)
        return self.start(*daemon.arguments, *more)

    def run_once(self, *arguments):
        """(status, stdout, stderr) of a command that ends by itself."""
        done = subprocess.run([LOGTALLY, *arguments], capture_output=True, text=True, timeout=DEADLINE)
        return done.returncode, done.stdout, done.stderr
