"""When inotify cannot help, or the system refuses: everything is counted all the same, once."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from harness import WORDS, Scenario, wait_for

# Writes lines to three files in turn, each with a write(2) of its own, until the time is over; prints how many.  At low
# priority: a queue is full in 10 ms, which other tests may take.
BUSY = """
import os, sys, time
os.nice(19)
fds = [os.open(f"{sys.argv[1]}/{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in "abc"]
end, count = time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < end:
    for _ in range(100):
        for fd in fds:
            os.write(fd, b"word=busy\\n")
    count += 300
print(count)
"""

NOBODY = 65534
LIMITED = ("unshare", "--user", "--map-root-user", "sh", "-c")
needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root")
needs_namespaces = unittest.skipUnless(subprocess.run([*LIMITED, "true"], capture_output=True).returncode == 0, "needs user namespaces")
needs_strace = unittest.skipUnless(shutil.which("strace"), "needs strace")


@contextlib.contextmanager
def sysctl(name, value):
    path = "/proc/sys/" + name.replace(".", "/")
    with open(path) as f:
        former = f.read()
    try:
        with open(path, "w") as f:
            f.write(str(value))
        yield
    finally:
        with open(path, "w") as f:
            f.write(former)


class Fallbacks(Scenario):
    def setUp(self):
        # Names in directories above the logs wake the daemon, and many come and go in /tmp.
        tempfile.tempdir = "/var/tmp"
        self.addCleanup(setattr, tempfile, "tempdir", None)
        super().setUp()
        self.pattern_file(WORDS)
        self.mounts = []

    def tearDown(self):
        for path in reversed(self.mounts):
            subprocess.run(["umount", "-l", path], check=True)
        super().tearDown()

    def fallbacks(self, daemon, reason):
        return daemon.value("logtally_watch_fallbacks_total", reason=reason)

    def mount(self, path):
        subprocess.run(["mount", "-t", "tmpfs", "logtally-test", path], check=True)
        self.mounts.append(path)

    def unmount(self, path):
        """Lazily: the daemon may have files of it open."""
        subprocess.run(["umount", "-l", path], check=True)
        self.mounts.remove(path)

    def with_limit(self, name, value):
        """The command that runs a daemon in a user namespace with a limit of its own."""
        return (*LIMITED, f'echo {value} > /proc/sys/user/{name} && exec "$0" "$@"')

    def raise_limit(self, daemon, name):
        subprocess.run(["nsenter", "--user", f"--target={daemon.process.pid}", "sh", "-c", f"echo 1000 > /proc/sys/user/{name}"],
                       check=True)

    # -- too many events

    def test_a_flood_of_writes_is_looked_at_until_it_is_over(self):
        """
        A program writes to three files as often as it can.  Its directory is polled and that is counted, once; the queue does not
        overflow; a file that is made and one that is renamed meanwhile are noticed.  When it is over, events tell again, and while
        there are none the daemon sleeps.
        """
        d = self.start("--storage.path", self.path("state"))
        writer = subprocess.Popen([sys.executable, "-c", BUSY, self.logs, "2"], stdout=subprocess.PIPE, text=True)
        wait_for("the flood", lambda: self.fallbacks(d, "flood"))
        self.append(self.log("new.log"), "word=new\n")
        d.wait_value(1, "words_total", word="new")
        os.rename(self.log("new.log"), self.log("new.log.1"))
        d.wait_value(1, "logtally_rotations_total", kind="rename")
        written = int(writer.communicate()[0])
        d.wait_value(written, "words_total", word="busy")
        wait_for("it to be over", lambda: self.wakes_of_discovery(d, 0.3) == 0)
        self.append(self.log("a.log"), "word=after\n")
        d.wait_value(1, "words_total", word="after")
        wait_for("quiet", lambda: self.wakes_of_discovery(d, 0.3) == 0)
        self.assertEqual(self.fallbacks(d, "flood"), 1)
        self.assertEqual(self.fallbacks(d, "overflow"), 0)

    def threads(self, daemon, file, expression):
        """What the expression finds in a file of each thread in /proc."""
        found = []
        for task in os.listdir(f"/proc/{daemon.process.pid}/task"):
            with open(f"/proc/{daemon.process.pid}/task/{task}/{file}") as f:
                found += re.findall(expression, f.read(), re.S)
        return found

    def wakes_of_discovery(self, daemon, seconds):
        def wakes():
            return int(self.threads(daemon, "status", r"^Name:\tdiscovery\n.*\nvoluntary_ctxt_switches:\t(\d+)")[0])

        before = wakes()
        time.sleep(seconds)
        return wakes() - before

    @needs_root
    def test_a_queue_that_overflows_leads_to_a_look_at_everything(self):
        """
        The daemon is stopped, and more happens than its queue of events holds: lines, new files and directories, a rotation.  When
        it goes on it has lost events, says so, and counts every line once.  Then all is as before.
        """
        self.append(self.log("a.log"), "word=a\n")
        with sysctl("fs.inotify.max_queued_events", 256):
            d = self.start("--storage.path", self.path("state"))
        d.wait_value(1, "words_total", word="a")
        d.process.send_signal(signal.SIGSTOP)
        try:
            wait_for("all threads to stop", lambda: set(self.threads(d, "stat", r"\) (\w) ")) == {"T"})
            for i in range(300):
                self.append(self.log("a.log"), "word=a\n")
                self.append(self.log("b.log"), "word=b\n")
            os.rename(self.log("a.log"), self.log("a.log.1"))
            self.append(self.log("a.log.1"), "word=a\n")
            self.append(self.log("a.log"), "word=a\n")
            os.mkdir(self.log("sub"))
            self.append(self.log("sub/c.log"), "word=c\n")
        finally:
            d.process.send_signal(signal.SIGCONT)
        d.wait_value(303, "words_total", word="a")
        d.wait_value(300, "words_total", word="b")
        d.wait_value(1, "words_total", word="c")
        wait_for("quiet", lambda: self.wakes_of_discovery(d, 0.3) == 0)
        self.append(self.log("sub/c.log"), "word=c\n")
        d.wait_value(2, "words_total", word="c")
        self.assertEqual(self.fallbacks(d, "overflow"), 1)
        self.assertEqual(d.log.count("max_queued_events"), 1)

    @needs_root
    def test_a_queue_that_keeps_overflowing_keeps_nothing_busy(self):
        """
        The queue holds 16 events, and for two seconds names come and go as fast as they can beside lines that are written.  Events
        are lost all the time, which is said once; everything is looked at again now and then, and in the end each line is counted.
        """
        for i in range(200):
            self.append(self.log(f"{i}.log"), "word=a\n")
        with sysctl("fs.inotify.max_queued_events", 16):
            d = self.start()
        d.wait_value(200, "words_total", word="a")
        end, rounds = time.monotonic() + 2, 0
        while time.monotonic() < end:
            rounds += 1
            for i in range(20):
                self.append(self.log(f"{i}.log"), "word=a\n")
                self.append(self.log("temporary"), "x")
                os.remove(self.log("temporary"))
            self.append(self.log(f"new-{rounds % 300}.log"), "word=new\n")
        d.wait_value(200 + 20 * rounds, "words_total", word="a")
        d.wait_value(rounds, "words_total", word="new")
        wait_for("quiet", lambda: self.wakes_of_discovery(d, 0.3) == 0)
        self.assertGreater(self.fallbacks(d, "overflow"), 5)
        self.assertEqual(d.log.count("max_queued_events"), 1)

    # -- nothing to watch with

    @needs_namespaces
    def test_without_an_inotify_instance_everything_is_polled(self):
        """Others have taken all instances that this user may have.  The daemon says so and what is needed, and polls."""
        self.append(self.log("a.log"), "word=a\n")
        d = self.start(prefix=self.with_limit("max_inotify_instances", 0))
        d.wait_value(1, "words_total", word="a")
        self.assertIn("fs.inotify.max_user_instances", d.log)
        self.append(self.log("a.log"), "word=a\n")
        os.rename(self.log("a.log"), self.log("a.log.1"))
        self.append(self.log("a.log"), "word=new\n")
        os.mkdir(self.log("sub"))
        self.append(self.log("sub/b.log"), "word=b\n")
        d.wait_value(2, "words_total", word="a")
        d.wait_value(1, "words_total", word="new")
        d.wait_value(1, "words_total", word="b")
        self.assertEqual(self.fallbacks(d, "no_instances"), 1)

    @needs_namespaces
    def test_directories_beyond_the_watches_are_polled_until_there_are_more(self):
        """
        There are more directories than watches.  Those beyond are polled, which is counted for each and said once; when there are
        more watches, they are watched.
        """
        for i in range(40):
            os.mkdir(self.log(f"d{i}"))
            self.append(self.log(f"d{i}/a.log"), "word=a\n")
        d = self.start(prefix=self.with_limit("max_inotify_watches", 20))
        d.wait_value(40, "words_total", word="a")
        for i in range(40):
            self.append(self.log(f"d{i}/a.log"), "word=a\n")
            self.append(self.log(f"d{i}/b.log"), "word=b\n")
        d.wait_value(80, "words_total", word="a")
        d.wait_value(40, "words_total", word="b")
        polled = self.fallbacks(d, "no_watches")
        self.assertGreater(polled, 20)
        self.assertEqual(d.log.count("fs.inotify.max_user_watches"), 1, d.log)
        self.raise_limit(d, "max_inotify_watches")
        wait_for("polling to end", lambda: self.wakes_of_discovery(d, 1.2) == 0)
        for i in range(40):
            self.append(self.log(f"d{i}/b.log"), "word=b\n")
        d.wait_value(80, "words_total", word="b")
        self.assertEqual(self.fallbacks(d, "no_watches"), polled)

    def test_poll_true_does_without_inotify(self):
        """logtally.yml says that a directory is to be polled, beside one that is watched."""
        os.mkdir(self.log("remote"))
        os.mkdir(self.log("local"))
        self.write(self.path("logtally.yml"), "logs: [{path: logs/remote, poll: true}, {path: logs/local}]\npatterns: [patterns]\n")
        d = self.start("--config.file", self.path("logtally.yml"))
        for name in ("remote", "local"):
            self.append(self.log(name + "/a.log"), f"word={name}\n")
        d.wait_value(1, "words_total", word="remote")
        self.append(self.log("remote/a.log"), "word=remote\n")
        os.rename(self.log("remote/a.log"), self.log("remote/a.log.1"))
        self.append(self.log("remote/a.log"), "word=remote\n")
        d.wait_value(3, "words_total", word="remote")
        d.wait_value(1, "words_total", word="local")
        self.assertEqual(self.fallbacks(d, "poll"), 1)

    @needs_strace
    def test_a_file_system_that_gives_no_events_is_polled(self):
        """A directory lies on what statfs(2) says is NFS: other machines write there, of which no event tells.  It is polled."""
        d = self.start(prefix=("strace", "-D", "-f", "-q", "-o", self.path("trace"), "-P", self.logs, "-e", "trace=statfs", "-e",
                               "inject=statfs:poke_exit=@arg2=6969000000000000"))
        self.append(self.log("a.log"), "word=a\n")
        d.wait_value(1, "words_total", word="a")
        self.append(self.log("a.log"), "word=a\n")
        os.rename(self.log("a.log"), self.log("a.log.1"))
        self.append(self.log("a.log"), "word=a\n")
        d.wait_value(3, "words_total", word="a")
        self.assertEqual(self.fallbacks(d, "filesystem"), 1)
        self.assertGreater(self.wakes_of_discovery(d, 2.5), 0)

    # -- what is refused

    @needs_root
    def test_what_may_not_be_read_is_read_when_it_may(self):
        """
        The daemon is an ordinary user, to whom one file and one directory are closed.  It names them and follows the rest; as soon
        as the modes are changed it reads them, and from then on is told of them by events.
        """
        os.mkdir(self.log("closed"))
        for path in (self.log("open.log"), self.log("closed.log"), self.log("closed/in.log")):
            self.append(path, "word=" + os.path.basename(path)[:-4] + "\n")
        os.mkdir(self.path("state"))
        for path, _, names in os.walk(self.top):
            for name in ("", *names):
                os.chmod(os.path.join(path, name), 0o644 if name else 0o755)
        os.chown(self.path("state"), NOBODY, NOBODY)
        os.chmod(self.log("closed.log"), 0)
        os.chmod(self.log("closed"), 0)
        d = self.start("--storage.path", self.path("state"),
                       prefix=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"))
        d.wait_value(1, "words_total", word="open")
        self.assertRegex(d.log, f"cannot read.*closed.log.*permission for user id {NOBODY}")
        self.assertEqual(self.fallbacks(d, "no_permission"), 1)
        self.assertIsNone(d.value("words_total", word="in"))
        os.chmod(self.log("closed.log"), 0o644)
        os.chmod(self.log("closed"), 0o755)
        d.wait_value(1, "words_total", word="closed")
        d.wait_value(1, "words_total", word="in")
        wait_for("polling to end", lambda: self.wakes_of_discovery(d, 1.2) == 0)
        self.append(self.log("closed/in.log"), "word=in\n")
        d.wait_value(2, "words_total", word="in")
        self.assertEqual(self.fallbacks(d, "no_permission"), 1)

    def test_more_files_than_descriptors_are_all_read(self):
        """The system allows far fewer descriptors than there are files: all are read all the same, and /metrics is served."""
        for i in range(300):
            self.append(self.log(f"{i}.log"), "word=a\n")
        d = self.start(prefix=("prlimit", "--nofile=64"))
        d.wait_value(300, "words_total", word="a")
        for i in range(300):
            self.append(self.log(f"{i}.log"), "word=a\n")
        d.wait_value(600, "words_total", word="a")
        self.assertEqual(d.value("logtally_files", state="open"), 32)
        self.assertNotIn("Too many open files", d.log)

    def test_when_all_descriptors_are_taken_files_wait_and_nothing_spins(self):
        """
        Connections that say nothing take the descriptors that were left.  A file that appears then cannot be opened: the daemon
        says so once, waits without haste, and reads the file when they have gone.
        """
        for i in range(60):
            self.append(self.log(f"{i}.log"), "word=a\n")
        d = self.start(prefix=("prlimit", "--nofile=64"))
        d.wait_value(60, "words_total", word="a")
        silent = []
        try:
            while len(os.listdir(f"/proc/{d.process.pid}/fd")) < 64 and len(silent) < 64:
                source = f"127.0.0.{2 + len(silent) // 16}"
                silent.append(socket.create_connection(("127.0.0.1", d.port), source_address=(source, 0)))
                time.sleep(0.01)
            self.append(self.log("new.log"), "word=new\n")
            wait_for("the complaint", lambda: "Too many open files" in d.log)
            before, began = self.ticks(d), time.monotonic()
            time.sleep(1)
            share = (self.ticks(d) - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)
            self.assertLess(share, 0.2)
            self.assertIsNone(d.process.poll())
        finally:
            for connection in silent:
                connection.close()
        d.wait_value(1, "words_total", word="new")
        self.assertEqual(d.log.count("Too many open files"), 1, d.log)

    def ticks(self, daemon):
        with open(f"/proc/{daemon.process.pid}/stat") as f:
            return sum(int(n) for n in f.read().rsplit(")", 1)[1].split()[11:13])

    # -- what goes wrong for a while

    def traced(self, path, *injections):
        """The command that lets system calls on `path` fail."""
        return ("strace", "-D", "-f", "-q", "-o", self.path("trace"), "-P", path, "-e", "trace=" + ",".join(i.split(":")[0] for i in injections),
                *(word for i in injections for word in ("-e", "inject=" + i)))

    def injected(self):
        with open(self.path("trace")) as f:
            return f.read().count("(INJECTED)")

    @needs_strace
    def test_a_stale_handle_is_opened_again(self):
        """
        A file lies on a server that was restarted: reading it fails with ESTALE, twice.  The daemon says so once, waits between
        its attempts, opens the file anew, and counts every line once.
        """
        self.append(self.log("a.log"), "word=a\n")
        d = self.start(prefix=self.traced(self.log("a.log"), "pread64:error=ESTALE:when=2..3"))
        d.wait_value(1, "words_total", word="a")
        self.append(self.log("a.log"), "word=a\n")
        d.wait_value(2, "words_total", word="a")
        self.append(self.log("a.log"), "word=a\n")
        d.wait_value(3, "words_total", word="a")
        self.assertEqual(self.injected(), 2)
        self.assertEqual(d.log.count("Stale file handle"), 1, d.log)
        self.assertEqual(d.value("words_total", word="a"), 3)

    @needs_strace
    def test_a_file_that_cannot_be_asked_for_a_while_stays_the_same_file(self):
        """Looking at a file fails for a while with ESTALE.  It is no other file afterwards, and no line is counted twice."""
        self.append(self.log("a.log"), "word=a\n")
        self.append(self.log("b.log"), "word=b\n")
        d = self.start(prefix=self.traced(self.log("a.log"), *(call + ":error=ESTALE:when=4..5" for call in (
            "newfstatat", "statfs", "name_to_handle_at", "openat"))))
        d.wait_value(1, "words_total", word="a")
        for i in range(10):
            self.append(self.log("a.log"), "word=a\n")
            self.append(self.log("b.log"), "word=b\n")
            os.chmod(self.log("a.log"), 0o600 + i)
            d.wait_value(2 + i, "words_total", word="a")
        d.wait_value(11, "words_total", word="b")
        self.assertGreater(self.injected(), 3)
        self.assertEqual(d.value("logtally_rotations_total", kind="rename") or 0, 0)

    @needs_strace
    def test_interrupted_calls_are_made_again(self):
        """Every so often a call on a file is interrupted by a signal (EINTR).  Every line counts once."""
        self.append(self.log("a.log"), "word=a\n")
        d = self.start(prefix=self.traced(self.log("a.log"), *(f"{call}:error=EINTR:when={when}" for call, when in (
            ("openat", "2+5"), ("pread64", "1+5"), ("newfstatat", "9+11"), ("statfs", "3+7"), ("name_to_handle_at", "4+9")))))
        d.wait_value(1, "words_total", word="a")
        for i in range(5):
            self.append(self.log("a.log"), "word=a\n")
            d.wait_value(2 + i, "words_total", word="a")
        os.rename(self.log("a.log"), self.log("a.log.1"))
        self.append(self.log("a.log"), "word=new\n")
        d.wait_value(1, "words_total", word="new")
        self.assertEqual(d.value("words_total", word="a"), 6)
        self.assertGreater(self.injected(), 5)

    @needs_strace
    def test_a_directory_that_cannot_be_listed_for_a_while_is_listed_later(self):
        """Watching and listing the directory fails with what a server that is away gives.  It is tried again, and events tell then."""
        self.append(self.log("a.log"), "word=a\n")
        d = self.start(prefix=self.traced(self.logs, *(call + ":error=ESTALE:when=1" for call in (
            "openat", "getdents64", "inotify_add_watch", "newfstatat"))))
        d.wait_value(1, "words_total", word="a")
        wait_for("polling to end", lambda: self.wakes_of_discovery(d, 1.2) == 0)
        self.append(self.log("b.log"), "word=b\n")
        d.wait_value(1, "words_total", word="b")
        self.assertGreater(self.injected(), 3)

    # -- mounts

    @needs_root
    def test_a_mount_over_a_followed_directory_and_its_end_are_noticed(self):
        """
        A file system is mounted over the directory: no event tells.  What is on it is followed.  A program that has a file of the
        hidden directory open goes on writing to it: that counts too.  When the file system is unmounted, the files that were
        there first are followed on where they were.
        """
        self.append(self.log("a.log"), "word=below\n")
        d = self.start("--storage.path", self.path("state"))
        d.wait_value(1, "words_total", word="below")
        with open(self.log("a.log"), "a", buffering=1) as writer:
            self.mount(self.logs)
            self.append(self.log("a.log"), "word=above\n")
            d.wait_value(1, "words_total", word="above")
            self.append(self.log("a.log"), "word=above\n")
            self.append(self.log("b.log"), "word=above\n")
            d.wait_value(3, "words_total", word="above")
            writer.write("word=below\n")
            d.wait_value(2, "words_total", word="below")
        self.unmount(self.logs)
        self.append(self.log("a.log"), "word=below\n")
        d.wait_value(3, "words_total", word="below")
        self.append(self.log("c.log"), "word=c\n")
        d.wait_value(1, "words_total", word="c")
        self.assertEqual(d.value("words_total", word="below"), 3)
        self.assertEqual(d.value("words_total", word="above"), 3)

    @needs_root
    def test_a_mount_within_a_followed_directory_and_its_end_are_noticed(self):
        """The same on a directory below the one that is followed."""
        os.makedirs(self.log("x/y"))
        self.append(self.log("x/y/a.log"), "word=below\n")
        d = self.start()
        d.wait_value(1, "words_total", word="below")
        self.mount(self.log("x/y"))
        os.mkdir(self.log("x/y/z"))
        self.append(self.log("x/y/z/a.log"), "word=above\n")
        d.wait_value(1, "words_total", word="above")
        self.append(self.log("x/y/a.log"), "word=above\n")
        d.wait_value(2, "words_total", word="above")
        self.unmount(self.log("x/y"))
        self.append(self.log("x/y/a.log"), "word=below\n")
        d.wait_value(2, "words_total", word="below")
        self.append(self.log("x/y/b.log"), "word=below\n")
        d.wait_value(3, "words_total", word="below")
        self.assertEqual(d.value("words_total", word="above"), 2)


if __name__ == "__main__":
    unittest.main()
