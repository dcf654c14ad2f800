"""What the shells make of `logtally completion`: a real bash and a real zsh, on a terminal of their own."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

from harness import DEADLINE, LOGTALLY, Scenario

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "bind 'set enable-bracketed-paste off'; source {script}"),
    "zsh": (["zsh", "-f", "-i"], "unsetopt zle_bracketed_paste prompt_sp; autoload -Uz compinit; compinit -u -D; source {script}"),
}


class Terminal:
    """An interactive shell."""

    def __init__(self, command, directory):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            env = {"PATH": os.path.dirname(LOGTALLY) + ":" + os.environ["PATH"], "TERM": "dumb", "PS1": "> ", "HOME": directory, "LC_ALL": "C"}
            os.execvpe(command[0], command, env)

    def send(self, text):
        os.write(self.fd, text.encode())

    def wait(self, pattern):
        """The match of `pattern` in what came since the last wait."""
        end = time.monotonic() + DEADLINE
        while not re.search(pattern, self.seen):
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no {pattern!r} in {self.seen!r}")
            self.seen += os.read(self.fd, 4096).decode(errors="replace")
        found = re.search(pattern, self.seen)
        self.seen = self.seen[found.end():]
        return found

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


class Completion(Scenario):
    def script(self, shell):
        status, text, _ = self.run_once("completion", shell)
        self.assertEqual(status, 0)
        path = self.path("_logtally")
        self.write(path, text)
        return path

    def completed(self, terminal, typed):
        """The words of the line after a TAB at its end: the line is begun anew with a command that prints them."""
        terminal.send(typed + "\t" + "\x01" + "printf '<%s>' \x05;echo '='END\n")
        return re.findall(r"<([^>]*?)/?>", terminal.wait(r"(<logtally>[^\r\n]*)=END")[1])

    def test_a_tab_completes_commands_flags_values_and_files(self):
        self.write(self.path("wearables.yml"), "")
        os.mkdir(self.path("wearables.d"))
        for shell, (command, setup) in SHELLS.items():
            terminal = Terminal(command, self.top)
            terminal.send(setup.format(script=self.script(shell)) + "; echo re''ady\n")
            terminal.wait("\nready|\rready")
            for typed, expected in (("logtally healthch", ["healthcheck"]),
                                    ("logtally run --web.tel", ["run", "--web.telemetry-path"]),
                                    ("logtally --storage.p", ["--storage.path"]),
                                    ("logtally run --log.format l", ["run", "--log.format", "logfmt"]),
                                    ("logtally explain --color=al", ["explain", "--color=always"]),
                                    ("logtally completion z", ["completion", "zsh"]),
                                    ("logtally check wearables.y", ["check", "wearables.yml"]),
                                    ("logtally run --patterns wearables.y", ["run", "--patterns", "wearables.yml"]),
                                    ("logtally run --patterns=wearables.y", ["run", "--patterns=wearables.yml"]),
                                    ("logtally run --storage.path wear", ["run", "--storage.path", "wearables.d"])):
                with self.subTest(shell=shell, typed=typed):
                    self.assertEqual(self.completed(terminal, typed), ["logtally", *expected])
            terminal.close()

    def test_bash_offers_what_the_help_names_and_nothing_else(self):
        script = self.script("bash")
        commands = re.findall(r"^  ([a-z]+)  ", self.run_once("--help")[1].partition("\nflags of")[0], re.M)
        self.assertIn("replay", commands)
        for command in commands:
            flags = re.findall(r"^  (--\S+)", self.run_once(command, "--help")[1], re.M)
            ask = f"source {script}; COMP_WORDS=(logtally {command} --) COMP_CWORD=2; _logtally; printf '%s\\n' \"${{COMPREPLY[@]}}\""
            offered = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, timeout=DEADLINE).stdout.split()
            self.assertEqual(offered, flags, command)
        ask = f"source {script}; COMP_WORDS=(logtally '') COMP_CWORD=1; _logtally; echo ${{COMPREPLY[@]}}"
        offered = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, timeout=DEADLINE).stdout.split()
        self.assertEqual(offered, commands + ["--version", "--help"])

    def test_the_shells_take_the_scripts(self):
        for shell in SHELLS:
            self.assertTrue(shutil.which(shell), shell)
            done = subprocess.run([shell, "-n", self.script(shell)], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_another_shell_is_refused(self):
        self.assertEqual(self.run_once("completion", "fish"), (2, "", "logtally: completion takes the name of a shell: bash or zsh\n"))
        self.assertEqual(self.run_once("completion")[0], 2)
