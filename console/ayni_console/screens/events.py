"""Events and notebook, and one event in full."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.screens.page import Page
from ayni_console.view import events as view
from ayni_console.view.page import Look, Row, text
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import AskEvents, Events
from ayni_io.i18n import _

_BATCH = 50
_RETRY_S = 30.0


class EventsPage(Page):
    """What happened, newest first, of one thing or of all; older events come as one goes down."""

    TOPIC = "events"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "filter", "note", "copy", "help", "back", "home")

    def __init__(self, about: tuple[str, str] | None) -> None:
        super().__init__()
        self.about = about
        self.events: tuple[Event, ...] = ()
        self.problem = ""
        self._asked = False
        self._complete = False
        self._asked_at = 0.0
        self._alerts: frozenset[str] = frozenset()

    def crumb(self) -> str:
        """Events, of what."""
        if self.about is None:
            return _("Events")
        return _("Events of {name}", name=self.app.model.title(*self.about))

    def rows(self, look: Look) -> list[Row]:
        """An event a line."""
        return view.rows(self.app.model, look, self.events, self.problem, self._asked, self.wanted)

    def subject(self) -> tuple[str, str] | None:
        """What the screen is about, else the selected event."""
        if self.about is not None:
            return self.about
        event = self._selected()
        return (event.kind, event.name) if event is not None and event.name else None

    def _selected(self) -> Event | None:
        return next((event for event in self.events if view.key_of(event) == self.window.key), None)

    def on_mount(self) -> None:
        """Ask for the newest."""
        self.fetch(self._load())

    def tick(self, now: float) -> None:
        """Ask again when an alert came or went; ask for older ones near the end."""
        alerts = frozenset(self.app.model.alerts)
        if alerts != self._alerts or (self.problem and now - self._asked_at > _RETRY_S):
            self.fetch(self._load())
        elif not self._complete and self.events and self.window.at >= len(self.events) - 5:
            self.fetch(self._load_older())

    async def _load(self) -> None:
        self._alerts = frozenset(self.app.model.alerts)
        found = await self._ask(None)
        if found is not None:
            self.events, self._complete = found, len(found) < _BATCH
        self.paint()

    async def _load_older(self) -> None:
        found = await self._ask(min(event.at for event in self.events))
        if found is not None:
            self.events = view.joined(self.events, found)
            self._complete = len(found) < _BATCH
        self.paint()

    async def _ask(self, before: float | None) -> tuple[Event, ...] | None:
        self._asked_at = self.app.now()
        kind, name = self.about or (None, None)
        try:
            answer = await self.app.feed.ask(
                AskEvents(before=before, limit=_BATCH, kind=kind, name=name), Events
            )
        except NoAnswer as problem:
            self.problem = "" if self.events else str(problem)
            return None
        self._asked, self.problem = True, ""
        return answer.events

    async def _write(self, words: str) -> None:
        await super()._write(words)
        await self._load()

    def open_row(self, key: str) -> None:
        """The event in full."""
        event = self._selected()
        if event is not None:
            self.app.push_screen(EventPage(event))


class EventPage(Page):
    """One event in full; Enter opens what it speaks of."""

    TOPIC = "events"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "advice", "copy", "help", "back")

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event

    def crumb(self) -> str:
        """One event."""
        return _("Event")

    def rows(self, look: Look) -> list[Row]:
        """Its whole text."""
        return [text(" ", each) for each in view.full(self.app.model, self.event, look)]

    def subject(self) -> tuple[str, str] | None:
        """What it speaks of."""
        return (self.event.kind, self.event.name) if self.event.name else None

    def action_open(self) -> None:
        """The thing it speaks of."""
        if self.event.name:
            self.app.open_thing(self.event.kind, self.event.name)
