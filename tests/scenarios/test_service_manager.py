"""What a service manager is told: the datagrams of sd_notify(3), received by the test in its place."""

import os
import signal
import socket

from harness import DEADLINE, Scenario, fetch, free_port

PATTERNS = "rules:\n  - name: a\n    pattern: 'a'\n    metrics:\n      - counter: lines_a_total\n        help: Lines.\n"


class ServiceManager(Scenario):
    def setUp(self):
        super().setUp()
        self.pattern_file(PATTERNS)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(DEADLINE)

    def tearDown(self):
        super().tearDown()
        self.socket.close()
        os.environ.pop("NOTIFY_SOCKET", None)

    def listen(self, name):
        self.socket.bind(name.replace("@", "\0"))
        os.environ["NOTIFY_SOCKET"] = name

    def told(self, field):
        """The next message with this field."""
        while True:
            message = dict(line.split("=", 1) for line in self.socket.recv(4096).decode().split("\n"))
            if field in message:
                return message

    def test_it_is_ready_when_it_listens(self):
        """Who was told READY=1 can scrape at once: nothing else is waited for."""
        self.listen(self.path("notify"))
        port = free_port()
        self.start("--web.listen-address", f"127.0.0.1:{port}", wait=False)
        self.assertEqual(self.told("READY")["READY"], "1")
        self.assertEqual(fetch(f"http://127.0.0.1:{port}/-/healthy")[0], 200)

    def test_a_reload_is_told_with_its_begin_and_end(self):
        self.listen(f"@logtally-test-{os.getpid()}")
        daemon = self.start()
        self.told("READY")
        daemon.process.send_signal(signal.SIGHUP)
        began = self.told("RELOADING")
        self.assertEqual(began["RELOADING"], "1")
        self.assertGreater(int(began["MONOTONIC_USEC"]), 0)
        self.assertEqual(self.told("STATUS")["STATUS"], "configuration loaded again")
        self.assertEqual(self.told("READY")["READY"], "1")

    def test_a_bad_reload_ends_too(self):
        self.listen(self.path("notify"))
        daemon = self.start()
        self.told("READY")
        self.pattern_file("rules: 3\n")
        daemon.process.send_signal(signal.SIGHUP)
        self.told("RELOADING")
        self.assertEqual(self.told("STATUS")["STATUS"], "the new configuration is bad: the old one stays")
        self.assertEqual(self.told("READY")["READY"], "1")

    def test_stopping_is_told(self):
        self.listen(self.path("notify"))
        daemon = self.start()
        self.told("READY")
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.told("STOPPING")["STOPPING"], "1")

    def test_a_socket_that_nobody_reads_disturbs_nothing(self):
        os.environ["NOTIFY_SOCKET"] = self.path("nobody")
        self.write(self.log("a.log"), "a\n")
        daemon = self.start()
        daemon.wait_value(1, "lines_a_total")
