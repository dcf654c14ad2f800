"""A real Alertmanager on the stack's configuration: what holds back what, and what waits for the morning."""

import datetime
import json
import os
import signal
import subprocess
import unittest
import urllib.request

from harness import Scenario, fetch, free_port, wait_for
from sinks import HttpSink
from stack import alertmanager_at_once, read

METRICS = {"job": "custom-metrics", "instance": "metrics:8001", "host": "h1"}
OTHER = {"job": "custom-metrics", "instance": "two:8001", "host": "h2"}
NODE = {"job": "node", "instance": "node-exporter:9100", "host": "h1"}
API = {"job": "api", "instance": "api:8000", "host": "h1"}


def alert(name, severity, service, labels=(), **more):
    return {"alertname": name, "severity": severity, "service": service, **dict(labels), **more}


HOST_DOWN = alert("HostDown", "page", "host", NODE)
LOGTALLY_DOWN = alert("LogtallyDown", "page", "logtally", METRICS)
# (what fires, what else fires, whether it is held back)
INHIBITIONS = [
    (HOST_DOWN, alert("ApiDown", "page", "api", API), True),
    (HOST_DOWN, LOGTALLY_DOWN, True),
    (HOST_DOWN, alert("LogtallyDown", "page", "logtally", OTHER), False),
    (HOST_DOWN, alert("AlertmanagerDown", "page", "monitoring", NODE), False),
    (HOST_DOWN, HOST_DOWN, False),
    (LOGTALLY_DOWN, alert("PipelineStalled", "page", "pipeline", METRICS), True),
    (LOGTALLY_DOWN, alert("HrvNightMissing", "ticket", "hrv", METRICS, participant="p001"), True),
    (LOGTALLY_DOWN, alert("PipelineStalled", "page", "pipeline", OTHER), False),
    (LOGTALLY_DOWN, alert("PipelineMetricVanished", "page", "pipeline"), True),
    (LOGTALLY_DOWN, alert("ApiDown", "page", "api", API), False),
    (alert("ApiDown", "page", "api", API), alert("ApiErrorRatioHigh", "page", "api", METRICS), True),
    (alert("ApiDown", "page", "api", API), alert("PipelineStalled", "page", "pipeline", METRICS), False),
    (alert("HrvNightsMissingForAll", "page", "hrv", METRICS), alert("HrvNightMissing", "ticket", "hrv", METRICS, participant="p001"), True),
    (alert("HrvNightsMissingForAll", "page", "hrv", METRICS), alert("HrvLow", "ticket", "hrv", METRICS, participant="p001"), False),
    (alert("IngestFailureBurst", "page", "pipeline", METRICS), alert("IngestFailureRatioElevated", "ticket", "pipeline", METRICS), True),
    (alert("IngestFailureRatioHigh", "page", "pipeline", METRICS), alert("IngestFailureRatioElevated", "ticket", "pipeline", METRICS), True),
    (alert("ApiErrorRatioHigh", "page", "api", METRICS), alert("ApiErrorRatioElevated", "ticket", "api", METRICS), True),
    (alert("HostDiskSpaceCritical", "page", "host", NODE, mountpoint="/"), alert("HostDiskSpaceLow", "ticket", "host", NODE, mountpoint="/"), True),
    (alert("HostDiskSpaceCritical", "page", "host", NODE, mountpoint="/"), alert("HostDiskSpaceLow", "ticket", "host", NODE, mountpoint="/srv"), False),
]


class Alertmanager(Scenario):
    def start_alertmanager(self, **variables):
        source = self.path("alertmanager")
        alertmanager_at_once(source)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        log = open(self.path("log"), "w", encoding="utf-8")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [source + "/start.sh", "--storage.path", self.path("data"), "--web.listen-address", f"127.0.0.1:{port}",
             "--cluster.listen-address=", "--log.level=debug"], stdout=log, stderr=log,
            env={"PATH": os.environ["PATH"], "ALERTMANAGER": "prometheus-alertmanager", "SOURCE_DIR": source,
                 "RUN_DIR": self.path("run"), **variables})
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        wait_for("Alertmanager", self.healthy)

    def tearDown(self):
        self.doCleanups()
        super().tearDown()

    def healthy(self):
        try:
            return fetch(self.url + "/-/healthy")[0] == 200 and fetch(self.url + "/-/ready")[0] == 200
        except OSError:
            return False

    def fire(self, *alerts):
        body = [{"labels": labels, "annotations": {"summary": "s", "description": "d", "dashboard": "/d/x", "runbook_url": "http://r/#x"}}
                for labels in alerts]
        request = urllib.request.Request(self.url + "/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            self.assertEqual(answer.status, 200)

    def alerts(self):
        return json.loads(fetch(self.url + "/api/v2/alerts")[1])

    def test_with_nothing_set_it_is_healthy_and_shows_alerts(self):
        self.start_alertmanager()
        self.fire(HOST_DOWN)
        wait_for("the alert", lambda: [a["labels"] for a in self.alerts()] == [HOST_DOWN])

    def test_what_follows_from_another_alert_is_held_back(self):
        """Each pair on a host of its own, so that they do not meddle with each other."""
        self.start_alertmanager()
        for number, (source, target, _) in enumerate(INHIBITIONS):
            mark = {"pair": str(number)}
            for labels in (source, target):
                # `equal` looks at these: apart for each pair, alike within it.
                apart = {key: f"{number}-{labels[key]}" for key in ("host", "instance") if key in labels}
                self.fire({**labels, **apart, **mark, "role": "source" if labels is source else "target"})
        for number, (source, target, held) in enumerate(INHIBITIONS):
            with self.subTest(source=source["alertname"], target=target):
                def states():
                    return {a["labels"]["role"]: bool(a["status"]["inhibitedBy"]) for a in self.alerts()
                            if a["labels"].get("pair") == str(number)}

                if source is target:
                    wait_for("it to be told", lambda: states() == {"source": False})
                else:
                    wait_for("both", lambda: states() == {"source": False, "target": held})

    def test_tickets_wait_in_quiet_hours_and_pages_do_not(self):
        """It is the middle of the quiet hours: the ticket is seen, and only the page is told."""
        now = datetime.datetime.now(datetime.timezone.utc)
        hour = datetime.timedelta(hours=1)
        sink = HttpSink()
        self.addCleanup(sink.stop)
        self.start_alertmanager(WEBHOOK_URL=sink.url + "/webhook", QUIET_FROM=(now - hour).strftime("%H:%M"),
                                QUIET_TO=(now + hour).strftime("%H:%M"))
        ticket = alert("HrvLow", "ticket", "hrv", METRICS, participant="p001")
        self.fire(ticket, alert("HostCpuHigh", "ticket", "host", NODE))
        wait_for("both tickets to wait", lambda: read(self.path("log")).count("route is within mute time") >= 2)
        self.fire(HOST_DOWN)
        wait_for("the page", lambda: sink.at("/webhook"))
        self.assertEqual({body["commonLabels"]["alertname"] for body in sink.at("/webhook")}, {"HostDown"})


if __name__ == "__main__":
    unittest.main()
