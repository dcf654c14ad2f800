"""The pictures of the documents: each is there, small and shown, and the script that takes them does so from what runs."""

import glob
import os
import re
import struct
import subprocess
import unittest

from harness import TOP, Scenario

SCRIPT = TOP + "/tests/stack/pictures.py"
IMAGES = TOP + "/docs/images"
# What stands in for a built page of Alertmanager: the alerts that it has, red.
PAGE = """<!DOCTYPE html><body style="background: #f8d7da"><script>
fetch("api/v2/alerts").then(answer => answer.json()).then(
    alerts => { document.body.append(...alerts.map(alert => alert.labels.alertname + " ")); });
</script></body>"""
FIRING = (0xF8, 0xD7, 0xDA)  # Bootstrap's background of an alert, on Prometheus' page
MAIL = (0xC6, 0x28, 0x28)  # a page's border, in the mail


def png(path):
    """(width, height, colours of the palette) of a PNG that has one."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    width, height, _, kind = struct.unpack(">IIBB", data[16:26])
    assert kind == 3, f"{path} has no palette"
    at = data.index(b"PLTE")
    size = struct.unpack(">I", data[at - 4:at])[0]
    return width, height, [tuple(data[i:i + 3]) for i in range(at + 4, at + 4 + size, 3)]


def has_colour(colours, wanted):
    return any(all(abs(a - b) <= 8 for a, b in zip(colour, wanted)) for colour in colours)


class Pictures(Scenario):
    def test_documents_show_what_is_there_and_all_of_it(self):
        shown = set()
        for document in [TOP + "/README.md", *glob.glob(TOP + "/docs/*.md"), *glob.glob(TOP + "/examples/*/README.md")]:
            with open(document, encoding="utf-8") as f:
                for alt, path in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", f.read()):
                    self.assertGreater(len(alt), 10, path)
                    shown.add(os.path.normpath(os.path.join(os.path.dirname(document), path)))
        self.assertEqual(shown, set(glob.glob(IMAGES + "/*")))
        self.assertIn(IMAGES + "/prometheus-alerts.png", shown)
        for path in shown:
            self.assertLess(os.path.getsize(path), 100_000, path)
            width, height, _ = png(path)
            self.assertTrue(width == 1000 and 100 < height <= 1400, (path, width, height))

    def test_the_script_takes_them_while_alerts_fire(self):
        """Debian's Alertmanager has no page: it gets one, that shows what it has."""
        self.write(self.path("index.html"), PAGE)
        done = subprocess.run([SCRIPT, "--hurry", "--output", self.path("images"), "--alertmanager-page", self.path("")],
                              text=True, capture_output=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for name, colour in (("prometheus-alerts", FIRING), ("alertmanager", FIRING), ("mail", MAIL)):
            width, _, colours = png(self.path("images", name + ".png"))
            self.assertEqual(width, 1000)
            self.assertTrue(has_colour(colours, colour), (name, colours))
            self.assertLess(os.path.getsize(self.path("images", name + ".png")), 100_000)


if __name__ == "__main__":
    unittest.main()
