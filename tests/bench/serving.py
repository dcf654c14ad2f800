"""What a running daemon costs: scrapes, the way from a write to a scrape, and doing nothing."""

import os
import random
import shutil
import socket
import statistics
import time

from measure import Server, cpu_seconds, get, number, percentile, rss_mb, table

SERIES = {
    "logtally": "rules:\n  - name: seen\n    pattern: 'seen id=(?<id>\\w+) zone=(?<zone>\\w+)'\n    metrics:\n      - counter: seen_total\n"
                "        help: Seen.\n        labels: {id: $id, zone: $zone}\n        max_series: 4000000\n",
    "mtail": "counter seen_total by id, zone\n/seen id=(?P<id>\\w+) zone=(?P<zone>\\w+)/ {\n  seen_total[$id][$zone]++\n}\n",
}
LINE = "2026-11-20 12:00:01,123 - etl - INFO - seen id=%s zone=z%d\n"


def servers(options, top, logs, *, series=SERIES):
    """(tool, how to start it on the logs)."""
    for tool in options.tools:
        yield tool, lambda tool=tool: Server(tool, f"{top}/{time.monotonic_ns()}", logs, series[tool],
                                             *(("--config.file", limits(top)) if tool == "logtally" else ()))


def limits(top):
    with open(top + "/limits.yml", "w") as f:
        f.write("limits: {series: 4000000}\n")
    return top + "/limits.yml"


def append(path, text):
    with open(path, "a") as f:
        f.write(text)


# -- scrapes ------------------------------------------------------------------

def scrapes(options, top):
    rows = []
    for count in options.series:
        logs = f"{top}/series-{count}"
        os.mkdir(logs)
        for tool, start in servers(options, top, logs):
            if tool == "mtail" and count > 100_000:
                continue
            with open(logs + "/a.log", "w") as f:
                f.write(LINE % ("none", 0))
            server = start()
            before = rss_mb(server.pid)
            with open(logs + "/a.log", "a") as f:
                f.writelines(LINE % (f"{i:08x}", i % 10) for i in range(count))
            last = b'id="%08x"' % (count - 1)
            server.wait(lambda: last in get(server.port), pause=0.2)
            rows.append(scrape_row(tool, count, server, before))
            server.stop()
        shutil.rmtree(logs)
    table("Scrapes of a running daemon, medians of 11; nothing new between them",
          ("series", "tool", "MB", "wall ms", "CPU ms", "gzip: MB", "wall ms", "CPU ms", "bytes of memory a series"), rows)


def scrape_row(tool, count, server, before):
    time.sleep(1)
    memory = (rss_mb(server.pid) - before) * 1e6 / count
    plain = scrape(server, "")
    packed = scrape(server, "Accept-Encoding: gzip\r\n") if tool == "logtally" else (None, None, None)
    return (f"{count:,}", tool, *plain, *packed, memory)


def scrape(server, headers):
    walls, cpus = [], []
    for _ in range(11):
        cpu, began = cpu_seconds(server.pid), time.perf_counter()
        size = len(get(server.port, headers=headers))
        walls.append(time.perf_counter() - began)
        cpus.append(cpu_seconds(server.pid) - cpu)
    return size / 1e6, 1000 * statistics.median(walls), 1000 * statistics.median(cpus)


# -- from a write to a scrape -------------------------------------------------

class Watcher:
    """Scrapes over one connection until a value is there."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def scrape(self):
        self.socket.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not self.is_whole(answer):
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise SystemExit("the connection was closed")
            answer += piece
        return answer

    @staticmethod
    def is_whole(answer):
        head, end, body = answer.partition(b"\r\n\r\n")
        if not end:
            return False
        if b"chunked" in head.lower():
            return body.endswith(b"\r\n0\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return len(body) >= int(length.split(b":")[1])


def latency(options, top):
    rows = []
    logs = top + "/latency"
    os.mkdir(logs)
    for tool, start in servers(options, top, logs):
        open(logs + "/a.log", "w").close()
        server = start()
        append(logs + "/a.log", LINE % ("a", 0))
        server.wait(lambda: b'id="a",zone="z0"} 1\n' in get(server.port))
        watcher, chance = Watcher(server.port), random.Random(options.seed)
        fd = os.open(logs + "/a.log", os.O_WRONLY | os.O_APPEND)
        times, alone = [], []
        for i in range(options.writes if tool == "logtally" else options.writes // 4):
            time.sleep(chance.random() * 0.05)
            want = b'seen_total{id="a",zone="z0"} %d\n' % (i + 2)
            began = time.perf_counter()
            os.write(fd, (LINE % ("a", 0)).encode())
            while want not in watcher.scrape():
                pass
            times.append(1000 * (time.perf_counter() - began))
            began = time.perf_counter()
            watcher.scrape()
            alone.append(1000 * (time.perf_counter() - began))
        os.close(fd)
        server.stop()
        rows.append((tool, len(times), percentile(times, 50), percentile(times, 99), max(times), percentile(alone, 50)))
    table("From write() until a scrape shows it; scrapes follow one another",
          ("tool", "writes", "p50 ms", "p99 ms", "longest ms", "a scrape alone, p50 ms"), rows)


# -- doing nothing ------------------------------------------------------------

def says_so(server, path):
    """It follows the path: what is written there is counted.  (mtail starts at the end of what it finds.)"""
    append(path, LINE % ("new", 0))
    return b'id="new"' in get(server.port)


def idle(options, top):
    rows = []
    for count in options.files:
        logs = f"{top}/idle-{count}"
        os.mkdir(logs)
        for i in range(count):
            with open(f"{logs}/{i:05}.log", "w") as f:
                f.writelines(LINE % ("a", j) for j in range(10))
        for tool, start in servers(options, top, logs):
            server = start()
            server.wait(lambda: says_so(server, f"{logs}/{count - 1:05}.log"), pause=1)
            time.sleep(2)
            cpu, began = cpu_seconds(server.pid), time.monotonic()
            time.sleep(options.idle_seconds)
            cpu = (cpu_seconds(server.pid) - cpu) / (time.monotonic() - began)
            rows.append((f"{count:,}", tool, f"{100 * cpu:.2g}%", rss_mb(server.pid)))
            server.stop()
        shutil.rmtree(logs)
    table(f"Idle: nothing is written for {number(options.idle_seconds)} s, nobody scrapes", ("files", "tool", "CPU of a core", "RSS MB"),
          rows)
