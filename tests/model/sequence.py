"""One random sequence: what is done to logs and daemon, step by step, from a seed."""

import os
import random
import shutil
import tempfile
import threading
import time

from ledger import PATTERNS, Ledger
from logs import Log
from process import Failure, Process

PROMETHEUS = {"X-Prometheus-Scrape-Timeout-Seconds": "10", "User-Agent": "Prometheus/2.42.0"}
DEADLINE = 20  # seconds until everything that was written must be shown
HASTE = 3  # seconds after which an unfinished line is finished: at 10 the daemon takes it as it is


class Sequence:
    def __init__(self, seed, without=()):
        self.seed = seed
        self.without = without
        self.random = random.Random(seed)
        self.story = []
        self.began = time.monotonic()
        self.top = tempfile.mkdtemp(prefix=f"logtally-model-{seed}-", dir=self._scratch())
        self.daemon = None
        self.unfinished_since = None
        self.daemon_log = os.path.join(self.top, "daemon.log")
        self._lay_out()

    def _scratch(self):
        """Mostly the disk, where inode numbers come back at once; at times a file system without."""
        return "/dev/shm" if self.random.random() < 0.2 and os.access("/dev/shm", os.W_OK) else None

    def note(self, text):
        self.story.append(f"{time.monotonic() - self.began:7.3f}  {text}")

    def _lay_out(self):
        directory = os.path.join(self.top, "logs")
        os.makedirs(directory + "/deep")
        os.mkdir(self.top + "/patterns")
        with open(self.top + "/patterns/lines.yml", "w") as f:
            f.write(PATTERNS)
        names = self.random.sample(("a.log", "deep/b.log", "c.log"), self.random.choice((1, 1, 1, 2, 2, 3)))
        self.logs = [Log(os.path.join(directory, name), os.path.basename(name), self.random, self.note, self.random.random() < 0.5)
                     for name in names]
        self.ledger = Ledger(self.logs)
        roots = {"directory": [directory], "files": [log.path for log in self.logs], "glob": [directory + "/**/*.log"]}
        kind = self.random.choice(("directory", "directory", "directory", "files", "glob"))
        self.arguments = ["--patterns", self.top + "/patterns", "--storage.path", self.top + "/state", "--log.level", "debug"]
        for root in roots[kind]:
            self.arguments += ["--logs", root]
        self.note(f"seed {self.seed}: follow {', '.join(names)} by {kind}, in {self.top}")

    # -- the daemon ------------------------------------------------------------

    def start(self):
        workers = self.random.choice(("1", "2", "4"))
        self.note(f"start with {workers} workers")
        self.daemon = Process(self.arguments + ["--workers", workers], self.daemon_log)

    def _gone(self):
        self.daemon = None
        self.ledger.daemon_died()
        for log in self.logs:
            log.died()

    def kill(self):
        self.note("SIGKILL")
        self.daemon.kill()
        self._gone()

    def kill_in_a_burst(self):
        """Lines are written, and files rotated, while the signal comes."""
        delay = self.random.uniform(0, 0.02)
        self.note(f"SIGKILL in {delay * 1000:.1f} ms, meanwhile:")
        timer = threading.Timer(delay, self.daemon.process.kill)
        timer.start()
        log = self.random.choice(self.logs)
        for _ in range(self.random.randrange(1, 8)):
            log.write(self.random.choice((3, 50, 400)))
            if self.random.random() < 0.2:
                log.rotate_rename(True)
        timer.join()
        self.daemon.process.wait()
        self._gone()

    def terminate(self):
        self.note("SIGTERM")
        daemon, self.daemon = self.daemon, None
        daemon.terminate()
        self._gone()

    @property
    def reachable(self):
        return self.daemon is not None and not self.daemon.stopped

    # -- scrapes ---------------------------------------------------------------

    def scrape(self, prometheus=None, quiet=False):
        if prometheus is None:
            prometheus = self.random.random() < 0.5
        metrics = self.daemon.metrics(PROMETHEUS if prometheus else None)
        grown = self.ledger.check(metrics, prometheus)
        if not quiet:
            shown = ", ".join(f"{s} {s.shown}/{s.written}" for log in self.logs for s in log.streams if s.counts and s.written and s.shown)
            self.note(f"scrape{' by Prometheus' if prometheus else ''}: {shown or 'nothing yet'}")
        for log in self.logs:
            log.held(self.daemon, grown)
            log.looked = metrics.total("logtally_catching_up") == 0
            log.drop_shown()
        return metrics

    def settle(self, why="settle"):
        """Waits until all that must be counted is shown."""
        end, pause = time.monotonic() + DEADLINE, 0.002
        while True:
            metrics = self.scrape(prometheus=False, quiet=True)
            missing = self.ledger.missing()
            if not missing:
                self.note(f"{why}: all is shown")
                return metrics
            if time.monotonic() > end:
                raise Failure(f"not shown within {DEADLINE} s: " + "; ".join(missing))
            self._in_time()
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def wait_ready(self):
        end = time.monotonic() + DEADLINE
        while self.daemon.get("/-/ready")[0] != 200:
            if time.monotonic() > end:
                raise Failure(f"not ready within {DEADLINE} s")
            self._in_time()
            time.sleep(0.005)
        self.ledger.ready = True

    def _in_time(self):
        """Finishes what was begun, before the daemon may take it for the end."""
        if not any(file.pending for log in self.logs for file in log.files()):
            self.unfinished_since = None
        elif self.unfinished_since is None:
            self.unfinished_since = time.monotonic()
        elif time.monotonic() - self.unfinished_since > HASTE:
            for log in self.logs:
                log.finish_all()
            self.unfinished_since = None

    # -- steps -----------------------------------------------------------------

    def _count(self):
        return self.random.choice((1, 1, 2, 3, 5, 10, 40, 300, 3000) if self.random.random() < 0.6 else (1, 2, 3))

    def step_write(self, log):
        log.write(self._count())

    def step_begin(self, log):
        log.begin()

    def step_finish(self, log):
        for file in log.files():
            log.finish(file)

    def step_rename(self, log):
        log.rotate_rename(create=True)

    def step_rename_only(self, log):
        log.rotate_rename(create=False)

    def step_rename_and_compress(self, log):
        if log.current is not None:
            log.finish(log.current)
            file = log.rotate_rename(create=self.random.random() < 0.7)
            log.compress(file, self.random.choice(("gzip", "zstd")))

    def step_compress(self, log):
        files = [file for file in log.old if file.name and not file.compressed]
        if files:
            log.compress(self.random.choice(files), self.random.choice(("gzip", "zstd")))

    def step_copytruncate(self, log):
        log.rotate_copytruncate(self.random.choice((None, None, 0.3, 1, 1.5)))

    def step_several(self, log):
        for _ in range(self.random.randrange(2, 5)):
            log.write(self.random.choice((1, 2, 10)))
            name = self.random.choice(("rename", "rename", "rename_only", "rename_and_compress", "copytruncate"))
            getattr(self, "step_" + (name if name not in self.without else "rename"))(log)

    def step_lossy(self, log):
        """Mostly when nothing is left to lose."""
        if self.reachable and self.random.random() < 0.75:
            self.step_finish(log)
            self.settle("before it goes")
        kind = self.random.choice(("delete", "delete and create", "replace", "truncate"))
        if kind == "truncate":
            log.truncate()
            if self.random.random() < 0.5:
                log.write(self._count())
        elif kind == "replace":
            log.replace(self.daemon)
        else:
            log.delete(self.daemon)
            if kind != "delete" and log.current is None:
                log.create()
                log.write(self._count())

    def step_daemon(self, _):
        if self.daemon is None:
            self.start()
            if self.random.random() < 0.5:
                self.wait_ready()
        elif self.daemon.stopped:
            if self.random.random() < 0.2 and "death" not in self.without:
                self.kill()
            else:
                self.note("SIGCONT")
                self.daemon.resume()
        else:
            names = ["kill", "kill", "kill_in_a_burst", "kill_in_a_burst", "kill_after_a_scrape", "terminate", "suspend", "suspend"]
            getattr(self, self.random.choice([name for name in names if "death" not in self.without or name == "suspend"]))()

    def kill_after_a_scrape(self):
        self.scrape()
        self.kill()

    def suspend(self):
        self.note("SIGSTOP")
        self.daemon.suspend()

    def step_scrape(self, _):
        if self.reachable:
            self.scrape()

    def step_settle(self, _):
        if self.reachable:
            self.settle()

    STEPS = {"write": 30, "begin": 6, "finish": 4, "rename": 10, "rename_only": 3, "rename_and_compress": 4, "compress": 3,
             "copytruncate": 6, "several": 4, "lossy": 6, "daemon": 16, "scrape": 18, "settle": 4}

    def _step(self):
        weights = {name: weight for name, weight in self.STEPS.items() if name not in self.without}
        if not self.reachable:
            weights["daemon"] *= 2
        name = self.random.choices(list(weights), weights=list(weights.values()))[0]
        getattr(self, "step_" + name)(self.random.choice(self.logs))
        self._in_time()
        if self.random.random() < 0.3:
            time.sleep(self.random.choice((0.001, 0.005, 0.03)))

    def _first_start(self):
        """What is there before the daemon was ever started, and whether it gets to its end."""
        for log in self.logs:
            if self.random.random() < 0.5:
                log.write(self.random.choice((1, 5, 200, 5000)))
            if self.random.random() < 0.3:
                log.add_ancient(self.random.choice((1, 3, 50)))
        for _ in range(0 if "death" in self.without else self.random.choice((0, 0, 0, 1, 2))):
            self.start()
            time.sleep(self.random.uniform(0, 0.02))
            self.kill()
        self.start()
        self.wait_ready()

    def _last_words(self):
        """All that was written is shown, once, and still so after one more kill."""
        if self.daemon is None:
            self.start()
        elif self.daemon.stopped:
            self.note("SIGCONT")
            self.daemon.resume()
        for log in self.logs:
            log.finish_all()
        metrics = self.settle("at the end")
        if "death" not in self.without:
            self.kill()
            self.start()
            self.wait_ready()
            time.sleep(0.1)
            metrics = self.settle("after one more kill")
        self.scrape(prometheus=True)
        self.result = self.ledger.losses(metrics)
        self.terminate()

    def run(self):
        """Raises Failure; what was there stays in `top`."""
        try:
            self._first_start()
            for _ in range(self.random.randrange(10, 26)):
                self._step()
            self._last_words()
        except Failure:
            raise
        except Exception as error:
            raise Failure(f"{type(error).__name__}: {error}") from error
        finally:
            for log in self.logs:
                for file in log.files():
                    file.close()
            if self.daemon is not None:
                self.daemon.kill()
        shutil.rmtree(self.top)
