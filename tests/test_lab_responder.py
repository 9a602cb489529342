"""Simulated devices as an SNMP client on the other side of a socket sees them."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import parts
import pytest

from ayni_core import inventory
from ayni_core.ber import encode_oid
from ayni_core.inventory import Network
from ayni_core.mibview import MibView
from ayni_core.snmp import (
    GET,
    GET_BULK,
    MIN_REQUEST_ID,
    OCTET_STRING,
    V2C,
    CommunityEnvelope,
    Pdu,
    decode_response,
    request_template,
)
from ayni_io import configs, yamlfile
from ayni_io.secret import Secret
from ayni_lab import scenario as scenarios
from ayni_lab.responder import Responder
from ayni_lab.simulation import Simulation

SYS_NAME = encode_oid("1.3.6.1.2.1.1.5.0")
REGISTERED_SIGNAL = encode_oid("1.3.6.1.4.1.14988.1.1.1.2.1.3")


class Box:
    """A source with one object, which can be off."""

    def __init__(self, name: str) -> None:
        self.on = True
        self._view = MibView({SYS_NAME: (OCTET_STRING, name.encode())})

    def view(self) -> MibView | None:
        return self._view if self.on else None


@asynccontextmanager
async def serving(**boxes: Box) -> AsyncIterator[Responder]:
    responder = Responder(boxes, b"secret")
    await responder.open()
    try:
        yield responder
    finally:
        responder.close()


def _datagram(community: bytes, kind: int = GET, oid: bytes = SYS_NAME, repeat: int = 0) -> bytes:
    template = request_template(kind, (oid,), 0, repeat)
    return CommunityEnvelope(V2C, community).seal(template, MIN_REQUEST_ID)


async def _ask(port: int, datagram: bytes, within_s: float = 0.5) -> Pdu | None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        probe.connect(("127.0.0.1", port))
        await loop.sock_sendall(probe, datagram)
        try:
            return decode_response(await asyncio.wait_for(loop.sock_recv(probe, 4096), within_s))
        except (TimeoutError, OSError):
            return None


def test_each_device_answers_on_its_own_port_of_loopback() -> None:
    async def run() -> None:
        async with serving(a=Box("a"), b=Box("b")) as responder:
            assert responder.ports["a"] != responder.ports["b"]
            for name, port in responder.ports.items():
                answer = await _ask(port, _datagram(b"secret"))
                assert answer is not None
                assert answer.varbinds[0][2] == name.encode()

    asyncio.run(run())


def test_a_wrong_community_noise_and_a_device_that_is_off_meet_silence() -> None:
    async def run() -> None:
        box = Box("a")
        async with serving(a=box) as responder:
            port = responder.ports["a"]
            assert await _ask(port, _datagram(b"public"), 0.1) is None
            assert await _ask(port, b"\x30\x03hey", 0.1) is None
            box.on = False
            assert await _ask(port, _datagram(b"secret"), 0.1) is None
            box.on = True
            assert await _ask(port, _datagram(b"secret")) is not None

    asyncio.run(run())


@pytest.fixture(scope="module")
def network() -> Network:
    return yamlfile.read(configs.find("network.yaml"), inventory.parse)


def _simulation(network: Network) -> Simulation:
    path = configs.find("scenarios/red-cerro-norte.yaml")
    scenario = yamlfile.read(path, lambda fields: scenarios.parse(fields, network))
    return Simulation(network, scenario, Secret("secret"), Random(1))


def test_the_village_answers_and_a_cut_off_site_does_not(network: Network) -> None:
    async def run() -> None:
        simulation = _simulation(network)
        ports = await simulation.responder.open()
        try:
            assert set(ports) == set(network.devices)
            for name, port in ports.items():
                answer = await _ask(port, _datagram(b"secret"))
                assert answer is not None, name
                assert answer.varbinds[0][2] == name.encode()
            bulk = _datagram(b"secret", GET_BULK, REGISTERED_SIGNAL, 2)
            rows = await _ask(ports["torre-sector"], bulk)
            assert rows is not None
            assert all(oid.startswith(REGISTERED_SIGNAL) for oid, _tag, _value in rows.varbinds)
            simulation.world.conditions.dark_sites.add("escuela")
            simulation.world.step(simulation._now() + 1)
            assert await _ask(ports["escuela-radio"], _datagram(b"secret"), 0.1) is None
            assert await _ask(ports["escuela-server"], _datagram(b"secret"), 0.1) is None
            assert await _ask(ports["cerro-sector"], _datagram(b"secret")) is not None
        finally:
            simulation.responder.close()

    asyncio.run(run())


def test_net_snmp_walks_every_family_in_order(network: Network, tmp_path: Path) -> None:
    program = parts.need("snmpwalk")

    async def run() -> dict[str, str]:
        simulation = _simulation(network)
        ports = await simulation.responder.open()
        walks = {}
        try:
            for name in ("torre-sector", "alto-radio", "escuela-server"):
                command = [program, "-v2c", "-c", "secret", "-On", f"127.0.0.1:{ports[name]}", "1"]
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdout=subprocess.PIPE,
                    env={"SNMP_PERSISTENT_DIR": str(tmp_path), "MIBS": "", "PATH": "/usr/bin:/bin"},
                )
                out, _err = await process.communicate()
                assert process.returncode == 0, name  # it stops at an OID that does not increase
                walks[name] = out.decode()
        finally:
            simulation.responder.close()
        return walks

    walks = asyncio.run(run())
    assert '.1.3.6.1.2.1.1.1.0 = STRING: "RouterOS RB921GS-5HPacD-15S"' in walks["torre-sector"]
    assert ".1.3.6.1.4.1.41112.1.4.5.1.5.1 = INTEGER: -6" in walks["alto-radio"]
    assert ".1.3.6.1.4.1.2021.4.5.0" in walks["escuela-server"]
