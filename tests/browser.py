"""A real Chromium without a window, spoken to over its DevTools pipe: how a page is on a telephone."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parts import need

_WITHIN_S = 30.0


class Browser:
    """One tab of the size of a small telephone."""

    def __init__(self, to: int, from_: int) -> None:
        self._to, self._from, self._read = to, from_, b""
        self._numbers = itertools.count(1)
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        size = {"width": 360, "height": 640, "deviceScaleFactor": 1, "mobile": True}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One DevTools command and its result."""
        number = next(self._numbers)
        asked: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            asked["sessionId"] = self._session
        os.write(self._to, json.dumps(asked).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + _WITHIN_S
        while b"\0" not in self._read:
            ready, _w, _x = select.select([self._from], [], [], max(end - time.monotonic(), 0))
            assert ready, "the browser says nothing"
            piece = os.read(self._from, 1 << 20)
            assert piece, "the browser ended"
            self._read += piece
        first, _end, self._read = self._read.partition(b"\0")
        said: dict[str, Any] = json.loads(first)
        return said

    def open(self, url: str, *, dark: bool = False) -> None:
        """Load a page to its end."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        assert "errorText" not in self.call("Page.navigate", url=url)
        end = time.monotonic() + _WITHIN_S
        while time.monotonic() < end:
            if self.value("document.readyState") == "complete" and self.value("location.href") == url:
                return
            time.sleep(0.02)
        raise AssertionError(f"{url} was not loaded")

    def value(self, expression: str) -> Any:
        """What an expression gives in the page; the page's own policy does not bind us."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def screenshot(self, to: Path) -> None:
        """The whole page as a picture."""
        made = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        to.write_bytes(base64.b64decode(made["data"]))


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """Runs with a profile of its own in `folder`."""
    program = need("chromium")
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    there = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (to_read, from_write)]
    command = [
        "bash", "-c", f'exec "$0" "$@" 3<&{there[0]} 4>&{there[1]}', program,
        "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe",
        "--disable-dev-shm-usage", "--disable-background-networking", f"--user-data-dir={folder / 'profile'}",
    ]  # fmt: skip
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, pass_fds=there)
    for fd in (to_read, from_write, *there):
        os.close(fd)
    try:
        yield Browser(to_write, from_read)
    finally:
        os.close(to_write)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(from_read)
