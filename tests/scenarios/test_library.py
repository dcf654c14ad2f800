"""The shipped patterns on what the real programs of Debian write, while somebody uses and breaks them."""

import contextlib
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import yaml

from harness import DEADLINE, Scenario, free_port, parse, wait_for
from programs import PATTERNS, PYTHON, Program, children

AS_ROOT = os.geteuid() == 0


class Nginx(Program):
    CONFIG = """
daemon off;
{user}
worker_processes 1;
pid {top}/nginx.pid;
error_log {top}/logs/nginx/error.log warn;
events {{ worker_connections 64; }}
http {{
    log_format timed '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                     '"$http_referer" "$http_user_agent" $request_time $upstream_response_time';
    client_body_temp_path {top}/tmp; proxy_temp_path {top}/tmp; fastcgi_temp_path {top}/tmp;
    uwsgi_temp_path {top}/tmp; scgi_temp_path {top}/tmp;
    limit_req_zone $server_port zone=once:1m rate=1r/m;
    upstream both {{ server 127.0.0.1:{dead}; server 127.0.0.1:{ok}; }}
    server {{
        listen 127.0.0.1:{port};
        access_log {top}/logs/nginx/access.log timed;
        client_max_body_size 10;
        location = /ok {{ return 200 "hello"; }}
        location = /through {{ proxy_pass http://127.0.0.1:{ok}; }}
        location = /dead {{ proxy_pass http://127.0.0.1:{dead}; }}
        location = /both {{ proxy_pass http://both; }}
        location = /slow {{ proxy_read_timeout 200ms; proxy_pass http://127.0.0.1:{slow}; }}
        location = /cut {{ proxy_pass http://127.0.0.1:{cut}; }}
        location = /once {{ limit_req zone=once; limit_req_status 429; proxy_pass http://127.0.0.1:{ok}; }}
    }}
    server {{
        listen 127.0.0.1:{plain};
        access_log {top}/logs/nginx/plain.access.log;
        location / {{ return 204; }}
    }}
}}
"""

    def test_requests_and_failing_upstreams(self):
        """A proxy with a format that has durations, beside a server with the standard one; a worker is killed."""
        self.follow("nginx")
        port, plain, dead = free_port(), free_port(), free_port()
        self.write(self.path("nginx.conf"), self.CONFIG.format(
            top=self.top, port=port, plain=plain, dead=dead, ok=self.upstream("ok").port, slow=self.upstream("slow").port,
            cut=self.upstream("cut").port, user="user root root;" if AS_ROOT else ""))
        server = self.spawn(["/usr/sbin/nginx", "-p", self.top, "-e", self.log("nginx/error.log"), "-c", self.path("nginx.conf")])
        self.wait_listens(port, server)

        sent = 0
        for path, count, status in (("/ok", 7, 200), ("/through", 4, 200), ("/nowhere", 3, 404), ("/dead", 2, 502), ("/slow", 1, 504),
                                    ("/cut", 1, 502), ("/once", 1, 200), ("/once", 2, 429)):
            for _ in range(count):
                answer, size = self.request(port, path)
                self.assertEqual(answer, status, path)
                sent += size
        self.assertEqual(self.request(port, "/both")[0], 200)  # the first upstream server is dead, the second answers
        sent += 5
        answer, size = self.request(port, "/ok", "POST", b"12345678901234567890")
        self.assertEqual(answer, 413)
        sent += size
        answer, size = self.request(port, "/ok", "BREW", headers={"User-Agent": 'a "b" [error]'})
        sent += size
        for _ in range(5):
            self.request(plain, "/")
        worker = children(server.pid)
        self.assertEqual(len(worker), 1)
        self.kill(worker[0])
        wait_for("another worker", lambda: children(server.pid) not in ([], worker))

        timed_gets = 7 + 4 + 3 + 2 + 1 + 1 + 3 + 1
        self.expect({
            "nginx_requests_total": {
                'method="GET",status="200"': 7 + 4 + 1 + 1, 'method="GET",status="404"': 3, 'method="GET",status="502"': 3,
                'method="GET",status="504"': 1, 'method="GET",status="429"': 2, 'method="GET",status="204"': 5,
                'method="POST",status="413"': 1, 'method="other",status="200"': 1},
            "nginx_response_bytes_total": sent,
            "nginx_request_duration_seconds_count": {'method="GET"': timed_gets, 'method="POST"': 1, 'method="other"': 1},
            "nginx_upstream_duration_seconds_count": 4 + 2 + 1 + 1 + 1 + 1,
            "nginx_upstream_errors_total": {'reason="refused"': 3, 'reason="timeout"': 1, 'reason="closed"': 1},
            "nginx_client_addresses": 1,
            "nginx_limited_total": {'what="requests"': 2},
            "nginx_bodies_too_large_total": 1,
            "nginx_workers_died_total": 1,
        })
        took = self.daemon.metrics()["nginx_request_duration_seconds_sum", (("method", "GET"),)]
        self.assertTrue(0.2 <= took < 10, took)
        self.assert_read_by("nginx")


class Apache(Program):
    CONFIG = """
ServerRoot {top}
PidFile {top}/apache.pid
DefaultRuntimeDir {top}
Mutex file:{top}
Listen 127.0.0.1:{port}
ServerName localhost
{modules}
{user}
DocumentRoot {top}/www
StartServers 1
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\" %D" timed
CustomLog {top}/logs/apache2/access.log timed
ErrorLog {top}/logs/apache2/error.log
ProxyPass /dead http://127.0.0.1:{dead}/ retry=0
<Location /denied>
Require all denied
</Location>
<Location /auth>
AuthType Basic
AuthName x
AuthUserFile {top}/users
Require valid-user
</Location>
"""
    MODULES = "mpm_event authz_core authn_core authn_file auth_basic authz_user proxy proxy_http"

    def test_requests_logins_and_a_dead_backend(self):
        self.follow("apache2")
        os.mkdir(self.path("www"))
        self.write(self.path("www", "index.html"), "hello\n")
        self.write(self.path("users"), "ada:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n")  # "test"
        port = free_port()
        self.write(self.path("apache.conf"), self.CONFIG.format(
            top=self.top, port=port, dead=free_port(), user="User www-data\nGroup www-data" if AS_ROOT else "",
            modules="\n".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in self.MODULES.split())))
        server = self.spawn(["/usr/sbin/apache2", "-f", self.path("apache.conf"), "-DFOREGROUND"])
        self.wait_listens(port, server)

        def basic(user, password):
            import base64
            return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

        for path, count, status, headers in (
                ("/index.html", 6, 200, {}), ("/nowhere", 2, 404, {}), ("/dead", 3, 503, {}), ("/denied", 4, 403, {}),
                ("/auth", 2, 401, basic("ada", "wrong")), ("/auth", 1, 401, basic("eve", "x")), ("/auth", 1, 404, basic("ada", "test")),
                ("/index.html", 1, 200, {"User-Agent": 'a "b\\" 500 1', "Referer": '"'})):
            for _ in range(count):
                self.assertEqual(self.request(port, path, headers=headers)[0], status, path)
        self.request(port, "/index.html", "BREW")
        killed = children(server.pid)
        for child in killed:
            self.kill(child, signal.SIGSEGV)
        wait_for("a word on each dead child", lambda: len(re.findall(r"AH0005[012]: child pid", self.error_log())) == len(killed))
        self.expect({
            "apache_requests_total": {'method="GET",status="200"': 7, 'method="GET",status="404"': 3, 'method="GET",status="503"': 3,
                                      'method="GET",status="403"': 4, 'method="GET",status="401"': 3, 'method="other",status="501"': 1},
            "apache_request_duration_seconds_count": {'method="GET"': 20, 'method="other"': 1},
            "apache_backend_errors_total": {'reason="unreachable"': 3},
            "apache_denied_total": 4,
            "apache_login_failures_total": 3,
            "apache_children_died_total": len(killed),
            "apache_starts_total": 1,
        })
        self.assert_read_by("apache")

    def error_log(self):
        with open(self.log("apache2/error.log")) as f:
            return f.read()


class PostgreSQL(Program):
    CONFIG = """
port = {port}
listen_addresses = '127.0.0.1'
unix_socket_directories = '{data}'
max_connections = 8
superuser_reserved_connections = 1
fsync = off
log_line_prefix = '%m [%p] %q%u@%d %e '
log_min_duration_statement = 100
log_checkpoints = on
log_connections = on
log_disconnections = on
log_lock_waits = on
deadlock_timeout = 100ms
log_temp_files = 0
autovacuum = off
"""

    def as_postgres(self):
        return {"user": "postgres", "group": "postgres", "extra_groups": []} if AS_ROOT else {}

    def psql(self, *statements, database="postgres", user="postgres", **more):
        arguments = [x for statement in statements for x in ("-c", statement)]
        return self.run_command([f"{self.binaries}/psql", "-X", "-q", "-t", "-A", "-h", "127.0.0.1", "-p", str(self.port), "-U", user,
                                 "-d", database, *arguments], None, **more).stdout.strip()

    def session(self):
        return self.spawn([f"{self.binaries}/psql", "-X", "-q", "-t", "-A", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, session, statement, answer=True):
        session.stdin.write(statement + ("; select 'said';\n" if answer else ";\n"))
        session.stdin.flush()
        if answer:
            self.assertEqual(session.stdout.readline(), "said\n")

    def begin(self):
        self.binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.port, data = free_port(), self.path("data")
        os.mkdir(data, 0o700)
        if AS_ROOT:
            shutil.chown(data, "postgres", "postgres")
        self.run_command([f"{self.binaries}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "--locale=C"],
                         cwd=data, **self.as_postgres())
        self.append(f"{data}/postgresql.conf", self.CONFIG.format(port=self.port, data=data))
        with open(self.log("postgresql/postgresql-15-main.log"), "a") as log:
            server = self.spawn([f"{self.binaries}/postgres", "-D", data], stderr=log, cwd=data, **self.as_postgres())
        self.wait_ready(server)

    def wait_ready(self, server):
        self.wait_listens(self.port, server)
        wait_for("an answer", lambda: self.psql("select 1") == "1")

    def test_errors_locks_and_a_crash(self):
        """Bad statements, slow ones, a wait, a deadlock, refused connections; a backend is killed and all recovers."""
        self.follow("postgresql")
        self.begin()
        self.psql("create table t(a int primary key, b text)", "insert into t select g, repeat('x', 50) from generate_series(1, 20000) g")
        before = self.after_all_that_is_there()

        for _ in range(3):
            self.psql("select * from nope")
        for _ in range(2):
            self.psql("insert into t values (1)")
        self.psql("select 1/0")
        self.psql("select 1", database="nodb")
        self.psql("select 1", user="nobody_here")
        self.psql("set statement_timeout = 50; select pg_sleep(5)")
        self.psql("select 'ERROR:  deadlock detected', pg_sleep(0.15)")
        self.psql("set work_mem = '64kB'; select count(*) from (select * from t order by b, a desc limit 19000) x")
        self.psql("checkpoint")
        self.lock_wait_and_deadlock()

        # the limit is 8, one of it for the superuser, who gets in; those who were there before may not have left yet
        sessions = [self.session()]
        wait_for("the others to leave", lambda: self.ask(
            sessions[0], "select count(*) from pg_stat_activity where backend_type = 'client backend'") == "1")
        sessions += [self.session() for _ in range(7)]
        for session in sessions:
            self.say(session, "select 1 where false")
        self.assertEqual(self.psql("select 1"), "")
        self.say(sessions[0], "select pg_sleep(60)", answer=False)
        backend = int(wait_for("the sleeper", lambda: self.ask(sessions[1], "select pid from pg_stat_activity where query like 'select pg_sleep(60)%'")))
        self.kill(backend)
        for session in sessions:
            session.communicate()
        wait_for("the recovery", lambda: self.psql("select 1") == "1")

        def grown(name, **labels):
            key = (name, tuple(sorted(labels.items())))
            return (self.daemon.metrics().get(key) or 0) - (before.get(key) or 0)

        for name, labels, value in (
                ("postgresql_errors_total", {"severity": "error", "class": "syntax_or_access"}, 3),
                ("postgresql_errors_total", {"severity": "error", "class": "constraint"}, 2),
                ("postgresql_errors_total", {"severity": "error", "class": "data"}, 1),
                ("postgresql_errors_total", {"severity": "error", "class": "rollback"}, 1),
                ("postgresql_errors_total", {"severity": "fatal", "class": "no_such_database"}, 1),
                ("postgresql_connections_refused_total", {"reason": "no_such_database"}, 1),
                ("postgresql_connections_refused_total", {"reason": "no_such_role"}, 1),
                ("postgresql_statements_cancelled_total", {"cause": "statement_timeout"}, 1),
                ("postgresql_deadlocks_total", {}, 1),
                ("postgresql_lock_waits_total", {"mode": "ShareLock"}, 2),
                ("postgresql_lock_wait_seconds_count", {}, 2),
                ("postgresql_temp_files_total", {}, 1),
                ("postgresql_checkpoints_total", {"cause": "requested"}, 2),  # CHECKPOINT, and the end of the recovery
                ("postgresql_process_crashes_total", {}, 1),
                ("postgresql_ready_total", {}, 1)):
            wait_for(f"{name}{labels} to grow by {value}", lambda: grown(name, **labels) == value)
        self.assertGreaterEqual(grown("postgresql_connections_refused_total", reason="limit"), 1)
        self.assertGreater(grown("postgresql_temp_file_bytes_total"), 64 << 10)
        self.assertGreater(grown("postgresql_statement_duration_seconds_sum", kind="statement"), 0.15)
        self.assertGreater(grown("postgresql_checkpoint_buffers_total"), 100)
        self.assertGreater(grown("postgresql_session_duration_seconds_count"), 5)
        self.assert_read_by("postgresql")

    def after_all_that_is_there(self):
        """Metrics once all that the server has written so far is counted."""
        size = os.path.getsize(self.log("postgresql/postgresql-15-main.log"))
        return wait_for("the log to be read", lambda: (found := self.daemon.metrics())["logtally_bytes_read_total", ()] >= size and found)

    def ask(self, session, statement):
        session.stdin.write(statement + ";\nselect 'end';\n")
        session.stdin.flush()
        lines = []
        while (line := session.stdout.readline()) not in ("end\n", ""):
            lines.append(line.strip())
        return lines[0] if lines else ""

    def lock_wait_and_deadlock(self):
        """One session waits for another; then two wait for each other, and the one that is checked first is ended."""
        one, two = self.session(), self.session()
        waits = "postgresql_lock_waits_total"
        self.say(one, "begin; update t set b = 'y' where a = 1")
        self.say(two, "begin; update t set b = 'y' where a = 2")
        self.say(two, "update t set b = 'y' where a = 1", answer=False)
        self.daemon.wait_value(1, waits, mode="ShareLock")
        self.say(one, "commit")
        self.say(one, "begin; update t set b = 'z' where a = 3")
        self.say(one, "update t set b = 'z' where a = 2", answer=False)
        self.daemon.wait_value(2, waits, mode="ShareLock")
        self.say(two, "update t set b = 'z' where a = 3", answer=False)
        self.daemon.wait_value(1, "postgresql_deadlocks_total")
        for session in (two, one):
            session.communicate("rollback;\n")


class Redis(Program):
    def redis(self, port, name, *options):
        os.makedirs(self.path(name))
        # redis-tools has it under this name; it goes by the name that it is called by
        server = self.spawn(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", self.path(name),
                             "--logfile", self.log(f"redis/{name}.log"), "--repl-diskless-sync-delay", "0", *options],
                            executable="/usr/bin/redis-check-rdb")
        self.wait_listens(port, server)
        return server

    def say(self, port, *words):
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            answer = connection.makefile("rb").readline().decode().strip()
            if answer.startswith("$") and answer != "$-1":
                return connection.makefile("rb").read(int(answer[1:])).decode()
            return answer

    def info(self, port, key):
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connection:
            connection.sendall(b"INFO\r\n")
            with connection.makefile("rb") as answers:
                text = answers.read(int(answers.readline()[1:])).decode()
        return re.search(rf"^{key}:(.*?)\r$", text, re.M)[1]

    def test_saves_and_replication(self):
        """Snapshots that succeed and one that cannot, a rewrite of the append-only file; a replica loses its primary."""
        self.follow("redis")
        port, replica = free_port(), free_port()
        primary = self.redis(port, "primary", "--appendonly", "yes", "--save", "")
        self.redis(replica, "replica", "--replicaof", f"127.0.0.1 {port}", "--save", "")
        wait_for("the replica", lambda: self.info(replica, "master_link_status") == "up")
        self.expect({"redis_resyncs_total": {'kind="full"': 1}, "redis_primary_link_up": 1})
        self.say(port, "SET", "a", "1")
        self.idle(port)
        for _ in range(3):
            self.say(port, "BGSAVE")
            self.idle(port)
        self.say(port, "BGREWRITEAOF")
        wait_for("the rewrite", lambda: self.info(port, "aof_rewrite_in_progress") == "0" and self.info(port, "aof_rewrite_scheduled") == "0")
        os.unlink(self.path("primary", "dump.rdb"))
        os.mkdir(self.path("primary", "dump.rdb"))  # no file can be moved there
        self.say(port, "BGSAVE")
        wait_for("the failure", lambda: self.info(port, "rdb_last_bgsave_status") == "err")
        os.rmdir(self.path("primary", "dump.rdb"))
        self.say(port, "CONFIG", "SET", "maxmemory", "500000")
        saved = self.daemon.metrics()
        self.kill(primary.pid)

        def condition():
            metrics = self.daemon.metrics()
            return metrics.get(("redis_primary_link_up", ())) == 0 and metrics["redis_primary_link_failures_total", ()] >= 1

        wait_for("the replica to notice", condition)
        self.expect({"redis_starts_total": 2, "redis_aof_rewrites_total": {'result="ok"': 1}, "redis_memory_warnings_total": 1})
        metrics = self.daemon.metrics()
        self.assertEqual(metrics["redis_rdb_saves_total", (("result", "failed"),)], 1)
        # three of ours, and one for the replica if that was not sent through a socket
        self.assertIn(metrics["redis_rdb_saves_total", (("result", "ok"),)], (3, 4))
        self.assertIsNotNone(saved)
        self.assert_read_by("redis")

    def idle(self, port):
        wait_for("the save", lambda: self.info(port, "rdb_bgsave_in_progress") == "0")


class Gunicorn(Program):
    APP = """
import time
def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/boom":
        raise ValueError("boom")
    if path == "/hang":
        time.sleep(60)
    start_response("404 Not Found" if path == "/nowhere" else "200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""

    def test_workers_and_requests(self):
        self.follow("gunicorn")
        self.write(self.path("app.py"), self.APP)
        port = free_port()
        server = self.spawn([PYTHON, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-w", "2", "-t", "6", "--graceful-timeout", "1",
                             "--access-logfile", self.log("gunicorn/access.log"), "--error-logfile", self.log("gunicorn/error.log"),
                             "--access-logformat", '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(D)s', "app:app"])
        self.wait_listens(port, server)
        for path, count, status in (("/", 5, 200), ("/nowhere", 2, 404), ("/boom", 3, 500)):
            for _ in range(count):
                self.assertEqual(self.request(port, path)[0], status)
        with self.assertRaises(Exception):
            self.request(port, "/hang")
        self.daemon.wait_value(1, "gunicorn_worker_timeouts_total")
        self.daemon.wait_value(3, "gunicorn_workers_booted_total")
        wait_for("two workers", lambda: len(children(server.pid)) == 2)
        self.kill(children(server.pid)[0])
        self.daemon.wait_value(4, "gunicorn_workers_booted_total")
        self.expect({
            "gunicorn_requests_total": {'method="GET",status="200"': 5, 'method="GET",status="404"': 2, 'method="GET",status="500"': 3},
            "gunicorn_request_duration_seconds_count": {'method="GET"': 10},
            "gunicorn_request_errors_total": {'exception="ValueError"': 3},
            "gunicorn_workers_killed_total": 1,
            "gunicorn_starts_total": 1,
        })
        self.assert_read_by("gunicorn")


class Celery(Program):
    TASKS = """
import time
from celery import Celery
app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {{"data_folder_in": "{top}/queue", "data_folder_out": "{top}/queue"}}
app.conf.task_ignore_result = True
@app.task
def add(a, b):
    return a + b
@app.task
def boom():
    raise ValueError("bad\\nTask tasks.add[1] succeeded in 1s: ")
@app.task(bind=True, max_retries=1)
def again(self):
    try:
        raise KeyError("x")
    except KeyError as error:
        raise self.retry(exc=error, countdown=0)
@app.task(time_limit=1)
def hang():
    time.sleep(60)
"""

    def test_tasks(self):
        """Tasks that succeed, fail, are tried again, take too long or do not exist."""
        self.follow("celery")
        os.mkdir(self.path("queue"))
        self.write(self.path("tasks.py"), self.TASKS.format(top=self.top))
        self.spawn([PYTHON, "-m", "celery", "-A", "tasks", "worker", "-l", "INFO", "-c", "1", "-f", self.log("celery/worker.log"),
                    "--without-gossip", "--without-mingle", "--without-heartbeat"])
        self.daemon.wait_value(1, "celery_starts_total")
        def send(code):
            self.run_command([PYTHON, "-c", "import tasks\n" + code], cwd=self.top)

        send("""
for i in range(5): tasks.add.delay(i, i)
for _ in range(2): tasks.boom.delay()
tasks.again.delay()
tasks.app.send_task("no.such")
""")
        self.expect({
            "celery_tasks_received_total": {'task="tasks.add"': 5, 'task="tasks.boom"': 2, 'task="tasks.again"': 2},
            "celery_tasks_total": {'task="tasks.add",outcome="succeeded"': 5, 'task="tasks.boom",outcome="failed"': 2,
                                   'task="tasks.again",outcome="retried"': 1, 'task="tasks.again",outcome="failed"': 1},
            "celery_task_duration_seconds_count": {'task="tasks.add"': 5},
            "celery_unregistered_tasks_total": 1,
        })
        send("tasks.hang.delay()")  # takes its process with it, and what that was given
        self.expect({
            "celery_time_limits_total": {'task="tasks.hang",limit="hard"': 1},
            "celery_worker_processes_died_total": {'how="signal"': 1},
        })
        self.assert_read_by("celery")


class Django(Program):
    SITE = """
import sys
from django.conf import settings
settings.configure(
    DEBUG=True, SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"], INSTALLED_APPS=[],
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}},
    LOGGING={{
        "version": 1, "disable_existing_loggers": False,
        "formatters": {{"it": {{"format": "{{levelname}} {{asctime}} {{module}} {{process:d}} {{thread:d}} {{message}}", "style": "{{"}}}},
        "handlers": {{"file": {{"class": "logging.FileHandler", "filename": "{log}", "formatter": "it"}}}},
        "loggers": {{
            "django": {{"handlers": ["file"], "level": "INFO", "propagate": False}},
            "django.db.backends": {{"handlers": ["file"], "level": "DEBUG", "propagate": False}},
            "django.server": {{"handlers": ["file"], "level": "INFO", "propagate": False}}}}}})
from django.db import connection
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import require_POST
def ok(request): return HttpResponse("hello")
def boom(request): raise ValueError("bad\\nInternal Server Error: /")
def query(request):
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return HttpResponse("hello")
urlpatterns = [path("ok", ok), path("boom", boom), path("query", query), path("post", require_POST(ok))]
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""

    def test_requests_and_errors(self):
        self.follow("django")
        self.write(self.path("site1.py"), self.SITE.format(log=self.log("django/site.log")))
        port = free_port()
        server = self.spawn([PYTHON, "site1.py", "runserver", "--noreload", f"127.0.0.1:{port}"])
        self.wait_listens(port, server)
        for path, count, status in (("/ok", 4, 200), ("/boom", 2, 500), ("/query", 3, 200), ("/post", 1, 405), ("/nowhere", 2, 404)):
            for _ in range(count):
                self.assertEqual(self.request(port, path)[0], status)
        self.assertEqual(self.request(port, "/post", "POST")[0], 403)  # no CSRF token
        self.assertEqual(self.request(port, "/ok", headers={"Host": "evil"})[0], 400)
        self.expect({
            "django_requests_total": {'method="GET",status="200"': 7, 'method="GET",status="500"': 2, 'method="GET",status="405"': 1,
                                      'method="GET",status="404"': 2, 'method="POST",status="403"': 1, 'method="GET",status="400"': 1},
            "django_request_errors_total": {'kind="not_found"': 2, 'kind="method_not_allowed"': 1, 'kind="csrf"': 1, 'kind="bad_request"': 1,
                                            # its exception's text has a line that looks like an error
                                            'kind="server_error"': 2 + self.traceback_lines()},
            "django_exceptions_total": {'exception="ValueError"': 2},
            "django_disallowed_hosts_total": 1,
        })
        self.assertEqual(self.daemon.value("django_query_duration_seconds_count", verb="select"), 3)
        self.assert_read_by("django")

    def traceback_lines(self):
        with open(self.log("django/site.log")) as f:
            return len(re.findall(r"^Internal Server Error: /$", f.read(), re.M))


class Java(Program):
    """Python starts a JVM in itself, so that nothing needs to be compiled."""

    LAYOUTS = {"logback-time": "%d{HH:mm:ss.SSS} [%thread] %-5level %logger{36} - %msg%n",
               "logback-date": "%d %-5level [%thread] %logger - %msg%n",
               "spring": "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %5p 4711 --- [%15.15t] %-40.40logger{39} : %m%n"}
    CODE = """
import sys, jpype
jars = ["/usr/share/java/" + name + ".jar" for name in ("slf4j-api", "logback-core", "logback-classic", "org.jpype")]
jpype.startJVM("-Xlog:gc:file=" + sys.argv[2], "-Xmx64m", "-Dlogback.configurationFile=" + sys.argv[1], classpath=jars)
java = lambda name: jpype.JClass("java." + name)
log = jpype.JClass("org.slf4j.LoggerFactory").getLogger("com.example.App")
for i in range(4): log.info("started")
for i in range(2): log.warn("careful: ERROR [x] is no level here")
try:
    java("nio.file.Files").readAllBytes(java("nio.file.Paths").get("/no/such/file"))
except jpype.JException as error:
    log.error("failed", error)
log.error("wrapped", java("lang.IllegalStateException")("bad", java("io.IOException")("disk")))
for i in range(3): java("lang.System").gc()
"""

    def test_levels_exceptions_and_pauses(self):
        """Logback in three layouts at once, and the garbage collector's log."""
        self.follow("java")
        appenders = "".join(f"""
<appender name="{name}" class="ch.qos.logback.core.FileAppender">
<file>{self.log(name)}.log</file><encoder><pattern>{layout}</pattern></encoder></appender>""" for name, layout in self.LAYOUTS.items())
        uses = "".join(f'<appender-ref ref="{name}"/>' for name in self.LAYOUTS)
        self.write(self.path("logback.xml"), f'<configuration>{appenders}<root level="INFO">{uses}</root></configuration>')
        self.write(self.path("app.py"), self.CODE)
        self.run_command([PYTHON, self.path("app.py"), self.path("logback.xml"), self.log("gc.log")])
        self.expect({
            "java_log_events_total": {'level="info"': 3 * 4, 'level="warn"': 3 * 2, 'level="error"': 3 * 2},
            "java_exceptions_total": {'class="NoSuchFileException"': 3, 'class="IllegalStateException"': 3},
            "java_exception_causes_total": {'class="IOException"': 3},
        })
        self.daemon.wait_value(3, "java_gc_pause_seconds_count", kind="full")
        self.assertGreater(self.daemon.value("java_gc_heap_size_bytes"), 1 << 20)
        self.assert_read_by("java")


class KafkaConsumer(Program):
    def test_brokers_that_are_not_there(self):
        """librdkafka, through kcat: a consumer of a group that finds no broker."""
        self.follow("kafka")
        with open(self.log("kafka/kafka-consumer.log"), "a") as log:
            consumer = self.spawn(["/usr/bin/kcat", "-b", f"127.0.0.1:{free_port()}", "-G", "group", "topic"], stderr=log)
            consumer.wait(timeout=DEADLINE)
        with open(self.log("kafka/kafka-consumer.log")) as log:
            failures = len(re.findall(r"^%3\|.*\|FAIL\|.*Connect to ", log.read(), re.M))
        self.assertGreater(failures, 0)
        self.daemon.wait_value(failures, "kafka_consumer_connect_failures_total")
        self.assert_read_by("kafka_consumer")


class Host(Program):
    """A Debian host: rsyslog with Debian's rules, to which sshd, cron and HAProxy log."""

    # Debian's rules; Red Hat's and Debian 13's form of the time is in the tests of the patterns files.
    RSYSLOG = """
global(workDirectory="{top}")
module(load="imuxsock" SysSock.Name="{top}/log.sock")
$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat
$FileCreateMode 0644
:programname, startswith, "haproxy" {{
  {top}/logs/haproxy.log
  stop
}}
auth,authpriv.* {top}/logs/auth.log
cron.* -{top}/logs/cron.log
*.*;auth,authpriv.none -{top}/logs/syslog
"""
    HAPROXY = """
global
    log /dev/log local0
defaults
    log global
    mode http
    timeout connect 1s
    timeout client 20s
    timeout server 20s
    retries 2
frontend web
    bind 127.0.0.1:{web}
    option httplog
    http-request deny if {{ path /denied }}
    use_backend dead if {{ path /dead }}
    use_backend slow if {{ path /slow }}
    default_backend app
backend app
    default-server inter 500 fall 2 rise 1
    server a1 127.0.0.1:{a1} check
    server a2 127.0.0.1:{a2} check backup
backend dead
    server d1 127.0.0.1:{dead}
backend slow
    timeout server 400ms
    server s1 127.0.0.1:{slow}
frontend tcp
    mode tcp
    option tcplog
    bind 127.0.0.1:{tcp}
    default_backend raw
backend raw
    mode tcp
    server r1 127.0.0.1:{a2}
"""
    SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {top}/host_key
PidFile none
AuthorizedKeysFile {top}/client_key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
MaxAuthTries 2
"""

    def begin(self):
        if not AS_ROOT:
            self.cannot("it takes root to be a host")
        os.mkdir(self.path("cron.d"), 0o755)
        self.write(self.path("cron.d", "logtally-jobs"), "@reboot root true\n@reboot root exit 3\n@reboot nobody true\n")
        self.write(self.path("cron.d", "logtally-bad"), "99 * * * * root true\n")
        self.write(self.path("rsyslog.conf"), self.RSYSLOG.format(top=self.top))
        self.daemon = self.start("--patterns", PATTERNS, *self.configured())
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "syslog_host.sh")
        self.syslog = self.spawn(["sh", script, self.top], stderr=None)

        def ready():
            if self.syslog.poll() == 77:
                self.cannot("no right to mount, and /dev/log or cron are somebody else's")
            self.assertIsNone(self.syslog.poll(), "rsyslogd ended")
            return os.path.exists(self.path("log.sock"))

        wait_for("rsyslogd", ready)

    def configured(self):
        """Debian's files of syslog have no .log at the end; cron.log repeats lines of syslog."""
        self.write(self.path("logtally.yml"), f"""
logs:
  - path: {self.logs}
    include: [syslog, auth.log, cron.log, haproxy.log]
""")
        return ["--config.file", self.path("logtally.yml")]

    def cannot(self, why):
        print(f"\nNOT TESTED: {self.id()}: {why}", file=sys.stderr, flush=True)
        self.skipTest(why)

    def inside(self, command):
        """The command as the host's processes see the machine."""
        namespace = f"/proc/{self.syslog.pid}/ns/mnt"
        if os.readlink(namespace) == os.readlink("/proc/self/ns/mnt"):
            return command
        return ["nsenter", f"--mount={namespace}", *command]

    def text(self, name):
        if not os.path.exists(self.log(name)):
            return ""
        with open(self.log(name)) as f:
            return f.read()

    def test_sshd_cron_and_haproxy_share_a_syslog(self):
        """Logins that succeed and fail, jobs that fail, backends that go down: every line counts in one file's metrics."""
        self.begin()
        self.use_cron()
        self.use_sshd()
        self.use_haproxy()
        self.assert_read_by("sshd", "cron", "haproxy")
        # cron's lines stand in two files, and count once
        self.assertEqual(self.text("cron.log").count(" CMD ("), self.text("syslog").count(" CMD ("))

    def use_cron(self):
        self.spawn(self.inside(["/usr/sbin/cron", "-f", "-L", "7"]))
        self.expect({
            "cron_jobs_started_total": {'user="root"': 2, 'user="other"': 1},
            "cron_jobs_ended_total": {'user="root"': 2, 'user="other"': 1},
            "cron_job_failures_total": {'how="status"': 1},
            "cron_errors_total": {'kind="error"': 1},
        })

    def use_sshd(self):
        port = free_port()
        for key in ("host_key", "client_key"):
            self.run_command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(key)])
        self.write(self.path("sshd_config"), self.SSHD.format(top=self.top, port=port))
        self.write(self.path("askpass"), "#!/bin/sh\necho wrong\n")
        os.chmod(self.path("askpass"), 0o755)
        self.spawn(self.inside(["/usr/sbin/sshd", "-D", "-f", self.path("sshd_config")]))
        wait_for("sshd", lambda: "Server listening on " in self.text("auth.log"))  # to connect would make a line

        def ssh(user, *options, status=255):
            self.run_command(["ssh", "-F", "none", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                              "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes", *options, f"{user}@127.0.0.1", "true"], status,
                             stdin=subprocess.DEVNULL, start_new_session=True,
                             env=dict(os.environ, SSH_ASKPASS=self.path("askpass"), SSH_ASKPASS_REQUIRE="force"))

        for _ in range(2):
            ssh("root", "-i", self.path("client_key"), "-o", "BatchMode=yes", status=0)
        for _ in range(3):
            ssh("root", "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1")
        ssh("nobody_here", "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1")
        ssh("root", "-c", "aes128-cbc")
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                while client.recv(1000):
                    pass
        self.expect({
            "sshd_logins_total": {'method="publickey"': 2},
            "sshd_login_failures_total": {'method="password",user="known"': 3, 'method="password",user="unknown"': 1},
            "sshd_failing_addresses": 1,
            "sshd_invalid_users_total": 1,
            "sshd_negotiation_failures_total": {'what="cipher"': 1},
            "sshd_bad_clients_total": 1,
        })
        self.daemon.wait_value(2, "sshd_connections_ended_total", phase="session", how="disconnected")

    def use_haproxy(self):
        web, tcp = free_port(), free_port()
        first, second = self.upstream("ok"), self.upstream("ok")
        self.write(self.path("haproxy.cfg"), self.HAPROXY.format(
            web=web, tcp=tcp, a1=first.port, a2=second.port, dead=free_port(), slow=self.upstream("slow").port))
        self.spawn(self.inside(["/usr/sbin/haproxy", "-db", "-f", self.path("haproxy.cfg")]))
        wait_for("HAProxy", lambda: self.answers(web))  # this is a request, too
        for path, count, status in (("/", 5, 200), ("/denied", 2, 403), ("/dead", 1, 503), ("/slow", 1, 504)):
            for _ in range(count):
                self.assertEqual(self.request(web, path)[0], status)
        self.assertEqual(self.request(tcp, "/")[0], 200)
        first.close()
        self.daemon.wait_value(0, "haproxy_server_up", backend="app", server="a1")
        self.assertEqual(self.request(web, "/")[0], 200)  # from the backup
        second.close()
        self.daemon.wait_value(1, "haproxy_backend_down_total", backend="app")
        self.assertEqual(self.request(web, "/")[0], 503)
        self.expect({
            "haproxy_requests_total": {
                'backend="app",server="a1",status="200"': 6, 'backend="app",server="a2",status="200"': 1,
                'backend="app",server="none",status="503"': 1, 'backend="web",server="none",status="403"': 2,
                'backend="dead",server="d1",status="503"': 1, 'backend="slow",server="s1",status="504"': 1},
            "haproxy_response_duration_seconds_count": {'backend="app"': 7},
            "haproxy_connect_duration_seconds_count": {'backend="app"': 7, 'backend="slow"': 1},
            "haproxy_retries_total": {'backend="dead"': 2},
            "haproxy_server_changes_total": {'backend="app",server="a1",to="down"': 1, 'backend="app",server="a2",to="down"': 1},
            "haproxy_tcp_sessions_total": {'backend="raw",server="r1"': 1},
        })
        slow = self.daemon.value("haproxy_request_duration_seconds_sum", backend="slow")
        self.assertTrue(0.4 <= slow < 10, slow)


    def answers(self, port):
        with contextlib.suppress(ConnectionRefusedError):
            return self.request(port, "/")[0] == 200


def load(name):
    with open(os.path.join(PATTERNS, name)) as f:
        return yaml.load(f, Loader=yaml.BaseLoader)


def tested_lines(name):
    """{path: lines} of a patterns file's tests, but for those tests of which nothing must come out."""
    patterns, by_path = load(name), {}
    for test in patterns["tests"]:
        path = test.get("file") or patterns["files"][0].replace("**", "x.log").replace("*", "x")
        path = path if path.startswith("/") else "/srv/" + path
        if test["expect"]:
            by_path[path] = by_path.get(path, "") + test["lines"]
    return by_path


class Library(Scenario):
    """All shipped patterns together, without programs."""

    FILES = sorted(name for name in os.listdir(PATTERNS) if name.endswith(".yml"))
    SYSLOG = ("sshd.yml", "cron.yml", "syslog.yml")

    def matched(self, path, lines):
        """The patterns files of whose rules some matched these lines."""
        self.write(self.path("lines"), lines)
        status, out, err = self.run_once("replay", "--patterns", PATTERNS, "--as", path, "--own-metrics", self.path("lines"))
        self.assertEqual(status, 0, err)
        return {dict(labels)["patterns"] for (name, labels), value in parse(out).items()
                if name == "logtally_rule_matches_total" and value}

    def test_no_line_is_counted_by_two_files(self):
        for name in self.FILES:
            for path, lines in tested_lines(name).items():
                self.assertEqual(self.matched(path, lines), {name.removesuffix(".yml")}, f"{name} as {path}")

    def test_lines_of_syslog_belong_to_one_file_wherever_they_stand(self):
        """Some hosts write everything to one file, so lines of all programs may stand in each of the files."""
        for name in self.SYSLOG:
            lines = "".join(lines for path, lines in tested_lines(name).items() if path in ("/var/log/syslog", "/var/log/auth.log"))
            for path in ("/var/log/syslog", "/var/log/messages", "/var/log/auth.log", "/var/log/secure"):
                self.assertLessEqual(self.matched(path, lines), {name.removesuffix(".yml")}, f"{name} as {path}")

    def test_metrics_have_their_program_s_name_and_a_help(self):
        helped, used = set(), set()
        for name in self.FILES:
            if name in ("wearables.yml", "fastapi.yml"):
                continue
            for rule in load(name)["rules"]:
                for metric in rule.get("metrics", []):
                    metric_name = next(metric[kind] for kind in KINDS if kind in metric)
                    self.assertTrue(metric_name.startswith(name.removesuffix(".yml") + "_"), f"{name}: {metric_name}")
                    used.add(metric_name)
                    if metric.get("help"):
                        helped.add(metric_name)
        self.assertEqual(used - helped, set())

    def test_check_has_nothing_to_say_and_no_rule_is_tried_on_every_line(self):
        status, out, err = self.run_once("check", "--patterns", PATTERNS)
        self.assertRegex(out + err, r"\A\d+ patterns files, \d+ rules, \d+ metrics: ok\n\Z")
        self.assertEqual(status, 0)
        status, out, err = self.run_once("check", "--verbose", "--patterns", PATTERNS)
        self.assertEqual([line for line in (out + err).splitlines() if "tried on every line" in line], [])

    def test_the_table_of_the_readme_is_true(self):
        """Each file stands in patterns/README.md with all its metrics, and no other metric does."""
        with open(os.path.join(PATTERNS, "README.md")) as f:
            sections = re.split(r"^## (\w+\.yml)\n", f.read(), flags=re.M)
        described = dict(zip(sections[1::2], sections[2::2]))
        self.assertEqual(sorted(described), self.FILES)
        for name, text in described.items():
            metrics = {metric[kind] for rule in load(name)["rules"] for metric in rule.get("metrics", []) for kind in KINDS if kind in metric}
            self.assertEqual(set(re.findall(r"^\| `([a-zA-Z_:][\w:]*)", text, re.M)), metrics, f"the metrics of {name}")
            self.assertIn(" ".join(f"`{glob_}`" for glob_ in load(name)["files"]), text, f"the globs of {name}")


KINDS = ("counter", "gauge", "histogram", "summary", "unique", "state")
