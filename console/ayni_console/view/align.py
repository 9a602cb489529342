"""Turning an antenna: both ends' signal in huge digits, the best so far, how far to go, how old it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from ayni_console.lines import Line, Span, cells, clip, fit, line, wrap
from ayni_console.view import digits
from ayni_console.view.page import BLANK, Look, Row, room_for, text
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import EndView, LinkView
from ayni_io import words
from ayni_io.i18n import _

OLD_S = 20.0
"""A number that is older says nothing of where the antenna stands now."""
SLOWEST_S, QUICKEST_S = 2.0, 0.15
"""Seconds between two strokes of the bell, far from the goal and at it."""
_REACH_DB = 30.0
_WEAKEST_DBM, _STRONGEST_DBM = -95.0, -35.0
_BESIDE = 7
"""Lines of the body that are no digits."""


@dataclass(frozen=True, slots=True)
class Best:
    """The strongest signal since the page was opened, and when it was."""

    signal_dbm: float
    at: float


@dataclass(slots=True)
class Aligning:
    """What the page remembers: which end the bell follows, the best of each, whether it sounds, and why
    numbers do not come quickly."""

    side: str = "a"
    sound: bool = True
    best: dict[str, Best] = field(default_factory=dict)
    problem: str = ""

    def take(self, link: LinkView) -> None:
        """Remember what is better than all before."""
        for side, end in ends_of(link).items():
            best = self.best.get(side)
            if end.signal_dbm is None or end.as_of is None:
                continue
            if best is None or end.signal_dbm > best.signal_dbm:
                self.best[side] = Best(end.signal_dbm, end.as_of)


def ends_of(link: LinkView) -> Mapping[str, EndView]:
    """Both, by their side."""
    return {"a": link.a, "b": link.b}


def is_old(end: EndView, now: float) -> bool:
    """Whether a number says nothing of this moment."""
    return end.as_of is None or now - end.as_of > OLD_S


def bell_s(end: EndView, best: Best | None, now: float) -> float | None:
    """Seconds to the next stroke of the bell: the nearer to the goal, the quicker. None: silence, for nothing
    is known of this moment. The goal is what is normal, or the best so far where nobody knows."""
    if end.signal_dbm is None or is_old(end, now):
        return None
    goal = end.normal_dbm if end.normal_dbm is not None else best.signal_dbm if best else _STRONGEST_DBM
    near = min(max(1 - (goal - end.signal_dbm) / _REACH_DB, 0.0), 1.0)
    return float(SLOWEST_S * (QUICKEST_S / SLOWEST_S) ** near)


def rows(model: Model, link: LinkView, look: Look, aligning: Aligning) -> list[Row]:
    """The body: two halves, one for each end."""
    room = room_for(look)
    half = look.width // 2
    sound = wrap(_sound(link, aligning, look.now), look.width - 2)
    tall = max(room - _BESIDE - len(sound) + 1, 1)
    made = [Row(partial(_titles, model, link, aligning, half))]
    drawn = {
        side: digits.rows(words.number(end.signal_dbm), half - 3, tall) for side, end in ends_of(link).items()
    }
    height = max(map(len, drawn.values()))
    if room - height - _BESIDE >= 2:
        made.append(BLANK)
    made += [Row(partial(_digits_line, link, drawn, at, half, look.now)) for at in range(height)]
    if room - height - _BESIDE >= 1:
        made.append(BLANK)
    for draw in (_gauge, _best_line, _goal, _age):
        made.append(Row(partial(_halves, draw, link, aligning, half, look.now)))
    made += [text(" ", Span(piece, "dim")) for piece in sound]
    if aligning.problem:
        said = _("The monitors do not measure more often: {reason}", reason=aligning.problem)
        made.append(text(" ? ", Span(clip(said, look.width - 4), "weak")))
    return made


def _titles(model: Model, link: LinkView, aligning: Aligning, half: int) -> Line:
    parts: list[str | Span] = []
    for side, end in ends_of(link).items():
        title = _("{letter} {site} hears", letter=side.upper(), site=model.title("site", end.site))
        title = (">" if side == aligning.side else " ") + title
        size = min(cells(title) + 1, half - 1)
        style = "selected" if side == aligning.side else "head"
        parts += [Span(fit(title, size), style), " " * (half - size)]
    return line(*parts)


def _digits_line(link: LinkView, drawn: Mapping[str, list[str]], at: int, half: int, now: float) -> Line:
    parts: list[str | Span] = []
    for side, end in ends_of(link).items():
        shown = drawn[side][at] if at < len(drawn[side]) else ""
        style = "dim" if is_old(end, now) else "ok" if _reached(end) else "plot"
        parts.append(Span(fit("  " + shown, half), style))
    return line(*parts)


def _reached(end: EndView) -> bool:
    """Whether a signal is normal again, within 3 dB (UX: the goal of a repair)."""
    known = end.signal_dbm is not None and end.normal_dbm is not None
    return known and (end.signal_dbm or 0.0) >= (end.normal_dbm or 0.0) - 3


_Draw = Callable[[EndView, Best | None, int, float], Span]
"""Says something of an end in so many cells."""


def _halves(draw: _Draw, link: LinkView, aligning: Aligning, half: int, now: float) -> Line:
    parts: list[str | Span] = []
    for side, end in ends_of(link).items():
        shown, style = draw(end, aligning.best.get(side), half - 3, now)
        parts.append(Span(fit("  " + shown, half), style))
    return line(*parts)


def _gauge(end: EndView, _best: Best | None, room: int, _now: float) -> Span:
    """`██████░░░░░│░░`: how loud, between hardly anything and as loud as it should ever be; `│` is normal."""
    if end.signal_dbm is None:
        return Span("")
    cells_ = min(room, 40)

    def at(dbm: float) -> int:
        share = (dbm - _WEAKEST_DBM) / (_STRONGEST_DBM - _WEAKEST_DBM)
        return round(min(max(share, 0.0), 1.0) * (cells_ - 1))

    full = at(end.signal_dbm) + 1
    bar = list("█" * full + "░" * (cells_ - full))
    if end.normal_dbm is not None:
        bar[at(end.normal_dbm)] = "│"
    return Span("".join(bar), "plot")


def _best_line(end: EndView, best: Best | None, room: int, _now: float) -> Span:
    if best is None:
        return Span(_("best so far --"), "dim")
    shown = _("best so far {signal}", signal=words.number(best.signal_dbm))
    if end.signal_dbm is not None and end.signal_dbm >= best.signal_dbm:
        longer = f"{shown}  ● " + _("now")
        return Span(longer if cells(longer) <= room else f"{shown} ●", "ok")
    return Span(f"{shown}  {words.clock(best.at)}", "head")


def _goal(end: EndView, _best: Best | None, _room: int, _now: float) -> Span:
    if end.normal_dbm is None:
        return Span(_("normal is not known"), "dim")
    shown = _("normal {signal}", signal=words.number(end.normal_dbm))
    if end.signal_dbm is None:
        return Span(shown)
    if _reached(end):
        return Span(f"{shown}  ● " + _("reached"), "ok")
    return Span(f"{shown}  ▲ " + _("{n} dB to go", n=words.number(end.normal_dbm - end.signal_dbm)), "weak")


def _age(end: EndView, _best: Best | None, _room: int, now: float) -> Span:
    """How old the number is, by tens of seconds: a second that counts would cost bytes all the time."""
    if end.as_of is None:
        return Span(_("never measured"), "nonews")
    age = _("measured {ago}", ago=words.ago(now - end.as_of))
    return Span("? " + _("OLD: {measured}", measured=age), "nonews") if is_old(end, now) else Span(age, "dim")


def _sound(link: LinkView, aligning: Aligning, now: float) -> str:
    end = ends_of(link)[aligning.side]
    if not aligning.sound:
        return _("The bell is quiet. q lets it sound.")
    if bell_s(end, aligning.best.get(aligning.side), now) is None:
        return _("The bell is silent: the number is old. Wait for a new one.")
    return _("Bell: the quicker, the better. q turns it off.")


def as_message(model: Model, link: LinkView, aligning: Aligning, now: float) -> str:
    """Where both ends stand, for any chat."""
    made = [f"{link.title} ({words.clock(now)})"]
    for side, end in ends_of(link).items():
        best = aligning.best.get(side)
        made.append(
            _("{site} hears {signal} dBm, best {best}, normal {normal}",
              site=model.title("site", end.site), signal=words.number(end.signal_dbm),
              best=words.number(best.signal_dbm if best else None), normal=words.number(end.normal_dbm))
        )  # fmt: skip
    return "\n".join(made)
