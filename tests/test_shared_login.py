"""A login that several share, over a real broker and hub: names, PINs, and nobody reads them along."""

from __future__ import annotations

import argparse
import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import parts
import pytest

from ayni_console import command_do, command_maintenance, command_note, signing
from ayni_console.acting import Acting
from ayni_console.feed import NoAnswer
from ayni_core import pin, slices
from ayni_core.wire import topics
from ayni_core.wire.messages import CommandState
from ayni_core.wire.questions import (
    AskCommand,
    AskEvents,
    AskMaintain,
    AskMaintenance,
    AskMe,
    AskNote,
    AskPin,
    Colleague,
    CommandNews,
    Done,
    Events,
    Maintenance,
    Me,
)
from ayni_hub import pins, tap_view
from ayni_io import local_broker, yamlwrite
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Part, Stack, ayni

pytestmark = pytest.mark.real("mosquitto")
KEY = "a-long-and-random-key-of-a-console"


@asynccontextmanager
async def hub(folder: Path) -> AsyncIterator[tuple[local_broker.LocalBroker, Path]]:
    parts.need("mosquitto")
    local_broker.write_accounts(folder, {"h-hub": "", "n-pi": "", "p-sala": "operator"})
    network = {
        "network": {"title": "Prueba"},
        "sites": {"torre": {}},
        "nodes": {"pi": {"site": "torre"}},
        "devices": {"router": {"site": "torre", "address": "10.0.0.1"}},
        "people": {
            "sala": {"title": "Sala", "shared": ["ana", "eva"]},
            "ana": {"title": "Ana"},
            "eva": {"title": "Eva", "role": "viewer"},
        },
    }
    stack = Stack(folder)
    try:
        local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
        facts = slices.BrokerFacts(port=local.port, secrets=str(folder / "secrets"))
        config = slices.hub("hub", facts, network_path=f"{folder}/network.yaml", data_dir=f"{folder}/data")
        yamlwrite.write(folder / "network.yaml", network)
        yamlwrite.write(folder / "hub.yaml", config)
        await stack.start(Part(name="hub", argv=ayni("hub", "run", "--config", str(folder / "hub.yaml"))))
        yield local, folder / "data" / pins.FILE
    finally:
        await stack.stop()


def test_a_shared_login_acts_with_a_name_and_a_pin_and_nobody_reads_it_along(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def story() -> None:
        async with hub(tmp_path) as (local, file):
            sala = Onlooker(local.config("p-sala"))
            # somebody else of the same login, who listens to everything that this login may hear
            spy = Onlooker(local.config("p-sala"), f"{topics.PREFIX}/answer/sala/#", f"{topics.PREFIX}/ask/#")
            spy.on_news = lambda _topic, payload: heard.append(payload)
            async with sala, spy:
                assert await sala.until(lambda: topics.HUB in sala.said, 30)

                async def why(question: object) -> str:
                    done = await sala.ask(question, Done, 10.0)  # type: ignore[arg-type]
                    assert done is not None
                    return done.error.context if done.error else ""

                me = await sala.ask(AskMe(), Me, 10.0)
                assert me is not None
                assert [(each.name, each.role, each.pin) for each in me.people] == [
                    ("ana", "operator", False), ("eva", "viewer", False)
                ]  # fmt: skip
                window = AskMaintain(kind="site", name="torre", for_s=3600, author="ana", key=KEY)
                assert await why(AskMaintain(for_s=60)) == "answer.who_are_you"
                assert await why(window) == "answer.pin_none"
                pins.keep(file, "ana", pin.kept("4711", pins.salt()))
                assert await why(window) == "answer.pin_wanted", "a running central knows of the new PIN"
                assert await why(AskPin(person="ana", pin="0815", key=KEY)) == "answer.pin_wrong"
                assert await why(AskPin(person="ana", pin="4711", key=KEY)) == ""
                assert await why(window) == ""
                assert await why(AskNote(kind="site", name="torre", text="hola", author="ana")) == ""
                assert await why(AskNote(kind="", name="", text="x", author="eva")) == "answer.not_allowed"
                found = await sala.ask(AskMaintenance(), Maintenance, 10.0)
                assert found is not None
                assert [each.by for each in found.windows] == ["Ana"]
                order = AskCommand(id="c1", where="router", do="poll", author="ana", key=KEY)
                news = await sala.ask(order, CommandNews, 10.0)
                assert news is not None
                assert isinstance(news.state, CommandState)
                assert news.state.text is not None
                assert news.state.text.context == "refused.node_down", "past name, role and PIN"
                said = await sala.ask(AskEvents(), Events, 10.0)
                assert said is not None
                assert {("event.maintenance_added", "sala"), ("event.note", "sala")} <= {
                    (event.text.context, event.author) for event in said.events
                }

    asyncio.run(story())
    told = b"\n".join(heard)
    assert b"Ana" in told, "the spy hears the answers"
    for secret in (b"4711", b"0815", KEY.encode()):
        assert secret not in told
    logs = b"".join(path.read_bytes() for path in tmp_path.rglob("*.log"))
    assert b"pin wrong login=sala person=ana" in logs
    for secret in (b"4711", b"0815", KEY.encode()):
        assert secret not in logs


def test_a_central_that_was_started_anew_has_not_forgotten_the_wrong_pins(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pins.keep(tmp_path / "data" / pins.FILE, "ana", pin.kept("4711", pins.salt()))

    async def proved(*numbers: str) -> list[str]:
        """What a central that has just begun says to these, one after the other."""
        async with hub(tmp_path) as (local, _file), Onlooker(local.config("p-sala")) as sala:
            assert await sala.until(lambda: b'"ready"' in sala.said.get(topics.HUB, b""), 30)
            answers = []
            for number in numbers:
                done = await sala.ask(AskPin(person="ana", pin=number, key=KEY), Done, 10.0)
                assert done is not None
                answers.append(done.error.context if done.error else "")
            return answers

    async def story() -> None:
        assert await proved("0815", "0816", "0817") == ["answer.pin_wrong"] * 3
        assert await proved("4711") == ["answer.pin_wait"]

    asyncio.run(story())
    logs = b"".join(path.read_bytes() for path in tmp_path.rglob("*.log"))
    assert b"in_a_row=3" in logs


def test_reading_along_shows_no_pin_and_no_key() -> None:
    topic = topics.ask("sala", "s", "1")
    payload = b'{"ask":"pin","person":"ana","pin" : "47\\"11","key":"' + KEY.encode() + b'"}'
    for each in (payload, payload[:-1], payload.replace(b'"ask":"pin"', b'"ask":"ack","alert":"a"')):
        heard = tap_view.hear(topic, each, 0.0)
        shown = "\n".join(
            [*tap_view.lines(heard, verbose=True), str(tap_view.as_json(heard)), tap_view.raw(heard)]
        )
        assert "11" not in shown
        assert KEY not in shown


def test_the_commands_say_who_acts_and_take_the_pin_from_where_nobody_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(signing.VARIABLE, raising=False)

    async def story() -> None:
        async with hub(tmp_path) as (local, file):
            broker = local.config("p-sala")
            assert broker.password is not None
            monkeypatch.setenv("AYNI_PASSWORD", broker.password.reveal())
            where = ["--broker", f"127.0.0.1:{local.port}", "--user", "sala"]
            async with Onlooker(broker) as eyes:
                assert await eyes.until(lambda: topics.HUB in eyes.said, 30)

            async def told(main: Callable[[list[str]], int], *words: str) -> tuple[int, str]:
                status = await asyncio.to_thread(main, [*words, *where])
                said = capsys.readouterr()
                return status, said.out + said.err

            add = ("add", "--site", "torre", "--for", "2h")
            status, said = await told(command_maintenance.main, *add)
            assert status == 1
            assert "several share this login; say who you are by --author: Ana (ana), Eva (eva)" in said
            status, said = await told(command_maintenance.main, *add, "--author", "rosa")
            assert (status, "“rosa” is none of those who share" in said) == (1, True)
            status, said = await told(command_maintenance.main, *add, "--author", "ana")
            assert (status, "this takes the PIN of Ana: --pin-file or AYNI_PIN" in said) == (1, True)
            pins.keep(file, "ana", pin.kept("4711", pins.salt()))
            monkeypatch.setenv(signing.VARIABLE, "0815")
            status, said = await told(command_maintenance.main, *add, "--author", "ana")
            assert (status, "this is not the PIN of Ana" in said) == (1, True)
            monkeypatch.setenv(signing.VARIABLE, "4711")
            status, said = await told(command_maintenance.main, *add, "--author", "Ana")
            assert (status, "torre: goes on until" in said, "; Ana" in said) == (0, True, True)
            monkeypatch.delenv(signing.VARIABLE)
            (tmp_path / "pin").write_text("4711\n")
            by_file = ("--author", "ana", "--pin-file", str(tmp_path / "pin"))
            status, said = await told(command_maintenance.main, "end", "m1", *by_file)
            assert (status, said) == (0, "No maintenance is announced.\n")
            status, said = await told(command_do.main, "router", "poll", *by_file)
            assert (status, "the monitor pi is not there" in said) == (2, True)
            status, said = await told(command_do.main, "router", "reboot", "--author", "eva", "--yes")
            assert (status, "eva may not do this: it takes the role operator" in said) == (2, True)
            status, said = await told(command_note.main, "the", "mast", "is", "wet", "--about", "torre")
            assert (status, "say who you are by --author" in said) == (1, True)
            note = ("the mast is wet", "--about", "torre", "--author", "ana")
            assert await told(command_note.main, *note) == (0, "Noted on torre.\n"), "without a PIN"
            assert (await told(command_note.main, "x", "--about", "nowhere"))[0] == 2
            status, said = await told(command_maintenance.main, "list")
            assert status == 0, "to look takes no name"

    asyncio.run(story())


class Typing:
    """Somebody at a keyboard, and what they are asked."""

    def __init__(self, *typed: str) -> None:
        self.typed = list(typed)
        self.asked: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.asked.append(prompt)
        if not self.typed:
            raise EOFError
        return self.typed.pop(0)


def test_a_pin_is_typed_hidden_where_somebody_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard())
    sent: list[object] = []

    class Client:
        async def ask(self, question: object, _answer: object) -> Done:
            sent.append(question)
            return Done()

    acting = Acting()
    acting.me = Me(people=(Colleague(name="ana", title="Ana", role="operator", pin=True),))
    acting.choose(acting.me.people[0])
    arguments = argparse.Namespace(pin_file=None, author="ana")
    hand = Typing("4711 ")
    asyncio.run(signing.prove(Client(), acting, arguments, {}, hand))  # type: ignore[arg-type]
    assert hand.asked == ["PIN of Ana (not shown while you type): "]
    assert isinstance(sent[0], AskPin)
    assert (sent[0].person, sent[0].pin) == ("ana", "4711")
    assert acting.sign(AskMaintain()).key == sent[0].key
    with pytest.raises(NoAnswer, match="nothing was typed"):
        asyncio.run(signing.prove(Client(), acting, arguments, {}, Typing()))  # type: ignore[arg-type]


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True
