"""Walks of tables and what agents do to them: gaps, early ends, broken GETBULK, circles, death on the way."""

from __future__ import annotations

import asyncio
import random

import pytest
from parts import SNMPD_COMMUNITY
from scripted_agent import (
    BEHIND,
    COLUMNS,
    DESCR,
    HC,
    IN,
    NAME,
    OUT,
    STATUS,
    Answers,
    Flawed,
    asked_for,
    below,
    by_name,
    device,
    each_engine,
    fault,
    open_session,
    read,
)

from ayni_core.ber import encode_oid
from ayni_core.snmp import (
    COUNTER32,
    END_OF_MIB_VIEW,
    GEN_ERR,
    GET_BULK,
    GET_NEXT,
    INTEGER,
    NO_SUCH_INSTANCE,
    Message,
    VarBind,
    decode_request,
    encode_response,
)
from ayni_io.snmp import ReadingSession
from ayni_io.snmp_errors import SnmpProtocolError, SnmpTimeout

engine = each_engine


def test_a_known_number_of_rows_is_read_without_overshooting() -> None:
    view = device()
    agent = Flawed(view)

    async def use(session: ReadingSession) -> None:
        for _ in range(4):  # the third time the answers are known by their layout
            assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)

    cost = read(agent, use)
    assert cost.pdus == 4 * 2
    assert agent.given == 4 * 24 * 4


def test_an_unknown_number_of_rows_ends_where_the_columns_end() -> None:
    view = device()

    async def use(session: ReadingSession) -> None:
        assert by_name(await session.columns(COLUMNS)) == below(view, *COLUMNS)
        assert by_name(await session.columns([BEHIND])) == below(view, BEHIND)  # ends with the MIB
        assert await session.columns([encode_oid("1.3.6.1.3")]) == []
        assert await session.columns([]) == []
        assert await session.columns(COLUMNS, 0) == []

    read(Flawed(view), use)


def test_columns_of_two_tables_with_the_same_index_go_together() -> None:
    view = device()

    async def use(session: ReadingSession) -> None:
        assert by_name(await session.columns([DESCR, HC], 24)) == below(view, DESCR, HC)

    assert read(Flawed(view), use).pdus == 1


@pytest.mark.parametrize("expected", [None, 24])
@pytest.mark.parametrize("version", ["1", "2c"])
def test_columns_with_gaps_and_columns_that_end_early(expected: int | None, version: str) -> None:
    gaps = [(STATUS, 5), (IN, 1), (IN, 2), (OUT, 23), (OUT, 24)] + [(DESCR, row) for row in range(4, 25)]
    view = device(gaps=gaps)
    absent = encode_oid("1.3.6.1.2.1.2.2.1.9")

    async def use(session: ReadingSession) -> None:
        for _ in range(3):
            found = await session.columns([*COLUMNS, absent], expected)
            assert by_name(found) == below(view, *COLUMNS)

    read(Flawed(view), use, version=version)


def test_a_gap_is_no_reason_to_read_past_the_last_row() -> None:
    view = device(gaps=[(STATUS, 5)])
    agent = Flawed(view)

    async def use(session: ReadingSession) -> None:
        assert by_name(await session.columns([DESCR, STATUS], 24)) == below(view, DESCR, STATUS)

    assert read(agent, use).pdus == 1


def test_rows_with_large_indexes_are_in_order() -> None:
    view = device([1, 127, 128, 16383, 16384, 2**21, 2**31])

    async def use(session: ReadingSession) -> None:
        assert by_name(await session.columns(COLUMNS)) == below(view, *COLUMNS)

    read(Flawed(view), use)


def test_a_table_that_changes_between_polls_is_read_as_it_is() -> None:
    rng = random.Random(6)
    view = device()

    async def use(session: ReadingSession) -> None:
        for _ in range(60):
            for row in range(1, 25):
                if IN + bytes((row,)) in view:
                    view.set(IN + bytes((row,)), rng.getrandbits(rng.choice((8, 16, 32))))
            if rng.randrange(3) == 0:
                gone = rng.randrange(1, 25)
                for column in COLUMNS:
                    if column + bytes((gone,)) in view:
                        view.remove(column + bytes((gone,)))
                    else:
                        view.put(column + bytes((gone,)), COUNTER32, 5)
            rows = len(below(view, IN))
            expected = rng.choice((None, rows))
            assert by_name(await session.columns(COLUMNS, expected)) == below(view, *COLUMNS)

    read(Flawed(view), use)


def test_a_walk_reads_everything_below_its_root_up_to_a_limit() -> None:
    view = device()

    async def use(session: ReadingSession) -> None:
        assert await session.walk(encode_oid("1.3.6.1.2.1")) == list(view)
        assert await session.walk(encode_oid("1.3.6.1.2.1"), 7) == list(view)[:7]
        assert len(await session.columns(COLUMNS, None, 3)) == 12

    read(Flawed(view), use)


@pytest.mark.parametrize("how", ["silent", "genErr", "garbled", "empty"])
def test_broken_bulk_falls_back_to_next_and_is_remembered(how: str) -> None:
    view = device()

    def flaw(request: Message, number: int) -> Answers | None:
        if request.pdu.kind != GET_BULK:
            return None
        match how:
            case "silent":
                return []
            case "genErr":
                return fault(request, GEN_ERR, 1)
            case "garbled":
                return [encode_response(request, 0, 0, [(NAME, INTEGER, 1)])[:-3] + b"\x05\x01\x00"]
            case _:
                return [encode_response(request, 0, 0, [])]

    agent = Flawed(view, flaw)

    async def use(session: ReadingSession) -> None:
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        before = len(agent.requests)
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        assert set(agent.kinds()[before:]) == {GET_NEXT}
        assert len(agent.requests) - before == 24

    read(agent, use, timeout_s=0.06)


def test_bulk_that_works_no_more_is_left_for_next() -> None:
    view = device()
    agent = Flawed(view, lambda request, number: [] if number > 4 and request.pdu.kind == GET_BULK else None)

    async def use(session: ReadingSession) -> None:
        for _ in range(3):
            assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)

    read(agent, use, timeout_s=0.06)
    assert set(agent.kinds()[:4]) == {GET_BULK}
    assert set(agent.kinds()[-24:]) == {GET_NEXT}


@pytest.mark.parametrize("good", [0, 2])
def test_a_device_that_a_bulk_silences_for_a_while_is_soon_asked_without(good: int) -> None:
    """Its SNMP agent crashes, and is there again at the next poll."""
    view = device()
    crashed = [False]
    bulks = [good]

    def flaw(request: Message, number: int) -> Answers | None:
        if request.pdu.kind == GET_BULK:
            bulks[0] -= 1
            crashed[0] = crashed[0] or bulks[0] < 0
        return [] if crashed[0] else None

    agent = Flawed(view, flaw)

    async def use(session: ReadingSession) -> None:
        failed = 0
        for _ in range(8):
            crashed[0] = False
            assert len(await session.get([NAME])) == 1
            try:
                assert by_name(await session.columns(COLUMNS[:2], 24)) == below(view, *COLUMNS[:2])
            except SnmpTimeout:
                failed += 1
        assert failed == (4 if good else 2)
        assert set(agent.kinds()[-24:]) == {GET_NEXT}

    read(agent, use, timeout_s=0.04)


@pytest.mark.parametrize("given", [1, 2, 40])
@pytest.mark.parametrize("expected", [None, 24])
def test_bulk_that_brings_another_number_of_rows_than_asked(given: int, expected: int | None) -> None:
    view = device()

    def flaw(request: Message, number: int) -> Answers | None:
        if request.pdu.kind != GET_BULK:
            return None
        pdu = request.pdu._replace(error_index=given)
        return [view.answer(Message(request.version, request.community, pdu)) or b""]

    async def use(session: ReadingSession) -> None:
        for _ in range(3):
            assert by_name(await session.columns(COLUMNS, expected)) == below(view, *COLUMNS)

    assert read(Flawed(view, flaw), use).timeouts == 0


def test_v1_is_never_asked_for_bulk() -> None:
    view = device()
    agent = Flawed(view)

    async def use(session: ReadingSession) -> None:
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        assert by_name(await session.columns([DESCR, BEHIND])) == below(
            view, DESCR, BEHIND
        )  # to the end of the MIB

    read(agent, use, version="1")
    assert set(agent.kinds()) == {GET_NEXT}


def test_a_column_that_breaks_the_agent_ends_alone() -> None:
    view = device()

    def flaw(request: Message, number: int) -> Answers | None:
        for place, (name, _, _) in enumerate(request.pdu.varbinds, 1):
            if name.startswith(STATUS) and name > STATUS + b"\x03":
                return fault(request, GEN_ERR, place)
        return None

    async def use(session: ReadingSession) -> None:
        found = by_name(await session.columns(COLUMNS, 24))
        assert below(view, DESCR, IN, OUT).items() <= found.items()

    read(Flawed(view, flaw), use)


@pytest.mark.parametrize("version", ["1", "2c"])
@pytest.mark.parametrize("loop", [[5], [5, 4], [5, 6, 5], [16384, 16383]])
def test_a_walk_in_a_circle_ends_with_an_error(loop: list[int], version: str) -> None:
    steps = [IN + encode_oid((1, 3, row))[1:] for row in loop]
    place = 0

    def circle(data: bytes) -> Answers:
        nonlocal place
        request = decode_request(data)
        varbinds: list[VarBind] = []
        for _ in range(asked_for(request)):
            varbinds.append((steps[place % len(steps)], COUNTER32, 1))
            place += 1
        return [encode_response(request, 0, 0, varbinds)]

    async def use(session: ReadingSession) -> None:
        with pytest.raises(
            SnmpProtocolError, match=r"^walking 1 column of .*: 1\.3\.\S+ does not increase after 1\.3"
        ):
            await session.columns([IN])

    assert read(circle, use, version=version).pdus < 10


def test_a_table_without_end_is_bounded() -> None:
    row = 0

    def endless(data: bytes) -> Answers:
        nonlocal row
        request = decode_request(data)
        varbinds: list[VarBind] = []
        for _ in range(asked_for(request)):
            row += 1
            varbinds.append((IN + encode_oid((1, 3, row))[1:], COUNTER32, 1))
        return [encode_response(request, 0, 0, varbinds)]

    async def use(session: ReadingSession) -> None:
        assert len(await session.columns([IN], None, 500)) == 500
        assert len(await session.walk(encode_oid("1.3.6"), 500)) == 500

    read(endless, use)


def test_a_device_that_dies_mid_walk_ends_the_walk() -> None:
    async def use(session: ReadingSession) -> None:
        with pytest.raises(SnmpTimeout, match="no answer after 3 tries"):
            await session.walk(encode_oid("1.3.6.1.2.1"))

    agent = Flawed(device(), lambda request, number: [] if number > 2 else None)
    assert read(agent, use, timeout_s=0.06).pdus == 5


@pytest.mark.real("snmpd")
def test_net_snmp_takes_a_whole_walk(snmpd_port: int) -> None:
    async def run() -> None:
        session = open_session("127.0.0.1", snmpd_port, community=SNMPD_COMMUNITY)
        found = await session.walk(encode_oid("1.3.6.1.2.1.1"), 3000)
        assert len(found) == len(by_name(found)) > 10
        assert not {tag for _, tag, _ in found} & {NO_SUCH_INSTANCE, END_OF_MIB_VIEW}
        assert session.cost.timeouts == 0
        session.close()

    asyncio.run(run())
