"""What a session makes of the answers it gets, over both engines: whose they are, and when they come."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import Iterator

import pytest
from parts import SNMPD_COMMUNITY, UdpAgent, free_port
from scripted_agent import (
    COLUMNS,
    COMMUNITY,
    IN,
    NAME,
    UPTIME,
    Answers,
    Flawed,
    below,
    by_name,
    device,
    each_engine,
    open_session,
    read,
)

from ayni_core.ber import encode_oid, oid_text
from ayni_core.snmp import (
    COUNTER32,
    INTEGER,
    NO_SUCH_OBJECT,
    OCTET_STRING,
    TIME_TICKS,
    Message,
    decode_request,
    encode_response,
)
from ayni_io.snmp import ReadingSession
from ayni_io.snmp_errors import SnmpRefused, SnmpTimeout, SnmpUnreachable

engine = each_engine


@pytest.mark.parametrize("version", ["1", "2c"])
def test_objects_come_in_the_order_asked_whatever_is_missing(version: str) -> None:
    agent = Flawed(device())
    absent = encode_oid("1.3.6.1.3.1.0")

    async def use(session: ReadingSession) -> None:
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


def test_a_silent_device_costs_the_tries_and_no_more() -> None:
    async def use(session: ReadingSession) -> None:
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
    async def use(session: ReadingSession) -> None:
        with pytest.raises(SnmpTimeout, match=r"no answer after 1 try of 0.06 s$"):
            await session.get([NAME])

    assert read(lambda data: [], use, timeout_s=0.06, tries=1).pdus == 1


def test_a_device_that_comes_back_is_read_again() -> None:
    agent = Flawed(device(), lambda request, number: [] if number <= 2 else None)

    async def use(session: ReadingSession) -> None:
        with pytest.raises(SnmpTimeout):
            await session.get([NAME])
        assert await session.get([NAME]) == [(NAME, OCTET_STRING, b"school")]

    read(agent, use, timeout_s=0.06, tries=2)


def test_lost_datagrams_are_sent_again() -> None:
    rng = random.Random(7)
    view = device()
    agent = Flawed(view, lambda request, number: [] if rng.random() < 0.1 else None)

    async def use(session: ReadingSession) -> None:
        for _ in range(10):
            assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)

    read(agent, use, timeout_s=0.06, tries=6)


def test_a_late_answer_to_the_first_try_is_welcome_and_the_second_one_ignored() -> None:
    agent = Flawed(device())
    agent.flaw = lambda request, number: [(0.14, agent.good(request))] if number <= 2 else None

    async def use(session: ReadingSession) -> None:
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
        pdu = request.pdu._replace(request_id=request.pdu.request_id ^ 0x1000000)  # none that is asked soon
        stray = encode_response(
            Message(request.version, request.community, pdu), 0, 0, [(NAME, INTEGER, 666)]
        )
        return [b"", b"junk", stray, good[:-1], good, good]

    agent.flaw = noisy

    async def use(session: ReadingSession) -> None:
        for _ in range(4):
            assert await session.get([NAME]) == [(NAME, OCTET_STRING, b"school")]
            assert by_name(await session.columns(COLUMNS, 24)) == below(view, *COLUMNS)

    cost = read(agent, use)
    assert cost.timeouts == 0
    assert cost.ignored >= cost.pdus * 4 - 1  # the last double may not have been looked at


def test_a_late_answer_to_a_reading_that_was_given_up_is_not_taken_for_another() -> None:
    agent = Flawed(device())
    held: list[bytes] = []

    def late(request: Message, number: int) -> Answers:
        if number == 1:
            held.append(encode_response(request, 0, 0, [(NAME, OCTET_STRING, b"old")]))
            return []
        return [*held, agent.good(request)]

    agent.flaw = late

    async def use(session: ReadingSession) -> None:
        with pytest.raises(SnmpTimeout):
            await session.get([NAME])
        assert await session.get([NAME]) == [(NAME, OCTET_STRING, b"school")]
        assert session.cost.ignored == 1

    read(agent, use, timeout_s=0.06, tries=1)


def test_answers_that_come_again_before_the_next_one_change_nothing() -> None:
    view = device()
    agent = Flawed(view)
    sent: list[bytes] = []

    def again(request: Message, number: int) -> Answers:
        sent.append(agent.good(request))
        return sent[-3:]

    agent.flaw = again

    async def use(session: ReadingSession) -> None:
        for row in range(1, 5):
            view.set(IN + bytes((row,)), 5)
            assert await session.get([IN + bytes((row,))]) == [(IN + bytes((row,)), COUNTER32, 5)]
            assert by_name(await session.columns(COLUMNS)) == below(view, *COLUMNS)

    cost = read(agent, use)
    assert cost.timeouts == 0
    assert cost.ignored == 2 * cost.pdus - 3


ELSEWHERE = pytest.mark.parametrize(
    ("host", "same_port"),
    [
        pytest.param("127.0.0.1", False, id="another port"),
        pytest.param("127.0.0.2", True, id="another address"),
    ],
)


@contextlib.contextmanager
def elsewhere(host: str, port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as impostor:
        impostor.bind((host, port))
        yield impostor


@ELSEWHERE
def test_an_answer_from_elsewhere_never_arrives(host: str, same_port: bool) -> None:
    async def run() -> None:
        view = device()

        def answer(data: bytes) -> Answers:
            request = decode_request(data)
            impostor.sendto(encode_response(request, 0, 0, [(NAME, OCTET_STRING, b"evil")]), agent.asker)
            return [(0.02, view.answer(request) or b"")]

        async with UdpAgent.serving(answer) as agent:
            session = open_session("127.0.0.1", agent.port, community=COMMUNITY, timeout_s=0.5)
            with elsewhere(host, agent.port if same_port else 0) as impostor, contextlib.closing(session):
                assert await session.get([NAME]) == [(NAME, OCTET_STRING, b"school")]
                assert session.cost.ignored == 0

    asyncio.run(run())


@ELSEWHERE
def test_a_device_that_answers_only_from_elsewhere_is_silent(host: str, same_port: bool) -> None:
    """A router with several addresses must be given the one that it answers from."""

    async def run() -> None:
        view = device()

        def answer(data: bytes) -> Answers:
            other.sendto(view.answer(decode_request(data)) or b"", agent.asker)
            return []

        async with UdpAgent.serving(answer) as agent:
            session = open_session("127.0.0.1", agent.port, community=COMMUNITY, timeout_s=0.05, tries=2)
            with elsewhere(host, agent.port if same_port else 0) as other, contextlib.closing(session):
                with pytest.raises(SnmpTimeout):
                    await session.get([NAME])
                assert session.cost.bytes_received == 0

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

    async def use(session: ReadingSession) -> None:
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
    async def use(session: ReadingSession) -> None:
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
    async def use(session: ReadingSession) -> None:
        assert "s3cret" not in repr(session)
        with pytest.raises(SnmpTimeout) as failure:
            await session.get([NAME])
        assert "s3cret" not in str(failure.value)

    read(lambda data: [], use, timeout_s=0.02, tries=1)


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
