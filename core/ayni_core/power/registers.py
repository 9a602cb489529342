"""What the registers of a Modbus device mean: a map in a file, the requests that read it, and the values.

Addresses count from 0, as they travel; makers' lists that begin with 1 or 30001 or 40001 are one, 30001 or
40001 above. A register has 16 bits, most significant octet first; what is wider takes several, and makers
disagree about which of them comes first: `words`.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ayni_core.message import Phrase
from ayni_core.metrics import METRICS
from ayni_core.profile_values import metric_at
from ayni_core.readings import GROUPS, LARGEST, Series, Value
from ayni_core.schema import A_NUMBER, A_TEXT, A_WHOLE_NUMBER, Fields
from ayni_core.units import conversions, unit_fault

TABLES = ("input", "holding", "coil", "discrete")
TYPES: Mapping[str, int] = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "f32": 2, "u64": 4, "text": 0}
"""Registers of each type; a text says its own `length`."""
WORDS = ("high-first", "low-first")
PARITIES = ("none", "even", "odd")
MAX_COUNT = 100
"""Registers of one request; the protocol allows 125, some devices fewer."""
MAX_GAP = 8
"""Registers that mean nothing and are read all the same, where that saves a request (a request costs what
about 12 registers do)."""
_BITS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")
_MOST_POINTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value: `count` registers from `at` on in `table`. `bits` are the first and the last of those that
    count, 0 the lowest. value = raw x mul / div + add, except what means "none"."""

    at: int
    table: str
    type: str
    count: int
    low_first: bool
    series: Series
    bits: tuple[int, int] | None = None
    mul: float = 1
    div: float = 1
    add: float = 0
    none: tuple[float, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    states: Mapping[int, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it: the table and the address."""
        return f"{self.table} 0x{self.at:04X}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMap:
    """A family of devices: its values, and how its serial line is set when it leaves the factory."""

    name: str
    about: str
    points: tuple[Point, ...]
    baud: int = 9600
    parity: str = "none"
    stop_bits: int = 1
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question: `count` registers or bits of `table` from `at` on, which bring `points`."""

    table: str
    at: int
    count: int
    points: tuple[Point, ...]


def read_map(name: str, fields: Fields) -> RegisterMap:
    """A file `modbus-NAME.yaml`; faults are noted."""
    words: str = fields.choice("words", WORDS, WORDS[0])
    table: str = fields.choice("table", TABLES, TABLES[0])
    found = RegisterMap(
        name=name,
        about=fields.text("about"),
        model=fields.text("model", ""),
        baud=baud_at(fields, 9600),
        parity=fields.choice("parity", PARITIES, PARITIES[0]),
        stop_bits=fields.number("stop_bits", 1, at_least=1, at_most=2, whole=True),
        points=fields.items("points", lambda each: _point(each, table, words), required=True),
    )
    if len(found.points) > _MOST_POINTS:
        fields.fault("points", "fault.at_most", most=_MOST_POINTS, got=len(found.points))
    seen: set[Series] = set()
    for index, point in enumerate(found.points):
        if point.series in seen:
            name = f"{point.series.item} {point.series.metric}"
            fields.fault(f"points[{index}]", "fault.stands_twice", name=name)
        seen.add(point.series)
    return found


def baud_at(fields: Fields, default: int | None) -> int:
    """The speed of a serial line."""
    baud: int = fields.number("baud", default, at_least=300, at_most=1_000_000, whole=True)
    return baud


def _point(fields: Fields, table: str, words: str) -> Point:
    table = fields.choice("table", TABLES, table)
    kind: str = fields.choice("type", TYPES, "u16")
    count = TYPES[kind]
    if kind == "text":
        count = fields.number("length", at_least=1, at_most=32, whole=True)
    metric = metric_at(fields, "metric")
    known = METRICS[metric]
    if (known.kind == "text") != (kind == "text"):
        fields.fault("metric", "fault.is_a", name=metric, kind=A_TEXT if known.kind == "text" else A_NUMBER)
    if table in ("coil", "discrete") and kind != "u16":
        fields.fault("type", "fault.one_bit")
    mul, div, add = _scale(fields, known.unit)
    at = _address(fields)
    if at + count > 0x10000:
        fields.fault("at", "fault.past_last")
    point = Point(
        at=at,
        table=table,
        type=kind,
        count=count,
        low_first=fields.choice("words", WORDS, words) == WORDS[1],
        series=Series(fields.choice("group", GROUPS, "power"), fields.text("item", ""), metric),
        bits=_bits(fields, 16 * count),
        mul=mul,
        div=div,
        add=add,
        none=_constants(fields, "none"),
        at_least=fields.number("at_least", None),
        at_most=fields.number("at_most", None),
        states=_states(fields) or known.states,
    )
    fields.done()
    return point


def _address(fields: Fields) -> int:
    given = fields.raw("at")
    number = _number(given)
    if number is None or not isinstance(number, int) or not 0 <= number <= 0xFFFF:
        if given is None:
            fields.fault("at", "fault.missing", wanted=Phrase("word.register"))
        else:
            fields.fault("at", "fault.no_register", given=f"{given}")
        return 0
    return number


def _number(given: object) -> float | None:
    """A number, or a text such as 0x3100."""
    if isinstance(given, str):
        try:
            return int(given, 16) if given.lower().startswith("0x") else None
        except ValueError:
            return None
    return given if isinstance(given, int | float) and not isinstance(given, bool) else None


def _constants(fields: Fields, key: str) -> tuple[float, ...]:
    given = fields.raw(key)
    each = given if isinstance(given, list) else [] if given is None else [given]
    numbers = [_number(one) for one in each]
    if any(number is None for number in numbers):
        fields.fault(key, "fault.expected_got", wanted=Phrase("word.only_numbers"), got=f"{given}")
    return tuple(number for number in numbers if number is not None)


def _bits(fields: Fields, width: int) -> tuple[int, int] | None:
    given = fields.raw("bits")
    if given is None:
        return None
    match = _BITS.fullmatch(str(given))
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not first <= last < width:
        fields.fault("bits", "fault.bits", given=f"{given}", most=width - 1)
        return None
    return first, last


def _scale(fields: Fields, unit: str) -> tuple[float, float, float]:
    mul, div, add = fields.number("mul", 1), fields.number("div", 1), fields.number("add", 0)
    if div == 0:
        fields.fault("div", "fault.zero")
        div = 1
    given = fields.text("unit", None)
    if given is None:
        return mul, div, add
    known = conversions(unit)
    if given not in known:
        fields.fault("unit", unit_fault(given, unit, known))
        return mul, div, add
    more, per, plus = known[given]
    return mul * more, div * per, add * more / per + plus


def _states(fields: Fields) -> dict[int, str]:
    below = fields.child("states")
    found: dict[int, str] = {}
    for key in tuple(below.keys()):
        name = below.text(key)
        if not re.fullmatch(r"-?\d{1,10}", key):
            below.fault(key, "fault.expected", wanted=A_WHOLE_NUMBER)
        else:
            found[int(key)] = name
    return found


# ---- asking


def requests(points: Iterable[Point], max_gap: int = MAX_GAP) -> list[Request]:
    """Few questions for many points: neighbours together, gaps and sizes bounded."""
    found: list[Request] = []
    for point in sorted(points, key=lambda each: (each.table, each.at, each.count)):
        last = found[-1] if found else None
        if last is not None and last.table == point.table:
            count = max(last.count, point.at + point.count - last.at)
            if point.at - (last.at + last.count) <= max_gap and count <= MAX_COUNT:
                found[-1] = Request(table=last.table, at=last.at, count=count, points=(*last.points, point))
                continue
        found.append(Request(table=point.table, at=point.at, count=point.count, points=(point,)))
    return found


def values(request: Request, answer: Sequence[int]) -> dict[Series, Value]:
    """What the registers or bits of an answer say; what they do not reach says nothing."""
    found: dict[Series, Value] = {}
    for point in request.points:
        words = answer[point.at - request.at : point.at - request.at + point.count]
        if len(words) == point.count:
            found[point.series] = value(point, [int(word) & 0xFFFF for word in words])
    return found


def value(point: Point, words: Sequence[int]) -> Value:
    """The value of a point whose registers hold `words`; None for what means none, or is no number."""
    ordered = list(reversed(words)) if point.low_first and point.type != "text" else list(words)
    octets = struct.pack(f">{len(ordered)}H", *ordered)
    if point.type == "text":
        text = octets.split(b"\0")[0].decode("latin-1").strip()
        return "".join(sign for sign in text if sign.isprintable()) or None
    raw: float
    if point.type == "f32":
        (raw,) = struct.unpack(">f", octets)
        if not math.isfinite(raw):
            return None
    else:
        raw = int.from_bytes(octets, "big", signed=point.type.startswith("s"))
        if point.bits is not None:
            raw = (int(raw) >> point.bits[0]) & ((1 << (point.bits[1] - point.bits[0] + 1)) - 1)
    if raw in point.none:
        return None
    plain = point.mul == point.div == 1 and not point.add
    number = raw if plain and isinstance(raw, int) else round(raw * point.mul / point.div + point.add, 4)
    if point.at_least is not None and number < point.at_least:
        return None
    if point.at_most is not None and number > point.at_most:
        return None
    if METRICS[point.series.metric].kind in ("state", "counter"):
        number = int(number)
    return number if abs(number) < LARGEST else None
