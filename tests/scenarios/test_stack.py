"""The whole stack, from a log line to the mail: real Prometheus, Alertmanager and node exporter on the real configuration.

A pipeline ingests six participants' days.  Its source begins to answer 503: the failure page arrives by mail, Slack, PagerDuty
and webhook, and when the source is back, all of them hear that it is over.  The job hangs: the stall arrives, and its end.  A
night of a participant is low: the study team is told who.  At last the host's exporter, the API and logtally go away: the host
is told of, what runs on it is held back.

What is changed for the test, and only here: times are shortened by hurried(), and names of containers become addresses.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
import urllib.parse

from harness import Scenario, TOP, fetch, free_port, wait_for
from sinks import HttpSink, MailServer
from stack import RUNBOOK, STACK, dashboards, expressions, outside_the_container, read, rule_files

PARTICIPANTS = [f"p{number:03d}" for number in range(1, 7)]
# In this seed's first night p008 has an RMSSD of 12.8 ms, in the second one of 44.8.
NIGHT_JOB = ["--seed", "117", "--participants", "12"]
SOON = 90  # seconds, for whatever is told through rules, Alertmanager and a mail server


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


class Stack(Scenario):
    def setUp(self):
        super().setUp()
        self.ports = {name: free_port() for name in ("api", "metrics", "node-exporter", "localhost", "alertmanager")}
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

    def night_job(self, days):
        """Another job of the pipeline, over more participants, with a log of its own."""
        done = subprocess.run(
            ["/usr/bin/python3", "-B", TOP + "/examples/pipeline/ingest.py", "--api", "http://" + self.at("api"), *NIGHT_JOB,
             "--days", str(days), "--interval", "0", "--stall", "0", "--log-dir", self.demo + "/logs/night"], timeout=120)
        self.assertEqual(done.returncode, 0)

    def start_prometheus(self):
        directory = self.path("prometheus")
        os.mkdir(directory)
        configuration = outside_the_container(STACK + "/prometheus/prometheus.yml", directory)
        text = re.sub(r"(scrape_interval|scrape_timeout|evaluation_interval): \d+s", r"\1: 1s", read(configuration))
        for name in self.ports:
            text = re.sub(rf"'{name}:\d+'", f"'{self.at(name)}'", text)
        self.write(configuration, text)
        for path in rule_files():
            copy = f"{directory}/rules/{os.path.basename(path)}"
            self.write(copy, hurried(read(copy)))
        self.remember_a_week(directory + "/data")
        self.program("prometheus", ["prometheus", "--config.file", configuration, "--storage.tsdb.path", directory + "/data",
                                    "--web.listen-address", self.at("localhost")])

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
        shutil.copytree(STACK + "/alertmanager", source)
        text = read(source + "/alertmanager.yml")
        text = re.sub(r"group_wait: \d+s", "group_wait: 0s", text)
        self.write(source + "/alertmanager.yml", re.sub(r"group_interval: \d+m", "group_interval: 1s", text))
        self.write(self.path("password"), self.mail.password + "\n")
        variables = {
            "PATH": os.environ["PATH"], "ALERTMANAGER": "prometheus-alertmanager", "SOURCE_DIR": source, "RUN_DIR": self.path("run"),
            "MAIL_TO": "ops@example.org", "MAIL_TO_STUDY": "study@example.org", "SMTP_HOST": f"127.0.0.1:{self.mail.port}",
            "SMTP_USER": self.mail.user, "SMTP_PASSWORD_FILE": self.path("password"), "SMTP_CA_FILE": self.mail.ca_file,
            "SLACK_WEBHOOK_URL": self.sink.url + "/slack", "SLACK_CHANNEL": "#alerts",
            "PAGERDUTY_ROUTING_KEY": "routing-secret", "PAGERDUTY_URL": self.sink.url + "/pagerduty",
            "WEBHOOK_URL": self.sink.url + "/webhook", "WEBHOOK_TOKEN": "token-secret", "QUIET_FROM": "",
            "GRAFANA_URL": "http://grafana.example.org"}
        self.program("alertmanager", [
            source + "/start.sh", "--storage.path", self.path("alerts"), "--web.listen-address", self.at("alertmanager"),
            "--cluster.listen-address=", "--web.external-url", "http://alerts.example.org"], env=variables)

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
            status, text = fetch(f"http://{self.at('localhost')}/api/v1/query?query=" + urllib.parse.quote(expression))
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
            wait_for(what, condition, SOON)
        except AssertionError:
            self.fail(f"{what}: no data for {left}")

    def on_this_machine(self, expressions):
        """Without those that ask for a disk, where the node exporter sees none (a container)."""
        disks = {"node_filesystem": 'node_filesystem_size_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|erofs"}',
                 "node_disk": "node_disk_read_bytes_total"}
        self.wait_data("the node exporter", [("node_exporter", "node_exporter_build_info")])
        missing = [name for name, expression in disks.items() if not self.has_data(expression)]
        for name in missing:
            print(f"NOT TESTED: panels of {name}_*: this machine shows no disk", file=sys.stderr, flush=True)
        return [(where, expression) for where, expression in expressions if not any(name in expression for name in missing)]

    def wait_mail(self, alert, status, since, to="ops@example.org"):
        """The first mail of `alert` after the first `since` ones that says firing or resolved."""
        def found():
            return [mail for mail in self.mail.mails[since:]
                    if alert + ":" in mail.subject and mail.subject.startswith("[" + status) and mail.to == to]

        try:
            return wait_for(f"a mail: {alert} {status}", found, SOON)[0]
        except AssertionError as error:
            self.fail(f"{error}; there were {[(m.to, m.subject) for m in self.mail.mails]}, refused: {self.mail.refused}\n"
                      + read(self.path("alertmanager.log"))[-3000:])

    def wait_post(self, path, matches):
        try:
            return wait_for(f"a post to {path}", lambda: [body for body in self.sink.at(path) if matches(body)], SOON)[0]
        except AssertionError as error:
            self.fail(f"{error}; there were {json.dumps(self.sink.at(path))[-4000:]}\n" + read(self.path("alertmanager.log"))[-2000:])

    # The story

    def test_what_happens_is_told_and_so_is_its_end(self):
        self.start_all()
        self.wait_data("all five jobs to be up", [("up", "sum(up) == 5")])
        self.wait_data("every panel to have data", self.on_this_machine(
            (where, expression) for board in dashboards().values() for where, expression in expressions(board)
            if "Firing alerts" not in where))
        self.runbooks_queries_are_queries()
        self.the_source_fails_and_comes_back()
        self.the_job_hangs_and_goes_on()
        self.a_night_is_low_and_the_next_is_not()
        self.the_host_goes_away()
        self.no_secret_is_in_a_log()

    def runbooks_queries_are_queries(self):
        found = re.findall(r"^    promtool query instant \$PROM '(.*)'$", read(RUNBOOK), re.M)
        self.assertGreater(len(found), 40)
        for expression in found:
            status, said = self.query(expression)
            self.assertEqual(status, 200, (expression, said))

    def the_source_fails_and_comes_back(self):
        since = len(self.mail.mails)
        self.write(self.demo + "/outage", "503\n")
        mail = self.wait_mail("IngestFailureBurst", "FIRING", since)
        self.assertRegex(mail.subject, r"^\[FIRING:1\] page IngestFailureBurst: \S+% of the ingests fail$")
        self.assertIn("of the participants", mail.html)
        self.assertIn('href="https://runbooks.example/logtally/docs/runbook.md#ingestfailureburst"', mail.html)
        self.assertIn('href="http://grafana.example.org/d/logtally-pipeline"', mail.html)
        self.assertIn("http://alerts.example.org/#/silences/new?filter=", mail.html)
        self.assertIn("IngestFailureBurst", mail.text)
        self.assertNotIn("runbooks:", mail.text)

        slack = self.wait_post("/slack", lambda body: "FIRING" in body["attachments"][0]["title"]
                               and "IngestFailureBurst" in body["attachments"][0]["title"])
        self.assertEqual(slack["channel"], "#alerts")
        links = {action["text"]: action["url"] for action in slack["attachments"][0]["actions"]}
        self.check_links(links)

        page = self.wait_post("/pagerduty", lambda body: body["event_action"] == "trigger"
                              and "IngestFailureBurst" in body["payload"]["summary"])
        self.assertEqual(page["routing_key"], "routing-secret")
        self.assertEqual(page["payload"]["severity"], "critical")
        self.check_links({link["text"]: link["href"] for link in page["links"]})

        hook = self.wait_post("/webhook", lambda body: body["status"] == "firing"
                              and body["commonLabels"]["alertname"] == "IngestFailureBurst")
        self.assertEqual(hook["commonLabels"]["severity"], "page")
        self.assertEqual({headers["Authorization"] for path, headers, _ in self.sink.posts if path == "/webhook"},
                         {"Bearer token-secret"})
        self.wait_data("the annotation of the dashboard", [
            (where, expression) for where, expression in expressions(dashboards()["pipeline.json"]) if "Firing alerts" in where])

        os.remove(self.demo + "/outage")
        self.wait_mail("IngestFailureBurst", "RESOLVED", since)
        self.wait_post("/slack", lambda body: body["attachments"][0]["title"].startswith("[RESOLVED]")
                       and "IngestFailureBurst" in body["attachments"][0]["title"])
        self.wait_post("/pagerduty", lambda body: body["event_action"] == "resolve" and body["dedup_key"] == page["dedup_key"])
        self.wait_post("/webhook", lambda body: body["status"] == "resolved"
                       and body["commonLabels"]["alertname"] == "IngestFailureBurst")

    def check_links(self, links):
        self.assertEqual(links["Runbook"], "https://runbooks.example/logtally/docs/runbook.md#ingestfailureburst")
        self.assertEqual(links["Dashboard"], "http://grafana.example.org/d/logtally-pipeline")
        self.assertIn("/graph?g0.expr=", links["Query"])
        self.assertTrue(links["Silence"].startswith("http://alerts.example.org/#/silences/new?filter=%7Balertname%3D%22IngestF"))

    def the_job_hangs_and_goes_on(self):
        self.wait_data("the pipeline to run again", [("ALERTS", 'absent(ALERTS{alertname="PipelineStalled"})')])
        since = len(self.mail.mails)
        self.ingest.process.send_signal(signal.SIGSTOP)
        mail = self.wait_mail("PipelineStalled", "FIRING", since)
        self.assertIn("No participant", mail.subject)
        self.wait_mail("PipelineLogSilent", "FIRING", since)
        since = len(self.mail.mails)
        self.ingest.process.send_signal(signal.SIGCONT)
        self.wait_mail("PipelineStalled", "RESOLVED", since)
        self.wait_mail("PipelineLogSilent", "RESOLVED", since)

    def a_night_is_low_and_the_next_is_not(self):
        since = len(self.mail.mails)
        self.night_job(1)

        def names_p008(text):
            return re.search(r"The last night of p008 had an RMSSD of 12\.8ms, below the participant.{1,5}s limit of 20ms", text)

        wait_for("a mail that names the participant", lambda: any(
            mail.to == "study@example.org" and "HrvLow" in mail.subject and names_p008(mail.text) and names_p008(mail.html)
            for mail in self.mail.mails[since:]), SOON)
        self.wait_post("/slack", lambda body: "HRV of p008 is low" in body["attachments"][0]["text"])
        self.assertFalse([body for body in self.sink.at("/pagerduty") if "p008" in json.dumps(body)])
        since = len(self.mail.mails)
        self.night_job(2)
        wait_for("the mail that it is over", lambda: any(
            mail.to == "study@example.org" and "HrvLow" in mail.subject and "RESOLVED: HRV of p008 is low" in mail.text
            for mail in self.mail.mails[since:]), SOON)

    def the_host_goes_away(self):
        """The host is told of; the API and logtally, on the same host, are not: they are seen, and held back."""
        self.exporter.stop()
        self.wait_mail("HostDown", "FIRING", 0)
        since = len(self.mail.mails)
        self.api.stop()
        self.logtally.stop()

        def held_back():
            _, text = fetch(f"http://{self.at('alertmanager')}/api/v2/alerts?active=false&silenced=false&inhibited=true")
            return {"ApiDown", "LogtallyDown"} <= {alert["labels"]["alertname"] for alert in json.loads(text)}

        wait_for("what is held back", held_back, SOON)
        self.wait_data("the annotations of the dashboards", [
            (where, expression) for name in ("api", "logtally", "host")
            for where, expression in expressions(dashboards()[name + ".json"]) if "Firing alerts" in where])
        self.assertFalse([mail.subject for mail in self.mail.mails if "LogtallyRestarting" in mail.subject], "it started once")
        told = [mail.subject for mail in self.mail.mails[since:]]
        self.assertFalse([subject for subject in told if "ApiDown" in subject or "LogtallyDown" in subject])

    def no_secret_is_in_a_log(self):
        log = read(self.path("alertmanager.log"))
        self.assertIn("notifications by: mail slack pagerduty webhook", log)
        for secret in (self.mail.password, "routing-secret", "token-secret", self.sink.url + "/slack"):
            self.assertNotIn(secret, log)
        self.assertEqual(self.mail.refused, 0)


if __name__ == "__main__":
    unittest.main()
