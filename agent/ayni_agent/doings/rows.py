"""Which row of a device's table a person means, and whether it is the one that this monitor hangs on."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path

from ayni_agent.doings.job import Refused
from ayni_core.convert import as_text
from ayni_core.oid_notation import index_arcs, index_body, parse
from ayni_core.profile import Switch
from ayni_core.snmp import VarBind
from ayni_io.snmp import SnmpReader

_IF_NAMES = (parse("1.3.6.1.2.1.31.1.1.1.1"), parse("1.3.6.1.2.1.2.2.1.2"))
"""ifName, ifDescr."""
_ADDRESS_TO_INTERFACE = parse("1.3.6.1.2.1.4.20.1.2")
"""ipAdEntIfIndex."""
_MAC_TO_PORT = parse("1.3.6.1.2.1.17.4.3.1.2")
"""dot1dTpFdbPort."""
_PORT_TO_INTERFACE = parse("1.3.6.1.2.1.17.1.4.1.2")
"""dot1dBasePortIfIndex."""
_MOST_ROWS = 512
_MOST_NAMED = 12

Index = tuple[int, ...]


async def find_row(reader: SnmpReader, device: str, switch: Switch, item: str) -> Index:
    """The index of the row that `item` names. Raises `Refused`, `SnmpError`."""
    rows = _by_index(switch.column, await reader.columns((switch.column,), None, _MOST_ROWS))
    if switch.by_index:
        names = {index: switch.prefix + ".".join(map(str, index)) for index in rows}
    else:
        names = {}
        for column in _IF_NAMES:
            for index, text in _by_index(column, await reader.columns((column,), None, _MOST_ROWS)).items():
                if index in rows and text:
                    names.setdefault(index, text)
    found = [index for index, name in names.items() if name == item]
    found = found or [index for index in rows if ".".join(map(str, index)) == item]
    found = found or [index for index in rows if switch.by_index and str(index[-1]) == item]
    if len(found) != 1:
        known = sorted(names.values()) or [".".join(map(str, index)) for index in sorted(rows)]
        shown = ", ".join(known[:_MOST_NAMED]) + (" …" if len(known) > _MOST_NAMED else "")
        raise Refused("refused.no_port", device=device, item=item, known=shown or "-")
    return found[0]


async def leads_to_us(
    reader: SnmpReader, host: str, index: Index, switch: Switch, macs: Sequence[bytes] | None = None
) -> bool:
    """Whether we reach the device through this very port, as far as it can tell: its own address stands on
    it, or it has learned our hardware address there (RFC 4293, RFC 4188)."""
    asked: list[bytes] = []
    with contextlib.suppress(ValueError):  # a name, or an address of IP version 6: the table has none
        asked.append(_ADDRESS_TO_INTERFACE + index_body(tuple(ipaddress.IPv4Address(host).packed)))
    asked += [_MAC_TO_PORT + index_body(tuple(mac)) for mac in (own_macs() if macs is None else macs)]
    found = [value for _oid, _tag, value in await reader.get(asked)] if asked else []
    interfaces = {
        value for oid, value in zip(asked, found, strict=True) if oid.startswith(_ADDRESS_TO_INTERFACE)
    }
    ports = [value for oid, value in zip(asked, found, strict=True) if oid.startswith(_MAC_TO_PORT)]
    learned = [port for port in ports if isinstance(port, int) and port > 0]
    if learned:
        bases = await reader.get([_PORT_TO_INTERFACE + index_body((port,)) for port in learned])
        interfaces |= {value for _oid, _tag, value in bases}
    ours = {each for each in interfaces if isinstance(each, int)}
    if switch.by_index:  # numbered by itself: mostly as the ports of the bridge, or as the interfaces
        ours |= set(learned)
    return index[-1] in ours


def own_macs() -> list[bytes]:
    """The hardware addresses of this machine."""
    found = []
    for path in Path("/sys/class/net").glob("*/address"):
        try:
            mac = bytes.fromhex(path.read_text(encoding="ascii").strip().replace(":", ""))
        except (OSError, ValueError):
            continue
        if len(mac) == 6 and any(mac):
            found.append(mac)
    return found[:16]


def _by_index(column: bytes, rows: Sequence[VarBind]) -> Mapping[Index, str]:
    return {
        index_arcs(oid[len(column) :]): as_text(tag, value)
        for oid, tag, value in rows
        if oid.startswith(column)
    }
