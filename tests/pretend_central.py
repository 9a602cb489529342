"""A central for tests of the console alone: it retains the village on a broker, and beats every second.

    python pretend_central.py PORT [HOST]

It comes back by itself when the broker does, and says everything again, as a real one does.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import parts
from console_village import retained

from ayni_core.wire import topics
from ayni_core.wire.messages import HubState
from ayni_core.wire.shape import pack
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttError


async def be(port: int, host: str) -> None:
    """Be the central of the village, for ever."""
    client = MqttClient(BrokerConfig(host=host, port=port), "hub", longest_pause_s=0.5)
    began = time.time()
    news = asyncio.Event()
    client.on_connect = news.set
    running = asyncio.create_task(client.run())
    while not running.done():
        with contextlib.suppress(MqttError):
            if news.is_set():
                news.clear()
                for topic, payload in retained(began):
                    await client.publish(topic, payload, retain=True)
            if client.connected:
                await client.publish(topics.BEAT, pack(HubState(state="ready", at=time.time())), qos=0)
        await asyncio.sleep(1.0)


@contextlib.contextmanager
def running(folder: Path, port: int, host: str = "127.0.0.1") -> Iterator[None]:
    """One in a process of its own."""
    command = [sys.executable, str(Path(__file__)), str(port), host]
    with parts.running(command, folder / "central.log"):
        yield


if __name__ == "__main__":
    asyncio.run(be(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"))
