"""A pretend network at work: a world that moves, a responder that answers for it, a script that listens.

The lab's config file names what they need; `ports` is where the UDP port of each device is written once all
of them answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from ayni_core import inventory
from ayni_core.fault import fault
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError, Fields
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import LabDo
from ayni_core.wire.shape import pack, unpack
from ayni_io import clock, files, secret, yamlfile
from ayni_io.mqtt import BrokerConfig, BrokerReference, MqttClient, MqttError, read_broker
from ayni_io.secret import Secret, check_reference
from ayni_lab import scenario as scenarios
from ayni_lab.conditions import Conditions
from ayni_lab.responder import Responder
from ayni_lab.scenario import Scenario
from ayni_lab.script import Script
from ayni_lab.views import MachineView
from ayni_lab.world import World

log = logging.getLogger("lab")
_STEP_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabConfig:
    """Everything that a simulation is told. `seed` makes it repeat itself."""

    broker: BrokerReference
    network: Path
    scenario: Path
    community: str
    ports: Path
    seed: int


def parse(fields: Fields) -> LabConfig:
    """Read the top mapping of a lab's config file."""
    return LabConfig(
        broker=read_broker(fields.child("broker")),
        network=Path(fields.text("network")),
        scenario=Path(fields.text("scenario")),
        community=check_reference(fields, "community"),
        ports=Path(fields.text("ports")),
        seed=fields.number("seed", 1, whole=True),
    )


class Simulation:
    """One pretend network. `now` is the wall clock unless a test gives another."""

    def __init__(
        self,
        network: inventory.Network,
        scenario: Scenario,
        community: Secret,
        rng: Random,
        now: Callable[[], float] = clock.wall_s,
    ) -> None:
        self._now = now
        conditions = Conditions()
        self.script = Script(scenario, network, conditions, now())
        offset_s = time.localtime(now()).tm_gmtoff
        self.world = World(network, scenario.cast, conditions, rng, now(), utc_offset_s=offset_s)
        views = {name: MachineView(machine, now) for name, machine in self.world.machines.items()}
        self.responder = Responder(views, community.reveal().encode("utf-8"))

    async def live(self) -> None:
        """Let time pass until cancelled."""
        while True:
            self.world.step(self._now())
            await asyncio.sleep(_STEP_S)

    async def obey(self, broker: BrokerConfig) -> None:
        """Take orders from `lab/do/+` and retain the state on `lab`, until cancelled."""
        client = MqttClient(broker, f"{broker.username}-{id(self):x}")
        changed = asyncio.Event()

        def on_message(topic: str, payload: bytes, _retained: bool) -> None:
            try:
                topics.parse(topic)
                order = unpack(LabDo, payload)
            except WireError as error:
                log.warning("order refused reason=%s", error)
                return
            said = self.script.do(order, self._now())
            log.info("order do=%s what=%s said=%s", order.do, order.what, said.context)
            self.world.step(self._now())
            changed.set()

        client.on_message = on_message
        client.on_connect = changed.set
        client.on_disconnect = lambda reason: log.warning("%s", reason)
        client.subscribe(*topics.rights("l-lab").subscribe)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.run())
            while True:
                await changed.wait()
                changed.clear()
                with contextlib.suppress(MqttError):  # at the next connection it is published again
                    await client.publish(topics.LAB, pack(self.script.state()), retain=True)


def load(path: Path) -> tuple[LabConfig, inventory.Network, Scenario]:
    """A config file, and the network and scenario it names. Raises `ConfigError`."""
    config = yamlfile.read(path, parse)
    network = yamlfile.read(config.network, inventory.parse)
    scenario = yamlfile.read(config.scenario, lambda fields: scenarios.parse(fields, network))
    if not network.devices:
        wanted = Phrase("word.at_least_one")
        raise ConfigError([fault(f"{config.network}: devices", "fault.missing", wanted=wanted)])
    return config, network, scenario


async def run(config: LabConfig, network: inventory.Network, scenario: Scenario, source: str) -> int:
    """Run a simulation until cancelled."""
    broker = config.broker.resolve(source)
    community = secret.resolve(config.community, f"{source}: community")
    simulation = Simulation(network, scenario, community, Random(config.seed))  # noqa: S311
    try:
        ports = await simulation.responder.open()
        files.write_text(config.ports, json.dumps(ports, indent=1) + "\n")
        log.info("started devices=%d", len(ports))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(simulation.live())
            tasks.create_task(simulation.obey(broker))
    finally:
        simulation.responder.close()
    return 0
