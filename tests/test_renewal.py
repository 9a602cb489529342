"""Another password for a node, over its own connection: whoever dies at whatever step is not locked out."""

from __future__ import annotations

import asyncio
import logging
import re
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import account_broker
import pytest
from account_broker import AccountBroker, listening, until

from ayni_agent.config import AgentConfig
from ayni_agent.contact import Contact
from ayni_agent.courier import Courier
from ayni_agent.outbox import MemoryOutbox
from ayni_core.schema import ConfigError
from ayni_core.wire import topics
from ayni_core.wire.keys import LONGEST_PASSWORD, Renewal, Renewed
from ayni_core.wire.shape import pack, unpack
from ayni_hub import tap_view
from ayni_hub.keys.line import Line
from ayni_hub.keys.record import Record, RecordError, Underway
from ayni_hub.keys.renewing import Result
from ayni_io import files, keyring, mqtt_trouble
from ayni_io.control import Control
from ayni_io.keyring import Keyring
from ayni_io.mqtt import BrokerReference
from ayni_io.secret import Secret

NODE, ACCOUNT = "torre-pi", "n-torre-pi"
ROLES = {"h-hub": "", "k-hub": "", ACCOUNT: ""}


class Killed(BaseException):
    """The process is dead: nothing after this line happens."""


class Scene:
    """A broker, a node with its card, and a keeper with its disk; the latter two may die and come again."""

    def __init__(self, server: AccountBroker, folder: Path) -> None:
        self.server = server
        self.state = folder / "state"
        self.state.mkdir()
        self.hub = folder / "hub"
        self.hub.mkdir()
        self.seed = folder / "seed"
        self.seed.write_text(server.passwords[ACCOUNT] + "\n")
        self.ring = self.state / "secrets" / ACCOUNT

    def reference(self) -> BrokerReference:
        return BrokerReference(
            host="127.0.0.1", port=self.server.port, username=ACCOUNT, password=f"file:{self.seed}",
            ca=None, protocol="5",
        )  # fmt: skip

    @asynccontextmanager
    async def node(self, *, keeps: bool = True) -> AsyncIterator[Courier]:
        """The node's courier, as after a fresh start of the agent."""
        reference, state = self.reference(), self.state if keeps else None
        config = AgentConfig(
            node=NODE, broker=reference, poll_s=60, flush_s=300, encoding="field", state_dir=state,
            runtime_dir=None, devices={},
        )  # fmt: skip
        broker = reference.resolve("agent.yaml", state)
        courier = Courier(config, broker, "e" * 16, "b", MemoryOutbox(), Contact("", 0.0))
        task = asyncio.create_task(courier.run())
        try:
            await until(lambda: courier._client.connected or task.done(), "the node is in", 60)
            yield courier
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @asynccontextmanager
    async def keeper(self) -> AsyncIterator[Line]:
        """The keeper, as after a fresh start of the hub."""
        line = Line(self.server.config("k-hub"), Record(self.hub), "k-hub", within_s=60.0, pause_s=0.2)
        task = asyncio.create_task(line.client.run())
        try:
            await until(lambda: line.client.connected, "the keeper is in")
            yield line
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def known(self) -> list[str]:
        """Every password that a node that starts now would try."""
        broker = self.reference().resolve("agent.yaml", self.state)
        return [each.reveal() for each in (broker.password, *broker.others) if each is not None]

    def way_in(self) -> list[str]:
        """Those of them that the broker takes."""
        return [each for each in self.known() if self.server.takes(ACCOUNT, each)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountBroker]:
    with account_broker.running(tmp_path_factory.mktemp("renewal") / "broker", ROLES) as it:
        yield it


@pytest.fixture
def scene(server: AccountBroker, tmp_path: Path) -> Scene:
    return Scene(server, tmp_path)


@pytest.fixture(autouse=True)
def as_at_first(server: AccountBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test leaves the account with the password of its seed; nobody waits long between two tries."""
    monkeypatch.setattr(mqtt_trouble, "_PAUSES_S", dict.fromkeys(mqtt_trouble._PAUSES_S, (0.05, 0.1)))
    yield

    async def back() -> None:
        from ayni_io.control import controlling

        async with controlling(server.config("k-hub")) as control:
            await control.set_password(ACCOUNT, Secret(server.passwords[ACCOUNT]))

    asyncio.run(back())


def test_a_node_gets_another_password_comes_back_with_it_and_the_old_one_is_dead(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    old = scene.server.passwords[ACCOUNT]

    async def run() -> None:
        async with scene.node() as node, scene.keeper() as line:
            assert await line.renewing.renew(NODE) == Result(state="used")
            assert node._client.connected
        new = scene.known()[0]
        assert new != old
        assert not scene.server.takes(ACCOUNT, old)
        assert scene.way_in() == [new]
        assert stat.S_IMODE(scene.ring.stat().st_mode) == 0o600
        assert stat.S_IMODE(scene.ring.parent.stat().st_mode) == 0o700
        assert Record(scene.hub).read().underway == {}
        assert NODE in Record(scene.hub).read().renewed
        everywhere = (*scene.hub.rglob("*"), scene.server.document, scene.server.folder / "broker.log")
        for path in everywhere:
            assert not path.is_file() or new not in path.read_text(), f"{path} has the password"
        assert new not in caplog.text
        assert old not in caplog.text
        async with scene.node(), scene.keeper() as line:
            assert (await line.renewing.renew(NODE)).state == "used", "and once more"
        assert scene.known()[0] not in (new, old)
        assert scene.known()[1] == new, "the one before is kept: a broker may be restored from a backup"

    asyncio.run(run())


def dies(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, before: bool) -> list[str]:
    """Whoever calls this dies there, once: before it is done, or after."""
    real: Callable[..., Any] = getattr(owner, name)
    dead: list[str] = []

    def sync(*args: Any, **options: Any) -> Any:
        if dead or before:
            dead.append(name)
            raise Killed
        found = real(*args, **options)
        dead.append(name)
        raise Killed(found)

    async def waits(*args: Any, **options: Any) -> Any:
        if not before and not dead:
            await real(*args, **options)
        dead.append(name)
        raise Killed

    monkeypatch.setattr(owner, name, waits if asyncio.iscoroutinefunction(real) else sync)
    return dead


STEPS_OF_THE_NODE = [
    ("before it writes", Keyring, "add", True),
    ("in the middle of writing", files, "write_durably", True),
    ("before it answers", Keyring, "add", False),
    ("before it notes which one works", Keyring, "proven", True),
    ("after it noted which one works", Keyring, "proven", False),
]
STEPS_OF_THE_KEEPER = [
    ("before it writes down", Record, "begin", True),
    ("before it sends", Record, "begin", False),
    ("before it tells the broker", Control, "set_password", True),
    ("after it told the broker", Control, "set_password", False),
    ("before it notes that", Record, "given", True),
    ("after it noted that", Record, "given", False),
    ("before it forgets", Record, "finish", True),
    ("after it forgot", Record, "finish", False),
]


def ids(steps: list[Any]) -> list[str]:
    return [step[0] for step in steps]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("step", STEPS_OF_THE_KEEPER, ids=ids(STEPS_OF_THE_KEEPER))
def test_a_hub_that_dies_at_any_step_locks_nobody_out_and_goes_on(scene: Scene, step: Any) -> None:
    _what, owner, name, before = step

    async def run() -> None:
        async with scene.node() as node:
            with pytest.MonkeyPatch.context() as patch:
                dead = dies(patch, owner, name, before=before)
                async with scene.keeper() as line:
                    task = asyncio.create_task(line.renewing.renew(NODE))
                    await until(lambda: dead, "the hub is dead")
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            assert scene.way_in(), "a node that starts now gets in"
            await until(lambda: node._client.connected, "the node that runs gets in")
            async with scene.keeper() as line:
                assert (await line.renewing.renew(NODE)).state == "used"
            assert scene.way_in() == scene.known()[:1]
            assert Record(scene.hub).read().underway == {}

    asyncio.run(run())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("step", STEPS_OF_THE_NODE, ids=ids(STEPS_OF_THE_NODE))
def test_a_node_that_dies_at_any_step_gets_in_again_and_goes_on(scene: Scene, step: Any) -> None:
    _what, owner, name, before = step

    async def run() -> None:
        async with scene.keeper() as line:
            if owner is Keyring and name == "proven":  # the node has connected once, and lives
                renewing = await half_way(scene, line, owner, name, before=before)
            else:
                async with scene.node():
                    with pytest.MonkeyPatch.context() as patch:
                        if owner is files:
                            patch.setattr(
                                Record, "begin", lambda self, node, fresh: fresh
                            )  # ours writes, too
                            patch.setattr(Record, "change", lambda *args: None)
                        dead = dies(patch, owner, name, before=before)
                        renewing = asyncio.create_task(line.renewing.renew(NODE))
                        await until(lambda: dead, "the node is dead")
            assert scene.way_in(), "a node that starts now gets in"
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            async with scene.node():
                assert (await line.renewing.renew(NODE)).state == "used"
            assert scene.way_in() == scene.known()[:1]

    asyncio.run(run())


async def half_way(scene: Scene, line: Line, owner: Any, name: str, *, before: bool) -> asyncio.Task[Result]:
    """A node that dies when it is let in with its new password."""
    async with scene.node():
        with pytest.MonkeyPatch.context() as patch:
            dead = dies(patch, owner, name, before=before)
            renewing = asyncio.create_task(line.renewing.renew(NODE))
            await until(lambda: dead, "the node is dead")
    return renewing


def test_a_broker_that_dies_after_it_was_told_has_it_and_the_node_gets_in(scene: Scene) -> None:
    async def run() -> None:
        async with scene.node() as node, scene.keeper() as line:
            real = line.control.set_password

            async def then_it_dies(account: str, password: Secret) -> None:
                await real(account, password)
                scene.server.stop()
                scene.server.start()

            line.control.set_password = then_it_dies  # type: ignore[method-assign]
            assert (await line.renewing.renew(NODE)).state == "used"
            assert node._client.connected
        assert scene.way_in() == scene.known()[:1]

    asyncio.run(run())


def test_a_broker_that_was_restored_from_a_backup_takes_the_node_with_the_password_before(
    scene: Scene,
) -> None:
    async def run() -> None:
        async with scene.keeper() as line:
            async with scene.node():
                assert (await line.renewing.renew(NODE)).state == "used"
            first = scene.known()[0]
            backup = scene.server.document.read_bytes()
            async with scene.node():
                assert (await line.renewing.renew(NODE)).state == "used"
        scene.server.stop()
        scene.server.document.write_bytes(backup)
        scene.server.start()
        assert scene.known()[0] != first
        async with scene.node(), scene.keeper() as line:
            assert scene.known()[0] == first, "what works comes first"
            assert (await line.renewing.renew(NODE)).state == "used"

    asyncio.run(run())


def test_an_account_that_was_reset_to_its_seed_lets_a_node_in_that_had_others(scene: Scene) -> None:
    scene.ring.parent.mkdir(mode=0o700)
    scene.ring.write_text("".join(f"renewed-{number}\n" for number in range(keyring.MOST)))

    async def run() -> None:
        async with scene.node(), scene.keeper() as line:
            assert scene.known()[0] == scene.server.passwords[ACCOUNT]
            assert (await line.renewing.renew(NODE)).state == "used"
        assert len(scene.ring.read_text().splitlines()) == keyring.MOST

    asyncio.run(run())


def test_who_is_away_is_told_so_soon_and_keeps_its_password(scene: Scene) -> None:
    async def run() -> None:
        async with scene.keeper() as line:
            line.renewing._within_s = 0.6
            assert (await line.renewing.renew(NODE)).state == "away"
        assert scene.server.takes(ACCOUNT, scene.server.passwords[ACCOUNT])
        (waiting,) = Record(scene.hub).read().underway.values()
        assert waiting.password not in repr(waiting)
        async with scene.node(), scene.keeper() as line:
            assert (await line.renewing.renew(NODE)).state == "used"
        assert scene.known()[0] == waiting.password, "the same one: there are never two"

    asyncio.run(run())


def test_a_node_that_cannot_keep_a_password_says_so_and_keeps_the_one_it_has(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    async def run() -> None:
        async with scene.keeper() as line:
            async with scene.node(keeps=False):
                result = await line.renewing.renew(NODE)
                assert result.text is not None
                assert (result.state, result.text.context) == ("refused", "renewed.no_folder")
            async with scene.node():
                with monkeypatch.context() as patch:
                    patch.setattr(keyring.files, "write_durably", full)
                    patch.setattr(Record, "begin", lambda self, node, fresh: fresh)
                    patch.setattr(Record, "finish", lambda *args: None)
                    result = await line.renewing.renew(NODE)
                assert result.text is not None
                assert result.text.values["cause"] == "No space left on device"
        assert scene.server.takes(ACCOUNT, scene.server.passwords[ACCOUNT])

    asyncio.run(run())


def test_what_is_no_password_is_refused_by_the_node(scene: Scene) -> None:
    async def run() -> None:
        async with scene.node(), listening(scene.server.config("k-hub"), topics.renewed(NODE)) as keeper:
            for number, text in enumerate(("", " x", "a\nb", "ñ", "x" * (LONGEST_PASSWORD + 1))):
                await keeper.publish(topics.renew(NODE), pack(Renewal(id=str(number), password=text)))
            await keeper.publish(topics.renew(NODE), b"{")
            await keeper.publish(topics.renew(NODE), pack(Renewal(id="old", password="x")), retain=True)
            await until(lambda: len(keeper.heard) >= 6, "answers")
            await keeper.publish(topics.renew(NODE), b"", retain=True)
        answers = [unpack(Renewed, payload) for _t, payload, _r in keeper.heard]
        assert [each.state for each in answers[:5]] == ["refused"] * 5

    asyncio.run(run())


def test_a_node_keeps_a_bounded_number_of_passwords_the_one_that_works_first(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "secrets" / "n-a")
    works = Secret("works")
    ring.proven(works)
    assert not (tmp_path / "secrets").exists(), "a seed is not copied"
    for number in range(10):
        ring.add(Secret(f"c{number}"))
    kept = [each.reveal() for each in keyring.read(tmp_path / "secrets" / "n-a")]
    assert kept == ["works", "c9", "c8", "c7"]
    ring.proven(Secret("c8"))
    assert [each.reveal() for each in keyring.read(tmp_path / "secrets" / "n-a")] == [
        "c8",
        "works",
        "c9",
        "c7",
    ]


def test_a_keyring_that_cannot_be_read_is_told_and_a_damaged_one_leaves_the_seed(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    path = tmp_path / "secrets" / "n-a"
    path.write_bytes(b"\xff\xfe\x00")
    (tmp_path / "seed").write_text("seed")
    reference = BrokerReference(
        host="127.0.0.1", port=1, username="n-a", password=f"file:{tmp_path}/seed", ca=None, protocol="5"
    )
    password = reference.resolve("x", tmp_path).password
    assert password is not None
    assert password.reveal() == "seed"
    path.write_text("renewed\nolder\n")
    found = replace(reference, password="file:/nowhere").resolve("x", tmp_path)
    assert found.password == Secret("renewed")
    assert found.others == (Secret("older"),), "a renewed one needs no seed"
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        reference.resolve("x", tmp_path)


def test_a_damaged_record_is_told_and_changes_nothing(tmp_path: Path) -> None:
    record = Record(tmp_path)
    fresh = Underway(id="1", password="p", since=1.0)
    assert record.begin("a", fresh) == fresh
    assert record.begin("a", replace(fresh, id="2")) == fresh, "there is only one"
    path = tmp_path / "keys" / "keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("{")
    with pytest.raises(RecordError, match=re.escape(f"{path}: is damaged")):
        record.read()


def test_reading_along_shows_no_password() -> None:
    for topic in (topics.renew(NODE), topics.welcome(NODE)):
        heard = tap_view.hear(topic, pack(Renewal(id="1", password="s3cret")), 0.0)
        shown = "\n".join(tap_view.lines(heard, verbose=True)) + repr(heard)
        assert "s3cret" not in shown
