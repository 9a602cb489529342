"""Asks one device over SNMP what it is: its family by the rules of the profiles, name, model, MAC addresses.

The same rules as the poller's, and few packets: a pause after each request keeps to `_PER_S` a second, half
of what one device may get, so that bursts inside a request stay within it too.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from ayni_agent.poller import Families
from ayni_core.convert import as_text
from ayni_core.discovery.found import Sighting
from ayni_core.discovery.octets import ipv4_text, mac_text, printable
from ayni_core.discovery.sweep import MOST_TO_ONE_PER_S
from ayni_core.identify import GENERIC, SYS_DESCR, Answers, decide
from ayni_core.oid_notation import parse
from ayni_core.profile import Profile
from ayni_core.schema import ConfigError
from ayni_core.snmp import VarBind
from ayni_core.survey import system_text
from ayni_io.snmp import SnmpReader
from ayni_io.snmp_errors import SnmpDenied, SnmpError

_SYS_NAME, _PHYS_ADDRESS = parse("1.3.6.1.2.1.1.5.0"), parse("1.3.6.1.2.1.2.2.1.6")
_ARP_MAC = parse("1.3.6.1.2.1.4.22.1.2")  # ipNetToMediaPhysAddress: ifIndex, then the address
_MIKROTIK_IP = parse("1.3.6.1.4.1.14988.1.1.11.1.1.2")  # mtxrNeighborIpAddress
_MOST_PORTS, _MOST_NEIGHBOURS = 64, 1024
_SAMPLE_ROWS, _MOST_ROUNDS = 8, 4
_PER_S = MOST_TO_ONE_PER_S / 2


class Asking:
    """Reads one device at a gentle pace."""

    def __init__(self, reader: SnmpReader) -> None:
        self._reader = reader
        self._paid = 0

    async def get(self, oids: Sequence[bytes]) -> Sequence[VarBind]:
        """As `SnmpReader.get`."""
        return await self._pause(await self._reader.get(oids))

    async def column(self, column: bytes, most: int) -> Sequence[VarBind]:
        """The first rows of a column."""
        return await self._pause(await self._reader.columns((column,), None, most))

    async def _pause(self, answers: Sequence[VarBind]) -> Sequence[VarBind]:
        sent = self._reader.cost.pdus
        await asyncio.sleep((sent - self._paid) / _PER_S)
        self._paid = sent
        return answers


async def who_is(host: str, reader: SnmpReader, profiles: Families) -> Sighting:
    """What the device behind a reader is; where it does not answer after all, that it is closed or denied."""
    asking = Asking(reader)
    try:
        answers = Answers()
        family = await _family(asking, answers, profiles)
        texts = await _texts(asking, answers, _profile(profiles, family))
        macs: dict[str, None] = {}
        with contextlib.suppress(SnmpError):  # without them it may be found twice, and that is all
            for _oid, _tag, value in await asking.column(_PHYS_ADDRESS, _MOST_PORTS):
                if isinstance(value, bytes):
                    macs[mac_text(value)] = None
        macs.pop("", None)
    except SnmpDenied:
        return Sighting(heard_by="snmp", address=host, snmp="denied")
    except SnmpError:
        return Sighting(heard_by="snmp", address=host, snmp="closed")
    return Sighting(
        heard_by="snmp",
        address=host,
        macs=tuple(macs),
        name=texts.get("name", ""),
        maker="" if texts.get("model") else printable(as_text(*answers.scalars[SYS_DESCR])),
        model=texts.get("model", ""),
        version=texts.get("version", ""),
        family=family,
        snmp="open",
    )


async def neighbours(reader: SnmpReader) -> list[Sighting]:
    """What a device's ARP table and MikroTik's neighbour table list. Raises `SnmpError`."""
    asking = Asking(reader)
    found = []
    for oid, _tag, value in await asking.column(_ARP_MAC, _MOST_NEIGHBOURS):
        address, mac = _address_of(oid[len(_ARP_MAC) :]), mac_text(value) if isinstance(value, bytes) else ""
        if address:
            found.append(Sighting(heard_by="table", address=address, macs=(mac,) if mac else ()))
    for _oid, _tag, value in await asking.column(_MIKROTIK_IP, _MOST_NEIGHBOURS):
        address = ipv4_text(value) if isinstance(value, bytes) else ""
        if address:
            found.append(Sighting(heard_by="table", address=address))
    return found


def _address_of(index: bytes) -> str:
    """The address in the index of a row: ifIndex, then four arcs; those above 127 take two octets."""
    arcs: list[int] = []
    number = 0
    for octet in index:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(number)
            number = 0
    if len(arcs) != 5 or any(arc > 255 for arc in arcs[1:]):
        return ""
    return ipv4_text(bytes(arcs[1:]))


async def _family(asking: Asking, answers: Answers, profiles: Families) -> str:
    for _round in range(_MOST_ROUNDS):
        step = decide(profiles.rules(), answers)
        if isinstance(step, str):
            return step
        if step.scalars:
            found = await asking.get((*step.scalars, *(() if answers.scalars else (_SYS_NAME,))))
            answers.scalars.update({oid: (tag, value) for oid, tag, value in found})
        for column in step.columns:
            rows = await asking.column(column, _SAMPLE_ROWS)
            answers.columns[column] = tuple((tag, value) for _oid, tag, value in rows)
    return GENERIC


def _profile(profiles: Families, family: str) -> Profile | None:
    try:
        return profiles.load(family)
    except ConfigError:  # a broken profile of the user's own is told by `ayni profile check`
        return None


async def _texts(asking: Asking, answers: Answers, profile: Profile | None) -> dict[str, str]:
    """Name, model and version as the profile reads them, from scalars only."""
    wanted = ("name", "model", "version")
    sources = [
        (key, source)
        for part in (profile.parts if profile else ())
        for key in wanted
        for source in part.system.get(key, ())
        if source.any_row is None
    ]
    oids = {oid for _key, source in sources for oid in (source.oid, *source.join) if oid is not None}
    missing = sorted(oids - answers.scalars.keys())
    if missing:
        for oid, tag, value in await asking.get(missing):
            answers.scalars[oid] = (tag, value)
    found: dict[str, str] = {}
    for key, source in sources:
        read = source.join or ((source.oid,) if source.oid is not None else ())
        text = system_text(source, [answers.scalars[oid] for oid in read])
        if text and key not in found:
            found[key] = printable(text)
    return found
