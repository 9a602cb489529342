"""The bench: rules over the polls of many devices, the same at the site and at the hub.

Theory of operation. What a poll's cells are seldom changes. So once per set of names it is worked out which
rules look at which cells: a `Seat` each, with the range of values that change nothing while all is well. Of a
healthy device a poll costs a comparison a seat, and one for all ports together where nothing moved. Whatever
is outside that range goes through `step`.

Who owns a bench says what a seat's track is called, which ends of links a device has, and what is normal
there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

from ayni_core.readings import UPTIME, Series, Value
from ayni_core.rules.place import NOWHERE, Place
from ayni_core.rules.readers import ETHERNET, MAKERS, STILL, UP, Around, Memory, Reader, is_port
from ayni_core.rules.rule import Rule
from ayni_core.rules.track import EMPTY, Track, night, quiet, step

K = TypeVar("K", bound=Hashable)
_OF_DEVICES, _OF_ENDS = ("device", "interface", "cable"), ("end",)


class Mouth(NamedTuple):
    """Where an end of a link is heard: group and item of its readings; `link` and `side` where that is
    known."""

    group: str
    item: str
    link: str = ""
    side: str = ""


class Turn(NamedTuple, Generic[K]):
    """A track that changed. `series` is what it is about, `end` the end of a link if it is about one."""

    key: K
    rule: Rule
    device: str
    series: Series
    end: Mouth | None
    before: Track
    after: Track
    at: float
    normal: float | None


class _Seat:
    """One rule that looks at one cell, or at what a reader makes of several."""

    __slots__ = ("end", "high", "low", "normal", "position", "read", "rule", "series", "track", "up")

    def __init__(
        self, rule: Rule, series: Series, end: Mouth | None, position: int, read: Reader | None
    ) -> None:
        self.rule = rule
        self.series = series
        self.end = end
        self.position = position
        self.read = read
        self.normal: float | None = None
        self.up: int | None = None
        self.track = EMPTY
        self.low, self.high = math.inf, -math.inf

    def settle(self, track: Track) -> None:
        """Take a track, and which values would say nothing new."""
        self.track = track
        self.low, self.high = quiet(self.rule, track, self.normal)


@dataclass(slots=True)
class _Sheet(Generic[K]):
    """What matters in the polls of one device while they have these names."""

    names: Sequence[Series]
    rules: tuple[Rule, ...]
    ends: tuple[Mouth, ...]
    plain: list[_Seat]
    read: list[_Seat]
    still: list[_Seat]
    uptime: int | None
    cells_of_still: Callable[[Sequence[Value]], object] | None = None
    before: object = None
    calm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a bench has to know of a device: its place, the rules for it, and the ends of links that it has
    with the rules for each; `has_link`: it is an end of some link, wherever that is heard."""

    name: str
    place: Place = NOWHERE
    rules: tuple[Rule, ...] = ()
    ends: Mapping[Mouth, tuple[Rule, ...]] = field(default_factory=dict)
    has_link: bool = False


class Bench(Generic[K]):
    """Runs the rules of the scopes device, interface, cable and end. `tracks` is read and written."""

    def __init__(
        self,
        tracks: dict[K, Track],
        key: Callable[[Rule, str, Series, Mouth | None], K],
        normal: Callable[[str, str, Series, Mouth | None], float | None],
    ) -> None:
        self.tracks = tracks
        self._key = key
        self._normal = normal
        self._sheets: dict[str, _Sheet[K]] = {}
        self._memories: dict[str, Memory] = {}
        self._answering: dict[str, tuple[_Seat, ...]] = {}
        self._watches: dict[tuple[int, tuple[str, ...]], tuple[tuple[Rule, ...], _Watch]] = {}
        self._sky: dict[tuple[float | None, float | None], tuple[float, bool | None]] = {}

    def forget(self, device: str) -> None:
        """What is normal at a device changed, or what the inventory says of it: look at it anew."""
        self._sheets.pop(device, None)
        self._answering.pop(device, None)

    def judge(
        self,
        device: Device,
        names: Sequence[Series],
        polls: Iterable[tuple[float, Sequence[Value]]],
        *,
        kind_of: Callable[[str], float | None],
        wall_s: float | None = 0.0,
    ) -> list[Turn[K]]:
        """What changes by polls (time, cells in the order of `names`), in their order. `wall_s` makes seconds
        since 1970 of their times; None: nobody knows, and nothing is said of daylight.
        `kind_of` tells the kind of an interface (IANAifType) by its name."""
        sheet = self._sheets.get(device.name)
        ends = tuple(device.ends)
        if (
            sheet is None
            or (sheet.names is not names and sheet.names != names)
            or sheet.rules is not device.rules
            or sheet.ends != ends
        ):
            sheet = self._sheets[device.name] = self._sheet(device, names, kind_of)
        memory = self._memories[device.name]
        turns: list[Turn[K]] = []
        for at, cells in polls:
            for seat in sheet.plain:
                value = cells[seat.position]
                if value is None or value.__class__ is str or seat.low <= value <= seat.high:  # type: ignore[operator]
                    continue
                if seat.up is not None and cells[seat.up] not in (UP, None):
                    continue
                self._step(device, seat, value, at, wall_s, turns)  # type: ignore[arg-type]
            if sheet.uptime is None or cells[sheet.uptime] is not None:
                memory.begin(None if sheet.uptime is None else cells[sheet.uptime], at)
                moved = sheet.read
                if sheet.cells_of_still is not None:
                    now = sheet.cells_of_still(cells)
                    if sheet.calm and now == sheet.before:
                        memory.still_at = at
                    else:
                        sheet.before, sheet.calm = now, False
                        moved = sheet.read + sheet.still
                for seat in moved:
                    number = seat.read(cells, at)  # type: ignore[misc]
                    if number is None or seat.low <= number <= seat.high:
                        continue
                    self._step(device, seat, number, at, wall_s, turns)
                if moved is not sheet.read:
                    sheet.calm = all(seat.low <= 0.0 <= seat.high for seat in sheet.still)
        return turns

    def answered(self, device: Device, series: Series, polls: Iterable[tuple[float, float]]) -> list[Turn[K]]:
        """The same for the one reading that also a device without an answer has."""
        turns: list[Turn[K]] = []
        seats = self._answering.get(device.name)
        if seats is None or (seats and seats[0].rule not in device.rules):
            rules = [rule for rule in device.rules if rule.scope == "device" and rule.metric == series.metric]
            seats = tuple(self._seat(device, rule, series, None, 0, None) for rule in rules)
            self._answering[device.name] = seats
        for at, value in polls:
            for seat in seats:
                if not seat.low <= value <= seat.high:
                    self._step(device, seat, value, at, None, turns)
        return turns

    # ---- one number

    def _step(
        self,
        device: Device,
        seat: _Seat,
        value: float,
        at: float,
        wall_s: float | None,
        turns: list[Turn[K]],
    ) -> None:
        rule, before = seat.rule, seat.track
        if rule.ignore and value in rule.ignore:
            return
        after = step(rule, before, value, at, seat.normal)
        if rule.daylight and not self._is_day(device.place, at, wall_s):
            after = night(before)
        if after is before or after == before:
            return
        key = self._key(rule, device.name, seat.series, seat.end)
        self.tracks[key] = after
        seat.settle(after)
        turns.append(Turn(key, rule, device.name, seat.series, seat.end, before, after, at, seat.normal))

    def _is_day(self, place: Place, at: float, wall_s: float | None) -> bool:
        """Whether the sun stands high, as of the last minutes."""
        if wall_s is None:
            return False
        where, now = (place.latitude, place.longitude), at + wall_s
        known = self._sky.get(where)
        if known is None or not 0 <= now - known[0] < 300:
            if len(self._sky) > 10_000:
                self._sky.clear()
            known = self._sky[where] = (now, place.is_day(now))
        return bool(known[1])

    # ---- who looks at what

    def _sheet(
        self, device: Device, names: Sequence[Series], kind_of: Callable[[str], float | None]
    ) -> _Sheet[K]:
        memory = self._memories.setdefault(device.name, Memory())
        memory.wanted = set()
        around = Around({series: position for position, series in enumerate(names)}, memory, device.place)
        sheet: _Sheet[K] = _Sheet(
            names=names, rules=device.rules, ends=tuple(device.ends), plain=[], read=[], still=[],
            uptime=around.at.get(UPTIME),
        )  # fmt: skip
        watch = self._watch_of(device.rules, _OF_DEVICES)
        taken: set[K] = set()
        by_mouth = {(mouth.group, mouth.item): (mouth, rules) for mouth, rules in device.ends.items()}
        conditions = device.place.conditions
        for series in names:
            for rule, maker in watch.get(series.metric, ()):
                if _fits(rule, series, conditions) and self._is_ours(rule, device, series, kind_of):
                    self._add(sheet, device, around, rule, maker, series, None, taken)
            found = by_mouth.get((series.group, series.item))
            if found is not None:
                for rule, maker in self._watch_of(found[1], _OF_ENDS).get(series.metric, ()):
                    if _fits(rule, series, conditions):
                        self._add(sheet, device, around, rule, maker, series, found[0], taken)
        memory.tidy()
        if sheet.still:
            sheet.cells_of_still = itemgetter(*(seat.position for seat in sheet.still))
        return sheet

    def _watch_of(self, rules: tuple[Rule, ...], scopes: tuple[str, ...]) -> _Watch:
        """Made once for each tuple of rules: of a thousand devices most have the same one."""
        known = self._watches.get((id(rules), scopes))
        if known is None or known[0] is not rules:
            known = self._watches[id(rules), scopes] = (rules, _watched(rules, scopes))
        return known[1]

    def _is_ours(
        self, rule: Rule, device: Device, series: Series, kind_of: Callable[[str], float | None]
    ) -> bool:
        if rule.scope == "interface":
            return is_port(series, kind_of(series.item))
        if rule.scope == "cable":
            return device.has_link and series.group == "interface" and kind_of(series.item) == ETHERNET
        return True

    def _add(
        self,
        sheet: _Sheet[K],
        device: Device,
        around: Around,
        rule: Rule,
        sign: str | None,
        series: Series,
        end: Mouth | None,
        taken: set[K],
    ) -> None:
        """Seats for one rule at one series; the first of several that would have the same name wins."""
        made: Iterable[tuple[Series, Reader | None]] = ((series, None),)
        if sign is not None:
            made = MAKERS[sign][series.metric](series, around)
        for about, read in made:
            if rule.fallback and any(
                self._normal(baseline, device.name, series, end) is not None
                for baseline in ("budget", "reference")
            ):
                continue
            key = self._key(rule, device.name, about, end)
            if key in taken:
                continue
            taken.add(key)
            seat = self._seat(device, rule, about, end, around.at[series], read)
            if rule.while_up:
                seat.up = around.position(series, "if_oper")
            if read is None:
                sheet.plain.append(seat)
            else:
                (sheet.still if sign in STILL else sheet.read).append(seat)

    def _seat(
        self,
        device: Device,
        rule: Rule,
        series: Series,
        end: Mouth | None,
        position: int,
        read: Reader | None,
    ) -> _Seat:
        key = self._key(rule, device.name, series, end)
        seat: _Seat = _Seat(rule, series, end, position, read)
        if rule.relative:
            seat.normal = self._normal(rule.baseline, device.name, series, end)
        seat.settle(self.tracks.get(key, EMPTY))
        return seat


_Watch = Mapping[str, tuple[tuple[Rule, str | None], ...]]
"""By metric: the rules that look at it, each with the sign that is made of it or None."""


def _watched(rules: Iterable[Rule], scopes: tuple[str, ...]) -> _Watch:
    found: dict[str, tuple[tuple[Rule, str | None], ...]] = {}
    for rule in rules:
        if rule.scope not in scopes or rule.metric == "answered":
            continue
        sign = rule.metric if rule.metric in MAKERS else None
        for metric in MAKERS[sign] if sign is not None else (rule.metric,):
            found[metric] = (*found.get(metric, ()), (rule, sign))
    return found


def _fits(rule: Rule, series: Series, conditions: frozenset[str]) -> bool:
    if rule.group is not None and series.group != rule.group:
        return False
    if rule.items and not any(fnmatchcase(series.item, pattern) for pattern in rule.items):
        return False
    return conditions.issuperset(rule.only) and conditions.isdisjoint(rule.unless)
