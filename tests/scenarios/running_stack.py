"""The whole stack on this machine: real Prometheus, Alertmanager and node exporter on the real configuration, and the example
pipeline.

What is changed, and only here: names of containers become addresses, and where `hurry` says so times are shortened.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.parse

from harness import Scenario, TOP, fetch, free_port, wait_for
from sinks import HttpSink, MailServer
from stack import STACK, alertmanager_at_once, each_second, outside_the_container, read, rule_files

PROMETHEUS = "localhost"  # its name in prometheus.yml
PARTICIPANTS = [f"p{number:03d}" for number in range(1, 7)]


def hurried(rules):
    """Rules as they are, but that pending lasts a second, windows seconds, and the pipeline is stalled after ten."""
    rules = re.sub(r"\bfor: \d+m", "for: 1s", rules)
    rules = re.sub(r"\binterval: \d+m", "interval: 1s", rules)
    rules = re.sub(r"\[(?:5|10|15)m\]", "[10s]", rules)
    rules = re.sub(r"\[(?:30m|1h|2h|6h)\]", "[20s]", rules)
    rules = rules.replace("vector(15 * 60)", "vector(10)")
    return rules.replace("vector(10 * 60)", "vector(8)")


class Program:
    """A program of the stack, its output in a file."""

    def __init__(self, log, command, **more):
        self.log_path = log
        self.log = open(log, "w", encoding="utf-8")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, **more)

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(timeout=30)
        self.log.close()


class RunningStack(Scenario):
    hurry = True
    soon = 90  # seconds, for whatever is told through rules, Alertmanager and a mail server
    alertmanager, alertmanager_flags = "prometheus-alertmanager", ()

    def setUp(self):
        super().setUp()
        self.ports = {name: free_port() for name in ("api", "metrics", "node-exporter", PROMETHEUS, "alertmanager")}
        self.demo = self.path("demo")
        os.makedirs(self.demo + "/logs")
        self.mail = MailServer(self.top, "ops", "pass'word with $igns")
        self.addCleanup(self.mail.stop)
        self.sink = HttpSink()
        self.addCleanup(self.sink.stop)

    def tearDown(self):
        self.doCleanups()  # what still writes into the directory that is removed
        super().tearDown()

    def program(self, name, command, **more):
        program = Program(self.path(name + ".log"), command, **more)
        self.addCleanup(program.stop)
        return program

    def at(self, name):
        return f"127.0.0.1:{self.ports[name]}"

    # What runs

    def start_pipeline(self):
        python = ["/usr/bin/python3", "-B"]
        code = TOP + "/examples/pipeline"
        logs = ["--log-dir", self.demo + "/logs"]
        self.api = self.program("api", [*python, code + "/api.py", "--port", str(self.ports["api"]), *logs,
                                        "--database", self.demo + "/participants.db"])
        self.ingest = self.program("ingest", [
            *python, code + "/ingest.py", "--api", "http://" + self.at("api"), *logs, "--participants", str(len(PARTICIPANTS)),
            "--interval", "0.2", "--stall", "1", "--outage", self.demo + "/outage"])

    def start_prometheus(self):
        directory = self.path("prometheus")
        os.mkdir(directory)
        configuration = outside_the_container(STACK + "/prometheus/prometheus.yml", directory)
        # Paths as they are seen from there: they stand on the page of the alerts.
        text = read(configuration).replace(directory + "/", "")
        for name in self.ports:
            text = re.sub(rf"'{name}:\d+'", f"'{self.at(name)}'", text)
        if self.hurry:
            text = each_second(text)
            for path in rule_files():
                copy = f"{directory}/rules/{os.path.basename(path)}"
                self.write(copy, hurried(read(copy)))
        self.write(configuration, text)
        self.remember_a_week(directory + "/data")
        self.program("prometheus", ["prometheus", "--config.file", "prometheus.yml", "--storage.tsdb.path", "data",
                                    "--web.listen-address", self.at(PROMETHEUS)], cwd=directory)

    def remember_a_week(self, data):
        """The nights of the eight days before, as an earlier Prometheus would have them: the baseline needs some."""
        hour = int(time.time()) // 3600 - 4
        lines = ["# TYPE hrv_rmssd_seconds gauge\n"]
        for participant in PARTICIPANTS:
            labels = f'job="custom-metrics",instance="{self.at("metrics")}",host="stack",participant="{participant}"'
            lines += [f"hrv_rmssd_seconds{{{labels}}} 0.05 {(hour - back) * 3600}\n" for back in range(8 * 24, 0, -1)]
        self.write(self.path("week.om"), "".join(lines) + "# EOF\n")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", self.path("week.om"), data], check=True,
                       capture_output=True)

    def start_alertmanager(self):
        source = self.path("alertmanager")
        if self.hurry:
            alertmanager_at_once(source)
        else:
            shutil.copytree(STACK + "/alertmanager", source)
        self.write(self.path("password"), self.mail.password + "\n")
        variables = {
            "PATH": os.environ["PATH"], "ALERTMANAGER": self.alertmanager, "SOURCE_DIR": source, "RUN_DIR": self.path("run"),
            "MAIL_TO": "ops@example.org", "MAIL_TO_STUDY": "study@example.org", "SMTP_HOST": f"127.0.0.1:{self.mail.port}",
            "SMTP_USER": self.mail.user, "SMTP_PASSWORD_FILE": self.path("password"), "SMTP_CA_FILE": self.mail.ca_file,
            "SLACK_WEBHOOK_URL": self.sink.url + "/slack", "SLACK_CHANNEL": "#alerts",
            "PAGERDUTY_ROUTING_KEY": "routing-secret", "PAGERDUTY_URL": self.sink.url + "/pagerduty",
            "WEBHOOK_URL": self.sink.url + "/webhook", "WEBHOOK_TOKEN": "token-secret", "QUIET_FROM": "",
            "GRAFANA_URL": "http://grafana.example.org"}
        self.program("alertmanager", [
            source + "/start.sh", "--storage.path", self.path("alerts"), "--web.listen-address", self.at("alertmanager"),
            "--cluster.listen-address=", "--web.external-url", "http://alerts.example.org",
            *self.alertmanager_flags], env=variables)

    def start_all(self):
        self.start_alertmanager()
        self.exporter = self.program("node", ["prometheus-node-exporter", "--web.listen-address", self.at("node-exporter")])
        self.start_pipeline()
        self.logtally = self.start("--logs", self.demo + "/logs", "--patterns", TOP + "/patterns",
                                   "--web.listen-address", self.at("metrics"))
        self.start_prometheus()

    # What is asked

    def query(self, expression):
        """(status, samples) of an instant query."""
        try:
            status, text = fetch(f"http://{self.at(PROMETHEUS)}/api/v1/query?query=" + urllib.parse.quote(expression))
        except OSError:
            return 0, []
        return status, json.loads(text)["data"]["result"] if status == 200 else text

    def has_data(self, expression):
        status, samples = self.query(expression)
        return status == 200 and any(sample["value"][1] != "NaN" for sample in samples)

    def wait_data(self, what, expressions):
        """Until each of [(where, expression)] has data."""
        left = list(expressions)
        self.assertTrue(left)

        def condition():
            left[:] = [(where, expression) for where, expression in left if not self.has_data(expression)]
            return not left

        try:
            wait_for(what, condition, self.soon)
        except AssertionError:
            self.fail(f"{what}: no data for {left}")

    def wait_mail(self, alert, status, since, to="ops@example.org"):
        """The first mail of `alert` after the first `since` ones that says firing or resolved."""
        def found():
            return [mail for mail in self.mail.mails[since:]
                    if alert + ":" in mail.subject and mail.subject.startswith("[" + status) and mail.to == to]

        try:
            return wait_for(f"a mail: {alert} {status}", found, self.soon)[0]
        except AssertionError as error:
            self.fail(f"{error}; there were {[(m.to, m.subject) for m in self.mail.mails]}, refused: {self.mail.refused}\n"
                      + read(self.path("alertmanager.log"))[-3000:])
