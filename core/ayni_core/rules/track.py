"""What a rule remembers of one subject, and how the next number changes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ayni_core.rules.rule import LEVELS, Rule

_NEVER = (math.inf, -math.inf)
_LONG_S = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """`level` is what holds since `since`; `pending` is what the last `count` numbers say instead, since
    `pending_since`; of these the last `more` since `more_since` say critical, while nothing holds yet.

    `marks` are the last times that a number was beyond a threshold, each with its rank, where a rule counts.
    `best` is the best value ever seen, the good one, or the usual one.
    """

    level: str | None = None
    since: float = 0.0
    pending: str | None = None
    count: int = 0
    pending_since: float = 0.0
    best: float | None = None
    value: float | None = None
    more: int = 0
    more_since: float = 0.0
    marks: tuple[tuple[float, int], ...] = ()

    def to_row(self) -> list[Any]:
        """As a list for JSON; what is empty at its end is left out."""
        row: list[Any] = [
            self.level, self.since, self.pending, self.count, self.pending_since, self.best, self.value,
        ]  # fmt: skip
        if self.more or self.marks:
            row += [self.more, self.more_since, [list(mark) for mark in self.marks]]
        return row


EMPTY = Track()


def of_row(row: Sequence[Any]) -> Track:
    """The track behind such a list, also of one that was written before rules could count."""
    level, since, pending, count, pending_since, best, value, *rest = row
    more, more_since, marks = rest or (0, 0.0, ())
    return Track(
        level=level, since=since, pending=pending, count=count, pending_since=pending_since, best=best,
        value=value, more=more, more_since=more_since, marks=tuple((at, rank) for at, rank in marks),
    )  # fmt: skip


def step(rule: Rule, track: Track, value: float, now: float, normal: float | None = None) -> Track:
    """The track after one more number, measured at `now` (seconds, never going back for one subject)."""
    best = rule.learned(value, track.best, now - track.since if track.level else 0.0)
    raw = rule.rank(value, normal, best)
    marks = _marked(rule, track.marks, raw, now) if rule.marks else ()
    held, rank = rank_of(track.level), _believed(rule, marks, raw, now)
    if rank < held:
        # going down a level must be clear: the eased thresholds decide
        eased = _believed(rule, marks, rule.rank(value, normal, best, rule.margin), now)
        rank = min(held, max(rank, eased))
    if rank == held:
        if not (held or track.count) and best == track.best and marks == track.marks:
            return track
        return Track(
            level=track.level, since=track.since, pending=track.level, best=best, value=value, marks=marks
        )
    if rank < held:
        return _better(rule, track, rank, now, best, value, marks)
    return _worse(rule, track, rank, now, best, value, marks)


def night(track: Track) -> Track:
    """The track after a time in which nothing could be judged: what was about to change begins anew."""
    return replace(track, pending=track.level, count=0, more=0, more_since=0.0) if track.count else track


def quiet(rule: Rule, track: Track, normal: float | None) -> tuple[float, float]:
    """The least and the largest value that would change nothing worth remembering in a track."""
    if track.count:
        return _NEVER
    if track.level is not None:
        return rule.steady(rank_of(track.level), normal)
    return rule.quiet(normal, track.best)


def worth_keeping(rule: Rule, before: Track, after: Track) -> bool:
    """Whether a change should survive a restart: levels, what was learned, and what takes long to be known
    again. The rest is known again after a few polls."""
    if after.level != before.level or after.best != before.best:
        return True
    window, graver = rule.window(1), rule.window(2)
    if after.marks != before.marks and max(window.within_s, graver.within_s) >= _LONG_S:
        return True
    begins_or_ends = (after.count > 0) != (before.count > 0) or after.pending != before.pending
    return begins_or_ends and max(window.for_s, graver.for_s, rule.clear_for_s) >= _LONG_S


def rank_of(level: str | None) -> int:
    """0 is well, 1 warn, 2 critical."""
    return 0 if level is None else 1 + LEVELS.index(level)


def _marked(
    rule: Rule, marks: tuple[tuple[float, int], ...], rank: int, now: float
) -> tuple[tuple[float, int], ...]:
    longest = max(rule.within_s, rule.graver.within_s if rule.graver else 0.0)
    kept = [mark for mark in marks if now - mark[0] <= longest]
    if rank:
        kept.append((round(now, 1), rank))
    return tuple(kept[-rule.marks :])


def _believed(rule: Rule, marks: tuple[tuple[float, int], ...], raw: int, now: float) -> int:
    """The rank of the number, or of how often numbers were beyond a threshold lately."""
    if not rule.marks:
        return raw
    for rank in (2, 1):
        if _often(rule, marks, rank, now) if rule.window(rank).times else raw >= rank:
            return rank
    return 0


def _often(rule: Rule, marks: tuple[tuple[float, int], ...], rank: int, now: float) -> bool:
    """Whether numbers were beyond the threshold of a level as often as its window wants."""
    window = rule.window(rank)
    return sum(1 for at, marked in marks if marked >= rank and now - at <= window.within_s) >= window.times


def _better(
    rule: Rule,
    track: Track,
    rank: int,
    now: float,
    best: float | None,
    value: float,
    marks: tuple[tuple[float, int], ...],
) -> Track:
    goes_on = track.count and rank_of(track.pending) < rank_of(track.level)
    count, since = (track.count + 1, track.pending_since) if goes_on else (1, now)
    worst = max(rank, rank_of(track.pending)) if goes_on else rank
    level = LEVELS[worst - 1] if worst else None
    if count >= rule.clear_polls and now - since >= rule.clear_for_s:
        return Track(level=level, since=since, pending=level, best=best, value=value, marks=marks)
    return replace(
        track, pending=level, count=count, pending_since=since, best=best, value=value, marks=marks,
        more=0, more_since=0.0,
    )  # fmt: skip


def _worse(
    rule: Rule,
    track: Track,
    rank: int,
    now: float,
    best: float | None,
    value: float,
    marks: tuple[tuple[float, int], ...],
) -> Track:
    goes_on = track.count and rank_of(track.pending) > rank_of(track.level)
    count, since = (track.count + 1, track.pending_since) if goes_on else (1, now)
    if track.level is not None or rule.mildest == 2:  # only critical is left, or there is nothing else
        more, more_since = count, since
    elif rank == 2:
        more, more_since = (track.more + 1, track.more_since) if goes_on and track.more else (1, now)
    else:
        more, more_since = 0, 0.0
    if rank == 2 and _ripe(rule, 2, more, more_since, now, marks):
        return Track(level="critical", since=since, pending="critical", best=best, value=value, marks=marks)
    if track.level is None and rule.mildest == 1 and _ripe(rule, 1, count, since, now, marks):
        return Track(
            level="warn", since=since, pending="critical" if more else "warn", count=more,
            pending_since=more_since, best=best, value=value, marks=marks,
        )  # fmt: skip
    only = track.level is not None or rule.mildest == 2
    return replace(
        track, pending="critical" if only else "warn", count=count, pending_since=since, best=best,
        value=value, more=0 if only else more, more_since=0.0 if only else more_since, marks=marks,
    )  # fmt: skip


def _ripe(
    rule: Rule, rank: int, count: int, since: float, now: float, marks: tuple[tuple[float, int], ...]
) -> bool:
    window = rule.window(rank)
    if window.times:
        return _often(rule, marks, rank, now)
    return count >= window.polls and now - since >= window.for_s
