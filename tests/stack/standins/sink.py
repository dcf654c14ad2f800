"""Where notifications arrive: mail with STARTTLS and a password (5870); a webhook with a token, Slack and PagerDuty (8080).

What was accepted is served at :8080 as JSON: {"mails": [...], "posts": {"/alerts": [...], ...}}.  Certificate and key are
/tls/mail.pem and /tls/mail.key; /tls/accepts has user, password, and the secrets of the webhook, Slack and PagerDuty.
"""

import http.server
import json
import signal
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD, TOKEN, SLACK, PAGERDUTY = open("/tls/accepts").read().split()
accepted = {"mails": [], "posts": {"/alerts": [], "/slack": [], "/pagerduty": []}}


class Mails:
    async def handle_DATA(self, _server, session, envelope):
        accepted["mails"].append({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                                  "text": envelope.content.decode("utf-8", "replace")})
        return "250 OK"


def authenticate(_server, _session, _envelope, _mechanism, data):
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()))


class Posts(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, json.dumps(accepted).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        way, _, rest = self.path[1:].partition("/")
        right = {"alerts": self.headers["Authorization"] == f"Bearer {TOKEN}", "slack": rest == SLACK,
                 "pagerduty": body.get("routing_key") == PAGERDUTY}.get(way)
        if right:
            accepted["posts"]["/" + way].append(body)
        self.answer((202 if way == "pagerduty" else 200) if right else 401, b'{"status":"success"}' if right else b"")

    def answer(self, status, body):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/mail.pem", "/tls/mail.key")
Controller(Mails(), hostname="0.0.0.0", port=5870, tls_context=context, require_starttls=True, auth_required=True,
           authenticator=authenticate, auth_exclude_mechanism=["LOGIN"]).start()
http.server.ThreadingHTTPServer(("", 8080), Posts).serve_forever()
