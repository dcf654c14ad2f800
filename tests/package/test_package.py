"""The Debian package on a Debian with systemd: installed, running under its unit, and purged.

    test_package.py PACKAGE.deb

One machine is made for all; tests run in the order of their names, and the last one purges.
"""

import re
import sys
import time
import unittest

from machine import Machine, NotHere

SECONDS = 30
LINE = '192.0.2.7 - - [20/Nov/2025:12:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"'
COUNTED = 'nginx_requests_total{method="GET",status="200"} '
# What changes on any machine that runs, and what dpkg and apt keep of their own work.
ALIVE = r"^/(proc|sys|run|dev|tmp|\.outside|var/(log/(journal|dpkg.log)|lib/(dpkg|systemd|apt)|cache|log/nginx)|etc/(passwd|shadow|group|gshadow)-?$|logtally.deb)"


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = Machine(cls.package)
        cls.before = cls.listing()
        cls.machine.sh("mkdir /var/log/nginx; : > /var/log/nginx/access.log; chgrp adm /var/log/nginx/access.log;"
                       "chmod 640 /var/log/nginx/access.log; : > /var/log/nginx/secret.log; chmod 600 /var/log/nginx/secret.log")
        cls.machine.run("dpkg", "-i", "/logtally.deb")

    @classmethod
    def tearDownClass(cls):
        cls.machine.destroy()

    @classmethod
    def listing(cls):
        return {path for path in cls.machine.sh("find / -xdev; cat /etc/passwd /etc/group /etc/shadow").splitlines() if not re.search(ALIVE, path)}

    def wait_for(self, what, condition):
        end = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > end:
                self.fail(f"waited for {what}:\n{self.journal()}")
            time.sleep(0.1)

    def journal(self):
        return self.machine.sh("journalctl --unit logtally --no-pager --output cat")

    def show(self, what):
        return self.machine.sh(f"systemctl show logtally --property {what} --value").strip()

    def count(self):
        found = re.search("^" + re.escape(COUNTED) + r"(\d+)$", self.machine.sh("curl -s http://127.0.0.1:8001/metrics", check=False), re.M)
        return int(found[1]) if found else None

    def log_line(self):
        self.machine.sh(f"echo '{LINE}' >> /var/log/nginx/access.log")

    def test_1_it_is_started_and_will_be_at_each_boot(self):
        self.assertEqual((self.show("ActiveState"), self.show("UnitFileState"), self.show("User")), ("active", "enabled", "logtally"))
        self.assertEqual(self.show("StatusText"), "caught up")
        self.machine.run("logtally", "healthcheck")

    def test_2_it_reads_what_the_group_adm_may_read_and_says_what_it_cannot(self):
        self.log_line()
        self.wait_for("a line", lambda: self.count() == 1)
        self.assertRegex(self.journal(), 'level=error msg="cannot read" path=/var/log/nginx/secret.log error="Permission denied"')

    def test_3_it_may_do_nothing_else(self):
        status = dict(line.split(":\t", 1) for line in self.machine.sh(f"cat /proc/{self.show('MainPID')}/status").splitlines())
        self.assertEqual((status["CapEff"], status["CapBnd"], status["NoNewPrivs"], status["Seccomp"]), ("0" * 16, "0" * 16, "1", "2"))
        mounts = self.machine.sh(f"cat /proc/{self.show('MainPID')}/mounts")
        options = {line.split()[1]: line.split()[3].split(",") for line in mounts.splitlines()}
        self.assertLess({"ro", "noexec"}, set(options["/"]))
        self.assertIn("rw", options["/var/lib/logtally"])
        code = [path for path, set_to in options.items() if "rw" in set_to and "noexec" not in set_to and path != "/dev/pts"]
        self.assertIn("/usr/lib", code)
        others = self.machine.run("find", *code, "!", "-type", "l", "(", "!", "-user", "root", "-o", "-perm", "/o+w", ")").stdout
        self.assertEqual(others, "", "code that its user could write")

    def test_4_regular_expressions_are_compiled(self):
        self.assertNotIn("just-in-time", self.journal())
        maps = self.machine.sh(f"cat /proc/{self.show('MainPID')}/maps")
        self.assertRegex(maps, r"(?m)^\S+ rwxp 00000000 00:00 0")

    def test_5_a_reload_is_one_for_systemd_too(self):
        pid = self.show("MainPID")
        self.machine.run("systemctl", "reload", "logtally")
        self.wait_for("the reload", lambda: "configuration loaded" in self.journal() and self.show("ActiveState") == "active")
        self.assertEqual((self.show("MainPID"), self.show("StatusText")), (pid, "configuration loaded again"))

    def test_6_after_a_kill_it_is_back_and_no_counter_went_back(self):
        before = self.count()
        self.machine.run("systemctl", "kill", "--signal=KILL", "logtally")
        self.log_line()
        self.wait_for("the restart", lambda: self.show("NRestarts") == "1" and self.count() == before + 1)

    def test_7_with_memory_deny_write_execute_it_works_and_says_that_it_is_slower(self):
        before = self.count()
        self.machine.sh("mkdir /run/systemd/system/logtally.service.d; printf '[Service]\\nMemoryDenyWriteExecute=yes\\n' >"
                        "/run/systemd/system/logtally.service.d/mdwe.conf; systemctl daemon-reload; systemctl restart logtally")
        self.assertIn("no just-in-time compiler for regular expressions", self.journal())
        self.log_line()
        self.wait_for("a line", lambda: self.count() == before + 1)

    def test_8_what_was_edited_outlives_another_installation(self):
        self.machine.sh("echo '# mine' >> /etc/logtally/patterns/nginx.yml; rm /etc/logtally/patterns/redis.yml; dpkg -i /logtally.deb")
        self.assertEqual(self.machine.sh("tail -n1 /etc/logtally/patterns/nginx.yml"), "# mine\n")
        self.assertEqual(self.machine.sh("ls /etc/logtally/patterns/redis.yml", check=False), "")
        self.assertEqual(self.show("ActiveState"), "active")

    def test_9_a_purge_leaves_nothing(self):
        self.machine.sh("test -e /var/lib/logtally/state.db; dpkg --purge logtally")
        self.assertEqual(self.listing() - self.before, set())
        self.assertEqual(self.machine.sh("pgrep logtally", check=False), "")


def main():
    Package.package = sys.argv[1]
    try:
        Package.setUpClass()
    except NotHere as why:
        print(f"NOT TESTED: the package was not run, for there can be no machine with systemd here: {why}")
        return 0
    Package.setUpClass = classmethod(lambda cls: None)
    ran = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Package))
    bad = len(ran.failures) + len(ran.errors)
    print(f"{ran.testsRun - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
