"""The manifests of examples/kubernetes, and what their daemon does on a node: as its user, on files as the kubelet leaves them."""

import copy
import glob
import gzip
import os
import re
import shutil
import subprocess
import unittest
from unittest import mock

import harness
import yaml
from harness import DEADLINE, TOP, Scenario
from manifest import manifest_errors

EXAMPLE = TOP + "/examples/kubernetes"


def load(name):
    with open(f"{EXAMPLE}/{name}", encoding="utf-8") as f:
        return yaml.safe_load(f)


def manifests():
    return {os.path.basename(path): load(os.path.relpath(path, EXAMPLE)) for path in glob.glob(EXAMPLE + "/base/*.yaml") if "kustomization" not in path}


def pod_spec():
    return load("base/daemonset.yaml")["spec"]["template"]["spec"]


class Manifests(unittest.TestCase):
    def test_the_api_knows_all_of_them(self):
        found = manifests()
        self.assertEqual({document["kind"] for document in found.values()}, {"Namespace", "DaemonSet", "NetworkPolicy", "PodMonitor", "PrometheusRule"})
        for name, document in found.items():
            self.assertEqual(manifest_errors(document), [], name)

    def test_what_the_api_does_not_know_is_found(self):
        daemonset = load("base/daemonset.yaml")
        for path, value, expected in ((("spec", "selector"), None, "must not be `None`"), (("spec", "template", "spec", "hostPid"), True, "no such key"),
                                      (("spec", "template", "spec", "containers", 0, "ports", 0, "containerPort"), "8001", "is no int"),
                                      (("spec", "template", "spec", "tolerations"), {}, "is no list")):
            wrong = copy.deepcopy(daemonset)
            place = wrong
            for key in path[:-1]:
                place = place[key]
            if value is None:
                del place[path[-1]]
            else:
                place[path[-1]] = value
            self.assertRegex("\n".join(manifest_errors(wrong)), expected)

    def test_what_the_operator_does_not_know_is_found(self):
        for change, expected in ((lambda spec: spec["podMetricsEndpoints"][0].update(intervall="30s"), "intervall"),
                                 (lambda spec: spec["podMetricsEndpoints"][0].update(interval="30"), "'30' does not match"),
                                 (lambda spec: spec["podMetricsEndpoints"][0].update(interval="30s1m"), "'30s1m' does not match"),
                                 (lambda spec: spec["podMetricsEndpoints"][0].update(port=8001), "8001 is not of type 'string'"),
                                 (lambda spec: spec["podMetricsEndpoints"][0]["relabelings"][0].update(action="rename"), "'rename' is not one of"),
                                 (lambda spec: spec.pop("selector"), "'selector' is a required property")):
            monitor = load("base/podmonitor.yaml")
            change(monitor["spec"])
            self.assertRegex("\n".join(manifest_errors(monitor)), expected)
        for change, expected in ((lambda group, rule: rule.pop("expr"), "'expr' is a required property"),
                                 (lambda group, rule: rule.update({"for": 60}), "60 is not of type 'string'"),
                                 (lambda group, rule: rule["labels"].update(severity=1), "1 is not of type 'string'"),
                                 (lambda group, rule: group.update(intervals="1m"), "intervals")):
            rules = load("base/prometheusrule.yaml")
            group = rules["spec"]["groups"][1]
            change(group, group["rules"][0])
            self.assertRegex("\n".join(manifest_errors(rules)), expected)

    def test_kustomize_finds_every_file(self):
        base = load("base/kustomization.yaml")
        self.assertEqual(set(base["resources"]), set(manifests()))
        for made in base["configMapGenerator"]:
            for name in made["files"]:
                self.assertTrue(os.path.exists(f"{EXAMPLE}/base/{name}"), name)
        maps = {volume["configMap"]["name"] for volume in pod_spec()["volumes"] if "configMap" in volume}
        self.assertEqual(maps, {made["name"] for made in base["configMapGenerator"]})
        self.assertEqual({made["name"]: made.get("options") for made in base["configMapGenerator"]}["logtally-patterns"], {"disableNameSuffixHash": True})

    def test_the_patches_of_root_replace_what_is_there(self):
        document = load("base/daemonset.yaml")
        for change in yaml.safe_load(load("root/kustomization.yaml")["patches"][0]["patch"]):
            place = document
            *above, last = change["path"].strip("/").split("/")
            for key in above:
                place = place[key]
            self.assertEqual((change["op"], last in place), ("replace", True))
            place[last] = change["value"]
        self.assertEqual(manifest_errors(document), [])
        self.assertEqual(document["spec"]["template"]["spec"]["securityContext"]["runAsUser"], 0)

    def test_names_agree_across_manifests(self):
        found = manifests()
        labels = found["daemonset.yaml"]["spec"]["template"]["metadata"]["labels"]
        self.assertEqual(found["daemonset.yaml"]["spec"]["selector"]["matchLabels"], labels)
        self.assertEqual(found["podmonitor.yaml"]["spec"]["selector"]["matchLabels"], labels)
        self.assertEqual(found["networkpolicy.yaml"]["spec"]["podSelector"]["matchLabels"], labels)
        for container in pod_spec()["initContainers"] + pod_spec()["containers"]:
            self.assertLessEqual({mount["name"] for mount in container["volumeMounts"]}, {volume["name"] for volume in pod_spec()["volumes"]})
            self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
            self.assertEqual(container["securityContext"]["capabilities"]["drop"], ["ALL"])
        main = pod_spec()["containers"][0]
        writable = [mount["mountPath"] for mount in main["volumeMounts"] if not mount.get("readOnly")]
        self.assertEqual(writable, ["/var/lib/logtally"])

    def test_the_alerts_are_those_of_the_stack(self):
        with open(TOP + "/examples/stack/rules/logtally.yml", encoding="utf-8") as f:
            self.assertEqual(load("base/prometheusrule.yaml")["spec"], yaml.safe_load(f))

    def test_each_container_finds_its_program_in_its_image(self):
        """Ours has the daemon and nothing else: what an init container runs must come from another."""
        with open(TOP + "/Dockerfile", encoding="utf-8") as f:
            final = f.read().rpartition("\nFROM ")[2]
        self.assertTrue(final.startswith("scratch\n"))
        self.assertIn(f'ENTRYPOINT ["{pod_spec()["containers"][0]["command"][0]}"]', final)
        self.assertIn(f'USER {pod_spec()["securityContext"]["runAsUser"]}:', final)
        self.assertEqual([container["image"] for container in pod_spec()["containers"]], ["logtally"])
        self.assertTrue(pod_spec()["initContainers"][0]["image"].startswith("busybox:"))

    def test_the_daemon_takes_its_arguments(self):
        """The command of the container, with `check` for `run` where the flags allow it."""
        main = pod_spec()["containers"][0]
        self.assertEqual(main["command"], ["/usr/bin/logtally", "run"])
        done = subprocess.run([harness.LOGTALLY, "run", *main["args"], "--help"], capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual(done.returncode, 0, done.stderr)


@unittest.skipUnless(os.geteuid() == 0, "only root can make files as the kubelet does")
class Node(Scenario):
    """A node's /var/log below a scratch directory; the daemon is uid 65532, gid 0, as in the DaemonSet."""

    def setUp(self):
        super().setUp()
        os.chmod(self.top, 0o755)
        shutil.copy(harness.LOGTALLY, self.path("logtally"))
        self.enterContext(mock.patch.object(harness, "COMMAND", [self.path("logtally")]))
        self.pods = self.path("var", "log", "pods")
        os.makedirs(self.pods)
        self.mount_patterns(1)
        with open(EXAMPLE + "/base/logtally.yml", encoding="utf-8") as f:
            text = f.read().replace("/var/log", self.path("var", "log")).replace("/etc/logtally-patterns", self.path("patterns"))
        self.write(self.path("logtally.yml"), text)

    def mount_patterns(self, version, change=lambda text: text):
        """As the kubelet mounts a ConfigMap: a folder of this version, and ..data, which is swapped to it by a rename."""
        folder = self.path("patterns", f"..version-{version}")
        os.mkdir(folder)
        for path in glob.glob(EXAMPLE + "/base/patterns/*.yml"):
            name = os.path.basename(path)
            with open(path, encoding="utf-8") as f:
                self.write(os.path.join(folder, name), change(f.read()))
            if version == 1:
                os.symlink("..data/" + name, self.path("patterns", name))
        os.symlink(os.path.basename(folder), self.path("patterns", "..data_tmp"))
        os.rename(self.path("patterns", "..data_tmp"), self.path("patterns", "..data"))
        if version > 1:
            shutil.rmtree(self.path("patterns", f"..version-{version - 1}"))

    def pod(self, namespace="study", name="etl-7f9c", container="worker"):
        folder = os.path.join(self.pods, f"{namespace}_{name}_0f5a-11", container)
        os.makedirs(folder)
        return os.path.join(folder, "0.log")

    def say(self, path, text, mode=0o640):
        """A line as containerd writes it, in a file of root, which never let more people read it."""
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, mode & 0o600))
        os.chmod(path, mode)
        self.append(path, f"2025-11-20T12:00:00.123456789Z stderr F {text}\n")

    def rotate(self, path, stamp):
        """As the kubelet does: a rename, a signal to the runtime, which makes the file anew, and later gzip."""
        rotated = f"{path}.{stamp}"
        os.rename(path, rotated)
        self.write(path, "")
        os.chmod(path, 0o640)
        return rotated

    def pack(self, rotated):
        with open(rotated, "rb") as plain, gzip.open(rotated + ".tmp", "wb") as packed:
            shutil.copyfileobj(plain, packed)
        os.chmod(rotated + ".tmp", 0o640)
        os.rename(rotated + ".tmp", rotated + ".gz")
        os.remove(rotated)

    def start_on_node(self):
        context = pod_spec()["securityContext"]
        user, group = str(context["runAsUser"]), str(context["runAsGroup"])
        state = self.path("state")
        if not os.path.exists(state):
            os.mkdir(state)
        self.assertEqual(pod_spec()["initContainers"][0]["command"], ["chown", f"{user}:{group}", "/var/lib/logtally"])
        os.chown(state, int(user), int(group))
        prefix = ("setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--bounding-set=-all", "--no-new-privs")
        daemon = self.start("--config.file", self.path("logtally.yml"), "--storage.path", state, prefix=prefix)
        harness.wait_for("the first look", lambda: "caught up" in daemon.log)
        return daemon

    LABELS = {"namespace": "study", "container": "worker", "stream": "stderr"}

    def errors(self, daemon, expected):
        daemon.wait_value(expected, "pod_error_lines_total", **self.LABELS)

    def test_it_reads_what_the_group_of_root_may_read(self):
        daemon = self.start_on_node()
        self.say(self.pod(), "ERROR a")
        self.errors(daemon, 1)
        with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as f:
            self.assertRegex(f.read(), r"Uid:\t65532\t65532\t65532\t65532\nGid:\t0\t")

    def test_what_only_root_may_read_is_told(self):
        daemon = self.start_on_node()
        self.say(self.pod(name="crio"), "ERROR a", mode=0o600)
        harness.wait_for("an error", lambda: re.search('level=error msg="cannot read" path=.*crio.*Permission denied', daemon.log))

    def test_a_log_may_be_a_symlink_to_where_the_runtime_keeps_it(self):
        """Docker: /var/log/pods/.../0.log leads to /var/lib/docker/containers/ID/ID-json.log."""
        real = self.path("docker", "4f5e", "4f5e-json.log")
        os.makedirs(os.path.dirname(real), mode=0o710)
        os.chmod(self.path("docker"), 0o710)
        link = self.pod()
        daemon = self.start_on_node()
        self.write(real, '{"log":"ERROR a\\n","stream":"stderr","time":"2025-11-20T12:00:00.1Z"}\n')
        os.chmod(real, 0o640)
        os.symlink(real, link)
        self.errors(daemon, 1)

    def test_the_kubelets_rotation_loses_nothing(self):
        """Renamed, written to once more, made anew, packed; and once while the pod of the daemon is away."""
        log = self.pod()
        daemon = self.start_on_node()
        self.say(log, "ERROR 1")
        self.errors(daemon, 1)
        rotated = self.rotate(log, "20251120-120000")
        self.say(rotated, "ERROR 2")
        self.say(log, "ERROR 3")
        self.errors(daemon, 3)
        self.pack(rotated)
        self.say(log, "ERROR 4")
        self.errors(daemon, 4)
        daemon.stop()
        self.say(log, "ERROR 5")
        self.pack(self.rotate(log, "20251120-130000"))
        self.say(log, "ERROR 6")
        self.errors(self.start_on_node(), 6)

    def test_new_patterns_come_without_a_restart(self):
        log = self.pod()
        daemon = self.start_on_node()
        self.say(log, "ERROR a")
        self.errors(daemon, 1)
        self.mount_patterns(2, lambda text: text.replace("ERROR|FATAL", "ERROR|FATAL|ALERT").replace("FATAL|ALERT\n", "FATAL\n"))
        harness.wait_for("the reload", lambda: "configuration loaded" in daemon.log)
        self.say(log, "ALERT b")
        self.errors(daemon, 2)

    def test_its_own_log_is_not_followed(self):
        daemon = self.start_on_node()
        self.say(self.pod("monitoring", "logtally-x7k2p", "logtally"), "ERROR a")
        self.say(self.pod(), "ERROR b")
        self.errors(daemon, 1)
        self.assertIsNone(daemon.value("pod_error_lines_total", namespace="monitoring", container="logtally", stream="stderr"))
