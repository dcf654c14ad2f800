"""Where notifications arrive: a mail server with STARTTLS and a password, and an HTTP server for Slack and the others."""

import email
import email.policy
import http.server
import json
import logging
import ssl
import subprocess
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from harness import free_port

logging.getLogger("mail.log").setLevel(logging.ERROR)  # it warns of its own deprecations at each login


class Mail:
    def __init__(self, message):
        self.to = message["To"]
        self.subject = message["Subject"]
        self.html = message.get_body(("html",)).get_content()
        self.text = message.get_body(("plain",)).get_content()


class MailServer:
    """On 127.0.0.1; takes mail only over TLS, from `user` with `password`.  The certificate's CA is `ca_file`."""

    def __init__(self, directory, user, password):
        self.mails = []
        self.refused = 0
        self.user, self.password = user, password
        self.ca_file = directory + "/mail.crt"
        key = directory + "/mail.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mail",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.ca_file],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key)
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, tls_context=context, require_starttls=True,
                                     auth_required=True, auth_exclude_mechanism=["LOGIN"], authenticator=self.authenticate)
        self.controller.start()

    def authenticate(self, server, session, envelope, mechanism, data):
        good = session.ssl is not None and (data.login.decode(), data.password.decode()) == (self.user, self.password)
        self.refused += not good
        return AuthResult(success=good)

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(Mail(email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"

    def stop(self):
        self.controller.stop()


class HttpSink:
    """On 127.0.0.1; keeps (path, headers, parsed body) of each POST."""

    def __init__(self):
        sink = self
        self.posts = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.posts.append((self.path, dict(self.headers), json.loads(body)))
                answer = b'{"status":"success"}' if self.path == "/pagerduty" else b"ok"
                self.send_response(202 if self.path == "/pagerduty" else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def at(self, path):
        return [body for where, _, body in list(self.posts) if where == path]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
