"""Messages to people: which ways to them work, and what they were told, newest first."""

from __future__ import annotations

from functools import partial

from ayni_console.lines import Line, Span, fit, line
from ayni_console.view.page import BLANK, Look, Row, matches, text
from ayni_core.wire.questions import Deliveries, Delivery, TargetView
from ayni_io import words
from ayni_io.i18n import _, _n

_TIME, _TO, _STATE = 11, 18, 12


def rows(look: Look, told: Deliveries | None, problem: str, wanted: str = "") -> list[Row]:
    """The body: a line for each target, then one for each message."""
    if problem:
        return [text(" ? ", problem)]
    if told is None:
        return [text("   ", _("Asking the central …"))]
    if not told.targets and not told.newest:
        return [text("   ", _("Nobody is told anything: no person of network.yaml has a notify."))]
    made = [text(Span(" " + _("WAYS TO PEOPLE"), "head"))]
    made += [
        Row(partial(_target, each, look), _target_key(each))
        for each in told.targets
        if matches(wanted, each.title, each.target, each.failing)
    ]
    made += [BLANK, text(Span(" " + _("TOLD"), "head"))]
    made += [
        Row(partial(_delivery, each, look), _delivery_key(each))
        for each in told.newest
        if matches(wanted, each.person, each.target, each.title, each.reason)
    ]
    if not told.newest:
        made.append(text("   ", _("Nobody was told anything yet.")))
    return made


def _target(target: TargetView, look: Look) -> Line:
    """`■ Ana, mail      does not work: nobody is there`."""
    mark = "down" if target.failing else ("ok" if target.reached_at is not None else "no_news")
    said = _how(target, look.now)
    to = fit(f"{target.title}, {target.target}", _TO + 6)
    return line(
        " ", Span(words.symbol(mark), words.style(mark)), " ", to, " ", fit(said, look.width - _TO - 11)
    )


def _how(target: TargetView, now: float) -> str:
    if target.failing:
        said = _("does not work: {reason}", reason=target.failing)
    elif target.reached_at is None:
        said = _("nothing was sent yet")
    else:
        said = _("reached {time}", time=words.when(target.reached_at, now))
    if target.waiting:
        return _n("{n} message waits", "{n} messages wait", target.waiting) + "; " + said
    return said


def _delivery(delivery: Delivery, look: Look) -> Line:
    """`14:21  ana/phone  sent  ALARM: Torre-Escuela is down, since 14:20`."""
    style = {"sent": "ok", "summed": "ok", "given_up": "down"}.get(delivery.state, "nonews")
    said = _what(delivery)
    return line(
        " ",
        fit(words.when(delivery.at, look.now), _TIME),
        " ",
        fit(f"{delivery.person}/{delivery.target}", _TO),
        " ",
        Span(fit(state_word(delivery.state), _STATE), style),
        " ",
        fit(said, look.width - _TIME - _TO - _STATE - 6),
    )


def _what(delivery: Delivery) -> str:
    return f"{delivery.title} ({delivery.reason})" if delivery.reason else delivery.title


def _target_key(target: TargetView) -> str:
    return f"target:{target.person}:{target.target}"


def _delivery_key(delivery: Delivery) -> str:
    return f"told:{delivery.at}:{delivery.person}:{delivery.target}:{delivery.what}"


def whole(told: Deliveries | None, key: str, now: float) -> str:
    """All that the line with a key says; empty where there is none."""
    if told is None:
        return ""
    for target in told.targets:
        if _target_key(target) == key:
            return f"{target.title}, {target.target}: {_how(target, now)}"
    return next((_what(each) for each in told.newest if _delivery_key(each) == key), "")


def state_word(state: str) -> str:
    """How far a message is."""
    match state:
        case "waiting" | "sending":
            return _("on its way")
        case "gathered":
            return _("told later")
        case "sent" | "summed":
            return _("sent")
        case "moot":
            return _("was over")
    return _("GIVEN UP")


def meaning() -> str:
    """What a line means, for the help screen."""
    return _(
        "told later: in quiet hours, or with others; was over: before it was told; GIVEN UP: after a day"
    )
