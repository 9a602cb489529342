"""`ayni agent status`: what it says, that it fits a small terminal, and that its socket takes any guest."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ayni_agent import command_status, status_ask, status_socket, status_view
from ayni_agent.alarms import alarms, transition_text
from ayni_agent.contact import Contact
from ayni_agent.outbox import Statistics
from ayni_agent.outbox_file import Refusal
from ayni_agent.sightings import Sightings
from ayni_agent.standing import ClockMemory, outbox_status
from ayni_agent.status import (
    SOCKET,
    AlarmStatus,
    BudgetStatus,
    ClockStatus,
    DayStatus,
    DeviceStatus,
    HubStatus,
    OutboxStatus,
    RefusalStatus,
    Status,
    ValueStatus,
)
from ayni_agent.status_ask import StatusError
from ayni_agent.verdict import Verdicts
from ayni_core.clockwatch import ClockWatch, Moment
from ayni_core.message import Message
from ayni_core.readings import Poll, Series
from ayni_core.wire.shape import pack, unpack
from ayni_io import i18n
from ayni_io.rulebook import load_rules

AYNI = Path(sys.executable).parent / "ayni"
PROFILE = Series("system", "", "profile")
SIGNAL = Series("radio", "wlan1", "signal_dbm")


def device(name: str, state: str = "ok", **more: object) -> DeviceStatus:
    given = {"state_age_s": 100.0, "address": "10.0.0.1:161", "answered_age_s": 12.0, **more}
    return DeviceStatus(name=name, state=state, **given)  # type: ignore[arg-type]


def reading(metric: str, value: float) -> ValueStatus:
    return ValueStatus(group="radio", item="wlan1", metric=metric, value=value)


WELL = Status(
    node="torre-pi", version="0.1.0", up_s=260000, poll_s=60, flush_s=300,
    clock=ClockStatus(wall_s=1795000000, synchronised=True, trusted=True, steps=0),
    hub=HubStatus(broker="hub.lan:8883", connected=True, age_s=7000, state="ready", ack_age_s=40),
    outbox=OutboxStatus(
        frames=0, size_bytes=0, oldest_age_s=None, dropped=0, damaged=0, refused=0, refusals=(),
        storage="disk", trouble="", why="",
    ),
    budget=BudgetStatus(
        today_bytes=412000, month_bytes=8100000, cap_bytes=None, forecast_bytes=None, saving=0,
        counted="tcp_info",
    ),
    devices=(device("ap-torre", values=(reading("signal_dbm", -61), reading("voltage_v", 24.1))),),
    alarms=(),
    day=(
        DayStatus(
            device="ap-torre", hours="o" * 24, answered_pct=100, metric="signal_dbm",
            low=-64, mean=-61, high=-58,
        ),
    ),
    day_whole=True,
)  # fmt: skip

BAD = replace(
    WELL,
    clock=ClockStatus(
        wall_s=300, synchronised=False, trusted=False, steps=2, jump_s=1.7e9, jump_age_s=130.0
    ),
    hub=HubStatus(
        broker="hub.lan:8883", connected=False, age_s=2100, state="unknown", ack_age_s=2200,
        problem="network", cause="broker hub.lan:8883: nothing listens there",
    ),
    outbox=OutboxStatus(
        frames=34, size_bytes=120345, oldest_age_s=2100, dropped=3, damaged=2, refused=1,
        refusals=(RefusalStatus(name="e/3", reason="not a value", age_s=None),),
        storage="memory", trouble="full", why="writing (/x): database or disk is full",
    ),
    budget=BudgetStatus(
        today_bytes=412000, month_bytes=48_100_000, cap_bytes=50_000_000, forecast_bytes=61_000_000,
        saving=2, counted="tcp_info",
    ),
    devices=(
        device("ap-torre", values=(reading("signal_dbm", -61), reading("voltage_v", 24.1))),
        device("ap-cerro", "silent", answered_age_s=18000.0, error="no answer \x1b[2J\x07 within 2 s 漢字"),
        device("a-device-whose-name-is-as-long-as-it-can-be-48ch", "new", answered_age_s=None),
        *(device(f"radio-{n:02}", values=(reading("signal_dbm", -60 - n / 10),)) for n in range(40)),
    ),
    alarms=tuple(
        AlarmStatus(
            rule="device-silent", device=f"d{n}", item="", level=level, age_s=18000.0 * n,
            text=Message("rule.device_silent", {"device": f"device-with-quite-a-long-name-number-{n}"}),
        )
        for n, level in enumerate(["critical", "warn"] * 6)
    ),
)  # fmt: skip


@pytest.fixture()
def language() -> Iterator[None]:
    before = i18n.language()
    yield
    i18n.use(before)


def shown(status: Status, width: int = 80, height: int | None = None, **more: bool) -> list[str]:
    lines = status_view.lines(status, width, height)
    options = {"colour": False, "ascii_only": False, **more}
    return status_view.screen(lines, **options)


# ---- the screen


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("tongue", sorted(i18n.LANGUAGES))
@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 20), (40, 12), (132, 50)])
@pytest.mark.parametrize("status", [WELL, BAD], ids=["well", "bad"])
def test_it_fits_the_terminal_in_every_language(status: Status, width: int, height: int, tongue: str) -> None:
    i18n.use(tongue)
    lines = shown(status, width, height - 1)
    assert len(lines) <= height - 1
    assert max(map(len, lines)) <= width
    assert not any(char < " " or char == "\x7f" for line in lines for char in line)


def test_what_is_wrong_is_said_in_words_and_stands_first() -> None:
    lines = shown(BAD, 80, 23)
    screen = " ".join(" ".join(lines).split())
    for words in (
        "no contact for 35 min: no way there (nothing listens there)", "34 wait, 120 kB, the oldest 35 min",
        "in memory only: the disk is full", "3 dropped", "1 refused by the central: not a value",
        "saving, step 2 of 3", "48.1 MB of 50 MB", "1970-01-01 00:05:00 UTC, may be wrong", "ALARMS 12",
        "SILENT", "more",
    ):  # fmt: skip
        assert words in screen, words
    rows = [line for line in lines if re.match(r" [●▲■?] (ap|radio|a-)", line)]
    assert rows[0].startswith(" ■ ap-cerro")
    assert "�" not in screen


def test_without_a_limit_nothing_is_left_out() -> None:
    screen = "\n".join(shown(BAD))
    assert all(each.name[:17] in screen for each in BAD.devices)
    assert sum("does not answer" in line for line in screen.splitlines()) == 12
    assert "more" not in screen


def test_all_is_well_in_few_lines() -> None:
    lines = shown(WELL, 80, 23)
    assert len(lines) <= 11
    screen = "\n".join(lines)
    for words in ("there for 116 min", "took a report 40 s ago", "none waits", "on disk", "NO ALARMS",
                  "-61 dBm (-64…-58) · 24.1 V", "████████████ 100%"):  # fmt: skip
        assert words in screen, words


def test_colour_adds_nothing_that_the_words_do_not_say() -> None:
    coloured = shown(BAD, 80, 23, colour=True)
    assert any("\x1b[" in line for line in coloured)
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in coloured] == shown(BAD, 80, 23)


def test_why_a_device_is_silent_is_told_without_what_was_asked() -> None:
    error = "reading 1 object from 10.0.0.1:161: no answer within 2 s"
    one = device("one", "silent", error=error)
    other = device("other", "failing", error="a fault in its profile")
    screen = "\n".join(shown(replace(WELL, devices=(one, other), day=())))
    assert "no answer within 2 s" in screen
    assert "reading" not in screen
    assert "a fault in its profile" in screen


def test_every_terminal_can_show_the_signs() -> None:
    lines = shown(BAD, 80, 23, ascii_only=True)
    assert all(line.isascii() for line in lines)
    assert any(line.startswith(" X ap-cerro") for line in lines)


@pytest.mark.parametrize(
    ("hub", "words"),
    [
        ({"connected": False, "problem": "tls", "cause": "expired"}, "its certificate is wrong (expired)"),
        ({"connected": False, "problem": "refused", "cause": "who?"}, "it refuses us (who?)"),
        ({"connected": False, "problem": "", "cause": ""}, "no way there"),
        ({"problem": "denied", "cause": "not authorized"}, "our reports are not allowed: not authorized"),
        ({"state": "store-down"}, "there, but cannot write"),
        ({"state": "clock-wrong"}, "there, but its clock is wrong"),
        ({"state": "gone"}, "the broker is there, the central is not"),
        ({"state": "unknown"}, "the broker is there, the central is not"),
    ],
)  # fmt: skip
def test_why_there_is_no_contact_is_told_apart(hub: dict[str, object], words: str) -> None:
    status = replace(WELL, hub=replace(WELL.hub, **hub))  # type: ignore[arg-type]
    assert words in " ".join(" ".join(shown(status, 132)).split())
    assert command_status.needs_somebody(status)


def test_programs_get_the_same_with_the_sentences_in_words() -> None:
    plain = command_status.as_json(BAD)
    assert json.loads(json.dumps(plain)) == json.loads(json.dumps(plain))
    assert isinstance(plain["alarms"], list)
    assert plain["alarms"][0]["text"] == "device-with-quite-a-long-name-number-0 does not answer"
    assert not command_status.needs_somebody(WELL)
    assert command_status.needs_somebody(replace(WELL, alarms=BAD.alarms[:1]))


def test_a_status_survives_its_journey() -> None:
    for status in (WELL, BAD):
        assert unpack(Status, pack(status)) == status


# ---- where it comes from


def poll(at_s: float, error: str | None = None, **values: float) -> Poll:
    readings: dict[Series, float | str] = {
        Series("radio", "wlan1", name): each for name, each in values.items()
    }
    readings[PROFILE] = "routeros"
    return Poll(device="ap", at_s=at_s, values={} if error else readings, error=error)


def test_a_device_is_new_then_ok_then_shaky_then_silent_then_back() -> None:
    seen = Sightings()
    states = [seen.status("ap", "10.0.0.1:161", 0.0).state]
    for at_s, error in ((1, None), (61, "timed out"), (71, "timed out"), (81, "timed out"), (141, None)):
        seen.take(poll(at_s, error, signal_dbm=-61.0), at_s + 0.1, 5.0)
        states.append(seen.status("ap", "10.0.0.1:161", at_s + 1).state)
    assert states == ["new", "ok", "failing", "failing", "silent", "ok"]
    assert seen.silent() == 0
    status = seen.status("ap", "10.0.0.1:161", 150)
    assert (status.family, status.error, status.answered_age_s) == ("routeros", "", 8.9)
    seen.keep({})
    assert seen.status("ap", "10.0.0.1:161", 150).state == "new"


def test_a_device_that_takes_too_long_is_slow_and_a_check_does_not_make_it_quick() -> None:
    seen = Sightings()
    seen.take(poll(0, signal_dbm=-61), 7.0, 5.0)
    assert seen.status("ap", "x", 8).state == "slow"
    seen.take(Poll(device="ap", at_s=60, values={}), 60.1, 5.0)
    assert seen.status("ap", "x", 61).state == "slow"


def test_of_many_values_the_few_that_matter_are_shown_and_the_weakest_of_many_radios() -> None:
    seen = Sightings()
    values: dict[Series, float | str] = {
        Series("station", f"{n:012x}", "signal_dbm"): -60.0 - n for n in range(5)
    } | {
        Series("power", "", "voltage_v"): 24.1, Series("system", "", "uptime_s"): 5.0,
        Series("system", "", "cpu_pct"): 3.0, Series("system", "", "name"): "x",
    }  # fmt: skip
    seen.take(Poll(device="ap", at_s=0, values=values), 0.1, 5.0)
    shown_values = seen.status("ap", "x", 1).values
    assert [(each.metric, each.value) for each in shown_values] == [
        ("signal_dbm", -64.0), ("voltage_v", 24.1), ("cpu_pct", 3.0),
    ]  # fmt: skip


def test_contact_knows_since_when_and_why_not() -> None:
    contact = Contact("a:1883", 100.0)
    assert not contact.there
    contact.lost("network", "nothing listens there", 101.0)
    contact.lost("network", "nothing listens there", 131.0)
    status = contact.status(160.0)
    assert (status.connected, status.age_s, status.broker) == (False, 60.0, "a:1883")
    assert contact.status(160.0, 20.0).age_s == 140.0, "an earlier run knew since when"
    contact.connected("b:8883", 170.0)
    assert not contact.there, "the broker alone is not the central"
    assert (contact.hub("ready"), contact.hub("ready")) == ("unknown", "ready")
    contact.acknowledged(175.0)
    assert contact.there
    went: list[bool] = []
    contact.on_away = lambda: went.append(contact.there)
    assert contact.status(180.0) == HubStatus(
        broker="b:8883", connected=True, age_s=10.0, state="ready", ack_age_s=5.0
    )
    contact.denied("not authorized")
    assert contact.status(180.0).problem == "denied"
    contact.acknowledged(181.0)
    assert contact.status(182.0).problem == ""
    contact.hub("something new")
    assert contact.status(182.0).state == "unknown"
    contact.hub("gone")
    assert went == [False], "once"
    contact.lost("tls", "x" * 1000, 190.0)
    assert (contact.status(195.0).age_s, len(contact.status(195.0).cause)) == (5.0, 200)


def test_the_clock_tells_when_it_was_set() -> None:
    watch, memory = ClockWatch("b"), ClockMemory()
    for mono_s, wall_s in ((100.0, 1e9), (160.0, 1e9 + 60), (170.0, 1e9 + 7270)):
        moment = watch.look(mono_s, wall_s, True)
        memory.take(moment)
    status = memory.status(watch.look(200.0, 1e9 + 7300, False))
    assert (status.steps, status.jump_s, status.jump_age_s) == (1, 7200.0, 30.0)
    assert (status.synchronised, status.trusted) == (False, True)


def test_the_outbox_tells_ages_and_the_newest_refusals() -> None:
    statistics = Statistics(
        frames=2, size_bytes=10, oldest_s=40.0, dropped=0, damaged=0, refused=12, storage="disk", trouble="",
        why="",
    )  # fmt: skip
    refusals = [Refusal(epoch="e", seq=n, at=1e9 + n, reason=f"r{n}") for n in range(12)]
    moment = Moment(mono_s=100.0, wall_s=1e9 + 20, synced=True, trusted=True)
    status = outbox_status(statistics, refusals, moment)
    assert (status.oldest_age_s, len(status.refusals)) == (60.0, 10)
    assert (status.refusals[0].name, status.refusals[0].reason, status.refusals[0].age_s) == (
        "e/11",
        "r11",
        9.0,
    )
    unsure = outbox_status(statistics, refusals, replace(moment, trusted=False))
    assert unsure.refusals[0].age_s is None


def test_alarms_are_those_of_the_shared_rules_in_the_words_of_the_central() -> None:
    verdicts = Verdicts.over(load_rules(), {"ap": -58.0, "gw": None})
    for n in range(4):
        found = verdicts.judge(poll(n * 60.0, signal_dbm=-64.0))
        for transition in found:
            assert i18n.say(transition_text(verdicts, transition)) == "wlan1: ap hears -64 dBm, normal is -58"
        verdicts.judge(Poll(device="gw", at_s=n * 60.0, values={}, error="timed out"))
    held = alarms(verdicts, 300.0)
    assert [(each.rule, each.level, each.age_s, i18n.say(each.text)) for each in held] == [
        ("device-silent", "critical", 300.0, "gw does not answer"),
        ("signal-low", "warn", 300.0, "wlan1: ap hears -64 dBm, normal is -58"),
    ]


def test_one_station_that_is_away_is_no_alarm_but_all_of_them_are() -> None:
    verdicts = Verdicts.over(load_rules(), {})
    two = {Series("station", mac, "signal_dbm"): -60 for mac in ("0a0b0c0d0e0f", "0a0b0c0d0e10")}
    one = dict(list(two.items())[:1])
    none = {Series("system", "", "uptime_s"): 1.0}
    for at_s, values in enumerate((two, one, one, one)):
        verdicts.judge(Poll(device="ap", at_s=at_s, values=values))
    assert alarms(verdicts, 10.0) == ()
    for at_s in (4, 5):
        transitions = verdicts.judge(Poll(device="ap", at_s=at_s, values=none))
    (alarm,) = alarms(verdicts, 10.0)
    assert i18n.say(alarm.text) == "ap hears no other radio any more"
    assert i18n.say(transition_text(verdicts, transitions[0])) == "ap no longer hears 0a0b0c0d0e0f"


# ---- the socket


def with_server(
    folder: Path,
    talk: Callable[[Path], Awaitable[None]],
    answer: Status | Exception | Callable[[], Awaitable[Status]] = WELL,
) -> None:
    async def told() -> Status:
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Status) else await answer()

    async def run() -> None:
        path = folder / SOCKET
        left = path.stat().st_ino if path.exists() else None
        serving = asyncio.create_task(status_socket.serve(folder, told))
        async with asyncio.timeout(30):
            while not (path.exists() and path.stat().st_ino != left):
                await asyncio.sleep(0.005)
            await talk(path)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(run())


def test_whoever_may_open_the_socket_gets_the_status_and_it_goes_with_the_agent(tmp_path: Path) -> None:
    async def talk(path: Path) -> None:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert await asyncio.to_thread(status_ask.ask, path) == WELL
        assert os.listdir(tmp_path) == [SOCKET]

    with_server(tmp_path, talk)
    assert os.listdir(tmp_path) == []


def test_a_socket_that_a_killed_agent_left_is_replaced_and_that_of_a_living_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / SOCKET
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    async def talk(path: Path) -> None:
        assert await asyncio.to_thread(status_ask.ask, path) == WELL
        before = path.stat().st_ino

        async def other() -> Status:
            return BAD

        await status_socket.serve(tmp_path, other)
        assert path.stat().st_ino == before
        assert await asyncio.to_thread(status_ask.ask, path) == WELL

    with_server(tmp_path, talk)
    assert [r.getMessage() for r in caplog.records if "another agent" in r.getMessage()]


def test_an_agent_without_a_place_for_the_socket_goes_on_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def told() -> Status:
        return WELL

    (tmp_path / "file").touch()
    asyncio.run(status_socket.serve(None, told))
    asyncio.run(status_socket.serve(tmp_path / "file", told))
    asyncio.run(status_socket.serve(tmp_path / ("x" * 120), told))
    assert len([r for r in caplog.records if "no local status" in r.getMessage()]) == 2


HOSTILE = [
    b"", b"\n", b"status\n", b"{}\n", b"[]\n", b'{"do":"reboot"}\n', b'{"do":"status"', b"\xff\xfe\n",
    b"[" * 900 + b"\n", b"x" * 100_000, b'{"do":"status","do":1}\n', b"1e999\n", b'"\n',
]  # fmt: skip


def test_hostile_guests_get_an_error_or_nothing_and_the_next_one_is_served(tmp_path: Path) -> None:
    def bother(path: Path) -> None:
        for words in HOSTILE:
            with socket.socket(socket.AF_UNIX) as guest:
                guest.settimeout(10)
                guest.connect(str(path))
                try:
                    guest.sendall(words)
                    guest.shutdown(socket.SHUT_WR)
                    answer = guest.recv(65536)
                except OSError:
                    continue
                assert answer == b"" or "error" in json.loads(answer), words

    async def talk(path: Path) -> None:
        await asyncio.to_thread(bother, path)
        assert await asyncio.to_thread(status_ask.ask, path) == WELL

    with_server(tmp_path, talk)


def test_guests_who_only_sit_there_do_not_keep_others_out_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_socket, "_PATIENCE_S", 0.3)

    async def talk(path: Path) -> None:
        sitting = [socket.socket(socket.AF_UNIX) for _ in range(20)]
        for guest in sitting:
            guest.connect(str(path))
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await asyncio.to_thread(status_ask.ask, path) == WELL
                    break
                except StatusError:
                    await asyncio.sleep(0.05)
        for guest in sitting:
            guest.close()

    with_server(tmp_path, talk)


def test_a_status_that_cannot_be_made_is_an_error_for_who_asks_and_nobody_else(tmp_path: Path) -> None:
    async def talk(path: Path) -> None:
        with pytest.raises(StatusError) as caught:
            await asyncio.to_thread(status_ask.ask, path)
        assert caught.value.kind == "strange"
        assert "tripped" in caught.value.detail

    with_server(tmp_path, talk, ZeroDivisionError("a bug"))


# ---- the command


def run_status(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(AYNI), "agent", "status", *words], capture_output=True, text=True, timeout=30,
        env={**os.environ, "AYNI_LANG": "en", "PYTHONIOENCODING": "utf-8", **env},
    )  # fmt: skip


def test_why_nobody_answers_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    run = run_status("--socket", str(path))
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("No monitor runs here")
    assert len(run.stderr.splitlines()) == 1
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    run = run_status("--socket", str(path))
    assert (run.returncode, run.stderr) == (2, f"The monitor is not running: nobody listens at {path}.\n")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("denied", "You may not ask the monitor"),
        ("hangs", "does not answer: it hangs"),
        ("strange", "gave no status: odd"),
        ("absent", "No monitor runs here"),
        ("dead", "is not running"),
    ],
)
def test_each_kind_of_silence_has_its_sentence(kind: str, words: str, tmp_path: Path) -> None:
    said = command_status.sentence(StatusError(kind, "odd"), tmp_path / "below" / "agent.sock")
    assert words in said
    if kind == "denied":
        assert re.search(r'group "[\w-]+"', said)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_socket_that_one_may_not_open_is_denied(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "s"))
        (tmp_path / "s").chmod(0)
        with pytest.raises(StatusError, match="denied"):
            status_ask.ask(tmp_path / "s")


def test_an_answer_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    for answer in (b"HTTP/1.1 400\n", b"{}\n", b'{"status":{}}\n', b'{"error":"no"}\n', b"", b"[1,2]\n"):
        path = tmp_path / f"s{len(answer)}"
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()

            def reply(other: socket.socket = other, answer: bytes = answer) -> None:
                guest, _ = other.accept()
                with guest:
                    guest.recv(100)
                    guest.sendall(answer)

            thread = threading.Thread(target=reply)
            thread.start()
            with pytest.raises(StatusError):
                status_ask.ask(path, within_s=5)
            thread.join()


def test_the_command_shows_it_as_words_and_as_json(tmp_path: Path) -> None:
    async def talk(path: Path) -> None:
        words = await asyncio.to_thread(run_status, "--socket", str(path))
        assert words.stderr == ""
        assert words.returncode == 1
        assert "no contact for 35 min" in words.stdout
        assert "radio-39" in words.stdout, "what is no terminal gets all of it"
        assert "\x1b" not in words.stdout
        objects = await asyncio.to_thread(run_status, "--socket", str(path), "--json")
        assert json.loads(objects.stdout)["node"] == "torre-pi"
        config = tmp_path / "agent.yaml"
        config.write_text(
            f"node: n\nbroker: {{}}\nruntime_dir: {tmp_path}\ndevices: {{}}\n", encoding="utf-8"
        )
        found = await asyncio.to_thread(run_status, "--config", str(config), "--language", "es")
        assert (found.returncode, found.stderr) == (1, "")
        ascii_only = await asyncio.to_thread(run_status, "--socket", str(path), PYTHONIOENCODING="ascii")
        assert ascii_only.stdout.isascii()
        assert ascii_only.stdout.splitlines()[1].startswith(" X ")

    with_server(tmp_path, talk, BAD)


def test_watching_redraws_in_place_only_what_changed_and_leaves_the_terminal_tidy(tmp_path: Path) -> None:
    asked: list[float] = []

    def watch(path: Path) -> tuple[bytes, bytes]:
        """What the first picture took, and what came after it until Ctrl+C."""
        near, far = pty.openpty()
        env = {**os.environ, "AYNI_LANG": "en", "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
        words = [str(AYNI), "agent", "status", "--socket", str(path), "--watch"]
        with subprocess.Popen(words, stdin=far, stdout=far, stderr=far, env=env) as process:
            os.close(far)
            try:
                first = _read_until(near, lambda: len(asked) >= 2)
                process.send_signal(signal.SIGINT)
                later = _read_until(near, lambda: process.poll() is not None)
            finally:
                process.kill()
            assert process.returncode == 0
        os.close(near)
        return first, later

    async def talk(path: Path) -> None:
        first, later = await asyncio.to_thread(watch, path)
        assert first.startswith(b"\x1b[?25l\x1b[H\x1b[2J")
        assert first.count(b"\x1b[2J") == 1
        assert 500 < len(first) < 4000, "the second picture is the same, and is not sent"
        assert later.count(b"\x1b[?25h") == 1
        assert len(later) < 30

    async def answer() -> Status:
        asked.append(time.monotonic())
        return BAD

    with_server(tmp_path, talk, answer)


def _read_until(near: int, done: Callable[[], bool]) -> bytes:
    os.set_blocking(near, False)
    sent, end = b"", time.monotonic() + 25
    while True:
        last = done()
        with contextlib.suppress(OSError):
            sent += os.read(near, 65536)
        if last:
            return sent
        assert time.monotonic() < end
        time.sleep(0.02)
