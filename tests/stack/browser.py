"""Headless Chromium, told by its debugging protocol over a pipe (Chromium's --remote-debugging-pipe): pages, and pictures of them."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

WIDTH = 1000
DEADLINE = 30


class Browser:
    """Use as a context."""

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="browser-")
        to_chromium, self.commands = os.pipe()
        self.answers, from_chromium = os.pipe()
        # It reads from 3 and writes to 4. As root it has no sandbox; what it is shown is from this machine alone.
        start = f'exec 3<&{to_chromium} 4>&{from_chromium}; exec chromium "$@"'
        flags = ["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", f"--window-size={WIDTH},800", f"--user-data-dir={self.profile}",
                 "--remote-debugging-pipe", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        self.process = subprocess.Popen(["bash", "-c", start, "chromium", *flags], pass_fds=(to_chromium, from_chromium),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_chromium)
        os.close(from_chromium)
        self.number, self.left, self.session = 0, b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(DEADLINE)
        os.close(self.commands)
        os.close(self.answers)
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def message(self):
        while b"\0" not in self.left:
            more = os.read(self.answers, 1 << 16)
            if not more:
                raise RuntimeError(f"Chromium has ended: status {self.process.wait(DEADLINE)}")
            self.left += more
        text, self.left = self.left.split(b"\0", 1)
        return json.loads(text)

    def run(self, script):
        """What a JavaScript expression of the page is."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']['text']}")
        return result["result"].get("value")

    def open(self, url, shows):
        """Until the page has the text `shows`."""
        self.call("Page.navigate", url=url)
        end = time.monotonic() + DEADLINE
        text = ""
        while shows not in text:
            if time.monotonic() > end:
                raise RuntimeError(f"{url} does not show {shows}, but:\n{text[:2000]}")
            time.sleep(0.1)
            with contextlib.suppress(RuntimeError):  # between two pages
                text = self.run("document.readyState == 'complete' ? document.body.innerText : ''")

    def picture(self, path, height):
        """The page from its top, at most `height` pixels, as a PNG with a palette."""
        whole = self.run("Math.ceil(document.documentElement.getBoundingClientRect().height)")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": min(whole, height), "scale": 1}
        taken = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        subprocess.run(["pngquant", "--force", "--strip", "--output", path, "64", "-"], input=base64.b64decode(taken["data"]), check=True)
