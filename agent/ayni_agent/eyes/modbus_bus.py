"""A line that speaks Modbus, shared by the devices on it: one question at a time.

Only this file knows pymodbus, of which it takes every version from 3.0 (Debian 12) on: the unit was called
`slave` up to 3.9, and closing has become an ordinary call. Its own log is silenced: what it would tell at
each poll, the poll says. Whatever goes wrong closes the line, so that no late answer is taken for the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pymodbus import client as modbus_client
from pymodbus.exceptions import ModbusException

from ayni_agent.eyes import EyeError
from ayni_core.power.registers import Request
from ayni_io.i18n import _

logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)
_TIMEOUT_S = 1.5
_TRIES = 2
_SETTLE_S = 0.4
"""On a serial line an answer does not say which question it belongs to. A late one comes within that time."""
_CALLS = {
    "input": "read_input_registers",
    "holding": "read_holding_registers",
    "coil": "read_coils",
    "discrete": "read_discrete_inputs",
}
_PARITY = {"none": "N", "even": "E", "odd": "O"}
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
_CODES = {
    4: "it failed",
    5: "it needs time",
    6: "it is busy",
    10: "the gateway has no way",
    11: "nobody answers behind the gateway",
}


class ModbusRefusalError(Exception):
    """The device answered that it will not. `code` as the protocol numbers it."""

    def __init__(self, code: int) -> None:
        super().__init__(_CODES.get(code, ""))
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where a bus is, and how it is set. Without `port` it is on the network."""

    port: str = ""
    baud: int = 9600
    parity: str = "none"
    stop_bits: int = 1
    host: str = ""
    tcp_port: int = 502
    framing: str = "tcp"

    @property
    def place(self) -> str:
        """What people call it, and what only one program can hold."""
        return self.port or f"{self.host}:{self.tcp_port}"


class Bus:
    """A line in use; `take` gives the same one to all who are on it."""

    _all: ClassVar[dict[str, Bus]] = {}

    def __init__(self, line: Line) -> None:
        self.line = line
        self._users = 0
        self._client: Any = None
        self._lock = asyncio.Lock()
        self._heard = 0
        self._late = False

    @classmethod
    def take(cls, line: Line) -> Bus:
        """The bus at that place. Raises `EyeError` where it is in use with other settings."""
        bus = cls._all.get(line.place)
        if bus is None:
            bus = cls._all[line.place] = cls(line)
        elif bus.line != line:
            raise EyeError(
                _(
                    "{place}: another device on this line is read at {baud} baud, parity {parity}; all must "
                    "be set alike",
                    place=line.place, baud=bus.line.baud, parity=bus.line.parity,
                )
            )  # fmt: skip
        bus._users += 1
        return bus

    def give_back(self) -> None:
        """This user is done; the last one closes the line."""
        self._users -= 1
        if not self._users:
            self._all.pop(self.line.place, None)
            self._shut()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Nobody else asks meanwhile. A failure and a cancelled turn close the line."""
        async with self._lock:
            try:
                if self._client is None:
                    await self._open()
                yield
            except BaseException:
                self._late = True
                self._shut()
                raise

    async def ask(self, unit: int, request: Request) -> Sequence[int]:
        """What the registers or bits hold. Raises `ModbusRefusalError`, or `EyeError` when nobody answers."""
        call = getattr(self._client, _CALLS[request.table])
        self._heard = 0
        for attempt in range(_TRIES):
            try:
                async with asyncio.timeout(_TIMEOUT_S + 1):
                    answer = await call(request.at, count=request.count, **{_unit_key(call): unit})
            except (ModbusException, TimeoutError, OSError):
                answer = None
            if answer is not None and not hasattr(answer, "function_code"):
                answer = None  # early versions return their exception
            if answer is not None and not answer.isError() and not _fits(answer, request):
                answer = None  # it belongs to another question
            if answer is not None:
                break
            if attempt + 1 < _TRIES:
                self._late = True
                self._shut()
                await self._open()
                call = getattr(self._client, _CALLS[request.table])
        if answer is None:
            raise EyeError(self._silence(unit))
        if answer.isError():
            raise ModbusRefusalError(int(getattr(answer, "exception_code", 0)))
        return _held(answer, request)[: request.count]

    def _silence(self, unit: int) -> str:
        if self._heard and self.line.port:
            return _(
                "{place}: octets come, but no answer of unit {unit}; are the speed ({baud} baud), the parity "
                "and the unit right?",
                place=self.line.place, unit=unit, baud=self.line.baud,
            )  # fmt: skip
        if self.line.port:
            return _(
                "{place}: unit {unit} does not answer; is it on, are A and B the right way round, and is its "
                "number right?",
                place=self.line.place, unit=unit,
            )  # fmt: skip
        return _(
            "{place}: there is a connection, but unit {unit} does not answer; is its number right?",
            place=self.line.place, unit=unit,
        )  # fmt: skip

    async def _open(self) -> None:
        if self.line.port:
            from ayni_agent.eyes.serial_port import SerialPort

            SerialPort(self.line.port, self.line.baud).close()  # it says why where it cannot
        self._client = _client(self.line, self._trace)
        try:
            async with asyncio.timeout(_TIMEOUT_S + 1):
                await self._client.connect()
            connected = bool(self._client.connected)
        except (ModbusException, TimeoutError, OSError):
            connected = False
        if not connected:
            raise EyeError(await self._why_not())
        if self._late and (self.line.port or self.line.framing == "rtu"):
            await asyncio.sleep(_SETTLE_S)
        self._late = False

    async def _why_not(self) -> str:
        """Why there is no connection; pymodbus does not tell."""
        line = self.line
        cause = _("it does not answer")
        if line.host:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    _reader, writer = await asyncio.open_connection(line.host, line.tcp_port)
                writer.close()
            except TimeoutError:
                pass
            except (OSError, UnicodeError) as error:
                number = getattr(error, "errno", None)
                cause = os.strerror(number) if number else str(error)
        return _("{place}: no connection: {cause}", place=line.place, cause=cause)

    def _trace(self, sending: bool, octets: bytes) -> bytes:
        if not sending:
            self._heard += len(octets)
        return octets

    def _shut(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        with contextlib.suppress(Exception):  # half open, it may trip over itself
            closing = client.close()
            if inspect.isawaitable(closing):
                task = asyncio.ensure_future(closing)
                task.add_done_callback(lambda done: done.cancelled() or done.exception())


def _held(answer: Any, request: Request) -> Sequence[int]:
    found: Sequence[int] = answer.bits if request.table in ("coil", "discrete") else answer.registers
    return found


def _fits(answer: Any, request: Request) -> bool:
    number = len(_held(answer, request))
    return number == request.count or (number > request.count and request.table in ("coil", "discrete"))


def _client(line: Line, trace: Any) -> Any:
    """A client of pymodbus that tries once and never connects anew by itself."""
    kind = modbus_client.AsyncModbusSerialClient if line.port else modbus_client.AsyncModbusTcpClient
    known = inspect.signature(kind.__init__).parameters
    options: dict[str, Any] = {"timeout": _TIMEOUT_S, "retries": 0, "reconnect_delay": 0}
    if "trace_packet" in known:
        options["trace_packet"] = trace
    if line.port:
        options |= {"baudrate": line.baud, "parity": _PARITY[line.parity], "stopbits": line.stop_bits}
        return kind(line.port, **options)
    if line.framing == "rtu":
        options["framer"] = _rtu()
    return kind(line.host, port=line.tcp_port, **options)


def _rtu() -> Any:
    try:
        from pymodbus.framer import FramerType
    except ImportError:
        from pymodbus.transaction import ModbusRtuFramer

        return ModbusRtuFramer
    return FramerType.RTU


def _unit_key(call: Any) -> str:
    return "device_id" if "device_id" in inspect.signature(call).parameters else "slave"
