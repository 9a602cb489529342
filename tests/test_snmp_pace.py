"""What a device takes and how it refuses: batches, tooBig, answers that never arrive, bad objects, errors."""

from __future__ import annotations

import asyncio

import pytest
from scripted_agent import (
    COLUMNS,
    COMMUNITY,
    HC,
    IN,
    NAME,
    OUT,
    STATUS,
    UPTIME,
    Answers,
    Flawed,
    asked_for,
    below,
    by_name,
    device,
    each_engine,
    fault,
    read,
)

from ayni_core.ber import encode_oid
from ayni_core.mibview import MibView
from ayni_core.snmp import (
    GEN_ERR,
    INTEGER,
    NO_SUCH_OBJECT,
    OCTET_STRING,
    TIME_TICKS,
    TOO_BIG,
    Message,
    VarBind,
    encode_response,
)
from ayni_core.snmpread import MOST_VARBINDS, Pace
from ayni_io.snmp import ReadingSession, SnmpReader
from ayni_io.snmp_errors import SnmpProtocolError
from ayni_io.snmp_recording import RecordedReader

engine = each_engine


def test_many_objects_are_asked_in_batches_that_fit_a_datagram() -> None:
    agent = Flawed(device(range(1, 101)))
    oids = [column + bytes((row,)) for row in range(1, 101) for column in COLUMNS]

    async def use(session: ReadingSession) -> None:
        assert [name for name, _, _ in await session.get(oids)] == oids

    cost = read(agent, use)
    assert cost.pdus == -(-len(oids) // MOST_VARBINDS)
    assert all(len(request.pdu.varbinds) <= MOST_VARBINDS for request in agent.requests)


def test_answers_cut_short_anywhere_are_put_together() -> None:
    view = device()
    agent = Flawed(view, lambda request, number: [view.answer(request, 90 + 37 * (number % 9)) or b""])

    async def use(session: ReadingSession) -> None:
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)

    read(agent, use)


@pytest.mark.parametrize("most", [1, 3, 20])
@pytest.mark.parametrize("version", ["1", "2c"])
def test_too_big_halves_the_batch_and_is_remembered(most: int, version: str) -> None:
    view = device()
    agent = Flawed(
        view, lambda request, number: fault(request, TOO_BIG) if asked_for(request) > most else None
    )
    oids = [column + bytes((row,)) for row in range(1, 11) for column in COLUMNS]

    async def use(session: ReadingSession) -> None:
        assert [name for name, _, _ in await session.get(oids)] == oids
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        learnt = len(agent.requests)
        assert [name for name, _, _ in await session.get(oids)] == oids
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        assert all(asked_for(request) <= most for request in agent.requests[learnt:])

    assert read(agent, use, version=version).timeouts == 0


def test_one_object_that_is_too_big_is_an_error() -> None:
    async def use(session: ReadingSession) -> None:
        with pytest.raises(SnmpProtocolError, match=r"^reading 1 object from 127.0.0.1:\d+: answered tooBig"):
            await session.get([NAME])

    read(Flawed(device(), lambda request, number: fault(request, TOO_BIG)), use)


def test_large_answers_that_never_arrive_are_halved_and_then_avoided() -> None:
    """A tunnel that drops fragments: whatever is above a size goes unanswered."""
    view = device()
    agent = Flawed(view, lambda request, number: [] if asked_for(request) > 26 else None)

    async def use(session: ReadingSession) -> None:
        for _ in range(3):
            assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        learnt = session.cost
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        assert session.cost.timeouts == learnt.timeouts

    assert read(agent, use, timeout_s=0.06).timeouts <= 6


def test_large_gets_that_never_arrive_are_halved() -> None:
    agent = Flawed(device(), lambda request, number: [] if asked_for(request) > 13 else None)
    oids = [column + bytes((row,)) for row in range(1, 11) for column in COLUMNS]

    async def use(session: ReadingSession) -> None:
        assert [name for name, _, _ in await session.get(oids)] == oids

    read(agent, use, timeout_s=0.06)


def test_pace_forgives_one_loss_believes_two_and_tries_again_later() -> None:
    pace = Pace(version=1)
    pace.lost(MOST_VARBINDS)
    assert pace.limit == MOST_VARBINDS
    pace.good(MOST_VARBINDS // 2)  # says nothing about the larger size
    pace.lost(MOST_VARBINDS)
    assert pace.limit == MOST_VARBINDS // 2
    for _ in range(Pace.RECOVERY):
        pace.good(MOST_VARBINDS // 2)
    assert pace.limit == MOST_VARBINDS
    pace.lost(MOST_VARBINDS)
    pace.good(MOST_VARBINDS)
    pace.lost(MOST_VARBINDS)
    assert pace.limit == MOST_VARBINDS
    pace.too_big(1)
    assert pace.limit == 1


def test_an_object_that_breaks_the_agent_is_left_out() -> None:
    bad = IN + b"\x02"

    def flaw(request: Message, number: int) -> Answers | None:
        names = [name for name, _, _ in request.pdu.varbinds]
        return fault(request, GEN_ERR, names.index(bad) + 1) if bad in names else None

    async def use(session: ReadingSession) -> None:
        assert await session.get([NAME, bad, UPTIME]) == [
            (NAME, OCTET_STRING, b"school"),
            (bad, NO_SUCH_OBJECT, None),
            (UPTIME, TIME_TICKS, 8_000_000),
        ]
        assert await session.get([bad]) == [(bad, NO_SUCH_OBJECT, None)]

    read(Flawed(device(), flaw), use)


def test_v1_agents_that_give_no_error_index_are_searched() -> None:
    bad = {IN + b"\x02", OUT + b"\x09"}

    def flaw(request: Message, number: int) -> Answers | None:
        return fault(request, 2) if bad & {name for name, _, _ in request.pdu.varbinds} else None

    oids = [column + bytes((row,)) for row in range(1, 11) for column in (IN, OUT)]

    async def use(session: ReadingSession) -> None:
        found = await session.get(oids)
        assert [name for name, _, _ in found] == oids
        assert {name for name, tag, _ in found if tag == NO_SUCH_OBJECT} == bad

    read(Flawed(device(), flaw), use, version="1")


def test_answers_about_other_objects_are_an_error() -> None:
    async def use(session: ReadingSession) -> None:
        with pytest.raises(SnmpProtocolError, match=r"something else than 1\.3\.6\.1\.2\.1\.1\.5\.0"):
            await session.get([UPTIME, NAME])

    read(
        Flawed(device(), lambda request, number: [encode_response(request, 0, 0, [(UPTIME, INTEGER, 1)])]),
        use,
    )


def test_one_value_that_cannot_be_decoded_is_an_error(engine: str) -> None:
    cause = {"fast": "IpAddress of 3 octets", "pysnmp": "pysnmp gives up with "}[engine]

    def flaw(request: Message, number: int) -> Answers | None:
        if NAME not in {name for name, _, _ in request.pdu.varbinds}:
            return None
        good = encode_response(request, 0, 0, [(NAME, OCTET_STRING, b"\x01\x02\x03")])
        return [good.replace(b"\x04\x03\x01\x02\x03", b"\x40\x03\x01\x02\x03")]

    async def use(session: ReadingSession) -> None:
        with pytest.raises(SnmpProtocolError, match=f"cannot be decoded: {cause}"):
            await session.get([UPTIME, NAME])

    # pysnmp cannot tell whose answer it was, so it waits for a better one.
    assert read(Flawed(device(), flaw), use).timeouts == {"fast": 0, "pysnmp": 2}[engine]


@pytest.mark.parametrize("status", [3, 16, 99])
def test_other_errors_are_named(status: int) -> None:
    async def use(session: ReadingSession) -> None:
        for reading in (session.get([NAME]), session.columns([IN])):
            with pytest.raises(
                SnmpProtocolError, match=r"answered (badValue|authorizationError|error-status 99)"
            ):
                await reading

    read(Flawed(device(), lambda request, number: fault(request, status, 1)), use)


@pytest.mark.parametrize("version", [0, 1])
def test_a_recording_answers_and_costs_as_the_device_would(version: int) -> None:
    view = device(gaps=[(STATUS, 5), (IN, 24)])

    async def ask(reader: SnmpReader) -> list[list[VarBind]]:
        return [
            await reader.get([NAME, encode_oid("1.3.6.1.3.1.0"), UPTIME]),
            await reader.columns(COLUMNS, 24),
            await reader.columns([*COLUMNS, HC]),
            await reader.walk(encode_oid("1.3.6.1.2.1"), 99),
        ]

    recorded = RecordedReader(view, version=version)
    expected = asyncio.run(ask(recorded))

    async def use(session: ReadingSession) -> None:
        assert await ask(session) == expected

    live = read(Flawed(view), use, version="1" if version == 0 else "2c")
    assert recorded.cost.pdus == live.pdus
    communities = (len(b"recorded") - len(COMMUNITY)) * live.pdus
    assert abs(recorded.cost.bytes_sent - live.bytes_sent - communities) <= live.pdus
    recorded.close()


def test_a_recording_that_cannot_be_read_says_so() -> None:
    view = MibView({NAME: (OCTET_STRING, bytes(3000))})
    with pytest.raises(SnmpProtocolError, match=r"^reading a recording: answered tooBig to one object"):
        asyncio.run(RecordedReader(view).get([NAME]))
