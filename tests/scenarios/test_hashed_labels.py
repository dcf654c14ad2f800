"""A study's participants leave the host as pseudonyms only: no metric, no log entry, no saved series names one."""

import contextlib
import hashlib
import hmac
import os
import shutil
import signal
import sqlite3

from harness import Scenario, fetch, wait_for

KEY = "5e0f0d1c2b3a49586776859403a2b1c0"
OTHER_KEY = "another secret of the same study"

PATTERNS = """
rules:
  - name: hrv
    pattern: 'hrv participant=(?<participant>\\S*) rmssd=(?<rmssd>\\S+) total=(?<total>\\d+)'
    metrics:
      - gauge: hrv_rmssd
        help: Nightly heart-rate variability.
        value: $rmssd
        labels: {participant: {from: participant, lower: true, hash: true}}
      - counter: nights_total
        help: Nights.
        value: $total
        mode: total
        first: count
        labels: {participant: {from: participant, lower: true, hash: true}}
"""


def pseudonym(text, key=KEY):
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:16]


class HashedLabels(Scenario):
    def setUp(self):
        super().setUp()
        self.pattern_file(PATTERNS)
        self.key = self.path("study.key")
        self.write(self.key, KEY + "\n")
        os.chmod(self.key, 0o400)
        self.config = self.path("logtally.yml")
        self.write(self.config, "logs: [logs]\npatterns: [patterns]\nhash_key_file: study.key\n")
        self.say("secret-P017", 1)

    def say(self, participant, rmssd, total=7):
        self.append(self.log("ingest.log"), f"hrv participant={participant} rmssd={rmssd} total={total}\n")

    def written(self, state):
        """All bytes of all files of a state, but for the ends of log files by which these are known again."""
        folder = state + "-copy"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(state, folder)
        with contextlib.closing(sqlite3.connect(folder + "/state.db", isolation_level=None)) as db:
            db.execute("UPDATE files SET head = '', guard = ''")
            db.execute("VACUUM")
        found = b""
        for top, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(top, name), "rb") as f:
                    found += f.read()
        return found

    def test_only_pseudonyms_are_shown_kept_and_logged(self):
        state = self.path("state")
        daemon = self.start("--config.file", self.config, "--storage.path", state, "--log.level", "debug")
        who = pseudonym("secret-p017")
        daemon.wait_value(1, "hrv_rmssd", participant=who)
        daemon.wait_value(7, "nights_total", participant=who)
        self.say("SECRET-P017", 2, 9)
        self.say("secret-" + "x" * 5000, "no-number")
        for number in range(5):
            self.say(f"secret-{number}", number)
        self.say("", 4)
        daemon.wait_value(2, "hrv_rmssd", participant=who)
        daemon.wait_value(9, "nights_total", participant=who)
        daemon.wait_value(4, "hrv_rmssd", participant="")
        daemon.wait_value(4, "hrv_rmssd", participant=pseudonym("secret-4"))
        pages = fetch(daemon.url + "/metrics")[1] + fetch(daemon.url + "/")[1]
        while_running = self.written(state)
        daemon.kill9()
        daemon = self.restart(daemon)
        self.say("secret-p017", 3, 10)
        daemon.wait_value(3, "hrv_rmssd", participant=who)
        daemon.wait_value(10, "nights_total", participant=who)
        self.assertEqual(daemon.stop()[0], 0)
        self.assertIn(who.encode(), self.written(state))
        for what in (pages.encode(), while_running, self.written(state), "".join(d.log for d in self.daemons).encode()):
            self.assertFalse(b"secret" in what.lower(), "a participant is named")
            self.assertFalse(KEY.encode() in what, "the key is told")

    def test_hashing_a_label_hides_what_was_shown_before(self):
        self.pattern_file(PATTERNS.replace(", hash: true", ""))
        daemon = self.start("--config.file", self.config)
        daemon.wait_value(1, "hrv_rmssd", participant="secret-p017")
        self.pattern_file(PATTERNS)
        wait_for("the reload", lambda: "configuration loaded" in daemon.log)
        self.say("secret-p018", 2)
        daemon.wait_value(2, "hrv_rmssd", participant=pseudonym("secret-p018"))
        self.assertNotIn("secret", fetch(daemon.url + "/metrics")[1])

    def test_another_key_begins_anew_and_a_bad_one_changes_nothing(self):
        daemon = self.start("--config.file", self.config)
        daemon.wait_value(1, "hrv_rmssd", participant=pseudonym("secret-p017"))
        os.chmod(self.key, 0o600)
        self.write(self.key, "short")
        daemon.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: "has 5 bytes, a key needs 16" in daemon.log)
        self.say("secret-p017", 2)
        daemon.wait_value(2, "hrv_rmssd", participant=pseudonym("secret-p017"))
        self.write(self.key, OTHER_KEY)
        daemon.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: "configuration loaded" in daemon.log)
        self.say("secret-p017", 3)
        daemon.wait_value(3, "hrv_rmssd", participant=pseudonym("secret-p017", OTHER_KEY))
        self.assertIsNone(daemon.value("hrv_rmssd", participant=pseudonym("secret-p017")))

    def test_without_a_key_nothing_is_run_or_replayed_but_checked_and_tested(self):
        self.write(self.config, "logs: [logs]\npatterns: [patterns]\n")
        for command in (["run", "--storage.path", "", "--web.listen-address", "127.0.0.1:0"], ["replay"]):
            status, out, err = self.run_once(*command, "--config.file", self.config)
            self.assertEqual((status, out), (1, ""))
            self.assertIn("the label participant of hrv_rmssd is hashed, and there is no key", err)
            self.assertIn("--hash.key-file FILE", err)
        status, out, err = self.run_once("check", "--config.file", self.config)
        self.assertEqual(status, 0, err)
        self.assertIn("warning: the label participant of nights_total is hashed", err)

    def test_a_key_that_others_may_read_is_a_warning(self):
        os.chmod(self.key, 0o444)
        status, out, err = self.run_once("replay", "--config.file", self.config)
        self.assertEqual(status, 0, err)
        self.assertIn("logtally.yml:3:16: warning: the key: " + self.key + " may be read by others", err)
        self.assertIn(pseudonym("secret-p017"), out)

    def test_the_flag_wins_and_a_bad_key_is_the_only_error(self):
        self.write(self.path("short"), "short")
        status, out, err = self.run_once("replay", "--config.file", self.config, "--hash.key-file", self.path("short"))
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertIn("--hash.key-file", err)
