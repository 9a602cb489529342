"""Rounds of many devices: who answers is polled at its time, whatever the slow and the dead beside it do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from parts import UdpAgent
from skipped_time import Skipping, in_skipped_time

from ayni_agent.device_loop import DeviceLoop
from ayni_agent.flight import SEATS, Flight
from ayni_agent.poller import Poller
from ayni_agent.schedule import Turn, first_turn, next_turn, patience_s, timeout_s
from ayni_core.mibview import MibView
from ayni_core.readings import Poll
from ayni_core.schema import ConfigError
from ayni_core.snmp import VarBind, decode_request
from ayni_core.snmprec import parse_snmprec
from ayni_io import clock
from ayni_io.profiles import Profiles
from ayni_io.snmp import SnmpReader, open_session
from ayni_io.snmp_errors import SnmpTimeout
from ayni_io.snmp_recording import RecordedReader

skipping = in_skipped_time

WELL, SLOW, DEAD = 0.02, 1.9, None
"""Seconds until each answer."""

Pace = float | None

RADIO = "1.3.6.1.2.1.1.1.0|4|A box\n1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999\n1.3.6.1.2.1.1.3.0|67|4200\n" + (
    "".join(f"1.3.6.1.4.1.99999.{table}.3.1|2|-60\n" for table in (1, 2, 3))
)
PROFILE = "about: A box\nroot: 1.3.6.1.4.1.99999\ntables:\n" + "".join(
    f" - {{entry: .{table}, group: radio, volatile: true, readings: [{{column: 3, metric: {metric}}}]}}\n"
    for table, metric in enumerate(("signal_dbm", "noise_dbm", "tx_power_dbm"), 1)
)
"""Four requests a poll, as radios take."""


@pytest.fixture(autouse=True)
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small profile: what polls take of the processor is not the question here."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "box.yaml").write_text(PROFILE, encoding="utf-8")
    monkeypatch.setenv("AYNI_CONFIGS", str(tmp_path))


def test_a_device_that_answers_a_get_and_no_poll_is_not_asked_without_end() -> None:
    turn, asked = Turn(at_s=600, slot_s=600), []
    for _ in range(9):
        asked.append((turn.at_s, turn.full))
        turn = next_turn(turn, not turn.full, turn.at_s, 60)
    assert asked == [
        (600, True), (610, False), (610, True),
        (660, True), (680, False), (680, True),
        (720, True), (740, False), (740, True),
    ]  # fmt: skip


class FarDevice(RecordedReader):
    """A device whose every answer takes `pace` seconds from `since_s` on, or never comes."""

    flying = most_flying = 0

    def __init__(self, view: MibView, pace: Pace, since_s: float) -> None:
        super().__init__(view)
        self._answers_in_s = pace
        self._since_s = since_s

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        before = self.cost.pdus
        found = await super().get(oids)
        await self._wait(self.cost.pdus - before)
        return found

    async def columns(
        self, columns: Sequence[bytes], expected_rows: int | None = None, max_rows: int = 4096
    ) -> Sequence[VarBind]:
        before = self.cost.pdus
        found = await super().columns(columns, expected_rows, max_rows)
        await self._wait(self.cost.pdus - before)
        return found

    async def _wait(self, answers: int) -> None:
        pace = self._answers_in_s if clock.monotonic_s() >= self._since_s else WELL
        FarDevice.flying += 1
        FarDevice.most_flying = max(FarDevice.most_flying, FarDevice.flying)
        try:
            if pace is DEAD:
                await asyncio.sleep(2 * timeout_s(60))
                raise SnmpTimeout("no answer")
            await asyncio.sleep(answers * pace)
        finally:
            FarDevice.flying -= 1


async def rounds(
    readers: Sequence[SnmpReader],
    interval_s: float,
    flight: Flight,
    until: Callable[[list[list[Poll]]], bool],
) -> list[list[Poll]]:
    """The polls of each device, polled as the agent does it until it is enough."""
    polls: list[list[Poll]] = [[] for _ in readers]
    enough = asyncio.Event()

    def take(index: int, poll: Poll) -> None:
        polls[index].append(poll)
        if until(polls):
            enough.set()

    families = Profiles()
    start_s = clock.monotonic_s()
    loops = []
    for index, reader in enumerate(readers):
        poller = Poller(str(index), reader, families, "box", look_over_s=3 * interval_s)
        loop = DeviceLoop(poller, flight, interval_s, lambda poll, index=index: take(index, poll))  # type: ignore[misc]
        turn = first_turn(start_s, index, len(readers), interval_s)
        loops.append(asyncio.create_task(loop.run(turn)))
    await enough.wait()
    for each in loops:
        each.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    return polls


@pytest.mark.parametrize(
    ("paces", "since_s", "first_s", "later_s"),
    [
        pytest.param([DEAD] * 10 + [WELL] * 40, 0, 0, 0, id="10 are dead"),
        pytest.param([SLOW] * 10 + [WELL] * 40, 0, 0, 0, id="10 are slow"),
        pytest.param([SLOW] * 16 + [WELL] * 34, 0, 5, 0, id="16 are slow"),
        pytest.param([SLOW] * 16 + [DEAD] * 10 + [WELL] * 24, 0, 8, 0, id="16 are slow and 10 are dead"),
        pytest.param([SLOW] * 40 + [WELL] * 10, 0, 10, 0, id="40 are slow"),
        pytest.param([SLOW] * 40 + [WELL] * 10, 150, 0, 0, id="40 become slow"),
        pytest.param([DEAD] * 40 + [WELL] * 10, 150, 0, 0, id="40 die"),
        pytest.param(([SLOW] * 13 + [WELL]) * 10, 0, 50, 0, id="130 are slow here and there"),
        pytest.param([DEAD] * 290 + [WELL] * 10, 0, 75, 0, id="290 are dead"),
    ],
)
def test_a_round_waits_neither_for_the_slow_nor_for_the_dead(
    paces: list[Pace], since_s: float, first_s: float, later_s: float, skipping: Skipping
) -> None:
    """Polls every minute. Until the first poll nobody is known to be slow: that one may come seconds late."""
    FarDevice.flying = FarDevice.most_flying = 0
    view = MibView(parse_snmprec(RADIO))

    async def test() -> None:
        readers = [FarDevice(view, pace, since_s) for pace in paces]
        polls = await rounds(readers, 60, Flight(patience_s(60)), lambda polls: len(polls[-1]) == 5)
        for index, (pace, found) in enumerate(zip(paces, polls, strict=True)):
            turn = first_turn(0, index, len(paces), 60)
            if pace == WELL:
                late = [found[0].at_s - turn.at_s]
                late += [poll.at_s - turn.slot_s - 60 * n for n, poll in enumerate(found[1:], 1)]
                assert -0.001 < late[0] < first_s + 0.1
                assert all(-0.001 < each < later_s + 0.1 for each in late[1:])
                assert all(poll.values and poll.error is None for poll in found)
            elif pace == SLOW:
                assert len(paces) > 100 or any(poll.values for poll in found)  # nor is it given up
            elif since_s == 0:
                assert all(poll.error == "no answer" for poll in found)
        assert FarDevice.most_flying <= SEATS

    skipping(test)


class Unreadable(FarDevice):
    """Answers a GET, but no walk: so many requests a minute are enough for it."""

    async def columns(self, *asked: object) -> Sequence[VarBind]:
        await asyncio.sleep(4)
        raise SnmpTimeout("walking: no answer")


class NoProfile(Profiles):
    def load(self, name: str):  # type: ignore[no-untyped-def]
        raise ConfigError([f"{name}: broken"])


@pytest.mark.parametrize("broken", ["walks", "profile"])
def test_a_device_that_cannot_be_polled_is_left_in_peace_until_its_turn(
    broken: str, skipping: Skipping, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "agent")

    async def test() -> None:
        view = MibView(parse_snmprec(RADIO))
        reader = Unreadable(view, WELL, 0) if broken == "walks" else FarDevice(view, WELL, 0)
        poller = Poller("x", reader, NoProfile() if broken == "profile" else Profiles(), "box")
        polls: list[Poll] = []
        loop = DeviceLoop(poller, Flight(5), 60, polls.append)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(600):
                await loop.run(first_turn(0, 0, 1, 60))
        assert 20 <= len(polls) <= 31
        said = [text for text in caplog.messages if "device=x" in text]
        cause = "walking: no answer" if broken == "walks" else "box: broken"
        assert said == [f"device answers, but no poll of it succeeds device=x cause={cause}"], "once"
        loop._tell(Turn(at_s=0, slot_s=0), Turn(at_s=0, slot_s=0), Poll(device="x", at_s=0, values={}))
        assert "can be polled again" in caplog.text

    skipping(test)


class Odd(RecordedReader):
    """An engine that fails as nobody foresaw."""

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        raise RuntimeError("odd")


def test_what_nobody_foresaw_is_a_failed_poll_and_the_others_go_on(skipping: Skipping) -> None:
    async def test() -> None:
        view = MibView(parse_snmprec(RADIO))
        readers = [Odd(view), FarDevice(view, WELL, 0)]
        polls = await rounds(readers, 60, Flight(5), lambda polls: len(polls[1]) == 5)
        assert [poll.error for poll in polls[0][:4]] == ["RuntimeError: odd"] * 4

    skipping(test)


# ---- over UDP

INTERVAL_S = 0.5


@contextlib.asynccontextmanager
async def fifty(paces: Sequence[Pace], **options: float) -> AsyncIterator[list[SnmpReader]]:
    """Sessions with devices on loopback, each on a socket of its own; the dead are bound and never read."""
    view = MibView(parse_snmprec(RADIO))

    def serving(pace: float) -> Callable[[bytes], list[tuple[float, bytes]]]:
        return lambda data: [(pace, view.answer(decode_request(data)) or b"")]

    async with contextlib.AsyncExitStack() as stack:
        readers = []
        for pace in paces:
            if pace is DEAD:
                bound = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                bound.bind(("127.0.0.1", 0))
                port = bound.getsockname()[1]
            else:
                port = (await stack.enter_async_context(UdpAgent.serving(serving(pace)))).port
            reader = open_session("127.0.0.1", port, community=b"x", tries=2, **options)  # type: ignore[arg-type]
            readers.append(stack.enter_context(contextlib.closing(reader)))
        yield readers


@pytest.mark.parametrize(
    ("paces", "timeout"),
    [
        pytest.param([DEAD] * 10 + [0.0] * 40, timeout_s(INTERVAL_S), id="10 dead"),
        pytest.param([SLOW] * 10 + [0.0] * 40, 2.0, id="10 answer in 1.9 s"),
        pytest.param([SLOW] * 16 + [0.0] * 34, 2.0, id="16 answer in 1.9 s"),
        pytest.param(([SLOW, DEAD] + [0.0] * 3) * 10, 2.0, id="10 dead and 10 answer in 1.9 s"),
    ],
)
def test_fifty_devices_over_udp_keep_their_pace(paces: list[Pace], timeout: float) -> None:
    """Three rounds, before any of those that take 1.9 s for an answer has been looked over even once."""
    well = [index for index, pace in enumerate(paces) if pace == 0.0]

    async def run() -> tuple[float, list[list[Poll]]]:
        start_s = clock.monotonic_s()
        async with asyncio.timeout(60), fifty(paces, timeout_s=timeout) as readers:
            polls = await rounds(
                readers,
                INTERVAL_S,
                Flight(patience_s(INTERVAL_S)),
                lambda polls: sorted(len(polls[index]) for index in well)[len(well) // 4] >= 3,
            )
        return clock.monotonic_s() - start_s, polls

    took_s, polls = asyncio.run(run())
    print(f"{took_s:.2f} s, polls of those who answer: {sorted({len(polls[index]) for index in well})}")
    counts = sorted(len(polls[index]) for index in well)
    assert counts[len(well) // 4] >= 3, "on a machine with much to do some may lag, not many"
    assert counts[len(well) // 2] <= 8, "nobody is polled at the cost of others"
    assert all(poll.error is None and len(poll.values) > 3 for index in well for poll in polls[index])
    assert not any(poll.values for index, pace in enumerate(paces) if pace != 0.0 for poll in polls[index])
