"""What this console does besides showing: who acts, which commands were given, which sites are watched.

A command goes on when its page is left, and its news are kept here for whoever comes back to it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.worker import WorkType

from ayni_console import screens, unsent
from ayni_console.acting import Acting
from ayni_console.feed import NoAnswer
from ayni_console.job import Job
from ayni_console.screens import acts
from ayni_console.screens.home import HomePage
from ayni_core.commands import OrderError
from ayni_core.wire.questions import AskCommand, AskNote, Done
from ayni_io import words
from ayni_io.i18n import _, say

if TYPE_CHECKING:
    from ayni_console.app import ConsoleApp
    from ayni_console.screens.page import Page

_MOST_JOBS = 20
_LOOK_S = 15.0
_ASK_AGAIN_S = 30.0


class Deeds:
    """Belongs to one console. `tick` is called once a second."""

    def __init__(self, app: ConsoleApp) -> None:
        self.acting = Acting()
        self.jobs: list[Job] = []
        self._app = app
        self._running: set[str] = set()
        self._watched: dict[str, float] = {}
        self._seen: tuple[str, ...] = ()
        self._asked_at: float | None = None
        self._unsent = unsent.read(app.notes_in) if app.notes_in else []
        self._send_at = 0.0

    def tick(self, now: float) -> None:
        """What was watched long enough is so no more; on a shared login people are asked who they are."""
        ended = [site for site, until in self._watched.items() if until <= now]
        for site in ended:
            del self._watched[site]
        if ended:
            self.look_at(self._seen)
        page = self._app.page()
        if page is None or self._app.replay is not None:
            return
        if self._unsent and now >= self._send_at and self._app.model.contact(now) == "live":
            self._send_at = now + _ASK_AGAIN_S
            self.in_background(self._send_notes())
        if self.acting.me is None and self._app.model.contact(now) == "live":
            if self._asked_at is None or now - self._asked_at > _ASK_AGAIN_S:
                self._asked_at = now
                greet: WorkType[None] = self._greet
                self._app.run_worker(greet, group="me", exclusive=True)
        elif self.acting.wants_name and not self.acting.looks and _idle(page):
            self.open_who(None)

    async def _greet(self) -> None:
        page = self._app.page()
        if page is None:
            return
        try:
            await acts.know_me(page)
        except NoAnswer:
            return  # it is asked again, at the latest when somebody wants to do something
        page.paint()

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Something that goes on whatever page is shown."""
        self._app.run_worker(work, group="deeds")

    # ---- pages

    def open_do(self, about: tuple[str, str], *, beside: bool = False) -> None:
        """What can be done about a thing. `beside`: also on top of the same about another one. Where that
        page lies below already, the way leads back to it."""
        stack = self._app.screen_stack
        below = [page for page in stack if isinstance(page, screens.DoPage) and page.about == about]
        if below:
            while self._app.screen is not below[-1]:
                self._app.pop_screen()
        elif beside or not isinstance(self._app.screen, screens.DoPage):
            self._app.push_screen(screens.DoPage(about))

    def open_who(self, then: Callable[[], None] | None) -> None:
        """Who are you?"""
        if not isinstance(self._app.screen, screens.WhoPage):
            self._app.push_screen(screens.WhoPage(then))

    def open_ports(self, device: str, do: str) -> None:
        """Which port?"""
        self._app.push_screen(screens.PortsPage(device, do))

    def open_command(self, kind: str, where: str, do: str, **fields: Any) -> None:
        """A command, to be looked at first where it changes something."""
        self._open(kind, AskCommand(id="", where=where, do=do, **fields))

    def open_again(self, job: Job, asked: AskCommand, *, force: bool = False) -> None:
        """The same or its contrary, as a new command in the place of the old one's page."""
        self._app.go_back()
        self._open(job.kind, replace(asked, force=force))

    def open_job(self, identifier: str) -> None:
        """One that was given before."""
        job = next((each for each in self.jobs if each.asked.id == identifier), None)
        if job is not None:
            self._app.push_screen(screens.CommandPage(job))

    def _open(self, kind: str, asked: AskCommand) -> None:
        asked = replace(asked, id=secrets.token_hex(6), key="", author="")
        try:
            job = Job(asked, kind, self._app.now())
        except OrderError as refusal:
            self._app.tell(say(refusal.text))
            return
        self._app.push_screen(screens.CommandPage(job))

    # ---- commands

    def is_running(self, job: Job) -> bool:
        """Whether news of it are waited for."""
        return job.asked.id in self._running

    def run(self, job: Job) -> None:
        """Ask what would happen, or give it, and take its news in."""
        if self.is_running(job):
            return
        self._running.add(job.asked.id)
        if job.stage == "given" and job not in self.jobs:
            self.jobs = [*self.jobs, job][-_MOST_JOBS:]
        self.in_background(self._run(job))

    async def _run(self, job: Job) -> None:
        looks = job.stage == "looking"
        asked = self.acting.sign(job.looks if looks else job.asked)
        try:
            silent_s = _LOOK_S if looks else job.silent_s()
            async for news in self._app.feed.follow(asked, silent_s=silent_s):
                job.take(news, self._app.now())
                self._tell(job)
        except NoAnswer as problem:
            job.lose(str(problem))
        finally:
            self._running.discard(job.asked.id)
        self._tell(job)

    def _tell(self, job: Job) -> None:
        page = self._app.page()
        if isinstance(page, screens.CommandPage) and page.job is job:
            page.heard()

    # ---- notes written without contact

    def keep_note(self, asked: AskNote, why: str) -> None:
        """The central cannot take it now: the note goes as soon as it can."""
        late = replace(asked, at=round(self._app.now(), 1))
        self._unsent.append(late)
        problem = unsent.keep(self._app.notes_in, late) if self._app.notes_in else ""
        if problem:
            self._app.tell(_("The note goes later, if you do not leave: {reason}", reason=problem))
        else:
            self._app.tell(_("{reason} The note is kept and goes later.", reason=why))

    async def _send_notes(self) -> None:
        for note in tuple(self._unsent):
            try:
                await self._app.feed.ask(note, Done)
            except NoAnswer as problem:
                if problem.context in unsent.LATER:
                    return  # with a later tick
                self._app.tell(_("Not noted: “{text}”: {reason}", text=note.text, reason=problem))
            else:
                time = words.clock(note.at or 0.0)
                self._app.tell(_("Noted, as written at {time}: “{text}”", time=time, text=note.text))
            self._unsent.remove(note)
            if self._app.notes_in:
                unsent.drop(self._app.notes_in, note)

    # ---- watching

    def look_at(self, sites: tuple[str, ...]) -> None:
        """These sites are on the screen now; those that are watched on purpose go on all the same."""
        self._seen = sites
        self._app.feed.look_at((*sites, *(site for site in self._watched if site not in sites)))

    def watch(self, sites: tuple[str, ...], for_s: float) -> None:
        """Let sites send every poll at once for a while; 0: no longer."""
        for site in sites:
            if for_s:
                self._watched[site] = self._app.now() + for_s
            else:
                self._watched.pop(site, None)
        self.look_at(self._seen)

    def watched_until(self, sites: tuple[str, ...]) -> float | None:
        """Until when sites are watched on purpose; None unless all of them are."""
        until = [self._watched.get(site, 0.0) for site in sites]
        return min(until) if until and all(until) else None


def _idle(page: Page) -> bool:
    """Whether nobody is disturbed by a question."""
    return isinstance(page, HomePage) and page.prompt is None
