"""What a series, a sample and a target cost a real Prometheus: the figures that docs/scale.md counts with.

    prometheus_costs.py [--scrapes 12] [--targets 40] [--series 500 1500]

One process answers for all targets; each has so many counters, whose values grow unevenly. Two runs that differ only in the
series of a target give memory and CPU a series; `promtool tsdb create-blocks-from` gives the bytes of a sample on disk.
"""

import argparse
import http.server
import json
import os
import random
import subprocess
import tempfile
import threading
import time
import urllib.request

INTERVAL_SECONDS = 5


def free_port():
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        return server.server_port


class Targets(http.server.ThreadingHTTPServer):
    """/N is target N."""

    def __init__(self, series):
        super().__init__(("127.0.0.1", 0), Handler)
        self.series = series
        self.values = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def text(self, target):
        values = self.values.setdefault(target, [0] * self.series)
        lines = ["# TYPE pod_lines_total counter"]
        for i in range(self.series):
            values[i] += random.randrange(20)
            lines.append(f'pod_lines_total{{namespace="n{i % 20}",container="c{i}",stream="stdout"}} {values[i]}')
        return "\n".join(lines) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.text(self.path).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def ask(port, query):
    url = f"http://127.0.0.1:{port}/api/v1/query?query=" + urllib.request.quote(query)
    with urllib.request.urlopen(url, timeout=30) as answer:
        found = json.load(answer)["data"]["result"]
    return float(found[0]["value"][1]) if found else 0


def configure(folder, server, targets):
    jobs = "".join(f"  - {{job_name: j{i}, metrics_path: /{i}, static_configs: [{{targets: ['127.0.0.1:{server.server_port}']}}]}}\n"
                   for i in range(targets))
    with open(folder + "/p.yml", "w", encoding="utf-8") as f:
        f.write(f"global: {{scrape_interval: {INTERVAL_SECONDS}s, scrape_timeout: {INTERVAL_SECONDS}s}}\nscrape_configs:\n{jobs}")


def usage(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(") ")[2].split()
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        rss = next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), rss


def tree_bytes(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


def measure(targets, series, scrapes):
    """(bytes of memory, CPU seconds a scrape of all, bytes of WAL a sample, seconds of one scrape)."""
    server = Targets(series)
    with tempfile.TemporaryDirectory() as folder:
        configure(folder, server, targets)
        port = free_port()
        with open(folder + "/log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(["prometheus", f"--config.file={folder}/p.yml", f"--storage.tsdb.path={folder}/db", "--log.level=warn",
                                        f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        try:
            time.sleep(INTERVAL_SECONDS * 4)
            cpu_before, _ = usage(process.pid)
            wal_before = tree_bytes(folder + "/db/wal")
            time.sleep(INTERVAL_SECONDS * scrapes)
            cpu, rss = usage(process.pid)
            samples = targets * series * scrapes
            took = ask(port, "avg(scrape_duration_seconds)")
            assert ask(port, 'count(pod_lines_total)') == targets * series
            return rss, (cpu - cpu_before) / scrapes, (tree_bytes(folder + "/db/wal") - wal_before) / samples, took
        finally:
            process.kill()
            process.wait()
            server.shutdown()


def disk(step_seconds):
    """Bytes of a sample in a block, from two hours of 200 counters."""
    with tempfile.TemporaryDirectory() as folder:
        steps, series = 7200 // step_seconds, 200
        begin = 1_700_000_000 // 7200 * 7200
        with open(folder + "/m.om", "w", encoding="utf-8") as f:
            f.write("# TYPE pod_lines counter\n")
            for i in range(series):
                value = 0
                for k in range(steps):
                    value += random.randrange(20)
                    f.write(f'pod_lines_total{{container="c{i}",namespace="n{i % 20}"}} {value} {begin + k * step_seconds}.{random.randrange(3)}\n')
            f.write("# EOF\n")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", folder + "/m.om", folder + "/db"], check=True, stdout=subprocess.DEVNULL)
        return tree_bytes(folder + "/db") / (steps * series)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scrapes", type=int, default=12)
    parser.add_argument("--targets", type=int, default=40)
    parser.add_argument("--series", type=int, nargs=2, default=[500, 1500])
    o = parser.parse_args()
    random.seed(1)
    few, many = (measure(o.targets, series, o.scrapes) for series in o.series)
    more = o.targets * (o.series[1] - o.series[0])
    print(f"{o.targets} targets of {o.series[0]} and {o.series[1]} series, {o.scrapes} scrapes each:")
    for series, (rss, cpu, wal, took) in zip(o.series, (few, many)):
        print(f"  {o.targets * series} series: {rss / 1e6:.0f} MB, {cpu * 1000:.0f} ms CPU a round, {wal:.2f} bytes of WAL a sample, {took * 1000:.1f} ms a scrape")
    print(f"a series more: {(many[0] - few[0]) / more:.0f} bytes of memory")
    print(f"a sample more: {(many[1] - few[1]) / more * 1e6:.2f} us of CPU")
    for step in (15, 30, 60):
        print(f"a sample on disk, every {step} s: {disk(step):.2f} bytes")


if __name__ == "__main__":
    main()
