"""What the scrapes of one sequence must show, seen against what was written."""

from process import Failure

PATTERNS = r"""
rules:
  - name: line
    pattern: '^p=(?<p>\S+) g=(?<g>\d+) n=(?<n>\d+) '
    metrics:
      - counter: path_lines_total
        help: Lines of a path.
        labels: {file: $_file}
      - counter: stream_lines_total
        help: Lines of one generation.
        labels: {p: $p, g: $g}
      - counter: stream_numbers_total
        help: The sum of their numbers.
        labels: {p: $p, g: $g}
        value: $n
      - histogram: numbers
        help: How large they are.
        labels: {file: $_file}
        value: $n
        buckets: [1000, 100000]
"""

# By contract these start again at 0 with the process.
RESTART = ("process_", "logtally_commit_", "logtally_watch_fallbacks_total", "logtally_series_overflow_total")
GAUGES = ("logtally_file_", "logtally_files", "logtally_series", "logtally_config_", "logtally_catching_up", "logtally_build_info",
          "logtally_rule_last_match")


def only_grows(name):
    return not name.startswith(RESTART) and not name.startswith(GAUGES)


class Ledger:
    def __init__(self, logs):
        self.logs = logs
        self.highest = {False: {}, True: {}}  # by scraper: as a person sees it, as Prometheus sees it
        # The commit after a scraper's first scrape is the first that remembers it.
        self.scraper = "unknown"
        # What the first backlog holds is old to all scrapers, also after a kill before anything of it was shown.
        self.ready = False  # this daemon has read it: all scrapes from now on show it
        self.caught_up = False  # a scrape has shown it, or that there is none

    def _streams(self):
        return {(str(s.number), log.label): s for log in self.logs for s in log.streams}

    def check(self, metrics, prometheus):
        """Takes a scrape; returns the streams of which it shows more than any scrape before."""
        self.caught_up |= self.ready or bool(metrics.family("stream_lines_total"))
        self._never_backwards(metrics, prometheus)
        self.ready |= metrics.total("logtally_catching_up") == 0
        streams = self._streams()
        lines, numbers = metrics.family("stream_lines_total"), metrics.family("stream_numbers_total")
        grown = set()
        for key, count in lines.items():
            stream = streams.get(key)
            if stream is None:
                raise Failure(f"lines of {key}, which nobody wrote")
            self._prefix(stream, count, None if prometheus else numbers.get(key, 0))
            if count > stream.shown:
                stream.shown = int(count)
                grown.add(stream)
        if not prometheus:
            self._one_cut(metrics, streams, lines)
        return grown

    def _never_backwards(self, metrics, prometheus):
        highest = self.highest[prometheus]
        for key, before in highest.items():
            if key not in metrics:
                raise Failure(f"{key[0]}{{{key[1]}}} was {before:g} and has gone")
            if metrics[key] < before:
                raise Failure(f"{key[0]}{{{key[1]}}} went back from {before:g} to {metrics[key]:g}")
        known = prometheus and self.scraper == "remembered"
        for key, value in metrics.items():
            if only_grows(key[0]):
                if known and key not in highest and value and key[0].startswith("stream_"):
                    raise Failure(f"{key[0]}{{{key[1]}}} is new to this scraper, and begins at {value:g}, not 0")
                highest[key] = value
        # That it was shown something is saved with a later commit: surely with that of the third scrape.
        if self.scraper == "scraped again":
            self.scraper = "remembered"
        elif self.scraper == "scraped":
            self.scraper = "scraped again"
        elif prometheus and self.scraper == "unknown" and self.caught_up:
            self.scraper = "scraped"

    def daemon_died(self):
        self.ready = False
        if self.scraper in ("scraped", "scraped again"):
            self.scraper = "unknown"

    @staticmethod
    def _prefix(stream, count, numbers):
        if not stream.counts:
            raise Failure(f"{stream} was there before the first start as a rotated file; {count:g} lines of it were counted")
        if count > stream.written:
            raise Failure(f"{stream}: {count:g} lines were counted, {stream.written} were written")
        if numbers is not None and numbers != stream.sums[int(count)]:
            raise Failure(f"{stream}: the {count:g} lines that were counted are not the first that were written: "
                          f"their numbers add up to {numbers:.0f}, not {stream.sums[int(count)]}")

    def _one_cut(self, metrics, streams, lines):
        """All that one scrape shows belongs to the same lines."""
        for log in self.logs:
            by_stream = sum(count for (_, p), count in lines.items() if p == log.label)
            by_path = metrics.family("path_lines_total").get((log.label,), 0)
            in_histogram = metrics.family("numbers_count").get((log.label,), 0)
            if not by_stream == by_path == in_histogram:
                raise Failure(f"{log.label}: {by_stream:g} lines by generation, {by_path:g} by path, {in_histogram:g} in the histogram")
        if not lines:
            return
        counted = sum(lines.values())
        size = sum(streams[key].sizes[int(count)] for key, count in lines.items())
        for name, expected in (("logtally_lines_total", counted), ("logtally_bytes_read_total", size),
                               ("logtally_unmatched_lines_total", 0)):
            if metrics.total(name) != expected:
                raise Failure(f"{name} is {metrics.total(name):.0f} beside {counted:.0f} lines of {size} bytes")

    def missing(self):
        """What is not shown and must be."""
        return [f"{s}: {s.shown} of {s.written} lines" for log in self.logs for s in log.streams
                if s.counts and s.shown < s.written and not s.may_lose]

    def losses(self, metrics):
        """A loss that was told must have been one, and no more than was lost."""
        lost = sum(s.sizes[-1] - s.sizes[s.shown] for log in self.logs for s in log.streams if s.counts)
        told = metrics.total("logtally_lost_bytes_total")
        if told > lost:
            raise Failure(f"{lost} bytes were lost, logtally_lost_bytes_total says {told:.0f}: {metrics.family('logtally_lost_bytes_total')}")
        generations = metrics.total("logtally_lost_generations_total")
        # Of a file that went while nobody looked it is not known whether more was written to it.
        unknown = any(log.went_unseen or s.may_lose for log in self.logs for s in log.streams)
        if generations and not unknown:
            raise Failure(f"nothing was lost; logtally_lost_generations_total: {metrics.family('logtally_lost_generations_total')}")
        return lost, told, generations
