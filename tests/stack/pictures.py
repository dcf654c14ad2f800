#!/usr/bin/python3
"""Takes README's pictures: the real pages, while the example pipeline's source answers 503.

    pictures.py [--output DIR] [--hurry] [--alertmanager PROGRAM] [--alertmanager-page DIR]

The stack's own rules and configuration run on loopback, and their times are as they are: it takes seven minutes, or
with --hurry half a one.  Debian's Alertmanager has no page built in; one that was built (its generate-ui.sh does so, where
Elm's packages can be had) is used from DIR, or another PROGRAM has its own.  Without one, its picture is left out.
"""

import argparse
import contextlib
import os
import socket
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE) + "/scenarios")

from browser import Browser  # noqa: E402
from harness import TOP, fetch  # noqa: E402
from running_stack import PROMETHEUS, RunningStack  # noqa: E402

ALERT, SLOWER = "IngestFailureBurst", "IngestFailureRatioHigh"
# On Debian's page, as a person would: only what fires, its annotations, and the alert unfolded.
UNFOLD = f"""
    $('#inactiveAlerts').click(); $('#pendingAlerts').click(); $('div.show-annotations').click();
    $('.alert_header:contains({ALERT})').click();
"""


class Pictures(RunningStack):
    output = TOP + "/docs/images"

    def setUp(self):
        super().setUp()
        if not self.hurry:  # the ports stand in the picture
            self.ports.update({name: port for name, port in (("api", 8000), ("metrics", 8001), (PROMETHEUS, 9090), ("node-exporter", 9100),
                                                              ("alertmanager", 9093)) if is_free(port)})

    def runTest(self):
        self.start_all()
        self.wait_data("all five jobs to be up", [("up", "sum(up) == 5")])
        self.write(self.demo + "/outage", "503\n")
        mail = self.wait_mail(ALERT, "FIRING", 0)
        self.wait_data("the slower alert", [("ALERTS", f'ALERTS{{alertname="{SLOWER}", alertstate="firing"}}')])
        os.makedirs(self.output, exist_ok=True)
        with Browser() as browser:
            self.prometheus_page(browser)
            self.alertmanager_page(browser)
            self.write(self.path("mail.html"), mail.html)
            browser.open("file://" + self.path("mail.html"), "of the ingests fail")
            self.take(browser, "mail.png")

    def prometheus_page(self, browser):
        # Upstream's is /alerts, Debian's /classic/alerts: / leads to a neighbour of it.
        at = f"http://{self.at(PROMETHEUS)}"
        classic = fetch(at + "/classic/alerts")[0] == 200
        browser.open(at + ("/classic/alerts" if classic else "/alerts"), ALERT)
        if classic:
            browser.run(UNFOLD)
        self.take(browser, "prometheus-alerts.png")

    def alertmanager_page(self, browser):
        at = f"http://{self.at('alertmanager')}/"
        if "does not include a web" in fetch(at)[1]:
            print("no picture of Alertmanager's page: this Alertmanager has none (--alertmanager-page, --alertmanager)", flush=True)
            return
        browser.open(at + "#/alerts", ALERT)
        self.take(browser, "alertmanager.png")

    def take(self, browser, name):
        path = os.path.join(self.output, name)
        browser.picture(path, 1400)
        print(f"{path}: {os.path.getsize(path)} bytes", flush=True)


def is_free(port):
    with socket.socket() as s, contextlib.suppress(OSError):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", port))
        return True
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=Pictures.output, metavar="DIR")
    parser.add_argument("--hurry", action="store_true")
    parser.add_argument("--alertmanager", default=Pictures.alertmanager, metavar="PROGRAM")
    parser.add_argument("--alertmanager-page", metavar="DIR")
    options = parser.parse_args()
    Pictures.output, Pictures.hurry, Pictures.alertmanager = options.output, options.hurry, options.alertmanager
    if not options.hurry:
        Pictures.soon = 1200
    if options.alertmanager_page:
        Pictures.alertmanager_flags = ("--web.ui-path", options.alertmanager_page)
    return not unittest.TextTestRunner(verbosity=0).run(Pictures()).wasSuccessful()


if __name__ == "__main__":
    sys.exit(main())
