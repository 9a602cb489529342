"""SNMP over UDP: the port `SnmpReader`, what every session shares, and the choice of the engine.

A community is held by the envelope alone and stands in no message, repr or exception.
"""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ayni_core.snmp import MAX_REQUEST_ID, MIN_REQUEST_ID, V1, V2C, V3, CommunityEnvelope, Envelope, VarBind
from ayni_core.snmpread import Pace, Reading, read_objects
from ayni_core.snmpwalk import read_columns
from ayni_core.usm import UsmEnvelope
from ayni_core.usm_keys import Aes, UsmUser
from ayni_io.clock import monotonic_s
from ayni_io.snmp_errors import address_text, columns_text, get_text, walk_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What reading has cost since the reader was made: requests sent, and octets of UDP payload."""

    pdus: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    timeouts: int = 0
    ignored: int = 0  # late, double or undecodable datagrams


class SnmpReader(Protocol):
    """Reads objects of one device: a session, or a recording."""

    @property
    def cost(self) -> Cost:
        """What it has cost so far."""
        ...

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        """These objects, any number, in their order; what is missing comes with value None and its reason
        as tag, 0x80 where an object spoils the PDU it is asked in.
        """
        ...

    async def columns(
        self, columns: Sequence[bytes], expected_rows: int | None = None, max_rows: int = 4096
    ) -> Sequence[VarBind]:
        """Columns of tables with the same index, up to `expected_rows` where their number is known.

        Increasing within a column; how columns are interleaved is not promised. Ends at `max_rows`.
        """
        ...

    async def walk(self, root: bytes, max_objects: int = 4096) -> Sequence[VarBind]:
        """Everything below `root` in order, `max_objects` at most."""
        ...

    def close(self) -> None:
        """Give the socket back; what is under way fails."""
        ...


class ReadingSession:
    """What every session is: it names its device, counts its cost, and runs readings of the core.

    A session adds `run`, which drives one reading to its end over the network.
    """

    def __init__(self, host: str, port: int, pace: Pace) -> None:
        self._host = host
        self._port = port
        self._pace = pace
        # Begins anywhere: whoever forges an answer has to guess it.
        self._request_id = MIN_REQUEST_ID + secrets.randbelow(MAX_REQUEST_ID - MIN_REQUEST_ID)
        self._pdus = self._bytes_sent = self._bytes_received = self._timeouts = self._ignored = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    async def run(self, reading: Reading, attempt: str) -> Sequence[VarBind]:
        """Drive a reading; `attempt` says in errors what was tried. Raises `SnmpError`."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """Host and port as messages give them."""
        return address_text(self._host, self._port)

    @property
    def cost(self) -> Cost:
        """What it has cost so far."""
        return Cost(
            pdus=self._pdus,
            bytes_sent=self._bytes_sent,
            bytes_received=self._bytes_received,
            timeouts=self._timeouts,
            ignored=self._ignored,
        )

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        """See `SnmpReader.get`."""
        return await self.run(read_objects(oids, self._pace), get_text(oids))

    async def columns(
        self, columns: Sequence[bytes], expected_rows: int | None = None, max_rows: int = 4096
    ) -> Sequence[VarBind]:
        """See `SnmpReader.columns`."""
        reading = read_columns(columns, self._pace, expected_rows=expected_rows, max_rows=max_rows)
        return await self.run(reading, columns_text(columns))

    async def walk(self, root: bytes, max_objects: int = 4096) -> Sequence[VarBind]:
        """See `SnmpReader.walk`."""
        reading = read_columns([root], self._pace, max_rows=max_objects)
        return await self.run(reading, walk_text(root))


def load_engine(engine: str, *, encrypted: bool = False) -> None:
    """Import what an engine needs, which takes a while; `ModuleNotFoundError` where the extra is missing."""
    if engine == "pysnmp":
        importlib.import_module("ayni_io.snmp_pysnmp")
    if encrypted:
        importlib.import_module("ayni_io.aes")


def open_session(
    host: str,
    port: int = 161,
    *,
    version: str = "2c",
    community: bytes = b"",
    user: UsmUser | None = None,
    timeout_s: float = 2.0,
    tries: int = 3,
    engine: str = "fast",
) -> SnmpReader:
    """A session with a device: by `community` in version "1" or "2c", by `user` in version "3".

    No packet is sent before the first reading. `engine` is one of `inventory.ENGINES`: this module, or pysnmp
    where the two disagree about a device. `ModuleNotFoundError` where what the user needs is not installed.
    """
    load_engine(engine, encrypted=user is not None and user.priv is not None)
    if engine == "pysnmp":
        from ayni_io.snmp_pysnmp import PysnmpSession  # where a device asks for it: it takes a while

        return PysnmpSession(
            host,
            port,
            version={"1": V1, "2c": V2C, "3": V3}[version],
            community=community,
            user=user,
            timeout_s=timeout_s,
            tries=tries,
        )
    from ayni_io.snmp_session import SnmpSession  # it builds on this module

    return SnmpSession(host, port, _envelope(version, community, user), timeout_s=timeout_s, tries=tries)


def _envelope(version: str, community: bytes, user: UsmUser | None) -> Envelope:
    if version != "3":
        return CommunityEnvelope({"1": V1, "2c": V2C}[version], community)
    if user is None:
        raise ValueError("SNMPv3 needs a user")
    aes: Aes | None = None
    if user.priv is not None:
        from ayni_io.aes import CryptographyAes  # where privacy is used: it takes a while

        aes = CryptographyAes
    return UsmEnvelope(
        user,
        clock=monotonic_s,
        first_id=secrets.randbits(31),
        first_salt=secrets.randbits(64),
        aes=aes,
    )
