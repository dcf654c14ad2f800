"""What really happened, told beside the log by the code that did it.

A program that reads the logs should arrive at the same numbers, so the entries
bear the names and labels of the metrics in patterns/, and amounts are taken
as the log prints them (a duration of 12.34 ms is logged, and told, as 12.3).
"""

import json
import os


class Truth:
    """Totals and last values by name and labels, kept in one JSON file.

    The file is an object: {name: [{"labels": {...}, "value": number}, ...]}. One that is
    there is continued, as the logs beside it are. Without a path nothing is written.
    Not for use by several threads.
    """

    def __init__(self, path=None):
        self._path = path
        self._values = {}
        if path is not None and os.path.exists(path):
            self._load()

    def add(self, name, amount=1, **labels):
        key = (name, tuple(sorted(labels.items())))
        self._values[key] = self._values.get(key, 0) + amount

    def set(self, name, value, **labels):
        self._values[(name, tuple(sorted(labels.items())))] = value

    def observe(self, name, value, **labels):
        """A histogram's observation: its count and its sum."""
        self.add(name + "_count", 1, **labels)
        self.add(name + "_sum", value, **labels)

    def _load(self):
        with open(self._path, encoding="utf-8") as file:
            for name, entries in json.load(file).items():
                for entry in entries:
                    self.set(name, entry["value"], **entry["labels"])

    def save(self):
        """Replace the file as a whole: a reader sees the old one or the new one."""
        if self._path is None:
            return
        entries = {}
        for (name, labels), value in sorted(self._values.items()):
            entries.setdefault(name, []).append({"labels": dict(labels), "value": value})
        partial = f"{self._path}.{os.getpid()}.tmp"
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(entries, file, indent=1)
            file.write("\n")
        os.replace(partial, self._path)
