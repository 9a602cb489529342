"""`ayni link`, `site`, `events` and `health` against a real Mosquitto and a stand-in for the central."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import parts
import pytest
from test_chain import Town, alone_in_town, device_state
from test_command_status import Central, mosquitto, with_central

from ayni_console import command_alerts, command_status, plainly
from ayni_core.wire.questions import AskDeliveries, AskReadings
from ayni_io import cli, completion

pytestmark = pytest.mark.real("mosquitto")
AYNI = Path(sys.executable).parent / "ayni"
FORMS = ("link", "site", "events", "health")
NAMED = {"link": ["torre-clinica"], "site": ["torre"], "events": [], "health": []}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as port:
        yield port


def ayni(port: int, *words: str) -> int:
    """One command in this process, as a person at this broker gives it."""
    run = cli.load(cli.COMMANDS[words[:1]])
    return int(run([*words[1:], "--broker", f"127.0.0.1:{port}", "--user", "rosa"]) or 0)


def looks(port: int, *words: str, **how: Any) -> tuple[int, Central]:
    async def work(central: Central) -> tuple[int, Central]:
        return await asyncio.to_thread(ayni, port, *words), central

    found: tuple[int, Central] = asyncio.run(with_central(port, work, **how))
    return found


def test_a_link_is_told_with_its_past(broker: int, capsys: pytest.CaptureFixture[str]) -> None:
    status, _central = looks(broker, "link", "Torre-Clinica", "--plain", "--explain", "noise_dbm")
    said = capsys.readouterr().out.splitlines()
    assert status == 1
    assert said[0] == "Torre-Clínica: WEAK for 3 days"
    assert any(each.startswith("  hears, median of last week: -") for each in said)
    assert said.count("  noise means: background noise; nearer to 0 is worse") == 1


def test_a_link_that_works_has_status_0_and_ascii_is_ascii(
    broker: int, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _central = looks(broker, "link", "torre-cerro", "--ascii")
    said = capsys.readouterr().out
    assert (status, said.isascii()) == (0, True)
    assert said.startswith("Torre-Cerro: OK for 41 days\nNothing is wrong here.\n")


def test_a_site_asks_for_the_readings_of_what_stands_there(
    broker: int, capsys: pytest.CaptureFixture[str]
) -> None:
    status, central = looks(broker, "site", "clín")
    said = capsys.readouterr().out.splitlines()
    assert (status, said[0]) == (1, "Clínica: OK")
    assert [each.device for each in central.asked if isinstance(each, AskReadings)] == ["clinica-radio"]
    assert "    speed: 100 Mb/s" in said


def test_events_and_health(broker: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert looks(broker, "events", "torre-clinica", "--last", "7d")[0] == 0
    assert capsys.readouterr().out.startswith("2 events of Torre-Clínica in the last 7 days\nNote: ")
    status, central = looks(broker, "health")
    said = capsys.readouterr().out
    assert status == 1
    assert "Messages to Ana by mail: does not work: nobody is there\n" in said
    assert any(isinstance(each, AskDeliveries) for each in central.asked)


@pytest.mark.parametrize("form", FORMS)
def test_json_is_one_object(broker: int, capsys: pytest.CaptureFixture[str], form: str) -> None:
    looks(broker, form, *NAMED[form], "--json", "--last" if form == "events" else "--plain",
          *(["2w"] if form == "events" else []))  # fmt: skip
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert isinstance(json.loads(printed), dict)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["link", "torre"], "ayni link: “torre” may be any of these: torre-cerro, torre-clinica\n"),
        (["site", "clinca"], "ayni site: nothing is called “clinca”; did you mean \"clinica\"?\n"),
        (["events", "nobody/x"], "ayni events: nothing is called “nobody/x”"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_one_sentence_and_status_2(
    broker: int, capsys: pytest.CaptureFixture[str], words: list[str], fault: str
) -> None:
    assert looks(broker, *words)[0] == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(fault)
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("form", ["link", "site", "health"])
def test_without_a_central_what_is_retained_is_said_to_be_old(
    broker: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(plainly, "ANSWERS_WITHIN_S", 0.3)
    assert looks(broker, form, *NAMED[form], answers=False)[0] == 2
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["NO CONTACT: The central did not answer.", "What follows may be old."]
    assert len(said) > 5
    assert "The central takes everything in." not in said


def test_events_without_a_central_are_one_sentence(
    broker: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plainly, "ANSWERS_WITHIN_S", 0.3)
    assert looks(broker, "events", answers=False)[0] == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "ayni events: The central did not answer.\n")


@pytest.mark.parametrize("form", FORMS)
def test_without_a_broker_it_is_one_sentence(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    port = parts.free_port()
    assert ayni(port, form, *NAMED[form]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"ayni {form}: 127.0.0.1:{port}: nothing listens there.\n")


def test_a_wrong_password_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AYNI_PASSWORD", "wrong")
    with mosquitto(tmp_path, anonymous=False) as port:
        for form in FORMS:
            assert ayni(port, form, *NAMED[form]) == 2
            told = capsys.readouterr()
            assert "wrong name or password" in told.err
            assert (told.out, told.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["link"], "NAME"),
        (["link", "x", "--explain", "noise"], "no metric is called “noise”; did you mean"),
        (["events", "--last", "soon"], "“soon”: expected such as 90m, 24h, 7d or 2w"),
        (["events", "--last", "0h"], "“0h”: expected such as"),
        (["events", "--limit", "9999"], "expected a number from 1 to 5000"),
        (["events", "x", "--about", "y"], "not allowed with"),
    ],
)
def test_faults_of_the_command_line(words: list[str], fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        ayni(1, *words)
    assert ended.value.code == 2
    assert fault in capsys.readouterr().err


def _started(port: int, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(AYNI), *words, "--broker", f"127.0.0.1:{port}", "--user", "rosa"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "AYNI_LANG": "en"},
    )  # fmt: skip


def test_control_c_ends_it_without_a_word(broker: int) -> None:
    async def work(central: Central) -> tuple[int, str, str]:
        process = _started(broker, "link", "torre-clinica")
        try:
            await _until(lambda: bool(central.asked))  # it waits for an answer that never comes
            process.send_signal(signal.SIGINT)
            out, err = await asyncio.to_thread(process.communicate, timeout=10)
        finally:
            process.kill()
        return process.returncode, out, err

    assert asyncio.run(with_central(broker, work, answers=False)) == (130, "", "")


def test_a_reader_that_goes_away_ends_it_without_a_word(broker: int) -> None:
    async def work(_central: Central) -> tuple[int, str]:
        process = _started(broker, "site", "torre")
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        try:
            status = await asyncio.to_thread(process.wait, 15)
            return status, process.stderr.read()
        finally:
            process.kill()

    assert asyncio.run(with_central(broker, work)) == (141, "")


def test_a_real_central_answers_every_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def story(made: Town) -> None:
        async with made.looking() as eyes:
            assert await eyes.until(lambda: device_state(eyes) == "ok", 20)
        account = made.local.config("p-ana")
        assert account.password is not None
        password = tmp_path / "password"
        password.write_text(account.password.reveal())
        password.chmod(0o600)

        async def said(command: str, *words: str) -> str:
            where = ("--broker", f"{account.host}:{account.port}", "--user", "ana")
            run = cli.load(cli.COMMANDS[command,])
            assert await asyncio.to_thread(run, [*words, *where, "--password-file", str(password)]) == 0
            return capsys.readouterr().out

        assert "    The central started; " in await said("health"), "what is about nothing in particular"
        assert "    answers: yes\n" in await said("site", "torre")
        events = json.loads(await said("events", "--json"))["events"]
        assert "event.hub_started" in {each["what"] for each in events}

    alone_in_town(tmp_path, story)


async def _until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not ready():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def test_every_plain_form_takes_plain_and_json_and_completion_knows_it() -> None:
    for form in FORMS:
        assert form in completion.follow([])
        assert {"--plain", "--json", "--ascii", "--broker", "--language"} <= set(completion.follow([form]))
    for made in (command_status.parser(), command_alerts.parser()):
        assert {"--plain", "--json", "--ascii"} <= set(made._option_string_actions)
    assert "--explain" in completion.follow(["site"])
    assert {"--last", "--about", "--limit"} <= set(completion.follow(["events"]))
