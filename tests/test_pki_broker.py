"""Certificates of `ayni pki` at a real Mosquitto: renewed without a break, rolled over, any year."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import parts
import pytest
from test_mqtt_client import Heard, mosquitto, until

from ayni_core import inventory, slices
from ayni_core.schema import Faults, Fields
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import Frame
from ayni_core.wire.messages import HubState
from ayni_core.wire.shape import pack
from ayni_hub.pki import authority, work
from ayni_hub.pki.authority import YEAR_S, Authority
from ayni_hub.pki.folder import PkiFolder
from ayni_io import broker_look, clock, yamlwrite
from ayni_io.mqtt import BrokerConfig
from ayni_io.stack import ayni

NAMES = ["localhost", "127.0.0.1"]
WRONG = "broker localhost:{port}: its certificate is not the expected one"
CHILD = """
import asyncio, sys, time
from pathlib import Path
from ayni_io.mqtt import BrokerConfig, MqttClient

async def main(host, port, ca, right):
    client = MqttClient(BrokerConfig(host=host, port=int(port), ca=Path(ca)), "child", clock_is_right=lambda: right == "right")
    told = []
    client.on_disconnect = told.append
    task = asyncio.create_task(client.run())
    for _ in range(500):
        if client.connected or told:
            break
        await asyncio.sleep(0.02)
    print(time.gmtime().tm_year, client.connected, *told)
    task.cancel()

asyncio.run(main(*sys.argv[1:]))
"""  # noqa: E501


class Village:
    """An authority with a broker's certificate, as of a time, and what each machine has of it."""

    def __init__(self, path: Path, now: float) -> None:
        self.path = path
        self.now = now
        self.folder = PkiFolder(path / "pki")
        self.old = work.init(self.folder, "Village", None, now, "01")
        self.renew(self.old)

    def renew(self, signer: Authority) -> None:
        work.issue(self.folder, signer, "hub", NAMES, self.now)

    def copy(self, name: str) -> Path:
        """The `ca.crt` of now, as a machine keeps it."""
        return Path(shutil.copy(self.folder.trusted, self.path / name))

    def install(self) -> list[str]:
        """The broker's files brought to the broker; the lines of its configuration."""
        for kind in ("crt", "key"):
            Path(shutil.copy(self.folder.issued / f"hub.{kind}", self.path / f"server.{kind}")).chmod(0o644)
        return [f"certfile {self.path}/server.crt", f"keyfile {self.path}/server.key"]

    def fingerprint(self) -> str:
        return authority.seen(self.folder.certificates(self.folder.issued / "hub.crt")[0]).fingerprint


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    yield Village(tmp_path, clock.wall_s())


def config(port: int, ca: Path, host: str = "localhost") -> BrokerConfig:
    return BrokerConfig(host=host, port=port, ca=ca)


async def connects(port: int, ca: Path, *, right: bool = True, host: str = "localhost") -> str:
    """Empty where it does, else why not."""
    async with Heard(config(port, ca, host), "probe", clock_is_right=lambda: right) as probe:
        await until(lambda: probe.reasons or probe.client.connected)
        return "" if probe.client.connected else probe.reasons[0]


def test_a_renewed_certificate_is_read_without_cutting_anybody_off(village: Village) -> None:
    port = parts.free_port()
    ca = village.copy("node.crt")

    async def run(broker: subprocess.Popen[bytes]) -> None:
        async with Heard(config(port, ca), "node", clock_is_right=lambda: True) as node:
            await until(lambda: node.client.connected)
            first = node.client.certificate
            assert first is not None
            assert first.fingerprint == village.fingerprint()
            assert first.ends == pytest.approx(village.now + 5 * YEAR_S, abs=2)
            village.renew(village.old)
            village.install()
            broker.send_signal(signal.SIGHUP)
            for _ in range(200):
                seen = await asyncio.to_thread(broker_look.shows, "localhost", port)
                if seen.fingerprint == village.fingerprint():
                    break
                await asyncio.sleep(0.02)
            assert seen.fingerprint == village.fingerprint() != first.fingerprint
            assert await connects(port, ca, host="127.0.0.1") == "", "by its address, too"
            assert await node.client.publish("t", b"still here") in (True, False)
            assert node.connections == 1

    with mosquitto(village.path, port, *village.install()) as broker:
        asyncio.run(run(broker))


def test_through_a_roll_over_nobody_loses_the_broker_not_even_who_missed_it(village: Village) -> None:
    """Machines with the old authority, with both, and with the new one: who has to connect, does; in any
    order in which people come round."""
    port = parts.free_port()
    old = village.copy("old.crt")
    stranger = Village(village.path / "elsewhere", village.now).copy("other.crt")

    async def who(**wanted: tuple[Path, bool]) -> None:
        found = {name: await connects(port, ca) for name, (ca, _connects) in wanted.items()}
        assert {name: not said for name, said in found.items()} == {
            name: connects for name, (_ca, connects) in wanted.items()
        }, found
        assert "another authority signed it" in await connects(port, stranger)

    with mosquitto(village.path, port, *village.install()) as broker:
        asyncio.run(who(before=(old, True)))
        new = work.begin(village.folder, village.old, "Village", None, village.now, "02")
        both = village.copy("both.crt")
        asyncio.run(who(missed=(old, True), has_both=(both, True)))
        work.finish(village.folder, new, village.now)
        village.install()
        broker.send_signal(signal.SIGHUP)
        parts.wait_until(
            lambda: broker_look.shows("localhost", port).fingerprint == village.fingerprint(), "read anew"
        )
        after = village.copy("new.crt")
        asyncio.run(who(missed=(old, True), has_both=(both, True), has_new=(after, True)))
        village.renew(new)
        village.install()
        broker.send_signal(signal.SIGHUP)
        parts.wait_until(
            lambda: broker_look.shows("localhost", port).fingerprint == village.fingerprint(), "read anew"
        )
        asyncio.run(who(missed=(old, True), has_both=(both, True), has_new=(after, True)))


def test_a_machine_that_got_the_new_authority_too_early_is_refused(village: Village) -> None:
    """The control to the test above: the order that the command tells matters."""
    port = parts.free_port()
    new = work.begin(village.folder, village.old, "Village", None, village.now, "02")
    lines = village.install()
    work.finish(village.folder, new, village.now)
    with mosquitto(village.path, port, *lines):  # which still shows what the old one signed
        assert "another authority signed it" in asyncio.run(connects(port, village.copy("new.crt")))


@pytest.mark.parametrize(
    ("years_ago", "reason"),
    [
        (-3.0, "it is not valid yet"),  # as to a machine whose clock is three years behind
        (6.0, "it has expired"),
        (30.0, "it has expired"),  # and the authority with it
    ],
)
def test_who_does_not_know_the_time_asks_for_chain_and_name_only(
    tmp_path: Path, years_ago: float, reason: str
) -> None:
    port = parts.free_port()
    village = Village(tmp_path, clock.wall_s() - years_ago * YEAR_S)
    ca = village.copy("node.crt")
    stranger = Village(tmp_path / "elsewhere", village.now).copy("other.crt")
    with mosquitto(tmp_path, port, *village.install()):
        assert reason in asyncio.run(connects(port, ca, right=True))
        assert asyncio.run(connects(port, ca, right=False)) == ""
        assert "another authority" in asyncio.run(connects(port, stranger, right=False))


def test_a_machine_that_missed_a_roll_over_and_woke_in_1970_connects(village: Village) -> None:
    port = parts.free_port()
    old = village.copy("old.crt")
    new = work.begin(village.folder, village.old, "Village", None, village.now, "02")
    work.finish(village.folder, new, village.now)
    with mosquitto(village.path, port, *village.install()):
        assert asyncio.run(connects(port, old, right=False)) == ""


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What lets a program believe in another year."""
    return parts.shifted_clock(tmp_path_factory.mktemp("clock"))


@pytest.mark.parametrize(
    ("year", "right", "wanted"),
    [
        (1970, "unsure", "1970 True"),
        (1970, "right", f"1970 False {WRONG}: it is not valid"),
        (2024, "unsure", "2024 True"),
        (2030, "right", "2030 True"),
        (2099, "unsure", "2099 True"),
        (2099, "right", f"2099 False {WRONG}: it has expired"),
    ],
)
def test_a_program_in_another_year_connects_unless_it_is_sure_of_that_year(
    village: Village, shifted: Path, year: int, right: str, wanted: str
) -> None:
    """The whole client in a process whose wall clock is wrong, as that of a Pi without a battery."""
    port = parts.free_port()
    ca = village.copy("node.crt")
    middle = (year - 1970 + 0.5) * YEAR_S
    behind = int(clock.wall_s() - middle)
    with mosquitto(village.path, port, *village.install()):
        done = subprocess.run(
            [sys.executable, "-c", CHILD, "localhost", str(port), str(ca), right],
            capture_output=True, text=True, timeout=60,
            env={"LD_PRELOAD": str(shifted), "AYNI_BEHIND_S": str(behind), "PATH": "/usr/bin"},
        )  # fmt: skip
    assert done.stdout.startswith(wanted.format(port=port)), done.stdout + done.stderr[-2000:]


def test_a_monitor_and_a_central_that_woke_in_1970_meet_a_broker_whose_certificate_has_expired(
    tmp_path: Path, shifted: Path
) -> None:
    """The programs themselves, over TLS: the monitor delivers, the central says that its clock is wrong."""
    port, now = parts.free_port(), clock.wall_s()
    village = Village(tmp_path, now - 7 * YEAR_S)
    ca = village.copy("node.crt")
    raw = {
        "network": {"title": "T", "poll_s": 5, "flush_s": 10},
        "sites": {"torre": {}},
        "nodes": {"pi": {"site": "torre"}},
        "devices": {"itself": {"site": "torre", "node": "pi", "source": {"kind": "host"}}},
    }
    faults = Faults("network.yaml")
    network = inventory.parse(Fields(raw, "", faults))
    faults.stop()
    facts = slices.BrokerFacts(secrets=str(tmp_path))
    agent = slices.agent(network, "pi", facts, state_dir=f"{tmp_path}/a", runtime_dir=f"{tmp_path}/r")
    hub = slices.hub("hub", facts, network_path=f"{tmp_path}/network.yaml", data_dir=f"{tmp_path}/h")
    broker = {"host": "localhost", "port": port, "ca": str(ca)}
    for name, value in (("network", raw), ("agent", agent), ("hub", hub)):
        yamlwrite.write(tmp_path / f"{name}.yaml", {**value, **({} if value is raw else {"broker": broker})})
    lost = ["env", f"LD_PRELOAD={shifted}", f"AYNI_BEHIND_S={int(now) - 3600}", "AYNI_UNSURE=1", *ayni()]

    async def frame(heard: Heard) -> Frame:
        ready = pack(HubState(state="ready", at=now, version="0"))
        await until(lambda: heard.client.connected)
        await heard.client.publish(topics.HUB, ready, retain=True)
        await until(lambda: any(topics.parse(topic).root == "in" for topic, _payload, _ in heard.messages))
        return next(
            codec.decode(payload) for topic, payload, _ in heard.messages if topics.parse(topic).root == "in"
        )

    async def story() -> None:
        seen = config(port, ca)
        async with Heard(seen, "eyes", clock_is_right=lambda: False) as heard:
            heard.client.subscribe("ayni/v1/#")
            run = [*lost, "agent", "run", "--config", f"{tmp_path}/agent.yaml"]
            with parts.running(run, tmp_path / "agent.log"):
                found = await frame(heard)
                assert found.node == "pi"
                assert found.wall_s < 7200.0, "an hour into 1970"
                assert not found.synced
            heard.messages.clear()
            run = [*lost, "hub", "run", "--config", f"{tmp_path}/hub.yaml"]
            with parts.running(run, tmp_path / "hub.log"):
                await until(lambda: any(b"clock-wrong" in payload for _t, payload, _r in heard.messages))

    with mosquitto(tmp_path, port, *village.install()):
        asyncio.run(story())
