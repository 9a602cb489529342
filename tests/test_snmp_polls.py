"""Whole polls of devices that do wrong, over UDP: what is lost, what is kept, and how it goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from parts import UdpAgent
from scripted_agent import COMMUNITY, Answers, Flawed, fault

from ayni_agent.poller import Poller
from ayni_core.mibview import MibView
from ayni_core.rates import rates, reboots
from ayni_core.readings import Poll, Series, Value
from ayni_core.snmp import COUNTER32, GET, GET_BULK, TOO_BIG, Message, encode_response
from ayni_core.snmprec import parse_snmprec
from ayni_io.profiles import Profiles
from ayni_io.snmp import open_session

ROOT = "1.3.6.1.4.1.99999"
PROFILE = f"""
about: A box
root: {ROOT}
tables:
  - entry: .1
    group: interface
    item: {{column: 2}}
    readings: [{{column: 10, metric: in_octets}}]
  - entry: .2
    group: station
    volatile: true
    readings: [{{column: 3, metric: signal_dbm}}]
"""
ROWS = 80
"""More than one PDU brings."""

Flaw = Callable[[Message, int], Answers | None]
UPTIME_S = Series("system", "", "uptime_s")


def octets(name: str) -> Series:
    return Series("interface", name, "in_octets")


def signal(row: int) -> Series:
    return Series("station", str(row), "signal_dbm")


class Box:
    """A device whose objects and flaws a test may change between its polls."""

    def __init__(self) -> None:
        self.view = MibView({})
        self.agent = Flawed(self.view)
        self.poller: Poller
        self.now_s = 0.0
        self.put(
            "1.3.6.1.2.1.1.1.0|4|A box\n1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999\n1.3.6.1.2.1.1.3.0|67|100000"
        )
        for row in (1, 2):
            self.put(f"{ROOT}.1.2.{row}|4|eth{row}\n{ROOT}.1.10.{row}|65|{1000 * row}")
        for row in range(1, ROWS + 1):
            self.put(f"{ROOT}.2.3.{row}|2|{-row}")

    def put(self, lines: str) -> None:
        for oid, (tag, value) in parse_snmprec(lines + "\n").items():
            self.view.put(oid, tag, value)

    def restarts(self, uptime_s: float) -> None:
        self.put(f"1.3.6.1.2.1.1.3.0|67|{uptime_s * 100:.0f}")

    def flaw(self, flaw: Flaw | None) -> None:
        """From now on, with requests counted anew."""
        self.agent.requests.clear()
        self.agent.flaw = flaw or (lambda request, number: None)

    async def poll(self, after_s: float = 60) -> Poll:
        self.now_s += after_s
        return await self.poller.poll(self.now_s)

    async def good(self, after_s: float = 60) -> dict[Series, Value]:
        poll = await self.poll(after_s)
        assert poll.error is None
        return dict(poll.values)


OverUdp = Callable[[Callable[[Box], Awaitable[None]]], None]


@pytest.fixture
def over_udp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OverUdp:
    """Runs a test with a box that has been polled once."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "box.yaml").write_text(PROFILE, encoding="utf-8")
    monkeypatch.setenv("AYNI_CONFIGS", str(tmp_path))

    def run(test: Callable[[Box], Awaitable[None]]) -> None:
        async def polled() -> None:
            box = Box()
            async with UdpAgent.serving(box.agent) as served:
                session = open_session("127.0.0.1", served.port, community=COMMUNITY, timeout_s=0.1, tries=2)
                box.poller = Poller("box", session, Profiles(), "box")
                with contextlib.closing(session):
                    values = await box.good()
                    assert values[octets("eth2")] == 2000
                    assert all(values[signal(row)] == -row for row in range(1, ROWS + 1))
                    await test(box)

        asyncio.run(polled())

    return run


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_a_device_that_dies_in_mid_poll_gives_no_readings_and_comes_back(
    over_udp: OverUdp, answers: int
) -> None:
    async def test(box: Box) -> None:
        box.flaw(lambda request, number: [] if number > answers else None)
        poll = await box.poll()
        assert (dict(poll.values), poll.error is not None) == ({}, True)
        assert "no answer after 2 tries" in str(poll.error)
        assert len(box.agent.requests) == answers + 2
        box.flaw(None)
        assert len(await box.good()) > ROWS

    over_udp(test)


def test_a_reboot_makes_the_plan_anew(over_udp: OverUdp) -> None:
    """Interfaces may have other indexes then: the old plan would give their counters to each other."""

    async def test(box: Box) -> None:
        box.put(f"{ROOT}.1.2.1|4|eth2\n{ROOT}.1.2.2|4|eth1\n{ROOT}.1.10.1|65|20\n{ROOT}.1.10.2|65|10")
        box.restarts(30)
        values = await box.good()
        assert (values[octets("eth1")], values[octets("eth2")]) == (10, 20)

    over_udp(test)


def test_a_device_that_reboots_in_mid_poll_is_looked_over_when_it_is_back(over_udp: OverUdp) -> None:
    async def test(box: Box) -> None:
        box.flaw(lambda request, number: [] if number > 1 else None)
        assert (await box.poll()).error is not None
        box.flaw(None)
        box.put(f"{ROOT}.1.2.1|4|eth2\n{ROOT}.1.2.2|4|eth1\n{ROOT}.1.10.1|65|20\n{ROOT}.1.10.2|65|10")
        box.restarts(30)
        values = await box.good(10)
        assert (values[octets("eth1")], values[octets("eth2")]) == (10, 20)

    over_udp(test)


def test_an_agent_that_restarts_between_two_answers_is_looked_over_at_the_next_poll(
    over_udp: OverUdp,
) -> None:
    async def test(box: Box) -> None:
        def restarting(request: Message, number: int) -> Answers | None:
            if number == 2:  # the uptime of before has just been told
                box.put(f"{ROOT}.1.2.3|4|eth3\n{ROOT}.1.10.3|65|3")
                box.restarts(1)
            return None

        box.flaw(restarting)
        assert octets("eth3") not in await box.good()
        box.flaw(None)
        box.restarts(61)
        assert (await box.good())[octets("eth3")] == 3

    over_udp(test)


@pytest.mark.parametrize(
    ("name", "flaw"),
    [
        ("in a circle", lambda request, number: circle(request)),
        ("bulk is silent", lambda request, number: [] if request.pdu.kind == GET_BULK else None),
        ("too big", lambda request, number: fault(request, TOO_BIG) if too_much(request) else None),
        ("every answer twice", None),
    ],
)
def test_what_a_steady_poll_brings_of_a_device_that(over_udp: OverUdp, name: str, flaw: Flaw | None) -> None:
    """A table that cannot be read costs itself; all else costs requests and no reading."""

    async def test(box: Box) -> None:
        box.flaw(flaw or (lambda request, number: [box.agent.good(request)] * 2))
        for _ in range(2):
            values = await box.good()
            assert values[octets("eth2")] == 2000
            stations = [series for series in values if series.group == "station"]
            assert len(stations) == (0 if name == "in a circle" else ROWS)
            assert bool(box.poller.skipped) == (name == "in a circle")

    over_udp(test)


def circle(request: Message) -> Answers | None:
    """A table whose second row is followed by its first."""
    if request.pdu.kind == GET:
        return None
    rows = list(parse_snmprec(f"{ROOT}.2.3.1|2|-1\n{ROOT}.2.3.2|2|-2\n").items())
    varbinds = [(oid, tag, value) for oid, (tag, value) in rows * max(1, request.pdu.error_index)]
    return [encode_response(request, 0, 0, varbinds)]


def too_much(request: Message) -> bool:
    rows = request.pdu.error_index if request.pdu.kind == GET_BULK else 1
    return len(request.pdu.varbinds) * rows > 9


@pytest.mark.parametrize(
    ("name", "uptimes", "counters", "expected"),
    [
        ("goes on", (1060, 1120), (4_000_000_000, 4_000_060_000), [1000]),
        ("wraps", (1060, 1120), (4_294_967_000, 59_704), [1000]),
        ("wraps to zero", (1060, 1120), (2**32 - 1, 0), [1 / 60]),
        ("is set back", (1060, 1120), (2_000_000_000, 60_000), []),
        ("begins anew as the device does", (1060, 30), (4_294_967_000, 59_704), []),
    ],
)
def test_a_counter_of_32_bits_that(
    over_udp: OverUdp, name: str, uptimes: tuple[int, int], counters: tuple[int, int], expected: list[float]
) -> None:
    """From the wire to the rate: two polls, a minute between them."""

    async def test(box: Box) -> None:
        polls = []
        for uptime, counter in zip(uptimes, counters, strict=True):
            box.restarts(uptime)
            box.put(f"{ROOT}.1.10.1|{COUNTER32}|{counter}")
            polls.append((box.now_s + 60, await box.good()))
        restarts = list(reboots([(at, float(values[UPTIME_S])) for at, values in polls]))  # type: ignore[arg-type]
        found = rates(
            [(at, float(values[octets("eth1")])) for at, values in polls],  # type: ignore[arg-type]
            max_gap_s=180,
            reboots=restarts,
        )
        assert [rate for _, rate in found] == expected

    over_udp(test)
