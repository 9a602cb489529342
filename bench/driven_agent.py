"""The agent at work, driven by hand: ten devices are polled in turn, and every fifth round closes a frame.

All that costs processor time in the field is in it: the poller with the device's own profile, the open frame
and its journal, the local verdict, the frame's encoding, the outbox on disk, the publication over MQTT and
the hub's acknowledgement. A hub that acknowledges whatever comes stands in a process of its own
(`driven_agent.py --hub PORT`). All ten are one responder under ten names.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from snmp_device import INTERFACES, user

from ayni_agent.agent import Agent
from ayni_agent.config import AgentConfig
from ayni_agent.poller import Poller
from ayni_agent.reload import Setup
from ayni_agent.schedule import SLOW_POLLS
from ayni_core.wire import codec, topics
from ayni_core.wire.messages import Ack, HubState
from ayni_core.wire.shape import pack
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, BrokerReference, MqttClient
from ayni_io.profiles import Profiles
from ayni_io.rulebook import load_rules
from ayni_io.service import Service
from ayni_io.snmp import open_session

NODE = "bench"
DEVICES, ROUNDS_A_FRAME = 10, 5
POLL_S = 60.0


@contextlib.asynccontextmanager
async def driven(port: int, broker: int, version: str) -> AsyncIterator[Callable[[bool], Awaitable[None]]]:
    """Yields what makes the next poll, steady or a look-over as it is told, and flushes when it is time."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="bench-agent-") as folder:
        config = AgentConfig(
            node=NODE,
            broker=BrokerReference(
                host="127.0.0.1", port=broker, username=None, password=None, ca=None, protocol="5"
            ),
            poll_s=POLL_S,
            flush_s=POLL_S * ROUNDS_A_FRAME,
            encoding="field",
            state_dir=Path(folder) / "state",
            runtime_dir=Path(folder) / "run",
            devices={},
        )
        for needed in (config.state_dir, config.runtime_dir):
            assert needed is not None
            needed.mkdir()
        who = user() if version == "3" else None
        sessions = [
            open_session("127.0.0.1", port, version=version, community=b"public", user=who)
            for _ in range(DEVICES)
        ]
        setup = Setup(
            source="bench",
            config=config,
            broker=BrokerConfig(port=broker),
            access={},
            write={},
            rules=load_rules(),
        )
        agent = Agent(setup, Profiles(), Service())
        profiles = Profiles()
        pollers = [
            Poller(f"router-{at}", session, profiles, slow_every=SLOW_POLLS)
            for at, session in enumerate(sessions)
        ]
        running = asyncio.create_task(agent.run())
        await asyncio.sleep(1.0)  # connected, and the hub is ready
        made = 0

        async def poll(look_over: bool) -> None:
            nonlocal made
            poller = pollers[made % DEVICES]
            if look_over:
                poller.look_over_soon()
            taken = await poller.poll(clock.monotonic_s())
            assert taken.error is None and len(taken.values) > INTERFACES * 8, taken
            agent._on_poll(taken)
            made += 1
            if made % (DEVICES * ROUNDS_A_FRAME) == 0:
                await agent._keeper.close()

        try:
            yield poll
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            for session in sessions:
                session.close()


async def hub(broker: int) -> None:
    """Acknowledge every frame, as a hub does that has stored it."""
    client = MqttClient(BrokerConfig(port=broker), "h-bench", window=100)
    tasks: set[asyncio.Task[object]] = set()

    def say(topic: str, payload: bytes, *, retain: bool = False) -> None:
        task: asyncio.Task[object] = asyncio.ensure_future(client.publish(topic, payload, retain=retain))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def message(_topic: str, payload: bytes, _retained: bool) -> None:
        frame = codec.decode(payload)
        say(topics.ack(frame.node), pack(Ack(epoch=frame.epoch, stored=((frame.seq, frame.seq),))))

    client.on_message = message
    client.on_connect = lambda: say(topics.HUB, pack(HubState(state="ready")), retain=True)
    client.subscribe(f"{topics.PREFIX}/in/#")
    await client.run()


if __name__ == "__main__":
    asyncio.run(hub(int(sys.argv[2])))
