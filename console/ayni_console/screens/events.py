"""Events and notebook, and one event in full."""

from __future__ import annotations

from typing import ClassVar

from textual.widgets import Input

from ayni_console.feed import NoAnswer
from ayni_console.screens.page import Page
from ayni_console.view import events as view
from ayni_console.view.page import Look, Row, Window, room_for, text
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import AskEvents, Events
from ayni_io import i18n
from ayni_io.i18n import _

_BATCH = 50
_RETRY_S = 30.0
_AHEAD = 5


class EventsPage(Page):
    """What happened, newest first, of one thing or of all; older events come as one goes down, without end.

    What is typed into the filter is looked for among those that came already, and once it is entered at the
    central, over all it remembers.
    """

    TOPIC = "events"
    FOOT: ClassVar[tuple[str, ...]] = (
        "open", "filter", "other_view", "note", "copy", "help", "back", "home",
    )  # fmt: skip

    def __init__(self, about: tuple[str, str] | None) -> None:
        super().__init__()
        self.about = about
        self.listing = view.Listing()
        self.problem = ""
        self._loading = False
        self._asked_at = 0.0
        self._alerts: frozenset[str] = frozenset()

    @property
    def events(self) -> tuple[Event, ...]:
        """Those that came so far."""
        return self.listing.events

    def crumb(self) -> str:
        """Events, notes or alarms, of what."""
        if self.about is None:
            return {"notes": _("Notes"), "alarms": _("Alarms")}.get(self.listing.only, _("Events"))
        name = self.app.model.title(*self.about)
        match self.listing.only:
            case "notes":
                return _("Notes on {name}", name=name)
            case "alarms":
                return _("Alarms of {name}", name=name)
        return _("Events of {name}", name=name)

    def rows(self, look: Look) -> list[Row]:
        """An event a line."""
        listing = self.listing
        filtered = "" if listing.words == self.wanted else self.wanted
        return view.rows(self.app.model, look, listing.events, self.problem, listing.asked, filtered, listing)

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
        if self._loading:
            return
        alerts = frozenset(self.app.model.alerts)
        if alerts != self._alerts or (self.problem and now - self._asked_at > _RETRY_S):
            self.fetch(self._load())
        elif self.listing.asked and not self.listing.whole and self._is_near_end():
            self.fetch(self._load_older())

    def _is_near_end(self) -> bool:
        look = self.look()
        return max(self.window.at + _AHEAD, self.window.top + room_for(look)) >= len(self.rows(look))

    async def _load(self) -> None:
        self._alerts = frozenset(self.app.model.alerts)
        answer = await self._ask(None)
        if answer is not None:
            self.listing.take_newest(answer, _BATCH)
        self.paint()

    async def _load_older(self) -> None:
        answer = await self._ask(self.listing.before())
        if answer is not None:
            self.listing.take_older(answer, _BATCH)
        self.paint()

    async def _ask(self, before: float | None) -> Events | None:
        self._asked_at = self.app.now()
        listing, (kind, name) = self.listing, self.about or (None, None)
        question = AskEvents(
            before=before, limit=_BATCH, kind=kind, name=name, only=listing.only, words=listing.words,
            language=i18n.language(),
        )  # fmt: skip
        self._loading = True
        try:
            answer = await self.app.feed.ask(question, Events)
        except NoAnswer as problem:
            self.problem = "" if self.events else str(problem)
            return None
        finally:
            self._loading = False
        self.problem = ""
        return answer

    def _look_for(self, only: str, words: str) -> None:
        """Another question: what came for the last one is of no use."""
        self.listing = view.Listing(only=only, words=words)
        self.window, self.problem = Window(), ""
        self.fetch(self._load())
        self.paint()

    def action_other_view(self) -> None:
        """All, only notes, only alarms."""
        only = view.ONLY[(view.ONLY.index(self.listing.only) + 1) % len(view.ONLY)]
        self._look_for(only, self.listing.words)

    def action_filter(self) -> None:
        """Type a word; entered, it is looked for over all history."""
        label = _("Find (! in front: without it; Enter looks through all history, Esc shows all):")
        self.open_prompt("filter", label, self.wanted)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A word was entered: the central looks for it, over all that it remembers. (Textual calls the
        handlers of all classes: that of `Page` follows.)"""
        if self.prompt_action == "filter":
            self.wanted = event.value
            self._follow_filter()

    def action_back(self) -> None:
        """When the filter is taken away, all is shown again."""
        super().action_back()
        if self.is_attached and self.prompt is None:
            self._follow_filter()

    def _follow_filter(self) -> None:
        words = self.wanted.strip()
        if words != self.listing.words:
            self._look_for(self.listing.only, words)

    def noted(self) -> None:
        """The note stands in the list at once."""
        self.fetch(self._load())

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
