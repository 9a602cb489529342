"""One monitor: whether it reports, what waits there, what it costs, its clock, its devices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ayni_console.lines import Line, Span, fit, line
from ayni_console.view import events as events_view
from ayni_console.view import health_words as say
from ayni_console.view.health import facts, mark, state_width
from ayni_console.view.page import BLANK, Look, Row, matches, text
from ayni_core.onlooking.model import Model
from ayni_core.wire.health import MonitorHealth
from ayni_core.wire.messages import DeviceView, Event, NodeView
from ayni_io import words
from ayni_io.i18n import _, _n

_LABEL = 12


def rows(
    model: Model,
    node: NodeView,
    told: MonitorHealth | None,
    events: Sequence[Event],
    problem: str,
    look: Look,
    wanted: str = "",
) -> list[Row]:
    """The body."""
    state = model.node_state(node, look.now)
    style = words.style(state)
    lasted = _("for {time}", time=words.calm(look.now - node.since))
    made = [
        text(
            " ", Span(words.symbol(state), style), " ", Span(words.word(state), style), f" {lasted}",
        )
    ]  # fmt: skip
    found = _presence(model, node, look)
    if told is not None and told.told_at is not None:
        found += _told(told, look)
    else:
        found.append((_("more"), problem or _("It has not told yet what waits there and what it costs.")))
    if told is not None and told.clock:
        found.append((_("clock"), say.clock(told, words.duration)))
    made += facts(found, look, _LABEL)
    made += [BLANK, text(" ", Span(_("STANDS AT"), "head"))]
    made.append(Row(partial(line, "   ", model.title("site", node.site)), f"site:{node.site}"))
    devices = [
        device
        for device in model.devices.values()
        if device.node == node.id and matches(wanted, device.title, device.id, device.model or "")
    ]
    if devices:
        made += [BLANK, text(" ", Span(_("ITS DEVICES {n}", n=len(devices)), "head"))]
        made += [Row(partial(_device, model, each, look), f"device:{each.id}") for each in devices]
    if events:
        made += [BLANK, text(" ", Span(_("WHAT IT TOLD"), "head"))]
        made += [
            Row(partial(events_view.event_line, model, event, look), events_view.key_of(event))
            for event in events
            if matches(wanted, *events_view.event_words(model, event))
        ]
    return made


def _presence(model: Model, node: NodeView, look: Look) -> list[tuple[str, str]]:
    presence = model.presence.get(node.id)
    newest = _("never") if node.as_of is None else words.ago(look.now - node.as_of)
    if node.next_by is not None and model.late(node.next_by, look.now):
        newest += "; " + _("the next one is late by {time}", time=words.calm(look.now - node.next_by))
    found = [(_("last report"), newest)]
    if presence is not None:
        work = [_("connected to the broker") if presence.up else _("not connected to the broker")]
        work.append(_n("{n} device", "{n} devices", presence.devices))
        if presence.poll_s:
            work.append(_("asks every {time}", time=words.duration(presence.poll_s)))
        if presence.flush_s:
            work.append(_("reports every {time}", time=words.duration(presence.flush_s)))
        found.append((_("work"), ", ".join(work)))
    version = node.version or (presence.version if presence is not None else "")
    return [*found, (_("version"), version)]


def _told(told: MonitorHealth, look: Look) -> list[tuple[str, str]]:
    return [
        (_("outbox"), say.waits(told)),
        ("", ", ".join(say.storage(told, words.duration))),
        (_("data"), ", ".join(say.data(told))),
        ("", say.saving(told)),
        ("", _("so it said {age}", age=words.ago(look.now - (told.told_at or 0.0)))),
    ]


def _device(model: Model, device: DeviceView, look: Look) -> Line:
    name = min(max(look.width // 3, 14), 30)
    age = words.short(None if device.as_of is None else look.now - device.as_of)
    about = device.model or device.profile or device.address
    room = look.width - state_width() - name - 11
    return line(
        *mark(model.device_state(device, look.now)),
        fit(device.title, name), " ", fit(about, room), " ", Span(fit(age, 4, ">"), "dim"),
    )  # fmt: skip
