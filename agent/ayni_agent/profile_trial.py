"""What a profile makes of a device, raw answer and OID beside each reading: for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ayni_agent.poll_report import label, shown
from ayni_agent.poller import Families, Poller
from ayni_core.ber import oid_text
from ayni_core.convert import Raw, as_text
from ayni_core.coverage import Unanswered, unanswered, unused
from ayni_core.plan import Origin
from ayni_core.profile import Profile, Rule
from ayni_core.readings import Poll, Series, Value
from ayni_io.i18n import _, _n

_WIDTHS = (32, 14, 12)
_OID_WIDTH = 80 - sum(_WIDTHS) - 2 * len(_WIDTHS)
_SAMPLES = 5


class OneFile:
    """All families, and one of a file in its own name's place."""

    def __init__(self, families: Families, profile: Profile, rules: tuple[Rule, ...]) -> None:
        self._families = families
        self._profile = profile
        self._rules = [*(each for each in families.rules() if each.family != profile.name), *rules]

    def rules(self) -> list[Rule]:
        """How to know each family, that of the file among them."""
        return self._rules

    def load(self, name: str) -> Profile:
        """One family."""
        return self._profile if name == self._profile.name else self._families.load(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One try: the poll, who would read the device if it were asked, and what lies beside."""

    profile: Profile
    known_as: str
    poll: Poll
    origins: Mapping[Series, Origin]
    raws: Mapping[bytes, Raw]
    missing: tuple[Unanswered, ...]
    unused: tuple[bytes, ...] = ()
    unused_raws: Mapping[bytes, Raw] = field(default_factory=dict)


def trial(
    profile: Profile, known_as: str, poller: Poller, poll: Poll, objects: Mapping[bytes, Raw], branch: bytes
) -> Trial:
    """Put together what came of a poll and of a walk below `branch`."""
    raws = {oid: (tag, value) for oid, tag, value in poller.last if value is not None}
    origins = {series: origin for series in poll.values if (origin := poller.origin(series))}
    own = profile.parts[0]
    return Trial(
        profile=profile,
        known_as=known_as,
        poll=poll,
        origins=origins,
        raws=raws,
        missing=tuple(unanswered(own, raws.keys() | objects.keys())),
        unused=tuple(unused(profile, objects, branch)) if branch else (),
        unused_raws=objects,
    )


def is_own(found: Trial, series: Series) -> bool:
    """Whether a reading comes out of the file itself, not out of a part that it includes."""
    origin = found.origins.get(series)
    if origin is None:
        return series.metric in found.profile.parts[0].system
    own = found.profile.parts[0]
    sources = (
        *(each.source for each in own.scalars),
        *(each.source for table in own.tables for each in table.readings),
    )
    return origin.oid.startswith(sources)


def as_object(found: Trial) -> dict[str, Any]:
    """The JSON object."""
    return {
        "profile": found.profile.name,
        "known_as": found.known_as,
        "readings": [
            {
                "group": series.group,
                "item": series.item,
                "metric": series.metric,
                "value": value,
                "raw": _raw(found, series),
                "oid": oid_text(found.origins[series].oid) if series in found.origins else "",
                "own": is_own(found, series),
            }
            for series, value in found.poll.values.items()
        ],
        "unanswered": [
            {"oid": oid_text(each.oid), "group": each.group, "metric": each.metric, "table": each.table}
            for each in found.missing
        ],
        "unused": {
            "count": len(found.unused),
            "samples": [
                {"oid": oid_text(oid), "raw": _plain(found.unused_raws[oid])}
                for oid in found.unused[:_SAMPLES]
            ],
        },
    }


def as_lines(found: Trial, *, everything: bool) -> list[str]:
    """A table of 80 columns, and what lies beside."""
    name = found.profile.name
    if found.known_as == name:
        lines = [_("The device is known by the rules of {name}.", name=name)]
    else:
        lines = [
            _(
                "The rules know this device as {other}, not as {name}: mend identify.",
                other=found.known_as,
                name=name,
            )
        ]
    rows = [(series, value) for series, value in found.poll.values.items() if is_own(found, series)]
    rest = len(found.poll.values) - len(rows)
    if everything:
        rows = list(found.poll.values.items())
    lines += ["", _row(_("reading"), _("value"), _("raw"), "OID")]
    group = ""
    for series, value in sorted(rows, key=lambda row: (row[0].group, row[0].item)):
        if series.group != group:
            group = series.group
            lines.append(group)
        lines.append(_reading(found, series, value))
    if not rows:
        lines.append(_("  the file reads nothing of its own here"))
    if rest and not everything:
        text = _n(
            "and {n} reading of the included parts (--all)",
            "and {n} readings of the included parts (--all)",
            rest,
        )
        lines.append(text)
    if found.missing:
        lines += ["", _("Did not answer:")]
        for each in found.missing:
            kind = _("table") if each.table else _("scalar")
            lines.append(_row(f"  {each.group} {label(each.metric)}", kind, "", oid_text(each.oid)))
    if found.unused:
        lines += [
            "",
            _n(
                "{n} object of the maker is not used, such as:",
                "{n} objects of the maker are not used, such as:",
                len(found.unused),
            ),
        ]
        for oid in found.unused[:_SAMPLES]:
            lines.append(f"  {oid_text(oid)} = {_plain(found.unused_raws[oid])}"[:80])
    return lines


def _reading(found: Trial, series: Series, value: Value) -> str:
    origin = found.origins.get(series)
    state = origin.states.get(value, "") if origin and isinstance(value, int) else ""
    raw = _raw(found, series)
    return _row(
        f"  {series.item} {label(series.metric)}" if series.item else f"  {label(series.metric)}",
        state or shown(series.metric, value),
        "" if raw is None else str(raw),
        oid_text(origin.oid) if origin else "",
    )


def _row(name: str, value: str, raw: str, oid: str) -> str:
    cells = [
        (cell if len(cell) <= width else cell[: width - 1] + "…").ljust(width)
        for cell, width in zip((name, value, raw), _WIDTHS, strict=True)
    ]
    # The end of an OID tells more than its beginning.
    cells.append(oid if len(oid) <= _OID_WIDTH else "…" + oid[1 - _OID_WIDTH :])
    return "  ".join(cells).rstrip()


def _raw(found: Trial, series: Series) -> int | str | None:
    origin = found.origins.get(series)
    raw = found.raws.get(origin.oid) if origin else None
    return _plain(raw) if raw else None


def _plain(raw: Raw) -> int | str | None:
    value = raw[1]
    if value is None or isinstance(value, int):
        return value
    text = as_text(*raw)
    return text if text.isprintable() and "\ufffd" not in text else value.hex()
