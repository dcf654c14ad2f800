"""A service writes JSON; now and then something else gets into its log."""

from harness import Scenario

PATTERNS = """
files: ['service.log']
format: json
rules:
  - name: request
    where: {logger: access}
    metrics:
      - counter: requests_total
        help: Requests.
        labels: {path: $request.path, status: $status}
  - name: traceback
    in: _line
    pattern: '^Traceback '
    metrics:
      - counter: tracebacks_total
        help: Tracebacks.
"""


class Formats(Scenario):
    def test_what_is_no_json_is_counted_and_a_kill_forgets_nothing(self):
        """Two requests, a traceback and half an object; kill -9; another request."""
        self.pattern_file(PATTERNS)
        log = self.log("service.log")
        self.write(log, "")
        daemon = self.start("--storage.path", self.path("state"))
        self.assertEqual(daemon.value("logtally_malformed_lines_total", reason="json"), 0)
        self.append(log, '{"logger":"access","request":{"path":"/h\\u0072v"},"status":200}\n'
                         '{"logger":"access","request":{"path":"/hrv"},"status":200}\n'
                         'Traceback (most recent call last):\n'
                         '{"logger":"access","request":{"path":"/hrv"\n')
        daemon.wait_value(2, "requests_total", path="/hrv", status="200")
        daemon.wait_value(1, "tracebacks_total")
        daemon.wait_value(2, "logtally_malformed_lines_total", reason="json")
        daemon.kill9()
        self.append(log, '{"logger":"access","request":{"path":"/hrv"},"status":200}\n')
        daemon = self.restart(daemon)
        daemon.wait_value(3, "requests_total", path="/hrv", status="200")
        daemon.wait_value(2, "logtally_malformed_lines_total", reason="json")
        daemon.wait_value(1, "logtally_unmatched_lines_total")
