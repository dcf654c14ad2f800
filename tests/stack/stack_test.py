#!/usr/bin/python3
"""docker-compose.yml, run for real: the last line is `N passed, N failed`.

    stack_test.py [--cache DIR] [--keep]

The Dockerfile is built, the stack comes up with nothing set, then with receivers and the example pipeline; a fault becomes a
mail and a post; logtally is killed and counts on; and nothing of it is left on the machine.  Images that would be pulled are built from
Debian's packages (standins/).  Where no Docker daemon can be started it says NOT TESTED, why, and ends with status 0.
--cache: keep the images there, for the next time.  --keep: wait for Enter before all is taken down.
"""

import argparse
import contextlib
import json
import os
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from containers import HERE, PATH, TOP, Docker, Unavailable, succeeded

sys.path.insert(0, TOP + "/tests/scenarios")
from harness import fetch, parse, wait_for  # noqa: E402
from stack import each_second, read  # noqa: E402

import yaml  # noqa: E402

ALWAYS = {"metrics", "prometheus", "alertmanager", "grafana", "node-exporter"}
DEMO = {"api", "pipeline"}
PORTS = {"api": 8000, "metrics": 8001, "prometheus": 9090, "alertmanager": 9093, "grafana": 3000, "node-exporter": 9100}
IMAGES = {"prometheus", "alertmanager", "node-exporter", "grafana"}
GROUP = 4242
DEADLINE = 120
# The daemon's own counters that are of its process: they begin at 0 with it. All others go on.
OF_THE_PROCESS = ("process_", "logtally_commit_", "logtally_series_", "logtally_watch_")

# Two rules that do not wait, beside those of the stack.
RULES = """
groups:
  - name: stack-test
    rules:
      - alert: StackTestApiMissing
        expr: up{job="api"} == 0
        labels: {severity: ticket, service: api}
        annotations: {summary: no API, description: none, runbook_url: 'http://runbook/', dashboard: /d/api}
      - alert: StackTestIngestFails
        expr: sum by (job) (ingestion_errors_total{job="custom-metrics"}) > 0
        labels: {severity: page, service: pipeline}
        annotations: {summary: ingest fails, description: '{{ $value }} failed', runbook_url: 'http://runbook/', dashboard: /d/p}
"""


class Claims:
    """What the test says, counted as it turns out."""

    def __init__(self):
        self.passed = self.failed = 0
        self.started = time.monotonic()

    def check(self, claim, call):
        try:
            call()
        except Exception:  # a claim that fails does not stop the others
            self.failed += 1
            print(f"FAIL  {claim}\n{traceback.format_exc()}", flush=True)
        else:
            self.passed += 1
            print(f"ok    {claim} ({time.monotonic() - self.started:.0f} s)", flush=True)


class Stack:
    def __init__(self, docker, work):
        self.docker = docker
        self.work = work
        *ports, self.sink = lasting_ports(len(PORTS) + 1)
        self.ports = dict(zip(PORTS, ports))
        self.secrets = {name: secrets.token_urlsafe(12) for name in ("SMTP_PASSWORD", "WEBHOOK_TOKEN", "SLACK", "PAGERDUTY", "grafana")}
        # The environment goes before .env: the ports are those that are free.
        self.settings = {name.upper().replace("-", "_") + "_PORT": str(port) for name, port in self.ports.items()}
        self.settings["SINK_PORT"] = str(self.sink)

    def compose(self, *arguments):
        return self.docker.compose(*arguments, settings=self.settings)

    def url(self, service, path):
        return f"http://127.0.0.1:{self.ports[service]}{path}"

    def get(self, service, path):
        status, text = fetch(self.url(service, path))
        assert status == 200, (service, path, status, text)
        return text

    def query(self, expression):
        from urllib.parse import quote
        return json.loads(self.get("prometheus", "/api/v1/query?query=" + quote(expression)))["data"]["result"]

    def containers(self):
        """What docker inspect says, by service."""
        ids = self.docker.docker("ps", "-aq", "--filter", "label=com.docker.compose.project=stack").split()
        if not ids:
            return {}
        found = json.loads(self.docker.docker("inspect", *ids))
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in found}

    # What is prepared

    def build(self):
        def standin(name):
            image = self.images().get(name, "logtally-sink:local")
            self.docker.docker("build", "-q", "--network", "host", "--target", name, "-t", image, HERE + "/standins")

        def programs():
            self.docker.docker("build", "-q", "--network", "host", "--target", "programs", HERE + "/standins")
            for name in (*sorted(IMAGES), "sink"):
                standin(name)

        with ThreadPoolExecutor() as pool:
            jobs = [pool.submit(programs), pool.submit(self.compose, "--profile", "demo", "build", "metrics"),
                    pool.submit(self.compose, "--profile", "demo", "build", "api")]
            for job in jobs:
                job.result()

    @staticmethod
    def images():
        services = yaml.safe_load(open(TOP + "/docker-compose.yml"))["services"]
        return {name: services[name]["image"] for name in IMAGES}

    def configure(self):
        """The stack's own prometheus.yml and rules, but each second; the receivers; a certificate for the mail."""
        self.write("prometheus.yml", each_second(read(TOP + "/examples/stack/prometheus/prometheus.yml")))
        shutil.copytree(TOP + "/examples/stack/rules", self.work + "/rules")
        self.write("rules/stack-test.yml", RULES)
        os.mkdir(self.work + "/tls")
        for arguments in (
                "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE",
                "req -newkey rsa:2048 -nodes -subj /CN=sink -keyout mail.key -out mail.csr",
                "x509 -req -in mail.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out mail.pem"):
            self.write("tls/names", "subjectAltName=DNS:sink\n")
            succeeded(subprocess.run(["openssl", *arguments.split()], cwd=self.work + "/tls", text=True, capture_output=True))
        os.chmod(self.work + "/tls/mail.key", 0o644)
        accepts = ("SMTP_PASSWORD", "WEBHOOK_TOKEN", "SLACK", "PAGERDUTY")
        self.write("tls/accepts", " ".join(("stack", *(self.secrets[name] for name in accepts))))
        self.secret("grafana-password", self.secrets["grafana"])
        self.secret("env", "\n".join((
            f"ENV_FILE={self.work}/env", f"ENV_GID={GROUP}", f"GRAFANA_PASSWORD_FILE={self.work}/grafana-password",
            "MAIL_TO=team@example.org", "SMTP_HOST=sink:5870", "SMTP_USER=stack", "SMTP_CA_FILE=/run/mail-ca.pem",
            f"SMTP_PASSWORD='{self.secrets['SMTP_PASSWORD']}'", "WEBHOOK_URL=http://sink:8080/alerts",
            f"WEBHOOK_TOKEN={self.secrets['WEBHOOK_TOKEN']}", f"SLACK_WEBHOOK_URL=http://sink:8080/slack/{self.secrets['SLACK']}",
            f"PAGERDUTY_ROUTING_KEY={self.secrets['PAGERDUTY']}", "PAGERDUTY_URL=http://sink:8080/pagerduty", "")))

    def write(self, name, text):
        with open(f"{self.work}/{name}", "w") as f:
            f.write(text)
        os.chmod(f"{self.work}/{name}", 0o644)

    def secret(self, name, text):
        """As .env.example advises: for its owner and a group."""
        self.write(name, text)
        os.chown(f"{self.work}/{name}", 0, GROUP)
        os.chmod(f"{self.work}/{name}", 0o640)

    # The claims

    def nothing_set_comes_up_healthy(self):
        self.compose("up", "-d")
        self.healthy(ALWAYS)

    def all_set_comes_up_healthy(self):
        self.compose("--env-file", self.work + "/env", "--profile", "demo", "up", "-d")
        self.healthy(ALWAYS | DEMO)

    def healthy(self, services):
        def states():
            self.states = {name: each["State"].get("Health", {}).get("Status") for name, each in self.containers().items()}
            return all(self.states.get(name) == "healthy" for name in services)

        try:
            wait_for("health checks", states, DEADLINE)
        except AssertionError:
            raise AssertionError(f"{self.states}\n{self.compose('logs', '--tail', '20', *services)}") from None
        for name in services & PORTS.keys():
            fetch(self.url(name, "/"))

    def alerts_are_seen(self):
        def names():
            return {alert["labels"]["alertname"] for alert in json.loads(self.get("alertmanager", "/api/v2/alerts"))}

        wait_for("an alert in Alertmanager", lambda: "StackTestApiMissing" in names(), DEADLINE)

    def who_is_told(self, all_ways):
        """Alertmanager runs with a good configuration, in which exactly what is set has joined, and nothing is blank."""
        made = "/run/alertmanager/alertmanager.yml"
        alertmanager = self.containers()["alertmanager"]["Id"]
        self.docker.docker("exec", alertmanager, "amtool", "check-config", made)
        receivers = yaml.safe_load(self.docker.docker("exec", alertmanager, "cat", made))["receivers"]
        joined = {each["name"]: {key.removesuffix("_configs") for key in each} - {"name"} for each in receivers}
        assert joined == {"on-call": all_ways, "operators": all_ways - {"pagerduty"}, "study": all_ways - {"pagerduty"}}, joined
        assert all(leaf not in ("", None) for leaf in leaves(receivers)), receivers

    def grafana_is_provisioned(self, anonymous):
        facts = json.loads(self.get("grafana", "/api/facts"))
        assert facts["anonymous"] == anonymous, facts
        assert len(facts["dashboards"]) == len(os.listdir(TOP + "/examples/stack/grafana/dashboards")), facts
        assert "http://prometheus:9090" in facts["datasources"], facts

    def targets_are_up(self):
        def up():
            self.up = {each["metric"]["job"]: each["value"][1] for each in self.query("up")}
            return set(self.up.values()) == {"1"} and {"api", "custom-metrics", "node", "prometheus", "alertmanager"} <= self.up.keys()

        try:
            wait_for("targets", up, DEADLINE)
        except AssertionError:
            raise AssertionError(self.up) from None
        wait_for("rules that could be evaluated", lambda: not self.query("prometheus_rule_evaluation_failures_total > 0"))

    def host_is_seen(self):
        for metric in ("node_cpu_seconds_total", "node_memory_MemAvailable_bytes", "node_filesystem_avail_bytes"):
            wait_for(metric, lambda metric=metric: self.query(metric), DEADLINE)

    def people_are_told(self):
        def arrived():
            self.arrived = json.loads(fetch(f"http://127.0.0.1:{self.sink}/")[1])
            return [mail for mail in self.arrived["mails"] if "StackTestIngestFails" in mail["text"]] and all(
                "StackTestIngestFails" in json.dumps(posts) for posts in self.arrived["posts"].values())

        try:
            mails = wait_for("a mail and posts", arrived, DEADLINE) and self.arrived["mails"]
        except AssertionError:
            raise AssertionError(f"{self.arrived}\n{self.compose('logs', '--tail', '30', 'alertmanager', 'sink')}") from None
        assert all(mail["tls"] and mail["to"] == ["team@example.org"] for mail in mails), mails

    def no_secret_is_shown(self):
        """Not in what Docker and Compose show, not in a log, not in the environment of any process."""
        found = self.containers()
        images = {each["Image"] for each in found.values()}
        shown = {
            "inspect": json.dumps(found) + self.docker.docker("inspect", *images),
            "config": self.compose("--env-file", self.work + "/env", "--profile", "demo", "config"),
            "logs": self.compose("logs"),
            "history": "".join(self.docker.docker("history", "--no-trunc", image) for image in images),
            "environment": "".join(open(f"/proc/{each['State']['Pid']}/environ", errors="replace").read() for each in found.values()),
            "arguments": "".join(open(f"/proc/{each['State']['Pid']}/cmdline", errors="replace").read() for each in found.values()),
        }
        for where, text in shown.items():
            assert len(text) > 100, where
            for name, secret in self.secrets.items():
                assert secret not in text, f"{name} is shown by {where}"
        with open(self.docker.data + "/volumes/stack_grafana/_data/password") as f:
            assert f.read() == self.secrets["grafana"], "Grafana has another password"

    def containers_are_confined(self):
        for name, each in self.containers().items():
            if name == "sink":
                continue
            host = each["HostConfig"]
            assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["Privileged"], name
            assert host["Memory"] and host["PidsLimit"], name
            with open(f"/proc/{each['State']['Pid']}/status") as f:
                status = dict(line.strip().split(":\t", 1) for line in f if ":\t" in line)
            assert status["Uid"].split()[0] != "0", (name, status["Uid"])
            assert int(status["CapEff"], 16) == 0 and status["NoNewPrivs"] == "1", (name, status)
            ports = [binding["HostIp"] for bindings in (host["PortBindings"] or {}).values() for binding in bindings]
            assert set(ports) <= {"127.0.0.1"}, (name, ports)

    def image_is_small_and_hard(self):
        image = json.loads(self.docker.docker("inspect", "logtally:local"))[0]
        assert image["Size"] < 40e6, image["Size"]
        config = image["Config"]
        assert config["User"] == "65532:65532" and config["Healthcheck"] and "/var/lib/logtally" in config["Volumes"], config
        binary = self.work + "/logtally"
        self.docker.docker("cp", self.containers()["metrics"]["Id"] + ":/usr/bin/logtally", binary)
        seen = succeeded(subprocess.run(["readelf", "-W", "-h", "-d", "--dyn-syms", binary], text=True, capture_output=True))
        for sign in ("DYN (Position-Independent", "BIND_NOW", "__stack_chk_fail", "_chk@GLIBC"):
            assert sign in seen, f"no {sign} in the program"
        assert self.docker.docker("run", "--rm", "--network", "none", "logtally:local", "test", "/etc/logtally/patterns").endswith(" 0 failed\n")

    def kill_loses_nothing(self):
        def counters():
            samples = parse(self.get("metrics", "/metrics"))
            return {key: value for key, value in samples.items() if counts_on(key[0])}

        # Without its state it would begin with the log that is there now, and know nothing of those that were rotated.
        wait_for("a rotation", lambda: sum(v for key, v in counters().items() if key[0] == "logtally_rotations_total") >= 2, DEADLINE)
        before = counters()
        assert sum(value for key, value in before.items() if key[0] == "ingestion_records_total") > 0
        killed = self.containers()["metrics"]
        os.kill(killed["State"]["Pid"], signal.SIGKILL)
        wait_for("the restart", lambda: self.containers()["metrics"]["RestartCount"] > killed["RestartCount"], DEADLINE)
        self.healthy({"metrics"})
        wait_for("lines after the restart", lambda: counters().get(("logtally_lines_total", ()), 1) > before.get(("logtally_lines_total", ()), 0))
        after = counters()
        back = {key: (value, after.get(key)) for key, value in before.items() if not after.get(key, -1) >= value}
        assert not back, back
        seen = [each for each in self.query("{job='custom-metrics'}[10m]") if counts_on(each["metric"]["__name__"])]
        assert len(seen) > 50, seen
        for each in seen:
            values = [float(value) for _, value in each["values"]]
            assert values == sorted(values), each

    def counts_are_the_truth(self):
        """The pipeline notes what it really did: once it has stopped, logtally's counters are the same."""
        self.compose("--profile", "demo", "stop", "pipeline")
        self.compose("--profile", "demo", "stop", "api")
        truth = {}
        for service, name in (("pipeline", "truth-ingest.json"), ("api", "truth-api.json")):
            self.docker.docker("cp", f"{self.containers()[service]['Id']}:/data/{name}", self.work + "/truth.json")
            with open(self.work + "/truth.json") as f:
                truth.update(json.load(f))
        expected = {(name, tuple(sorted(entry["labels"].items()))): entry["value"]
                    for name, entries in truth.items() if name.endswith(("_total", "_count")) for entry in entries}
        assert len(expected) > 20, expected

        def differences():
            counted = parse(self.get("metrics", "/metrics"))
            self.wrong = {key: (value, counted.get(key)) for key, value in expected.items() if abs((counted.get(key) or 0) - value) > 1e-6}
            return not self.wrong

        try:
            wait_for("the true counts", differences, 30)
        except AssertionError:
            raise AssertionError(f"(true, counted): {self.wrong}") from None

    def down_leaves_nothing(self):
        self.docker.compose_down(self.settings)
        left = self.docker.docker("ps", "-aq") + self.docker.docker("volume", "ls", "-q")
        left += " ".join(self.docker.networks())
        assert not left.split(), left


def leaves(node):
    if isinstance(node, (dict, list)):
        for each in node.values() if isinstance(node, dict) else node:
            yield from leaves(each)
    else:
        yield node


def counts_on(name):
    return name.endswith(("_total", "_count", "_sum", "_bucket")) and not name.startswith(OF_THE_PROCESS)


def lasting_ports(count):
    """Free ports that no outgoing connection will take: they are published again after each restart."""
    found = []
    for port in random.sample(range(20000, 32000), 1000):
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


def machine():
    """What a Docker daemon might leave behind."""
    rules = subprocess.run(["iptables-save"], env=dict(os.environ, PATH=PATH), text=True, capture_output=True).stdout
    links = re.findall(r"^\d+: ([^:@]+)", subprocess.run(["ip", "-o", "link"], text=True, capture_output=True).stdout, re.M)
    with open("/proc/mounts") as mounts, open("/proc/sys/net/ipv4/ip_forward") as forward:
        return {"iptables": re.sub(r"(?m)^#.*\n|\[\d+:\d+\]", "", rules), "links": sorted(links),
                "mounts": [line for line in mounts if "docker" in line or "/stack-test-" in line], "forwarding": forward.read()}


def claims_of(stack, claims, keep):
    check = claims.check
    check("with nothing set it comes up, and every service is healthy", stack.nothing_set_comes_up_healthy)
    check("alerts are seen in Alertmanager", stack.alerts_are_seen)
    check("Grafana has its data sources and dashboards, and lets look", lambda: stack.grafana_is_provisioned("true"))
    check("with nothing set no receiver has a way", lambda: stack.who_is_told(set()))
    check("with receivers and the example pipeline it comes up healthy", stack.all_set_comes_up_healthy)
    check("each way joins whose variables are set", lambda: stack.who_is_told({"email", "slack", "pagerduty", "webhook"}))
    check("Grafana asks for the password that was set later", lambda: stack.grafana_is_provisioned("false"))
    check("Prometheus scrapes all five jobs", stack.targets_are_up)
    check("the node exporter sees the host", stack.host_is_seen)
    check("a failing ingest is told by mail, Slack, PagerDuty and webhook", stack.people_are_told)
    check("no secret is shown by Docker, Compose, a log or an environment", stack.no_secret_is_shown)
    check("containers run read-only, without root and capabilities, on loopback", stack.containers_are_confined)
    check("the image is small, hardened, and carries patterns that pass", stack.image_is_small_and_hard)
    check("after kill -9 no counter has gone back", stack.kill_loses_nothing)
    check("what was counted is what happened", stack.counts_are_the_truth)
    if keep:
        input(f"kept: DOCKER_HOST={stack.docker.env['DOCKER_HOST']} {stack.ports}; Enter ends it ")
    check("down -v leaves no container, volume or network", stack.down_leaves_nothing)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", metavar="DIR")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    claims = Claims()
    before = machine() if shutil.which("iptables", path=PATH) else None
    work = tempfile.mkdtemp(prefix="stack-test-")
    os.chmod(work, 0o755)
    try:
        with Docker(work, options.cache and os.path.abspath(options.cache)) as docker:
            docker.import_base()
            print(f"a base ({time.monotonic() - claims.started:.0f} s)", flush=True)
            stack = Stack(docker, work)
            stack.configure()
            stack.build()
            print(f"built ({time.monotonic() - claims.started:.0f} s)", flush=True)
            with contextlib.ExitStack() as at_end:
                at_end.callback(docker.compose_down, stack.settings)
                claims_of(stack, claims, options.keep)
    except Unavailable as reason:
        print(f"NOT TESTED: the stack in containers: {reason}")
        return 0
    finally:
        shutil.rmtree(work, ignore_errors=True)

    def nothing_is_left():
        after = machine()
        assert after == before, (before, after)

    claims.check("nothing is left on the machine", nothing_is_left)
    print(f"{claims.passed} passed, {claims.failed} failed")
    return 1 if claims.failed else 0


if __name__ == "__main__":
    sys.exit(main())
