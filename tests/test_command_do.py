"""`ayni do` over a real Mosquitto: the person's program, the hub's desk, an agent's commands, a box."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import parts
import pytest
from commanded import BOOT, DOWN, EPOCH, PROFILES, UP, Ground, UdpBox, port, until
from parts import UdpAgent
from test_chain import COMMUNITY, Town, alone_in_town, device_state
from test_command_status import mosquitto
from test_commands import network

from ayni_agent import config as agent_config
from ayni_agent.commands import Commands
from ayni_agent.devices import Devices
from ayni_console import client as console_client
from ayni_console import command_do
from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_core.commands import COMMANDS
from ayni_core.message import Message
from ayni_core.wire import topics
from ayni_core.wire.messages import Command, CommandState, Event, HubState, NodeState
from ayni_core.wire.questions import AskCommand, AskEvents, CommandNews, Done, Events
from ayni_core.wire.shape import pack, unpack
from ayni_hub.commands import Desk
from ayni_io.mqtt import BrokerConfig, MqttClient
from ayni_io.onlooker import Onlooker
from ayni_io.snmp_access import Access
from ayni_io.waiting import BootClock

pytestmark = pytest.mark.real("mosquitto")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as found:
        yield found


class Hasty(BootClock):
    """Ten seconds of it are one of ours."""

    def now(self) -> float:
        return super().now() * 10

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


class Village:
    """The hub's desk and the monitor `pi` with its switch, each with a connection of its own."""

    def __init__(self, broker_port: int, folder: Path, box: UdpBox) -> None:
        self.box = box
        self.events: list[Event] = []
        self.node_up = True
        self.hub = MqttClient(BrokerConfig(port=broker_port), "h-hub")
        self.node = MqttClient(BrokerConfig(port=broker_port), "n-pi")
        self.desk = Desk(
            network(), lambda _node: NodeState(up=self.node_up), self._from_hub, self.events.append
        )
        self.ground = Ground()
        self.ground.tell = self._from_node  # type: ignore[method-assign]
        self.commands = Commands(
            node="pi", epoch=EPOCH, boot=BOOT, ground=self.ground, access=box, families=PROFILES,
            folder=folder, clock=Hasty(),
        )  # fmt: skip
        self.confirms = True
        self.others: set[asyncio.Task[None]] = set()

    async def _from_hub(self, topic: str, payload: bytes) -> None:
        if self.confirms or b'"confirm"' not in payload:
            await self.hub.publish(topic, payload)

    async def _from_node(self, state: CommandState) -> bool:
        return await self.node.publish(topics.done("pi"), pack(state))

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[Village]:
        ups = [asyncio.Event(), asyncio.Event()]
        self.hub.on_connect, self.node.on_connect = ups[0].set, ups[1].set
        self.hub.subscribe(*topics.rights("h-hub").subscribe)
        self.node.subscribe(*topics.rights("n-pi").subscribe)

        def at_hub(topic: str, payload: bytes, retained: bool) -> None:
            address = topics.parse(topic)
            if address.root == "ask":
                topic = topics.answer(*address.words)
                if not self.desk.ask(payload, address.words[0], topic):
                    error = Message("answer.bad_question", {"problem": "too long"})
                    self.others.add(asyncio.create_task(self._from_hub(topic, pack(Done(error=error)))))
            elif address.root == "done" and not retained:
                self.desk.heard(address.words[0], payload)

        self.hub.on_message = at_hub
        self.node.on_message = lambda topic, payload, retained: (
            self.commands.take(unpack(Command, payload), retained=retained) if "/cmd/" in topic else None
        )
        tasks = [asyncio.create_task(each.run()) for each in (self.hub, self.node, self.commands)]
        for up in ups:
            await up.wait()
        await self.hub.publish(topics.HUB, pack(HubState(state="ready")), retain=True)
        try:
            yield self
        finally:
            await self.hub.publish(topics.HUB, b"", retain=True)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def in_village(broker_port: int, folder: Path, story: Callable[[Village], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        box = UdpBox()
        async with UdpAgent.serving(box.answer) as agent:
            box.port = agent.port
            async with Village(broker_port, folder, box).working() as village:
                await story(village)

    asyncio.run(run())


async def do(broker_port: int, *words: str, user: str = "ana") -> int:
    """The program, beside us."""
    where = ["--broker", f"127.0.0.1:{broker_port}", "--user", user]
    return await asyncio.to_thread(command_do.main, [*words, *where])


def test_progress_result_and_status(broker: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def story(village: Village) -> None:
        assert await do(broker, "switch", "walk", "1.3.6.1.2.1.2.2.1.7") == 0
        told = capsys.readouterr()
        assert told.out.splitlines() == [
            *(f"1.3.6.1.2.1.2.2.1.7.{number} = 1" for number in (1, 2, 3)),
            "3 objects",
        ]
        assert "The monitor has taken it on." in told.err
        village.ground.poll_error = "no answer after 3 tries"
        assert await do(broker, "switch", "poll") == 1
        assert capsys.readouterr().err.splitlines()[-1] == "ayni do: no answer after 3 tries"
        assert [event.text.context for event in village.events] == [
            "event.command", "event.command_done", "event.command", "event.command_failed",
        ]  # fmt: skip

    in_village(broker, tmp_path, story)


def test_what_will_happen_is_said_first_and_then_confirmed_by_the_hub(
    broker: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(village: Village) -> None:
        assert await do(broker, "switch", "port", "ether2", "down") == 2, "nobody is there to agree"
        told = capsys.readouterr().err
        assert told.splitlines() == [
            "Port ether2 of switch is about to go down.",
            "Homes that may be cut off: 10.",
            "Sites that may be cut off: cerro, torre.",
            "Unless the central still hears the monitor afterwards, it is undone after 60 s.",
            "ayni do: nobody is there to agree; say --yes",
        ]
        assert village.box.sets == []

        monkeypatch.setattr(sys, "stdin", Terminal())
        for word, status in (("", 2), ("n", 2), ("maybe", 2), ("y", 0)):
            monkeypatch.setattr("builtins.input", lambda _prompt, word=word: word)
            assert await do(broker, "switch", "port", "ether2", "down") == status, word
        assert village.box[port(2)] == DOWN
        told_out = capsys.readouterr()
        assert told_out.out.splitlines() == ["port ether2 of switch is down"]
        assert "It is so. Undone in 60 s unless the central confirms. (50%)" in told_out.err

        village.confirms = False
        assert await do(broker, "switch", "port", "ether3", "down", "--for", "10", "--yes", "--json") == 1
        assert village.box[port(3)] == UP
        assert json.loads(capsys.readouterr().out)["state"] == "undone"

    in_village(broker, tmp_path, story)


class Terminal(io.StringIO):
    """Somebody sits there."""

    def isatty(self) -> bool:
        return True


def test_refusals_are_the_sentences_of_the_hub(
    broker: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(village: Village) -> None:
        for words, user, sentence in (
            (("switch", "poll"), "eva", "eva may not do this: it takes the role operator"),
            (("switch", "reboot", "--yes"), "eva", "eva may not do this: it takes the role operator"),
            (("nowhere", "poll"), "ana", "nothing here is called nowhere"),
            (("switch", "reboot", "--yes"), "ana", "switch is on the only way to pi, and this has no undo"),
        ):
            assert await do(broker, *words, user=user) == 2
            assert sentence in capsys.readouterr().err
        village.node_up = False
        assert await do(broker, "switch", "poll") == 2
        assert "the monitor pi is not there" in capsys.readouterr().err
        assert village.box.sets == []

    in_village(broker, tmp_path, story)


def test_the_same_id_again_shows_the_answer_and_does_nothing(
    broker: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(village: Village) -> None:
        for _ in range(2):
            assert await do(broker, "pi", "watch", "--for", "30", "--id", "mine") == 0
        assert village.ground.watched == [30]
        assert capsys.readouterr().out.splitlines() == ["every poll is sent at once for 30 s"] * 2
        assert await do(broker, "pi", "watch", "--for", "40", "--id", "mine") == 2
        assert "the id mine was used for another command" in capsys.readouterr().err

    in_village(broker, tmp_path, story)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("switch", "walk"), "walk needs target"),
        (("switch", "walk", "1.3.6"), "1.3.6"),
        (("switch", "ping", "--count", "99"), "count: must be from 1 to 20, got 99"),
        (("switch", "port", "eth0"), "port needs value"),
        (("switch", "poll", "--for", "3"), "poll takes no for_s"),
        (("pi", "plan"), "plan needs value"),
        (("pi", "plan", "--poll-s", "1"), "poll_s: must be from 5 to 3600, got 1"),
    ],
)
def test_what_cannot_be_is_refused_without_asking_anybody(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_do.main([*words, "--user", "ana", "--broker", f"127.0.0.1:{parts.free_port()}"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("ayni do: ") and sentence in told and told.count("\n") == 1


def test_too_many_words_and_no_broker(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command_do.main(["switch", "poll", "twice"])
    assert caught.value.code == 2
    assert "poll takes no “twice”" in capsys.readouterr().err
    assert command_do.main(["switch", "poll", "--broker", "127.0.0.1:1", "--user", "ana"]) == 2
    assert capsys.readouterr().err == "ayni do: 127.0.0.1:1: nothing listens there.\n"


def test_a_central_that_does_not_answer(
    broker: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_client, "TIMEOUT_S", 0.5)
    assert asyncio.run(do(broker, "switch", "poll")) == 2
    told = capsys.readouterr().err
    assert "Nobody listens: the central is not there." in told or "The central did not answer." in told


def test_several_answers_by_both_clients(
    broker: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(_village: Village) -> None:
        asked = AskCommand(id="7", where="pi", do="identify")
        async with Onlooker(BrokerConfig(port=broker, username="p-ana"), "none/+") as eyes:
            await until(lambda: eyes._client.connected)
            found = []
            async for news in eyes.follow(asked, CommandNews, 5):
                found.append(news.state.state if news.state else "taken")
                if found[-1] == "done":
                    break
            assert found == ["taken", "accepted", "done"]

        client = ConsoleClient(BrokerConfig(port=broker), "ana")
        running = asyncio.create_task(client.run())
        await client.settled.wait()
        again = [news.state.state async for news in client.follow(asked, silent_s=5) if news.state]
        assert again == ["done"], "it ends by itself"
        with pytest.raises(NoAnswer, match="did not understand"):
            async for _news in client.follow(AskCommand(id="8", where="pi", do="x" * 5000), silent_s=5):
                pass
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    monkeypatch.setattr(console_client, "TIMEOUT_S", 2.0)
    in_village(broker, tmp_path, story)


def test_ctrl_c_leaves_the_command_going_and_says_how_to_see_it(broker: int, tmp_path: Path) -> None:
    async def story(village: Village) -> None:
        village.confirms = False
        words = ["switch", "port", "ether1", "down", "--for", "10", "--yes", "--id", "abc"]
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ayni_io.cli", "do", *words,
            "--broker", f"127.0.0.1:{broker}", "--user", "ana",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "AYNI_LANG": "en"},
        )  # fmt: skip
        await until(lambda: village.box[port(1)] == DOWN)
        program.send_signal(2)
        _out, told = await program.communicate()
        assert program.returncode == 130
        assert b"It goes on without you. To see how: add --id abc" in told
        await until(
            lambda: [event.text.context for event in village.events][-1:] == ["event.command_undone"],
            slow=True,
        )
        assert village.box[port(1)] == UP

    in_village(broker, tmp_path, story)


def test_a_real_hub_and_the_rights_of_a_real_broker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hub as a process, Mosquitto with accounts; the agent's place is taken by its commands alone."""

    async def story(made: Town) -> None:
        async with made.looking() as eyes:
            assert await eyes.until(lambda: device_state(eyes) == "ok", 20)
            await made.stack.end("agent")
            config = agent_config.load(made.folder / "agent.yaml").devices
            reading = {"router": Access(version="2c", community=COMMUNITY.encode())}
            ground = Ground()
            node = MqttClient(made.local.config("n-pi"), "n-pi-commands")

            async def tell(state: CommandState) -> bool:
                return await node.publish(topics.done("pi"), pack(state))

            ground.tell = tell  # type: ignore[method-assign]
            its = Commands(
                node="pi", epoch=EPOCH, boot=BOOT, ground=ground, access=Devices(config, reading, {}),
                families=PROFILES, folder=tmp_path / "state",
            )  # fmt: skip
            up = asyncio.Event()
            node.on_connect = up.set
            node.on_message = lambda _topic, payload, retained: its.take(
                unpack(Command, payload), retained=retained
            )
            node.subscribe(topics.cmd("pi"))
            tasks = [asyncio.create_task(node.run()), asyncio.create_task(its.run())]
            await up.wait()
            await node.publish(
                topics.state("pi"), pack(NodeState(up=True, epoch=EPOCH, boot=BOOT)), retain=True
            )
            await asyncio.sleep(0.3)

            async def give(*words: str, user: str = "ana") -> int:
                secret = ("--password-file", str(made.folder / "secrets" / f"p-{user}"))
                return await do(made.local.port, *words, *secret, user=user)

            assert await give("router", "identify") == 0
            assert "router: profile" in capsys.readouterr().out
            assert await give("router", "port", "eth0", "down", "--yes", "--force") == 2
            assert "its configuration has no section write" in capsys.readouterr().err
            assert await give("router", "identify", user="eva") == 2
            assert "eva may not do this" in capsys.readouterr().err
            found = await eyes.ask(AskEvents(kind="device", name="router", limit=10), Events)
            assert found is not None
            told = [
                event.text.context for event in found.events if event.text.context.startswith("event.command")
            ]
            assert sorted(told) == [
                "event.command", "event.command", "event.command_done", "event.command_refused",
                "event.command_refused",
            ]  # fmt: skip
            assert (tmp_path / "state" / "audit.log").read_text().count("\n") == 4
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    alone_in_town(tmp_path, story)


def test_help_shows_every_command_with_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_do.main(["--help"])
    told = capsys.readouterr().out
    for name in COMMANDS:
        assert f"  {command_do.usage(name)} " in told
    assert all(len(line) <= 80 for line in told.splitlines())
