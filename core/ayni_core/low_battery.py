"""A node that runs on a battery switches itself off while it still can: the rule, and what it has seen.

Theory of operation. A battery that is emptied ruins itself, and a card that loses its supply in the middle of
a write may be ruined, too. So below a limit, for some minutes and some polls on end, the machine is switched
off in order; whatever gives it power again (a charger that cuts its output and closes it later, a clock that
wakes it) brings it back. It must never become a machine that cannot be reached: nothing is decided without
fresh readings, on values that no battery that still runs this machine can have, or soon after the boot, when
people have a quarter of an hour to log in. Times are seconds since the boot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ayni_core.readings import Poll, Series
from ayni_core.schema import Fields

AFTER_BOOT_S = 900.0
"""No sooner after a boot. The helper that switches off looks at it, too (ayni-poweroff.service)."""
LEAST_POLLS = 3
STALE_S = 900.0
"""After so long without a reading it begins anew: nobody knows what was in between."""
AGAIN_S = 3600.0
"""Asked and still running, it asks again only so much later."""
_MARGIN_V, _MARGIN_PCT = 0.02, 5.0
"""So much above the limit (a share of it; per cent) the battery counts as recovered."""
_UNITS = {"voltage_v": "V", "charge_pct": "%"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """When to switch off: `metric` of `item` of `device` at `below` or lower for `for_s`. `wake_s`: set the
    clock of the machine to switch it on again after so long, where it has one that can."""

    device: str
    metric: str
    below: float
    item: str = "battery"
    for_s: float = 600.0
    wake_s: float | None = None

    @property
    def unit(self) -> str:
        """What `below` is given in."""
        return _UNITS[self.metric]

    @property
    def recovered(self) -> float:
        """From here on the battery is well again."""
        if self.metric == "voltage_v":
            return self.below * (1 + _MARGIN_V)
        return self.below + _MARGIN_PCT


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen so far: `since_s` the battery is low, `polls` times on end, the last time at `value`."""

    since_s: float | None = None
    polls: int = 0
    last_s: float = 0.0
    value: float | None = None
    asked_s: float | None = None


def read(fields: Fields) -> Shutdown | None:
    """The section `shutdown:`, the same in all files; None where there is none."""
    if fields.raw("shutdown") is None:
        return None
    below = fields.child("shutdown", required=True)
    volts = below.number("below_v", None, at_least=2, at_most=500)
    percent = below.number("below_pct", None, at_least=1, at_most=90)
    if (volts is None) == (percent is None):
        below.fault("below_v", "fault.either", one="below_v", other="below_pct")
    wake_h = below.number("wake_after_h", None, at_least=0.5, at_most=72)
    found = Shutdown(
        device=below.name("device"),
        metric="voltage_v" if volts is not None else "charge_pct",
        below=float(volts if volts is not None else percent or 0.0),
        item=below.text("item", "battery"),
        for_s=60.0 * below.number("for_min", 10, at_least=2, at_most=1440),
        wake_s=None if wake_h is None else 3600.0 * wake_h,
    )
    below.done()
    return found


def written(fields: Fields) -> Mapping[str, Any] | None:
    """The section as it stands, if it is sound: for a slice of the inventory."""
    return fields.raw("shutdown") if read(fields) is not None else None


def look(rule: Shutdown, seen: Seen, poll: Poll) -> Seen:
    """What is known after one more poll of any device."""
    if poll.device != rule.device or poll.error:
        return seen
    value = poll.values.get(Series("power", rule.item, rule.metric))
    if not isinstance(value, int | float) or _cannot_be(rule, value):
        return seen
    if seen.since_s is not None and poll.at_s - seen.last_s > STALE_S:
        seen = Seen(asked_s=seen.asked_s)
    if value <= rule.below:
        since_s = poll.at_s if seen.since_s is None else seen.since_s
        polls = seen.polls + 1
    elif value >= rule.recovered or seen.since_s is None:
        since_s, polls = None, 0
    else:
        since_s, polls = seen.since_s, seen.polls
    return Seen(since_s=since_s, polls=polls, last_s=poll.at_s, value=float(value), asked_s=seen.asked_s)


def _cannot_be(rule: Shutdown, value: float) -> bool:
    """A wire that is off reads 0 V, and a battery at half its limit would not run us."""
    return rule.metric == "voltage_v" and value < rule.below / 2


def is_time(rule: Shutdown, seen: Seen, now_s: float) -> bool:
    """Whether to switch off now."""
    if seen.since_s is None or seen.polls < LEAST_POLLS or now_s < AFTER_BOOT_S:
        return False
    if seen.value is None or seen.value > rule.below or now_s - seen.last_s > STALE_S:
        return False
    if seen.asked_s is not None and now_s - seen.asked_s < AGAIN_S:
        return False
    return now_s - seen.since_s >= rule.for_s
