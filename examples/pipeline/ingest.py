#!/usr/bin/python3
"""Fetch each participant's day from the source, check it, and load it into the API.

Logs to a rotating file, ingest.log, the way such jobs do: free text with
figures in it, progress, emoji, and a traceback where something was not foreseen.
"""

import argparse
import http.client
import json
import logging
import logging.handlers
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

from fitbit_source import FitbitSource, SourceError
from truth import Truth

ATTEMPTS = 3
RMSSD_RANGE_MS = (5, 250)
LOW_SHARE_OF_BASELINE = 0.6
TYPES = ("heart_rate", "hrv", "sleep", "steps")

main_log = logging.getLogger("etl.main")
source_log = logging.getLogger("etl.fitbit")
quality_log = logging.getLogger("etl.quality")
loader_log = logging.getLogger("etl.loader")
report_log = logging.getLogger("etl.report")


class Api:
    """The participants API. Every call gives (status, body); status 0 means unreachable."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def get(self, path):
        return self._call("GET", path, None)

    def post(self, path, body):
        return self._call("POST", path, json.dumps(body).encode())

    def wait(self, stop, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not stop.is_set():
            status, body = self.get("/healthz")
            if status == 200 and isinstance(body, dict) and body.get("service") == "participants":
                return True
            stop.wait(0.2)
        return False

    def _call(self, method, path, data):
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code, None
        except (OSError, ValueError, http.client.HTTPException):
            return 0, None


class Ingest:
    def __init__(self, args, stop):
        self.source = FitbitSource(args.seed, args.participants, args.outage)
        self.api = Api(args.api)
        self.truth = Truth(args.truth)
        self.stall_seconds = args.stall
        self.stop = stop

    def run(self, index):
        """One day of every participant."""
        day = self.source.day(index)
        started = time.monotonic()
        total = len(self.source.participants)
        main_log.info("🚀 Run %d: day %s, %d participants", index + 1, day, total)
        stall_at = self.source.stall_at(day)
        loaded = 0
        for position, participant in enumerate(self.source.participants, 1):
            if participant == stall_at:
                self.stall()
            if self.stop.is_set():
                return
            loaded += self.ingest(participant, day)
            self.progress(position, total)
        self.report(index)
        self.finish(index, loaded, total, time.monotonic() - started)

    def ingest(self, participant, day):
        """True if the day reached the API."""
        started = time.monotonic()
        try:
            raw = self.fetch(participant, day)
            if raw is None:
                return False
            clean = transform(raw)
        except (KeyError, ValueError):
            source_log.exception("💥 malformed day participant=%s day=%s source=fitbit_api", participant, day)
            self.truth.add("ingestion_errors_total", status="malformed")
            return False
        rmssd = self.check_hrv(participant, day, clean["hrv"][0])
        clean["hrv"] = [] if rmssd is None else [rmssd]
        return self.load(participant, day, clean, started)

    def fetch(self, participant, day):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.source.fetch(participant, day, attempt)
            except SourceError as error:
                status = error.status
            if attempt < ATTEMPTS:
                source_log.warning("fitbit_api answered %d for participant=%s, retrying (attempt %d/%d)",
                                   status, participant, attempt, ATTEMPTS)
                self.truth.add("ingestion_retries_total", status=str(status))
                self.stop.wait(0.05 * 2**attempt)
        source_log.error("❌ ingest failed participant=%s day=%s source=fitbit_api status=%d after %d attempts",
                         participant, day, status, ATTEMPTS)
        self.truth.add("ingestion_errors_total", status=str(status))
        return None

    def check_hrv(self, participant, day, rmssd):
        """The night's rmssd in ms, or None if no heart does that."""
        low, high = RMSSD_RANGE_MS
        if not low <= rmssd <= high:
            quality_log.warning("hrv out of range participant=%s day=%s rmssd=%.1f ms (accepted: %d-%d), dropped",
                                participant, day, rmssd, low, high)
            self.truth.add("hrv_nights_total", quality="out_of_range")
            return None
        baseline = self.baseline(participant)
        if baseline is not None and rmssd < LOW_SHARE_OF_BASELINE * baseline:
            quality_log.warning("🫀 hrv low participant=%s day=%s rmssd=%.1f ms, baseline %.1f ms",
                                participant, day, rmssd, baseline)
            self.truth.add("hrv_nights_total", quality="low")
        else:
            quality_log.info("hrv ok participant=%s day=%s rmssd=%.1f ms", participant, day, rmssd)
            self.truth.add("hrv_nights_total", quality="ok")
        self.truth.set("hrv_rmssd_seconds", rmssd / 1000, participant=participant)
        self.truth.set("hrv_last_night_timestamp_seconds", round(time.time(), 3), participant=participant)
        return rmssd

    def baseline(self, participant):
        status, nights = self.api.get(f"/participants/{participant}/hrv?days=7")
        values = [night["rmssd_ms"] for night in nights if night["rmssd_ms"]] if status == 200 else []
        return sum(values) / len(values) if values else None

    def load(self, participant, day, clean, started):
        loader_log.info("Loading %s records for participant=%s", f"{sum(map(len, clean.values())):,}", participant)
        status, _ = self.api.post(f"/participants/{participant}/days", to_day(day, clean))
        if status != 201:
            loader_log.error("❌ load failed participant=%s day=%s source=participants_api status=%s",
                             participant, day, status or "unreachable")
            self.truth.add("ingestion_load_errors_total", status=str(status or "unreachable"))
            return False
        for kind in TYPES:
            loader_log.info("Loaded %s %s records", f"{len(clean[kind]):,}", kind)
            self.truth.add("ingestion_records_total", len(clean[kind]), type=kind)
        seconds = round(time.monotonic() - started, 3)
        loader_log.info("✅ ingest ok participant=%s day=%s took %.3f s", participant, day, seconds)
        self.truth.set("ingestion_last_success_timestamp_seconds", round(time.time(), 3))
        self.truth.observe("ingestion_latency_seconds", seconds)
        return True

    def stall(self):
        """The source goes quiet, and so does the log, until it comes back."""
        started = time.monotonic()
        self.stop.wait(self.stall_seconds)
        if not self.stop.is_set():
            seconds = round(time.monotonic() - started, 1)
            source_log.warning("⚠️ no data from fitbit_api for %.1f s, resumed", seconds)
            self.truth.add("ingestion_stalls_total")
            self.truth.add("ingestion_stalled_seconds_total", seconds)

    def progress(self, position, total):
        percent = 100 * position // total
        bar = "█" * (percent // 10)
        main_log.info("⏳ Progress %3d%% |%-10s| %d/%d", percent, bar, position, total)
        self.truth.set("ingestion_progress_ratio", percent / 100)

    def report(self, index):
        """Read back what a study team looks at each morning."""
        for participant in self.source.participants:
            for part in ("heart-rate", "sleep", "steps"):
                status, _ = self.api.get(f"/participants/{participant}/{part}?days=1")
                if status != 200:
                    report_log.warning("report incomplete participant=%s part=%s status=%d", participant, part, status)
        # The API gave up this route long ago, and nobody told the job.
        status, _ = self.api.post(f"/runs/{index + 1}", {})
        report_log.info("Run summary sent, status=%d", status)

    def finish(self, index, loaded, total, seconds):
        took = round(seconds, 1)
        main_log.info("🏁 Run %d finished in %s: %d ok, %d failed", index + 1, duration(took), loaded, total - loaded)
        self.truth.observe("ingestion_run_duration_seconds", took)


def transform(raw):
    """The lists of records by type. Raises KeyError or ValueError on a malformed day."""
    night = raw["sleep"][0]
    return {
        "heart_rate": [sample["value"] for sample in raw["activities-heart-intraday"]["dataset"]],
        "hrv": [float(entry["value"]["dailyRmssd"]) for entry in raw["hrv"]],
        "sleep": [(night["minutesAsleep"], night["timeInBed"])],
        "steps": [int(sample["value"]) for sample in raw["activities-steps-intraday"]["dataset"]],
    }


def to_day(day, clean):
    asleep, in_bed = clean["sleep"][0]
    return {
        "day": str(day),
        "heart_rate": clean["heart_rate"],
        "rmssd_ms": clean["hrv"][0] if clean["hrv"] else None,
        "asleep_minutes": asleep,
        "in_bed_minutes": in_bed,
        "steps": sum(clean["steps"]),
    }


def duration(seconds):
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}m{rest:.1f}s" if minutes else f"{rest:.1f}s"


def set_up_logging(directory, max_bytes):
    os.makedirs(directory, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        os.path.join(directory, "ingest.log"), maxBytes=max_bytes, backupCount=5, encoding="utf-8")
    formatter = logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--api", default="http://127.0.0.1:8000", metavar="URL")
    parser.add_argument("--log-dir", default=".", metavar="DIR")
    parser.add_argument("--log-bytes", type=int, default=1 << 20, metavar="N", help="rotate ingest.log at this size")
    parser.add_argument("--seed", default="42", help="the same seed gives the same days and faults")
    parser.add_argument("--participants", type=int, default=12, metavar="N")
    parser.add_argument("--days", type=int, metavar="N", help="stop after this many days (default: never)")
    parser.add_argument("--interval", type=float, default=5, metavar="SECONDS", help="between two days")
    parser.add_argument("--stall", type=float, default=20, metavar="SECONDS", help="how long a stalled run is quiet")
    parser.add_argument("--outage", metavar="FILE", help="while it is there, the source answers with the HTTP status in it")
    parser.add_argument("--truth", metavar="FILE", help="JSON file for what really happened, replaced after each day")
    return parser.parse_args()


def main():
    args = parse_arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    set_up_logging(args.log_dir, args.log_bytes)
    ingest = Ingest(args, stop)
    if not ingest.api.wait(stop, 30) and not stop.is_set():
        main_log.critical("participants_api at %s does not answer, giving up", args.api)
        return 1
    index = 0
    while not stop.is_set() and index != args.days:
        ingest.run(index)
        ingest.truth.save()
        index += 1
        if index != args.days:
            stop.wait(args.interval)
    main_log.info("👋 Stopped after %d runs", index)
    return 0


if __name__ == "__main__":
    sys.exit(main())
