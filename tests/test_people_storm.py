"""What 500 sites hang on dies: people get one message within a poll and 5 s, one more when it works again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from test_alert_storm import POLL_S, SITES, TOWER, Storm, country, far

from ayni_core.inventory import Person
from ayni_core.reach import Contact, Target
from ayni_core.topology import build
from ayni_hub.people.memory import FILE, Memory
from ayni_hub.people.people import People
from ayni_hub.people.senders import Result

ANA = Person(name="ana", title="Ana", contact=Contact(targets=(Target(name="mail"),)))


class Told(Storm):
    """A storm with a person in it; `sent` has the time and the first line of each message."""

    def start(self, folder: Path) -> None:
        self.folder = folder
        self.sent: list[tuple[float, str, str]] = []
        self.runner = asyncio.Runner()
        self.open()

    def open(self) -> None:
        network = replace(self.network, people={"ana": ANA})
        self.people = People(
            network, build(network), Memory(self.folder / FILE), self.send, zone=UTC, zones={"ana": UTC},
            clock=lambda: self.now, history=lambda since: (),
        )  # fmt: skip

    async def send(self, person: str, target: Target, title: str, body: str) -> Result:
        self.sent.append((self.now, title, body))
        return Result(ok=True)

    def restart(self) -> None:
        super().restart()
        self.open()

    def _tell(self) -> None:
        self.judge.tick(self.now)
        changes = self.judge.flush()
        self.tracks |= changes.tracks
        self.runner.run(self._second(changes.alerts))

    async def _second(self, changed: dict) -> None:  # type: ignore[type-arg]
        self.people.take(changed, self.judge.alerts, self.now)
        self.people.look(self.now)
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[Told]:
    made = Told(country(nodes="one"))
    made.start(tmp_path)
    yield made
    made.runner.close()


def test_500_sites_are_one_message_in_time_and_500_recoveries_are_one_more(storm: Told) -> None:
    storm.run(180, step=60)
    dead = far(storm.network)
    while TOWER not in storm.judge.alerts:
        storm.run(5, dead=dead, deaf=["town-tower"])
    known = storm.now
    storm.run(70, dead=dead, deaf=["town-tower"], step=1)
    ((at, title, body),) = storm.sent
    assert at <= known + POLL_S + 5
    assert title.startswith("ALARM: town-tower is down")
    assert f"Sites behind it: {SITES + 1}" in body
    storm.restart()
    storm.run(300, dead=dead, deaf=["town-tower"], step=60)
    assert len(storm.sent) == 1
    storm.run(600, step=30)
    assert [line.partition(" ")[0] for _at, line, _body in storm.sent] == ["ALARM:", "Over"]
    assert storm.judge.alerts == {}


def test_the_way_out_is_told_within_seconds(storm: Told) -> None:
    storm.run(180, step=60)
    storm.run(60, wan=2, step=60)
    storm.run(10, wan=2, step=1)
    ((_at, title, _body),) = storm.sent
    assert title.startswith("ALARM: fibre does not reach the Internet")
    storm.run(300, step=60)
    assert len(storm.sent) == 2
