"""The section `neighbours` of a profile file: tables of whom a device hears, and what they say of each."""

from __future__ import annotations

from ayni_core.message import Phrase
from ayni_core.metrics import METRICS
from ayni_core.profile import ItemSource, Neighbours, Told
from ayni_core.profile_values import conditions_at, items_at, oid_at
from ayni_core.schema import Fields, did_you_mean, one_of

PROTOCOLS = ("lldp", "cdp", "mndp", "fdb", "arp", "batman", "babel", "olsr")
"""How a neighbour was heard. Every protocol but `fdb` and `arp` is one that the neighbour speaks itself."""
METRICS_TOLD = tuple(name for name in METRICS if name.startswith("neighbour_"))
_MOST_ROWS = 512


def read_neighbours(fields: Fields, root: bytes) -> Neighbours:
    """One entry of the section; faults are noted at their keys."""
    via = fields.choice("via", PROTOCOLS)
    entry = oid_at(fields, "entry", root)
    port = items_at(fields, root, entry, "port")
    if not port:
        fields.fault("port", "fault.missing", wanted=Phrase("word.own_port"))
    told = {
        key: tuple(_told(each, path, fields, root, entry) for each, path in _choices(fields, key))
        for key in _told_keys(fields)
    }
    when = conditions_at(fields, "when", root, entry)
    columns = [
        *(told.source.column for sources in told.values() for told in sources),
        *(source.column for source in port),
        *(test.column for told in told.values() for each in told for test in each.when),
        *(test.column for test in when),
    ]
    neighbours = Neighbours(
        via=via,
        columns=tuple(dict.fromkeys(column for column in columns if column)),
        port=port,
        tells=told,
        when=when,
        most=fields.number("most", 64, at_least=1, at_most=_MOST_ROWS, whole=True),
        crowd=fields.number("crowd", None, at_least=1, whole=True),
    )
    if not neighbours.columns:
        fields.fault("tells", "fault.no_rows")
    fields.done()
    return neighbours


def _told_keys(fields: Fields) -> tuple[str, ...]:
    below = fields.child("tells", required=True)
    known = []
    for key in tuple(below.keys()):
        if key in METRICS_TOLD:
            known.append(key)
        else:
            below.fault(key, "fault.not_told", hint=did_you_mean(key, METRICS_TOLD))
    return tuple(known)


def _choices(fields: Fields, key: str) -> list[tuple[object, str]]:
    given = fields.raw("tells")[key]
    path = f"{fields.at('tells')}.{key}"
    if isinstance(given, list):
        return [(each, f"{path}[{i}]") for i, each in enumerate(given)]
    return [(given, path)]


def _told(given: object, path: str, fields: Fields, root: bytes, entry: bytes) -> Told:
    """A source as an item has, with a condition of its own."""
    each = Fields(given, path, fields.faults)
    when = conditions_at(each, "when", root, entry)
    rest = {key: each.raw(key) for key in each.keys() if key != "when"}  # noqa: SIM118  no mapping
    holder = Fields({"source": rest}, path, fields.faults)
    found = items_at(holder, root, entry, "source")
    if len(found) != 1:
        fields.faults.add(path, "fault.expected", wanted=one_of("index", "column", "lookup"))
    return Told(source=found[0] if found else ItemSource(text=""), when=when)
