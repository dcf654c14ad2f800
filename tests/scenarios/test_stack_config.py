"""The configuration of examples/stack: promtool and amtool accept it, and nothing in it is left without its other half."""

import glob
import itertools
import json
import os
import re
import subprocess
import unittest

import jsonschema

from harness import TOP, Scenario
from stack import RULES, RUNBOOK, STACK, dashboards, expressions, load, outside_the_container, read, rule_files, rule_tests, rules, runbook_anchors

START = STACK + "/alertmanager/start.sh"
WAYS = {
    "mail": {"MAIL_TO": "ops@example.org", "SMTP_HOST": "mail.example.org:587"},
    "slack": {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/slack-secret"},
    "pagerduty": {"PAGERDUTY_ROUTING_KEY": "pagerduty-secret"},
    "webhook": {"WEBHOOK_URL": "http://sink.example.org/alerts"},
}


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **more)
    return done.returncode, done.stdout + done.stderr


class Rules(Scenario):
    def test_each_alert_says_how_bad_it_is_what_it_saw_and_where_to_read_on(self):
        anchors = runbook_anchors()
        for rule in rules("alert"):
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("page", "ticket"))
                self.assertIn(rule["labels"]["service"], ("api", "host", "hrv", "logtally", "monitoring", "pipeline"))
                annotations = rule["annotations"]
                self.assertEqual(set(annotations), {"summary", "description", "runbook_url", "dashboard"})
                self.assertRegex(annotations["description"], r"\{\{ \$value \| humanize\w* \}\}")
                base, _, anchor = annotations["runbook_url"].partition("#")
                self.assertEqual(base, "{{ $externalLabels.runbooks }}")
                self.assertEqual(anchor, rule["alert"].lower())
                self.assertIn(anchor, anchors)

    def test_the_runbook_has_no_section_for_an_alert_that_is_gone(self):
        names = {rule["alert"].lower() for rule in rules("alert")}
        sections = re.findall(r"^### (\w+)$", read(RUNBOOK), re.M)
        self.assertEqual({section.lower() for section in sections}, names)

    def test_what_the_runbook_seeks_in_the_daemons_log_is_said_there(self):
        """Each `logs ... metrics | grep -i WORDS` finds a message that the code has, or a level."""
        said = ["level=error"]
        for source in glob.glob(TOP + "/*/*.c"):
            for first in re.findall(r'\blog_(?:error|warn)\((?:[^;"]*\? *)?((?:"[^"]*"[\s:]*)+)', read(source)):
                said.append("".join(re.findall(r'"([^"]*)"', first)))
        sought = re.findall(r"logs [^|;\n]*metrics \| grep -i '?([^';\n]*\w)", read(RUNBOOK))
        self.assertGreater(len(sought), 3)
        for words in sought:
            self.assertTrue([text for text in said if re.search(words, text, re.I)], words)

    def test_each_alert_has_a_case_that_fires_and_one_that_is_silent(self):
        seen = {}
        for file, group in rule_tests():
            for case in group["alert_rule_test"]:
                self.assertTrue(group["name"].startswith(case["alertname"] + " "), group["name"])
                seen.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
        self.assertEqual(seen, {rule["alert"]: {True, False} for rule in rules("alert")})

    def test_the_rules_do_what_their_tests_say(self):
        for path in sorted(glob.glob(RULES + "/tests/*.yml")):
            status, said = run(["promtool", "test", "rules", path])
            self.assertEqual(status, 0, said)

    def test_promtool_accepts_the_rules(self):
        status, said = run(["promtool", "check", "rules", *rule_files()])
        self.assertEqual(status, 0, said)

    def test_recorded_metrics_are_called_level_metric_operations(self):
        names = [rule["record"] for rule in rules("record")]
        self.assertEqual(len(names), len(set(names)), "two rules record the same")
        for name in names:
            self.assertRegex(name, r"^[a-z_]+:[a-z0-9_]+:[a-z0-9_]+$")

    def test_limits_stand_in_one_file_and_each_is_used(self):
        limits = [rule["record"] for group in load(RULES + "/thresholds.yml")["groups"] for rule in group["rules"]]
        others = "".join(read(path) for path in rule_files() if "thresholds" not in path)
        for limit in limits:
            self.assertIn(limit, others)
            self.assertNotIn("record: " + limit, others)


class Dashboards(Scenario):
    def schema(self, name):
        whole = json.loads(read(os.path.dirname(os.path.abspath(__file__)) + "/grafana.schema.json"))
        return jsonschema.Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": whole["definitions"]})

    def test_they_are_what_grafana_takes(self):
        dashboard, query = self.schema("Dashboard"), self.schema("PromQuery")
        for name, board in dashboards().items():
            self.assertEqual([f"{list(e.absolute_path)}: {e.message}" for e in dashboard.iter_errors(board)], [], name)
            for panel in board["panels"]:
                for target in panel.get("targets", []):
                    query.validate(target)

    def test_the_schema_sees_what_is_wrong(self):
        """A misspelt key, a value of another type, one that Grafana does not know, and one that is missing; in queries, too."""
        for change in (lambda board, panel: panel.update(titel="x"),
                       lambda board, panel: panel["gridPos"].update(w="12"),
                       lambda board, panel: panel["fieldConfig"]["defaults"].update(color={"mode": "rainbow"}),
                       lambda board, panel: board["templating"]["list"][0].pop("name"),
                       lambda board, panel: board.pop("schemaVersion")):
            board = dashboards()["api.json"]
            change(board, next(panel for panel in board["panels"] if panel["type"] == "timeseries"))
            self.assertFalse(self.schema("Dashboard").is_valid(board))
        for wrong in ({"exprr": "up"}, {"refId": 1}, {"format": "graph"}):
            self.assertFalse(self.schema("PromQuery").is_valid({"refId": "A", "expr": "up", **wrong}))
        self.assertTrue(self.schema("PromQuery").is_valid({"refId": "A", "expr": "up"}))

    def test_each_panel_explains_itself_and_has_a_unit(self):
        for name, board in dashboards().items():
            ids = [panel["id"] for panel in board["panels"]]
            self.assertEqual(len(ids), len(set(ids)), name)
            for panel in board["panels"]:
                if panel["type"] != "row":
                    where = f"{name}: {panel['title']}"
                    self.assertRegex(panel["description"], r"\.$", where)
                    self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], where)
                    self.assertEqual(panel["datasource"]["uid"], "${datasource}", where)

    def test_panels_do_not_overlap(self):
        for name, board in dashboards().items():
            taken = set()
            for panel in board["panels"]:
                g = panel["gridPos"]
                cells = {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
                self.assertFalse(cells & taken, f"{name}: {panel['title']}")
                self.assertLessEqual(g["x"] + g["w"], 24)
                taken |= cells

    def test_links_lead_into_the_runbook_and_each_alert_has_a_panel(self):
        """The constant `runbooks` is the external label of prometheus.yml, and no alert is without a chart."""
        base = load(STACK + "/prometheus/prometheus.yml")["global"]["external_labels"]["runbooks"]
        anchors, linked = runbook_anchors(), set()
        for board in dashboards().values():
            self.assertIn(("runbooks", base), {(v["name"], v["query"]) for v in board["templating"]["list"] if v["type"] == "constant"})
            links = board["links"] + [link for panel in board["panels"] for link in panel.get("links", [])]
            for link in links:
                if "url" in link:
                    start, _, anchor = link["url"].partition("#")
                    self.assertEqual(start, "${runbooks}")
                    self.assertIn(anchor, anchors)
                    linked.add(anchor)
        self.assertLessEqual({rule["alert"].lower() for rule in rules("alert")}, linked)

    def test_variables_that_are_used_are_there(self):
        for name, board in dashboards().items():
            variables = {variable["name"] for variable in board["templating"]["list"]} | {"__rate_interval", "__all"}
            self.assertLessEqual(set(re.findall(r"\$\{?(\w+)", json.dumps(board))), variables, name)

    def test_they_use_no_recording_rule_that_is_not_there(self):
        recorded = {rule["record"] for rule in rules("record")}
        for board in dashboards().values():
            for where, expression in expressions(board):
                for name in re.findall(r"[a-z_]+:[a-z0-9_]+:[a-z0-9_]+", expression):
                    self.assertIn(name, recorded, where)

    def test_alerts_lead_to_dashboards_that_exist(self):
        uids = {board["uid"] for board in dashboards().values()}
        for rule in rules("alert"):
            self.assertIn(re.match(r"/d/([\w-]+)(\?|$)", rule["annotations"]["dashboard"])[1], uids, rule["alert"])

    def test_what_is_provisioned_is_what_the_dashboards_ask_for(self):
        sources = load(STACK + "/grafana/provisioning/datasources/stack.yml")["datasources"]
        self.assertIn("prometheus", {source["uid"] for source in sources if source["type"] == "prometheus"})
        scrape = load(STACK + "/prometheus/prometheus.yml")["global"]["scrape_interval"]
        self.assertEqual({s["jsonData"]["timeInterval"] for s in sources if s["type"] == "prometheus"}, {scrape})
        self.assertTrue(load(STACK + "/grafana/provisioning/dashboards/stack.yml")["providers"])


class PrometheusConfiguration(Scenario):
    def test_promtool_accepts_both(self):
        for name in ("prometheus.yml", "fleet/prometheus.yml"):
            directory = self.path(name.replace("/", "-"))
            os.mkdir(directory)
            mapped = outside_the_container(f"{STACK}/prometheus/{name}", directory)
            status, said = run(["promtool", "check", "config", mapped])
            self.assertEqual(status, 0, said)
            self.assertEqual(said.count("rules found"), len(rule_files()), said)

    def test_the_jobs_that_rules_name_are_scraped(self):
        text = "".join(read(path) for path in rule_files())
        named = set(re.findall(r'\bjob="([^"]+)"', text))
        for name in ("prometheus.yml", "fleet/prometheus.yml"):
            jobs = {job["job_name"] for job in load(f"{STACK}/prometheus/{name}")["scrape_configs"]}
            self.assertLessEqual(named, jobs)


class AlertmanagerConfiguration(Scenario):
    def start_sh(self, variables, *arguments):
        env = {"PATH": os.environ["PATH"], "RUN_DIR": self.path("run"), "SOURCE_DIR": STACK + "/alertmanager", **variables}
        return run([START, *arguments], env=env)

    def receivers(self):
        """{receiver: the ways it has} of the configuration that was made."""
        made = load(self.path("run", "alertmanager.yml"))
        return {r["name"]: {key.split("_")[0] for key in r if key != "name"} for r in made["receivers"]}

    def test_each_combination_of_ways_is_a_good_configuration(self):
        """16 combinations: amtool accepts each, and exactly what is set has joined."""
        names = {"mail": "email"}
        for count in range(len(WAYS) + 1):
            for ways in itertools.combinations(WAYS, count):
                with self.subTest(ways=ways):
                    variables = {k: v for way in ways for k, v in WAYS[way].items()}
                    status, said = self.start_sh(variables, "--check")
                    self.assertEqual(status, 0, said)
                    joined = {names.get(way, way) for way in ways}
                    self.assertEqual(self.receivers(), {"operators": joined - {"pagerduty"}, "on-call": joined,
                                                        "study": joined - {"pagerduty"}})

    def test_shellcheck_has_nothing_to_say(self):
        self.assertEqual(run(["shellcheck", "--shell", "sh", START]), (0, ""))

    def test_the_file_is_a_configuration_by_itself(self):
        status, said = run(["amtool", "check-config", STACK + "/alertmanager/alertmanager.yml"])
        self.assertEqual(status, 0, said)

    def test_alerts_go_where_their_severity_and_service_say(self):
        self.start_sh({}, "--check")
        for labels, receiver in (("severity=page service=pipeline", "on-call"), ("severity=page service=hrv", "on-call"),
                                 ("severity=ticket service=hrv", "study"), ("severity=ticket service=host", "operators"),
                                 ("severity=other", "operators")):
            status, said = run(["amtool", "config", "routes", "test", "--config.file", self.path("run", "alertmanager.yml"),
                                *labels.split()])
            self.assertEqual((status, said.split()[0]), (0, receiver), labels)

    def test_secrets_are_in_files_of_this_user_alone(self):
        """Given by the environment, by files with a newline at their end, and by a .env: never in what is printed."""
        secrets = {"SMTP_PASSWORD": "pass'word $x", "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/slack-secret",
                   "PAGERDUTY_ROUTING_KEY": "pagerduty-secret", "WEBHOOK_TOKEN": "token-secret"}
        others = {**WAYS["mail"], **WAYS["webhook"], "SMTP_USER": "ops"}
        files = {}
        for name, value in secrets.items():
            self.write(self.path(name), value + "\n")
            files[name + "_FILE"] = self.path(name)
        self.write(self.path(".env"), "# all of it\nOTHER=$(touch evil)\n" + "".join(
            f"{k}={v}\n" for k, v in {**secrets, **others}.items()))
        for given in ({**secrets, **others}, {**files, **others}, {"ENV_FILE": self.path(".env")}):
            with self.subTest(list(given)):
                status, said = self.start_sh(given, "--check")
                self.assertEqual(status, 0, said)
                made = self.path("run", "alertmanager.yml")
                text = read(made)
                for name, value in secrets.items():
                    self.assertNotIn(value, said)
                    self.assertNotIn(value, text)
                    self.assertIn(f"'{self.path('run', name)}'", text)
                    self.assertEqual(read(self.path("run", name)), value)
                    self.assertEqual(os.stat(self.path("run", name)).st_mode & 0o777, 0o600)
                self.assertEqual(os.stat(made).st_mode & 0o777, 0o600)

    def test_alertmanagers_environment_has_no_secret(self):
        self.write(self.path("env.sh"), "#!/bin/sh\nenv\n")
        os.chmod(self.path("env.sh"), 0o755)
        variables = {**WAYS["mail"], **WAYS["slack"], **WAYS["pagerduty"], "SMTP_USER": "ops", "SMTP_PASSWORD": "mail-secret"}
        status, said = self.start_sh({**variables, "ALERTMANAGER": self.path("env.sh")})
        self.assertEqual(status, 0, said)
        self.assertIn("SMTP_HOST=", said)
        self.assertNotIn("secret", said)

    def test_all_mistakes_are_named_at_once_and_nothing_starts(self):
        status, said = self.start_sh({"MAIL_TO": "x@example.org", "SMTP_USER": "ops", "WEBHOOK_TOKEN": "t", "QUIET_FROM": "9",
                                      "SLACK_WEBHOOK_URL_FILE": "/nowhere", "ALERTMANAGER": "echo"})
        self.assertEqual(status, 1)
        self.assertEqual(said.splitlines(), [
            "start.sh: SLACK_WEBHOOK_URL_FILE: /nowhere cannot be read",
            "start.sh: MAIL_TO is set, but SMTP_HOST is not: both are needed",
            "start.sh: SMTP_USER is set, but SMTP_PASSWORD is not: both are needed",
            "start.sh: WEBHOOK_TOKEN is set, but WEBHOOK_URL is not: both are needed",
            "start.sh: QUIET_FROM: write HH:MM, such as 22:00"])

    def test_quiet_hours_may_pass_midnight_and_may_be_none(self):
        for variables, expected in (
                ({}, [("22:00", "24:00"), ("00:00", "07:00")]),
                ({"QUIET_FROM": "00:30", "QUIET_TO": "06:00"}, [("00:30", "06:00")]),
                ({"QUIET_FROM": "20:00", "QUIET_TO": "00:00", "QUIET_ZONE": "Europe/Berlin"}, [("20:00", "24:00")]),
                ({"QUIET_FROM": ""}, [])):
            status, said = self.start_sh(variables, "--check")
            self.assertEqual(status, 0, said)
            made = read(self.path("run", "alertmanager.yml"))
            times = re.findall(r"start_time: '(\d\d:\d\d)', end_time: '(\d\d:\d\d)'", made)
            self.assertEqual(times, expected)


if __name__ == "__main__":
    unittest.main()
