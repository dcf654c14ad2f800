"""The files of examples/stack, for tests that check and run them."""

import glob
import json
import os
import re
import shutil

import yaml

from harness import TOP

STACK = TOP + "/examples/stack"
RULES = STACK + "/rules"
RUNBOOK = TOP + "/docs/runbook.md"


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def load(path):
    return yaml.safe_load(read(path))


def rule_files():
    return sorted(glob.glob(RULES + "/*.yml"))


def rules(key):
    """The rules that have `key` ("alert" or "record"), of all files."""
    return [rule for path in rule_files() for group in load(path)["groups"] for rule in group["rules"] if key in rule]


def rule_tests():
    """(file, test group) of all promtool tests."""
    return [(os.path.basename(path), group) for path in sorted(glob.glob(RULES + "/tests/*.yml"))
            for group in load(path)["tests"]]


def runbook_anchors():
    """What GitHub makes of the runbook's headings."""
    headings = re.findall(r"^#+ (.+)$", read(RUNBOOK), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def outside_the_container(path, directory):
    """A prometheus.yml whose /etc/prometheus is `directory`, which gets the rules; returns its path there."""
    shutil.copytree(RULES, directory + "/rules", ignore=shutil.ignore_patterns("tests"))
    if os.path.isdir(os.path.dirname(path) + "/targets"):
        shutil.copytree(os.path.dirname(path) + "/targets", directory + "/targets")
    mapped = directory + "/prometheus.yml"
    with open(mapped, "w", encoding="utf-8") as f:
        f.write(read(path).replace("/etc/prometheus/", directory + "/"))
    return mapped


def each_second(prometheus):
    """prometheus.yml, but that it scrapes and evaluates each second."""
    return re.sub(r"(scrape_interval|scrape_timeout|evaluation_interval): \d+s", r"\1: 1s", prometheus)


def alertmanager_at_once(directory):
    """Alertmanager's files in `directory`, but that it tells at once."""
    shutil.copytree(STACK + "/alertmanager", directory)
    text = re.sub(r"group_wait: \d+s", "group_wait: 0s", read(directory + "/alertmanager.yml"))
    with open(directory + "/alertmanager.yml", "w", encoding="utf-8") as f:
        f.write(re.sub(r"group_interval: \d+m", "group_interval: 1s", text))


def dashboards():
    """{file name: dashboard} of Grafana's."""
    found = {}
    for path in sorted(glob.glob(STACK + "/grafana/dashboards/*.json")):
        found[os.path.basename(path)] = json.loads(read(path))
    return found


def expressions(dashboard):
    """(where, expression) of all panels and annotations, with Grafana's variables as it would fill them in."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"{dashboard['title']}: {panel['title']}: {target['refId']}", filled_in(target["expr"])
    for annotation in dashboard["annotations"]["list"]:
        yield f"{dashboard['title']}: {annotation['name']}", filled_in(annotation["expr"])


def filled_in(expression):
    return re.sub(r"\$(instance|participant|route)\b", ".*", expression.replace("$__rate_interval", "1m"))
