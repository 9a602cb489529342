"""What a profile says about a family of devices: how to know it, and which OID is which reading.

These are values only. `profile_format` reads them from a file, `identify` uses the rules, `extract` the rest.
OIDs are BER bodies throughout (see `ber`): a scalar's with its instance, a column's without index.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Tier = Literal["fast", "slow"]
"""Asked for at every poll, or at every few polls."""
As = Literal["number", "text", "mac", "ip", "unsigned32", "mw_to_dbm", "channel_to_mhz", "hex_number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What an answer must be; every part that is given must hold. An absent one passes only negations."""

    exists: bool | None = None
    equals: tuple[int | float | str, ...] = ()
    differs: tuple[int | float | str, ...] = ()
    matches: re.Pattern[str] | None = None
    lacks: re.Pattern[str] | None = None
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A test of one answer: of a scalar, of another column in the same row, of any row of a column
    (`any_row`), of a text about the system (`system`), or of part of the row's index (`index`)."""

    test: Check
    oid: bytes | None = None
    column: bytes | None = None
    any_row: bytes | None = None
    system: str | None = None
    index: IndexPart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPart:
    """Arcs `first` to `last` of an index, counted from 1; `last` None means to the end."""

    first: int = 1
    last: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSource:
    """Where the item of a row comes from: a text, part of the index, a column of the row, or a column of
    another table (`lookup`) at the index that `index` or `column` gives; where there is `through`, at the
    number that this column has at that index. Where `match` does not match, the row is no such item. `prefix`
    goes in front, with a blank."""

    text: str | None = None
    index: IndexPart | None = None
    column: bytes | None = None
    lookup: bytes | None = None
    through: bytes | None = None
    as_: Literal["text", "mac", "ip", "number"] = "number"
    match: re.Pattern[str] | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A factor that another column of the row holds: its number, `values` of it, or 10 to minus it."""

    column: bytes
    values: Mapping[str, float] = field(default_factory=dict)
    decimals: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """From the raw answer to the value: value = raw x mul / div + add, except what means "none"."""

    as_: As = "number"
    mul: float = 1
    div: float = 1
    add: float = 0
    none: tuple[int | float | str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    extract: re.Pattern[str] | None = None
    values: Mapping[str, int] = field(default_factory=dict)
    """Texts of a state and their numbers, in lower case."""
    counter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One scalar, or one column of a table, and what it means.

    `source` is the scalar's instance or the column. Of readings that name the same series, the first that the
    device answers is used; `pass_zero` lets a 0 pass to a later one that is not 0. `one_of` is a label: of
    the files that carry it, only the first that the device answers is used.
    """

    source: bytes
    group: str
    metric: str
    items: tuple[ItemSource, ...] = ()
    suffix: tuple[ItemSource, ...] = ()
    conversion: Conversion = field(default_factory=Conversion)
    factors: tuple[Factor, ...] = ()
    states: Mapping[int, str] = field(default_factory=dict)
    when: tuple[Condition, ...] = ()
    one_of: str = ""
    pass_zero: bool = False
    slow: bool = False
    tier: Tier = "fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Readings of the columns of one table. The rows of a `volatile` one come and go: stations of a radio."""

    readings: tuple[Reading, ...]
    volatile: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSource:
    """A text about the device: of a scalar, of several joined by blanks (`join`), of the first row of a
    column (`any_row`), or fixed (`text`)."""

    oid: bytes | None = None
    join: tuple[bytes, ...] = ()
    any_row: bytes | None = None
    text: str = ""
    match: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A reading computed from others of the same poll, of the same group and item.

    "sum": `plus` less `minus`, where the first of `plus` is required and absent others count as nothing;
    "share": 100 x plus[0] / plus[1]; "mean" and "total": of plus[0] over all items, for the item "".
    """

    group: str
    metric: str
    kind: Literal["sum", "share", "mean", "total"]
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A scalar that does something when it is set: its instance, the type and the value of that."""

    oid: bytes
    tag: int
    value: int | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A column with a row a port, and what turns one on and off. A row is named by its interface, or
    (`by_index`) by its index; `prefix` is what readings put in front of that."""

    column: bytes
    tag: int
    on: int | bytes
    off: int | bytes
    by_index: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """How to change a device; what is None, nobody knows."""

    reboot: Setting | None = None
    port: Switch | None = None
    poe: Switch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Where a table says something of a neighbour: `source` as of an item, in rows that `when` allows."""

    source: ItemSource
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """A table of whom a device hears by the protocol `via`, and at which of its own ports.

    `tells` says by metric where it stands; of several the first that gives something. Of the table `most`
    rows are read. A port with more than `crowd` of them tells of a whole network behind it, and is passed
    over.
    """

    via: str
    columns: tuple[bytes, ...]
    port: tuple[ItemSource, ...]
    tells: Mapping[str, tuple[Told, ...]]
    when: tuple[Condition, ...] = ()
    most: int = 64
    crowd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one file contributes to a profile."""

    name: str
    scalars: tuple[Reading, ...] = ()
    tables: tuple[Table, ...] = ()
    system: Mapping[str, tuple[SystemSource, ...]] = field(default_factory=dict)
    derived: tuple[Derived, ...] = ()
    neighbours: tuple[Neighbours, ...] = ()
    actions: Actions = field(default_factory=Actions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One family: its own part first, then the included ones in order, already adjusted."""

    name: str
    about: str
    parts: tuple[Part, ...]

    @property
    def actions(self) -> Actions:
        """How to change a device of the family: for each action the first part that says it."""
        told = [part.actions for part in self.parts]
        return Actions(
            reboot=next((each.reboot for each in told if each.reboot), None),
            port=next((each.port for each in told if each.port), None),
            poe=next((each.poe for each in told if each.poe), None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One way to know a family. Lower `rank` is asked first.

    `object_ids` are (body, itself): the sysObjectID lies below body, or is body where `itself`.
    """

    family: str
    rank: int = 5
    object_ids: tuple[tuple[bytes, bool], ...] = ()
    not_object_ids: tuple[tuple[bytes, bool], ...] = ()
    descriptions: tuple[re.Pattern[str], ...] = ()
    not_descriptions: tuple[re.Pattern[str], ...] = ()
    get: tuple[Condition, ...] = ()
