"""Pattern sets of any size, with the same meaning for logtally and for mtail.

    rules.py --rules N --tool logtally|mtail

Rule 0 reads uvicorn's access log, 1 nginx's, 2 a JSON one, and rule 3+i the i-th
kind of message of a data pipeline (corpus.py writes them): 1 to 4 named
captures each, for counters, gauges and histograms of 12 buckets.  The regular
expressions are the same text for both.
"""

import argparse

BUCKETS = (0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)

SUBJECTS = ("heart_rate", "sleep_stages", "hrv", "spo2", "steps", "calories", "skin_temp", "breathing", "activity", "distance", "floors",
            "weight", "readiness", "stress", "glucose", "ecg", "naps", "workouts", "water", "badges", "devices", "friends", "alarms",
            "profile", "tokens")
STEPS = ("ingest", "upload", "download", "merge", "dedupe", "resample", "backfill", "validate", "export", "rollup", "index", "archive",
         "refresh", "compact", "enqueue", "replicate", "anonymise", "reconcile", "publish", "prune", "import", "normalise", "impute",
         "align", "smooth", "calibrate", "annotate", "aggregate", "notify", "rotate", "verify", "encrypt", "restore", "schedule",
         "throttle", "retry", "split", "join", "score", "digest")


def phrase(event):
    """The words that only this kind of message has."""
    return f"{SUBJECTS[event % len(SUBJECTS)]} {STEPS[event // len(SUBJECTS) % len(STEPS)]}"


class Rule:
    """regex; kind: counter, gauge or histogram; value: a capture or None; labels: captures."""

    def __init__(self, name, regex, kind, metric, value, labels):
        self.name, self.regex, self.kind, self.metric, self.value, self.labels = name, regex, kind, metric, value, labels


ACCESS = (
    Rule("uvicorn", r'INFO: +(?P<client>\S+) - "(?P<method>[A-Z]+) (?P<path>\S+) HTTP/1\.1" (?P<status>\d+)', "counter",
         "uvicorn_requests_total", None, ("method", "status")),
    Rule("nginx", r'^(?P<client>\S+) - - \[[^\]]+\] "(?P<method>[A-Z]+) \S+ HTTP/1\.1" (?P<status>\d+) \d+ "-" "[^"]*" rt=(?P<took>[\d.]+)$',
         "histogram", "nginx_request_ms", "took", ("method", "status")),
    Rule("json", r'"method":"(?P<method>[A-Z]+)","path":"(?P<path>[^"]+)","status":(?P<status>\d+),"duration_ms":(?P<took>[\d.]+)',
         "histogram", "json_request_ms", "took", ("status",)),
)


def event_rule(event):
    words, name = phrase(event), phrase(event).replace(" ", "_")
    if event % 4 == 0:
        return Rule(name, rf"{words} failed participant=(?P<participant>p\d+) source=(?P<source>\S+) status=(?P<status>\d+)", "counter",
                    name + "_failures_total", None, ("source", "status"))
    if event % 4 == 1:
        return Rule(name, rf"{words} finished participant=p\d+ source=(?P<source>\S+) in (?P<ms>[\d.]+) ms", "histogram", name + "_ms", "ms",
                    ("source",))
    if event % 4 == 2:
        return Rule(name, rf"{words} level participant=(?P<participant>p\d+) value=(?P<value>[\d.]+)", "gauge", name + "_level", "value",
                    ("participant",))
    return Rule(name, rf"{words} stored rows=(?P<rows>\d+)", "counter", name + "_rows_total", "rows", ())


def rule_set(count):
    return [*ACCESS, *(event_rule(event) for event in range(count - len(ACCESS)))][:count]


def logtally_yaml(rules):
    lines = ["rules:"]
    for rule in rules:
        lines += [f"  - name: {rule.name}", f"    pattern: '{rule.regex}'", "    metrics:", f"      - {rule.kind}: {rule.metric}"]
        if rule.value:
            lines.append(f"        value: ${rule.value}")
        if rule.labels:
            lines.append("        labels: {" + ", ".join(f"{name}: ${name}" for name in rule.labels) + "}")
        if rule.kind == "histogram":
            lines.append("        buckets: [" + ", ".join(map(str, BUCKETS)) + "]")
    return "\n".join(lines) + "\n"


def mtail_program(rules):
    lines = []
    for rule in rules:
        by = " by " + ", ".join(rule.labels) if rule.labels else ""
        buckets = " buckets " + ", ".join(map(str, BUCKETS)) if rule.kind == "histogram" else ""
        lines.append(f"{rule.kind} {rule.metric}{by}{buckets}")
    for rule in rules:
        target = rule.metric + "".join(f"[${name}]" for name in rule.labels)
        action = {"counter": f"{target} += ${rule.value}" if rule.value else f"{target}++",
                  "gauge": f"{target} = float(${rule.value})",
                  "histogram": f"{target} = float(${rule.value})"}[rule.kind]
        regex = rule.regex.replace("/", r"\/")
        lines.append(f"/{regex}/ {{\n  {action}\n}}")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=20)
    parser.add_argument("--tool", choices=("logtally", "mtail"), default="logtally")
    options = parser.parse_args()
    print({"logtally": logtally_yaml, "mtail": mtail_program}[options.tool](rule_set(options.rules)), end="")


if __name__ == "__main__":
    main()
