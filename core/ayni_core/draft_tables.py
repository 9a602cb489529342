"""The commented blocks of a draft: a line for each object of the maker, with type, samples and a guess."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ayni_core.convert import Raw, as_mac, as_text
from ayni_core.guesses import Guess, guess, type_name
from ayni_core.metrics import METRICS
from ayni_core.vendor_tables import Arcs, FoundTable, dotted

_SAMPLES = 3
_MOST_SCALARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a family that Ayni knows makes of an object."""

    family: str
    group: str
    metric: str


def scalar_lines(scalars: Mapping[Arcs, Raw], root: Arcs, known: Mapping[Arcs, Known]) -> list[str]:
    """A line for each scalar; one # where there is a guess, two where a name is needed."""
    lines = []
    for arcs, raw in list(scalars.items())[:_MOST_SCALARS]:
        found = known.get(arcs)
        guessed = Guess(metric=found.metric) if found else guess([raw])
        entry = [f"oid: {dotted(arcs, root)}", f"group: {found.group if found else _group(guessed.metric)}"]
        lines.append(_line("  - ", entry, guessed, [raw], found))
    if len(scalars) > _MOST_SCALARS:
        lines.append(f"## and {len(scalars) - _MOST_SCALARS} more")
    return lines


def table_lines(
    table: FoundTable, root: Arcs, known: Mapping[Arcs, Known], interfaces: Collection[int]
) -> list[str]:
    """A block for one table; with one # in front where at least one column has a guess."""
    columns = []
    groups = []
    for number, rows in sorted(table.columns.items()):
        raws = list(rows.values())
        found = known.get((*table.entry, number))
        guessed = Guess(metric=found.metric) if found else guess(raws)
        if guessed.metric:
            groups.append(found.group if found else _group(guessed.metric))
        columns.append(_line("      - ", [f"column: {number}"], guessed, raws, found))
    mark = "#" if any(not line.startswith("##") for line in columns) else "##"
    item, about_index, is_station = _item(table.indexes, interfaces)
    group = "station" if is_station and "radio" in groups else max(groups, key=groups.count, default="radio")
    families = {each.family for n in table.columns if (each := known.get((*table.entry, n)))}
    rows_text = "1 row" if len(table.indexes) == 1 else f"{len(table.indexes)} rows"
    head = f"## Table {dotted(table.entry, root)}: {rows_text}, {about_index}"
    if families:
        head += f". The profile {', '.join(sorted(families))} reads it"
    return [
        head,
        f"{mark}  - entry: {dotted(table.entry, root)}",
        f"{mark}    group: {group}",
        f"{mark}    item: {item}",
        *([f"{mark}    volatile: true  # rows come and go"] if is_station else []),
        f"{mark}    readings:",
        *columns,
    ]


def _line(indent: str, entry: list[str], guessed: Guess, raws: Sequence[Raw], found: Known | None) -> str:
    entry = [*entry, f"metric: {guessed.metric or 'NAME'}"]
    if found is None:
        entry += [f"{key}: {value}" for key, value in (("unit", guessed.unit), ("as", guessed.as_)) if value]
        entry += [f"none: {guessed.none}"] if guessed.none is not None and guessed.metric else []
    samples = list(dict.fromkeys(_sample(raw) for raw in raws))
    shown = ", ".join(samples[:_SAMPLES]) + (", …" if len(samples) > _SAMPLES else "")
    why = f"as in {found.family}, see there for unit and conditions" if found else guessed.hint
    note = f"{type_name(raws[0][0])}: {shown}" + (f"; {why}" if why else "")
    mark = "#" if guessed.metric in METRICS else "##"
    return f"{mark}{indent}{{{', '.join(entry)}}}  # {note}"


def _sample(raw: Raw) -> str:
    text = as_text(*raw)
    if isinstance(raw[1], bytes) and raw[0] == 0x04 and (not text.isprintable() or "\ufffd" in text):
        return as_mac(*raw) or raw[1][:16].hex()
    return text[:30] or '""'


def _item(indexes: Sequence[Arcs], interfaces: Collection[int]) -> tuple[str, str, bool]:
    """(item, what to say of the index, whether the rows look like stations)."""
    longest = max(indexes, key=len)
    sample = ".".join(map(str, longest))
    for first in (0, 1):
        if all(len(index) >= first + 6 and _is_mac(index[first : first + 6]) for index in indexes):
            return (
                f"{{index: {first + 1}-{first + 6}, as: mac}}",
                f"the index holds a hardware address ({sample})",
                True,
            )
    if all(index[0] in interfaces for index in indexes):
        return '{interface: "1"}', f"the index is that of an interface ({sample})", False
    if len(longest) == 1:
        return '{index: "1"}', f"index {sample}", False
    return "{index: all}", f"index {sample}", False


def _is_mac(arcs: Arcs) -> bool:
    return max(arcs) < 256 and sum(arc > 0 for arc in arcs) >= 3 and max(arcs[:3]) > 2 and not arcs[0] & 1


def _group(metric: str) -> str:
    if metric in ("voltage_v", "current_a", "power_w"):
        return "power"
    if metric in ("temperature_c", "fan_rpm"):
        return "sensor"
    return "radio"
