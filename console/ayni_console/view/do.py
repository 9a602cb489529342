"""What can be done about a thing: alarms to take on, notes, maintenance, a closer look, commands.

Everything is listed for everybody; whoever only looks reads in one sentence why, and the lines are dim.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ayni_console.acting import Acting, role_word
from ayni_console.job import Job
from ayni_console.lines import Line, Span, cells, clip, fit, line, width, wrap
from ayni_console.view import command as command_view
from ayni_console.view import frame
from ayni_console.view.page import BLANK, Look, Row, text
from ayni_core.commands import COMMANDS
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import Alert
from ayni_core.wire.questions import WindowView
from ayni_io import words
from ayni_io.i18n import _, _n, say
from ayni_io.phrases import thing

WATCH_S = 600.0
SHORT_S, LONG_S = 3600.0, 4 * 3600.0
MORNING = "08:00"
_WIDEST = 110
"""Cells across: what belongs together stands together, also in a very wide terminal."""
CLOSER = ("poll", "ping", "traceroute", "identify", "walk")
CHANGES = ("port", "poe", "reboot", "plan", "own_plan", "restart")
"""Names of commands; `own_plan` is `plan`, back to what the monitor does by itself."""
Subject = tuple[str, str]
"""Kind and name of a thing; both empty: the network."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A line that does something; `aside` stands at its right: a key, a command's name, or a state."""

    key: str
    label: str
    aside: str = ""
    free: bool = False
    """Whether it takes no role: it only leads on, or only looks."""


def alarms(model: Model, subject: Subject) -> list[Alert]:
    """The alarms that speak for a thing: its own, or those that explain them; at a site, of all there."""
    kind, name = subject
    found: dict[str, Alert] = {}
    for alert in model.alerts.values():
        here = (alert.kind, alert.name) == subject
        if here or (kind == "site" and model.site_of(alert.kind, alert.name) == name):
            root = model.alerts.get(alert.silenced_by or "", alert)
            found[root.id] = root
    return sorted(found.values(), key=lambda each: (each.level != "critical", each.since, each.id))


def rows(
    model: Model,
    look: Look,
    subject: Subject,
    acting: Acting,
    windows: Sequence[WindowView],
    jobs: Sequence[Job],
    watched_until: float | None = None,
) -> list[Row]:
    """The body of the page."""
    made = [*_about(model, look, subject), *_who(acting, look)]
    dim = bool(acting.why_not())
    sections = (
        (_("GIVEN FROM HERE"), list(_given(model, look, jobs))),
        (_("ALARM"), list(_alarms(model, subject))),
        (_("LOOK CLOSER"), list(_closer(model, look, subject, watched_until))),
        (_("CHANGE SOMETHING"), list(_changes(subject))),
        (_("NOTE AND MAINTENANCE"), list(_people(model, look, windows))),
        (_("ALSO HERE"), list(_others(model, look, subject))),
    )
    for title, choices in sections:
        if choices:
            made += [BLANK, text(" ", Span(title, "head"))]
            made += [Row(partial(_line, each, look, dim and not each.free), each.key) for each in choices]
    return made


def name_of(model: Model, subject: Subject) -> str:
    """What people call it."""
    return thing(model, *subject) if subject[0] else model.community.title or _("the network")


def _about(model: Model, look: Look, subject: Subject) -> list[Row]:
    """What it is about, how that is, and the sentence on it."""
    if not subject[0]:
        return [text(" ", Span(model.community.title, "head"), " ", _("the whole network"))]
    state = model.state(*subject, look.now)
    first = line(
        " ", Span(f"{words.symbol(state)} {words.word(state)}", words.style(state)), " ",
        Span(name_of(model, subject), "head"), "  ",
    )  # fmt: skip
    found = attention.find(model, *subject, look.now)
    spoken = say(found.headline) or say(found.text) if found is not None else ""
    if width(first) + cells(spoken) <= look.width:
        return [text(*first, spoken)]
    return [text(*first), *(text("   ", each) for each in wrap(spoken, look.width - 4))]


def _who(acting: Acting, look: Look) -> list[Row]:
    why = acting.why_not()
    if why:
        return [text(" ", Span(piece, "weak")) for piece in wrap(why, look.width - 2)]
    if acting.wants_name:
        choice = Choice("who", _("Say who you are: several share this login"), free=True)
        return [Row(partial(_line, choice, look, False), "who")]
    if not acting.shared:
        return []
    you = _("You are {name}: {role}.", name=acting.title, role=role_word(acting.role))
    return [Row(partial(_line, Choice("who", you, _("somebody else?"), free=True), look, False), "who")]


def _given(model: Model, look: Look, jobs: Sequence[Job]) -> Iterator[Choice]:
    for job in reversed(jobs):
        said = command_view.state_word(job)
        label = command_view.title(model, job)
        yield Choice(f"job:{job.asked.id}", label, f"{said} {words.clock(job.began)}", free=True)


def _alarms(model: Model, subject: Subject) -> Iterator[Choice]:
    found = alarms(model, subject)
    free = [alert for alert in found if alert.acked_by is None]
    if free:
        one = _("Take it on: {what}", what=say(free[0].text))
        many = _n("Take {n} alarm on", "Take {n} alarms on: you see to them", len(free))
        yield Choice("take_on", one if len(free) == 1 else many, "k")
    for alert in found:
        if alert.acked_by is not None:
            label = _("Give it back ({name} is at it): {what}", name=alert.acked_by, what=say(alert.text))
            yield Choice(f"give_back:{alert.id}", label, "" if free else "k")


def _closer(model: Model, look: Look, subject: Subject, watched_until: float | None) -> Iterator[Choice]:
    if model.site_of(*subject) is not None:
        if watched_until is None:
            label = _("News of every poll at once, for {n} min", n=round(WATCH_S / 60))
            yield Choice("watch", label, free=True)
        else:
            until = _("until {time}", time=words.clock(watched_until))
            yield Choice("unwatch", _("End the news of every poll"), until, free=True)
    yield from _commands(subject, CLOSER)


def _changes(subject: Subject) -> Iterator[Choice]:
    yield from _commands(subject, CHANGES)


def _commands(subject: Subject, names: Sequence[str]) -> Iterator[Choice]:
    kind, _name = subject
    for name in names:
        command = "plan" if name == "own_plan" else name
        if kind in ("device", "node") and COMMANDS[command].where in (kind, "either"):
            yield Choice(f"do:{name}", _deed(name, kind), command)


def _deed(name: str, kind: str) -> str:
    """A command about the thing that is shown; `…` where it takes one more word."""
    at_device = kind == "device"
    match name:
        case "poll":
            return (
                _("Ask it now, without waiting for its turn") if at_device else _("Ask all its devices now")
            )
        case "ping":
            return _("Ping it from its monitor") if at_device else _("Ping an address from there …")
        case "traceroute":
            return _("The way there, hop by hop") if at_device else _("The way to an address, hop by hop …")
        case "identify":
            return _("What is it? Its family") if at_device else _("What is it? Its version")
        case "walk":
            return _("Read a part of what it has (OID) …")
        case "port":
            return _("Set a port up or down …")
        case "poe":
            return _("Power of a port off and on again …")
        case "plan":
            return _("Poll faster for a while …")
        case "own_plan":
            return _("Poll by its own plan again")
    return _("Restart it")


def _people(model: Model, look: Look, windows: Sequence[WindowView]) -> Iterator[Choice]:
    yield Choice("note", _("Write a note"), "n")
    for key, seconds in (("quiet:short", SHORT_S), ("quiet:long", LONG_S)):
        label = _("Maintenance for {n} h (nobody is called)", n=round(seconds / words.HOUR))
        yield Choice(key, label, _("until {time}", time=words.clock(look.now + seconds)))
    yield Choice("quiet:tomorrow", _("Maintenance until tomorrow {time}", time=MORNING))
    yield Choice("quiet:weekly", _("Maintenance every week …"))
    for window in windows:
        name, what = about(model, window), when(window, look)
        if window.written:
            label = _("Maintenance of {name}: {what}", name=name, what=what)
            yield Choice(f"written:{window.id}", label, "network.yaml", free=True)
        else:
            label = _("End the maintenance of {name}: {what}", name=name, what=what)
            yield Choice(f"end:{window.id}", label)


def about(model: Model, window: WindowView) -> str:
    """What a time of maintenance is about."""
    return name_of(model, (window.kind, window.name)) if window.kind else _("the whole network")


def when(window: WindowView, look: Look) -> str:
    """A time of maintenance in a few words: `until 15:32 (Ana): the battery is changed`."""
    if window.weekdays:
        days = ", ".join(weekday(day) for day in window.weekdays)
        said = _("each {days} {start} to {end}", days=days, start=window.from_time, end=window.to_time)
    elif window.open:
        said = _("until {time}", time=words.when(window.end, look.now))
    else:
        start, end = (words.when(at, look.now) for at in (window.start, window.end))
        said = _("from {start} to {end}", start=start, end=end)
    by = f" ({words.clean(window.by)})" if window.by else ""
    return f"{said}{by}" + (f": {words.clean(window.note)}" if window.note else "")


def weekday(name: str) -> str:
    """`sat` as people write it."""
    monday = 1_704_067_200 + 12 * 3600  # 2024-01-01 was one
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return words.weekday(monday + days.index(name) * words.DAY) if name in days else name


def concerns(model: Model, window: WindowView, subject: Subject) -> bool:
    """Whether a time of maintenance is about a thing: itself, what it stands at or hangs on (as the central
    has it, `maintenance.covers`), or all; the network has every one."""
    kind, name = subject
    link = model.links.get(name) if kind == "link" else None
    if not kind or not window.kind or (window.kind, window.name) == subject:
        return True
    match window.kind:
        case "site" if link is not None:
            return window.name in (link.a.site, link.b.site)
        case "site":
            return window.name == model.site_of(kind, name)
        case "device" if link is not None:
            return window.name in (link.a.device, link.b.device)
        case "link" if kind == "device" and window.name in model.links:
            held = model.links[window.name]
            return name in (held.a.device, held.b.device)
    return False


def _others(model: Model, look: Look, subject: Subject) -> Iterator[Choice]:
    kind, name = subject
    here: list[Subject] = []
    if kind == "link" and name in model.links:
        link = model.links[name]
        here += [("device", end.device) for end in (link.a, link.b)]
        nodes = {model.devices[device].node for _kind, device in here if device in model.devices}
        here += [("node", node) for node in sorted(nodes)]
    elif kind == "site":
        here += [("device", each.id) for each in model.devices.values() if each.site == name]
        here += [("node", each.id) for each in model.nodes.values() if each.site == name]
    elif kind == "device" and name in model.devices:
        here += [("node", model.devices[name].node)]
    if kind in ("device", "node", "upstream"):
        here += [("site", model.site_of(kind, name) or "")]
    for each in here:
        if each[1]:
            state = model.state(*each, look.now)
            aside = f"{words.symbol(state)} {words.word(state)}"
            yield Choice(f"go:{each[0]}:{each[1]}", name_of(model, each), aside, free=True)
    if kind:
        yield Choice("go::", _("The whole network"), free=True)


def _line(choice: Choice, look: Look, dim: bool) -> Line:
    """A name at the right makes room where the sentence needs it."""
    wide = min(look.width, _WIDEST)
    aside = clip(choice.aside, 20)
    if cells(choice.label) + cells(aside) + 5 > wide and choice.aside in COMMANDS:
        aside = ""
    room = max(wide - 5 - cells(aside), 8)
    label = fit(frame.shortened(choice.label, room), room)
    return line("   ", Span(label, "dim" if dim else ""), " ", Span(aside, "dim"))
