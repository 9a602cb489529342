"""The draft of a profile from a walk: what is known stands in it, what is not stands behind a #.

The draft is a valid profile as it is. A line behind one # becomes valid when the # is taken away; one behind
two still needs the name of a metric. Whoever knows the device goes through it from top to bottom.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ayni_core.ber import decode_oid, oid_text
from ayni_core.convert import Raw, as_text
from ayni_core.draft_tables import Known, scalar_lines, table_lines
from ayni_core.identify import SYS_DESCR, SYS_OBJECT_ID, Answers, decide
from ayni_core.profile import Part, Profile, Rule
from ayni_core.snmp import OID
from ayni_core.vendor_tables import Arcs, dotted, find_tables

_ENTERPRISES = (1, 3, 6, 1, 4, 1)
_SHARED_ENTERPRISES = (2021, 8072)
"""UCD and net-snmp: agents of many makers, so their numbers say nothing about a device."""
_STANDARD = ("if-mib", "host-resources", "ucd", "lm-sensors", "entity-sensor", "power-ethernet", "ups-mib")
_NO_INCLUDE = ("system", "standard")
_VERSION = re.compile(r"\d+\.\d+")
_ROWS = 8
_OWN_RANK = 4

_HELP = """\
# A draft; Ayni made it from what the device says. How to go on:
#   1. Take the # away in front of lines that are right. Mend what is not.
#   2. Lines with ## need the name of a metric instead of NAME: ayni profile metrics
#   3. Check it, and try it: ayni profile check FILE, ayni profile try FILE HOST
# What you do not understand may stay as it is: a comment costs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What Ayni knows already: shared parts, families, and how it knows devices."""

    parts: Sequence[Part]
    families: Sequence[Profile]
    rules: Sequence[Rule]


def draft(objects: Mapping[bytes, Raw], knowledge: Knowledge, name: str) -> str:
    """The text of a profile called `name` for a device with these objects."""
    arcs = {decode_oid(oid): raw for oid, raw in objects.items()}
    bodies = sorted(objects)
    included = _parts_that_answer(bodies, knowledge.parts)
    taken = [decode_oid(oid) for part in included for oid in _sources(part)]
    left = {oid: raw for oid, raw in arcs.items() if not any(oid[: len(each)] == each for each in taken)}
    description = as_text(*objects.get(SYS_DESCR, (4, b"")))
    branches = _branches(left)
    root = _root(left, branches, objects)
    lines = [f"about: {quoted(f'{description[:60] or name} (draft)')}"]
    lines += _identify(objects, knowledge.rules, name, description)
    lines += ["", *_HELP.splitlines(), ""]
    names = [part.name for part in included]
    lines.append(f"include: [{', '.join(names)}]" if names else "include: [if-mib]")
    if root:
        lines.append(f"root: {'.'.join(map(str, root))}")
    interfaces = {each[-1] for each in arcs if each[:10] == (1, 3, 6, 1, 2, 1, 2, 2, 1, 1)}
    known = _known(knowledge.families)
    scalars: dict[Arcs, Raw] = {}
    tables: list[str] = []
    for branch in branches:
        more, found = find_tables(left, branch)
        scalars |= more
        for table in found:
            tables += table_lines(table, root, known, interfaces)
    of_system, told = _system(description, scalars, root, included)
    lines += of_system
    scalars = {oid: raw for oid, raw in scalars.items() if oid not in told}
    if not branches:
        lines += ["", "# The device shows nothing of its maker's own: the standard parts are all there is."]
    for key, block in (("scalars", scalar_lines(scalars, root, known)), ("tables", tables)):
        if block:
            live = any(line.startswith("# ") and "metric:" in line for line in block)
            lines += ["", f"{'#' if live else '##'}{key}:", *block]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A text as YAML takes it whatever it says."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    return "'" + shown.replace("'", "''") + "'"


# ---- what is known


def _sources(part: Part) -> Iterable[bytes]:
    for sources in part.system.values():
        for source in sources:
            yield from (oid for oid in (source.oid, source.any_row, *source.join) if oid)
    yield from (reading.source for reading in part.scalars)
    yield from (reading.source for table in part.tables for reading in table.readings)


def _parts_that_answer(bodies: Sequence[bytes], parts: Sequence[Part]) -> list[Part]:
    """The makers' parts first, then the standard ones in their usual order."""
    found = [
        part
        for part in parts
        if part.name not in _NO_INCLUDE
        and any(_there(bodies, oid) for oid in _sources(part) if oid not in (SYS_DESCR, SYS_OBJECT_ID))
    ]
    return sorted(found, key=lambda part: _STANDARD.index(part.name) if part.name in _STANDARD else -1)


def _there(bodies: Sequence[bytes], oid: bytes) -> bool:
    at = bisect_left(bodies, oid)
    return at < len(bodies) and bodies[at].startswith(oid)


def _known(families: Sequence[Profile]) -> dict[Arcs, Known]:
    """Readings of makers' objects that families have of their own."""
    known: dict[Arcs, Known] = {}
    for family in families:
        part = family.parts[0]
        for reading in (*part.scalars, *(each for table in part.tables for each in table.readings)):
            arcs = decode_oid(reading.source)
            if arcs[:6] == _ENTERPRISES:
                known.setdefault(arcs, Known(family=family.name, group=reading.group, metric=reading.metric))
    return known


# ---- what it is


def _identify(objects: Mapping[bytes, Raw], rules: Sequence[Rule], name: str, description: str) -> list[str]:
    tag, value = objects.get(SYS_OBJECT_ID, (OID, None))
    object_id = value if tag == OID and isinstance(value, bytes) and len(decode_oid(value)) > 6 else b""
    words = re.match(r"[^\d\W][^\W\d]*(?:[ -][^\d\W][^\W\d]*){0,2}", description)
    pattern = "^" + re.escape(words[0]).replace("\\ ", " ") if words else ""
    shared = object_id and decode_oid(object_id)[6:7][0] in _SHARED_ENTERPRISES
    answers = _answers(objects, rules)
    others = [rule for rule in rules if rule.family != name]
    today = decide(others, answers)
    lines = ["identify:"]
    if not isinstance(today, str) or today == "generic":
        today = ""
    else:
        lines.insert(0, f"# Until now Ayni reads it by the profile {today}; look there for what is known.")
    for needs_text, rank in ((bool(shared) or not object_id, 5), (True, 5), (True, _OWN_RANK), (True, 0)):
        texts = (re.compile(pattern),) if needs_text and pattern else ()
        ids = ((object_id, True),) if object_id else ()
        mine = Rule(family=name, rank=rank, object_ids=ids, descriptions=texts)
        if decide([*others, mine], answers) == name:
            break
    if object_id:
        lines.append(f"  - object_id: {oid_text(object_id)}")
    if texts or not object_id:
        text = pattern or "^" + re.escape(description[:20])
        lines.append(f"  {' ' if object_id else '-'} description: {quoted(text)}")
    if rank != 5:
        lines.append(f"    rank: {rank}  # before {today or 'others'}")
    if not object_id and not description:
        return ["# The device says neither sysObjectID nor sysDescr: name the profile in the configuration."]
    return lines


def _answers(objects: Mapping[bytes, Raw], rules: Sequence[Rule]) -> Answers:
    """Everything that rules may ask, answered from the walk."""
    absent: Raw = (0x80, None)
    bodies = sorted(objects)
    answers = Answers()
    for oid in (SYS_DESCR, SYS_OBJECT_ID, *(c.oid for rule in rules for c in rule.get if c.oid)):
        answers.scalars[oid] = objects.get(oid, absent)
    for column in {c.any_row for rule in rules for c in rule.get if c.any_row}:
        at = bisect_left(bodies, column)
        rows = [each for each in bodies[at : at + _ROWS] if each.startswith(column)]
        answers.columns[column] = tuple(objects[each] for each in rows)
    return answers


def _system(
    description: str, scalars: Mapping[Arcs, Raw], root: Arcs, included: Sequence[Part]
) -> tuple[list[str], set[Arcs]]:
    """The block `system`, and the scalars that stand in it, if only as a comment."""
    given = {key for part in included for key in part.system}
    lines: list[str] = []
    if "version" not in given and _VERSION.search(description):
        lines.append(r"  version: {description: '(\d+\.\d+[\w.-]*)'}")
        given.add("version")
    candidates: dict[str, list[str]] = {"version": [], "model": [], "serial": []}
    told: set[Arcs] = set()
    for arcs, raw in scalars.items():
        text = as_text(*raw)
        if not isinstance(raw[1], bytes) or not text or raw[0] != 0x04:
            continue
        if re.fullmatch(r"(?i)v?\d+\.\d+[\w.-]*", text):
            candidates["version"].append(f"{dotted(arcs, root)}  # {_plain(text)}")
        elif re.fullmatch(r"serial-\d+|(?=.*\d)[A-Z0-9-]{8,}", text):
            candidates["serial"].append(f"{dotted(arcs, root)}  # {_plain(text)}")
        elif text in description and len(text) > 2:
            candidates["model"].append(f"{dotted(arcs, root)}  # {_plain(text)}")
        else:
            continue
        told.add(arcs)
    for key, found in candidates.items():
        for place, each in enumerate(found[:3]):
            lines.append(f"{'##' if place or key in given else ''}  {key}: {each}")
    if "model" not in given and not candidates["model"] and description:
        lines.append(
            r"  model: {description: '^(\S+(?: \S+)?)'}  # the first words of: " + _plain(description)
        )
    if not any(line.startswith(" ") for line in lines):
        return [f"#{line.lstrip('#')}" for line in (["system:", *lines] if lines else [])], told
    return ["system:", *lines], told


# ---- where it stands


def _branches(objects: Iterable[Arcs]) -> list[Arcs]:
    found = sorted({oid[:7] for oid in objects if oid[:6] == _ENTERPRISES and len(oid) > 7})
    own = [branch for branch in found if branch[6] not in _SHARED_ENTERPRISES]
    return own or found


def _root(left: Iterable[Arcs], branches: Sequence[Arcs], objects: Mapping[bytes, Raw]) -> Arcs:
    """What most of the maker's objects begin with."""
    tag, value = objects.get(SYS_OBJECT_ID, (OID, None))
    own = decode_oid(value)[:7] if tag == OID and isinstance(value, bytes) else ()
    if own not in branches:
        own = branches[0] if branches else ()
    inside = [oid for oid in left if own and oid[:7] == own]
    root = own
    while inside and len({oid[: len(root) + 1] for oid in inside}) == 1 and len(root) < 10:
        if min(map(len, inside)) <= len(root) + 3:
            break
        root = inside[0][: len(root) + 1]
    return root


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:50]
