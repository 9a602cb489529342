"""`ayni notify`: a test that says what came back, who is told what, and how messages went."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
import stand_ins
from people_town import ANA, Town, link_down
from stand_ins import BotStandIn

from ayni_core.schema import ConfigError
from ayni_hub.command_notify import main
from ayni_hub.home import HUB

NETWORK = """
network: {title: Valle, language: en, timezone: America/Lima, telegram: {token: env:BOT, server: "http://127.0.0.1:%d"}}
sites: {torre: {title: Torre}}
people:
  ana:
    title: Ana
    quiet: "00:00-12:00"
    levels: critical
    sites: [torre]
    digest: {daily: "07:00", weekly: "mon 07:30"}
    notify:
      phone: {kind: telegram, chat: "42"}
      mail: {address: file:/nowhere/ana}
  beto: {title: Beto, language: es, notify: {phone: {kind: telegram, chat: "43"}}}
  eva: {title: Eva}
on_call: {people: [beto, ana], from: "2099-01-05"}
escalation: {next_after_min: 15, all_after_min: 45}
"""


@pytest.fixture
def notify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*words: str) -> tuple[int, str]:
        status = main([words[0], *words[1:], "--dir", str(tmp_path)])
        return status, capsys.readouterr().out

    return run


def test_a_test_says_of_each_target_what_came_back(
    tmp_path: Path, notify: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stand_ins.web(BotStandIn()) as bot:
        assert isinstance(bot, BotStandIn)
        monkeypatch.setenv("BOT", bot.token)
        (tmp_path / "network.yaml").write_text(NETWORK % bot.port)
        assert notify("test", "ana") == (
            1,
            "phone (telegram): sent\n"
            f"mail (apprise): NOT sent: {tmp_path}/network.yaml: people.ana.notify.mail.address:"
            " /nowhere/ana: cannot be read: No such file or directory\n",
        )
        assert notify("test", "ana", "--target", "phone") == (
            0, "phone (telegram): sent\nAsk Ana whether it arrived.\n",
        )  # fmt: skip
        assert bot.written == [("42", "Valle: a test. If you read this, Ana can be reached by phone.")] * 2
        for words, said in (
            (("test", "anna"), 'nobody is called "anna"; did you mean "ana"?'),
            (("test", "ana", "--target", "fone"), 'ana has no target "fone"; did you mean "phone"?'),
            (("test", "eva"), "people.eva.notify is missing"),
        ):
            with pytest.raises(ConfigError) as caught:
                notify(*words)
            assert said in str(caught.value)


def test_the_list_says_who_is_told_what_where_and_when(
    tmp_path: Path, notify: Callable[..., tuple[int, str]]
) -> None:
    (tmp_path / "network.yaml").write_text(NETWORK % 1)
    status, out = notify("list")
    assert status == 0
    assert [line.removesuffix(" (just now)") for line in out.splitlines()] == [
        "Ana: phone (telegram), mail (apprise)",
        "  wants what is critical",
        "  of Torre",
        "  quiet 00:00-12:00",
        "  a digest each day at 07:00",
        "  a digest each week: mon 07:30",
        "  reads en",
        "Beto: phone (telegram)",
        "  wants warnings and what is critical",
        "  reads es",
        "Eva: is told nothing (no notify)",
        "Whose turn it is: Beto, Ana",
        "Nobody takes it on for 15 min: the next one is told",
        "Nobody takes it on for 45 min: all are told",
    ]


def test_the_status_says_how_messages_went(tmp_path: Path, notify: Callable[..., tuple[int, str]]) -> None:
    (tmp_path / "network.yaml").write_text(NETWORK % 1)
    assert notify("status") == (0, "Nobody was told anything yet.\n")
    (tmp_path / HUB).mkdir()
    with contextlib.closing(Town(tmp_path / HUB, ANA)) as town:
        town.put(link_down())
        town.go(10)
        town.broken["mail"] = "nobody is there"
        town.end(link_down())
        town.go(300)
        (tmp_path / "network.yaml").write_text((tmp_path / HUB / "network.yaml").read_text())
        status, out = notify("status")
    assert status == 1
    lines = out.splitlines()
    assert lines[0].startswith("Ana, mail (apprise): reached ")
    assert lines[0].endswith("; DOES NOT WORK: nobody is there; 1 message waits")
    assert lines[1].endswith("ana/mail  sent: ALARM: Torre–Escuela is down, since 12:00")
    assert "ana/mail  on its way (nobody is there): Over (12:00 to 12:00)" in lines[2]
