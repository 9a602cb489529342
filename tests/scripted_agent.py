"""Devices that do what real ones do wrong, by script: `Flawed` answers as a good one would, but for its flaw.

    agent = Flawed(device(), lambda request, number: [] if number > 2 else None)   # dies after two answers
    cost = read(agent, use)                                                        # `use` gets the session

A test file that says `engine = each_engine` runs over both engines.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from parts import UdpAgent

from ayni_core.ber import encode_oid
from ayni_core.inventory import ENGINES
from ayni_core.mibview import MibView
from ayni_core.snmp import (
    COUNTER32,
    COUNTER64,
    GET_BULK,
    INTEGER,
    OCTET_STRING,
    TIME_TICKS,
    Message,
    VarBind,
    decode_request,
    encode_response,
)
from ayni_io import snmp
from ayni_io.snmp import Cost, ReadingSession

COMMUNITY = b"s3cret"
UPTIME = encode_oid("1.3.6.1.2.1.1.3.0")
NAME = encode_oid("1.3.6.1.2.1.1.5.0")
COLUMNS = [encode_oid(f"1.3.6.1.2.1.2.2.1.{column}") for column in (2, 8, 10, 16)]
HC = encode_oid("1.3.6.1.2.1.31.1.1.1.6")
BEHIND = encode_oid("1.3.6.1.2.1.99")
DESCR, STATUS, IN, OUT = COLUMNS

Answers = Iterable[bytes | tuple[float, bytes]]
Use = Callable[[ReadingSession], Awaitable[None]]

_engine = ENGINES[0]


@pytest.fixture(name="engine", params=ENGINES, autouse=True)
def each_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """`open_session` opens the engine whose turn it is."""
    name: str = request.param
    monkeypatch.setattr(sys.modules[__name__], "_engine", name)
    return name


def open_session(host: str, port: int = 161, **options: Any) -> ReadingSession:
    """`ayni_io.snmp.open_session` by the engine whose turn it is."""
    session = snmp.open_session(host, port, engine=_engine, **options)
    assert isinstance(session, ReadingSession)
    return session


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
    use: Use,
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
