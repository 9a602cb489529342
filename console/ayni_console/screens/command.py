"""One command: first what would happen, then how far it is, then what came of it."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.acting import PIN_WANTED
from ayni_console.job import Job
from ayni_console.screens import acts
from ayni_console.screens.page import Page
from ayni_console.view import command as view
from ayni_console.view.page import Look, Row, Window
from ayni_io.i18n import _


class CommandPage(Page):
    """It goes on when this page is left; the page "What can I do?" leads back to it."""

    TOPIC = "command"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "copy", "help", "back", "home", "events")

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self._stage = ""
        self._asked_pin = False

    def crumb(self) -> str:
        """What is done; where stands in its first line."""
        return " ".join(word for word in (self.job.asked.do, self.job.asked.item) if word)

    def subject(self) -> tuple[str, str]:
        """The device or monitor."""
        return self.job.kind, self.job.asked.where

    def rows(self, look: Look) -> list[Row]:
        """All that is known of it."""
        return view.rows(self.app.model, self.job, look)

    def as_message(self, look: Look) -> str:
        """What was done, and what came of it."""
        return view.as_message(self.app.model, self.job)

    def enter_does(self) -> str:
        """It agrees, or leaves."""
        return _("choose")

    def on_mount(self) -> None:
        """Ask what would happen; what changes nothing begins at once."""
        if self.job.stage == "looking":
            self.app.deeds.run(self.job)
        elif self.job.stage == "given" and self.job.last is None and not self.app.deeds.is_running(self.job):
            acts.allowed(self, self._give)
        elif self.job.why == PIN_WANTED:  # it was refused while nobody looked
            self.heard()

    def paint(self) -> None:
        """What can be chosen changes with the stage: then the harmless line is the selected one."""
        if self.job.stage != self._stage:
            self._stage, self.window = self.job.stage, Window()
        super().paint()

    def heard(self) -> None:
        """News of the job came."""
        if self.job.stage == "refused" and self.job.why == PIN_WANTED and not self._asked_pin:
            self._asked_pin = True
            self.app.deeds.acting.forgotten()
            acts.allowed(self, self._give)
        self.paint()

    def _give(self) -> None:
        self.job.steps.clear()
        self.job.give(self.app.now())
        self.app.deeds.run(self.job)
        self.paint()

    def open_row(self, key: str) -> None:
        """Agree, leave, or go on from its end."""
        job, now = self.job, self.app.now()
        match key:
            case "leave":
                self.app.go_back()
            case "give":
                acts.allowed(self, self._give)
            case "look":
                job.problem = ""
                self.app.deeds.run(job)
                self.paint()
            case "again":
                job.again(now)
                self.app.deeds.run(job)
            case "repeat":
                self.app.deeds.open_again(job, job.asked)
            case "force":
                self.app.deeds.open_again(job, job.asked, force=True)
            case "undo":
                undo = job.undo()
                if undo is not None:
                    self.app.deeds.open_again(job, undo)
