"""Messages really leave: through Apprise to a web hook, ntfy, Matrix, mail and a bot; failures have words."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import io
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
import stand_ins
from stand_ins import BotStandIn, MailStandIn, WebStandIn

from ayni_core import inventory
from ayni_core.reach import Target
from ayni_hub.people import apprise_send, senders
from ayni_hub.people.senders import Result, Senders
from ayni_io import yamlfile

TITLE, BODY = "ALARM: Torre–Escuela is down, since 14:20", "Homes: 46\nFirst: call the site"
SECRET = "s3cr3t-t0ken"


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


class Beside:
    """The program that sends, in a thread: it loads Apprise once for many messages."""

    returncode = 0

    async def communicate(self, asked: bytes) -> tuple[bytes, bytes]:
        return await asyncio.to_thread(self._run, asked.decode()), b""

    def _run(self, asked: str) -> bytes:
        answer, before = io.StringIO(), sys.stdin
        sys.stdin = io.StringIO(asked)
        try:
            with contextlib.redirect_stdout(answer):
                assert apprise_send.main() == 0
        finally:
            sys.stdin = before
        return answer.getvalue().encode()


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process for a message; that it has one is shown by a web hook, and by a service that hangs."""

    async def start(*words: str, **_pipes: object) -> Beside:
        assert words[-1] == "ayni_hub.people.apprise_send"
        return Beside()

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)


def by_apprise(address: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("ANAS_ADDRESS", address)
    return run(_senders().send("ana", Target(name="t", address="env:ANAS_ADDRESS"), TITLE, BODY))


def _senders() -> Senders:
    return Senders(inventory.Network(
        title="T", language="en", poll_s=60, flush_s=300, people={}, sites={}, nodes={}, devices={}, links={},
        upstreams={},
    ), "network.yaml")  # fmt: skip


def test_a_web_hook_gets_title_and_text(monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_ins.web(WebStandIn()) as hook:
        assert by_apprise(f"json://127.0.0.1:{hook.port}/{SECRET}", monkeypatch) == Result(ok=True)
    (page,) = hook.asked
    assert (page.json["title"], page.json["message"]) == (TITLE, BODY)


@pytest.mark.usefixtures("beside")
def test_ntfy_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_ins.web(WebStandIn()) as ntfy:
        assert by_apprise(f"ntfy://127.0.0.1:{ntfy.port}/alarms", monkeypatch).ok
    (page,) = ntfy.asked
    assert page.json["topic"] == "alarms"
    assert page.json["title"] == TITLE
    assert page.json["message"].splitlines() == BODY.splitlines()


@pytest.mark.usefixtures("beside")
def test_matrix_gets_it_through_a_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_ins.web(WebStandIn()) as bridge:
        address = f"matrix://user:{SECRET}@127.0.0.1:{bridge.port}/?mode=slack"
        assert by_apprise(address, monkeypatch).ok
    assert "is down, since 14:20" in bridge.asked[0].body.decode()


@pytest.mark.usefixtures("beside")
def test_a_letter_has_the_first_line_as_its_subject(monkeypatch: pytest.MonkeyPatch) -> None:

    async def story() -> tuple[Result, MailStandIn]:
        async with stand_ins.mail(MailStandIn()) as server:
            address = f"mailto://127.0.0.1:{server.port}/?from=ayni@example.org&to=ana@example.org"
            monkeypatch.setenv("ANAS_ADDRESS", address)
            return await _senders().send(
                "ana", Target(name="t", address="env:ANAS_ADDRESS"), TITLE, BODY
            ), server

    result, server = asyncio.run(story())
    assert result == Result(ok=True)
    ((sender, to, text),) = server.letters
    letter = email.message_from_string(text, policy=email.policy.default)
    assert (sender, to, letter["Subject"]) == ("ayni@example.org", ["ana@example.org"], TITLE)
    part = letter.get_body(("plain",))
    assert part is not None
    assert part.get_content().split() == BODY.split()


@pytest.mark.usefixtures("beside")
def test_what_a_service_refuses_comes_back_in_words_without_the_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with stand_ins.web(WebStandIn(status=403)) as hook:
        result = by_apprise(f"json://ana:{SECRET}@127.0.0.1:{hook.port}/{SECRET}", monkeypatch)
    assert not result.ok
    assert "403" in result.reason
    assert SECRET not in result.reason


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize("address", [f"nonsense://{SECRET}@x", SECRET, f"tgram://{SECRET}"])
def test_an_address_that_nobody_understands_is_said_to_be_one(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = by_apprise(address, monkeypatch)
    assert not result.ok
    assert result.reason
    assert SECRET not in result.reason


def test_a_reference_that_leads_nowhere_is_one_sentence(tmp_path: Path) -> None:
    target = Target(name="mail", address=f"file:{tmp_path}/missing")
    result = run(_senders().send("ana", target, TITLE, BODY))
    where = f"network.yaml: people.ana.notify.mail.address: {tmp_path}/missing"
    assert result.reason == f"{where}: cannot be read: No such file or directory"


def children() -> set[str]:
    """Processes that we began; other tests in this one may have theirs."""
    lists = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {child for each in lists for child in each.read_text().split()}


def test_a_service_that_never_answers_is_given_up_and_its_process_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(senders, "_WITHIN_S", 2.0)
    before = children()
    with stand_ins.web(WebStandIn(delay_s=60)) as hook:
        result = by_apprise(f"json://127.0.0.1:{hook.port}/", monkeypatch)
    assert result == Result(ok=False, reason="no answer within 2 s", unknown=True)
    assert children() <= before


def test_no_part_of_an_address_stands_in_a_reason() -> None:
    address = "mailto://ana%40example.org:pa%24sword@smtp.example.org:587/?to=someone@example.net&key=abcdef"
    said = "smtp.example.org refused ana@example.org: not pa$sword (pa%24sword), someone@example.net, abcdef"
    assert apprise_send.without_secrets(said, address) == "… refused …: not … (…), …, …"


# ---- the bot


def bot_network(folder: Path, port: int, token: str = "123:token") -> inventory.Network:
    (folder / "token").write_text(token)
    (folder / "network.yaml").write_text(
        f"network: {{title: T, telegram: {{token: 'file:{folder}/token', server: 'http://127.0.0.1:{port}'}}}}\n"
        "sites: {s: {}}\npeople: {ana: {notify: {phone: {kind: telegram, chat: '42'}}}}\n"
    )
    return yamlfile.read(folder / "network.yaml", inventory.parse)


def by_bot(folder: Path, port: int, token: str = "123:token") -> Result:
    network = bot_network(folder, port, token)
    (target,) = network.people["ana"].contact.targets
    return run(Senders(network, "network.yaml").send("ana", target, TITLE, BODY))


def test_a_bot_writes_into_the_chat_of_the_inventory(tmp_path: Path) -> None:
    with stand_ins.web(BotStandIn()) as bot:
        assert by_bot(tmp_path, bot.port) == Result(ok=True)
        assert isinstance(bot, BotStandIn)
        assert bot.written == [("42", f"{TITLE}\n{BODY}")]


@pytest.mark.parametrize(
    ("refuses", "reason", "wait_s"),
    [
        ({"ok": False, "error_code": 429, "parameters": {"retry_after": 33}}, "429", 33),
        ({"ok": False, "error_code": 400, "description": "chat not found"}, "chat not found", 0),
        ({"ok": False, "error_code": 502, "description": 7}, "Telegram refused: 7", 0),
    ],
)  # fmt: skip
def test_what_telegram_refuses_comes_back_in_words(
    tmp_path: Path, refuses: dict[str, object], reason: str, wait_s: float
) -> None:
    bot = BotStandIn()
    bot.refuses = refuses
    with stand_ins.web(bot):
        result = by_bot(tmp_path, bot.port)
    assert not result.ok
    assert reason in result.reason
    assert result.wait_s == wait_s


def test_a_wrong_token_a_stranger_and_nobody_are_told_apart(tmp_path: Path) -> None:
    with stand_ins.web(BotStandIn()) as bot:
        result = by_bot(tmp_path, bot.port, "999:wrong")
    assert "does not know the token" in result.reason
    assert "999:wrong" not in result.reason
    with stand_ins.web(WebStandIn(answer=b"<html>")) as page:
        assert "is not Telegram" in by_bot(tmp_path, page.port).reason
    assert "refused" in by_bot(tmp_path, page.port).reason, "nobody listens there any more"
