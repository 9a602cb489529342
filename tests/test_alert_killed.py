"""A hub that is killed again and again in the middle of a storm fires nothing twice and forgets nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
import subprocess
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import parts
import pytest

from ayni_console import command_alerts, command_maintenance
from ayni_core import slices
from ayni_core.readings import Series, Value
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Alert, HubState, NodeState
from ayni_core.wire.questions import AskAck, Done
from ayni_core.wire.shape import pack, unpack
from ayni_hub.ledger import Ledger
from ayni_io import clock, local_broker, yamlwrite
from ayni_io.local_broker import LocalBroker
from ayni_io.mqtt import MqttClient
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Stack, ayni

pytestmark = pytest.mark.real("mosquitto")
SITES = 12
ROOT = "link-down--link--l0"
KILLS = 2


def network() -> dict[str, object]:
    """A chain of sites, polled by one monitor at its beginning."""
    devices: dict[str, object] = {"gw": {"site": "s0", "address": "10.0.0.1"}}
    for i in range(SITES):
        devices[f"a{i}"] = {"site": f"s{i}", "address": "10.0.0.1"}
        devices[f"b{i}"] = {"site": f"s{i + 1}", "address": "10.0.0.1"}
    return {
        "network": {"title": "Prueba", "poll_s": 1, "flush_s": 60},
        "sites": {f"s{i}": {"homes": 1} for i in range(SITES + 1)},
        "nodes": {"pi": {"site": "s0"}},
        "devices": devices,
        "links": {f"l{i}": {"a": {"device": f"a{i}"}, "b": {"device": f"b{i}"}} for i in range(SITES)},
        "people": {"ana": {"title": "Ana"}},
    }


class Pi:
    """The monitor: polls everything as often as it is told to; `dead` devices do not answer."""

    def __init__(self, mqtt: MqttClient) -> None:
        self._mqtt = mqtt
        self.sent = 0

    async def poll(self, times: int, *, dead: bool) -> None:
        for _ in range(times):
            self.sent += 1
            now = clock.wall_s()
            frame = Frame(
                node="pi", epoch="e", seq=self.sent, boot="b", mono_s=clock.monotonic_s(), wall_s=now,
                synced=True, next_by_s=60, devices=self._devices(dead),
            )  # fmt: skip
            await self._mqtt.publish(topics.frame("pi", "live"), codec.encode(frame, "field"))
            await asyncio.sleep(0.12)

    async def born(self) -> None:
        state = NodeState(up=True, epoch="e", boot="b", flush_s=60, mono_s=clock.monotonic_s())
        await self._mqtt.publish(topics.state("pi"), pack(state), retain=True)

    def _devices(self, dead: bool) -> dict[str, DevicePolls]:
        made = {}
        for name in ["gw", *(f"{side}{i}" for i in range(SITES) for side in "ab")]:
            polls = DevicePolls()
            values: dict[Series, Value] = {ANSWERED: 0}
            if not dead or name in ("gw", "a0"):
                values = {ANSWERED: 1, Series("system", "", "uptime_s"): clock.monotonic_s()}
                values[Series("interface", "w", "if_mac")] = _mac(name)
                peer = {"a": "b", "b": "a"}.get(name[0], "") + name[1:]
                if name != "gw" and not dead:
                    values[Series("station", _mac(peer), "signal_dbm")] = -60
            polls.add(0.0, values)
            made[name] = polls
        return made


def _mac(name: str) -> str:
    return f"0a{zlib.crc32(name.encode()):010x}"


class Central:
    """The hub's process, which dies when the test says so."""

    def __init__(self, folder: Path, people: Onlooker) -> None:
        self._folder = folder
        self._people = people
        self._process: subprocess.Popen[bytes] | None = None

    def _spawn(self) -> None:
        with (self._folder / "hub.log").open("ab") as log:
            self._process = subprocess.Popen(
                ayni("hub", "run", "--config", str(self._folder / "hub.yaml")), stdout=log, stderr=log
            )

    async def start(self) -> None:
        self._spawn()
        assert await self._people.until(lambda: self._state() == "ready", 30), (
            self._folder / "hub.log"
        ).read_text()

    def _state(self) -> str:
        payload = self._people.said.get(topics.HUB)
        return unpack(HubState, payload).state if payload else ""

    def end(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def kill(self) -> None:
        self.end()
        assert await self._people.until(lambda: self._state() == "gone", 10)


@asynccontextmanager
async def village(folder: Path) -> AsyncIterator[tuple[LocalBroker, Central, Onlooker, Pi]]:
    parts.need("mosquitto")
    local_broker.write_accounts(folder, {"h-hub": "", "n-pi": "", "p-ana": "operator"})
    stack = Stack(folder)
    try:
        local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
        facts = slices.BrokerFacts(port=local.port, secrets=str(folder / "secrets"))
        config = slices.hub("hub", facts, network_path=f"{folder}/network.yaml", data_dir=f"{folder}/data")
        yamlwrite.write(folder / "network.yaml", network())
        yamlwrite.write(folder / "hub.yaml", config)
        filters = (f"{topics.PREFIX}/alert/#",)
        mqtt, up = MqttClient(local.config("n-pi"), "pi"), asyncio.Event()
        mqtt.on_connect = up.set
        running = asyncio.create_task(mqtt.run())
        async with Onlooker(local.config("p-ana"), *filters) as ana:
            pi, central = Pi(mqtt), Central(folder, ana)
            await up.wait()
            await pi.born()
            try:
                yield local, central, ana, pi
            finally:
                central.end()
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
    finally:
        await stack.stop()


def alerts(ana: Onlooker) -> dict[str, Alert]:
    return {
        unpack(Alert, payload).id: unpack(Alert, payload)
        for topic, payload in ana.said.items()
        if topic.startswith(topics.alert("")) and payload
    }


def test_a_storm_through_which_the_hub_is_killed_is_told_once(tmp_path: Path) -> None:
    chance = random.Random(5)

    async def story() -> None:
        async with village(tmp_path) as (_local, central, ana, pi):
            await central.start()
            await pi.poll(16, dead=False)
            for number in range(KILLS):
                polling = asyncio.create_task(pi.poll(40, dead=True))
                await asyncio.sleep(chance.uniform(0.2, 1.0))
                await central.kill()
                if not number:
                    an_hour_passes(tmp_path)
                await central.start()
                polling.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await polling
            await pi.poll(5, dead=True)
            assert await ana.until(lambda: bool(alerts(ana).get(ROOT) and alerts(ana)[ROOT].calls), 10)
            found = alerts(ana)
            assert {alert.id for alert in found.values() if alert.silenced_by is None} == {ROOT}
            assert found[ROOT].behind_alerts == len(found) - 1
            done = await ana.ask(AskAck(alert=ROOT, note="on my way"), Done, 10)
            assert done == Done()
            await central.kill()
            await central.start()
            assert alerts(ana)[ROOT].acked_by == "Ana"
            polling = asyncio.create_task(pi.poll(60, dead=False))
            await asyncio.sleep(0.7)
            await central.kill()
            await central.start()
            assert await ana.until(lambda: not alerts(ana), 20)
            polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await polling

    asyncio.run(story())
    assert_told_once(tmp_path)


def an_hour_passes(folder: Path) -> None:
    """As far as a hub can know that does not run."""
    with contextlib.closing(sqlite3.connect(folder / "data" / "ledger.db")) as db, db:
        db.execute("UPDATE seen SET at=at-3600")


def assert_told_once(folder: Path) -> None:
    ledger = Ledger(folder / "data" / "ledger.db")
    assert ledger.alerts() == {}
    told: dict[tuple[str, str, str], list[str]] = {}
    for event in reversed(ledger.events(None, 1000)):
        if event.level in ("warn", "critical", "clear"):
            told.setdefault((event.kind, event.name, event.text.context), []).append(event.level)
    assert ("link", "l0", "rule.link_down") in told
    assert told.pop(("", "", "event.blind_stopped")) == ["warn"]
    assert {tuple(levels) for levels in told.values()} == {("critical", "clear")}, told
    ledger.close()


def test_people_list_take_on_and_announce_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        async with village(tmp_path) as (local, central, ana, pi):
            await central.start()

            async def run(main: Callable[[list[str]], int], *words: str) -> tuple[int, str]:
                secret = str(local.secrets / "p-ana")
                where = ["--broker", f"127.0.0.1:{local.port}", "--user", "ana", "--language", "en"]
                capsys.readouterr()
                status = await asyncio.to_thread(main, [*words, *where, "--password-file", secret])
                shown = capsys.readouterr()
                return status, shown.out + shown.err

            status, said = await run(command_alerts.main)
            assert (status, said) == (0, "No alarms.\n")
            await pi.poll(3, dead=False)
            await pi.poll(10, dead=True)
            assert await ana.until(lambda: bool(alerts(ana).get(ROOT) and alerts(ana)[ROOT].calls), 10)
            status, said = await run(command_alerts.main)
            assert status == 1
            assert said.startswith("DOWN l0 is down\n  for ")
            assert "12 homes; 12 sites are behind it; it explains " in said
            assert f"\n  {ROOT}\n" in said
            assert "l1 is down" not in said
            status, said = await run(command_alerts.main, "--all")
            assert "    DOWN l1 is down" in said
            assert (await run(command_alerts.ack_main, "l0", "--note", "I go")) == (0, "1 alarm is yours.\n")
            status, said = await run(command_alerts.main)
            assert (status, "Ana is at it" in said) == (0, True), said
            assert "note: I go" in said
            status, said = await run(command_alerts.main, "--json")
            first = json.loads(said)[0]
            assert (first["id"], first["acked_by"], first["calls"]) == (ROOT, "Ana", False)
            assert (await run(command_alerts.ack_main, ROOT, "--back"))[1] == "1 alarm is nobody's again.\n"
            status, said = await run(command_alerts.ack_main, "l00")
            assert (status, said) == (1, 'ayni ack: no alarm is about “l00”; did you mean "l0"?\n')
            status, said = await run(command_maintenance.main, "list")
            assert (status, said) == (0, "No maintenance is announced.\n")
            status, said = await run(
                command_maintenance.main, "add", "--site", "s1", "--for", "4h", "--note", "new mast"
            )
            assert status == 0, said
            assert said.startswith("m1  s1: goes on until ")
            assert said.endswith("; Ana; new mast\n")
            assert await ana.until(lambda: alerts(ana)[ROOT].maintenance == "m1", 10)
            status, said = await run(
                command_maintenance.main, "add", "--on", "sat,sun", "--from", "22:00", "--to", "02:00"
            )
            assert "the whole network: from " in said
            status, said = await run(command_maintenance.main, "add", "--site", "moon", "--for", "1h")
            assert (status, said) == (1, "ayni maintenance: nothing is known of moon\n")
            status, said = await run(command_maintenance.main, "add", "--start", "soon", "--for", "1h")
            assert status == 1
            assert "expected a time such as 2026-01-31 08:00" in said
            assert (await run(command_maintenance.main, "end", "m1"))[0] == 0
            assert await ana.until(lambda: alerts(ana)[ROOT].maintenance is None, 10)
            status, said = await run(command_maintenance.main, "list", "--json")
            assert [each["id"] for each in json.loads(said)["windows"]] == ["m2"]

    asyncio.run(story())


def test_without_a_way_to_the_central_each_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--broker", f"127.0.0.1:{parts.free_port()}", "--user", "ana", "--language", "en"]
    for main, words in (
        (command_alerts.main, []),
        (command_alerts.ack_main, ["x"]),
        (command_maintenance.main, ["list"]),
    ):
        assert main([*words, *where]) == 2
        assert capsys.readouterr().err.startswith("ayni ")
