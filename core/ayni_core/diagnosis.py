"""The probable cause of a link's trouble, by a few plain signs; the first that fits wins.

A first form: guided diagnosis with its evidence replaces the inside of `cause_of`, not its shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ayni_core.message import Message
from ayni_core.wire.messages import EndView

_STEP_DB = 4.0
_NOISY_DBM = -88.0
_POOR_CCQ_PCT = 80.0
SIDE_LOBE_DB = (16.0, 26.0)
"""Aimed at a side lobe, both ends hear about 20 dB less than the link's budget gives."""
UNEVEN_DB = 5.0
"""The halves of a signal (H and V) that differ by more are uneven (FIELD.md: warn; rule `chains-uneven`)."""
_FAINTEST_DBM = -95.0
"""A half that hears less hears nothing but noise: it is not fitted, as far as anybody can tell."""
_CLEAR_DROP_DB = 6.0
"""One half of the signal alone cannot cost both ends so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What the judge knows around one link. `titles` names the sites at its ends for people.

    `plans_dbm` is what each side (`a`, `b`) should hear by the link's budget, where there is one.
    `dark_site` is the site at one end of which no device answers; `cut_by` the link further up that is down
    too; `monitors_silent` that no monitor reports from either end.
    """

    state: str
    a: EndView
    b: EndView
    titles: Mapping[str, str]
    plans_dbm: Mapping[str, float] = field(default_factory=dict)
    dark_site: str | None = None
    cut_by: str | None = None
    silent_device: str | None = None
    slow_port_device: str | None = None
    monitors_silent: bool = False


def cause_of(signs: Signs) -> tuple[Message, Message] | None:
    """(a word or two, one plain sentence), or None when nothing is wrong."""
    if signs.state in ("ok", "unknown"):
        return None
    if signs.state == "no_news":
        return _pair("monitor_silent")
    if signs.state == "down":
        if signs.cut_by is not None:
            return _pair("behind", link=signs.cut_by)
        if signs.dark_site is not None:
            return _pair("no_power", site=signs.dark_site)
        if signs.silent_device is not None:
            return _pair("device", device=signs.silent_device)
        return _pair("unknown")
    return _weak(signs)


def cause_of_other(
    kind: str, rule: str, title: str, dark_site: str | None, suspect: str | None = None
) -> tuple[Message, Message]:
    """The same for an alert about a device, a monitor or a way out, called `title`. `suspect` is what its
    rule suspects first; where the whole site is dark, that explains more than all but a cable at hand."""
    if suspect == "cable" or rule in ("port-slow", "cable-out"):
        return _pair("cable", device=title)
    if kind == "device" and dark_site is not None:
        return _pair("no_power", site=dark_site)
    if suspect is not None:
        return _pair(suspect, device=title)
    match kind:
        case "node":
            return _pair("monitor_silent")
        case "upstream":
            return _pair("provider")
    return _pair("device", device=title)


def _weak(signs: Signs) -> tuple[Message, Message]:
    if _beside(signs):
        return _pair("side_lobe")
    low = [_drop(end) >= _STEP_DB for end in (signs.a, signs.b)]
    uneven = max((signs.a, signs.b), key=_apart_db)
    if _apart_db(uneven) > UNEVEN_DB and min(_drop(signs.a), _drop(signs.b)) < _CLEAR_DROP_DB:
        return _pair("connector", site=_title(signs, uneven))
    noisy = [end for end in (signs.a, signs.b) if end.noise_dbm is not None and end.noise_dbm > _NOISY_DBM]
    if noisy and not all(low):
        return _pair("interference", site=_title(signs, noisy[0]))
    if all(low) or (any(low) and (signs.a.signal_dbm is None or signs.b.signal_dbm is None)):
        return _pair("antenna_moved")
    poor = [end for end in (signs.a, signs.b) if end.ccq_pct is not None and end.ccq_pct < _POOR_CCQ_PCT]
    if poor and not any(low):
        return _pair("interference", site=_title(signs, poor[0]))
    if signs.slow_port_device is not None:
        return _pair("cable", device=signs.slow_port_device)
    return _pair("unknown")


def _beside(signs: Signs) -> bool:
    """Whether both ends hear about 20 dB too little."""
    below = []
    for side, end in (("a", signs.a), ("b", signs.b)):
        plan = signs.plans_dbm.get(side, end.normal_dbm)
        if plan is None or end.signal_dbm is None:
            return False
        below.append(plan - end.signal_dbm)
    least, most = SIDE_LOBE_DB
    return all(least <= each <= most for each in below)


def apart_db(chains_dbm: Iterable[float]) -> float | None:
    """How far the halves of a signal are apart; None where fewer than two are fitted."""
    heard = [each for each in chains_dbm if _FAINTEST_DBM < each < 0]
    return max(heard) - min(heard) if len(heard) > 1 else None


def _apart_db(end: EndView) -> float:
    return apart_db(end.chains_dbm) or 0.0


def _title(signs: Signs, end: EndView) -> str:
    return signs.titles.get(end.site, end.site)


def _drop(end: EndView) -> float:
    if end.signal_dbm is None or end.normal_dbm is None:
        return 0.0
    return end.normal_dbm - end.signal_dbm


def _pair(name: str, **values: str) -> tuple[Message, Message]:
    return Message(f"cause.{name}", values), Message(f"headline.{name}", values)
