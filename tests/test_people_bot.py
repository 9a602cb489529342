"""The bot hears the people of the inventory and nobody else, once each; the heart beats while all is well."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import stand_ins
from people_town import Town, link_down, silent
from stand_ins import BotStandIn, WebStandIn
from test_mqtt_client import until

from ayni_core.message import Message
from ayni_core.reach import Heartbeat
from ayni_hub.people import listening
from ayni_hub.people.heartbeat import Heart
from ayni_hub.people.listening import Doings, Listener
from ayni_hub.people.telegram import Telegram
from ayni_io.secret import Secret

PEOPLE = (
    "ana: {title: Ana, language: en, notify: {phone: {kind: telegram, chat: '42'}}}",
    "beto: {title: Beto, language: en, notify: {group: {kind: telegram, chat: '-7'},"
    " own: {kind: telegram, chat: '43'}}}",
)  # fmt: skip


class Bot:
    """A town, its bot, and what the bot did for people."""

    def __init__(self, town: Town, stand_in: BotStandIn) -> None:
        self.town, self.stand_in = town, stand_in
        self.done: list[tuple[str, ...]] = []
        self.problem: Message | None = None

    def listener(self) -> Listener:
        async def take_on(alert: str, note: str, person: str) -> Message | None:
            self.done.append(("ack", alert, note, person))
            return self.problem

        async def write(kind: str, name: str, text: str, person: str) -> Message | None:
            self.done.append(("note", kind, name, text, person))
            return self.problem

        telegram = Telegram(f"http://127.0.0.1:{self.stand_in.port}", lambda: Secret("123:token"))
        doings = Doings(take_on=take_on, write=write)
        return Listener(self.town.network, telegram, self.town.people, doings, lambda: self.town.now, 1.0)

    def while_listening(self, story: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            listening = asyncio.create_task(self.listener().run())
            try:
                await story()
            finally:
                listening.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listening

        asyncio.run(run())

    def talk(self, *said: str, chat: str = "42", sender: str | None = None) -> list[str]:
        """What comes back into the chat, an answer to each."""
        before = len(self.stand_in.written)

        async def story() -> None:
            for text in said:
                self.stand_in.say(chat, text, sender)
            await until(lambda: len(self.stand_in.written) >= before + len(said))

        self.while_listening(story)
        answers = self.stand_in.written[before:]
        assert {where for where, _text in answers} == {chat}
        return [text for _where, text in answers]


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    town = Town(tmp_path, *PEOPLE, more="")
    with stand_ins.web(BotStandIn()) as stand_in, contextlib.closing(town):
        assert isinstance(stand_in, BotStandIn)
        yield Bot(town, stand_in)


@pytest.fixture(autouse=True)
def _telegram(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("people_town.NETWORK", __import__("people_town").NETWORK.replace(
        "poll_s: 60}", "poll_s: 60, telegram: {token: env:NOWHERE}}"
    ))  # fmt: skip


def test_status_is_what_is_open_with_numbers(bot: Bot) -> None:
    assert bot.talk("status") == ["Valle: nothing is open."]
    bot.town.put(link_down(), silent("cpe", silenced_by=link_down().id), silent("ap", acked_by="Beto"))
    bot.town.go(10)
    (answer,) = bot.talk("/Status@our_bot")
    assert answer.splitlines() == [
        "Valle: 2 open",
        "1: Torre–Escuela is down, since 12:00",
        "2: ap does not answer, since 12:00 (Beto has it)",
    ]


def test_ack_takes_on_by_number_or_the_only_one(bot: Bot) -> None:
    bot.town.put(link_down(), silent("ap"))
    bot.town.go(10)
    told = {title: body for _person, _target, title, body in bot.town.sent}
    assert any("To take it on, answer: ack 1" in body for body in told.values())
    assert bot.talk("ack 2 I go there", "ack 77", "ack")[:2] == [
        "You have it: ap does not answer", "There is no open alarm 77",
    ]  # fmt: skip
    assert bot.done == [("ack", silent("ap").id, "I go there", "ana")]
    bot.town.end(silent("ap"))
    bot.town.go(10)
    assert bot.talk("ack on my way", chat="43") == ["You have it: Torre–Escuela is down"]
    assert bot.done[-1] == ("ack", link_down().id, "on my way", "beto")
    bot.problem = Message("answer.not_allowed", {"user": "ana"})
    assert bot.talk("ack 1") == ["ana may not do this"]


def test_notes_go_to_what_an_alert_is_about_or_to_the_network(bot: Bot) -> None:
    bot.town.put(link_down())
    bot.town.go(10)
    assert bot.talk("note 1 the mast leans", "NOTE 200 sheep on the road", "note Rain since noon") == [
        "Written down.", "There is no open alarm 200", "Written down.",
    ]  # fmt: skip
    assert bot.done == [
        ("note", "link", "torre-escuela", "the mast leans", "ana"),
        ("note", "", "", "Rain since noon", "ana"),
    ]


def test_anything_else_is_answered_with_what_can_be_said(bot: Bot) -> None:
    (answer,) = bot.talk("hola")
    assert [line.partition(":")[0] for line in answer.splitlines()] == [
        "status", "ack N", "note N TEXT", "note TEXT", "help",
    ]  # fmt: skip


def test_strangers_get_nothing_and_one_line_in_the_log(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        for _ in range(5):
            bot.stand_in.say("666", "ack 1")
        bot.stand_in.say("-7", "status", sender="666")
        bot.stand_in.say("-666", "status", sender="42")
        bot.stand_in.say("-7", "status", sender="43")
        await until(lambda: bool(bot.stand_in.written))

    with caplog.at_level(logging.WARNING, "hub"):
        bot.while_listening(story)
    assert bot.stand_in.written == [("-7", "Valle: nothing is open.")], (
        "people of the inventory may use the group"
    )
    assert [text for text in caplog.messages if "666 wrote" in text][:1] == [
        "telegram: unknown chat 666 wrote count=5"
    ]
    assert len([text for text in caplog.messages if "chat 666 wrote" in text]) == 1


def test_nothing_is_done_twice_after_a_kill(bot: Bot) -> None:
    bot.town.put(link_down())
    bot.town.go(10)
    bot.talk("note 1 once")
    kept = list(bot.stand_in.updates)
    bot.town.kill()
    bot.stand_in.updates.extend(kept)  # a server that forgot that they were taken
    bot.talk("help")
    assert [each[3] for each in bot.done] == ["once"]
    assert bot.stand_in.offsets[-1] > 100


def test_who_writes_too_fast_is_told_so_once(bot: Bot) -> None:
    async def story() -> None:
        for _ in range(listening.MOST_ORDERS + 10):
            bot.stand_in.say("42", "help")
        bot.stand_in.say("43", "help")
        await until(lambda: "43" in {chat for chat, _text in bot.stand_in.written})

    bot.while_listening(story)
    own = [text for chat, text in bot.stand_in.written if chat == "42"]
    assert len(own) == listening.MOST_ORDERS + 1
    assert own[-1] == "Too many at once. Wait a minute"


def test_a_server_that_is_away_is_told_once_and_found_again(
    bot: Bot, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "FIRST_PAUSE_S", 0.05)
    bot.stand_in.refuses = {
        "ok": False,
        "error_code": 409,
        "description": "terminated by other getUpdates request",
    }

    async def story() -> None:
        await until(lambda: len(bot.stand_in.asked) > 3)
        bot.stand_in.refuses = None
        bot.stand_in.say("42", "help")
        await until(lambda: bool(bot.stand_in.written))

    with caplog.at_level(logging.INFO, "hub"):
        bot.while_listening(story)
    told = [text for text in caplog.messages if text.startswith("telegram")]
    assert told == [
        "telegram lost cause=somebody else listens for this bot: terminated by other getUpdates request",
        "telegram found",
    ]


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b'{"ok":true}', b'{"ok":true,"result":[{"update_id":"x"}]}', b"[" * 9999],
)  # fmt: skip
def test_rubbish_from_the_server_does_nothing(
    bot: Bot, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stand_ins.web(WebStandIn(answer=answer)) as server:
        monkeypatch.setattr(bot.stand_in, "port", server.port)

        async def story() -> None:
            await until(lambda: bool(server.asked))
            await asyncio.sleep(0.1)

        bot.while_listening(story)
    assert bot.done == []


# ---- the heartbeat


def test_a_heartbeat_beats_only_while_all_is_well_and_tells_a_failure_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    well = False

    async def story(server: WebStandIn) -> list[str]:
        nonlocal well
        monkeypatch.setenv("HEARTBEAT", f"http://127.0.0.1:{server.port}/ping/uuid")
        monkeypatch.setattr("ayni_hub.people.heartbeat._LOOK_S", 0.01)
        heart = Heart(
            Heartbeat(url="env:HEARTBEAT", every_min=0.001), "network.yaml", lambda: well, lambda: 0.0
        )
        beating = asyncio.create_task(heart.run())
        await asyncio.sleep(0.1)
        assert server.asked == []
        well = True
        await until(lambda: len(server.asked) > 1)
        server.status = 500
        await until(lambda: bool(heart.events))
        count = len(server.asked)
        await until(lambda: len(server.asked) > count + 1)
        server.status = 200
        await until(lambda: len(heart.events) == 2)
        beating.cancel()
        return [str(event.text.values.get("reason", event.text.context)) for event in heart.events]

    with stand_ins.web(WebStandIn()) as server:
        assert asyncio.run(story(server)) == ["it answers with status 500", "event.heartbeat_works"]
    assert {(page.method, page.path) for page in server.asked} == {("GET", "/ping/uuid")}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hc.example.org/secret", "the address must begin with https://"),
        ("secret", "the address must begin with https://"),
        ("http://127.0.0.1:1/secret", "refused"),
    ],
)
def test_why_a_heartbeat_fails_is_said_without_its_address(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARTBEAT", url)
    heart = Heart(Heartbeat(url="env:HEARTBEAT"), "network.yaml", lambda: True, lambda: 0.0)
    asyncio.run(heart.beat())
    (event,) = heart.events
    assert reason in str(event.text.values["reason"])
    assert "secret" not in str(event.text.values["reason"])
