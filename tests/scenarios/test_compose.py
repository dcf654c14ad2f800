"""What docker-compose.yml promises, read from the file: tests/stack runs it where a Docker daemon can be had."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

from harness import TOP

COMPOSE = TOP + "/docker-compose.yml"
EXAMPLE = TOP + "/.env.example"
START = TOP + "/examples/stack/alertmanager/start.sh"


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def settings():
    """{name: value} of .env.example."""
    return dict(line.split("=", 1) for line in text(EXAMPLE).splitlines() if re.match(r"\w+=", line))


def defaults():
    """{name: default} of the variables in docker-compose.yml."""
    return dict(re.findall(r"(?<!\$)\$\{(\w+):-([^}]*)\}", text(COMPOSE)))


def assigned(name):
    """The words of a variable that start.sh sets at its top."""
    words = re.findall(rf"^{name}='([^']*)'|^{name}=\"\${name} ([^\"]*)\"", text(START), re.M)
    return {word for found in words for word in " ".join(found).split()}


class TheFile(unittest.TestCase):
    def setUp(self):
        self.file = yaml.safe_load(text(COMPOSE))
        self.services = self.file["services"]

    def test_the_services_are_those_of_the_stack(self):
        demo = {name for name, service in self.services.items() if service.get("profiles") == ["demo"]}
        self.assertEqual(demo, {"api", "pipeline"})
        self.assertEqual(self.services.keys() - demo, {"metrics", "prometheus", "alertmanager", "grafana", "node-exporter"})

    def test_images_are_built_here_or_pinned_to_a_version(self):
        for name, service in self.services.items():
            with self.subTest(service=name):
                self.assertRegex(service["image"], r"^logtally(-pipeline)?:local$|^\w+/[\w-]+:v?\d+\.\d+\.\d+$")
                # What is built here must say so at each service: Compose v2 pulls what it cannot build.
                self.assertEqual("build" in service, service["image"].endswith(":local"))

    def test_ports_are_on_loopback_unless_told_otherwise(self):
        published = set()
        for name, service in self.services.items():
            with self.subTest(service=name):
                for port in service.get("ports", []):
                    found = re.fullmatch(r"\$\{BIND_ADDRESS:-127\.0\.0\.1\}:\$\{\w+_PORT:-(\d+)\}:(\d+)", port)
                    self.assertTrue(found and found[1] == found[2], port)
                    published.add(int(found[1]))
        self.assertEqual(published, {8000, 8001, 9090, 9093, 3000, 9100})

    def test_each_service_has_a_health_check_and_bounds(self):
        for name, service in self.services.items():
            with self.subTest(service=name):
                self.assertGreaterEqual(service["healthcheck"].keys(), {"test", "interval", "timeout", "retries", "start_period"})
                self.assertTrue(service["mem_limit"] and service["pids_limit"])
                self.assertEqual(service["logging"]["options"].keys(), {"max-size", "max-file"})

    def test_each_service_is_confined(self):
        for name, service in self.services.items():
            with self.subTest(service=name):
                self.assertIs(service["read_only"], True)
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertIn("no-new-privileges:true", service["security_opt"])
                self.assertNotIn("privileged", service)

    def test_each_volume_and_secret_is_declared_and_used(self):
        used = {"volumes": set(), "secrets": set()}
        for service in self.services.values():
            used["secrets"] |= set(service.get("secrets", []))
            mounted = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume) for volume in service.get("volumes", [])]
            used["volumes"] |= {volume.split(":")[0] for volume in mounted if volume[0] not in "./"}
        for kind, names in used.items():
            self.assertEqual(names, self.file[kind].keys())

    def test_each_mounted_file_is_there(self):
        files = [each["file"] for each in self.file["secrets"].values()]
        for name, service in self.services.items():
            with self.subTest(service=name):
                files += [volume.rsplit(":", 2)[0] for volume in service.get("volumes", []) if volume.startswith("./")]
        for path in files:
            path = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", path)
            self.assertTrue(os.path.exists(os.path.join(TOP, path)), path)

    def test_compose_takes_it(self):
        if not shutil.which("docker-compose"):
            self.skipTest("no docker-compose")
        # Without the .env of whoever runs this.
        with tempfile.NamedTemporaryFile("w", suffix=".env") as empty:
            for env in (empty.name, EXAMPLE):
                done = subprocess.run(["docker-compose", "-f", COMPOSE, "--env-file", env, "--profile", "demo", "config", "-q"], cwd=TOP,
                                      text=True, capture_output=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_what_only_one_of_the_two_composes_takes_is_not_there(self):
        self.assertFalse(self.file.keys() & {"name", "include", "version", "configs"})
        self.assertNotRegex(text(COMPOSE), r"start_interval|env_file|required:|\$\{\w+:?\+")


class Settings(unittest.TestCase):
    def test_env_example_has_each_variable_and_no_other(self):
        known = assigned("settings") | assigned("secrets")
        self.assertGreater(len(known), 10)
        self.assertEqual(settings().keys(), defaults().keys() | known)

    def test_a_copied_env_example_changes_nothing(self):
        for name, default in defaults().items():
            if name not in ("ENV_FILE", "ENV_GID", "GRAFANA_PASSWORD_FILE"):
                self.assertEqual(settings()[name], default, name)

    def test_compose_reads_no_secret(self):
        secrets = assigned("secrets")
        self.assertIn("SMTP_PASSWORD", secrets)
        for name in secrets:
            self.assertNotIn(name, text(COMPOSE))
            self.assertEqual(settings()[name], "")

    def test_an_env_that_alertmanager_does_not_get_is_told(self):
        """Somebody wrote a .env of his own without the line that hands it on."""
        with tempfile.TemporaryDirectory() as run:
            env = dict(os.environ, RUN_DIR=run, SOURCE_DIR=os.path.dirname(START), ENV_FILE=EXAMPLE, ALERTMANAGER="true")
            self.assertEqual(subprocess.run([START], env=env, capture_output=True, timeout=60).returncode, 0)
            done = subprocess.run([START], env=dict(env, MAIL_TO_IN_COMPOSE="a@example.org"), text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(".env needs ENV_FILE=.env", done.stderr)


class Images(unittest.TestCase):
    def test_only_what_is_copied_gets_into_a_build(self):
        for folder, dockerfile in ((TOP, "Dockerfile"), (TOP + "/examples/pipeline", "Dockerfile")):
            lines = [line for line in text(f"{folder}/.dockerignore").splitlines() if line and not line.startswith("#")]
            self.assertEqual(lines[0], "*")
            allowed = {line.lstrip("!") for line in lines[1:]}
            copied = {word for line in re.findall(r"^COPY (?!--from)(.*)$", text(f"{folder}/{dockerfile}"), re.M) for word in line.split()[:-1]}
            self.assertTrue(copied)
            for word in copied:
                self.assertTrue(word in allowed or "*" + os.path.splitext(word)[1] in allowed, word)
            self.assertLessEqual(len(allowed), len(copied))


if __name__ == "__main__":
    unittest.main()
