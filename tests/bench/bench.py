"""`make bench`: logtally against mtail and against reading alone, as Markdown.

    bench.py [--size 100MiB] [--runs N] [--only throughput|scrapes|exporter|latency|idle] ...

The corpora come from a seed, the pattern sets mean the same to both, and what
they count is compared value by value: a difference ends the run.  mtail reads
a slice of the same corpus (its rate is without its start), since it is slow.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile

import corpus
import serving
from measure import BUILD
from throughput import Throughput

PARTS = ("throughput", "scrapes", "exporter", "latency", "idle")


def machine():
    with open("/proc/cpuinfo") as f:
        cpu = next(line.split(":")[1].strip() for line in f if line.startswith("model name"))
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) / 2**20
    mtail = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "mtail"], capture_output=True, text=True).stdout
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, mtail {mtail or 'none'}"


def exporter(options):
    print(flush=True)
    subprocess.run([BUILD + "/bench/exposition_bench", str(max(options.series))], check=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=corpus.parse_size, default="100MiB", help="of each corpus")
    parser.add_argument("--runs", type=int, default=1, help="of which medians are taken")
    parser.add_argument("--rules", type=int, default=1000, help="the largest set")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=PARTS, action="append", help="repeatable")
    parser.add_argument("--series", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--writes", type=int, default=400)
    parser.add_argument("--files", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--idle-seconds", type=float, default=10)
    parser.add_argument("--dir", help="where the corpora are written")
    options = parser.parse_args()
    options.tools = ("logtally", "mtail")
    return options


def main():
    options = parse()
    if not shutil.which("mtail"):
        sys.exit("mtail is missing: apt-get install mtail")
    top = tempfile.mkdtemp(prefix="logtally-bench-", dir=options.dir)
    parts = {"throughput": lambda: Throughput(options, top).tables(), "scrapes": lambda: serving.scrapes(options, top),
             "exporter": lambda: exporter(options), "latency": lambda: serving.latency(options, top), "idle": lambda: serving.idle(options, top)}
    print(f"{machine()}; MB = 1e6 bytes", flush=True)
    try:
        for name, part in parts.items():
            if name in (options.only or PARTS):
                part()
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    main()
