"""Rules: when a number is an alarm, with persistence and hysteresis. Shared by the hub and the agent.

A `Rule` is data. A `Track` is what a rule remembers of one subject (one device, one end of a link …).
`step` takes the next number and gives the next track: no clock, no state elsewhere, so the same history
always tells the same story, at the site and at the hub.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ayni_core.schema import Fields
from ayni_core.texts import TEXTS

SCOPES = ("device", "interface", "cable", "end", "link", "node", "upstream")
TESTS = ("equals", "below", "above", "below_normal", "below_best", "lost")
LEVELS = ("warn", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`warn` and `critical` are thresholds of `test`; a new level must hold for `polls` numbers and `for_s`
    seconds, and its end for `clear_polls` numbers beyond the threshold by `margin`."""

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
    clear_polls: int = 1

    def level(self, value: float, normal: float | None, best: float | None, eased: float = 0.0) -> str | None:
        """The level that one number alone would have; `eased` moves the thresholds to the safe side."""
        if self.test == "lost" and best is None:
            return None
        if self.test == "below_best":
            return "warn" if best is not None and value < best else None
        if self.test == "below_normal":
            if normal is None:
                return None
            value = normal - value
        for level, limit in (("critical", self.critical), ("warn", self.warn)):
            if limit is None:
                continue
            if self.test in ("equals", "lost"):
                hit = value == limit
            elif self.test == "below":
                hit = value < limit + eased
            else:
                hit = value > limit - eased
            if hit:
                return level
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """`level` is what holds since `since`; `pending` is what the last `count` numbers say instead."""

    level: str | None = None
    since: float = 0.0
    pending: str | None = None
    count: int = 0
    pending_since: float = 0.0
    best: float | None = None
    value: float | None = None


EMPTY = Track()


def step(rule: Rule, track: Track, value: float, now: float, normal: float | None = None) -> Track:
    """The track after one more number, measured at `now` (seconds, never going back for one subject)."""
    best = track.best
    if rule.test == "below_best" and value > 0 and (best is None or value > best):
        best = value
    if rule.test == "lost" and rule.level(value, normal, value) is None:
        best = value  # it was well once: only what was there can be lost
    wanted = rule.level(value, normal, best)
    if _rank(wanted) < _rank(track.level):
        # going down a level must be clear: the eased thresholds decide
        wanted = rule.level(value, normal, best, rule.margin)
        if _rank(wanted) > _rank(track.level):
            wanted = track.level
    if wanted == track.level:
        return replace(track, pending=wanted, count=0, best=best, value=value)
    if wanted == track.pending and track.count:
        count, since = track.count + 1, track.pending_since
    else:
        count, since = 1, now
    worse = _rank(wanted) > _rank(track.level)
    ripe = count >= (rule.polls if worse else rule.clear_polls) and (not worse or now - since >= rule.for_s)
    if ripe:
        return Track(level=wanted, since=since, pending=wanted, best=best, value=value)
    return replace(track, pending=wanted, count=count, pending_since=since, best=best, value=value)


def _rank(level: str | None) -> int:
    return 0 if level is None else 1 + LEVELS.index(level)


def parse(fields: Fields) -> tuple[Rule, ...]:
    """Read a rules file."""
    return tuple(fields.named("rules", _rule, required=True).values())


def _rule(name: str, fields: Fields) -> Rule:
    test = fields.choice("test", TESTS)
    rule = Rule(
        name=name,
        scope=fields.choice("scope", SCOPES),
        metric=fields.text("metric"),
        test=test,
        text=fields.choice("text", [key for key in TEXTS if key.startswith("rule.")]),
        warn=fields.number("warn", None),
        critical=fields.number("critical", None),
        margin=fields.number("margin", 0.0, at_least=0),
        polls=fields.number("polls", 1, at_least=1, at_most=1000, whole=True),
        for_s=fields.number("for_s", 0.0, at_least=0, at_most=864000),
        clear_polls=fields.number("clear_polls", 1, at_least=1, at_most=1000, whole=True),
    )
    if test != "below_best" and rule.warn is None and rule.critical is None:
        fields.fault("warn", "is missing: a rule needs warn, critical or both")
    fields.done()
    return rule


def by_metric(rules: Iterable[Rule], scopes: Iterable[str]) -> Mapping[str, tuple[Rule, ...]]:
    """The rules of some scopes, found by the metric they look at."""
    wanted = set(scopes)
    result: dict[str, tuple[Rule, ...]] = {}
    for rule in rules:
        if rule.scope in wanted:
            result[rule.metric] = (*result.get(rule.metric, ()), rule)
    return result
