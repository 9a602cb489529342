"""What all screens share: the sheet they draw on, keys, the selected row, the line to type into."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Size
from textual.screen import Screen

from ayni_console import keys, pointer
from ayni_console.lines import Line, Span, line
from ayni_console.sheet import Sheet
from ayni_console.view import frame
from ayni_console.view.page import Drawn, Look, Row, Window, arrange, at_row, room_for
from ayni_io import phrases
from ayni_io.i18n import _

if TYPE_CHECKING:
    from textual.widgets import Input

    from ayni_console.app import ConsoleApp
    from ayni_console.prompt import Prompt


def _bindings() -> list[BindingType]:
    made: list[BindingType] = [Binding(key.keys, key.action, show=False) for key in keys.KEYS]
    made += [Binding(name, action, show=False) for name, action in keys.MOVES]
    return made


class Page(Screen[None]):
    """A screen of lines. Subclasses say what it shows and what its keys do."""

    BINDINGS: ClassVar[list[BindingType]] = _bindings()
    AUTO_FOCUS = ""
    BLANK = True  # the sheet is over all of it
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
        self._painted_for = Size()

    # what a subclass says

    def crumb(self) -> str:
        """Its name in the breadcrumb line."""
        return ""

    def rows(self, look: Look) -> Sequence[Row]:
        """Its body; of thousands of rows make `view.page.Rows`."""
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
        self._sheet = Sheet(self.app.looks, self.app.ascii_only, wanted=self.paint)
        yield self._sheet

    def look(self) -> Look:
        """For what size and moment to draw."""
        size = self.app.size
        return Look(width=size.width, height=size.height, now=self.app.now(), braille=self.app.braille)

    def paint(self) -> None:
        """Draw again; only what changed is sent. Before it is laid out there is nothing to draw on: the sheet
        calls when there is."""
        if self._sheet is None or not self.is_attached or not self._sheet.size:
            return
        self._painted_for = self.app.size
        look = self.look()
        drawn = self._arranged(look)
        self._sheet.show(drawn.lines)
        if drawn.selected is not None and self.prompt is None:
            self.app.cursor_position = Offset(0, drawn.selected)

    def drawn_lines(self, look: Look) -> Sequence[Line]:
        """The lines as they would be drawn now."""
        return self._arranged(look).lines[:-2]

    def _arranged(self, look: Look) -> Drawn:
        """The rows first: a head says what is in them."""
        rows = self.rows(look)
        return arrange(look, self.head(look), rows, self._foot(look), self.window)

    def _foot(self, look: Look) -> list[Line]:
        if self.prompt is not None:
            return [line(Span(frame.asked(self.prompt_for, look), "head")), ()]
        notice = self.app.notice_shown()
        first = line(Span(f" {notice}", "head")) if notice else frame.rule(look)
        lost = self.banner(look)
        if not notice and lost:
            first = line(Span(f" ? {lost}", "down"))
        elif not notice and self.wanted:
            kept = _("only lines with: {words}  (Esc shows all)", words=self.wanted)
            first = line(Span(f" {kept}", "weak"))
        return [first, frame.keys(keys.footer(self.foot_keys(), self.enter_does()), look)]

    def banner(self, look: Look) -> str:
        """Why there is no contact, said on every screen as long as there is none."""
        return phrases.trouble(self.app.model, look.now)

    def foot_keys(self) -> tuple[str, ...]:
        """The keys in the foot, in order."""
        return self.FOOT

    def on_resize(self, event: events.Resize) -> None:
        """Another size: everything is laid out anew. A new page hears of its first size, too."""
        if self._painted_for != self.app.size:
            self.paint()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Shown, or shown again."""
        event.refresh_styles = False  # they were found as it was made; and nothing here changes them
        self.app.look_at(self.sites())
        self.paint()

    def fetch(self, work: Coroutine[Any, Any, None], group: str = "load") -> None:
        """Ask in the background; the newest question of a group replaces the one before."""
        self.run_worker(work, group=group, exclusive=True)

    # moving

    def action_move(self, step: int) -> None:
        """Select another row."""
        self._move(step)

    def action_aside(self, way: int) -> None:
        """Left or right, where that means something."""

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

    # a finger, where a browser shows the console

    def on_click(self, event: events.Click) -> None:
        """On a row: select it, or open it; on a word of the foot: what its key does."""
        look, x, y = self.look(), int(event.screen_x), int(event.screen_y)
        if self.prompt is not None or self._sheet is None:
            return
        if y == look.height - 1:
            action = pointer.action_at(self._sheet.lines[-1], x)
            if action is not None:
                self.run_worker(self.run_action(action))
            return
        key = pointer.row_at(look, self.rows(look), self.window, len(self._foot(look)), y)
        if key is not None and key == self.window.key:
            self.action_open()
        elif key is not None:
            self.window = at_row(key, self.window)
            self.paint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel."""
        self._move(pointer.WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel."""
        self._move(-pointer.WHEEL)

    # typing

    prompt_action = ""
    _entered: Callable[[str], None] | None = None

    def open_prompt(
        self,
        action: str,
        label: str,
        value: str = "",
        *,
        then: Callable[[str], None] | None = None,
        hidden: bool = False,
    ) -> None:
        """Show a line to type into; `then` gets what was entered. `hidden`: nobody reads along."""
        from ayni_console.prompt import Prompt

        if self.prompt is None:
            self.prompt_action, self.prompt_for, self._entered = action, f" {label}", then
            self.prompt = Prompt(value=value, password=hidden)
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
        entered, self._entered = self._entered, None
        self.close_prompt()
        if entered is not None:
            entered(event.value)
        self.paint()

    def action_filter(self) -> None:
        """Type a word; only lines with it stay."""
        self.open_prompt(
            "filter", _("Find (! in front: without it; Enter keeps, Esc shows all):"), self.wanted
        )

    def action_note(self) -> None:
        """Write into the notebook."""
        from ayni_console.screens import acts

        acts.note(self)

    def noted(self) -> None:
        """A note was written here."""

    def action_do(self) -> None:
        """What can I do here?"""
        self.app.deeds.open_do(self.subject() or ("", ""))

    def action_take_on(self) -> None:
        """Take on the alarms of what is selected, or give them back."""
        from ayni_console.screens import acts

        acts.take_on(self)

    # keys that mean the same everywhere

    def action_home(self) -> None:
        """Back to Home at once."""
        self.app.go_home()

    def action_advice(self) -> None:
        """What do I do now?"""
        self.app.open_advice(self.subject())

    def action_map(self) -> None:
        """The map, at the site of what is shown."""
        self.app.open_map(self.subject())

    def action_events(self) -> None:
        """Events of the thing shown, or of all."""
        self.app.open_events(self.subject())

    def action_health(self) -> None:
        """How Ayni itself is."""
        self.app.open_health()

    def action_messages(self) -> None:
        """Messages to people."""
        self.app.open_messages()

    def action_lab(self) -> None:
        """The lab."""
        self.app.open_lab()

    def action_copy(self) -> None:
        """Copy as a message."""
        self.app.copy(self.as_message(self.look()))

    def action_language(self) -> None:
        """Choose the language and the colours."""
        self.app.open_language()

    def action_pause(self) -> None:
        """Hold still, or go on."""
        self.app.pause()

    def action_replay(self) -> None:
        """The past, or back to now."""
        self.app.open_replay()

    def action_faster(self) -> None:
        """In the past: another speed."""
        self.app.faster()

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
        self.app.leave()
