"""What is shown is what there is: random label texts, help texts and numbers, read back by both Prometheus parsers.

Labels have any bytes, numbers are huge, tiny, denormal, infinite and none.  CASES=100000 SEED=7
tests/differential/exposition.py asks more, and other, questions.
"""

import http.server
import json
import math
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from peer import BUILD, CASES, Count, rng

BOUNDS = (-1e300, -0.0001, 0, 5e-324, 0.1, 1, 123456.789, 1e22, math.inf)
PIECES = ('"', "\\", "\n", "\\n", "{", "}", ",", "=", " ", "#", "\t", "\r", "\0", "é", "日本", "\U0001F600", "\u2028", "a", "0", "+Inf", "NaN")


def some_text(r):
    """Bytes, as a log has them."""
    how = r.randrange(4)
    if how == 0:
        return r.randbytes(r.randrange(40))
    return b"".join(r.randbytes(1) if how == 1 and r.random() < 0.2 else r.choice(PIECES).encode() for _ in range(r.randrange(12)))


def shown(text):
    """What is no UTF-8, and NUL, is shown as U+FFFD."""
    return text.decode(errors="replace").replace("\0", "\ufffd")


def some_number(r):
    how = r.randrange(6)
    if how == 0:
        return struct.unpack("<d", r.randbytes(8))[0]
    if how == 1:
        return r.choice((0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, math.inf, -math.inf, math.nan, 2.0 ** 53, 1e21, 1e-7, 0.1))
    if how == 2:
        return math.ldexp(r.random(), -1073 + r.randrange(60))
    if how == 3:
        return float(r.randrange(10 ** r.randrange(1, 22)))
    return r.choice((1, -1)) * r.random() * 10 ** r.randrange(-12, 12)


def bits(value):
    return "nan" if math.isnan(value) else float(value).hex()


class Random:
    """Series, and what a reader must see of them: {(name, labels): bits of the value}."""

    def __init__(self, r, count):
        self.help = "Help: " + shown(some_text(r)).replace("\ufffd", "?") + "."
        self.lines, self.samples = ["help " + self.help.encode().hex()], {}
        sums = {}
        for _ in range(count):
            a, b, x = some_text(r), some_text(r), some_number(r)
            self.lines.append(f"gauge {a.hex()} {b.hex()} {x!r}")
            self.samples[self.key("random_level", a=shown(a), b=shown(b))] = bits(x)
        for _ in range(count // 3):
            a, x = some_text(r), abs(some_number(r))
            key = self.key("random_total", a=shown(a))
            if math.isfinite(x) and key not in self.samples:
                self.lines.append(f"counter {a.hex()} {x!r}")
                self.samples[key] = bits(x)
        for _ in range(count // 10):
            a, x = shown(some_text(r)), some_number(r)
            if math.isfinite(x) and a not in sums:
                sums[a] = x
                self.lines.append(f"histogram {a.encode().hex()} {x!r}")
                for bound in BOUNDS:
                    self.samples[self.key("random_spread_bucket", a=a, le=str(float(bound)).replace("inf", "+Inf"))] = bits(x <= bound)
                self.samples[self.key("random_spread_sum", a=a)] = bits(x)
                self.samples[self.key("random_spread_count", a=a)] = bits(1)

    @staticmethod
    def key(name, **labels):
        """A bound by its value: 1e22 and 1e+22 are the same; an empty label is none."""
        if "le" in labels:
            labels["le"] = bits(float(labels["le"].replace("Inf", "inf")))
        return name, tuple(sorted((k, v) for k, v in labels.items() if v != ""))

    def render(self):
        done = subprocess.run([BUILD + "/differential/expose"], input="\n".join(self.lines + [""]).encode(), capture_output=True, check=True)
        return done.stdout.decode()


def differences(expected, got):
    for key in sorted(set(expected) | set(got)):
        want = expected.get(key)
        if want == "-0x0.0p+0" and key[0] != "random_level":
            want = "0x0.0p+0"  # what is added to begins at 0
        yield key, want, got.get(key)


def by_the_python_client():
    r = rng("python client")
    for _ in range(10):
        made = Random(r, CASES // 50)
        families = list(text_string_to_metric_families(made.render()))
        for family in families:
            yield family.name, made.help, family.documentation
        got = {Random.key(s.name, **s.labels): bits(s.value) for f in families for s in f.samples}
        yield from differences(made.samples, got)


def by_promtool():
    r = rng("promtool")
    for i in range(10):
        text = Random(r, CASES // 50).render()
        done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True)
        yield f"text {i}", (0, b""), (done.returncode, done.stderr)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Page(http.server.BaseHTTPRequestHandler):
    text = b""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.text)

    def log_message(self, *_):
        pass


def query(port, expression):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query=" + urllib.parse.quote(expression)) as answer:
            return json.load(answer)["data"]["result"]
    except OSError:
        return []


def by_prometheus():
    made = Random(rng("prometheus"), CASES // 5)
    Page.text = made.render().encode()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="logtally-prometheus-") as folder:
        with open(folder + "/prometheus.yml", "w") as f:
            f.write("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n  - job_name: x\n"
                    f"    static_configs: [{{targets: ['127.0.0.1:{server.server_address[1]}']}}]\n")
        with open(folder + "/log", "w") as log:
            process = subprocess.Popen(["prometheus", "--config.file", folder + "/prometheus.yml", "--storage.tsdb.path", folder + "/data",
                                        "--web.listen-address", f"127.0.0.1:{port}"], stdout=log, stderr=log)
        end = time.monotonic() + 60
        while not query(port, "up == 1") and time.monotonic() < end:
            time.sleep(0.1)
        result = query(port, '{__name__=~"random_.*"}')
        process.send_signal(signal.SIGTERM)
        process.wait()
    server.shutdown()
    got = {}
    for series in result:
        labels = {k: v for k, v in series["metric"].items() if k not in ("__name__", "job", "instance")}
        got[Random.key(series["metric"]["__name__"], **labels)] = bits(float(series["value"][1].replace("Inf", "inf")))
    yield from differences(made.samples, got)


def main():
    count = Count()
    count.test("read by Python's client", by_the_python_client())
    count.test("checked by promtool", by_promtool())
    count.test("scraped by Prometheus", by_prometheus())
    count.end()


if __name__ == "__main__":
    main()
