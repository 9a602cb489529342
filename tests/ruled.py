"""One device under the shipped rules: what each of its polls brings, as tables of tests want it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ayni_core.readings import Series, Value
from ayni_core.rules import Rule, Track
from ayni_core.rules.bench import Bench, Device, Mouth
from ayni_core.rules.law import Law, Section
from ayni_core.rules.place import NOWHERE, Place
from ayni_core.wire.frame import ANSWERED
from ayni_io.rulebook import load_rules

SHIPPED = {rule.name: rule for rule in load_rules()}
UPTIME = Series("system", "", "uptime_s")
START = 1_760_000_000.0
Poll = Mapping[Series, Value]
MOUTH = Mouth("radio", "wlan1", "torre-cerro", "a")


class Ruled:
    """A device named `dev`; `level` says what a rule has for it. Every poll has an uptime, unless told
    not."""

    def __init__(
        self,
        *,
        place: Place = NOWHERE,
        normals: Mapping[str, float] | None = None,
        section: Section | None = None,
        rules: Sequence[Rule] | None = None,
        mouth: Mouth = MOUTH,
        start: float = START,
        tracks: dict[str, Track] | None = None,
    ) -> None:
        known = normals or {}
        self.tracks: dict[str, Track] = {} if tracks is None else tracks
        self.bench: Bench[str] = Bench(
            self.tracks,
            lambda rule, _device, series, end: f"{rule.name}|{'' if end else series.item}",
            lambda baseline, _device, _series, _end: known.get(baseline),
        )
        law = Law(tuple(rules or SHIPPED.values())).under(section or {})
        self.device = Device(name="dev", place=place, rules=law, ends={mouth: law}, has_link=True)
        self.at = start
        self._first = start
        self.fired: list[tuple[str, str | None]] = []

    def poll(self, values: Poll, *, after_s: float = 60.0, uptime: float | None = -1.0) -> None:
        """One more poll; `uptime` None: it did not answer."""
        self.at += after_s
        found: dict[Series, Value] = {**values}
        turns = self.bench.answered(self.device, ANSWERED, [(self.at, 0.0 if uptime is None else 1.0)])
        if uptime is not None:
            found[UPTIME] = 5000.0 + self.at - self._first if uptime < 0 else uptime
            names = tuple(found)
            turns += self.bench.judge(
                self.device,
                names,
                [(self.at, tuple(found.values()))],
                kind_of=lambda item: _number(found.get(Series("interface", item, "if_type"))),
            )
        self.fired += [(turn.rule.name, turn.after.level) for turn in turns if _turned(turn)]

    def level(self, rule: str, item: str = "") -> str | None:
        """What holds now."""
        track = self.tracks.get(f"{rule}|{item}")
        return track.level if track else None


def levels(
    rule: str,
    polls: Iterable[Poll | None],
    *,
    item: str = "",
    every_s: float = 60.0,
    place: Place = NOWHERE,
    normals: Mapping[str, float] | None = None,
    start: float = START,
) -> list[str | None]:
    """The level of one rule after each poll; None did not answer. A rule that is shipped off is on."""
    ruled = Ruled(place=place, normals=normals, rules=[replace(SHIPPED[rule], on=True)], start=start)
    found = []
    for values in polls:
        ruled.poll(values or {}, after_s=every_s, uptime=-1.0 if values is not None else None)
        found.append(ruled.level(rule, item))
    return found


def short(found: Sequence[str | None]) -> str:
    """Levels as letters: `.` well, `w` warn, `c` critical; runs are counted: `.3w2` is three times well …"""
    letters = [each[0] if each else "." for each in found]
    runs: list[list[object]] = []
    for letter in letters:
        if runs and runs[-1][0] == letter:
            runs[-1][1] = int(str(runs[-1][1])) + 1
        else:
            runs.append([letter, 1])
    return " ".join(f"{letter}{count}" for letter, count in runs)


def _turned(turn: object) -> bool:
    return turn.before.level != turn.after.level  # type: ignore[attr-defined]


def _number(value: Value) -> float | None:
    return value if isinstance(value, int | float) else None
