"""The commands that documents show are run, and say what the documents say."""

import glob
import os
import re
import subprocess

from harness import LOGTALLY, TOP, Scenario


def blocks(text):
    """({name: patterns}, [(command, output)]) of a document: a patterns file is called as the text says last before it."""
    patterns, commands = {}, []
    for block in re.finditer(r"^```yaml patterns\n(.*?)^```$", text, re.S | re.M):
        names = re.findall(r"`([a-z]+\.yml)`", text[:block.start()])
        patterns.update({names[-1]: block[1]} if names else {})
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.S | re.M):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            commands.append((command, output))
    return patterns, commands


def run(command, directory):
    env = dict(os.environ, PATH=os.path.dirname(LOGTALLY) + ":" + os.environ["PATH"], LC_ALL="C")
    done = subprocess.run(["sh", "-c", command], cwd=directory, env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


class Documents(Scenario):
    def test_what_explain_md_shows_is_what_comes_out(self):
        """Every ```console block of docs/explain.md, on the patterns files that it shows."""
        with open(TOP + "/docs/explain.md", encoding="utf-8") as f:
            patterns, commands = blocks(f.read())
        for name, text in patterns.items():
            self.write(self.path(name), text)
        self.assertGreater(len(commands), 4)
        for command, output in commands:
            with self.subTest(command=command):
                self.assertEqual(run(command, self.path("")), output)

    def test_no_other_document_has_such_blocks_unseen(self):
        for document in glob.glob(TOP + "/docs/*.md") + [TOP + "/README.md"]:
            if os.path.basename(document) != "explain.md":
                with open(document, encoding="utf-8") as f:
                    self.assertEqual(blocks(f.read())[1], [], document)

    def test_every_key_of_patterns_files_has_an_example_and_is_in_the_manual(self):
        """Those that the loader knows: in a block of a document that the tests run, and in logtally-patterns(5)."""
        examples, keys = "", {}
        for document in glob.glob(TOP + "/docs/*.md"):
            with open(document, encoding="utf-8") as f:
                examples += "".join(re.findall(r"^```yaml patterns\n(.*?)^```$", f.read(), re.S | re.M))
        for source in glob.glob(TOP + "/parsers/*.c"):
            with open(source, encoding="utf-8") as f:
                for table in re.findall(r"char \*const \w+_keys\[\] = \{(.*?)\};", f.read(), re.S):
                    keys.update(dict.fromkeys(re.findall(r'"(\w+)"', table)))
        with open(TOP + "/docs/man/logtally-patterns.5", encoding="utf-8") as f:
            manual = f.read()
        self.assertGreater(len(keys), 50)
        self.assertEqual([key for key in keys if not re.search(rf"(?:^|[\s{{]){key}:(?:\s|$)", examples, re.M)], [])
        self.assertEqual([key for key in keys if not re.search(rf"\b{key}\b", manual)], [])
