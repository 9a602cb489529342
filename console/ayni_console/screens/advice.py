"""Advice: what to do now about one thing, step by step, until it is proved mended."""

from __future__ import annotations

from typing import ClassVar

from ayni_console import advice, verify
from ayni_console.lines import Line, line
from ayni_console.screens.page import Page
from ayni_console.view import home
from ayni_console.view import link as link_view
from ayni_console.view import repair as view
from ayni_console.view.page import Look, Row, Window, at_row
from ayni_core.onlooking import attention
from ayni_io.i18n import _, say


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

    def item(self) -> attention.Item | None:
        """What the worklist says of the thing."""
        return attention.find(self.app.model, self.kind, self.name_of, self.app.now())

    def progress(self) -> advice.Progress:
        """How far it is; begun with the probable cause."""
        found = self.app.progress.get((self.kind, self.name_of))
        if found is None:
            item = self.item()
            link = self.app.model.links.get(self.name_of) if self.kind == "link" else None
            cause = (item.cause if item else None) or (link.cause if link else None)
            found = advice.Progress(advice.cause_of(cause.context if cause else None))
            self.app.progress[self.kind, self.name_of] = found
        return found

    def headline(self, look: Look) -> str:
        """What is probably wrong."""
        link = self.app.model.links.get(self.name_of) if self.kind == "link" else None
        if link is not None:
            return f"{link.title}: {link_view.headline(self.app.model, link, look.now)}{self._in_hand()}"
        item = self.item()
        title = self.app.model.title(self.kind, self.name_of)
        wrong = say(item.headline) or say(item.text) if item else ""
        return f"{title}: {wrong or _('Not enough is known yet.')}{self._in_hand()}"

    def _in_hand(self) -> str:
        """Who is at it already, or why it can wait."""
        item = self.item()
        mark = home.mark(item) if item is not None else ""
        return f" ({mark})" if mark else ""

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
        watched = self.app.verifying.get((self.kind, self.name_of))
        return view.advice_rows(
            self.app.model, self.kind, self.name_of, self.headline(look), progress, watched, look
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
        chosen = int((self.window.key or "step:0").partition(":")[2])
        progress.marks[chosen] = (mark, now)
        if steps[chosen].kind == "verify" and mark == "done":
            self.app.verifying[self.kind, self.name_of] = verify.begin(
                self.app.model, now, [(self.kind, self.name_of)]
            )
        self._select_current()

    def enter_does(self) -> str:
        """It marks a step, or chooses another cause."""
        return _("choose") if self.choosing else _("done")

    def open_row(self, key: str) -> None:
        """The step is done, or the idea is chosen."""
        what, _colon, name = key.partition(":")
        if what == "cause":
            self.choosing = False
            self.app.progress[self.kind, self.name_of] = advice.Progress(name)
            self._select_current()
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
