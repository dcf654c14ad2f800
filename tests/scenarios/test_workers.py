"""The number of workers is nobody's business but the daemon's."""

import os
import random

from harness import Scenario

PATTERNS = r"""
rules:
  - name: took
    pattern: '^user=(?<user>\w+) took (?<ms>\d+) ms'
    metrics:
      - counter: requests_total
        help: Requests.
        labels: {user: $user, file: $_file}
      - counter: shared_total
        help: Requests that all files share.
        labels: {user: $user}
      - histogram: took_seconds
        help: How long they took.
        value: $ms
        scale: 0.001
        buckets: [0.1, 1]
      - gauge: balance
        help: Up and down.
        op: add
        value: $ms
"""


class Workers(Scenario):
    FILES = 8

    def part(self, number):
        """The lines that part `number` adds to each file."""
        shuffled = random.Random(number)
        return ["".join(f"user=u{shuffled.randrange(30)} took {shuffled.randrange(2000)} ms\n" for _ in range(500 * (i + 1)))
                for i in range(self.FILES)]

    def add_part(self, number):
        for i, text in enumerate(self.part(number)):
            self.append(self.log(f"{i}.log"), text)
            if (number + i) % 3 == 0:
                os.rename(self.log(f"{i}.log"), self.log(f"{i}.log.{number}"))

    def lines(self, parts):
        return parts * sum(500 * (i + 1) for i in range(self.FILES))

    def totals(self, d):
        metrics = {k: v for k, v in d.metrics().items() if not k[0].startswith(("logtally_", "process_"))}
        return {k: round(v, 6) for k, v in metrics.items()}

    def test_totals_are_equal_however_many_workers_each_start_had(self):
        """Six parts of eight logs that are rotated: once by one daemon, once by six with other numbers of workers."""
        self.pattern_file(PATTERNS)
        seen = []
        for workers in (("2",) * 6, ("1", "4", "2", "1", "3", "4")):
            state = self.path("state-" + "".join(workers))
            for i in range(self.FILES):
                self.write(self.log(f"{i}.log"), "")
            d = None
            for number, count in enumerate(workers):
                if d is None or len(set(workers)) > 1:
                    if d is not None:
                        (d.stop if number % 2 else d.process.kill)()
                        if number % 2 == 0:
                            d.process.wait()
                            self.daemons.remove(d)
                            d.reader.join()
                            d.process.stderr.close()
                    if number % 3 == 2:
                        self.add_part(number)  # nobody looks
                    d = self.start("--storage.path", state, "--workers", count)
                    d.wait_value(0, "logtally_catching_up")
                    if number % 3 != 2:
                        self.add_part(number)
                else:
                    self.add_part(number)
                d.wait_value(self.lines(number + 1), "logtally_lines_total")
                # What was counted goes: to read it again would find nothing.
                for name in os.listdir(self.logs):
                    if not name.endswith(".log"):
                        os.unlink(self.log(name))
            seen.append(self.totals(d))
            d.stop()
            for name in os.listdir(self.logs):
                os.unlink(self.log(name))
        self.assertEqual(len(seen[0]), 30 * self.FILES + 30 + 3 + 2 + 1)
        self.assertEqual(seen[0], seen[1])
