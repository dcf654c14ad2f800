"""Real programs that write real logs, and the shipped patterns that read them."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import threading

from harness import DEADLINE, TOP, Scenario, wait_for

PATTERNS = os.path.join(TOP, "patterns")
PYTHON = "/usr/bin/python3"


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Upstream:
    """A server that treats every connection in one way: "ok" answers, "slow" never does, "cut" hangs up."""

    def __init__(self, behaviour):
        self.behaviour = behaviour
        self.held = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                if self.behaviour == "slow":
                    self.held.append(connection)
                else:
                    threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection, contextlib.suppress(OSError):
            while connection.recv(65536):
                if self.behaviour == "cut":
                    return
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    def close(self):
        # close() alone would not wake the thread that accepts
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.held:
            connection.close()


class Program(Scenario):
    """The daemon follows logs/ with every shipped pattern; a test runs a program, does things to it, and compares."""

    maxDiff = None

    def setUp(self):
        super().setUp()
        os.chmod(self.top, 0o755)  # programs that leave root behind
        os.chmod(self.logs, 0o755)

    def tearDown(self):
        self.doCleanups()  # the programs end before their files go
        super().tearDown()

    def follow(self, *names):
        """Folders of logs/ that the program will write to; then the daemon."""
        for name in names:
            os.makedirs(self.log(name), exist_ok=True)
        self.daemon = self.start("--patterns", PATTERNS)
        self.daemon.wait_value(0, "logtally_catching_up")

    def spawn(self, command, **more):
        more.setdefault("stdout", subprocess.DEVNULL)
        more.setdefault("stderr", subprocess.DEVNULL)
        more.setdefault("cwd", self.top)
        process = subprocess.Popen(command, **more)
        self.addCleanup(self._end, process)
        return process

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def upstream(self, behaviour):
        server = Upstream(behaviour)
        self.addCleanup(server.close)
        return server

    def run_command(self, command, status=0, **more):
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, **more)
        if status is not None:
            self.assertEqual(done.returncode, status, (command, done.stdout, done.stderr))
        return done

    def request(self, port, path, method="GET", body=None, headers=None):
        """(status, bytes of the body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, len(answer.read())
        finally:
            connection.close()

    def wait_listens(self, port, process):
        def condition():
            if process.poll() is not None:
                raise AssertionError(f"{process.args[0]} ended with {process.returncode}")
            return listens(port)

        wait_for(f"{process.args[0]} to listen", condition)

    def expect(self, expected):
        """
        Waits for the metrics: {name: value}, or {name: {labels: value}} with labels as they stand in the text, e.g.
        'method="GET",status="200"': then these are all series of that name that are not 0.
        """
        def found():
            metrics = self.daemon.metrics()
            result = {}
            for name, value in expected.items():
                if isinstance(value, dict):
                    result[name] = {",".join(f'{k}="{v}"' for k, v in labels): number
                                    for (sample, labels), number in metrics.items() if sample == name and number}
                else:
                    result[name] = metrics.get((name, ()))
            return result

        wanted = {name: {",".join(sorted(labels.split(","))): number for labels, number in value.items()}
                  if isinstance(value, dict) else value for name, value in expected.items()}
        last = [None]

        def condition():
            last[0] = found()
            return last[0] == wanted

        try:
            wait_for("the metrics", condition)
        except AssertionError:
            self.assertEqual(last[0], wanted)
            raise

    def assert_read_by(self, *stems):
        """Rules of these patterns files matched lines, and of no others; no value was unreadable."""
        metrics = self.daemon.metrics()
        matched = {dict(labels)["patterns"] for (name, labels), value in metrics.items()
                   if name == "logtally_rule_matches_total" and value}
        self.assertEqual(matched, set(stems))
        self.assertEqual({labels: value for (name, labels), value in metrics.items()
                          if name == "logtally_rule_errors_total" and value}, {})

    def kill(self, pid, number=signal.SIGKILL):
        os.kill(pid, number)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(child) for child in f.read().split()]
