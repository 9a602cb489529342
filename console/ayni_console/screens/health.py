"""Health: how the central and the monitors are; and one monitor in full."""

from __future__ import annotations

import contextlib
from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.lines import Line
from ayni_console.screens.events import EventPage
from ayni_console.screens.page import Page
from ayni_console.view import events as events_view
from ayni_console.view import frame, health, monitor, plain_health
from ayni_console.view.page import Look, Row
from ayni_core.wire.health import MOST_MONITORS, AskHealth, Health, MonitorHealth
from ayni_core.wire.messages import Event, NodeView
from ayni_core.wire.questions import AskDeliveries, AskEvents, Deliveries, Events
from ayni_io.i18n import _

_AGAIN_S, _RETRY_S = 60.0, 10.0
_EVENTS_AGAIN_S = 300.0
_MOST_EVENTS = 200
_MOST_SHOWN = 20


class HealthPage(Page):
    """Asked anew while it is shown. Enter opens a monitor, the messages, an event."""

    TOPIC = "health"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "messages", "filter", "events", "copy", "help", "back", "home")

    def __init__(self) -> None:
        super().__init__()
        self.told = health.Told()
        self._asked_at = self._events_at = 0.0

    def crumb(self) -> str:
        """Health."""
        return _("Health")

    def head(self, look: Look) -> Line:
        """How many monitors are well."""
        return frame.head(
            self.app.model, look, frame.crumbs(self.app.crumbs()),
            *health.summary(self.app.model, look.now), paused=self.app.paused,
        )  # fmt: skip

    def rows(self, look: Look) -> list[Row]:
        """The central, its parts, the monitors, the ways to people."""
        return health.rows(self.app.model, look, self.told, self.wanted)

    def subject(self) -> tuple[str, str] | None:
        """The monitor of the line."""
        kind, _colon, name = (self.window.key or "").partition(":")
        return ("node", name) if kind == "node" else None

    def on_mount(self) -> None:
        """Ask at once."""
        self.fetch(self._load())

    def tick(self, now: float) -> None:
        """Ask again now and then, sooner when there was no answer."""
        if now - self._asked_at >= (_RETRY_S if self.told.problem else _AGAIN_S):
            self.fetch(self._load())

    async def _load(self) -> None:
        now = self._asked_at = self.app.now()
        feed, told = self.app.feed, self.told
        try:
            found = await feed.ask(AskHealth(monitors=self._wanted_monitors()), Health)
            told.central, told.parts, told.problem, told.at = found.central, found.parts, "", now
            told.certificates, told.backup = found.certificates, found.backup
            told.monitors.update({each.id: each for each in found.monitors})
        except NoAnswer as problem:
            told.problem = str(problem)
        self.paint()
        with contextlib.suppress(NoAnswer):
            told.people = await feed.ask(AskDeliveries(), Deliveries)
        self.paint()
        if now - self._events_at >= _EVENTS_AGAIN_S:
            with contextlib.suppress(NoAnswer):
                told.events = await self._events(now)
                self._events_at = now
            self.paint()

    def _wanted_monitors(self) -> tuple[str, ...]:
        """All, or of very many those around what is seen."""
        nodes = self.app.model.nodes
        if len(nodes) <= MOST_MONITORS:
            return ()
        ordered = [node.id for node in health.order(self.app.model, self.told.monitors, self.app.now())]
        first = max(min(self.window.top - MOST_MONITORS // 2, len(ordered) - MOST_MONITORS), 0)
        return tuple(ordered[first : first + MOST_MONITORS])

    async def _events(self, now: float) -> list[Event]:
        answer = await self.app.feed.ask(AskEvents(limit=_MOST_EVENTS, kind=""), Events)
        lately = [each for each in answer.events if each.at >= now - plain_health.LOOKS_BACK_S]
        return plain_health.of(lately, plain_health.CENTRAL)[:_MOST_SHOWN]

    def open_row(self, key: str) -> None:
        """A monitor, the messages, or an event in full."""
        kind, _colon, name = key.partition(":")
        match kind:
            case "node":
                self.app.open_thing(kind, name)
            case "target":
                self.app.open_messages()
            case "event":
                event = next((each for each in self.told.events if events_view.key_of(each) == key), None)
                if event is not None:
                    self.app.push_screen(EventPage(event))

    def action_events(self) -> None:
        """Of the monitor of the line, else of everything."""
        self.app.open_events(self.subject())


class MonitorPage(Page):
    """One monitor. Enter opens its site, a device, an event."""

    TOPIC = "monitor"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "advice", "events", "note", "copy", "help", "back", "home")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.node = name
        self.told: MonitorHealth | None = None
        self.events: list[Event] = []
        self.problem = ""
        self._asked_at = 0.0

    def view(self) -> NodeView | None:
        """What the model knows of it."""
        return self.app.model.nodes.get(self.node)

    def crumb(self) -> str:
        """Its name."""
        return _("Monitor {name}", name=self.app.model.title("node", self.node))

    def rows(self, look: Look) -> list[Row]:
        """All that is known of it."""
        node = self.view()
        if node is None:
            return []
        return monitor.rows(self.app.model, node, self.told, self.events, self.problem, look, self.wanted)

    def subject(self) -> tuple[str, str]:
        """The monitor."""
        return "node", self.node

    def sites(self) -> tuple[str, ...]:
        """Where it stands."""
        node = self.view()
        return (node.site,) if node is not None and node.site in self.app.model.sites else ()

    def on_mount(self) -> None:
        """Ask at once."""
        self.fetch(self._load())

    def tick(self, now: float) -> None:
        """Ask again now and then, sooner when there was no answer."""
        if now - self._asked_at >= (_RETRY_S if self.problem else _AGAIN_S):
            self.fetch(self._load())

    async def _load(self) -> None:
        self._asked_at = self.app.now()
        feed = self.app.feed
        try:
            found = await feed.ask(AskHealth(monitors=(self.node,)), Health)
            self.told = next(iter(found.monitors), None)
            answer = await feed.ask(AskEvents(limit=_MOST_SHOWN, kind="node", name=self.node), Events)
            self.events, self.problem = list(answer.events), ""
        except NoAnswer as problem:
            self.problem = str(problem)
        self.paint()

    def open_row(self, key: str) -> None:
        """The site, a device, or an event in full."""
        kind, _colon, name = key.partition(":")
        if kind in ("site", "device"):
            self.app.open_thing(kind, name)
            return
        event = next((each for each in self.events if events_view.key_of(each) == key), None)
        if event is not None:
            self.app.push_screen(EventPage(event))
