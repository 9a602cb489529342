"""A hub whose clock cannot be right takes nothing in: what it stored now would be dated where nobody looks.

A Pi without a clock battery starts in 1970. Until somebody sets its clock the retained hub state says
`clock-wrong`; the agents keep their frames as long, so nothing is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from ayni_core.clockwatch import EARLIEST_S
from ayni_core.wire import topics
from ayni_core.wire.messages import HubState
from ayni_core.wire.shape import pack
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttError, Will
from ayni_io.service import Service, Vitals, keep_watch

log = logging.getLogger("hub")
STATE = "clock-wrong"
_LOOK_S = 1.0


def is_wrong(wall_s: float) -> bool:
    """Whether a wall clock is at a time before there was an Ayni."""
    return wall_s < EARLIEST_S


def tell(wall_s: float) -> None:
    """One line for whoever looks after this machine."""
    shown = datetime.fromtimestamp(max(wall_s, 0.0), UTC).strftime("%Y-%m-%d")
    log.error("clock wrong date=%s: set it; until then reports wait at the monitors", shown)


def hub_says(state: str) -> bytes:
    """The word of a hub about itself."""
    return pack(HubState(state=state))


async def until_right(
    name: str,
    broker: BrokerConfig,
    wall_s: Callable[[], float] = clock.wall_s,
    look_s: float = _LOOK_S,
    *,
    topic: str = topics.HUB,
    says: Callable[[str], bytes] = hub_says,
    service: Service | None = None,
) -> None:
    """Come back when the clock may be right: at once, or after saying on `topic` what is the matter until it
    is. `name` is that of the account. The service counts as started while it waits."""
    if not is_wrong(wall_s()):
        return
    tell(wall_s())
    client = MqttClient(broker, name, will=Will(topic=topic, payload=says("gone")))
    saying: set[asyncio.Task[None]] = set()

    async def say() -> None:
        with contextlib.suppress(MqttError):  # the next connection says it
            await client.publish(topic, says(STATE), retain=True)

    client.on_connect = lambda: saying.add(asyncio.create_task(say()))
    service = service or Service({})
    running = asyncio.gather(client.run(), keep_watch(service, Vitals()))
    service.ready(STATE)
    try:
        while is_wrong(wall_s()):  # noqa: ASYNC110  nobody tells when a clock is set
            await asyncio.sleep(look_s)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    service.alive()  # what is read now takes its time
    log.info("clock set")
