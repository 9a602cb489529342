"""Health: the central, its parts, every monitor in a line, the ways to people, what was told lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ayni_console.lines import Line, Span, cells, fit, line, wrap
from ayni_console.view import events as events_view
from ayni_console.view import health_words as say
from ayni_console.view.page import BLANK, Look, Row, matches, text
from ayni_core.onlooking.model import Model
from ayni_core.wire.health import BackupHealth, CentralHealth, CertificateHealth, MonitorHealth, PartHealth
from ayni_core.wire.messages import Event, NodeView
from ayni_core.wire.questions import Deliveries, TargetView
from ayni_io import words
from ayni_io.i18n import _, _n
from ayni_io.phrases import trouble

_LABEL = 9
_MOST_NAMED = 4
_OLD_S = 150.0
"""It is asked once a minute: what is older is said to be."""


@dataclass(slots=True)
class Told:
    """What the central was asked: of itself, its parts and the monitors, of messages, of what happened. `at`
    is when it last said how it is; 0: just now."""

    central: CentralHealth | None = None
    parts: Sequence[PartHealth] = ()
    certificates: Sequence[CertificateHealth] = ()
    backup: BackupHealth | None = None
    monitors: dict[str, MonitorHealth] = field(default_factory=dict)
    people: Deliveries | None = None
    events: Sequence[Event] = ()
    problem: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths of the monitors' table in cells; a column of 0 is left out."""

    name: int
    report: int
    waits: int
    room: int
    data: int
    clock: int


def state_width() -> int:
    """Cells for the longest word of a state."""
    states = ("ok", "weak", "down", "no_news", "unknown")
    return max(cells(each) for each in (*map(words.word, states), _("FAILS"), _("NEW")))


def mark(state: str, word: str = "") -> tuple[str | Span, ...]:
    """` ● OK        `: how lines begin, `state_width() + 4` cells."""
    style = words.style(state)
    said = fit(word or words.word(state), state_width())
    return " ", Span(words.symbol(state), style), " ", Span(said, style), " "


def columns(width: int) -> Columns:
    """Room and data give way first, then the name."""
    report, waits, clock = max(6, cells(_("report"))), 13, max(9, cells(_("clock")))
    room, data = max(8, cells(_("room"))), max(13, cells(_("this month")))
    left = width - state_width() - 4 - (report + 1) - (waits + 1) - (clock + 1)
    if left - (data + 1) < 10:
        data = 0
    left -= data + 1 if data else 0
    if left - (room + 1) < 12:
        room = 0
    left -= room + 1 if room else 0
    return Columns(max(min(left, 30), 6), report, waits, room, data, clock)


def summary(model: Model, now: float) -> tuple[Line, ...]:
    """What stands in the head, the longest first."""
    states = list(model.node_states(now).values())
    well = states.count("ok")
    monitors = _("{n} of {count} monitors OK", n=well, count=len(states))
    style = "" if well == len(states) else "nonews"
    return (line(Span(monitors, style)), line(Span(f"{well}/{len(states)}", style)))


def rows(model: Model, look: Look, told: Told, wanted: str = "") -> list[Row]:
    """The body."""
    made = _central(model, look, told)
    for each in told.certificates:
        made += _certificate(each, look)
    if told.backup is not None:
        made += _backup(told.backup, look)
    if told.parts:
        made += [BLANK, text(" ", Span(_("PARTS OF THE CENTRAL"), "head"))]
        for part in told.parts:
            if matches(wanted, say.part_name(part)):
                made += _part(part, look)
    made.append(BLANK)
    made += _monitors(model, look, told.monitors, wanted)
    made += [BLANK, *_people(look, told, wanted)]
    if told.events:
        made += [BLANK, text(" ", Span(_("TOLD IN THE LAST 7 DAYS"), "head"))]
        made += [
            Row(partial(events_view.event_line, model, event, look), events_view.key_of(event))
            for event in told.events
            if matches(wanted, *events_view.event_words(model, event))
        ]
    return made


# the central


def _central(model: Model, look: Look, told: Told) -> list[Row]:
    central, hub = told.central, model.hub
    version = hub.version if hub is not None else ""
    made = [text(" ", Span(_("CENTRAL"), "head"), "  " + version)]
    lost, held = trouble(model, look.now), say.held_sentence(model)
    state = "down" if lost else "weak" if held else "unknown" if told.problem else "ok"
    indent = " " * (state_width() + 4)
    said = lost or held or told.problem or _("It takes everything in.")
    first, *rest = wrap(said, look.width - len(indent) - 1)
    made += [text(*mark(state), first), *(text(indent, each) for each in rest)]
    if central is None:
        return made
    if central.state != "ready":
        made.append(text(indent, Span(say.blind_since(central, look.now, words.calm), "nonews")))
    found = [
        (_("runs"), _started(central, told.at or look.now, look.now)),
        (_("took in"), ", ".join(say.taken_in(central))),
        (_("memory"), ", ".join(say.memory(central))),
    ]
    others = say.other_versions(model, central.version)
    if others:
        names = ", ".join(words.clean(node.title or node.id) for node in others[:_MOST_NAMED])
        said = _n(
            "{n} monitor runs another one: {names}", "{n} monitors run another one: {names}", len(others),
            names=names,
        )  # fmt: skip
        found.append((_("versions"), said))
    if told.at and look.now - told.at > _OLD_S:
        found.append(("", _("so it said {age}", age=words.ago(look.now - told.at))))
    return made + facts(found, look)


def _certificate(told: CertificateHealth, look: Look) -> list[Row]:
    """A fact among others while it is good for long, a line with a sign when somebody has to see to it."""
    said = say.certificate(told, look.now)
    state = say.certificate_state(told, look.now)
    if state == "ok":
        return facts([(_("shows"), said)], look)
    return _warned(state, said, look)


def _backup(told: BackupHealth, look: Look) -> list[Row]:
    """The same of the newest backup."""
    said, state = say.backup(told, look.now, words.calm), say.backup_state(told, look.now)
    return facts([(_("kept"), said)], look) if state == "ok" else _warned(state, said, look)


def _warned(state: str, said: str, look: Look) -> list[Row]:
    first, *rest = wrap(said, look.width - state_width() - 5)
    indent = " " * (state_width() + 4)
    return [text(*mark(state), first), *(text(indent, each) for each in rest)]


def _started(central: CentralHealth, at: float, now: float) -> str:
    running = _("for {time}", time=words.calm(at - central.started_at))
    if central.newest_at is None:
        return running
    return f"{running}, " + _("newest reading {age}", age=words.ago(now - central.newest_at))


def facts(found: Sequence[tuple[str, str]], look: Look, least: int = _LABEL) -> list[Row]:
    """`   memory   1.2 GB kept, 41 GB free`: words and what they say, one below the other, over several lines
    where it is long. What says nothing is left out."""
    width = max([least, *(cells(label) for label, _fact in found)])
    indent = " " * (width + 4)
    made: list[Row] = []
    for label, fact in found:
        if fact:
            first, *rest = wrap(fact, look.width - width - 5)
            made.append(text("   ", Span(fit(label, width), "dim"), " ", first))
            made += [text(indent, each) for each in rest]
    return made


def _part(part: PartHealth, look: Look) -> list[Row]:
    """`■ DOWN     Worker dos                34 min`, and below it what that means."""
    indent = state_width() + 4
    name = look.width - indent - 12
    lasted = fit(words.calm(look.now - part.since), 10, ">")
    said = say.part_sentence(part)
    if part.buckets:
        said += "; " + _("its buckets: {buckets}", buckets=part.buckets)
    return [
        text(*mark(say.part_state(part)), fit(say.part_name(part), name), " ", lasted),
        *(text(" " * indent, Span(each, "dim")) for each in wrap(said, look.width - indent - 1)),
    ]


# monitors


def order(model: Model, told: Mapping[str, MonitorHealth], now: float) -> list[NodeView]:
    """Monitors: what does not report first, then what will go wrong soon, then by name."""

    states = model.node_states(now)

    def rank(node: NodeView) -> tuple[bool, bool, str]:
        known = told.get(node.id)
        return (
            states.get(node.id) == "ok",
            not (known is not None and say.needs_somebody(known)),
            (node.title or node.id).casefold(),
        )

    return sorted(model.nodes.values(), key=rank)


def _monitors(model: Model, look: Look, told: Mapping[str, MonitorHealth], wanted: str) -> list[Row]:
    table = columns(look.width)
    head = [fit(" " + _("MONITORS {n}", n=len(model.nodes)), state_width() + 4 + table.name)]
    heads = ((_("report"), table.report), (_("waits"), table.waits), (_("room"), table.room),
             (_("this month"), table.data), (_("clock"), table.clock))  # fmt: skip
    head += [fit(each, width, ">") for each, width in heads if width]
    shown = " ".join(head)
    made = [Row(lambda: line(Span(shown, "head")), sticky=True)]
    nodes = [
        node
        for node in order(model, told, look.now)
        if matches(wanted, node.title, node.id, model.title("site", node.site), node.version)
    ]
    made += [
        Row(partial(monitor_line, model, node, told.get(node.id), table, look.now), f"node:{node.id}")
        for node in nodes
    ]
    if not nodes:
        made.append(text("   ", _("No monitor fits the filter.") if model.nodes else _("No monitors.")))
    return made


def monitor_line(
    model: Model, node: NodeView, told: MonitorHealth | None, table: Columns, now: float
) -> Line:
    """`? NO NEWS  Molino   5h   61 · 210 kB   29 d   21/50 MB   right`."""
    state = model.node_state(node, now)
    cells_of = (
        (words.short(None if node.as_of is None else now - node.as_of), table.report, ""),
        (_waits(told), table.waits, "weak" if told is not None and told.lost else ""),
        (_room(told), table.room, "weak" if told is not None and _short(told) else ""),
        (_data(told), table.data, "weak" if told is not None and told.saving else ""),
        (_clock(told), table.clock, "" if told is None or told.clock == "right" else "nonews"),
    )
    parts: list[str | Span] = [
        *mark(state),
        fit(node.title or node.id, table.name),
    ]  # fmt: skip
    for said, width, shade in cells_of:
        if width:
            parts += [" ", Span(fit(said, width, ">"), shade)]
    return line(*parts)


def _known(told: MonitorHealth | None) -> bool:
    return told is not None and told.told_at is not None


def _waits(told: MonitorHealth | None) -> str:
    if told is None or not _known(told):
        return "--"
    return f"{told.waiting} · {say.size(told.waiting_bytes)}" if told.waiting else "0"


def _short(told: MonitorHealth) -> bool:
    return told.room_days is not None and told.room_days < say.SHORT_DAYS


def _room(told: MonitorHealth | None) -> str:
    if told is None or told.room_days is None:
        return "--"
    return words.duration(told.room_days * 86_400)


def _data(told: MonitorHealth | None) -> str:
    if told is None or not told.month_bytes:
        return "--"
    used = say.size(told.month_bytes)
    return used if told.cap_bytes is None else f"{used} / {told.cap_bytes // 1_000_000}"


def _clock(told: MonitorHealth | None) -> str:
    if told is None or not told.clock:
        return "--"
    ahead_s = told.ahead_s or 0.0
    if abs(ahead_s) > say.RIGHT_S:
        return ("+" if ahead_s > 0 else "-") + words.duration(abs(ahead_s))
    return _("right") if told.clock == "right" else _("unsure")


# people


def _people(look: Look, told: Told, wanted: str) -> list[Row]:
    made = [text(" ", Span(_("MESSAGES TO PEOPLE"), "head"))]
    if told.people is None:
        return [*made, text("   ", _("Not known yet."))]
    if not told.people.targets:
        nobody = _("Nobody is told anything: no person of network.yaml has a notify.")
        return made + [text("   ", each) for each in wrap(nobody, look.width - 4)]
    return made + [
        Row(partial(_target, target, look), f"target:{target.person}:{target.target}")
        for target in told.people.targets
        if matches(wanted, target.title, target.target, target.failing)
    ]


def _target(target: TargetView, look: Look) -> Line:
    state = "down" if target.failing else "ok" if target.reached_at is not None else "unknown"
    word = _("OK") if state == "ok" else _("FAILS") if state == "down" else _("NEW")
    if target.failing:
        said = target.failing
    elif target.reached_at is None:
        said = _("nothing was sent yet")
    else:
        said = _("reached {time}", time=words.when(target.reached_at, look.now))
    if target.waiting:
        said = _n("{n} message waits", "{n} messages wait", target.waiting) + "; " + said
    name = min(max(look.width // 4, 14), 24)
    return line(
        *mark(state, word),
        fit(f"{target.title}, {target.target}", name), " ", fit(said, look.width - state_width() - name - 5),
    )  # fmt: skip
