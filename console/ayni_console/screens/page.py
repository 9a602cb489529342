"""What all screens share: the sheet they draw on, keys, the selected row, the line to type into."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.screen import Screen
from textual.widgets import Input

from ayni_console import keys
from ayni_console.feed import NoAnswer
from ayni_console.lines import Line, Span, line
from ayni_console.sheet import Sheet
from ayni_console.view import frame
from ayni_console.view.page import Look, Row, Window, arrange, room_for
from ayni_core.wire.questions import AskNote, Done
from ayni_io.i18n import _

if TYPE_CHECKING:
    from ayni_console.app import ConsoleApp


def _bindings() -> list[BindingType]:
    made: list[BindingType] = [Binding(key.keys, key.action, show=False) for key in keys.KEYS]
    made += [Binding(name, action, show=False) for name, action in keys.MOVES]
    return made


class Prompt(Input):
    """The line at the bottom for a filter, a note or a command."""

    DEFAULT_CSS = """
    Prompt {
        dock: bottom; height: 1; border: none; padding: 0 1; background: $background; color: $foreground;
    }
    Prompt:focus { border: none; }
    """


class Page(Screen[None]):
    """A screen of lines. Subclasses say what it shows and what its keys do."""

    BINDINGS: ClassVar[list[BindingType]] = _bindings()
    AUTO_FOCUS = ""
    TOPIC = ""
    FOOT: ClassVar[tuple[str, ...]] = ()
    app: ConsoleApp

    def __init__(self) -> None:
        super().__init__()
        self.window = Window()
        self.wanted = ""
        self.prompt: Prompt | None = None
        self.prompt_for = ""
        self._sheet: Sheet | None = None

    # what a subclass says

    def crumb(self) -> str:
        """Its name in the breadcrumb line."""
        return ""

    def rows(self, look: Look) -> list[Row]:
        """Its body."""
        return []

    def head(self, look: Look) -> Line:
        """Its first line."""
        middle = self.middle(look)
        return frame.head(
            self.app.model, look, frame.crumbs(self.app.crumbs()), middle, paused=self.app.paused
        )

    def middle(self, look: Look) -> Line:
        """What stands in the middle of its first line."""
        return ()

    def subject(self) -> tuple[str, str] | None:
        """The (kind, name) that advice and notes are about."""
        return None

    def sites(self) -> tuple[str, ...]:
        """Sites that are looked at here: their monitors send copies of each poll meanwhile."""
        return ()

    def as_message(self, look: Look) -> str:
        """What `c` copies: the lines that are seen, unless a screen has a better message."""
        return "\n".join("".join(span.text for span in each).rstrip() for each in self.drawn_lines(look))

    def meaning(self) -> str:
        """What the selected line means, for the help screen."""
        return ""

    def enter_does(self) -> str:
        """What Enter does, where it does not open."""
        return ""

    def open_row(self, key: str) -> None:
        """Enter was pressed on a row."""

    def tick(self, now: float) -> None:
        """Once a second, also while paused: ask anew for what gets old."""

    # drawing

    def compose(self) -> ComposeResult:
        """One sheet over the whole screen."""
        self._sheet = Sheet(self.app.looks, self.app.ascii_only)
        yield self._sheet

    def look(self) -> Look:
        """For what size and moment to draw."""
        return Look(width=self.app.size.width, height=self.app.size.height, now=self.app.now())

    def paint(self) -> None:
        """Draw again; only what changed is sent."""
        if self._sheet is None or not self.is_attached or not self.app.size.width:
            return
        look = self.look()
        drawn = arrange(look, self.head(look), self.rows(look), self._foot(look), self.window)
        self._sheet.show(drawn.lines)
        if drawn.selected is not None and self.prompt is None:
            self.app.cursor_position = Offset(0, drawn.selected)

    def drawn_lines(self, look: Look) -> Sequence[Line]:
        """The lines as they would be drawn now."""
        return arrange(look, self.head(look), self.rows(look), self._foot(look), self.window).lines[:-2]

    def _foot(self, look: Look) -> list[Line]:
        if self.prompt is not None:
            return [line(Span(self.prompt_for, "head")), ()]
        notice = self.app.notice_shown()
        first = line(Span(f" {notice}", "head")) if notice else frame.rule(look)
        if not notice and self.wanted:
            kept = _("only lines with: {words}  (Esc shows all)", words=self.wanted)
            first = line(Span(f" {kept}", "weak"))
        return [first, frame.keys(keys.footer(self.foot_keys(), self.enter_does()), look)]

    def foot_keys(self) -> tuple[str, ...]:
        """The keys in the foot, in order."""
        return self.FOOT

    def on_resize(self, event: events.Resize) -> None:
        """Another size: everything is laid out anew."""
        self.paint()

    def on_screen_resume(self) -> None:
        """Shown, or shown again."""
        self.app.feed.look_at(self.sites())
        self.paint()

    def fetch(self, work: Coroutine[Any, Any, None], group: str = "load") -> None:
        """Ask in the background; the newest question of a group replaces the one before."""
        self.run_worker(work, group=group, exclusive=True)

    # moving

    def action_move(self, step: int) -> None:
        """Select another row."""
        self._move(step)

    def action_page(self, way: int) -> None:
        """A screenful up or down."""
        self._move(way * max(room_for(self.look()) - 2, 1))

    def _move(self, step: int) -> None:
        look = self.look()
        self.window.move(self.rows(look), step, room_for(look))
        self.paint()

    def action_open(self) -> None:
        """Open the selected row."""
        if self.window.key is not None:
            self.open_row(self.window.key)

    def action_back(self) -> None:
        """End typing, then show everything again, then go back."""
        if self.prompt is not None:
            self.close_prompt()
            if self.prompt_action == "filter":
                self.wanted = ""
        elif self.wanted:
            self.wanted = ""
        else:
            self.app.go_back()
            return
        self.paint()

    # typing

    prompt_action = ""

    def open_prompt(self, action: str, label: str, value: str = "") -> None:
        """Show a line to type into; `typed` gets what is typed, `entered` what was entered."""
        if self.prompt is None:
            self.prompt_action, self.prompt_for = action, f" {label}"
            self.prompt = Prompt(value=value)
            self.prompt.cursor_blink = False
            self.mount(self.prompt)
            self.prompt.focus()
            self.paint()

    def close_prompt(self) -> None:
        """Take the line away again."""
        if self.prompt is not None:
            self.prompt.remove()
            self.prompt = None

    def on_input_changed(self, event: Input.Changed) -> None:
        """Something was typed: a filter follows at once."""
        if self.prompt is not None and self.prompt_action in ("filter", "palette"):
            self.wanted = event.value
            self.paint()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the line."""
        self.close_prompt()
        if self.prompt_action == "note" and event.value.strip():
            self.fetch(self._write(event.value.strip()), "note")
        self.paint()

    async def _write(self, words: str) -> None:
        kind, name = self.subject() or ("", "")
        try:
            await self.app.feed.ask(AskNote(kind=kind, name=name, text=words[:1000]), Done)
            self.app.tell(_("Noted."))
        except NoAnswer as problem:
            self.app.tell(_("Not noted: {reason}", reason=problem))

    def action_filter(self) -> None:
        """Type a word; only lines with it stay."""
        self.open_prompt(
            "filter", _("Find (! in front: without it; Enter keeps, Esc shows all):"), self.wanted
        )

    def action_note(self) -> None:
        """Write into the notebook."""
        subject = self.subject()
        name = self.app.model.title(*subject) if subject else self.app.model.community.title
        self.open_prompt("note", _("Note on {name} (Enter writes, Esc leaves):", name=name))

    # keys that mean the same everywhere

    def action_home(self) -> None:
        """Back to Home at once."""
        self.app.go_home()

    def action_advice(self) -> None:
        """What do I do now?"""
        self.app.open_advice(self.subject())

    def action_map(self) -> None:
        """The map."""
        self.app.open_map()

    def action_events(self) -> None:
        """Events of the thing shown, or of all."""
        self.app.open_events(self.subject())

    def action_messages(self) -> None:
        """Messages to people."""
        self.app.open_messages()

    def action_lab(self) -> None:
        """The lab."""
        self.app.open_lab()

    def action_copy(self) -> None:
        """Copy as a message."""
        self.app.copy(self.as_message(self.look()))

    def action_pause(self) -> None:
        """Hold still, or go on."""
        self.app.pause()

    def action_help(self) -> None:
        """Help for this screen."""
        self.app.open_help(self.TOPIC, self.meaning(), self.foot_keys())

    def action_palette(self) -> None:
        """Find a command."""
        self.app.open_palette(self)

    def action_repaint(self) -> None:
        """Draw everything anew."""
        self.app.show_all()

    def action_leave(self) -> None:
        """End the console."""
        self.app.exit()
