"""`ayni status` and the console's client against a real Mosquitto and a stand-in for the central."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import parts
import pytest
from console_village import answer, retained

from ayni_console import command_console, command_status
from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_core.wire import topics
from ayni_core.wire.messages import HubState, LabDo
from ayni_core.wire.questions import AskReadings, AskWatch, Done, Question, Readings, question
from ayni_core.wire.shape import pack, unpack
from ayni_io.mqtt import BrokerConfig, MqttClient, Will

pytestmark = pytest.mark.real("mosquitto")


@contextlib.contextmanager
def mosquitto(folder: Path, *, anonymous: bool = True) -> Iterator[int]:
    """A broker on a free port that takes everybody, or nobody."""
    program, port = parts.need("mosquitto"), parts.free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous {str(anonymous).lower()}\nmax_queued_messages 0\n"
        "max_inflight_messages 0\n"
    )
    with parts.running([program, "-c", str(config)], folder / "mosquitto.log"):
        parts.wait_until(lambda: _listens(port), "mosquitto listening")
        yield port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as port:
        yield port


class Central:
    """Answers as the village does; `asked` and `done` keep what came."""

    def __init__(self, port: int, *, answers: bool = True) -> None:
        gone = Will(topic=topics.HUB, payload=pack(HubState(state="gone")))
        self.mqtt = MqttClient(BrokerConfig(port=port), "central", will=gone)
        self.answers = answers
        self.asked: list[Question] = []
        self.done: list[LabDo] = []
        self._came: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[Central]:
        up = asyncio.Event()
        self.mqtt.on_connect = up.set
        self.mqtt.on_message = lambda topic, payload, _retained: self._came.put_nowait((topic, payload))
        self.mqtt.subscribe(f"{topics.PREFIX}/ask/#", f"{topics.PREFIX}/lab/do/+")
        tasks = [asyncio.create_task(self.mqtt.run()), asyncio.create_task(self._serve())]
        await up.wait()
        for topic, payload in retained(time.time(), lab=True):
            await self.mqtt.publish(topic, payload, retain=True)
        try:
            yield self
        finally:
            for topic, _payload in retained(lab=True):
                await self.mqtt.publish(topic, b"", retain=True)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            topic, payload = await self._came.get()
            address = topics.parse(topic)
            if address.root == "lab":
                self.done.append(unpack(LabDo, payload))
                continue
            asked = question(payload)
            self.asked.append(asked)
            if self.answers:
                await self.mqtt.publish(topics.answer(*address.words), pack(answer(asked, time.time())))


def status(port: int, *options: str) -> int:
    return command_status.main(["--broker", f"127.0.0.1:{port}", "--user", "rosa", *options])


async def with_central(port: int, work: Callable[[Central], Coroutine[Any, Any, Any]], **how: Any) -> Any:
    async with Central(port, **how).working() as central:
        return await work(central)


def test_status_prints_home_and_says_that_something_needs_you(
    broker: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work(_central: Central) -> int:
        return await asyncio.to_thread(status, broker, "--plain")

    assert asyncio.run(with_central(broker, work)) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "Red Cerro Norte (TRAINING): 2 need you, 1 OK, 1 no data"
    assert "  DOWN Escuela-Cerro 34 min, 46 homes: no power" in shown
    assert any(each.startswith("  OK Torre-Cerro: signal -57/-58 dBm, measured") for each in shown)


def test_status_as_json(broker: int, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(_central: Central) -> int:
        return await asyncio.to_thread(status, broker, "--json", "--mqtt", "3.1.1")

    assert asyncio.run(with_central(broker, work)) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["need"], told["ok"], told["contact"]) == (2, 1, True)
    assert told["do_first"][0]["name"] == "escuela-cerro"


def test_without_a_central_there_is_no_contact_and_old_values_are_said_to_be_old(
    broker: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_status, "LONGEST_S", 1.5)

    async def work(_central: Central) -> int:
        return await asyncio.to_thread(status, broker, "--ascii")

    assert asyncio.run(with_central(broker, work, answers=False)) == 2
    shown = capsys.readouterr().out
    assert "NO CONTACT: the central does not answer" in shown
    assert "WEAK Torre-Clinica" in shown


def test_an_unreachable_broker_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    port = parts.free_port()
    assert status(port) == 2
    assert capsys.readouterr().err == f"127.0.0.1:{port}: nothing listens there.\n"


def test_a_wrong_password_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AYNI_PASSWORD", "wrong")
    with mosquitto(tmp_path, anonymous=False) as port:
        assert status(port) == 2
    assert "wrong name or password" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--broker", "a b"], "--broker:"),
        (["--user", "No One"], "--user: expected lower-case letters"),
        (["--password-file", "/nonexistent/file"], "--password-file: /nonexistent/file: cannot be read"),
        (["--ca", "/nonexistent/ca.pem"], "--ca: /nonexistent/ca.pem: no such file"),
    ],
)
def test_faults_of_the_command_line_are_one_sentence(
    options: list[str], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (command_status, command_console):
        assert command.main(options) == 2
        told = capsys.readouterr().err
        assert fault in told
        assert told.count("\n") == 1


def test_the_console_needs_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_console.main(["--user", "rosa"]) == 2
    assert "needs a terminal" in capsys.readouterr().err


async def _until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(8):
        while not ready():
            await asyncio.sleep(0.02)


def test_the_client_asks_watches_and_tells_the_lab(broker: int) -> None:
    async def work(central: Central) -> None:
        client = ConsoleClient(BrokerConfig(port=broker), "rosa")
        running = asyncio.create_task(client.run())
        try:
            await _until(lambda: client.model.contact(time.time()) == "live" and bool(client.model.links))
            told = await client.ask(AskReadings(device="torre-radio"), Readings)
            assert told.readings
            client.look_at(("torre",))
            await _until(lambda: any(isinstance(each, AskWatch) for each in central.asked))
            await client.lab_do(LabDo(do="break", what="cut"))
            await _until(lambda: central.done == [LabDo(do="break", what="cut")])
            await central.mqtt.publish(topics.net("link", "torre-cerro"), b"", retain=True)
            await _until(lambda: "torre-cerro" not in client.model.links)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(with_central(broker, work))


def test_a_question_nobody_hears_says_so(broker: int) -> None:
    async def scene() -> None:
        client = ConsoleClient(BrokerConfig(port=broker), "rosa")
        with pytest.raises(NoAnswer, match="no way to the central"):
            await client.ask(AskReadings(device="x"), Readings)
        running = asyncio.create_task(client.run())
        try:
            await client.settled.wait()
            with pytest.raises(NoAnswer, match="Nobody listens"):
                await client.ask(AskWatch(), Done)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scene())
