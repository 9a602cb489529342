"""The advice screen and the lab: the same steps and the same verdict for lessons and for life."""

from __future__ import annotations

from functools import partial

from ayni_console import advice
from ayni_console.lines import Line, Span, cells, fit, line, wrap
from ayni_console.verify import Verify
from ayni_console.view.page import BLANK, Look, Row, text
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import Fault, LinkView
from ayni_io import words
from ayni_io.i18n import _, say
from ayni_io.phrases import thing

_APART = "   "
"""Between the numbers to watch."""


def advice_rows(
    model: Model,
    kind: str,
    name: str,
    headline: str,
    progress: advice.Progress,
    verify: Verify | None,
    look: Look,
) -> list[Row]:
    """The body: headline, goal, steps with the current one opened, live numbers, other ideas."""
    steps = advice.steps(progress.cause)
    current = progress.current(len(steps))
    made = [text(" ", Span(piece, "head")) for piece in wrap(headline, look.width - 2)]
    made += _goal(progress.cause, look)
    live = live_line(model, kind, name, look.now, progress)
    if live:
        made += _live(live, live_age(model, kind, name, look.now), look)
    if verify is not None:
        made.append(stuck(" ", verdict(model, verify, look.now)))
    made.append(BLANK)
    for number, step in enumerate(steps):
        made += _step_rows(number, step, progress, number == current, look)
    if verify is None and current >= len(steps):
        made += [BLANK, text(" ", _("All steps are marked. Not mended? Press w for other ideas."))]
    made += [BLANK, text_row(f"thing:{kind}/{name}", "   " + _see(model, kind, name))]
    others = " · ".join(advice.name_of(cause) for cause in advice.LOOK_ALIKES[progress.cause])
    made += [
        text(" ", Span(piece, "dim"))
        for piece in wrap(_("Not this?  w: {others}", others=others), look.width - 2)
    ]
    return made


def _live(live: str, age_s: float | None, look: Look) -> list[Row]:
    """The numbers and how old they are, in one line, or in as many as they need."""
    word, pieces = _("LIVE"), [""]
    if age_s is not None:
        word += " " + words.short(age_s)
    for each in live.split(_APART):
        longer = pieces[-1] + _APART + each if pieces[-1] else each
        pieces = [*pieces[:-1], longer] if cells(longer) <= look.width - cells(word) - 3 else [*pieces, each]
    return [
        stuck(" ", Span(fit(word if not number else "", cells(word)), "head"), "  ", each)
        for number, each in enumerate(pieces)
    ]


def _goal(cause: str, look: Look) -> list[Row]:
    word = _("GOAL")
    first, *rest = wrap(advice.goal(cause), look.width - cells(word) - 4)
    indent = " " * (cells(word) + 3)
    return [text(" ", Span(word, "head"), "  ", first), *(text(indent, each) for each in rest)]


def _see(model: Model, kind: str, name: str) -> str:
    """What leads to the numbers of the thing."""
    if kind == "link":
        return _("See both ends of {name}", name=model.title(kind, name))
    return _("See {name}", name=thing(model, kind, name))


def _step_rows(
    number: int, step: advice.Step, progress: advice.Progress, is_current: bool, look: Look
) -> list[Row]:
    mark, at = progress.marks.get(number, ("", 0.0))
    time = words.clock(at) if at else ""
    sign, style = {"done": ("●", "ok"), "could_not": ("×", "weak")}.get(mark, (" ", ""))
    result = {"done": _("done"), "could_not": _("could not")}.get(mark, "")
    room = look.width - 6 - (17 if mark else 0)
    first, *rest = wrap(step.text, room)
    body = "head" if is_current else "dim" if mark else ""
    key = f"step:{number}"

    def draw() -> Line:
        marked = (" ", fit(result, 10), fit(time, 5)) if mark else ()
        return line(" ", Span(sign, style), f" {number + 1} ", Span(fit(first, room), body), *marked)

    made = [Row(draw, key), *(text("     ", Span(each, body)) for each in rest)]
    if is_current and step.more:
        more_style = "weak" if step.kind == "safe" else "dim"
        made += [text("     ", Span(each, more_style)) for each in wrap(step.more, look.width - 6)]
    return made


def heard(model: Model, link: LinkView, now: float) -> tuple[float | None, float | None]:
    """What both ends hear now, in dBm; nothing while the link is down or its monitors say nothing, whatever
    they said last."""
    if model.link_state(link, now) in ("down", "no_news"):
        return None, None
    return link.a.signal_dbm, link.b.signal_dbm


def live_age(model: Model, kind: str, name: str, now: float) -> float | None:
    """How old the numbers are; None where there are none."""
    link = model.links.get(name) if kind == "link" else None
    if link is None or heard(model, link, now) == (None, None):
        return None
    as_of = model.link_as_of(link)
    return None if as_of is None else now - as_of


def live_line(model: Model, kind: str, name: str, now: float, progress: advice.Progress | None = None) -> str:
    """The numbers to watch while working on a link, and the best of them while somebody works on it."""
    link = model.links.get(name) if kind == "link" else None
    if link is None:
        return ""
    hears = [
        _("{site} hears {signal}", site=model.title("site", end.site), signal=words.number(signal))
        for end, signal in zip((link.a, link.b), heard(model, link, now), strict=True)
    ]
    target = next((end.normal_dbm for end in (link.a, link.b) if end.normal_dbm is not None), None)
    made = [*hears, _("target {signal}", signal=words.number(target))]
    if progress is not None and progress.best_dbm is not None:
        made.append(_("best so far {signal}", signal=words.number(progress.best_dbm)))
    return _APART.join(made)


def verdict(model: Model, verify: Verify, now: float) -> Span:
    """What the console says while and after it watches."""
    match verify.verdict:
        case "fixed":
            time = words.duration(verify.hold_s)
            names = ", ".join(sorted(model.title(*thing) for thing in verify.well_since if thing[1]))
            if names:
                return Span("● " + _("FIXED: {things}. Well for {time}.", things=names, time=time), "ok")
            return Span("● " + _("FIXED. All is well for {time}.", time=time), "ok")
        case "not_fixed":
            return Span("■ " + _("NOT FIXED. It is still not well."), "down")
    if verify.ok_since is None:
        return Span(
            "? " + _("Watching: not well yet, since {time}.", time=words.duration(now - verify.started)),
            "nonews",
        )
    return Span(
        "? " + _("Watching: well, {time} more to be sure.", time=words.duration(verify.left_s(now))), "nonews"
    )


def idea_rows(current: str) -> list[Row]:
    """Other causes to choose from."""
    made = [text(" ", Span(_("What else may it be? Enter chooses."), "head"))]
    names = [cause for cause in advice.LOOK_ALIKES[current] if cause != current]
    names += [cause for cause in advice.LOOK_ALIKES if cause not in (*names, current, "behind")]
    return made + [text_row(f"cause:{cause}", "   " + advice.name_of(cause)) for cause in names]


def text_row(key: str, words_shown: str) -> Row:
    """A plain line that can be chosen."""
    made = line(words_shown)
    return Row(lambda: made, key)


def lab_rows(
    model: Model, verify: Verify | None, said: str, look: Look, *, village: bool = False
) -> list[Row]:
    """The body: what can be broken, what can be tried, the verdict; in a newcomer's own village, what may
    come next."""
    lab = model.lab
    if lab is None:
        return [
            text(" ? ", _("There is no pretend network here: nothing can be broken.")),
            text("   ", _("`ayni demo` starts one.")),
        ]
    made = [text(" ", _("You cannot break anything real here."))]
    told = said or say(lab.last)
    if told:
        made.append(text(" ", told))
    if verify is not None:
        made.append(stuck(" ", verdict(model, verify, look.now)))
        if village and verify.verdict == "fixed":
            made.append(text_row("next:", "   " + _("What now? Break more, your own devices, teach, leave")))
    made.append(BLANK)
    made.append(text(" ", Span(_("BREAK SOMETHING"), "head")))
    made += [Row(partial(_fault_line, fault, look), f"break:{fault.id}") for fault in lab.faults]
    made.append(BLANK)
    made.append(text(" ", Span(_("TRY A REPAIR"), "head")))
    made += [text_row(f"repair:{repair.id}", "   " + say(repair.title)) for repair in lab.repairs]
    made.append(text_row("reset:", "   " + _("Mend everything and begin anew")))
    return made


def stuck(*parts: str | Span) -> Row:
    """A row that is only read and stays in sight."""
    made = line(*parts)
    return Row(lambda: made, sticky=True)


def _fault_line(fault: Fault, look: Look) -> Line:
    about = ""
    if fault.active and fault.since is not None:
        about = _("broken for {time}", time=words.duration(look.now - fault.since))
    mark = Span("■", "down") if fault.active else Span(" ")
    room = look.width - 4 - cells(about)
    return line(" ", mark, " ", fit(say(fault.title), room), " ", Span(about, "down"))
