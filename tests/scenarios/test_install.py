"""`make install` and `make uninstall`: what they put where, and what they leave."""

import os
import re
import subprocess

from harness import LOGTALLY, TOP, Scenario

UNIT = TOP + "/examples/systemd/logtally.service"


def files(top):
    return {os.path.relpath(os.path.join(folder, name), top) for folder, _, names in os.walk(top) for name in names}


class Install(Scenario):
    def make(self, target, *more):
        """With what is built: the program itself is not made again."""
        done = subprocess.run(["make", "-s", "-o", "logtally", f"BUILD={self.path('build')}", f"DESTDIR={self.path('root')}", target, *more],
                              cwd=TOP, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def read(self, name):
        with open(self.path("root", name), encoding="utf-8") as f:
            return f.read()

    def test_everything_is_where_it_is_looked_for(self):
        self.make("install")
        share = "usr/local/share/"
        shipped = {share + "logtally/patterns/" + name for name in os.listdir(TOP + "/patterns")}
        self.assertEqual(files(self.path("root")), shipped | {
            "usr/local/bin/logtally", share + "man/man1/logtally.1", share + "man/man5/logtally-patterns.5",
            share + "bash-completion/completions/logtally", share + "zsh/site-functions/_logtally",
            "usr/local/lib/systemd/system/logtally.service", "usr/local/lib/sysusers.d/logtally.conf", "etc/logtally/logtally.yml"})
        self.assertTrue(os.access(self.path("root", "usr/local/bin/logtally"), os.X_OK))
        unit = self.read("usr/local/lib/systemd/system/logtally.service")
        self.assertIn("ExecStart=/usr/local/bin/logtally run --config.file /etc/logtally/logtally.yml ", unit)
        self.assertIn("ExecPaths=/usr/local/bin/logtally ", unit)

    def test_places_can_be_chosen(self):
        self.make("install", "prefix=/opt/x", "sysconfdir=/opt/x/etc", "patternsdir=/opt/x/etc/logtally/patterns")
        self.assertIn("opt/x/etc/logtally/patterns/nginx.yml", files(self.path("root")))
        self.assertIn("patterns: [/opt/x/etc/logtally/patterns]\n", self.read("opt/x/etc/logtally/logtally.yml"))
        self.assertIn("--config.file /opt/x/etc/logtally/logtally.yml", self.read("opt/x/lib/systemd/system/logtally.service"))
        self.assertFalse(os.path.exists(self.path("root", "etc")))

    def test_the_installed_configuration_is_good(self):
        """Installed to where it really lies, since its paths are absolute: the shipped patterns, and a folder for one's own."""
        root = self.path("root")
        self.make("install", "DESTDIR=", f"prefix={root}/usr", f"sysconfdir={root}/etc")
        status, out, _ = self.run_once("check", "--config.file", f"{root}/etc/logtally/logtally.yml")
        count = len([name for name in os.listdir(TOP + "/patterns") if name.endswith(".yml")])
        self.assertEqual(status, 0)
        self.assertIn(f"{count} patterns files, ", out)

    def test_uninstall_leaves_nothing(self):
        self.make("install")
        self.assertEqual(self.make("uninstall"), "")
        self.assertEqual(files(self.path("root")), set())
        left = [folder for folder, _, _ in os.walk(self.path("root")) if "logtally" in os.path.basename(folder)]
        self.assertEqual(left, [])

    def test_what_was_edited_is_neither_overwritten_nor_removed(self):
        self.make("install")
        self.append(self.path("root", "etc/logtally/logtally.yml"), "# mine\n")
        self.write(self.path("root", "etc/logtally/patterns/mine.yml"), "rules: []\n")
        self.assertIn("left as it is", self.make("install"))
        self.assertIn("stays", self.make("uninstall"))
        self.assertEqual(files(self.path("root")), {"etc/logtally/logtally.yml", "etc/logtally/patterns/mine.yml"})
        self.assertTrue(self.read("etc/logtally/logtally.yml").endswith("# mine\n"))


class Unit(Scenario):
    def test_its_exposure_is_at_most_2(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT], capture_output=True, text=True, timeout=60)
        exposure = re.search(r"Overall exposure level for logtally.service: ([\d.]+)", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertLessEqual(float(exposure[1]), 2.0)

    def test_systemd_knows_every_line_of_it(self):
        """`verify` wants the program to be there: it is given the one that was built."""
        with open(UNIT, encoding="utf-8") as f:
            self.write(self.path("logtally.service"), f.read().replace("/usr/bin/logtally", os.path.realpath(LOGTALLY)))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", self.path("logtally.service")], capture_output=True, text=True, timeout=60)
        about = [line for line in (done.stdout + done.stderr).splitlines() if "logtally" in line]
        self.assertEqual(about, [])


class DebianPackage(Scenario):
    def test_its_version_is_the_programs(self):
        with open(TOP + "/examples/debian/changelog", encoding="utf-8") as f:
            version = re.match(r"logtally \((.*?)\)", f.read())[1]
        self.assertEqual(self.run_once("version")[1], f"logtally {version}\n")
