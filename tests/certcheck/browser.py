# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium without a window, driven by its DevTools protocol over two pipes: no port is opened, no library is needed."""

from __future__ import annotations

import base64
import json
import os
import selectors
import subprocess
import time

# Of one command; the machine may be busy.
PATIENCE = 240


class Browser:
    """One Chromium with a profile of its own."""

    def __init__(self, place):
        commands, self._to = os.pipe()
        self._from, answers = os.pipe()
        words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-component-update",
                 "--disable-background-networking", "--disable-sync", "--force-device-scale-factor=1", "--hide-scrollbars", "--font-render-hinting=none",
                 "--disable-lcd-text", f"--user-data-dir={place}/profile", "--remote-debugging-pipe", "about:blank"]
        # Chromium reads its commands from descriptor 3 and answers on 4.
        shell = ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash", *words]
        environment = {**os.environ, "HOME": str(place), "XDG_CONFIG_HOME": f"{place}/config", "XDG_CACHE_HOME": f"{place}/cache"}
        self._log = open(f"{place}/chromium.log", "w", encoding="utf-8")  # pylint: disable=consider-using-with
        self._child = subprocess.Popen(shell, pass_fds=(commands, answers), env=environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        os.close(commands)
        os.close(answers)
        self._buffer, self._number = b"", 0
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._from, selectors.EVENT_READ)
        self.events = []

    def close(self):
        """The end of it."""
        os.close(self._to)
        try:
            self._child.wait(20)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        os.close(self._from)
        self._log.close()

    def _message(self, until):
        """The next thing that it says."""
        while b"\0" not in self._buffer:
            if not self._ready.select(max(0, until - time.monotonic())):
                raise TimeoutError("Chromium says nothing")
            read = os.read(self._from, 1 << 20)
            if not read:
                raise RuntimeError("Chromium has ended; its log is chromium.log")
            self._buffer += read
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        """One command, and its answer. What happens meanwhile is kept in `events`."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        data = json.dumps(command).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data):]
        until = time.monotonic() + PATIENCE
        while True:
            message = self._message(until)
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def wait_for(self, method):
        """Until that has happened."""
        until = time.monotonic() + PATIENCE
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self._message(until))


class Tab:
    """One page, as it is seen with a size, a colour scheme, a medium, and scripts or none."""

    def __init__(self, browser, width=1320, height=900, scripts=True, scheme="light", media=""):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._target = target
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def call(self, method, **parameters):
        """One command for this page."""
        return self.browser.call(method, session=self._session, **parameters)

    def open(self, path):
        """Loads a file; how many milliseconds that took until it was laid out."""
        self.browser.events.clear()
        begun = time.monotonic()
        self.call("Page.navigate", url=f"file://{path}")
        self.browser.wait_for("Page.loadEventFired")
        # Asking for the size waits for the layout.
        self.call("Page.getLayoutMetrics")
        return (time.monotonic() - begun) * 1000

    def close(self):
        """The end of it."""
        self.browser.call("Target.closeTarget", targetId=self._target)

    def value(self, expression):
        """What an expression of the page's world is. Also where the page itself may run no script."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", "") or str(answer))
        return answer["result"].get("value")

    def key(self, name, code):
        """One key is pressed, as by a person."""
        for kind in ["keyDown", "keyUp"]:
            text = "\r" if name == "Enter" and kind == "keyDown" else ""
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **({"text": text} if text else {}))

    def type(self, text):
        """Text is typed into what has the focus."""
        self.call("Input.insertText", text=text)

    def picture(self, **clip):
        """A PNG of the page, or of a part of it."""
        more = {"clip": {"scale": 1, **clip}} if clip else {}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", captureBeyondViewport=bool(clip), **more)["data"])

    def paper(self):
        """The page as PDF."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])

    def requests(self):
        """What was asked for on the way: addresses."""
        return [event["params"]["request"]["url"] for event in self.browser.events if event.get("method") == "Network.requestWillBeSent"]

    def complaints(self):
        """What the browser and the scripts complained of."""
        found = []
        for event in self.browser.events:
            if event.get("method") == "Log.entryAdded":
                found.append(event["params"]["entry"]["text"])
            elif event.get("method") == "Runtime.exceptionThrown":
                found.append(str(event["params"]["exceptionDetails"]))
        return found
