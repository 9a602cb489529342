"""What files of /proc and /sys mean: texts in, numbers out (proc(5), the kernel's admin guide).

A text that is not of its form gives nothing, never an error: kernels and boards differ in what they tell.
Values are in the units of `ayni_core.metrics`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ayni_core.metrics import IF_OPER

_KIB = 1024
_MEMORY = re.compile(r"^(\w+):\s+(\d+) kB$", re.MULTILINE)
_ESCAPED = re.compile(r"\\([0-7]{3})")
_NO_DISK = re.compile(r"/dev/(?:loop|ram|zram|sr|fuse)")
_OPER = {name.lower(): number for number, name in IF_OPER.items()}
_LOOPBACK, _ETHERNET, _BRIDGE, _PPP, _TUNNEL, _OTHER, _RADIO, _VLAN = 24, 6, 209, 23, 131, 1, 71, 135
_TYPES = {1: _ETHERNET, 772: _LOOPBACK, 512: _PPP, 768: _TUNNEL, 769: _TUNNEL, 776: _TUNNEL, 778: _TUNNEL}
_TYPES |= dict.fromkeys((801, 802, 803), _RADIO)
"""ARPHRD_* of the kernel (if_arp.h) to IANAifType, as net-snmp translates them."""
_LIFE_OVER_PCT = 100
_LOW, _CAPPED, _SLOWED, _HOT = 1, 2, 4, 8
_SINCE_START = 16


class Ticks(NamedTuple):
    """Processor time since the start, in ticks of all cores together."""

    busy: int
    total: int


class Mount(NamedTuple):
    """A disk or card and where its files stand."""

    device: str
    point: str


def number(text: str) -> int | None:
    """The whole number that a file of one line holds."""
    try:
        return int(text.strip()[:24])
    except ValueError:
        return None


def uptime_s(text: str) -> int | None:
    """Of /proc/uptime."""
    found = re.match(r"(\d{1,12})(?:\.\d+)? ", text)
    return int(found[1]) if found else None


def loads(text: str) -> dict[str, float]:
    """Of /proc/loadavg, by metric."""
    found = re.match(r"(\d{1,6}\.\d+) (\d{1,6}\.\d+) (\d{1,6}\.\d+) ", text)
    names = ("load_1m", "load_5m", "load_15m")
    return {name: float(value) for name, value in zip(names, found.groups(), strict=True)} if found else {}


def memory(text: str) -> dict[str, int | float]:
    """Of /proc/meminfo, by metric. What the kernel can give back at once counts as cache, as `free` does."""
    told = {name: int(value) * _KIB for name, value in _MEMORY.findall(text)}
    if not {"MemTotal", "MemFree"} <= told.keys() or not told["MemTotal"]:
        return {}
    total, free, buffers = told["MemTotal"], told["MemFree"], told.get("Buffers", 0)
    cached = told.get("Cached", 0) + told.get("SReclaimable", 0)
    used = max(0, total - free - buffers - cached)
    return {
        "memory_total_bytes": total,
        "memory_free_bytes": free,
        "memory_buffers_bytes": buffers,
        "memory_cached_bytes": cached,
        "memory_used_bytes": used,
        "memory_used_pct": round(100 * used / total, 1),
    }


def ticks(text: str) -> Ticks | None:
    """Of the first line of /proc/stat. Waiting for a disk is not work of the processor."""
    found = re.match(r"cpu +((?:\d{1,20} ?){5,10})", text)
    if found is None:
        return None
    each = [int(one) for one in found[1].split()][:8]  # guest time is part of user time already
    total = sum(each)
    return Ticks(total - each[3] - each[4], total)


def busy_pct(before: Ticks | None, now: Ticks | None) -> float | None:
    """Share of processor time in use between two looks; None for the first, or where nothing passed."""
    if before is None or now is None or now.total <= before.total or now.busy < before.busy:
        return None
    return round(100 * (now.busy - before.busy) / (now.total - before.total), 1)


def throttled(word: int) -> dict[str, int]:
    """What a Raspberry Pi's firmware says of its supply (`get_throttled`): bits 0 to 3 now, 16 to 19 ever."""

    def state(bits: int) -> int:
        return 2 if word & bits else 1 if word & bits << _SINCE_START else 0

    return {"supply_state": state(_LOW), "throttle_state": state(_CAPPED | _SLOWED | _HOT)}


def hexadecimal(text: str) -> int | None:
    """`50005`, `0x50005` or `throttled=0x50005` as a number."""
    found = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]{1,8})", text.strip())
    return int(found[1], 16) if found else None


def worn_pct(text: str) -> int | None:
    """An eMMC's `life_time` (JEDEC: two areas, in steps of ten per cent; 0 is "not told", 11 is "over")."""
    found = re.findall(r"0x([0-9a-fA-F]{2})\b", text)[:2]
    steps = [int(step, 16) for step in found if 0 < int(step, 16) <= 11]
    return min(_LIFE_OVER_PCT, 10 * max(steps)) if steps else None


def mounts(text: str) -> list[Mount]:
    """The disks and cards of /proc/mounts, once each, at the first place where they stand."""
    found: dict[str, Mount] = {}
    for line in text.splitlines():
        words = line.split(" ")
        if len(words) < 3 or not words[0].startswith("/dev/") or _NO_DISK.match(words[0]):
            continue
        device, point = (_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), word) for word in words[:2])
        found.setdefault(device, Mount(device, point))
    return list(found.values())


def interface(files: Mapping[str, str], inside: Iterable[str] = ()) -> dict[str, int | str | None]:
    """One folder of /sys/class/net, by metric: the texts of its files, and the names of folders in it."""
    flags = hexadecimal(files.get("flags", "")) or 0
    admin = 1 if flags & 1 else 2  # IFF_UP
    oper = _OPER.get(files.get("operstate", "").strip(), 4)
    if oper == 4 and admin == 1 and files.get("carrier", "").strip() == "1":
        oper = 1  # loopback and tunnels do not know their state, but they have a carrier
    speed = number(files.get("speed", ""))
    result: dict[str, int | str | None] = {
        "if_index": number(files.get("ifindex", "")),
        "if_type": _type(number(files.get("type", "")), frozenset(inside)),
        "if_admin": admin,
        "if_oper": oper if admin == 1 else 2,
        "mtu_bytes": number(files.get("mtu", "")),
        "speed_bps": speed * 1_000_000 if speed is not None and speed > 0 else None,
        "duplex": {"full": 3, "half": 2}.get(files.get("duplex", "").strip(), 1),
    }
    if alias := files.get("ifalias", "").strip():
        result["if_alias"] = alias[:255]
    mac = files.get("address", "").strip().replace(":", "")
    if re.fullmatch("[0-9a-f]{12}", mac) and mac.strip("0"):
        result["if_mac"] = mac
    return result


def _type(kind: int | None, inside: frozenset[str]) -> int:
    if "bridge" in inside:
        return _BRIDGE
    if inside & {"wireless", "phy80211"}:
        return _RADIO
    return _TYPES.get(kind if kind is not None else -1, _OTHER)


_IN = {0: "in_octets", 2: "in_errors", 3: "in_discards"}
_OUT = {8: "out_octets", 10: "out_errors", 11: "out_discards", 9: "out_ucast_pkts"}
_PACKETS, _TO_MANY, _COLUMNS = 1, 7, 16


def traffic(text: str) -> dict[str, dict[str, int]]:
    """Of /proc/net/dev: counters by metric, by port. Packets to many stand among all that were received."""
    found: dict[str, dict[str, int]] = {}
    for line in text.splitlines()[2:]:
        name, _colon, rest = line.rpartition(":")
        words = rest.split()
        if len(words) != _COLUMNS or not all(word.isdigit() and len(word) <= 20 for word in words):
            continue
        each = [int(word) for word in words]
        counters = {metric: each[column] for column, metric in (_IN | _OUT).items()}
        counters["in_ucast_pkts"] = max(0, each[_PACKETS] - each[_TO_MANY])
        found[name.strip()] = counters
    return found


def degrees(text: str) -> float | None:
    """Thousandths of a degree. Sensors that are not there say -273 or an impossible heat."""
    value = number(text)
    return round(value / 1000, 1) if value is not None and -100_000 < value < 250_000 else None
