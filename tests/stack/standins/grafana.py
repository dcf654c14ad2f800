#!/usr/bin/python3
"""No Grafana, but what docker-compose.yml and start.sh need of it.

    grafana server      serves /api/health if what is provisioned can be read, and /api/facts: what was found
    grafana cli ...     sets the password that stands on standard input
"""

import glob
import http.server
import json
import os
import signal
import sys

import yaml

DATA = os.environ["GF_PATHS_DATA"]
PASSWORD = DATA + "/password"


def provisioned():
    """The titles of the dashboards that the provisioned providers lead to; raises if anything cannot be read."""
    where = os.environ["GF_PATHS_PROVISIONING"]
    sources = [source for path in glob.glob(where + "/datasources/*.yml")
               for source in yaml.safe_load(open(path))["datasources"]]
    titles = []
    for path in glob.glob(where + "/dashboards/*.yml"):
        for provider in yaml.safe_load(open(path))["providers"]:
            for dashboard in glob.glob(provider["options"]["path"] + "/*.json"):
                titles.append(json.load(open(dashboard))["title"])
    return {"datasources": sorted(source["url"] for source in sources), "dashboards": sorted(titles)}


def first_start():
    if os.path.exists(DATA + "/grafana.db"):
        return
    open(DATA + "/grafana.db", "w").close()
    given = os.environ.get("GF_SECURITY_ADMIN_PASSWORD__FILE")
    set_password(open(given).read() if given else os.environ.get("GF_SECURITY_ADMIN_PASSWORD", "admin"))


def set_password(password):
    with open(PASSWORD, "w") as f:
        f.write(password.strip())


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        facts = dict(provisioned(), anonymous=os.environ.get("GF_AUTH_ANONYMOUS_ENABLED", "false"))
        body = {"/api/health": {"database": "ok"}, "/api/facts": facts}.get(self.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


if sys.argv[1] == "cli":
    set_password(sys.stdin.read())
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    first_start()
    http.server.ThreadingHTTPServer(("", 3000), Handler).serve_forever()
