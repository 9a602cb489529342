"""One link as plain lines: how it is and since when, why, both ends, its alarms, its day and its week."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ayni_console.view import plain_parts as parts
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import EndView, Event, LinkView
from ayni_core.wire.questions import Evidence, Sign
from ayni_io import values, words
from ayni_io.i18n import _, _n, say
from ayni_io.phrases import headline

WEEK = ("signal_dbm", "noise_dbm", "tx_rate_bps", "retry_pct", "ccq_pct")
"""Metrics whose median of last week is set against what they are now."""
_EVEN: Mapping[str, float] = {"signal_dbm": 3, "noise_dbm": 3, "retry_pct": 5, "ccq_pct": 10}
"""What is within so much of the usual is as usual; a rate within a third of it."""
SIDES = ("a", "b")
_HOURS = {"d": "down", "w": "weak", "n": "no_news", "-": "unknown", "o": "ok"}


@dataclass(slots=True)
class Asked:
    """What the central was asked about a link: medians of last week by (side, metric), what else is normal,
    the signs of its cause, and what happened.
    `answered` is whether it was there; `problem` says why the past is missing."""

    answered: bool = True
    problem: str = ""
    medians: dict[tuple[str, str], float] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    events: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of an end: the metric, its words, and how it is read from the view."""

    metric: str
    label: Callable[[], str]
    show: Callable[[EndView], str]


def _number(metric: str) -> Callable[[EndView], str]:
    def show(end: EndView) -> str:
        value = getattr(end, metric)
        return "" if value is None else values.value(metric, round(value, 1))

    return show


def _span(metric: str) -> Callable[[EndView], str]:
    def show(end: EndView) -> str:
        value = getattr(end, metric)
        return "" if value is None else parts.spoken(value)

    return show


def _chains(end: EndView) -> str:
    shown = ", ".join(words.number(chain, 0, "dBm") for chain in end.chains_dbm)
    if len(end.chains_dbm) < 2:
        return shown
    apart = max(end.chains_dbm) - min(end.chains_dbm)
    return f"{shown}, " + (_("even") if apart <= 5 else _("{n} dB apart", n=words.number(apart)))


def _cable(end: EndView) -> str:
    if end.port_speed_bps is None:
        return ""
    speed = values.value("speed_bps", end.port_speed_bps)
    return _("{port} at {speed}", port=end.port, speed=speed) if end.port else speed


FACTS: tuple[Fact, ...] = (
    Fact("signal_dbm", lambda: _("hears"), _number("signal_dbm")),
    Fact("noise_dbm", lambda: _("noise"), _number("noise_dbm")),
    Fact("signal_chain_dbm", lambda: _("H/V"), _chains),
    Fact("tx_rate_bps", lambda: _("rate out"), _number("tx_rate_bps")),
    Fact("rx_rate_bps", lambda: _("rate in"), _number("rx_rate_bps")),
    Fact("retry_pct", lambda: _("repeats"), _number("retry_pct")),
    Fact("ccq_pct", lambda: _("quality"), _number("ccq_pct")),
    Fact("connected_s", lambda: _("connected for"), _span("connected_s")),
    Fact("uptime_s", lambda: _("runs for"), _span("uptime_s")),
    Fact("voltage_v", lambda: _("power"), _number("voltage_v")),
    Fact("speed_bps", lambda: _("cable"), _cable),
)  # fmt: skip


def things(link: LinkView) -> tuple[tuple[str, str], ...]:
    """The link and the devices at its ends."""
    return ("link", link.id), ("device", link.a.device), ("device", link.b.device)


def lines(
    model: Model, link: LinkView, asked: Asked, now: float, explain: Sequence[str] = ()
) -> Iterator[str]:
    """The lines."""
    glossary = parts.Glossary(explain)
    yield parts.state_line(link.title, model.link_state(link, now), model.link_since(link, now), now)
    yield headline(model, link, now)
    if link.cause is not None:
        yield _("probably {cause}", cause=say(link.cause))
    if link.homes:
        yield _n("{n} home depends on it", "{n} homes depend on it", link.homes)
    yield from parts.alarm_lines(model, parts.alarms_about(model, things(link)), now)
    yield from map(_seen, asked.evidence.signs)
    for side, end in zip(SIDES, (link.a, link.b), strict=True):
        yield from _end_lines(model, side, end, asked, now, glossary)
    yield from glossary.rest()
    yield from day_lines(link.day)
    if asked.problem:
        yield _("The past is not known: {reason}", reason=asked.problem)
    yield from parts.past_lines(model, asked.events, now)


def _end_lines(
    model: Model, side: str, end: EndView, asked: Asked, now: float, glossary: parts.Glossary
) -> Iterator[str]:
    site, device = model.title("site", end.site), model.title("device", end.device)
    yield _("End {letter}, {site}, {device}:", letter=side.upper(), site=site, device=device)
    if end.answers is False:
        yield "  " + _("does not answer")
    yield "  " + parts.measured(end.as_of, now)
    for fact in FACTS:
        shown = fact.show(end)
        if shown:
            yield f"  {fact.label()}: {shown}"
        elif fact.metric == "signal_dbm":
            yield f"  {fact.label()}: " + _("not known")
        if fact.metric == "signal_dbm":
            yield from _normal(end)
        yield from _planned(side, fact, asked)
        if fact.metric in WEEK:
            yield from _week_line(side, fact, end, asked)
        if shown:
            yield from (f"  {each}" for each in glossary.after(fact.metric))


def _normal(end: EndView) -> Iterator[str]:
    if end.normal_dbm is None:
        return
    yield "  " + _("normal") + ": " + words.number(end.normal_dbm, 0, "dBm")
    if end.signal_dbm is not None:
        away = change("signal_dbm", end.signal_dbm, end.normal_dbm)
        yield "  " + _("against normal: {change}", change=away)


def _seen(sign: Sign) -> str:
    """One sign of the probable cause, in a line."""
    name = say(sign.text)
    if sign.seen is None:
        return _("sign, nobody can tell from here: {sign}", sign=name)
    return _("sign seen: {sign}", sign=name) if sign.seen else _("sign not seen: {sign}", sign=name)


def _planned(side: str, fact: Fact, asked: Asked) -> Iterator[str]:
    """What a number should be by the link's budget, and what it was when new."""
    for normal in asked.evidence.normals:
        if (normal.side, normal.metric) != (side, fact.metric):
            continue
        if normal.plan is not None:
            shown = values.value(fact.metric, round(normal.plan))
            yield "  " + _("{what}, by plan: {value}", what=fact.label(), value=shown)
        if normal.new is not None:
            shown = values.value(fact.metric, round(normal.new))
            yield "  " + _("{what}, when new: {value}", what=fact.label(), value=shown)


def _week_line(side: str, fact: Fact, end: EndView, asked: Asked) -> Iterator[str]:
    median = asked.medians.get((side, fact.metric))
    if median is None:
        return
    usual = values.value(fact.metric, round(median))
    current = getattr(end, fact.metric)
    if current is None:
        yield "  " + _("{what}, median of last week: {value}", what=fact.label(), value=usual)
    else:
        yield "  " + _(
            "{what}, median of last week: {value}; {change}",
            what=fact.label(), value=usual, change=change(fact.metric, current, median),
        )  # fmt: skip


def change(metric: str, current: float, usual: float) -> str:
    """How a number stands to what it usually is."""
    away = current - usual
    even = _EVEN.get(metric, abs(usual) / 3)
    if abs(away) <= even:
        return _("now much the same")
    shown = values.value("snr_db" if metric.endswith("_dbm") else metric, abs(round(away)))
    return _("now {value} higher", value=shown) if away > 0 else _("now {value} lower", value=shown)


def hours(day: str) -> dict[str, int]:
    """How many of the last 24 hours were how."""
    last = day[-24:].rjust(24, "-")
    return {state: last.count(letter) for letter, state in _HOURS.items()}


def day_lines(day: str) -> Iterator[str]:
    """`down 3 of the last 24 hours`."""
    for state, n in hours(day).items():
        if n == 24:
            yield _("{state} in all of the last 24 hours", state=words.word(state))
        elif n:
            yield _("{state} in {n} of the last 24 hours", state=words.word(state), n=n)


def as_json(model: Model, link: LinkView, asked: Asked, now: float) -> dict[str, object]:
    """The same for programs."""
    state, since = model.link_state(link, now), model.link_since(link, now)
    return {
        "contact": asked.answered,
        "id": link.id,
        "title": link.title,
        "state": state,
        "since": since,
        "for_s": None if since is None else round(max(now - since, 0.0), 1),
        "needs_somebody": parts.needs_somebody(model, things(link), now),
        "headline": headline(model, link, now),
        "cause": say(link.cause),
        "homes": link.homes,
        "alerts": parts.alarms_json(model, parts.alarms_about(model, things(link)), now),
        "ends": [
            _end_json(model, side, end, asked, now) for side, end in zip(SIDES, (link.a, link.b), strict=True)
        ],
        "signs": [{"text": say(each.text), "seen": each.seen} for each in asked.evidence.signs],
        "last_24_hours": hours(link.day),
        "problem": asked.problem,
        "events": [parts.event_json(model, event, now) for event in asked.events],
    }


def _end_json(model: Model, side: str, end: EndView, asked: Asked, now: float) -> dict[str, object]:
    return {
        "side": side,
        "site": end.site,
        "site_title": model.title("site", end.site),
        "device": end.device,
        "device_title": model.title("device", end.device),
        "answers": end.answers,
        "signal_dbm": end.signal_dbm,
        "normal_dbm": end.normal_dbm,
        "noise_dbm": end.noise_dbm,
        "chains_dbm": list(end.chains_dbm),
        "tx_rate_bps": end.tx_rate_bps,
        "rx_rate_bps": end.rx_rate_bps,
        "retry_pct": end.retry_pct,
        "ccq_pct": end.ccq_pct,
        "connected_s": end.connected_s,
        "uptime_s": end.uptime_s,
        "voltage_v": end.voltage_v,
        "port": end.port,
        "port_speed_bps": end.port_speed_bps,
        "as_of": end.as_of,
        "age_s": None if end.as_of is None else round(max(now - end.as_of, 0.0), 1),
        "median_of_last_week": {metric: asked.medians.get((side, metric)) for metric in WEEK},
        "plan": {n.metric: n.plan for n in asked.evidence.normals if n.side == side and n.plan is not None},
        "when_new": {n.metric: n.new for n in asked.evidence.normals if n.side == side and n.new is not None},
    }
