"""A process that tells of one alert after the other until it is killed; it prints a line when nothing waits.

people_teller.py FOLDER NEW
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from people_town import silent

from ayni_core import inventory
from ayni_core.topology import build
from ayni_core.wire.messages import Alert
from ayni_hub.people import herald, mailroom
from ayni_hub.people.memory import FILE, Memory
from ayni_hub.people.people import People
from ayni_hub.people.senders import Senders
from ayni_hub.people.zones import zones_of
from ayni_io import yamlfile


async def tell(folder: Path, new: int) -> None:
    """As the hub does: an alert is in the ledger before people are told."""
    herald.SETTLE_S = 0.0
    mailroom.MOST_MESSAGES = 10**9
    network = yamlfile.read(folder / "network.yaml", inventory.parse)
    zone, zones = zones_of(network, "network.yaml")
    people = People(
        network, build(network), Memory(folder / FILE), Senders(network, "network.yaml").send,
        zone=zone, zones=zones, clock=time.time, history=lambda since: (),
    )  # fmt: skip
    ledger = folder / "ledger"
    known = int(ledger.read_text()) if ledger.is_file() else 0
    alerts: dict[str, Alert] = {alert.id: alert for alert in map(made, range(known))}
    people.take({}, alerts, time.time())
    running = asyncio.create_task(people.run(lambda: "ready"))
    while True:
        changed: dict[str, Alert | None] = {}
        if new:
            new -= 1
            known += 1
            write(ledger, str(known))
            alert = made(known - 1)
            alerts[alert.id] = changed[alert.id] = alert
        people.take(changed, alerts, time.time())
        await asyncio.sleep(0.01)
        if not new and len(people.herald.told) == known and not people.outbox.waiting(time.time() + 1e6):
            print(known, flush=True)
        assert not running.done()


def made(number: int) -> Alert:
    """The alert of this number."""
    return silent("ap", id=f"alert-{number}")


def write(path: Path, text: str) -> None:
    """Safely, as a ledger would."""
    part = path.with_suffix(".part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


if __name__ == "__main__":
    asyncio.run(tell(Path(sys.argv[1]), int(sys.argv[2])))
