"""What Prometheus sees of a daemon that is killed again and again."""

import random
import time

from harness import Scenario, free_port, wait_for
from writers import PATTERNS, Witness, Writer

KILLS = 50


class Crashes(Scenario):
    def start_again(self, port):
        return self.start("--storage.path", self.path("state"), "--web.listen-address", f"127.0.0.1:{port}")

    def assert_increases(self, p, name, expected):
        seen = p.increase(name)
        self.assertEqual(seen, expected, name)

    def test_fifty_kills_are_not_seen_by_prometheus(self):
        """
        Two logs are written and rotated all the time; the daemon is killed fifty times and started again.
        Prometheus scrapes each second: no counter is ever reset, and what it has is what was written, from
        the first line of each generation on.
        """
        self.pattern_file(PATTERNS)
        chance = random.Random(50)
        writers = [Writer(self.logs, name, None, 200, 1000) for name in ("a.log", "b.log")]
        port = free_port()
        d = self.start_again(port)
        d.wait_value(0, "logtally_catching_up")
        p = Witness(self.path("prometheus"), port)
        self.addCleanup(p.stop)
        wait_for("two scrapes", lambda: p.query("count_over_time(up[1m])").get((), 0) >= 2)
        for writer in writers:
            writer.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 1.9))
            for writer in writers:
                writer.drop(d.value("events_total", log=writer.name_) or 0)
            d.process.kill()
            d.process.wait()
            self.daemons.remove(d)
            d.reader.join()
            d.process.stderr.close()
            d = self.start_again(port)
        for writer in writers:
            writer.stop()
        for writer in writers:
            d.wait_value(writer.written, "events_total", log=writer.name_)

        lines = sum(writer.written for writer in writers)
        wait_for("Prometheus to have it all", lambda: sum(p.query("events_total").values()) == lines)
        time.sleep(2.5)  # whatever is shown one scrape late
        self.assertEqual(p.resets(), {})
        for name in ("events_total", "generation_events_total", "took_seconds_bucket", "logtally_lines_total", "logtally_bytes_read_total",
                     "logtally_rule_matches_total"):
            self.assertIn(name, p.counters())
        self.assertGreater(p.query("changes(process_start_time_seconds[1h])")[()], KILLS / 4, "Prometheus saw it restart")
        self.assert_increases(p, "events_total", {(("log", w.name_),): w.written for w in writers})
        self.assert_increases(p, "generation_events_total", {
            (("g", str(g)), ("log", w.name_)): count for w in writers for g, count in w.by_generation.items()})
        self.assert_increases(p, "took_seconds_count", {(("log", w.name_),): w.written for w in writers})
        self.assert_increases(p, "took_seconds_bucket", {
            (("le", le), ("log", w.name_)): w.buckets[ms]
            for w in writers for le, ms in (("0.1", 100), ("0.5", 500), ("1.0", 1000), ("+Inf", 2000))})
        self.assert_increases(p, "logtally_lines_total", {(): lines})
        self.assert_increases(p, "logtally_rule_matches_total", {(("patterns", "test"), ("rule", "event")): lines})
        self.assertEqual(d.value("logtally_lost_bytes_total") or 0, 0)
