"""A hundred kills while two million lines are written: what was counted, and what Prometheus saw.

    kills.py [--kills N] [--lines N] [--seconds S]

Four writers rotate their logs by rename and create every 20,000 lines; a
generation is deleted once its lines were counted.  The daemon gets SIGKILL at
random moments and is started again; Prometheus scrapes it each second.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/tests/scenarios")

from harness import Daemon, free_port, wait_for  # noqa: E402
from writers import PATTERNS, Witness, Writer  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--seconds", type=int, default=150, help="over which the lines are written")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    top = tempfile.mkdtemp(prefix="logtally-kills-")
    os.makedirs(top + "/logs")
    os.mkdir(top + "/patterns")
    with open(top + "/patterns/test.yml", "w") as f:
        f.write(PATTERNS)
    port = free_port()

    def start():
        return Daemon("--logs", top + "/logs", "--patterns", top + "/patterns", "--storage.path", top + "/state",
                      "--web.listen-address", f"127.0.0.1:{port}")

    names = ("api", "ingest", "etl", "web")
    writers = [Writer(top + "/logs", name + ".log", options.lines // 4, options.lines // 4 // options.seconds, 20_000) for name in names]
    daemon = start()
    daemon.wait_value(0, "logtally_catching_up")
    prometheus = Witness(top + "/prometheus", port)
    wait_for("two scrapes", lambda: prometheus.query("count_over_time(up[1m])").get((), 0) >= 2)
    for writer in writers:
        writer.start()
    kills, deleted = 0, 0
    while any(writer.is_alive() for writer in writers) or kills < options.kills:
        left = max(options.kills - kills, 1)
        remaining = max(options.seconds * (1 - sum(w.written for w in writers) / options.lines), 1)
        time.sleep(chance.uniform(0, 2 * remaining / left))
        metrics = daemon.metrics()
        for writer in writers:
            before = len(writer.old)
            writer.drop(metrics.get(("events_total", (("log", writer.name_),)), 0))
            deleted += before - len(writer.old) if before > len(writer.old) else 0
        if kills < options.kills:
            time.sleep(chance.uniform(0, 0.1))
            daemon.process.kill()
            daemon.process.wait()
            kills += 1
            daemon = start()
    for writer in writers:
        writer.join()
    written = sum(writer.written for writer in writers)

    def counted():
        metrics = daemon.metrics()
        return sum(v for (name, _), v in metrics.items() if name == "events_total")

    end = time.monotonic() + 60
    while counted() != written and time.monotonic() < end:
        time.sleep(0.1)
    daemon.process.kill()
    daemon.process.wait()
    daemon = start()
    daemon.wait_value(0, "logtally_catching_up")
    time.sleep(3.5)
    resets = prometheus.resets()
    seen = sum(prometheus.increase("events_total").values())
    generations = prometheus.increase("generation_events_total")
    wrong = {(w.name_, g): (count, generations.get((("g", str(g)), ("log", w.name_))))
             for w in writers for g, count in w.by_generation.items()
             if generations.get((("g", str(g)), ("log", w.name_))) != count}
    print(f"kills -9:                         {kills + 1}")
    print(f"lines written:                    {written}, in {sum(len(w.by_generation) for w in writers)} generations, {deleted} deleted on the way")
    print(f"lines counted:                    {counted():.0f}")
    print(f"increase seen by Prometheus:      {seen:.0f}, wrong in {len(wrong)} generations {wrong or ''}")
    print(f"counters, counter resets seen:    {sum(len(prometheus.query(n)) for n in prometheus.counters())} series, {len(resets)} {list(resets.items())[:3] or ''}")
    print(f"lost bytes told:                  {sum(v for (n, _), v in daemon.metrics().items() if n == 'logtally_lost_bytes_total'):.0f}")
    good = counted() == written == seen and not resets and not wrong
    daemon.stop()
    prometheus.stop()
    if good:
        shutil.rmtree(top)
    else:
        print(f"kept: {top}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
