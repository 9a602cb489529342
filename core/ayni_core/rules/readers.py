"""How signs are read: each reader takes the cells of one poll and gives a number, or None where it has none.

A reader that compares with earlier polls keeps what it needs in a `Memory` that outlives it: readers are made
anew whenever a device shows other series. Nothing is known of a device at first, and after a gap nothing is
made up: then the next poll is compared with this one. Counters follow the laws of `ayni_core.rates`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ayni_core.diagnosis import apart_db
from ayni_core.rates import rate, restarted
from ayni_core.readings import Series, Value
from ayni_core.rules.place import NOWHERE, Place

Cells = Sequence[Value]
Reader = Callable[[Cells, float], float | None]

LONGEST_GAP_S = 900.0
"""Counters of polls further apart say nothing about now."""
ETHERNET, UP = 6, 1
SHORT_OUTAGE_S = (30.0, 900.0)
"""A shorter gap is nothing, and a longer one has an alarm of its own, as one has in which two polls
missed."""
_ONE_MISSED = 2.5
_NOISE_DBM = (-120.0, -40.0)
_MICROWAVE_MHZ = 20_000.0
_FALLS_V, _COMPARE_S, _RESTING_V = 0.05, 3600.0, 12.6
_IDLE_A = 0.05
_NOMINAL = ((12, 9.5, 16.0), (24, 20.0, 31.0), (48, 43.0, 62.0))  # between them may be others, such as 36 V
_BLOCK_V = 12.4  # 12 V, 12.8 V and 51.2 V batteries are 1, 1 and 4 blocks
_READ_ONLY = re.compile(r"/rom\b|/snap\b|/boot\b|/usr/lib/modules|.*(squash|loop|memory|swap)", re.IGNORECASE)
_VIRTUAL = re.compile(
    r"(wl|ath|ra\d|rai|br|bat|tun|tap|ppp|pppoe|wg|lo|veth|docker|vlan|bond|dummy|ifb)|.*[.@]"
)


@dataclass(slots=True)
class Memory:
    """What the readers of one device remember: by (sign, series) a short list of their own."""

    kept: dict[tuple[str, Series], list[Any]] = field(default_factory=dict)
    wanted: set[tuple[str, Series]] = field(default_factory=set)
    uptime: tuple[float, float] | None = None
    restarted: bool = False
    still_at: float = 0.0
    full_at: float = 0.0
    before_at: float = 0.0

    def of(self, sign: str, series: Series, size: int = 2) -> list[Any]:
        """The list of one reader."""
        key = (sign, series)
        self.wanted.add(key)
        return self.kept.setdefault(key, [None] * size)

    def begin(self, uptime: Value, at: float) -> None:
        """A poll comes that brought more than an answer, with this uptime."""
        self.before_at, self.full_at = self.full_at, at
        self.restarted = False
        if isinstance(uptime, int | float):
            if self.uptime is not None:
                self.restarted = restarted(self.uptime, (at, uptime))
            self.uptime = (at, uptime)

    def tidy(self) -> None:
        """After readers were made anew: let go of what none of them wants, if it is much; stations come and
        go, and some come back."""
        if len(self.kept) > 4 * len(self.wanted) + 64:
            self.kept = {key: kept for key, kept in self.kept.items() if key in self.wanted}
        self.wanted = set()


@dataclass(frozen=True, slots=True)
class Around:
    """What a reader is made from: where each series stands in a poll, what is remembered, the device's
    place."""

    at: Mapping[Series, int]
    memory: Memory
    place: Place = NOWHERE

    def position(self, series: Series, metric: str) -> int | None:
        """Where another metric of the same thing stands."""
        return self.at.get(Series(series.group, series.item, metric))


Made = tuple[Series, Reader]
"""A reader, and the series that its alarm is about."""


def _number(cells: Cells, position: int | None) -> float | None:
    value = None if position is None else cells[position]
    return value if isinstance(value, int | float) else None


# ---- of a device


def _restarts(_series: Series, around: Around) -> Iterator[Made]:
    memory = around.memory
    yield Series("system", "", "restarted"), lambda _cells, _at: 1.0 if memory.restarted else 0.0


def _cpu_busy(series: Series, around: Around) -> Iterator[Made]:
    whole = around.at.get(Series(series.group, "", "cpu_pct"))
    cores = [position for each, position in around.at.items() if each.metric == "cpu_pct" and each.item]
    first = min((each for each in around.at if each.metric == "cpu_pct"), default=series)
    if series != first:
        return

    def read(cells: Cells, _at: float) -> float | None:
        given = _number(cells, whole)
        if given is not None:
            return given
        found = [value for core in cores if (value := _number(cells, core)) is not None]
        return sum(found) / len(found) if found else None

    yield Series("system", "", "cpu_busy_pct"), read


def _memory_share(series: Series, around: Around) -> Iterator[Made]:
    yield series, lambda cells, _at: _number(cells, around.at[series])


def _memory_busy(series: Series, around: Around) -> Iterator[Made]:
    if around.position(series, "memory_used_pct") is not None:
        return
    total = around.at[series]
    used, free = around.position(series, "memory_used_bytes"), around.position(series, "memory_free_bytes")
    given_back = [
        around.position(series, "memory_buffers_bytes"), around.position(series, "memory_cached_bytes"),
    ]  # fmt: skip

    def read(cells: Cells, _at: float) -> float | None:
        size, taken, left = _number(cells, total), _number(cells, used), _number(cells, free)
        if not size or size < 0:
            return None
        if taken is None and left is not None:
            taken = size - left - sum(_number(cells, each) or 0.0 for each in given_back)
        return None if taken is None else 100 * taken / size

    yield series, read


def _storage_used(series: Series, around: Around) -> Iterator[Made]:
    used, total = around.position(series, "storage_used_bytes"), around.at[series]
    if used is None or _READ_ONLY.match(series.item):
        return

    def read(cells: Cells, _at: float) -> float | None:
        size, taken = _number(cells, total), _number(cells, used)
        if not size or size < 0 or taken is None or taken == size:  # an image that nobody writes to
            return None
        return 100 * taken / size

    yield series, read


# ---- of a battery


def nominal_v(volts: float) -> float | None:
    """The nominal voltage of a battery that has so many volts now; None where none fits."""
    return next((float(nominal) for nominal, low, high in _NOMINAL if low <= volts <= high), None)


def blocks(given_v: float | None, volts: float) -> int | None:
    """How many batteries of 12 V one is as good as, by its nominal voltage, or else by what it has now."""
    nominal = given_v or nominal_v(volts)
    return None if nominal is None else max(1, round(nominal / _BLOCK_V))


def _is_judged_by_voltage(series: Series, around: Around) -> bool:
    place = around.place
    if not is_battery(series) or not (place.battery_v or place.power == "solar"):
        return False
    return place.battery != "lifepo4" or around.position(series, "charge_pct") is None


def is_battery(series: Series) -> bool:
    """Whether a reading is about a whole battery; what else has it in its name is a part or a set point."""
    return (
        series.group in ("power", "sensor")
        and series.item.partition(" ")[0] == "battery"
        and (series.item == "battery" or series.item.removeprefix("battery ").isdecimal())
    )


def _battery_12v(series: Series, around: Around) -> Iterator[Made]:
    if not _is_judged_by_voltage(series, around):
        return
    position, given = around.at[series], around.place.battery_v

    def read(cells: Cells, _at: float) -> float | None:
        volts = _number(cells, position)
        if volts is None or volts <= 0:
            return None
        count = blocks(given, volts)
        return None if count is None else volts / count

    yield series, read


def _battery_left(series: Series, around: Around) -> Iterator[Made]:
    voltage = Series(series.group, series.item, "voltage_v")
    if not is_battery(series) or (voltage in around.at and _is_judged_by_voltage(voltage, around)):
        return
    yield series, lambda cells, _at: _number(cells, around.at[series])


def _discharging(series: Series, around: Around) -> Iterator[Made]:
    """By its current where it is told; where a charger tells only what it gives, or nothing, by a voltage
    that falls below that of a rested battery. From a voltage that falls after a full charge nothing
    follows."""
    volts = around.position(series, "voltage_v")
    if not is_battery(series) or around.place.power != "solar":
        return
    if series.metric == "current_a" and volts is not None:
        return  # made where the voltage stands
    current = around.position(series, "current_a")
    given, lead = around.place.battery_v, around.place.battery == "lead-acid"
    kept = around.memory.of("discharging", series, 3)  # [when, volts then, verdict]

    def read(cells: Cells, at: float) -> float | None:
        flows = _number(cells, current)
        if flows is not None and abs(flows) > _IDLE_A:
            kept[0] = None
            return 1.0 if flows < 0 else 0.0
        level = _number(cells, volts)
        if level is None or not lead:
            return None if flows is None else 0.0
        level /= blocks(given, level) or 1
        if kept[0] is None or at - kept[0] > 4 * _COMPARE_S:
            kept[:] = [at, level, None]
        elif at - kept[0] >= _COMPARE_S:
            falls = level < kept[1] - _FALLS_V and level < _RESTING_V
            kept[:] = [at, level, 1.0 if falls else 0.0]
        verdict: float | None = kept[2]
        return verdict

    yield series, read


# ---- of a port


def is_port(series: Series, kind: float | None) -> bool:
    """Whether a reading is about an Ethernet port, by its kind (IANAifType) and its name: net-snmp calls
    radios and bridges Ethernet, too, with speeds that nobody negotiated."""
    if series.group != "interface" or kind not in (None, ETHERNET):
        return False
    return _VIRTUAL.match(series.item) is None


def _in_errors(series: Series, around: Around) -> Iterator[Made]:
    position, memory, kept = around.at[series], around.memory, around.memory.of("in_errors", series, 2)

    def read(cells: Cells, at: float) -> float | None:
        value = cells[position]
        if value is None or isinstance(value, str):
            return None
        before_at, before = kept
        kept[0], kept[1] = at, value
        if value == before:
            return 0.0
        if before is None:
            return None
        if memory.still_at > before_at:  # nobody looked, because nothing moved
            before_at = memory.still_at
        return rate((before_at, before), (at, value), max_gap_s=LONGEST_GAP_S, rebooted=memory.restarted)

    yield series, read


def _utilisation(series: Series, around: Around) -> Iterator[Made]:
    """Read at every poll of every port: the usual step is worked out right here, wraps and resets aside."""
    speed, out = around.position(series, "speed_bps"), around.position(series, "out_octets")
    if speed is None or out is None:
        return
    into, memory, kept = around.at[series], around.memory, around.memory.of("utilisation", series, 3)

    def read(cells: Cells, at: float) -> float | None:
        fast, received, sent = cells[speed], cells[into], cells[out]
        before_at, before_in, before_out = kept
        kept[0], kept[1], kept[2] = at, received, sent
        try:
            into_bytes, out_bytes = received - before_in, sent - before_out
            if into_bytes >= 0 <= out_bytes and 0 < at - before_at <= LONGEST_GAP_S and not memory.restarted:
                share: float = 800 * (into_bytes if into_bytes > out_bytes else out_bytes) / (at - before_at)
                return share / fast  # type: ignore[operator]
            rates = [
                rate((before_at, then), (at, now), max_gap_s=LONGEST_GAP_S, rebooted=memory.restarted)
                for then, now in ((before_in, received), (before_out, sent))
                if isinstance(now, int | float)
            ]
            known = [each for each in rates if each is not None]
            return 800 * max(known) / fast if known else None  # type: ignore[operator]
        except (TypeError, ZeroDivisionError):  # something is not given: now, before, or the speed
            return None

    yield series, read


def _went_down(series: Series, around: Around) -> Iterator[Made]:
    position, memory, kept = around.at[series], around.memory, around.memory.of("went_down", series, 1)

    def read(cells: Cells, _at: float) -> float | None:
        value, before = cells[position], kept[0]
        if value is None:
            return None
        kept[0] = value
        return 1.0 if before == UP and value != UP and not memory.restarted else 0.0

    yield series, read


# ---- of an end of a link


def _link_snr(series: Series, around: Around) -> Iterator[Made]:
    given, signal = around.position(series, "snr_db"), around.position(series, "signal_dbm")
    if series.metric == "snr_db" and signal is not None:
        return  # made where the signal stands
    noise = around.position(series, "noise_dbm")
    if noise is None:  # noise belongs to the place: a sector's only figure serves for each of its stations
        radios = [position for each, position in around.at.items() if each.metric == "noise_dbm"]
        noise = radios[0] if len(radios) == 1 else None
    if given is None and noise is None:
        return
    frequencies = [position for each, position in around.at.items() if each.metric == "frequency_mhz"]

    def read(cells: Cells, _at: float) -> float | None:
        if any((_number(cells, each) or 0.0) > _MICROWAVE_MHZ for each in frequencies):
            return None  # millimetre waves live with less
        known = _number(cells, given)
        if known is not None:
            return known
        loud, below = _number(cells, signal), _number(cells, noise)
        if loud is None or below is None or not _NOISE_DBM[0] < below < _NOISE_DBM[1] or loud >= 0:
            return None
        return loud - below

    yield series, read


def _chain_imbalance(series: Series, around: Around) -> Iterator[Made]:
    """Chains are items that begin with the name of the radio or station. One that hears nothing but noise is
    not fitted, as far as anybody can tell."""
    chains = [
        position
        for each, position in around.at.items()
        if each.metric == "signal_chain_dbm" and each.group == series.group
        and each.item.startswith(series.item)
    ]  # fmt: skip
    if len(chains) < 2:
        return

    def read(cells: Cells, _at: float) -> float | None:
        found = [value for each in chains if (value := _number(cells, each)) is not None]
        return apart_db(found)

    yield series, read


def _gaps(series: Series, around: Around) -> Iterator[Made]:
    """An outage that is over: the other side was not heard in a poll in between, or says itself that it
    registered anew. How long it lasted is known no better than from poll to poll."""
    signal, connected = around.at[series], around.position(series, "connected_s")
    memory, kept = around.memory, around.memory.of("gap", series, 2)  # [heard at, connected then]

    def read(cells: Cells, at: float) -> float | None:
        if _number(cells, signal) is None:
            return None
        heard_at, then = kept
        for_s = _number(cells, connected)
        kept[0], kept[1] = at, for_s
        if heard_at is None or memory.restarted:
            return 0.0
        longest = 0.0
        if heard_at < memory.before_at:
            if at - heard_at > _ONE_MISSED * (at - memory.before_at):
                return 0.0
            longest = at - heard_at
        elif then is not None and for_s is not None and for_s + 30.0 < then + (at - heard_at):
            longest = at - heard_at - min(for_s, at - heard_at)
        return longest if SHORT_OUTAGE_S[0] <= longest <= SHORT_OUTAGE_S[1] else 0.0

    yield series, read


MAKERS: Mapping[str, Mapping[str, Callable[[Series, Around], Iterator[Made]]]] = {
    "restarted": {"uptime_s": _restarts},
    "cpu_busy_pct": {"cpu_pct": _cpu_busy},
    "memory_busy_pct": {"memory_used_pct": _memory_share, "memory_total_bytes": _memory_busy},
    "storage_used_pct": {"storage_total_bytes": _storage_used},
    "battery_12v": {"voltage_v": _battery_12v},
    "battery_left_pct": {"charge_pct": _battery_left},
    "discharging": {"voltage_v": _discharging, "current_a": _discharging},
    "in_errors_per_s": {"in_errors": _in_errors},
    "utilisation_pct": {"in_octets": _utilisation},
    "went_down": {"if_oper": _went_down},
    "link_snr_db": {"signal_dbm": _link_snr, "snr_db": _link_snr},
    "chain_imbalance_db": {"signal_dbm": _chain_imbalance},
    "gap_s": {"signal_dbm": _gaps},
}
"""For each sign that a poll alone can tell: what is made where a series of that metric stands."""

_FURTHER: Mapping[str, tuple[str, ...]] = {
    "memory_busy_pct": (
        "memory_used_bytes",
        "memory_free_bytes",
        "memory_buffers_bytes",
        "memory_cached_bytes",
    ),
    "storage_used_pct": ("storage_used_bytes",),
    "battery_12v": ("charge_pct",),
    "battery_left_pct": ("voltage_v",),
    "utilisation_pct": ("out_octets", "speed_bps"),
    "link_snr_db": ("noise_dbm", "frequency_mhz"),
    "chain_imbalance_db": ("signal_chain_dbm",),
    "gap_s": ("connected_s",),
}

STILL = frozenset(("in_errors_per_s", "went_down"))
"""Signs that are 0 while the one cell that each looks at does not move. `Memory.still_at` is when that was
last seen of all of them together."""

NEEDED: Mapping[str, frozenset[str]] = {
    sign: frozenset((*makers, *_FURTHER.get(sign, ()))) for sign, makers in MAKERS.items()
}
"""All metrics that each of these signs is made of."""
