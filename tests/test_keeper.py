"""The keeper of accounts beside a hub: what it renews by itself, what it goes on with, and what it tells."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import account_broker
import parts
import pytest
from account_broker import AccountBroker, listening, until

from ayni_core.message import Message
from ayni_core.wire import topics
from ayni_core.wire.keys import Renewal, Renewed
from ayni_core.wire.messages import Event
from ayni_core.wire.shape import pack, unpack
from ayni_hub import config as hub_config
from ayni_hub.keys.keeper import Keeper
from ayni_hub.keys.record import Record, Underway
from ayni_io import clock, mqtt_trouble

AYNI = Path(sys.executable).with_name("ayni")
NODE = "torre-pi"
ROLES = {"h-hub": "", "k-hub": "", "n-torre-pi": "", "n-molino-pi": ""}
DAY_S = 86_400.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountBroker]:
    with account_broker.running(tmp_path_factory.mktemp("keeper") / "broker", ROLES) as it:
        yield it


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_trouble, "_PAUSES_S", dict.fromkeys(mqtt_trouble._PAUSES_S, (0.05, 0.1)))


def hub_yaml(server: AccountBroker, folder: Path, **accounts: Any) -> Path:
    secrets = server.folder / "secrets"
    network = {
        "network": {"title": "Valle"},
        "sites": {"torre": {}},
        "nodes": {NODE: {"site": "torre"}, "molino-pi": {"site": "torre"}},
    }
    (folder / "network.yaml").write_text(json.dumps(network))
    (folder / "hub").mkdir(exist_ok=True)
    path = folder / "hub.yaml"
    path.write_text(
        json.dumps(
            {
                "broker": {"port": server.port, "username": "h-hub", "password": f"file:{secrets / 'h-hub'}"},
                "network": str(folder / "network.yaml"),
                "data_dir": str(folder / "hub"),
                "accounts": {"password": f"file:{secrets / 'k-hub'}", **accounts},
            }
        )
    )
    return path


class Village:
    """A keeper, and nodes that answer as they are told; none of them changes its real password."""

    def __init__(self, server: AccountBroker, folder: Path, **accounts: Any) -> None:
        self.server = server
        self.folder = folder
        self.path = hub_yaml(server, folder, **accounts)
        self.record = Record(folder / "hub")
        self.present: dict[str, str] = {}
        self.later_s = 0.0
        self.events: list[Event] = []
        self.asked: list[str] = []

    @asynccontextmanager
    async def keeper(self) -> Any:
        config = hub_config.load(self.path)
        assert config.accounts is not None
        broker = config.accounts.broker(config.broker.resolve(""), "")
        it = Keeper(config, broker, lambda: self.present, self.events.append, look_s=0.02, now=self.now)
        task = asyncio.create_task(it.run())
        try:
            await until(lambda: it._swept, "the keeper has looked")
            yield it
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @asynccontextmanager
    async def node(self, name: str, state: str, text: Message | None = None) -> Any:
        """A node that answers every renewal with this."""
        async with listening(self.server.config(f"n-{name}"), topics.renew(name)) as ear:

            def answer(_topic: str, payload: bytes, _kept: bool) -> None:
                self.asked.append(name)
                said = Renewed(id=unpack(Renewal, payload).id, state=state, text=text)
                tasks.append(asyncio.create_task(ear.publish(topics.renewed(name), pack(said))))

            tasks: list[Any] = []
            ear.on_message = answer
            yield

    def now(self) -> float:
        return clock.wall_s() + self.later_s

    def told(self) -> list[tuple[str, str]]:
        return [(event.name, event.text.context) for event in self.events]


@pytest.fixture
def village(server: AccountBroker, tmp_path: Path) -> Village:
    return Village(server, tmp_path, renew_days=180)


def test_passwords_that_are_old_are_renewed_one_after_the_other_the_oldest_first(village: Village) -> None:
    async def run() -> None:
        async with village.node(NODE, "used"), village.node("molino-pi", "used"), village.keeper():
            village.present = {NODE: "1"}
            await until(lambda: NODE in village.record.read().renewed, "it counts from now on")
            village.later_s = 10 * DAY_S
            village.present["molino-pi"] = "1"
            await until(lambda: "molino-pi" in village.record.read().renewed, "this one too")
            assert village.asked == [], "nobody knows that they are old"
            village.later_s = 179 * DAY_S
            await asyncio.sleep(0.1)
            assert village.asked == []
            village.later_s = 191 * DAY_S
            await until(lambda: len(village.events) == 2, "both")
            assert village.told() == [
                (NODE, "event.password_renewed"),
                ("molino-pi", "event.password_renewed"),
            ]
            await asyncio.sleep(0.1)
            assert len(village.asked) == 2, "and then no more"

    asyncio.run(run())


def test_without_renew_days_nothing_is_renewed_by_itself(server: AccountBroker, tmp_path: Path) -> None:
    village = Village(server, tmp_path)

    async def run() -> None:
        async with village.node(NODE, "used"), village.keeper():
            village.present = {NODE: "1"}
            village.later_s = 1000 * DAY_S
            await asyncio.sleep(0.2)
        assert (village.asked, village.events) == ([], [])

    asyncio.run(run())


def test_a_renewal_that_was_cut_off_is_gone_on_with_when_its_node_is_there(village: Village) -> None:
    begun = Underway(id="1", password="p", since=clock.wall_s() - 1000)
    village.record.begin(NODE, begun)

    async def run() -> None:
        async with village.node(NODE, "used"), village.keeper():
            await asyncio.sleep(0.1)
            assert village.asked == [], "it is not there"
            village.present = {NODE: "1"}
            await until(lambda: village.told() == [(NODE, "event.password_renewed")], "done")
        assert village.record.read().underway == {}

    asyncio.run(run())


def test_who_refuses_a_password_and_who_never_came_back_with_it_are_told_once(village: Village) -> None:
    gone = Underway(id="1", password="p", since=village.now(), set_at=village.now())
    village.record.begin("molino-pi", gone)
    old = Underway(id="2", password="q", since=village.now() - 1000)
    village.record.begin(NODE, old)
    full = Message("renewed.not_kept", {"cause": "No space left on device"})

    async def run() -> None:
        async with village.node(NODE, "refused", full), village.keeper():
            village.present = {NODE: "1"}
            await until(lambda: village.told() == [(NODE, "event.password_refused")], "refused")
            assert "No space left on device" in str(village.events[0].text.values["cause"])
            village.later_s = DAY_S + 60
            await until(lambda: len(village.events) == 2, "not back")
            assert village.told()[1] == ("molino-pi", "event.password_unused")
            await asyncio.sleep(0.1)
            assert len(village.events) == 2
        assert "molino-pi" in village.record.read().underway, "it may still come"

    asyncio.run(run())


def test_a_keeper_that_is_not_let_in_or_finds_damage_says_so_once_and_goes_on(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    path = village.folder / "hub" / "keys" / "keys.json"
    village.record.note({})

    async def run() -> None:
        path.parent.mkdir(exist_ok=True)
        async with village.node(NODE, "used"), village.keeper():
            path.write_text("{")
            await until(lambda: "is damaged" in caplog.text, "told")
            await asyncio.sleep(0.1)
            assert caplog.text.count("is damaged") == 1
            path.unlink()
            village.record.begin(NODE, Underway(id="1", password="p", since=0.0))
            village.present = {NODE: "1"}
            await until(lambda: village.events, "it goes on")

    asyncio.run(run())


def test_a_node_that_sends_nonsense_to_the_keeper_fills_neither_memory_nor_log(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with village.keeper() as keeper, listening(village.server.config("n-torre-pi")) as node:
            await asyncio.gather(*(node.publish(topics.renewed(NODE), b"x" * 100_000) for _ in range(50)))
            assert keeper._line.renewing._answers == {}
            waiting = keeper._line.renewing._answers.setdefault(NODE, asyncio.Queue())
            for payload in (b"nonsense", pack(Renewed(id="1", state="stored"))):
                await asyncio.gather(*(node.publish(topics.renewed(NODE), payload) for _ in range(100)))
            await until(lambda: waiting.qsize() == 10, "no more than that")
        assert caplog.text.count("not understood") == 1

    asyncio.run(run())


# ---- all of it, as processes


def test_a_password_is_renewed_while_hub_and_agent_run_and_is_nowhere_to_be_read(
    tmp_path: Path,
) -> None:
    """`ayni hub rotate` beside a hub and an agent; the agent is killed and comes back with the new one."""
    with ExitStack() as stack:
        server = stack.enter_context(account_broker.running(tmp_path / "broker", ROLES))
        path = hub_yaml(server, tmp_path)
        state = tmp_path / "state"
        state.mkdir()
        old = server.passwords["n-torre-pi"]
        (tmp_path / "agent.yaml").write_text(
            json.dumps(
                {
                    "node": NODE,
                    "broker": {
                        "port": server.port,
                        "username": "n-torre-pi",
                        "password": f"file:{server.folder / 'secrets' / 'n-torre-pi'}",
                    },
                    "state_dir": str(state),
                    "devices": {},
                }
            )
        )
        environment = {**os.environ, "AYNI_LANG": "en"}

        def program(name: str, *words: str) -> subprocess.Popen[bytes]:
            log = stack.enter_context((tmp_path / f"{name}.log").open("ab"))
            process = subprocess.Popen([AYNI, *words], stdout=log, stderr=log, env=environment)
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
            return process

        program("tap", "tap", "--raw", "--config", str(path), "--for", "60")
        program("hub", "hub", "run", "--config", str(path))
        agent = program("agent", "agent", "run", "--config", str(tmp_path / "agent.yaml"))
        log = tmp_path / "agent.log"
        parts.wait_until(lambda: "broker found" in log.read_text(), "the agent is in", within_s=60)
        words = [AYNI, "hub", "rotate", NODE, "--config", path]
        done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{NODE:<24} has a new password\n"
        ring = state / "secrets" / "n-torre-pi"
        new = ring.read_text().splitlines()[0]
        assert new != old
        assert server.takes("n-torre-pi", new)
        agent.send_signal(signal.SIGKILL)
        agent.wait()
        assert not server.takes("n-torre-pi", old)
        found = log.read_text().count("broker found")
        program("agent", "agent", "run", "--config", str(tmp_path / "agent.yaml"))
        parts.wait_until(lambda: log.read_text().count("broker found") > found, "it is back", within_s=60)
        for name in ("tap.log", "hub.log", "agent.log", "broker/broker.log"):
            text = (tmp_path / name).read_text(errors="replace")
            assert new not in text
            assert old not in text
        for each in (*(tmp_path / "hub").rglob("*"), *state.rglob("*")):
            if each.is_file() and each != ring:
                assert new.encode() not in each.read_bytes(), f"{each} has the password"
