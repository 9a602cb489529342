"""The lock-out guard of a whole agent: a real process with a real broker, killed in each phase."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from commanded import DOWN, UP, UdpBox, port
from parts import UdpAgent, free_port
from test_mqtt_client import mosquitto

from ayni_core.snmp import SET, decode_request
from ayni_core.wire import topics
from ayni_core.wire.messages import Command, CommandState, HubState, NodeState
from ayni_core.wire.shape import pack, unpack
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, MqttClient

AYNI = Path(sys.executable).parent / "ayni"
NODE, ID = "torre-pi", "ana.1"
ETHER2 = port(2)
CONFIG = """\
node: torre-pi
broker: {{ port: {broker} }}
poll_s: 5
flush_s: 60
state_dir: {folder}/state
runtime_dir: {folder}/run
devices:
  switch:
    address: 127.0.0.1:{box}
    profile: routeros
    community: file:{folder}/read
    write: {{ community: file:{folder}/write }}
"""


class Switch(UdpBox):
    """The box at the moment of a SET: `lost`, it never arrives; `at_set` is called then."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = False
        self.asked_to_set = 0

    def answer(self, datagram: bytes) -> list[bytes]:
        if decode_request(datagram).pdu.kind == SET:
            self.asked_to_set += 1
            if self.lost:
                return []
        return super().answer(datagram)


class Hub:
    """Stands where the hub does. `confirms`: it answers what is on probation."""

    def __init__(self, port: int) -> None:
        self.births: list[NodeState] = []
        self.told: list[CommandState] = []
        self.confirms = False
        self.client = MqttClient(BrokerConfig(port=port), "hub")
        self.client.on_message = self._message
        self.client.subscribe(topics.state(NODE), topics.done(NODE), f"{topics.PREFIX}/in/#")
        self._tasks: set[asyncio.Task[bool]] = set()

    def _message(self, topic: str, payload: bytes, _retained: bool) -> None:
        match topics.parse(topic).root:
            case "state":
                state = unpack(NodeState, payload)
                if state.up and state.epoch not in (each.epoch for each in self.births):
                    self.births.append(state)
            case "done":
                self.told.append(unpack(CommandState, payload))
                if self.told[-1].state == "probation" and self.confirms:
                    self.confirm()

    def send(self, command: Command) -> None:
        task = asyncio.create_task(self.client.publish(topics.cmd(NODE), pack(command)))
        self._tasks.add(task)

    def confirm(self) -> None:
        """The answer to the newest nonce."""
        nonce = next(state.nonce for state in reversed(self.told) if state.nonce)
        self.send(Command(id=ID, do="confirm", epoch="", nonce=nonce))

    def port_down(self) -> None:
        birth = self.births[-1]
        command = Command(
            id=ID, do="port", epoch=birth.epoch, boot=birth.boot, until_s=clock.monotonic_s() + 30, by="ana",
            role="operator", device="switch", item="ether2", value="down", for_s=600,
        )  # fmt: skip
        self.send(command)

    def ends(self) -> list[str]:
        return [state.state for state in self.told if state.state in ("done", "undone", "failed", "refused")]


async def until(ready: Callable[[], bool]) -> None:
    while not ready():
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def agent(config: Path) -> AsyncIterator[Callable[[], None]]:
    """`ayni agent run`; what it yields kills it."""
    with (config.parent / "agent.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            str(AYNI), "agent", "run", "--config", str(config),
            stderr=log, env={**os.environ, "AYNI_LANG": "en"},
        )  # fmt: skip

        def kill() -> None:
            if process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)

        try:
            yield kill
        finally:
            kill()
            await process.wait()


@pytest.mark.parametrize("phase", ["before", "after", "probation", "confirmed"])
def test_a_killed_agent_makes_it_as_it_was_unless_the_hub_had_answered(tmp_path: Path, phase: str) -> None:
    """Killed before the change reached the device, before its answer came, on probation, and afterwards."""
    (tmp_path / "read").write_text(Switch.READ.decode(), encoding="ascii")
    (tmp_path / "write").write_text(Switch.WRITE.decode(), encoding="ascii")
    config, broker, switch = tmp_path / "agent.yaml", free_port(), Switch()

    def undos() -> list[str]:
        return [path.name for path in (tmp_path / "state" / "undo").glob("*.json")]

    async def first_life(hub: Hub) -> None:
        switch.lost, switch.mute = phase == "before", phase == "after"
        hub.confirms = phase == "confirmed"
        async with agent(config) as kill:
            await until(lambda: bool(hub.births))
            hub.port_down()
            match phase:
                case "before":
                    await until(lambda: switch.asked_to_set > 0)
                case "after":
                    await until(lambda: switch[ETHER2] == DOWN)
                case "probation":
                    await until(lambda: hub.told[-1:] != [] and hub.told[-1].state == "probation")
                case "confirmed":
                    await until(lambda: "done" in hub.ends())
            kill()
        assert undos() == ([] if phase == "confirmed" else [f"{ID}.json"])
        assert switch[ETHER2] == (UP if phase == "before" else DOWN)

    async def second_life(hub: Hub) -> None:
        sets = len(switch.sets)
        switch.lost = switch.mute = False
        async with agent(config):
            await until(lambda: len(hub.births) == 2)
            if phase == "confirmed":
                hub.port_down()  # the same once more, by its name: it answers what it remembers
                await until(lambda: len(hub.ends()) > 1)
                assert set(hub.ends()) == {"done"}
                assert (switch[ETHER2], len(switch.sets)) == (DOWN, sets)
                return
            await until(lambda: "undone" in hub.ends())
            assert (switch[ETHER2], len(switch.sets)) == (UP, sets + 1)
            if phase == "probation":
                hub.confirm()  # too late: it was a nonce of before
            hub.port_down()
            heard = len(hub.ends())
            await until(lambda: len(hub.ends()) > heard)
            assert set(hub.ends()) == {"undone"}
            assert (switch[ETHER2], len(switch.sets)) == (UP, sets + 1)
        assert undos() == []

    async def run() -> None:
        hub = Hub(broker)
        hub_task = asyncio.create_task(hub.client.run())
        async with UdpAgent.serving(switch.answer) as served:
            config.write_text(
                CONFIG.format(broker=broker, folder=tmp_path, box=served.port), encoding="utf-8"
            )
            try:
                async with asyncio.timeout(30):
                    await until(lambda: hub.client.connected)
                    await hub.client.publish(topics.HUB, pack(HubState(state="ready")), retain=True)
                    await first_life(hub)
                    await second_life(hub)
            except TimeoutError:
                pytest.fail((tmp_path / "agent.log").read_text(encoding="utf-8"))
            finally:
                hub_task.cancel()
                await asyncio.gather(hub_task, return_exceptions=True)

    with mosquitto(tmp_path, broker):
        asyncio.run(run())
