"""What can I do here? Everything that can be done about one thing, in one list."""

from __future__ import annotations

import datetime
from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.screens import acts
from ayni_console.screens.page import Page
from ayni_console.view import do as view
from ayni_console.view import weekly
from ayni_console.view.page import Look, Row
from ayni_core.commands import OWN_PLAN
from ayni_core.schema import ConfigError
from ayni_core.wire.questions import AskMaintain, AskMaintained, AskMaintenance, Maintenance, WindowView
from ayni_io import timezones, words
from ayni_io.i18n import _

_AGAIN_S = 60.0
_MOST_NOTE = 500
WALKED = "1.3.6.1.2.1.2.2.1.8"
"""What is offered to be read: how every port is (ifOperStatus)."""
FASTER_S, FASTER_FOR_S = 10, 600
"""The plan that is offered: how often it polls, and for how long."""


class DoPage(Page):
    """Enter does what is selected, or shows first what would happen."""

    TOPIC = "do"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "take_on", "note", "help", "back", "home", "events")

    def __init__(self, about: view.Subject) -> None:
        super().__init__()
        self.about = about
        self.found = Maintenance()
        self._asked_at = 0.0

    def crumb(self) -> str:
        """What it is about."""
        return _("Do: {name}", name=view.name_of(self.app.model, self.about))

    def subject(self) -> view.Subject | None:
        """The thing that it is all about."""
        return self.about if self.about[0] else None

    def sites(self) -> tuple[str, ...]:
        """That thing's site; of a link those of both ends."""
        kind, name = self.about
        link = self.app.model.links.get(name) if kind == "link" else None
        if link is not None:
            return (link.a.site, link.b.site)
        site = self.app.model.site_of(kind, name)
        return (site,) if site else ()

    def enter_does(self) -> str:
        """It does it."""
        return _("do it")

    def _windows(self) -> list[WindowView]:
        return [each for each in self.found.windows if view.concerns(self.app.model, each, self.about)]

    def rows(self, look: Look) -> list[Row]:
        """All of it."""
        return view.rows(
            self.app.model, look, self.about, self.app.deeds.acting, self._windows(),
            [job for job in self.app.deeds.jobs if job.asked.where == self.about[1] or not self.about[0]],
            self.app.deeds.watched_until(self.sites()),
        )  # fmt: skip

    def on_mount(self) -> None:
        """Ask who we are, and what maintenance is announced."""
        self.fetch(self._load())

    def tick(self, now: float) -> None:
        """Now and then anew."""
        if now - self._asked_at >= _AGAIN_S:
            self.fetch(self._load())

    async def _load(self) -> None:
        self._asked_at = self.app.now()
        try:
            if self.app.deeds.acting.me is None and self.app.replay is None:
                await acts.know_me(self)
            self.found = await self.app.feed.ask(AskMaintenance(), Maintenance)
        except NoAnswer:
            return  # what is asked for is told when it is asked for
        finally:
            self.paint()

    def open_row(self, key: str) -> None:
        """Do it."""
        what, _colon, rest = key.partition(":")
        match what:
            case "take_on":
                acts.take_on(self)
            case "give_back":
                alert = self.app.model.alerts.get(rest)
                if alert is not None:
                    acts.allowed(self, lambda: acts.give_back(self, [alert]))
            case "note":
                acts.note(self)
            case "quiet":
                acts.allowed(self, lambda: self._announce(rest))
            case "end":
                acts.allowed(self, lambda: self._end(rest))
            case "written":
                self.app.tell(_("It stands in network.yaml: change it there."))
            case "watch" | "unwatch":
                self._watch(what == "watch")
            case "do":
                acts.named(self, lambda: self._command(rest))
            case "job":
                self.app.deeds.open_job(rest)
            case "go":
                kind, _colon, name = rest.partition(":")
                self.app.deeds.open_do((kind, name), beside=True)
            case "who":
                self.app.deeds.open_who(None)

    # ---- maintenance

    def _called(self) -> str:
        return view.name_of(self.app.model, self.about)

    def _announce(self, how: str) -> None:
        kind, name = self.about
        now = self.app.now()
        if how == "weekly":
            self.open_prompt(
                "ask",
                _("Days, hours, why (such as: sat,sun 08:00-12:00 work at the mast):"),
                then=self._weekly,
            )
            return
        if how == "tomorrow":
            asked = AskMaintain(kind=kind, name=name, end=self._tomorrow(now))
            until = view.MORNING
        else:
            seconds = {"short": view.SHORT_S, "long": view.LONG_S}[how]
            asked = AskMaintain(kind=kind, name=name, for_s=seconds)
            until = words.clock(now + seconds)
        label = _("{name}: nobody is called until {time}. Why? (Enter; Esc leaves)",
                  name=self._called(), time=until)  # fmt: skip

        def typed(why: str) -> None:
            self._maintain(AskMaintain(kind=kind, name=name, end=asked.end, for_s=asked.for_s,
                                       note=why.strip()[:_MOST_NOTE]))  # fmt: skip

        self.open_prompt("ask", label, then=typed)

    def _weekly(self, typed: str) -> None:
        if not typed.strip():
            return
        kind, name = self.about
        found = weekly.read(typed)
        if isinstance(found, str):
            self.app.tell(found)
            self.open_prompt("ask", _("Days, hours, why:"), typed, then=self._weekly)
            return
        self._maintain(
            AskMaintain(
                kind=kind, name=name, weekdays=found.weekdays, from_time=found.start, to_time=found.end,
                note=found.why[:_MOST_NOTE],
            )
        )  # fmt: skip

    def _maintain(self, asked: AskMaintain) -> None:
        said = _("Announced: nobody is called for {name}.", name=self._called())
        acts.do(self, [asked], said, self._again)

    def _end(self, identifier: str) -> None:
        window = next((each for each in self.found.windows if each.id == identifier), None)
        if window is None:
            return
        label = _("{name}: people are called again at once (Enter; Esc leaves)",
                  name=view.about(self.app.model, window))  # fmt: skip
        self.open_prompt(
            "ask", label,
            then=lambda _typed: acts.do(
                self, [AskMaintained(id=identifier)], _("It is over: people are called again."), self._again
            ),
        )  # fmt: skip

    def _again(self) -> None:
        self.fetch(self._load())

    def _tomorrow(self, now: float) -> str:
        """Tomorrow morning on the network's own clock."""
        try:
            zone: datetime.tzinfo | None = timezones.find(self.found.timezone, "network.timezone")
        except ConfigError:  # this machine has no list of zones: its own clock has to do
            zone = None
        day = datetime.datetime.fromtimestamp(now, zone).date() + datetime.timedelta(days=1)
        return f"{day.isoformat()} {view.MORNING}"

    # ---- looking closer and commands

    def _watch(self, begin: bool) -> None:
        self.app.deeds.watch(self.sites(), view.WATCH_S if begin else 0.0)
        places = ", ".join(self.app.model.title("site", site) for site in self.sites())
        self.app.tell(
            _("News of every poll at {site} comes at once.", site=places)
            if begin
            else _("News of {site} comes as its monitor plans.", site=places)
        )

    def _command(self, do: str) -> None:
        kind, where = self.about
        match do:
            case "port" | "poe":
                self.app.deeds.open_ports(where, do)
            case "walk":
                self._prompt(do, _("Which part, by its OID? (Enter; Esc leaves)"), WALKED, "target")
            case "ping" | "traceroute" if kind == "node":
                self._prompt(do, _("Which address? (Enter; Esc leaves)"), "", "target")
            case "plan":
                label = _("Seconds from poll to poll (for {n} min; Enter; Esc leaves):", n=FASTER_FOR_S // 60)
                self._prompt(do, label, str(FASTER_S), "plan")
            case "own_plan":
                self.app.deeds.open_command(kind, where, "plan", value=OWN_PLAN)
            case _:
                self.app.deeds.open_command(kind, where, do)

    def _prompt(self, do: str, label: str, value: str, field: str) -> None:
        kind, where = self.about

        def typed(word: str) -> None:
            word = word.strip()
            if not word:
                return
            if field == "plan":
                self.app.deeds.open_command(kind, where, do, value=f"poll_s={word}", for_s=FASTER_FOR_S)
            else:
                self.app.deeds.open_command(kind, where, do, target=word)

        self.open_prompt("ask", label, value, then=typed)
