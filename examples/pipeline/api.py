#!/usr/bin/python3
"""Participants' heart rate, HRV, sleep and steps over HTTP, out of SQLite.

Everything goes to one rotating file, api.log: uvicorn's lines in uvicorn's own
shape, and a line with the duration of each request in the shape most
services give theirs.
"""

import argparse
import logging
import logging.config
import os
import sqlite3
import time
from contextlib import closing
from datetime import date, timedelta
from typing import List, Optional
from urllib.parse import quote

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from truth import Truth

KEEP_DAYS = 90
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS days (
    participant TEXT NOT NULL,
    day TEXT NOT NULL,
    heart_rate BLOB NOT NULL,      -- one byte a sample, beats per minute
    rmssd_ms REAL,                 -- NULL: no usable night
    asleep_minutes INTEGER NOT NULL,
    in_bed_minutes INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    PRIMARY KEY (participant, day)
);
"""

access_log = logging.getLogger("api.access")
router = APIRouter()


class Day(BaseModel):
    day: date
    heart_rate: List[int]
    rmssd_ms: Optional[float]
    asleep_minutes: int
    in_bed_minutes: int
    steps: int


def database(request: Request):
    # Opened, used and closed in whichever threads the framework picks, one after the other.
    path = request.app.state.database
    with closing(sqlite3.connect(path, check_same_thread=False)) as db:
        db.row_factory = sqlite3.Row
        yield db


def last_days(db, participant, days):
    rows = db.execute(
        "SELECT * FROM days WHERE participant = ? ORDER BY day DESC LIMIT ?", (participant, days)
    ).fetchall()
    if not rows:
        raise HTTPException(404, f"no participant {participant}")
    return rows


@router.get("/healthz")
def healthz():
    return {"service": "participants", "status": "ok"}


# What no log tells: what the database holds. Requests and their durations are counted from the log.
METRICS = """\
# HELP participants_stored Participants that have at least one day.
# TYPE participants_stored gauge
participants_stored {participants}
# HELP participant_days_stored Participants' days in the database.
# TYPE participant_days_stored gauge
participant_days_stored {days}
"""


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(db=Depends(database)):
    row = db.execute("SELECT count(DISTINCT participant) AS participants, count(*) AS days FROM days").fetchone()
    return PlainTextResponse(METRICS.format(**row), media_type="text/plain; version=0.0.4")


@router.get("/participants")
def participants(db=Depends(database)):
    rows = db.execute("SELECT participant, count(*) AS days FROM days GROUP BY participant")
    return [dict(row) for row in rows]


@router.get("/participants/{participant}")
def participant_summary(participant: str, db=Depends(database)):
    row = last_days(db, participant, 1)[0]
    return {"participant": participant, "last_day": row["day"], "steps": row["steps"]}


@router.get("/participants/{participant}/heart-rate")
def heart_rate(participant: str, days: int = 1, db=Depends(database)):
    return [{"day": row["day"], "bpm": list(row["heart_rate"])} for row in last_days(db, participant, days)]


@router.get("/participants/{participant}/hrv")
def hrv(participant: str, days: int = 7, db=Depends(database)):
    return [{"day": row["day"], "rmssd_ms": row["rmssd_ms"]} for row in last_days(db, participant, days)]


@router.get("/participants/{participant}/sleep")
def sleep(participant: str, days: int = 1, db=Depends(database)):
    # A night that the tracker spent on its charger has no time in bed, and this division raises:
    # the kind of bug that leaves a traceback in the log, and the reason this handler is here.
    return [
        {"day": row["day"], "efficiency": round(row["asleep_minutes"] / row["in_bed_minutes"], 2)}
        for row in last_days(db, participant, days)
    ]


@router.get("/participants/{participant}/steps")
def steps(participant: str, days: int = 1, db=Depends(database)):
    return [{"day": row["day"], "steps": row["steps"]} for row in last_days(db, participant, days)]


@router.post("/participants/{participant}/days", status_code=201)
def store_day(participant: str, day: Day, db=Depends(database)):
    with db:
        db.execute(
            "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?, ?, ?)",
            (participant, str(day.day), bytes(day.heart_rate), day.rmssd_ms,
             day.asleep_minutes, day.in_bed_minutes, day.steps),
        )
        db.execute("DELETE FROM days WHERE day < ?", (str(day.day - timedelta(days=KEEP_DAYS)),))
    return {"participant": participant, "day": day.day}


class AccessTimes:
    """Logs how long each request took, and tells the truth about it."""

    def __init__(self, app, truth):
        self.app = app
        self.truth = truth

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500  # what the server answers when the handler raises

        async def note_status(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        except Exception:
            self.truth.add("api_unhandled_exceptions_total")
            raise
        finally:
            self.record(scope, status, round((time.perf_counter() - started) * 1000, 1))

    def record(self, scope, status, ms):
        # Quoted again: a %0A in a path must not write lines of its own into the log.
        access_log.info("%s %s %d in %.1f ms", scope["method"], quote(scope["path"]), status, ms)
        labels = {
            "method": scope["method"] if scope["method"] in METHODS else "other",
            "route": template(scope.get("route")),
        }
        self.truth.add("api_requests_total", status=str(status), **labels)
        self.truth.observe("api_request_duration_seconds", ms / 1000, **labels)
        self.truth.save()


def template(route):
    """The route as it was declared, with :id for its parameter."""
    return route.path.replace("{participant}", ":id") if route else "other"


class LineShapes(logging.Formatter):
    """Three shapes in one file: uvicorn's two, and that of everything else."""

    def __init__(self):
        super().__init__()
        access = '%(levelprefix)s %(client_addr)s - "%(request_line)s" %(status_code)s'
        own = logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s")
        own.converter = time.gmtime
        self._own = own
        self._access = uvicorn.logging.AccessFormatter(access, use_colors=False)
        self._server = uvicorn.logging.DefaultFormatter("%(levelprefix)s %(message)s", use_colors=False)

    def format(self, record):
        if record.name == "uvicorn.access":
            return self._access.format(record)
        if record.name.startswith("uvicorn"):
            return self._server.format(record)
        return self._own.format(record)


def log_config(path, max_bytes):
    to_file = {"handlers": ["file"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"shapes": {"()": LineShapes}},
        "handlers": {
            "file": {
                "class": "logging.handlers.RotatingFileHandler",
                "formatter": "shapes",
                "filename": path,
                "maxBytes": max_bytes,
                "backupCount": 5,
                "encoding": "utf-8",
            }
        },
        "loggers": {"uvicorn": to_file, "uvicorn.access": to_file, "api": to_file},
    }


def create_app(database_path, truth):
    with closing(sqlite3.connect(database_path)) as db:
        db.executescript(SCHEMA)
    app = FastAPI(title="Participants", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.database = database_path
    app.include_router(router)
    app.add_middleware(AccessTimes, truth=truth)
    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--log-dir", default=".")
    parser.add_argument("--log-bytes", type=int, default=1 << 20, help="rotate api.log at this size")
    parser.add_argument("--database", default="participants.db")
    parser.add_argument("--truth", help="JSON file for what really happened, replaced after each request")
    args = parser.parse_args()
    os.makedirs(args.log_dir, exist_ok=True)
    truth = Truth(args.truth)
    truth.add("api_starts_total")
    truth.save()
    uvicorn.run(
        create_app(args.database, truth),
        host=args.host,
        port=args.port,
        log_config=log_config(os.path.join(args.log_dir, "api.log"), args.log_bytes),
    )


if __name__ == "__main__":
    main()
