"""One rule, as data, and the level that one number alone would have by it."""

from __future__ import annotations

import math
from dataclasses import dataclass

SCOPES = ("device", "interface", "cable", "end", "link", "node", "upstream", "central")
"""What a rule is about. `interface` is an Ethernet port; `cable` the same, of a radio that is an end of a
link. `central` is the hub itself, and what it depends on."""
TESTS = (
    "equals",
    "below",
    "at_most",
    "above",
    "at_least",
    "below_normal",
    "times_normal",
    "below_best",
    "lost",
    "unusual",
)
BASELINES = ("budget", "reference", "last_week", "own", "best")
"""What is normal: the link budget (or what was measured when new, as the inventory says), the median of the
first good week, the median of the same day a week ago, the median of the last week, the best ever seen."""
LEVELS = ("warn", "critical")
CONDITIONS = ("mains", "solar", "none", "lead-acid", "lifepo4", "satellite")
"""What a site may be: its power, its battery, and whether its way out goes over a satellite."""

_LEARNING = ("below_best", "unusual")
_USUAL_AFTER_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What has to be seen before a level is believed: numbers beyond its threshold, `polls` in a row that
    span `for_s` seconds, or, where `times` is not 0, so many within `within_s` seconds."""

    polls: int = 1
    for_s: float = 0.0
    times: int = 0
    within_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`warn` and `critical` are thresholds of `test`; a new level must hold as `Window` says, and its end for
    `clear_polls` numbers and `clear_for_s` seconds beyond the threshold by `margin`.

    `polls`, `for_s`, `times` and `within_s` are those of both levels, unless `graver` has others for
    critical. `metric` is a metric or a sign; of the series that have it those whose `group` and `items`
    (patterns of the shell) fit, at sites that are all of `only` and none of `unless`. Values in `ignore` say
    nothing, and those not above `floor` are never a fault. With `while_up` only ports that are up are looked
    at; with `daylight` only while the sun stands high. `fallback` holds only where no normal value is known.
    `suspect` names the cause that is suspected first. A rule that is not `on` holds only where it is switched
    on.
    """

    name: str
    scope: str
    metric: str
    test: str
    text: str
    warn: float | None = None
    critical: float | None = None
    margin: float = 0.0
    polls: int = 1
    for_s: float = 0.0
    times: int = 0
    within_s: float = 0.0
    graver: Window | None = None
    clear_polls: int = 1
    clear_for_s: float = 0.0
    group: str | None = None
    items: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    ignore: tuple[float, ...] = ()
    floor: float | None = None
    while_up: bool = False
    daylight: bool = False
    fallback: bool = False
    baseline: str = "budget"
    suspect: str | None = None
    on: bool = True

    def window(self, rank: int) -> Window:
        """What it takes to believe a level: 1 is warn, 2 critical."""
        if rank == 2 and self.graver is not None:
            return self.graver
        return Window(polls=self.polls, for_s=self.for_s, times=self.times, within_s=self.within_s)

    @property
    def relative(self) -> bool:
        """Whether it needs a normal value."""
        return self.test in ("below_normal", "times_normal")

    @property
    def mildest(self) -> int:
        """The rank of the least level that it knows."""
        return 1 if self.warn is not None or self.test in _LEARNING else 2

    @property
    def marks(self) -> int:
        """How many times it has to remember; 0: none."""
        graver = self.graver.times if self.graver else 0
        return self.times + graver

    def level(self, value: float, normal: float | None, best: float | None, eased: float = 0.0) -> str | None:
        """The level that one number alone would have; `eased` moves the thresholds to the safe side."""
        rank = self.rank(value, normal, best, eased)
        return LEVELS[rank - 1] if rank else None

    def rank(self, value: float, normal: float | None, best: float | None, eased: float = 0.0) -> int:
        """The same as a number: 0 is well, 1 warn, 2 critical."""
        if self.floor is not None and value <= self.floor:
            return 0
        if self.test in ("lost", "below_best", "unusual") and best is None:
            return 0
        if self.test == "unusual":
            return 1 if value != best else 0
        if self.test == "below_best":
            if best is None or value >= best:
                return 0
            return 2 if self.critical is not None and value <= self.critical else 1
        if self.relative:
            if normal is None:
                return 0
            value = normal - value if self.test == "below_normal" else value / normal if normal > 0 else 0.0
        for rank, limit in ((2, self.critical), (1, self.warn)):
            if limit is not None and self._beyond(value, limit, eased):
                return rank
        return 0

    def _beyond(self, value: float, limit: float, eased: float) -> bool:
        match self.test:
            case "equals" | "lost":
                return value == limit
            case "below":
                return value < limit + eased
            case "at_most":
                return value <= limit + eased
            case "at_least":
                return value >= limit - eased
        return value > limit - eased

    def quiet(self, normal: float | None, best: float | None) -> tuple[float, float]:
        """The least and the largest value that say nothing while all is well: a safe part of them."""
        if self.test in ("lost", "below_best", "unusual"):
            return (math.inf, -math.inf) if best is None else (best, best)
        limits = [limit for limit in (self.warn, self.critical) if limit is not None]
        if not limits or (self.relative and normal is None):
            return -math.inf, math.inf
        match self.test:
            case "equals":
                return math.nextafter(max(limits), math.inf), math.inf
            case "below":
                return max(limits), math.inf
            case "at_most":
                return math.nextafter(max(limits), math.inf), math.inf
            case "at_least":
                return -math.inf, math.nextafter(min(limits), -math.inf)
            case "below_normal":
                return (normal or 0.0) - min(limits), math.inf
            case "times_normal":
                return -math.inf, max(min(limits) * (normal or 0.0), self.floor or 0.0)
        return -math.inf, min(limits)

    def steady(self, rank: int, normal: float | None) -> tuple[float, float]:
        """The same while a level holds: values that are beyond its threshold, and not beyond a graver one."""
        inside = self.critical if rank == 2 else self.warn
        graver = self.critical if rank == 1 else None
        if inside is None or self.marks or (self.relative and normal is None):
            return math.inf, -math.inf
        match self.test:
            case "equals":
                return (inside, inside) if graver != inside else (math.inf, -math.inf)
            case "below" | "at_most":
                low = -math.inf if graver is None else math.nextafter(graver, math.inf)
                return low, math.nextafter(inside, -math.inf)
            case "above" | "at_least":
                high = math.inf if graver is None else math.nextafter(graver, -math.inf)
                return math.nextafter(inside, math.inf), high
        return math.inf, -math.inf

    def learned(self, value: float, best: float | None, wrong_for_s: float) -> float | None:
        """The best, the good or the usual value, now that `value` was seen; `wrong_for_s`: how long it has
        been called unusual."""
        match self.test:
            case "below_best":
                return value if value > 0 and (best is None or value > best) else best
            case "lost":  # it was well once: only what was there can be lost
                return value if self.rank(value, None, value) == 0 else best
            case "unusual":  # what has been so for a day is the usual now
                return value if best is None or wrong_for_s > _USUAL_AFTER_S else best
        return best
