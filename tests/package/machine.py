"""A Debian with systemd as process 1, in namespaces of its own: what runs there neither sees nor touches this machine."""

import os
import shutil
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ("systemd", "systemd-sysv", "dbus", "curl", "netbase", "procps")
NAMESPACES = ("mount", "pid", "net", "uts", "ipc", "cgroup")
BOOT_SECONDS = 60


class NotHere(Exception):
    """Why there can be no machine here."""


def depends(package):
    """The packages that a .deb needs, the first of alternatives."""
    field = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True, check=True).stdout
    return [part.split("|")[0].split("(")[0].strip() for part in field.split(",")]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return f.read().split()


class Machine:
    def __init__(self, package):
        """With everything that `package` needs, and not the package itself."""
        if os.geteuid() != 0:
            raise NotHere("only root can make one")
        for tool in ("mmdebstrap", "unshare", "nsenter"):
            if not shutil.which(tool):
                raise NotHere(f"no {tool}")
        self.top = tempfile.mkdtemp(prefix="logtally-machine-")
        self.root = self.top + "/root"
        self.init = None
        try:
            self._install(package)
            self._boot()
        except BaseException:
            self.destroy()
            raise

    def _install(self, package):
        sources = [path for path in ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list") if os.path.exists(path)][:1]
        wanted = ",".join((*PACKAGES, *depends(package)))
        done = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + wanted, "bookworm", self.root, *sources],
                              capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise NotHere("mmdebstrap: " + done.stderr.strip()[-2000:])
        shutil.copy(package, self.root + "/logtally.deb")

    def _boot(self):
        with open(self.top + "/log", "w", encoding="utf-8") as log:
            self.outer = subprocess.Popen(["unshare", *("--" + space for space in NAMESPACES), "--fork", "--kill-child=KILL", HERE + "/boot.sh", self.root],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end and self.outer.poll() is None:
            found = children(self.outer.pid)
            if found:
                self.init = found[0]
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
                if state in ("running", "degraded"):
                    return
            time.sleep(0.1)
        with open(self.top + "/log", encoding="utf-8") as log:
            raise NotHere("systemd does not come up: " + log.read()[-2000:])

    def run(self, *command, check=True):
        flags = ("--" + space for space in NAMESPACES)
        done = subprocess.run(["nsenter", "--target", self.init, *flags, *command], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def sh(self, script, check=True):
        return self.run("sh", "-c", script, check=check).stdout

    def destroy(self):
        if self.init:
            self.outer.kill()
            self.outer.wait()
            while os.path.exists(f"/proc/{self.init}"):
                time.sleep(0.05)
        shutil.rmtree(self.top, ignore_errors=True)
