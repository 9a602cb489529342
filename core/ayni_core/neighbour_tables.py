"""Whom a device hears, out of the tables that its profile names: readings of the group `neighbour`.

They are read apart from everything else, because they cost many bytes and change seldom. The item is
VIA/PORT/NUMBER, where NUMBER counts those that are heard at one port: a name that does not grow with every
address that was ever heard. `neighbours`, their sum, is in every such reading, so that whoever keeps the
newest values knows which of the older ones do not hold any more.
"""

from __future__ import annotations

from collections.abc import Iterable

from ayni_core.convert import first_number
from ayni_core.metrics import METRICS
from ayni_core.plan import Origin
from ayni_core.profile import Neighbours, Profile
from ayni_core.readings import MAX_TEXT, NEIGHBOURS, Series, Value
from ayni_core.survey import Survey, others_of

_MOST = 64
"""Of one protocol at one device: beyond that nobody learns anything."""
_LONGEST_PORT = 96
Found = dict[Series, tuple[Value, Origin | None]]
"""Readings, and where each came from; the count is of no one place."""


def tables_of(profile: Profile) -> list[Neighbours]:
    """The tables, in order."""
    return [each for part in profile.parts for each in part.neighbours]


def others(tables: Iterable[Neighbours]) -> list[bytes]:
    """Columns of other tables that are needed to understand these."""
    sources = [source for each in tables for source in each.port]
    sources += [told.source for each in tables for one in each.tells.values() for told in one]
    return list(dict.fromkeys(column for source in sources for column in others_of(source) if column))


def told(tables: Iterable[Neighbours], survey: Survey) -> Found:
    """What all tables say. Of those that were heard in the same way only the first that says something."""
    found: Found = {}
    heard: set[str] = set()
    count = 0
    for table in tables:
        if table.via in heard:
            continue
        rows = _rows(table, survey)
        if rows:
            heard.add(table.via)
            count += len(rows)
            found |= {series: each for row in rows for series, each in row.items()}
    found[NEIGHBOURS] = (count, None)
    return found


def _rows(table: Neighbours, survey: Survey) -> list[Found]:
    ports: dict[str, list[tuple[bytes, dict[str, Value]]]] = {}
    indices = dict.fromkeys(index for column in table.columns for index in survey.columns.get(column, ()))
    for index in indices:
        if not survey.allows(table.when, index):
            continue
        port = next((text for source in table.port if (text := survey.text(source, index))), "")
        facts = _facts(table, survey, index)
        known = ports.setdefault(port[:_LONGEST_PORT], [])
        if any(name != "neighbour_port" for name in facts) and facts not in [each for _, each in known]:
            known.append((index, facts))
    rows: list[Found] = []
    for port, known in ports.items():
        if table.crowd is not None and len(known) > table.crowd:
            continue
        for number, (index, facts) in enumerate(known, 1):
            origin = Origin(oid=table.columns[0] + index, states={})
            item = f"{table.via}/{port}/{number}"
            rows.append(
                {Series("neighbour", item, metric): (value, origin) for metric, value in facts.items()}
            )
    return rows[:_MOST]


def _facts(table: Neighbours, survey: Survey, index: bytes) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    for metric, choices in table.tells.items():
        for choice in choices:
            text = survey.text(choice.source, index) if survey.allows(choice.when, index) else ""
            value: Value = text[:MAX_TEXT] if METRICS[metric].kind == "text" else first_number(text)
            if value not in ("", None):
                facts[metric] = value
                break
    return facts
