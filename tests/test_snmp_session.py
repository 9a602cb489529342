"""Reading devices over UDP by both engines: net-snmp, and small agents that do what real ones do wrong."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterable

import pytest
from parts import SNMPD_COMMUNITY, UdpAgent, free_port

from ayni_core.ber import encode_oid, oid_text
from ayni_core.inventory import ENGINES
from ayni_core.mibview import MibView
from ayni_core.snmp import (
    COUNTER32,
    COUNTER64,
    END_OF_MIB_VIEW,
    GEN_ERR,
    GET_BULK,
    GET_NEXT,
    INTEGER,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    OCTET_STRING,
    TIME_TICKS,
    TOO_BIG,
    Message,
    VarBind,
    decode_request,
    encode_response,
)
from ayni_core.snmpread import MOST_VARBINDS, Pace
from ayni_io.snmp import Cost, SnmpReader, open_session
from ayni_io.snmp_errors import SnmpProtocolError, SnmpRefused, SnmpTimeout, SnmpUnreachable
from ayni_io.snmp_recording import RecordedReader
from ayni_io.snmp_session import SnmpSession

COMMUNITY = b"s3cret"
UPTIME = encode_oid("1.3.6.1.2.1.1.3.0")
NAME = encode_oid("1.3.6.1.2.1.1.5.0")
COLUMNS = [encode_oid(f"1.3.6.1.2.1.2.2.1.{column}") for column in (2, 8, 10, 16)]
HC = encode_oid("1.3.6.1.2.1.31.1.1.1.6")
BEHIND = encode_oid("1.3.6.1.2.1.99")
DESCR, STATUS, IN, OUT = COLUMNS

Answers = Iterable[bytes | tuple[float, bytes]]
Use = Callable[[SnmpSession], Awaitable[None]]


@pytest.fixture(params=ENGINES, autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test of this file runs over both engines: `open_session` here opens the one whose turn it is."""
    name: str = request.param
    monkeypatch.setattr(sys.modules[__name__], "open_session", functools.partial(open_session, engine=name))
    return name


def device(rows: Iterable[int] = range(1, 25), *, gaps: Iterable[tuple[bytes, int]] = ()) -> MibView:
    """A router: uptime, name, four columns of interfaces, 64-bit octets, and something behind the tables."""
    objects: dict[bytes, tuple[int, int | bytes | None]] = {
        UPTIME: (TIME_TICKS, 8_000_000),
        NAME: (OCTET_STRING, b"school"),
    }
    for row in rows:
        index = encode_oid((1, 3, row))[1:]
        objects[DESCR + index] = (OCTET_STRING, b"eth%d" % row)
        objects[STATUS + index] = (INTEGER, 1)
        objects[IN + index] = (COUNTER32, 1000 + row)
        objects[OUT + index] = (COUNTER32, 70_000 + row)
        objects[HC + index] = (COUNTER64, 10**9 * row)
    for column, row in gaps:
        del objects[column + encode_oid((1, 3, row))[1:]]
    for number in range(30):
        objects[BEHIND + bytes((number,))] = (INTEGER, number)
    return MibView(objects)


class Flawed:
    """A device that answers as `view` does, unless `flaw` has another answer to the request."""

    def __init__(
        self, view: MibView, flaw: Callable[[Message, int], Answers | None] = lambda request, number: None
    ) -> None:
        self.view = view
        self.flaw = flaw
        self.requests: list[Message] = []
        self.given = 0  # var-binds in good answers

    def __call__(self, data: bytes) -> Answers:
        request = decode_request(data)
        self.requests.append(request)
        flawed = self.flaw(request, len(self.requests))
        return [self.good(request)] if flawed is None else flawed

    def good(self, request: Message) -> bytes:
        answer = self.view.answer(request, 1472)
        assert answer is not None
        self.given += max(1, request.pdu.error_index) * len(request.pdu.varbinds)
        return answer

    def kinds(self) -> list[int]:
        return [request.pdu.kind for request in self.requests]


def fault(request: Message, status: int, index: int = 0) -> list[bytes]:
    return [encode_response(request, status, index, request.pdu.varbinds)]


def asked_for(request: Message) -> int:
    """Var-binds the answer will have."""
    bulk = request.pdu.error_index if request.pdu.kind == GET_BULK else 1
    return bulk * len(request.pdu.varbinds)


def read(
    agent: Callable[[bytes], Answers],
    use: Callable[[SnmpSession], Awaitable[None]],
    *,
    version: str = "2c",
    timeout_s: float = 0.1,
    tries: int = 3,
) -> Cost:
    async def run() -> Cost:
        async with UdpAgent.serving(agent) as served:
            session = open_session(
                "127.0.0.1",
                served.port,
                version=version,
                community=COMMUNITY,
                timeout_s=timeout_s,
                tries=tries,
            )
            with contextlib.closing(session):
                await use(session)
            return session.cost

    return asyncio.run(run())


def by_name(varbinds: list[VarBind]) -> dict[bytes, tuple[int, int | bytes | None]]:
    assert len({name for name, _, _ in varbinds}) == len(varbinds), "an object came twice"
    return {name: (tag, value) for name, tag, value in varbinds}


def below(view: MibView, *columns: bytes) -> dict[bytes, tuple[int, int | bytes | None]]:
    return {name: (tag, value) for name, tag, value in view if name.startswith(columns)}


# ---- a good device


@pytest.mark.parametrize("version", ["1", "2c"])
def test_objects_come_in_the_order_asked_whatever_is_missing(version: str) -> None:
    agent = Flawed(device())
    absent = encode_oid("1.3.6.1.3.1.0")

    async def use(session: SnmpSession) -> None:
        assert await session.get([NAME, absent, UPTIME, IN + b"\x01", NAME]) == [
            (NAME, OCTET_STRING, b"school"),
            (absent, NO_SUCH_OBJECT, None),
            (UPTIME, TIME_TICKS, 8_000_000),
            (IN + b"\x01", COUNTER32, 1001),
            (NAME, OCTET_STRING, b"school"),
        ]
        assert await session.get([]) == []

    cost = read(agent, use, version=version)
    assert cost.pdus == (2 if version == "1" else 1)
    assert cost.timeouts == cost.ignored == 0


def test_many_objects_are_asked_in_batches_that_fit_a_datagram() -> None:
    agent = Flawed(device(range(1, 101)))
    oids = [column + bytes((row,)) for row in range(1, 101) for column in COLUMNS]

    async def use(session: SnmpSession) -> None:
        assert [name for name, _, _ in await session.get(oids)] == oids

    cost = read(agent, use)
    assert cost.pdus == -(-len(oids) // MOST_VARBINDS)
    assert all(len(request.pdu.varbinds) <= MOST_VARBINDS for request in agent.requests)


def test_a_known_number_of_rows_is_read_without_overshooting() -> None:
    view = device()
    agent = Flawed(view)

    async def use(session: SnmpSession) -> None:
        for _ in range(4):  # the third time the answers are known by their layout
            assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)

    cost = read(agent, use)
    assert cost.pdus == 4 * 2
    assert agent.given == 4 * 24 * 4


def test_an_unknown_number_of_rows_ends_where_the_columns_end() -> None:
    view = device()

    async def use(session: SnmpSession) -> None:
        assert by_name(await session.columns(COLUMNS)) == below(view, *COLUMNS)
        assert by_name(await session.columns([BEHIND])) == below(view, BEHIND)  # ends with the MIB
        assert await session.columns([encode_oid("1.3.6.1.3")]) == []
        assert await session.columns([]) == []
        assert await session.columns(COLUMNS, 0) == []

    read(Flawed(view), use)


def test_columns_of_two_tables_with_the_same_index_go_together() -> None:
    view = device()

    async def use(session: SnmpSession) -> None:
        assert by_name(await session.columns([DESCR, HC], 24)) == below(view, DESCR, HC)

    assert read(Flawed(view), use).pdus == 1


@pytest.mark.parametrize("expected", [None, 24])
@pytest.mark.parametrize("version", ["1", "2c"])
def test_columns_with_gaps_and_columns_that_end_early(expected: int | None, version: str) -> None:
    gaps = [(STATUS, 5), (IN, 1), (IN, 2), (OUT, 23), (OUT, 24)] + [(DESCR, row) for row in range(4, 25)]
    view = device(gaps=gaps)
    absent = encode_oid("1.3.6.1.2.1.2.2.1.9")

    async def use(session: SnmpSession) -> None:
        for _ in range(3):
            found = await session.columns([*COLUMNS, absent], expected)
            assert by_name(found) == below(view, *COLUMNS)

    read(Flawed(view), use, version=version)


def test_a_gap_is_no_reason_to_read_past_the_last_row() -> None:
    view = device(gaps=[(STATUS, 5)])
    agent = Flawed(view)

    async def use(session: SnmpSession) -> None:
        assert by_name(await session.columns([DESCR, STATUS], 24)) == below(view, DESCR, STATUS)

    assert read(agent, use).pdus == 1


def test_rows_with_large_indexes_are_in_order() -> None:
    view = device([1, 127, 128, 16383, 16384, 2**21, 2**31])

    async def use(session: SnmpSession) -> None:
        assert by_name(await session.columns(COLUMNS)) == below(view, *COLUMNS)

    read(Flawed(view), use)


def test_a_table_that_changes_between_polls_is_read_as_it_is() -> None:
    rng = random.Random(6)
    view = device()

    async def use(session: SnmpSession) -> None:
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

    async def use(session: SnmpSession) -> None:
        assert await session.walk(encode_oid("1.3.6.1.2.1")) == list(view)
        assert await session.walk(encode_oid("1.3.6.1.2.1"), 7) == list(view)[:7]
        assert len(await session.columns(COLUMNS, None, 3)) == 12

    read(Flawed(view), use)


def test_answers_cut_short_anywhere_are_put_together() -> None:
    view = device()
    agent = Flawed(view, lambda request, number: [view.answer(request, 90 + 37 * (number % 9)) or b""])

    async def use(session: SnmpSession) -> None:
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)

    read(agent, use)


# ---- devices that are too small


@pytest.mark.parametrize("most", [1, 3, 20])
@pytest.mark.parametrize("version", ["1", "2c"])
def test_too_big_halves_the_batch_and_is_remembered(most: int, version: str) -> None:
    view = device()
    agent = Flawed(
        view, lambda request, number: fault(request, TOO_BIG) if asked_for(request) > most else None
    )
    oids = [column + bytes((row,)) for row in range(1, 11) for column in COLUMNS]

    async def use(session: SnmpSession) -> None:
        assert [name for name, _, _ in await session.get(oids)] == oids
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        learnt = len(agent.requests)
        assert [name for name, _, _ in await session.get(oids)] == oids
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        assert all(asked_for(request) <= most for request in agent.requests[learnt:])

    assert read(agent, use, version=version).timeouts == 0


def test_one_object_that_is_too_big_is_an_error() -> None:
    async def use(session: SnmpSession) -> None:
        with pytest.raises(SnmpProtocolError, match=r"^reading 1 object from 127.0.0.1:\d+: answered tooBig"):
            await session.get([NAME])

    read(Flawed(device(), lambda request, number: fault(request, TOO_BIG)), use)


def test_large_answers_that_never_arrive_are_halved_and_then_avoided() -> None:
    """A tunnel that drops fragments: whatever is above a size goes unanswered."""
    view = device()
    agent = Flawed(view, lambda request, number: [] if asked_for(request) > 26 else None)

    async def use(session: SnmpSession) -> None:
        for _ in range(3):
            assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        learnt = session.cost
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        assert session.cost.timeouts == learnt.timeouts

    assert read(agent, use, timeout_s=0.06).timeouts <= 6


def test_large_gets_that_never_arrive_are_halved() -> None:
    agent = Flawed(device(), lambda request, number: [] if asked_for(request) > 13 else None)
    oids = [column + bytes((row,)) for row in range(1, 11) for column in COLUMNS]

    async def use(session: SnmpSession) -> None:
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


# ---- devices that break on GETBULK


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

    async def use(session: SnmpSession) -> None:
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        before = len(agent.requests)
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        assert set(agent.kinds()[before:]) == {GET_NEXT}
        assert len(agent.requests) - before == 24

    read(agent, use, timeout_s=0.06)


def test_v1_is_never_asked_for_bulk() -> None:
    view = device()
    agent = Flawed(view)

    async def use(session: SnmpSession) -> None:
        assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)
        assert by_name(await session.columns([DESCR, BEHIND])) == below(
            view, DESCR, BEHIND
        )  # to the end of the MIB

    read(agent, use, version="1")
    assert set(agent.kinds()) == {GET_NEXT}


# ---- devices that are wrong


def test_an_object_that_breaks_the_agent_is_left_out() -> None:
    bad = IN + b"\x02"

    def flaw(request: Message, number: int) -> Answers | None:
        names = [name for name, _, _ in request.pdu.varbinds]
        return fault(request, GEN_ERR, names.index(bad) + 1) if bad in names else None

    async def use(session: SnmpSession) -> None:
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

    async def use(session: SnmpSession) -> None:
        found = await session.get(oids)
        assert [name for name, _, _ in found] == oids
        assert {name for name, tag, _ in found if tag == NO_SUCH_OBJECT} == bad

    read(Flawed(device(), flaw), use, version="1")


def test_a_column_that_breaks_the_agent_ends_alone() -> None:
    view = device()

    def flaw(request: Message, number: int) -> Answers | None:
        for place, (name, _, _) in enumerate(request.pdu.varbinds, 1):
            if name.startswith(STATUS) and name > STATUS + b"\x03":
                return fault(request, GEN_ERR, place)
        return None

    async def use(session: SnmpSession) -> None:
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

    async def use(session: SnmpSession) -> None:
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

    async def use(session: SnmpSession) -> None:
        assert len(await session.columns([IN], None, 500)) == 500
        assert len(await session.walk(encode_oid("1.3.6"), 500)) == 500

    read(endless, use)


def test_answers_about_other_objects_are_an_error() -> None:
    async def use(session: SnmpSession) -> None:
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

    async def use(session: SnmpSession) -> None:
        with pytest.raises(SnmpProtocolError, match=f"cannot be decoded: {cause}"):
            await session.get([UPTIME, NAME])

    # pysnmp cannot tell whose answer it was, so it waits for a better one.
    assert read(Flawed(device(), flaw), use).timeouts == {"fast": 0, "pysnmp": 2}[engine]


@pytest.mark.parametrize("status", [3, 16, 99])
def test_other_errors_are_named(status: int) -> None:
    async def use(session: SnmpSession) -> None:
        for reading in (session.get([NAME]), session.columns([IN])):
            with pytest.raises(
                SnmpProtocolError, match=r"answered (badValue|authorizationError|error-status 99)"
            ):
                await reading

    read(Flawed(device(), lambda request, number: fault(request, status, 1)), use)


# ---- time and the network


def test_a_silent_device_costs_the_tries_and_no_more() -> None:
    async def use(session: SnmpSession) -> None:
        start = time.monotonic()
        with pytest.raises(SnmpTimeout) as failure:
            await session.get([NAME, UPTIME] * 6 + [NAME])
        assert 0.17 <= time.monotonic() - start < 1.0
        assert (
            str(failure.value)
            == f"reading 13 objects from {session.address}: no answer after 3 tries of 0.06 s"
        )
        with pytest.raises(
            SnmpTimeout, match=r"^walking 4 columns of .*: no answer after 3 tries of 0.06 s$"
        ):
            await session.columns(COLUMNS)
        with pytest.raises(SnmpTimeout, match=r"^walking 1\.3\.6\.1\.2 of .*: no answer after 3 tries"):
            await session.walk(encode_oid("1.3.6.1.2"))

    cost = read(lambda data: [], use, timeout_s=0.06)
    assert cost.pdus == cost.timeouts == 9
    assert cost.bytes_received == 0


def test_one_try_is_one_try() -> None:
    async def use(session: SnmpSession) -> None:
        with pytest.raises(SnmpTimeout, match=r"no answer after 1 try of 0.06 s$"):
            await session.get([NAME])

    assert read(lambda data: [], use, timeout_s=0.06, tries=1).pdus == 1


def test_a_device_that_dies_mid_walk_ends_the_walk() -> None:
    async def use(session: SnmpSession) -> None:
        with pytest.raises(SnmpTimeout, match="no answer after 3 tries"):
            await session.walk(encode_oid("1.3.6.1.2.1"))

    agent = Flawed(device(), lambda request, number: [] if number > 2 else None)
    assert read(agent, use, timeout_s=0.06).pdus == 5


def test_a_device_that_comes_back_is_read_again() -> None:
    agent = Flawed(device(), lambda request, number: [] if number <= 2 else None)

    async def use(session: SnmpSession) -> None:
        with pytest.raises(SnmpTimeout):
            await session.get([NAME])
        assert await session.get([NAME]) == [(NAME, OCTET_STRING, b"school")]

    read(agent, use, timeout_s=0.06, tries=2)


def test_lost_datagrams_are_sent_again() -> None:
    rng = random.Random(7)
    view = device()
    agent = Flawed(view, lambda request, number: [] if rng.random() < 0.1 else None)

    async def use(session: SnmpSession) -> None:
        for _ in range(10):
            assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)

    read(agent, use, timeout_s=0.06, tries=6)


def test_a_late_answer_to_the_first_try_is_welcome_and_the_second_one_ignored() -> None:
    agent = Flawed(device())
    agent.flaw = lambda request, number: [(0.14, agent.good(request))] if number <= 2 else None

    async def use(session: SnmpSession) -> None:
        assert await session.get([NAME]) == [(NAME, OCTET_STRING, b"school")]
        await asyncio.sleep(0.12)
        assert await session.get([UPTIME]) == [(UPTIME, TIME_TICKS, 8_000_000)]
        assert session.cost.ignored == 1

    assert read(agent, use, timeout_s=0.1).pdus == 3


def test_double_foreign_and_broken_datagrams_are_ignored() -> None:
    view = device()
    agent = Flawed(view)

    def noisy(request: Message, number: int) -> Answers:
        good = agent.good(request)
        pdu = request.pdu._replace(request_id=request.pdu.request_id ^ 1)
        stray = encode_response(
            Message(request.version, request.community, pdu), 0, 0, [(NAME, INTEGER, 666)]
        )
        return [b"", b"junk", stray, good[:-1], good, good]

    agent.flaw = noisy

    async def use(session: SnmpSession) -> None:
        for _ in range(4):
            assert await session.get([NAME]) == [(NAME, OCTET_STRING, b"school")]
            assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)

    cost = read(agent, use)
    assert cost.timeouts == 0
    assert cost.ignored >= cost.pdus * 4 - 1  # the last double may not have been looked at


def test_an_answer_from_another_address_never_arrives() -> None:
    async def run() -> None:
        view = device()
        impostor = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

        def answer(data: bytes) -> Answers:
            request = decode_request(data)
            impostor.sendto(encode_response(request, 0, 0, [(NAME, OCTET_STRING, b"evil")]), agent.asker)
            return [(0.02, view.answer(request) or b"")]

        async with UdpAgent.serving(answer) as agent:
            session = open_session("127.0.0.1", agent.port, community=COMMUNITY, timeout_s=0.5)
            assert await session.get([NAME]) == [(NAME, OCTET_STRING, b"school")]
            assert session.cost.ignored == 0
            session.close()
        impostor.close()

    asyncio.run(run())


def test_a_refused_port_is_known_at_once() -> None:
    async def run() -> None:
        port = free_port(socket.SOCK_DGRAM)
        session = open_session("127.0.0.1", port, community=COMMUNITY, timeout_s=5)
        start = time.monotonic()
        for _ in range(2):
            with pytest.raises(
                SnmpRefused, match=rf"^reading 1 object from 127.0.0.1:{port}: nothing listens"
            ):
                await session.get([NAME])
        assert time.monotonic() - start < 2
        session.close()

    asyncio.run(run())


def test_a_name_without_address_is_unreachable() -> None:
    async def run() -> None:
        session = open_session("no-such-host.invalid", community=COMMUNITY)
        with pytest.raises(SnmpUnreachable, match=r"^reading 1 object from no-such-host.invalid:161: "):
            await session.get([NAME])
        session.close()

    asyncio.run(run())


def test_readings_side_by_side_keep_their_answers_apart() -> None:
    view = device()

    async def use(session: SnmpSession) -> None:
        table, name, everything, again = await asyncio.gather(
            session.columns(COLUMNS, 24),
            session.get([NAME]),
            session.walk(encode_oid("1.3.6.1")),
            session.columns(COLUMNS),
        )
        assert by_name(table) == by_name(again) == below(view, *COLUMNS)
        assert name == [(NAME, OCTET_STRING, b"school")]
        assert everything == list(view)

    read(Flawed(view), use)


def test_closing_ends_what_is_under_way_and_cancelling_leaves_nothing() -> None:
    async def use(session: SnmpSession) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await session.get([NAME])
        waiting = asyncio.create_task(session.get([NAME]))
        await asyncio.sleep(0.02)
        session.close()
        with pytest.raises(SnmpUnreachable, match="the session was closed"):
            await waiting

    assert read(lambda data: [], use, timeout_s=5).pdus == 2


def test_the_community_shows_nowhere() -> None:
    async def use(session: SnmpSession) -> None:
        assert "s3cret" not in repr(session)
        with pytest.raises(SnmpTimeout) as failure:
            await session.get([NAME])
        assert "s3cret" not in str(failure.value)

    read(lambda data: [], use, timeout_s=0.02, tries=1)


# ---- recordings


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

    async def use(session: SnmpSession) -> None:
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


# ---- net-snmp


@pytest.mark.real("snmpd")
@pytest.mark.parametrize("version", ["1", "2c"])
def test_net_snmp_is_read(snmpd_port: int, version: str) -> None:
    async def run() -> None:
        session = open_session("127.0.0.1", snmpd_port, version=version, community=SNMPD_COMMUNITY)
        absent = encode_oid("1.3.6.1.2.1.1.99.0")
        name, missing, uptime = await session.get([NAME, absent, UPTIME])
        assert name == (NAME, OCTET_STRING, b"school-router")
        assert missing == (absent, NO_SUCH_OBJECT, None)
        assert uptime[1] == TIME_TICKS

        system = await session.walk(encode_oid("1.3.6.1.2.1.1"), 200)
        assert NAME in by_name(system)
        assert oid_text(system[0][0]) == "1.3.6.1.2.1.1.1.0"

        columns = [encode_oid(f"1.3.6.1.2.1.2.2.1.{number}") for number in (1, 2, 5, 8, 10)]
        table = by_name(await session.columns(columns))
        rows = len(table) // len(columns)
        assert rows >= 1
        assert b"lo" in {value for _, value in table.values()}
        for _ in range(3):
            assert by_name(await session.columns(columns, rows)).keys() == table.keys()
        many = await session.get([NAME] * 120)
        assert {value for _, _, value in many} == {b"school-router"}
        session.close()

    asyncio.run(run())


@pytest.mark.real("snmpd")
def test_net_snmp_is_silent_to_a_wrong_community(snmpd_port: int) -> None:
    async def run() -> None:
        session = open_session("127.0.0.1", snmpd_port, community=b"wrong", timeout_s=0.1, tries=1)
        with pytest.raises(SnmpTimeout):
            await session.get([NAME])
        session.close()

    asyncio.run(run())


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
