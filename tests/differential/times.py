"""Times: what Python's strptime, fromisoformat and zoneinfo say of the same text.

CASES=1000000 SEED=7 tests/differential/times.py asks more, and other, questions; ALL=1 asks for each change of each zone.
"""

import os
import re
import zoneinfo
from datetime import datetime, timedelta, timezone

from peer import CASES, Count, ask, hexed, mutated, rng

EPOCH = datetime(1970, 1, 1)
ZONES = sorted(zoneinfo.available_timezones())
FIRST, LAST = datetime(1970, 1, 2), datetime(2037, 12, 30)


def nanoseconds(when, zone=None):
    """Since 1970; a time without an offset is the zone's, fold=0."""
    if when.tzinfo is None:
        when = when.replace(tzinfo=zone)
    return (when.replace(tzinfo=None) - when.utcoffset() - EPOCH) // timedelta(microseconds=1) * 1000


def question(zone, layout, text, now_ns=0):
    return f"T\t{hexed(zone)}\t{hexed(layout)}\t{now_ns}\t{hexed(text)}"


def some_time(r):
    return FIRST + timedelta(microseconds=r.randrange((LAST - FIRST) // timedelta(microseconds=1)))


# ---- the changes of all zones ----

def changes(zone):
    """Local times at which the offset changes, by search in steps of five days."""
    step, at = timedelta(days=5), datetime(1970, 1, 1, tzinfo=timezone.utc)
    end, found = datetime(2037, 12, 31, tzinfo=timezone.utc), []

    def offset(when):
        return when.astimezone(zone).utcoffset()

    before = offset(at)
    while at < end:
        after = offset(at + step)
        if after != before:
            low, high = at, at + step
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            found += [(high + before).replace(tzinfo=None), (high + after).replace(tzinfo=None)]
        before, at = after, at + step
    return found


def near_changes():
    r = rng("zones")
    zones = ZONES if os.environ.get("ALL") else r.sample(ZONES, 60)
    asked = []
    for name in zones:
        zone = zoneinfo.ZoneInfo(name)
        for change in changes(zone):
            for seconds in (-3601, -1, 0, 1, 1800, 3600, r.randrange(-90000, 90000)):
                asked.append((name, zone, change + timedelta(seconds=seconds)))
        asked += [(name, zone, some_time(r).replace(microsecond=0)) for _ in range(20)]
    answers = ask([question(name, "%Y-%m-%d %H:%M:%S", str(when)) for name, _, when in asked])
    for (name, zone, when), got in zip(asked, answers):
        yield (name, str(when)), str(nanoseconds(when, zone)), got


def both_of_an_hour():
    """An hour that comes twice, told apart by the zone's abbreviation where that is a name."""
    r = rng("folds")
    asked = []
    for name in r.sample(ZONES, 60):
        zone = zoneinfo.ZoneInfo(name)
        for change in changes(zone):
            for fold in (0, 1):
                when = (change + timedelta(seconds=r.randrange(-4000, 4000))).replace(tzinfo=zone, fold=fold)
                other = when.replace(fold=1 - fold)
                gap = when.astimezone(timezone.utc).astimezone(zone).replace(tzinfo=None) != when.replace(tzinfo=None)
                if when.tzname().isalpha() and not gap and (when.tzname() != other.tzname() or when.utcoffset() == other.utcoffset()):
                    asked.append((name, when))
    answers = ask([question(name, "%Y-%m-%d %H:%M:%S %Z", f"{when:%Y-%m-%d %H:%M:%S} {when.tzname()}") for name, when in asked])
    for (name, when), got in zip(asked, answers):
        if when.tzname() in ("UTC", "GMT"):
            continue  # which say more than that
        yield (name, f"{when:%Y-%m-%d %H:%M:%S %Z}"), str(nanoseconds(when)), got


def far_years():
    """Behind the last change in the file the rule in its footer holds."""
    r = rng("far years")
    asked = [(name, when) for name in ZONES for when in (datetime(r.randrange(2038, 2200), r.randrange(1, 13), r.randrange(1, 29), r.randrange(24)) for _ in range(4))]
    answers = ask([question(name, "%Y-%m-%d %H:%M:%S", str(when)) for name, when in asked])
    for (name, when), got in zip(asked, answers):
        yield (name, str(when)), str(nanoseconds(when, zoneinfo.ZoneInfo(name))), got


# ---- layouts ----

DATES = ("%Y-%m-%d", "%d/%b/%Y", "%b %d, %Y", "%d %B %Y", "%y%m%d", "%m/%d/%y", "%Y%m%d", "%Y-%j", "%a %b %d %Y", "%A, %d. %B %Y", "%x", "%w %Y/%m/%d")
TIMES = ("%H:%M:%S", "%H%M%S", "%I:%M:%S %p", "%H:%M", "%I %p", "%X", "%H:%M:%S.%f", "%H:%M:%S,%f")
SEPARATORS = (" ", "T", ":", " - ", "_", " // ", " 100%% ")
ENDS = ("", "", "", "%z", " %z", " %Z", " [%z]")


def some_layout(r):
    if r.random() < 0.05:
        return "%c" + r.choice(("", " %z"))
    return r.choice(DATES) + r.choice(SEPARATORS) + r.choice(TIMES) + r.choice(ENDS)


def as_written(r, when, layout):
    """strftime, in one of the ways that logs have."""
    text = when.strftime(layout.replace("%z", "\1").replace("%Z", "\2").replace("%f", "\3"))
    offset = when.strftime("%z")
    text = text.replace("\1", r.choice((offset, offset[:3] + ":" + offset[3:], "Z" if offset == "+0000" else offset)))
    text = text.replace("\2", r.choice(("UTC", "GMT")))
    text = text.replace("\3", f"{when.microsecond:06}"[:r.randrange(1, 7)])
    return r.choice((str, str, str.upper, str.lower))(text) if "T" not in layout and "%Z" not in layout and "Z" not in text else text


def by_python(text, layout, zone):
    """What strptime says, or None.  Its %Z leaves the time without an offset."""
    try:
        when = datetime.strptime(text, layout)
        if when.tzinfo is None and "%Z" in layout:
            when = when.replace(tzinfo=timezone.utc)
        return str(nanoseconds(when, zone))
    except (ValueError, OverflowError):
        return None


def layouts(with_mistakes):
    r = rng(f"layouts {with_mistakes}")
    asked = []
    while len(asked) < CASES:
        layout, name = some_layout(r), r.choice(ZONES)
        for _ in range(10):
            when = some_time(r).replace(tzinfo=timezone(timedelta(minutes=r.choice((0, 0, 60, -300, 330, 345, r.randrange(-840, 840))))))
            text = as_written(r, when, layout)
            asked.append((name, layout, mutated(r, text, "0123456789:-+ ,.TZabc") if with_mistakes else text))
    answers = ask([question(*case) for case in asked])
    for (name, layout, text), got in zip(asked, answers):
        expected = by_python(text, layout, zoneinfo.ZoneInfo(name))
        if with_mistakes and (expected is None or got == "-"):
            continue  # how strict they are differs: strptime wants a space, logtally a whole fraction
        yield (name, layout, text), expected, got


# ---- ISO 8601 ----

def some_iso(r):
    when = some_time(r)
    date = r.choice(("%Y-%m-%d", "%Y-%m-%d", "%Y%m%d"))
    time = r.choice(("%H:%M:%S", "%H:%M:%S", "%H%M%S", "%H:%M", "%H%M", "%H"))
    text = when.strftime(r.choice((date, date + r.choice("T ") + time, date + r.choice("T ") + time)))
    if text[-2:] == when.strftime("%S") and time.endswith("%S") and len(text) > 12:
        text += r.choice(("", r.choice(".,") + "".join(r.choice("0123456789") for _ in range(r.randrange(1, 10)))))
    if len(text) > 10 and any(c in text for c in "T ") and r.random() < 0.5:
        text += r.choice(("Z", "+00:00", "+02", "-0330", "+05:45", "-11:00"))
    return text


ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})"
                 r"([T ]([0-9]{2}(:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?|[0-9]{2}([0-9]{2}([0-9]{2}([.,][0-9]+)?)?)?)"
                 r"( ?(Z|[+-][0-9]{2}(:?[0-5][0-9])?))?)?", re.A)


def by_fromisoformat(text, name):
    """Python takes more than the standards have, and no space before an offset."""
    if not ISO.fullmatch(text):
        return "-"
    try:
        when = datetime.fromisoformat(re.sub(" ([Z+-])", r"\1", text))
        return str(nanoseconds(when, zoneinfo.ZoneInfo(name))) if 1678 <= when.year <= 2261 else "-"
    except (ValueError, OverflowError):
        return "-"


def iso(with_mistakes):
    r = rng(f"iso {with_mistakes}")
    asked = [(r.choice(ZONES), some_iso(r)) for _ in range(CASES)]
    if with_mistakes:
        asked = [(name, mutated(r, text, "0123456789:-+ ,.TZ")) for name, text in asked]
    answers = ask([question(name, "", text) for name, text in asked])
    for (name, text), got in zip(asked, answers):
        if text[-2:] == "60" or ":60" in text or "60." in text or "60," in text:
            continue  # a leap second
        yield (name, text), by_fromisoformat(text, name), got if got == "-" else str(int(got) // 1000 * 1000)


# ---- no year ----

def latest_year(when, layout, zone, now_ns):
    """The last year in which the text is at most a day ahead, one year after the other."""
    for year in range(2080, 1900, -1):
        try:
            candidate = datetime.strptime(f"{year} {when}", "%Y " + layout)
        except ValueError:
            continue  # 29 February
        ns = nanoseconds(candidate, zone)
        if ns <= now_ns + 86400 * 10 ** 9:
            return str(ns)
    return None


def no_year():
    r = rng("no year")
    asked = []
    for _ in range(CASES // 5):
        name, when = r.choice(ZONES), some_time(r).replace(microsecond=0)
        if r.random() < 0.3:
            when = when.replace(month=r.choice((1, 12, 2, 3)), day=r.choice((1, 28)))
        if r.random() < 0.1:
            when = when.replace(year=r.choice((1972, 2000, 2024)), month=2, day=29)
        now = some_time(r) if r.random() < 0.5 else when + timedelta(seconds=r.randrange(-100000, 100000))
        asked.append((name, "%b %d %H:%M:%S", when.strftime("%b %d %H:%M:%S"), (now - EPOCH) // timedelta(seconds=1) * 10 ** 9))
    answers = ask([question(*case) for case in asked])
    for (name, layout, text, now_ns), got in zip(asked, answers):
        yield (name, text, now_ns), latest_year(text, layout, zoneinfo.ZoneInfo(name), now_ns), got


# ---- epochs ----

def epochs():
    from fractions import Fraction

    r = rng("epochs")
    units = {"epoch": 10 ** 9, "%s": 10 ** 9, "epoch_ms": 10 ** 6, "epoch_us": 1000, "epoch_ns": 1}
    asked = []
    for layout in sorted(units):
        for _ in range(CASES // 5):
            text = r.choice(("", "", "-", "+")) + str(r.randrange(9 * 10 ** 18 // units[layout] // r.choice((1, 10, 10 ** 6))))
            asked.append((layout, text + r.choice(("", "", r.choice(".,") + str(r.randrange(10 ** r.randrange(1, 12)))))))
    answers = ask([question("UTC", *case) for case in asked])
    for (layout, text), got in zip(asked, answers):
        ns = abs(Fraction(text.replace(",", "."))) * units[layout]
        yield (layout, text), str(int(ns) * (-1 if text[0] == "-" else 1)), got


def main():
    count = Count()
    count.test("around the changes of zones", near_changes())
    count.test("hours that come twice", both_of_an_hour())
    count.test("years behind the zone's last change", far_years())
    count.test("layouts", layouts(False))
    count.test("layouts of texts with mistakes", layouts(True))
    count.test("ISO 8601", iso(False))
    count.test("ISO 8601 with mistakes", iso(True))
    count.test("dates without a year", no_year())
    count.test("epochs", epochs())
    count.end()


if __name__ == "__main__":
    main()
