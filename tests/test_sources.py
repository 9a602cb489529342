"""Devices beyond SNMP: one section `source:` from the inventory through the slice to a poll of the agent."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from ayni_agent import config, eyes
from ayni_agent.eyes import EyeError
from ayni_agent.eyes.poller import EyePoller
from ayni_core import inventory, slices
from ayni_core.readings import Series, Value
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_core.slices import BrokerFacts

WAY_OUT = {"kind": "probes", "probes": {"far": {"what": "ping", "host": "127.0.0.1", "count": 2}}}
NETWORK: dict[str, Any] = {
    "network": {"title": "Red"},
    "sites": {"torre": {}},
    "nodes": {"torre-pi": {"site": "torre"}},
    "devices": {"way-out": {"site": "torre", "source": WAY_OUT}},
}


def read(network: Mapping[str, Any]) -> inventory.Network:
    faults = Faults("network.yaml")
    found = inventory.parse(Fields(network, "", faults))
    faults.stop()
    return found


def test_a_source_goes_from_the_inventory_into_the_agents_slice_and_is_the_same_there() -> None:
    network = read(NETWORK)
    assert network.devices["way-out"].address == "127.0.0.1"
    sliced = slices.agent(network, "torre-pi", BrokerFacts(secrets="/s"))
    assert sliced["devices"] == {"way-out": {"source": WAY_OUT}}
    faults = Faults("agent.yaml")
    device = config.parse(Fields(sliced, "", faults)).devices["way-out"]
    faults.stop()
    assert device.source is not None
    assert (device.source.KIND, device.address, device.host) == ("probes", "127.0.0.1", "")


def test_a_device_has_a_source_or_an_address_never_both_and_faults_say_where() -> None:
    section = {"kind": "probes", "probes": {"far": {"what": "ping", "hots": "x"}}}
    wrong = NETWORK | {
        "devices": {
            "a": {"site": "torre", "source": WAY_OUT, "address": "10.0.0.1"},
            "b": {"site": "torre", "source": section},
            "c": {"site": "torre", "source": {"kind": "probe"}},
        }
    }
    with pytest.raises(ConfigError) as caught:
        read(wrong)
    told = str(caught.value)
    assert "devices.a.address: unknown key" in told
    assert 'devices.b.source.probes.far.hots: unknown key; did you mean "host"?' in told
    assert 'devices.c.source.kind: unknown value "probe"; did you mean "probes"?' in told


class Box:
    """An eye that says what it was given, or fails, or never ends."""

    def __init__(self, says: Mapping[Series, Value] | str | None) -> None:
        self.says = says

    async def read(self) -> Mapping[Series, Value]:
        if self.says is None:
            await asyncio.Event().wait()
        if isinstance(self.says, str):
            raise EyeError(self.says)
        assert self.says is not None
        return self.says

    def close(self) -> None:
        pass


def test_an_eye_polls_as_a_device_does_and_its_troubles_are_errors_of_the_poll() -> None:
    async def work() -> None:
        box = Box({Series("power", "battery", "voltage_v"): 12.6})
        poller = EyePoller("charger", box, "ve-direct", 0.05)
        poll = await poller.poll(7.0)
        assert (poll.device, poll.at_s, poll.error) == ("charger", 7.0, None)
        assert poll.values[Series("power", "battery", "voltage_v")] == 12.6
        assert poll.values[Series("system", "", "profile")] == "ve-direct"
        assert (await poller.pulse(8.0)).values == {}
        box.says = "/dev/ttyUSB0: no such device"
        assert (await poller.poll(9.0)).error == "/dev/ttyUSB0: no such device"
        assert (await poller.pulse(9.0)).error == "/dev/ttyUSB0: no such device"
        box.says = None
        assert "nothing came" in str((await poller.poll(10.0)).error)

    asyncio.run(work())


def test_what_a_kind_needs_is_told_before_anything_runs() -> None:
    faults = Faults("agent.yaml")
    source = inventory.sources.read(Fields(WAY_OUT, "source", faults))
    faults.stop()
    assert eyes.prepare(source, "agent.yaml: devices.x.source").secrets == {}


@pytest.mark.parametrize("kind", sorted(inventory.sources.KINDS))
def test_each_kind_is_called_as_its_own_class_says_and_has_an_eye(kind: str) -> None:
    module, name = inventory.sources.KINDS[kind]
    found = getattr(importlib.import_module(f"ayni_core.sources.{module}"), name)
    assert kind == found.KIND
    assert kind in eyes._KINDS
    importlib.import_module(eyes._KINDS[kind].module)


def test_an_agent_without_such_devices_does_not_carry_their_modules() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import ayni_agent.command_run, sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert not {"ayni_core.sources.web", "ayni_core.sources.modbus", "ayni_core.traps", "icmplib"} & set(said)
