"""Maps from what devices say over HTTP to readings: data, as profiles are for SNMP.

Theory of operation. A page is OpenMetrics (lines with labels) or JSON; either becomes rows. A row answers for
a `Field`: a value inside it, a key on the way to it, a label, a fixed text. A `Table` says which rows are
meant and which of their fields are readings of which item. So the same rules hold for both kinds of page.

    reader      the file as a map: strict, with every fault at once
    openmetrics a page of metrics as samples
    document    a page of JSON, and the rows in it
    apply       rows and a map to readings
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ayni_core.units import Step

As = Literal["text", "mac", "number", "ip"]
Path = tuple[str, ...]
"""Keys from the outside in; "*" is every entry of a list or mapping, a number the place in a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value of a row. `at`: inside its JSON; `key`: what the n-th `*` on the way to it was; `label`: of a
    sample. With none of them it is the row itself, or a sample's value. `match`: the first group counts."""

    at: Path | None = None
    key: int = 0
    label: str = ""
    text: str = ""
    as_: As = "text"
    match: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """What must hold of a field of a row: one of `equals`, a value of one of the map's sets, equal to another
    field, matched by a pattern; `negate` turns it round."""

    field: Field
    equals: frozenset[str] | None = None
    among: str = ""
    same: Field | None = None
    matches: re.Pattern[str] | None = None
    negate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Which rows: of the request `source`, at any of `paths`; or samples called `name`. All tests hold."""

    source: str = ""
    paths: tuple[Path, ...] = ((),)
    name: str = ""
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One field of a row as a reading. `steps`: (mul, div, add) in the metric's unit. A metric that begins
    with an underscore is not told; others are computed from it. `each`: the field is a list; its entries are
    items "ITEM each 0", "ITEM each 1" …"""

    metric: str
    field: Field
    steps: tuple[Step, ...] = ()
    none: frozenset[float] = frozenset()
    states: Mapping[str, int] | None = None
    each: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows to readings. The item is made of its parts, with "/" between them; a row that lacks one is passed
    over. `known`: only items that tables before it have made."""

    rows: Rows
    group: str
    item: tuple[Field, ...]
    readings: tuple[Reading, ...]
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """`plus` less `minus`, the first of `plus` required; or with `of`: 100 x plus[0] / of."""

    group: str
    metric: str
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Share of time in use since the poll before: of counters called `name`, all but those whose `label` is
    one of `idle`."""

    metric: str
    name: str
    label: str
    idle: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question. `ubus`: object and method of a JSON-RPC of ubus, with `arguments`; `path`: a page below
    the address. `inside`: the field of the answer that holds JSON as text. `optional`: it may fail."""

    ubus: tuple[str, str] | None = None
    arguments: Mapping[str, object] | None = None
    path: str | None = None
    inside: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """A whole file. `sets`: values by name that tests compare with; `include`: maps that continue it."""

    name: str
    about: str
    requests: Mapping[str, Request]
    sets: Mapping[str, tuple[Rows, Field]]
    tables: tuple[Table, ...]
    derived: tuple[Derived, ...]
    shares: tuple[Share, ...]
    include: tuple[str, ...] = ()
