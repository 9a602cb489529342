"""An agent that was cut off tells first what happened meanwhile; nothing of it is lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from parts import UdpAgent, free_port
from scripted_agent import device
from test_mqtt_client import mosquitto

from ayni_agent import account
from ayni_agent.agent import Agent
from ayni_agent.command_run import set_up
from ayni_core.snmp import decode_request
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import Frame
from ayni_core.wire.messages import Ack, HubState
from ayni_core.wire.shape import pack
from ayni_io.i18n import say
from ayni_io.mqtt import BrokerConfig, MqttClient
from ayni_io.profiles import Profiles
from ayni_io.service import Service

CONFIG = """\
node: torre-pi
broker: {{ port: {broker} }}
poll_s: 1
flush_s: 60
state_dir: {folder}/state
runtime_dir: {folder}/run
devices:
  good: {{ address: 127.0.0.1:{good}, community: file:{folder}/public }}
  dead: {{ address: 127.0.0.1:{dead}, community: file:{folder}/public }}
"""


class Hub:
    """Stands where the hub does: hears frames, says how it is, acknowledges."""

    def __init__(self, port: int) -> None:
        self.frames: list[Frame] = []
        self.client = MqttClient(BrokerConfig(port=port), "hub")
        self.client.on_message = self._message
        self.client.subscribe(f"{topics.PREFIX}/in/#")

    def _message(self, topic: str, payload: bytes, _retained: bool) -> None:
        self.frames.append(codec.decode(payload))

    async def say(self, state: str) -> None:
        await self.client.publish(topics.HUB, pack(HubState(state=state)), retain=True)

    async def acknowledge(self) -> None:
        for frame in self.frames:
            ack = Ack(epoch=frame.epoch, stored=((frame.seq, frame.seq),))
            await self.client.publish(topics.ack("torre-pi"), pack(ack))


async def until(ready: Callable[[], bool]) -> None:
    while not ready():
        await asyncio.sleep(0.02)


def test_after_an_outage_the_account_comes_first_then_live_then_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "WORTH_S", 0.0)
    (tmp_path / "public").write_text("public\n", encoding="utf-8")
    view, port = device(range(1, 3)), free_port()
    alive = [True]

    def answer(data: bytes) -> list[bytes]:
        return [view.answer(decode_request(data), 1472) or b""]

    async def cut_off_and_back(agent: Agent, hub: Hub) -> None:
        contact, outbox = agent._desk.contact, agent._keeper.outbox
        await until(lambda: contact.status(0.0).connected and hub.client.connected)
        await hub.say("ready")
        await until(lambda: len(hub.frames) > 0)
        await hub.acknowledge()
        await until(lambda: len(outbox) == 0)
        await hub.say("gone")
        await until(lambda: not contact.there)
        hub.frames.clear()
        alive[0] = False
        await until(lambda: agent._desk._sightings.silent() == 1)
        await agent._keeper.close()
        assert len(outbox) >= 1
        await hub.say("ready")
        await until(lambda: len(hub.frames) >= 2)
        first = hub.frames[0]
        assert [say(note.text) for note in first.notes] == [
            "No contact with the central for 1 min", "Seen by the monitor alone: dead does not answer",
        ]  # fmt: skip
        assert [(note.level, note.device) for note in first.notes] == [("note", ""), ("critical", "dead")]
        said = {(frame.seq, note.text.context) for frame in hub.frames for note in frame.notes}
        assert {seq for seq, context in said if context == "note.outage"} == {first.seq}, "once"
        assert {seq for seq, _context in said} - {first.seq}, "each verdict travels with its poll, too"
        assert first.seq == max(frame.seq for frame in hub.frames[:2]), "before what waited"

    async def run() -> None:
        async with (
            UdpAgent.serving(answer) as good,
            UdpAgent.serving(lambda data: answer(data) if alive[0] else []) as dead,
        ):
            config = tmp_path / "agent.yaml"
            config.write_text(
                CONFIG.format(broker=port, folder=tmp_path, good=good.port, dead=dead.port), encoding="utf-8"
            )
            agent, hub = Agent(set_up(config), Profiles(), Service({})), Hub(port)
            tasks = [asyncio.create_task(agent.run()), asyncio.create_task(hub.client.run())]
            try:
                async with asyncio.timeout(60):
                    await cut_off_and_back(agent, hub)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    with mosquitto(tmp_path, port):
        asyncio.run(run())


def test_what_the_link_has_cost_is_known_when_asked_and_goes_on_over_a_reload(tmp_path: Path) -> None:
    (tmp_path / "public").write_text("public\n", encoding="utf-8")
    port, config = free_port(), tmp_path / "agent.yaml"
    config.write_text(f"node: torre-pi\nbroker: {{port: {port}}}\ndevices: {{}}\n", encoding="utf-8")

    async def spent(agent: Agent) -> int:
        budget = (await agent._desk.status()).budget
        assert budget is not None
        return budget.month_bytes

    async def run() -> None:
        agent = Agent(set_up(config), Profiles(), Service({}))
        task = asyncio.create_task(agent.run())
        try:
            async with asyncio.timeout(30):
                await until(lambda: agent._desk.contact.status(0.0).connected)
                first = await spent(agent)
                assert first > 200, "a handshake and a birth, in the first second"
                await agent._use(agent._setup)
                assert await spent(agent) >= first
                while await spent(agent) < first + 500:  # both connections
                    await asyncio.sleep(0.02)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    with mosquitto(tmp_path, port):
        asyncio.run(run())
