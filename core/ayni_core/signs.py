"""The signs that speak for a probable cause, or against it: what an operator may check before believing it.

Each cause has its short list, the most telling sign first. A sign is seen (True), not seen (False), or nobody
can tell (None): some only a person at the place can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from ayni_core.diagnosis import SIDE_LOBE_DB, UNEVEN_DB, Signs, apart_db
from ayni_core.wire.messages import EndView

DROP_DB = 4.0
"""A signal so far below normal has dropped (FIELD.md: warn)."""
_LOUD_DBM = -88.0
_NOISE_DB, _REPEATS_PCT, _POOR_CCQ_PCT, _RATE_SHARE = 4.0, 5.0, 80.0, 0.7
_NEAR = 3
FEW_STEPS = 12
"""Of fewer steps nobody can say how a signal fell."""
_AT_ONCE = 0.6
"""A drop is a step when so much of it came between one hour or two and the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the signs are read from: what is `known` around the link; `normals` by (side, metric);
    `past` is the signal of each side in even steps, oldest first, as far back as the trouble may reach;
    `apart` how far its two halves were apart, in dB."""

    known: Signs
    normals: Mapping[tuple[str, str], float] = field(default_factory=dict)
    past: Mapping[str, Sequence[float]] = field(default_factory=dict)
    apart: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def ends(self) -> tuple[tuple[str, EndView], ...]:
        """Both, with their sides."""
        return ("a", self.known.a), ("b", self.known.b)

    def drop(self, side: str, end: EndView) -> float | None:
        """How far the signal is below normal."""
        usual = end.normal_dbm
        if usual is None:
            usual = self.normals.get((side, "signal_dbm"))
        return None if end.signal_dbm is None or usual is None else usual - end.signal_dbm


def of_cause(cause: str, around: Around) -> tuple[tuple[str, bool | None], ...]:
    """(name, whether it is seen) of every sign of a cause; nothing for one that has none."""
    return tuple((name, _SEEN[name](around)) for name in OF_CAUSE.get(cause, ()))


def _step(around: Around) -> bool | None:
    falls = [found for side in ("a", "b") if (found := fell(around.past.get(side, ())))]
    return None if not falls else "step" in falls


def _slow(around: Around) -> bool | None:
    seen = _step(around)
    return None if seen is None else not seen


def fell(past: Sequence[float]) -> str | None:
    """Whether a signal fell in a `step` or `slow`ly; None where it did not fall or too little is known."""
    if len(past) < FEW_STEPS:
        return None
    before = median(past[: max(_NEAR, len(past) // 4)])
    depth = before - median(past[-_NEAR:])
    if depth < DROP_DB:
        return None
    at_once = max(
        median(past[i - _NEAR : i]) - median(past[i : i + _NEAR]) for i in range(_NEAR, len(past) - _NEAR + 1)
    )
    return "step" if at_once >= _AT_ONCE * depth else "slow"


def _drops(around: Around) -> list[float] | None:
    """How far each end has dropped; None while one of them is not known."""
    found = [around.drop(side, end) for side, end in around.ends]
    known = [each for each in found if each is not None]
    return known if len(known) == len(found) else None


def _both_ends(around: Around) -> bool | None:
    drops = _drops(around)
    return None if drops is None else min(drops) >= DROP_DB


def _one_end(around: Around) -> bool | None:
    drops = _drops(around)
    return None if drops is None else max(drops) >= DROP_DB > min(drops)


def _signal_steady(around: Around) -> bool | None:
    drops = _drops(around)
    return None if drops is None else max(drops) < DROP_DB


def _side_lobe(around: Around) -> bool | None:
    below = [
        plan - end.signal_dbm
        for side, end in around.ends
        if (plan := around.known.plans_dbm.get(side)) is not None and end.signal_dbm is not None
    ]
    least, most = SIDE_LOBE_DB
    return None if not below else all(least <= each <= most for each in below)


def _apart(around: Around) -> list[float]:
    """How far the halves of each end are apart, of the ends that have two."""
    return [apart for _side, end in around.ends if (apart := apart_db(end.chains_dbm)) is not None]


def _uneven(around: Around) -> bool | None:
    apart = _apart(around)
    return None if not apart else max(apart) > UNEVEN_DB


def _uneven_at_both(around: Around) -> bool | None:
    """What is wrong with one half is heard at both ends: each sends through what the other hears by."""
    apart = _apart(around)
    return None if len(apart) < 2 else min(apart) > UNEVEN_DB


def _dries(around: Around) -> bool | None:
    """Whether the halves came nearer slowly after they were furthest apart, as what was wet does. None: they
    did not yet."""
    ways = [how for side in ("a", "b") if (how := _closed(around.apart.get(side, ())))]
    return None if not ways else "slow" in ways


def _closed(apart: Sequence[float]) -> str | None:
    if len(apart) < FEW_STEPS:
        return None
    smooth = [median(apart[max(at - 1, 0) : at + 2]) for at in range(len(apart))]
    return fell(apart[smooth.index(max(smooth)) :])


def _noise_up(around: Around) -> bool | None:
    found = []
    for side, end in around.ends:
        if end.noise_dbm is not None:
            usual = around.normals.get((side, "noise_dbm"))
            found.append(end.noise_dbm > (_LOUD_DBM if usual is None else usual + _NOISE_DB))
    return None if not found else any(found)


def _noise_flat(around: Around) -> bool | None:
    loud = _noise_up(around)
    return None if loud is None else not loud


def _rates_follow(around: Around) -> bool | None:
    found = []
    for side, end in around.ends:
        usual = around.normals.get((side, "tx_rate_bps"))
        if end.tx_rate_bps is not None and usual:
            found.append(end.tx_rate_bps < _RATE_SHARE * usual)
    return None if not found else any(found)


def _repeats_up(around: Around) -> bool | None:
    found = []
    for side, end in around.ends:
        usual = around.normals.get((side, "retry_pct"))
        if end.retry_pct is not None and usual is not None:
            found.append(end.retry_pct > usual + _REPEATS_PCT)
        elif end.ccq_pct is not None:
            found.append(end.ccq_pct < _POOR_CCQ_PCT)
    return None if not found else any(found)


def _not_heard(around: Around) -> bool | None:
    told = [end for _side, end in around.ends if end.answers]
    return None if not told else any(end.signal_dbm is None for end in told)


def _unknown(_around: Around) -> None:
    """Only somebody at the place can tell."""


_SEEN: Mapping[str, Callable[[Around], bool | None]] = {
    "step": _step,
    "slow": _slow,
    "both_ends": _both_ends,
    "one_end": _one_end,
    "noise_flat": _noise_flat,
    "noise_up": _noise_up,
    "signal_steady": _signal_steady,
    "rates_follow": _rates_follow,
    "repeats_up": _repeats_up,
    "slow_port": lambda around: around.known.slow_port_device is not None,
    "side_lobe": _side_lobe,
    "uneven": _uneven,
    "uneven_at_both": _uneven_at_both,
    "dries": _dries,
    "site_dark": lambda around: around.known.dark_site is not None,
    "not_heard": _not_heard,
    "one_silent": lambda around: around.known.silent_device is not None,
    "others_answer": lambda around: around.known.dark_site is None,
    "monitor_late": lambda around: around.known.state == "no_news" or around.known.monitors_silent,
    "cut_above": lambda around: around.known.cut_by is not None,
    "by_eye": _unknown,
    "on_the_phone": _unknown,
}

OF_CAUSE: Mapping[str, tuple[str, ...]] = {
    "antenna_moved": ("step", "both_ends", "noise_flat", "rates_follow", "by_eye"),
    "side_lobe": ("side_lobe", "both_ends", "noise_flat", "by_eye"),
    "tree": ("slow", "both_ends", "noise_flat", "by_eye"),
    "rain": ("both_ends", "noise_flat", "on_the_phone"),
    "connector": ("uneven", "uneven_at_both", "dries", "noise_flat", "on_the_phone"),
    "radio": ("one_end", "noise_flat", "on_the_phone"),
    "interference": ("noise_up", "signal_steady", "repeats_up"),
    "cable": ("slow_port", "signal_steady", "by_eye"),
    "no_power": ("site_dark", "not_heard", "on_the_phone"),
    "device": ("one_silent", "others_answer", "on_the_phone"),
    "monitor_silent": ("monitor_late",),
    "behind": ("cut_above",),
}
