"""logrotate, Python's log handlers and nginx, as they are."""

import http.client
import os
import signal
import socket
import subprocess
import threading
import time

import rotation
from harness import DEADLINE, free_port, wait_for
from rotation import Rotation


class Logrotate(Rotation):
    """The real program, forced to rotate; a writer process meanwhile, or the daemon is down."""

    def logrotate(self, path, options):
        config = self.path("logrotate.conf")
        self.write(config, f"{path} {{\n    missingok\n    rotate 100\n    nomail\n    {options}\n}}\n")
        os.chmod(config, 0o644)
        os.chmod(os.path.dirname(path), 0o755)
        done = subprocess.run(["/usr/sbin/logrotate", "-f", "-s", self.path("logrotate.state"), config],
                              capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def running(self, options, kind="signal", **more):
        """A writer that is told by a postrotate script, one that notices by itself, or one that only appends."""
        def rotate(path, writer):
            if kind == "append":
                with writer.paused():
                    self.logrotate(path, options)
            elif kind == "signal":
                self.logrotate(path, f"{options}\n    postrotate\n        kill -HUP {writer.process.pid} || true\n    endscript")
            else:
                self.logrotate(path, options)

        self.under_load(rotate, kind, at_least=2, **more)

    def down(self, options, **more):
        self.while_down(lambda path: self.logrotate(path, options), generations=2, **more)

    def next_second(self):
        """dateext with %s in its format needs another second for another name; time(2) may be a tick late."""
        now = int(time.time())
        wait_for("the next second", lambda: int(time.time() - 0.05) > now)

    def test_create(self):
        self.running("create")

    def test_create_while_down(self):
        self.down("create")

    def test_copytruncate(self):
        self.running("copytruncate", "append")

    def test_copytruncate_while_down(self):
        self.down("copytruncate")

    def test_nocreate(self):
        self.running("nocreate", "reopen")

    def test_compress(self):
        """A line that the writer adds to the old file after it was compressed is read all the same."""
        self.running("create\n    compress", kept=False)

    def test_delaycompress(self):
        self.running("create\n    compress\n    delaycompress")

    def test_compress_while_down(self):
        self.down("create\n    compress")

    def test_copytruncate_and_compress_while_down(self):
        self.down("copytruncate\n    compress")

    def test_compress_with_zstd_while_down(self):
        self.down("create\n    compress\n    compresscmd /usr/bin/zstd\n    compressext .zst\n    compressoptions -q")

    def test_delaycompress_while_down(self):
        self.down("create\n    compress\n    delaycompress")

    def test_dateext_while_down(self):
        def rotate(path):
            self.logrotate(path, "create\n    dateext\n    dateformat -%Y%m%d-%s")
            self.next_second()

        self.while_down(rotate, kinds=("unread",), generations=2)

    def test_dateext_and_compress_while_down(self):
        """The plain dateext: one rotation a day."""
        self.while_down(lambda path: self.logrotate(path, "create\n    dateext\n    compress"))

    def test_dateext(self):
        stream = self.stream("app.log")
        self.follow()
        for _ in range(2):
            stream.write(50)
            self.logrotate(stream.path, "create\n    dateext\n    dateformat -%s")
            stream.write(10)
            self.wait_counted()
            self.next_second()
        self.finish()

    def test_olddir(self):
        os.mkdir(self.path("old"))
        self.running(f"create\n    olddir {self.path('old')}",
                     arguments=self.configure(f"logs: [{{path: {self.logs}, rotated_to: [{self.path('old')}]}}]\n"))

    def test_olddir_and_compress_while_down(self):
        os.mkdir(self.path("old"))
        self.down(f"create\n    compress\n    olddir {self.path('old')}", kinds=("unread",),
                  arguments=self.configure(f"logs: [{{path: {self.logs}, rotated_to: [{self.path('old')}]}}]\n"))


class PythonHandlers(Rotation):
    """Python's logging writes and rotates by itself."""

    def run_handler(self, kind, meanwhile=None, count=6000, at_least=3):
        stream = self.stream("app.log")
        self.follow()
        writer = stream.begin(kind, count)
        self.addCleanup(writer.kill)
        if meanwhile:
            meanwhile(stream, writer)
        writer.end()
        self.assertGreaterEqual(len(os.listdir(self.logs)), at_least)
        self.finish()

    def test_rotating_file_handler(self):
        self.run_handler("size")

    def test_timed_rotating_file_handler(self):
        """Two rotations by the clock: app.log.2026-11-24_16-38-54 and so on."""
        self.run_handler("timed")

    def test_watched_file_handler(self):
        def meanwhile(stream, writer):
            while self._grown(stream.path, writer):
                rotation.rename(stream.path)

        self.run_handler("watched", meanwhile, count=10000)

    def test_rotating_file_handler_while_down(self):
        """The daemon is killed while the handler is at it, and starts when it has done."""
        stream = self.stream("app.log")
        self.follow()
        writer = stream.begin("size", 10000)
        self.addCleanup(writer.kill)
        wait_for("a rotation", lambda: os.path.exists(stream.path + ".1"))
        self.kill()
        writer.end()
        self.again()
        self.finish()


class Nginx(Rotation):
    """nginx answers requests whose numbers are in its access log, which is renamed; USR1 makes it open a new one."""

    CONFIG = """
daemon off;
{user}
worker_processes 2;
pid {top}/nginx.pid;
error_log {top}/nginx-error.txt;
events {{ worker_connections 64; }}
http {{
    log_format numbered 'line nginx $arg_n';
    access_log {top}/logs/access.log numbered;
    client_body_temp_path {top}/tmp; proxy_temp_path {top}/tmp; fastcgi_temp_path {top}/tmp;
    uwsgi_temp_path {top}/tmp; scgi_temp_path {top}/tmp;
    server {{ listen 127.0.0.1:{port}; return 204; }}
}}
"""

    def start_nginx(self):
        port = free_port()
        self.write(self.path("nginx.conf"), self.CONFIG.format(
            top=self.top, port=port, user="user root root;" if os.geteuid() == 0 else ""))
        server = subprocess.Popen(["/usr/sbin/nginx", "-p", self.top, "-e", self.path("nginx-error.txt"), "-c", self.path("nginx.conf")],
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)

        def answers():
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return True
            except ConnectionRefusedError:
                return False

        wait_for("nginx", answers)
        return server, port

    def ask(self, port, stream, count):
        """`count` requests, one after the other."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        first = stream.next
        stream.next += count
        for n in range(first, first + count):
            connection.request("GET", f"/?n={n}")
            connection.getresponse().read()
        connection.close()

    def reopen(self, server, path):
        server.send_signal(signal.SIGUSR1)
        wait_for("nginx to open its log again", lambda: os.path.exists(path))

    def test_renamed_under_load(self):
        stream = self.stream("access.log", "nginx")
        self.follow()
        server, port = self.start_nginx()
        client = threading.Thread(target=self.ask, args=(port, stream, 3000))
        client.start()
        rotations = 0
        while client.is_alive():
            rotations += 1
            wait_for("requests", lambda: os.path.getsize(stream.path) > 8000 or not client.is_alive())
            rotation.rename(stream.path)
            self.reopen(server, stream.path)
        client.join()
        self.assertGreater(rotations, 2)
        self.wait_counted()
        self.assert_kept()
        self.finish()

    def test_renamed_while_down(self):
        """Killed, renamed, still written to under the new name, opened again; then the daemon starts."""
        stream = self.stream("access.log", "nginx")
        server, port = self.start_nginx()
        self.ask(port, stream, 100)
        self.follow()
        self.wait_counted()
        self.kill()
        self.ask(port, stream, 50)
        rotation.rename(stream.path)
        self.ask(port, stream, 50)
        self.reopen(server, stream.path)
        self.ask(port, stream, 50)
        self.again()
        self.finish()
