"""Changing a device: SNMP SET, by pysnmp. Nothing else in Ayni writes to a device.

A SET is made by the same session that reads with pysnmp, so it knows communities and users alike. All
var-binds of one call are set, or none (RFC 3416, section 4.2.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from ayni_core.ber import encode_integer, encode_length, oid_text, tlv
from ayni_core.snmp import INTEGER, SEQUENCE, SET, RequestTemplate, VarBind, encode_varbind, status_name
from ayni_core.snmpread import Ask, BadAnswer, NoAnswer, Reading
from ayni_io.snmp import SnmpReader, open_session
from ayni_io.snmp_access import Access
from ayni_io.snmp_errors import SnmpError, SnmpProtocolError


class SnmpSetRefused(SnmpError):  # noqa: N818
    """The device took the request and will not do it; nothing has changed. Mind the write access."""


class SnmpWriter(Protocol):
    """Changes objects of one device, and reads them with the same access."""

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        """See `SnmpReader.get`."""
        ...

    async def set(self, settings: Sequence[VarBind], *, tries: int | None = None) -> None:
        """Set all of these, or none. Raises `SnmpSetRefused`, or another `SnmpError`: then nobody knows
        whether it was done."""
        ...

    def close(self) -> None:
        """Give the socket back."""
        ...


class _Session(SnmpReader, Protocol):
    """A session that runs any exchange, as those of both engines do."""

    async def run(self, reading: Reading, attempt: str) -> Sequence[VarBind]:
        """See `ReadingSession.run`."""
        ...


class PysnmpWriter:
    """`SnmpWriter` over a session of the second engine."""

    def __init__(self, session: _Session, tries: int) -> None:
        self._session = session
        self._tries = tries

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        """See `SnmpWriter.get`."""
        return await self._session.get(oids)

    async def set(self, settings: Sequence[VarBind], *, tries: int | None = None) -> None:
        """See `SnmpWriter.set`."""
        refusals: list[str] = []
        names = ", ".join(oid_text(oid) for oid, _tag, _value in settings)
        reading = _setting(_template(settings), tries or self._tries, refusals)
        try:
            await self._session.run(reading, f"setting {names} on")
        except SnmpProtocolError as error:
            if refusals:
                raise SnmpSetRefused(str(error)) from None
            raise

    def close(self) -> None:
        """See `SnmpWriter.close`."""
        self._session.close()


def open_writer(
    host: str, port: int, access: Access, *, timeout_s: float = 2.0, tries: int = 3
) -> SnmpWriter:
    """A way to change a device. `ModuleNotFoundError` where pysnmp is not installed."""
    session = open_session(
        host,
        port,
        version=access.version,
        community=access.community,
        user=access.user,
        timeout_s=timeout_s,
        tries=tries,
        engine="pysnmp",
    )
    return PysnmpWriter(cast(_Session, session), tries)


def _setting(request: RequestTemplate, tries: int, refusals: list[str]) -> Reading:
    reply = yield Ask(request, tries)
    if reply is None:
        raise NoAnswer
    if reply.error_status:
        refusals.append(status_name(reply.error_status))
        raise BadAnswer(f"the device refuses ({refusals[0]})")
    return reply.varbinds


def _template(settings: Sequence[VarBind]) -> RequestTemplate:
    varbinds = b"".join(encode_varbind(*setting) for setting in settings)
    nothing = tlv(INTEGER, encode_integer(0))
    tail = nothing + nothing + tlv(SEQUENCE, varbinds)
    return RequestTemplate(bytes((SET,)) + encode_length(6 + len(tail)) + b"\x02\x04", tail, len(settings))
