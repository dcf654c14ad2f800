"""Logs to measure with: the same seed gives the same bytes.

    corpus.py --kind mixed --bytes 100MiB --seed 1 > corpus.log

pipeline   a data pipeline; 30% of its lines match a rule of the full set (rules.py)
uvicorn    access logs, of which 95% match: a FastAPI service under uvicorn,
json       one that writes JSON,
nginx      and nginx before it
mixed      50% pipeline, 25% uvicorn, 10% json, 15% nginx; about 107 bytes a line
quiet      a pipeline where nothing happens that a rule wants

Values of histograms are above 0: mtail counts others in no bucket.
"""

import argparse
import random
import sys

import rules

BLOCK_LINES = 4096
MIX = (("pipeline", 0.5), ("uvicorn", 0.75), ("json", 0.85), ("nginx", 1.0))
SOURCES = ("fitbit_api", "garmin_api", "oura_api", "withings")
METHODS = ("GET", "GET", "GET", "POST", "PUT", "DELETE")
STATUSES = ("200", "200", "200", "200", "201", "304", "404", "429", "500", "503")
ROUTES = ("/participants/p{}/hrv", "/participants/p{}/sleep", "/studies/{}/enrol", "/exports/{}", "/api/v1/items/{}")
EVENTS = 1000 - len(rules.ACCESS)
# Of messages that match: how many are of the first two kinds, of those up to a set of 20 rules, of the rest.
FEW, SOME = 0.60, 0.95


class Writer:
    """Lines of one corpus, one after the other."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.number = 0

    def time(self):
        self.number += 1
        ms = self.number // 4
        return f"2026-11-{1 + ms // 86400000 % 28:02} {ms // 3600000 % 24:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"

    def event(self):
        share, r = self.chance.random(), self.chance.random()
        if share < FEW:
            return int(r * 2)
        if share < SOME:
            return 2 + int(r * 15)
        return 17 + int(r * (EVENTS - 17))

    def pipeline(self):
        r = self.chance.random()
        n = int(self.chance.random() * 1000)
        if r >= 0.3:
            return self.noise(n)
        event = self.event()
        words, kind = rules.phrase(event), event % 4
        if kind == 0:
            rest = f"failed participant=p{n % 250:03} source={SOURCES[n % 4]} status={STATUSES[n % 10]} attempt={n % 3}"
        elif kind == 1:
            rest = f"finished participant=p{n % 250:03} source={SOURCES[n % 4]} in {(n * n + 9) / 371:.2f} ms"
        elif kind == 2:
            rest = f"level participant=p{n % 250:03} value={n / 8}"
        else:
            rest = f"stored rows={n * 3} table=t{n % 7}"
        return f"{self.time()} - etl.{SOURCES[n % 3]} - {'ERROR' if kind == 0 else 'INFO'} - {words} {rest}\n"

    def noise(self, n):
        words = rules.phrase(n)
        return f"{self.time()} - etl.worker - DEBUG - {words} heartbeat queue={n % 17} idle\n"

    def quiet(self):
        return self.noise(int(self.chance.random() * 1000))

    def request(self):
        n = int(self.chance.random() * 6000)
        return n, METHODS[n % 6], ROUTES[n % 5].format(n % 300), STATUSES[n % 10], self.chance.random() < 0.95

    def uvicorn(self):
        n, method, route, status, matches = self.request()
        if not matches:
            return f"{self.time()} WARNING:  Invalid HTTP request received from 10.1.{n % 4}.{n % 200}; the connection was closed\n"
        return f'{self.time()} INFO:     10.1.{n % 4}.{n % 200}:{40000 + n} - "{method} {route}?limit={n % 100} HTTP/1.1" {status} OK\n'

    def json(self):
        n, method, route, status, matches = self.request()
        if not matches:
            return f'{{"time":"{self.time()}","level":"info","logger":"app.startup","message":"configuration reloaded","generation":{n}}}\n'
        return (f'{{"time":"{self.time()}","level":"info","method":"{method}","path":"{route}","status":{status},'
                f'"duration_ms":{(n + 1) / 16},"request_id":"{n:012x}"}}\n')

    def nginx(self):
        n, method, route, status, matches = self.request()
        if not matches:
            return f"2026/11/20 12:00:01 [warn] 7#7: *{n} an upstream response is buffered to a temporary file /var/cache/nginx/{n}\n"
        return (f'10.2.{n % 4}.{n % 200} - - [20/Nov/2026:12:{n % 60:02}:01 +0000] "{method} {route} HTTP/1.1" {status} {n * 7} "-" '
                f'"curl/7.88.1" rt={(n + 1) / 64}\n')

    def mixed(self):
        r = self.chance.random()
        return next(getattr(self, kind) for kind, until in MIX if r < until)()


KINDS = ("mixed", "quiet", "pipeline", "uvicorn", "json", "nginx")


def blocks(kind, size, seed):
    """Whole lines, as bytes: up to `size`, and not a line more."""
    line = getattr(Writer(f"{seed} {kind}"), kind)
    left = size
    while True:
        block = "".join(line() for _ in range(min(BLOCK_LINES, left // 40 + 1))).encode()
        if len(block) >= left:
            yield block[:block.rfind(b"\n", 0, left) + 1]
            return
        left -= len(block)
        yield block


def write(path, kind, size, seed):
    with open(path, "wb") as f:
        for block in blocks(kind, size, seed):
            f.write(block)


def parse_size(text):
    units = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
    for unit, factor in units.items():
        if text.endswith(unit):
            return int(float(text[:-len(unit)]) * factor)
    return int(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="mixed")
    parser.add_argument("--bytes", type=parse_size, default="1MiB")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for block in blocks(options.kind, options.bytes, options.seed):
        sys.stdout.buffer.write(block)


if __name__ == "__main__":
    main()
