"""A network with people and a post that only writes down, driven second by second by a clock of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ayni_core import inventory
from ayni_core.message import Message
from ayni_core.reach import Target
from ayni_core.topology import build
from ayni_core.wire.messages import Alert, Event
from ayni_hub.people.memory import FILE, Memory
from ayni_hub.people.people import People
from ayni_hub.people.senders import Result
from ayni_hub.people.zones import zones_of
from ayni_io import yamlfile

NOON = 1_782_302_400.0
"""2026-06-24, 12:00 UTC, a Wednesday."""
NETWORK = """
network: {title: Valle, language: es, poll_s: 60}
sites: {torre: {title: Torre}, escuela: {title: Escuela, homes: 46}}
nodes: {pi: {site: torre}}
devices:
  ap: {title: Radio Torre, site: torre, address: 10.0.0.1}
  cpe: {title: Radio Escuela, site: escuela, address: 10.0.0.2}
links:
  torre-escuela: {title: Torre–Escuela, a: {device: ap}, b: {device: cpe}}
"""
ANA = "ana: {title: Ana, language: en, notify: {mail: {address: env:NOWHERE}}}"
BETO = "beto: {title: Beto, language: en, notify: {mail: {address: env:NOWHERE}}}"


def link_down(**more: object) -> Alert:
    text = Message("rule.link_down", {"link": "Torre–Escuela"})
    return alert("link-down--link--torre-escuela", "link", "torre-escuela", text, **more)


def silent(device: str, **more: object) -> Alert:
    text = Message("rule.device_silent", {"device": device})
    return alert(f"device-silent--device--{device}", "device", device, text, **more)


def alert(identifier: str, kind: str, name: str, text: Message, **more: object) -> Alert:
    made = Alert(
        id=identifier, rule=identifier.partition("--")[0], kind=kind, name=name, level="critical", since=NOON,
        text=text, homes=46 if kind == "link" else 0,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


class Town:
    """`sent` has (person, target, title, body); what is in `broken` answers with that reason."""

    def __init__(self, folder: Path, *people: str, more: str = "", now: float = NOON) -> None:
        self.folder = folder
        text = NETWORK + more + "people:\n" + "".join(f"  {each}\n" for each in people)
        (folder / "network.yaml").write_text(text, encoding="utf-8")
        self.network = yamlfile.read(folder / "network.yaml", inventory.parse)
        self.now = now
        self.sent: list[tuple[str, str, str, str]] = []
        self.broken: dict[str, str] = {}
        self.hanging: set[str] = set()
        self.history: list[Event] = []
        self.shares: dict[str, float] = {}
        self.alerts: dict[str, Alert] = {}
        self._changed: dict[str, Alert | None] = {}
        self.events: list[Event] = []
        self.runner = asyncio.Runner()
        self.start()

    def start(self) -> None:
        zone, zones = zones_of(self.network, "network.yaml")
        self.memory = Memory(self.folder / FILE)
        self.people = People(
            self.network, build(self.network), self.memory, self.send, zone=zone, zones=zones,
            clock=lambda: self.now, history=lambda since: [each for each in self.history if each.at >= since],
            shares=lambda start, end: self.shares,
        )  # fmt: skip

    def kill(self) -> None:
        """As SIGKILL would: nothing is said good-bye to."""
        self.runner.close()
        self.memory.close()
        self.runner = asyncio.Runner()
        self.hanging.clear()
        self._changed = {}
        self.start()

    def close(self) -> None:
        self.runner.close()
        self.memory.close()

    async def send(self, person: str, target: Target, title: str, body: str) -> Result:
        while target.name in self.hanging:
            await asyncio.sleep(3600)
        if target.name in self.broken:
            return Result(ok=False, reason=self.broken[target.name])
        self.sent.append((person, target.name, title, body))
        return Result(ok=True)

    def put(self, *alerts: Alert) -> None:
        for each in alerts:
            self.alerts[each.id] = self._changed[each.id] = each

    def end(self, *alerts: Alert) -> None:
        for each in alerts:
            del self.alerts[each.id]
            self._changed[each.id] = None

    def go(self, seconds: float, step: float = 1.0) -> list[tuple[str, str]]:
        """Let time pass; (person, title) of what was sent meanwhile."""
        before, end = len(self.sent), self.now + seconds
        while self.now < end:
            self.now += step
            self.runner.run(self._second())
        return [(person, title) for person, _target, title, _body in self.sent[before:]]

    async def _second(self) -> None:
        changed, self._changed = self._changed, {}
        self.people.take(changed, self.alerts, self.now)
        self.people.look(self.now)
        for _ in range(4):
            await asyncio.sleep(0)
        self.events += self.people.events()


def people_of(sent: Iterable[tuple[str, str]]) -> list[str]:
    return [person for person, _title in sent]
