"""A `logtally run` that can be stopped, killed, started again and scraped, quickly."""

import http.client
import os
import re
import signal
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOGTALLY = os.environ.get("LOGTALLY", TOP + "/logtally")
SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", re.M)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Failure(Exception):
    """What the daemon did is not what it promised."""


class Ended(Failure):
    """The daemon has ended by itself."""


class Metrics(dict):
    """{(name, labels as written): value} of an exposition."""

    def __init__(self, text):
        super().__init__(((name, labels), float(value)) for name, labels, value in SAMPLE.findall(text))

    def family(self, name):
        """{(label value, ...): value}, label values in the order of their names."""
        return {tuple(v for _, v in sorted(LABEL.findall(labels))): value
                for (family, labels), value in self.items() if family == name}

    def total(self, name):
        return sum(value for (family, _), value in self.items() if family == name)


class Process:
    """Its log is appended to `log_path`."""

    def __init__(self, arguments, log_path, env=None, deadline=20):
        start = os.path.getsize(log_path) if os.path.exists(log_path) else 0
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen([LOGTALLY, "run", *arguments, "--web.listen-address", "127.0.0.1:0"],
                                            env=env, stdout=subprocess.DEVNULL, stderr=log)
        self.stopped = False
        self.port = None
        end = time.monotonic() + deadline
        while self.port is None:
            with open(log_path, "rb") as log:
                log.seek(start)
                found = re.search(rb'logtally started.*?"?\bport"?[=:](\d+)', log.read())
            if found:
                self.port = int(found[1])
            elif self.process.poll() is not None:
                raise Ended(f"the daemon ended with {self.process.returncode} as it was started")
            elif time.monotonic() > end:
                self.kill()
                raise Failure(f"the daemon has not started within {deadline} s")
            else:
                time.sleep(0.004)

    def get(self, path, headers=None):
        """(status, text)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            # The connection breaks a moment before the process can be waited for.
            end = time.monotonic() + 0.5
            while self.process.poll() is None and time.monotonic() < end:
                time.sleep(0.005)
            if self.process.returncode is not None:
                raise Ended(f"GET {path}: the daemon ended with {self.process.returncode}") from None
            raise Failure(f"GET {path}: {error!r}") from None
        finally:
            connection.close()

    def metrics(self, headers=None):
        status, text = self.get("/metrics", headers)
        if status != 200:
            raise Failure(f"/metrics answers {status}: {text}")
        return Metrics(text)

    def suspend(self):
        self.process.send_signal(signal.SIGSTOP)
        self.stopped = True

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.stopped = False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self, deadline=20):
        if self.stopped:
            self.resume()
        self.process.terminate()
        try:
            status = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"the daemon has not stopped within {deadline} s of SIGTERM") from None
        if status != 0:
            raise Ended(f"the daemon stopped with {status}")
