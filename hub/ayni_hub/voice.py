"""A connection that may be gone at any moment: what could not be said is told to the caller, not raised."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from ayni_io.mqtt import MqttClient, MqttError

log = logging.getLogger("hub")


class Voice:
    """Says things over one client, also in the background."""

    def __init__(self, client: MqttClient) -> None:
        self.client = client
        self._running: set[asyncio.Task[Any]] = set()

    @property
    def connected(self) -> bool:
        """Whether anybody can hear us."""
        return self.client.connected

    async def say(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> bool:
        """Publish; False when it did not get through."""
        try:
            await self.client.publish(topic, payload, qos=qos, retain=retain)
        except MqttError as error:
            log.debug("not sent topic=%s cause=%s", topic, error)
            return False
        return True

    async def keep(self, topic: str, payload: bytes) -> bool:
        """The same, retained."""
        return await self.say(topic, payload, retain=True)

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Do it in the background."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
