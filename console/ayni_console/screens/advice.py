"""Advice: what to do now about one thing, step by step, until it is proved mended."""

from __future__ import annotations

from typing import ClassVar

from ayni_console import advice, verify
from ayni_console.lines import Line, line
from ayni_console.screens.page import Page
from ayni_console.view import repair as view
from ayni_console.view import wrong
from ayni_console.view.page import Look, Row, Window, at_row
from ayni_io.i18n import _


class AdvicePage(Page):
    """Enter: done, next. x: could not. w: other ideas."""

    TOPIC = "advice"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "could_not", "ideas", "copy", "note", "help", "back")

    def __init__(self, kind: str, name: str) -> None:
        super().__init__()
        self.kind, self.name_of = kind, name
        self.choosing = False

    def crumb(self) -> str:
        """The question."""
        return _("What do I do now?")

    def progress(self) -> advice.Progress:
        """How far it is; begun with the probable cause."""
        found = self.app.progress.get(self.subject())
        if found is None:
            found = advice.Progress(wrong.probable(self.app.model, self.subject(), self.app.now()))
            self.app.progress[self.subject()] = found
        return found

    def middle(self, look: Look) -> Line:
        """`step 3 of 6`."""
        progress = self.progress()
        count = len(advice.steps(progress.cause))
        step = min(progress.current(count) + 1, count)
        return line(_("step {n} of {count}", n=step, count=count))

    def rows(self, look: Look) -> list[Row]:
        """The steps, or the other ideas."""
        progress = self.progress()
        if self.choosing:
            return view.idea_rows(progress.cause)
        link = self.app.model.links.get(self.name_of) if self.kind == "link" else None
        if link is not None:
            progress.take(view.heard(self.app.model, link, look.now))
        watched = self.app.verifying.get((self.kind, self.name_of))
        return view.advice_rows(
            self.app.model,
            self.kind,
            self.name_of,
            wrong.headline(self.app.model, self.subject(), look.now),
            progress,
            watched,
            look,
        )

    def subject(self) -> tuple[str, str]:
        """The thing."""
        return self.kind, self.name_of

    def sites(self) -> tuple[str, ...]:
        """Where it is: live numbers are wanted."""
        site = self.app.model.site_of(self.kind, self.name_of)
        return (site,) if site else ()

    def on_mount(self) -> None:
        """The first step that has no mark is selected."""
        self._select_current()

    def _select_current(self) -> None:
        progress = self.progress()
        count = len(advice.steps(progress.cause))
        self.window = at_row(f"step:{min(progress.current(count), count - 1)}")
        self.paint()

    def _mark(self, mark: str) -> None:
        progress, now = self.progress(), self.app.now()
        steps = advice.steps(progress.cause)
        what, _colon, number = (self.window.key or "").partition(":")
        if what != "step":
            return
        chosen = int(number)
        progress.marks[chosen] = (mark, now)
        if steps[chosen].kind == "verify" and mark == "done":
            self.app.verifying[self.kind, self.name_of] = verify.begin(
                self.app.model, now, [(self.kind, self.name_of)]
            )
        self._select_current()

    def enter_does(self) -> str:
        """It marks a step, opens the thing, or chooses another cause."""
        if self.choosing:
            return _("choose")
        return _("open") if (self.window.key or "").startswith("thing:") else _("done")

    def open_row(self, key: str) -> None:
        """The step is done, or the idea is chosen."""
        what, _colon, name = key.partition(":")
        if what == "cause":
            self.choosing = False
            self.app.progress[self.kind, self.name_of] = advice.Progress(name)
            self._select_current()
        elif what == "thing":
            self.app.open_thing(self.kind, self.name_of)
        else:
            self._mark("done")

    def action_could_not(self) -> None:
        """The step could not be done."""
        if not self.choosing:
            self._mark("could_not")

    def action_ideas(self) -> None:
        """Other causes."""
        self.choosing = not self.choosing
        self.window = Window()
        if not self.choosing:
            self._select_current()
        self.paint()

    def action_back(self) -> None:
        """From the ideas back to the steps."""
        if self.choosing and self.prompt is None:
            self.choosing = False
            self.paint()
        else:
            super().action_back()
