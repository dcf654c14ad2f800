"""A Docker daemon of the test's own, and docker-compose on it.

Nothing of the machine's Docker is touched: data, socket and mounts are the daemon's own (in a mount namespace, so that its mounts
go with it), there is no docker0, no rule of iptables and no forwarding.  Containers talk to each other over a
bridge, and to the test through ports on loopback.
"""

import contextlib
import glob
import json
import os
import re
import shutil
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))
BASE = "debian:bookworm-slim"
# Debian's docker has BuildKit; another that stands before it in PATH may not.
PATH = "/usr/bin:/usr/sbin:/bin:/sbin:" + os.environ.get("PATH", "")


class Unavailable(Exception):
    """No Docker daemon can be started here; says why."""


def needed_programs():
    missing = [name for name in ("dockerd", "docker", "docker-compose", "iptables", "mmdebstrap") if not shutil.which(name, path=PATH)]
    if missing:
        raise Unavailable("not installed: " + ", ".join(missing))
    if os.geteuid() != 0:
        raise Unavailable("a Docker daemon needs root")


class Docker:
    """Use as a context: started on entry, gone without a trace on exit, but for images where `cache` names a directory."""

    def __init__(self, work, cache=None):
        self.work = work
        self.data = cache or work + "/data"
        self.cached = cache is not None
        self.log = work + "/dockerd.log"
        self.env = dict(os.environ, PATH=PATH, DOCKER_HOST=f"unix://{work}/docker.sock", DOCKER_BUILDKIT="1",
                        COMPOSE_DOCKER_CLI_BUILD="1", COMPOSE_PROJECT_NAME="stack", BUILDKIT_PROGRESS="plain", WORK=work)
        self.process = None

    def __enter__(self):
        needed_programs()
        command = ["unshare", "--mount", "dockerd", "--data-root", self.data, "--exec-root", self.work + "/exec",
                   "--pidfile", self.work + "/pid", "-H", self.env["DOCKER_HOST"], "--iptables=false", "--ip6tables=false",
                   "--ip-forward=false", "--bridge=none"]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 60
        while self.try_docker("version").returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise Unavailable("dockerd does not start: " + last_error(self.log))
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        bridges = ["br-" + network[:12] for network in self.networks()]
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        self.process.kill()
        self.process.wait()
        for bridge in bridges:
            subprocess.run(["ip", "link", "delete", bridge], env=self.env, capture_output=True)
        for group in glob.glob("/sys/fs/cgroup/*/docker") + glob.glob("/sys/fs/cgroup/docker"):
            with contextlib.suppress(OSError):  # another daemon's containers are in it
                os.rmdir(group)
        if not self.cached:
            shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.work + "/exec", ignore_errors=True)

    def try_docker(self, *arguments, **more):
        return subprocess.run(["docker", *arguments], env=self.env, text=True, errors="replace", capture_output=True, timeout=600, **more)

    def docker(self, *arguments, **more):
        return succeeded(self.try_docker(*arguments, **more))

    def compose(self, *arguments, settings=None):
        """docker-compose on the repository's file and the test's override; `settings` as a shell's environment."""
        command = ["docker-compose", "-f", "docker-compose.yml", "-f", HERE + "/override.yml", *arguments]
        done = subprocess.run(command, cwd=TOP, env={**self.env, **(settings or {})}, text=True, errors="replace",
                              capture_output=True, timeout=600)
        return succeeded(done)

    def networks(self):
        """Ids of those that docker-compose has made and not removed."""
        return self.try_docker("network", "ls", "-q", "--no-trunc", "--filter", "type=custom").stdout.split()

    def compose_down(self, settings):
        """At times Docker 20.10 keeps an endpoint of a container that was killed; then its network can only be forced."""
        down = ("--profile", "demo", "down", "-v", "--remove-orphans", "-t", "5")
        try:
            self.compose(*down, settings=settings)
        except AssertionError as error:
            if "has active endpoints" not in str(error):
                raise
            print("flaky?  Docker keeps an endpoint: forced", flush=True)
            for network in self.networks():
                for endpoint in json.loads(self.docker("network", "inspect", network))[0]["Containers"].values():
                    self.docker("network", "disconnect", "-f", network, endpoint["Name"])
            self.compose(*down, settings=settings)

    def import_base(self):
        """The image of Debian that everything is built on, from the machine's own sources."""
        if not self.try_docker("image", "inspect", BASE).returncode:
            return
        tar = self.work + "/base.tar"
        sources = glob.glob("/etc/apt/sources.list.d/debian.sources") or ["/etc/apt/sources.list"]
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--aptopt=Acquire::Languages \"none\"", "bookworm", tar, *sources]
        succeeded(subprocess.run(command, env=self.env, text=True, capture_output=True, timeout=600))
        self.docker("import", "-c", 'CMD ["bash"]', tar, BASE)
        os.unlink(tar)


def succeeded(done):
    if done.returncode:
        raise AssertionError(f"{' '.join(done.args)}: status {done.returncode}\n{done.stdout[-6000:]}{done.stderr[-6000:]}")
    return done.stdout


def last_error(path):
    lines = open(path, errors="replace").read().splitlines()
    errors = [line for line in lines if re.search("error|fail|denied", line, re.I)]
    return (errors or lines or ["no word from it"])[-1]
