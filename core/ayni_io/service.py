"""Our side of a service under systemd: what sd_notify(3) tells, and the watchdog. Nothing of it without one.

Theory of operation. systemd gives a socket (`$NOTIFY_SOCKET`) and, with `WatchdogSec=`, a time
(`$WATCHDOG_USEC`) within which it wants a sign of life; else it kills the process and starts it again. The
sign is given from the event loop, twice in that time, and only while the vital parts live: a loop that is
stuck gives none, and neither does one that turns while nothing is done any more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

log = logging.getLogger("service")
_LONGEST_STATUS = 400
_SEND_S = 0.5
STUCK_S = 300.0
"""So long without a round of looking after everything, and the process is better started anew."""


class Service:
    """The service manager as it shows in the environment; without one every method does nothing."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self.there = self._address[:1] in ("/", "@")
        """Whether anybody is told."""
        self._said = ""
        self._failing = False
        self.watchdog_s = _watchdog_s(environ)
        """Within this time systemd wants a sign of life; None: it wants none."""

    def ready(self, status: str = "") -> None:
        """All is set up; also after `reloading`."""
        self._said = status or self._said
        self._send("READY=1", *_status(status))

    def status(self, text: str) -> None:
        """One line for `systemctl status`; sent when it changes."""
        if text != self._said:
            self._said = text
            self._send(*_status(text))

    def reloading(self) -> None:
        """The configuration is being read anew; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str = "") -> None:
        """The service is about to end."""
        self._send("STOPPING=1", *_status(status))

    def alive(self) -> None:
        """The sign of life."""
        self._send("WATCHDOG=1", wait_s=0.0)  # the next one follows

    def _send(self, *lines: str, wait_s: float = _SEND_S) -> None:
        if not self.there:
            return
        address = self._address
        if address[0] == "@":  # a name outside the file system, see unix(7)
            address = "\0" + address[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
                connection.settimeout(wait_s)
                connection.sendto("\n".join(lines).encode(), address)
            self._failing = False
        except OSError as error:
            if not self._failing:
                self._failing = True
                log.warning("service manager not reached cause=%s", error.strerror or error)


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None  # it is meant for whoever started us
    try:
        period_s = int(environ.get("WATCHDOG_USEC", "0")) / 1e6
    except ValueError:
        return None
    return period_s if period_s > 0 else None


def _status(text: str) -> list[str]:
    plain = "".join(char if char.isprintable() else " " for char in text)[:_LONGEST_STATUS]
    return [f"STATUS={plain}"] if plain else []


@dataclass(slots=True)
class Vitals:
    """The parts that must live. A task lives until it ends; another part gives a sign now and then.

    Times are those of the event loop, which a suspend does not move: nobody is dead for having slept.
    """

    tasks: dict[str, asyncio.Task[object]] = field(default_factory=dict)
    signs: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By part: (the last sign, how long it lasts)."""

    def task(self, name: str, task: asyncio.Task[object]) -> None:
        """A task that must not end."""
        self.tasks[name] = task

    def sign(self, name: str, lasts_s: float, now_s: float | None = None) -> None:
        """A part lives, and gives the next sign within `lasts_s`."""
        self.signs[name] = (asyncio.get_running_loop().time() if now_s is None else now_s, lasts_s)

    def forget(self, name: str) -> None:
        """The part is no more, and need not be."""
        self.tasks.pop(name, None)
        self.signs.pop(name, None)

    def dead(self, now_s: float | None = None) -> list[str]:
        """The parts that live no more."""
        now = asyncio.get_running_loop().time() if now_s is None else now_s
        ended = [name for name, task in self.tasks.items() if task.done()]
        return ended + [name for name, (last, lasts_s) in self.signs.items() if now - last > lasts_s]


async def keep_watch(service: Service, vitals: Vitals) -> None:
    """Give the sign of life while all parts live, until cancelled; at once None without a watchdog.

    A part that stopped costs the process its life, which is meant: systemd starts it again.
    """
    if service.watchdog_s is None:
        return
    told: list[str] = []
    while True:
        dead = vitals.dead()
        if not dead:
            service.alive()
        if dead != told:
            told = dead
            if dead:
                log.error("no sign of life for systemd stuck=%s", ",".join(dead))
            else:
                log.info("sign of life again")
        await asyncio.sleep(service.watchdog_s / 2)
