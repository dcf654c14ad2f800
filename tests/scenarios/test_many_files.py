"""Ten thousand files in a directory, of which one in a hundred is written to.

The daemon has read them all and is at rest, then some lines come and somebody
scrapes; then it is started again.  Every line counts once, and what it takes of
memory (RSS) stays under 25 MB.
"""

import unittest

from harness import Scenario, wait_for

FILES = 10000
MOST_BYTES = 25e6
LINE = "2026-11-20 12:00:01,%03d - etl.loader - INFO - ingested participant=p%03d in %d ms\n"
PATTERNS = """
rules:
  - name: ingested
    pattern: 'ingested participant=p\\d+ in \\d+ ms'
    metrics:
      - counter: ingested_total
        help: Ingests.
"""


def figure(pid, key):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key)) * 1024


class ManyFiles(Scenario):
    def small(self, daemon):
        pid = daemon.process.pid
        with open(f"/proc/{pid}/maps") as f:
            if "san.so" in f.read():
                return  # a sanitizer keeps memory of its own
        wait_for("little memory", lambda: "caught up" in daemon.log and figure(pid, "VmRSS") < MOST_BYTES)

    def test_ten_thousand_files_take_little_memory(self):
        self.pattern_file(PATTERNS)
        paths = [self.log(f"pipeline-{i:05}.log") for i in range(FILES)]
        for path in paths:
            self.write(path, "".join(LINE % (i, i, i) for i in range(4)))
        lines = 4 * FILES
        daemon = self.start()
        for _ in range(2):
            daemon.wait_value(lines, "ingested_total")
            self.small(daemon)
            for path in paths[::100]:
                self.append(path, LINE % (1, 1, 1))
            lines += len(paths[::100])
            daemon.wait_value(lines, "ingested_total")
            self.small(daemon)
            daemon = self.restart(daemon)
        daemon.wait_value(lines, "ingested_total")


if __name__ == "__main__":
    unittest.main()
