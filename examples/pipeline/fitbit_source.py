"""A stand-in for the Fitbit Web API: synthetic days, and the ways it fails.

Everything follows from the seed, the participant and the day, so two runs with
the same seed see the same data and the same faults. A day is told in the Web
API's own shapes, odd ones included (step counts are strings there).
"""

import os
import random
import time
from datetime import date, timedelta

FIRST_DAY = date(2026, 1, 1)

# How many of 100 participant-days meet each fault.
FAULTS = {429: 6, 500: 2, 502: 2, 503: 3, "malformed": 3}
STALLED_DAYS_IN_100 = 15


class SourceError(Exception):
    """The source answered with an HTTP status that is not 200."""

    def __init__(self, status):
        super().__init__(f"fitbit_api answered {status}")
        self.status = status


class FitbitSource:
    def __init__(self, seed, participants, outage=None):
        """`outage`: a file; while it is there, every request is answered with the HTTP status in it."""
        self._outage = outage
        self.participants = [f"p{number:03d}" for number in range(1, participants + 1)]
        self._seed = seed

    def day(self, index):
        return FIRST_DAY + timedelta(days=index)

    def stall_at(self, day):
        """Before which participant the source falls silent that day, or None."""
        dice = self._dice("stall", day)
        stalled = dice.random() * 100 < STALLED_DAYS_IN_100
        return dice.choice(self.participants) if stalled else None

    def fetch(self, participant, day, attempt):
        """The raw day. Raises SourceError on the first attempts of a bad day, or on all."""
        dice = self._dice(participant, day)
        time.sleep(min(0.5, dice.lognormvariate(-3.5, 0.8)))
        if self._outage and os.path.exists(self._outage):
            raise SourceError(self._outage_status())
        fault, bad_attempts = self._fault(dice)
        if fault in (429, 500, 502, 503) and attempt <= bad_attempts:
            raise SourceError(fault)
        raw = self._raw_day(self._dice("day", participant, day), participant, day)
        if fault == "malformed":
            self._damage(dice, raw)
        return raw

    def _outage_status(self):
        try:
            with open(self._outage, encoding="ascii") as file:
                return int(file.read())
        except (OSError, ValueError):
            return 503

    def _dice(self, *parts):
        return random.Random("/".join(map(str, (self._seed, *parts))))

    def _fault(self, dice):
        roll = dice.random() * 100
        for fault, share in FAULTS.items():
            if roll < share:
                return fault, dice.randint(1, 4)
            roll -= share
        return None, 0

    def _raw_day(self, dice, participant, day):
        on_charger = dice.random() < 0.04
        in_bed = 0 if on_charger else dice.randint(380, 560)
        return {
            "activities-heart-intraday": {"dataset": self._heart_rate(dice, on_charger)},
            "hrv": [{"dateTime": str(day), "value": {"dailyRmssd": self._rmssd(dice, participant)}}],
            "sleep": [{"minutesAsleep": int(in_bed * dice.uniform(0.8, 0.95)), "timeInBed": in_bed}],
            "activities-steps-intraday": {"dataset": self._steps(dice)},
        }

    def _heart_rate(self, dice, on_charger):
        """One value a minute, less the time the tracker was not worn."""
        unworn = set(range(120, 420)) if on_charger else set()
        if dice.random() < 0.3:
            start = dice.randrange(1300)
            unworn.update(range(start, start + dice.randint(15, 120)))
        resting = dice.randint(52, 68)
        return [
            {"time": f"{minute // 60:02d}:{minute % 60:02d}:00",
             "value": int(resting + max(0, dice.gauss(25 if 420 < minute < 1320 else 2, 6)))}
            for minute in range(1440) if minute not in unworn
        ]

    def _rmssd(self, dice, participant):
        """In ms: mostly near the participant's own level, at times low, or a sensor's nonsense."""
        usual = self._dice("level", participant).uniform(28, 75)
        roll = dice.random()
        if roll < 0.04:
            return dice.choice([0.0, 1.7, 318.4, 612.9])
        if roll < 0.12:
            return round(usual * dice.uniform(0.3, 0.5), 1)
        return round(usual * dice.uniform(0.85, 1.15), 1)

    def _steps(self, dice):
        return [
            {"time": f"{hour:02d}:00:00",
             "value": str(int(dice.expovariate(1 / 700)) if 7 <= hour < 22 else 0)}
            for hour in range(24)
        ]

    def _damage(self, dice, raw):
        if dice.random() < 0.5:
            raw["hrv"][0]["value"] = {}
        else:
            raw["activities-steps-intraday"]["dataset"][9]["value"] = "--"
