"""The console's program: one feed, one picture, a stack of screens, one paint a second."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from textual.app import ScreenStackError
from textual.screen import Screen

from ayni_console import clipboard, theme, verify
from ayni_console.advice import Progress
from ayni_console.display import ThriftyDisplay
from ayni_console.feed import Feed
from ayni_console.lines import displayed, line, plain
from ayni_console.screens.advice import AdvicePage
from ayni_console.screens.events import EventsPage
from ayni_console.screens.home import HomePage
from ayni_console.screens.info import HelpPage, PalettePage
from ayni_console.screens.lab import LabPage
from ayni_console.screens.link import LinkPage
from ayni_console.screens.messages import MessagesPage
from ayni_console.screens.metric import MetricPage
from ayni_console.screens.network import MapPage
from ayni_console.screens.page import Page
from ayni_console.screens.site import DevicePage, SitePage
from ayni_console.verify import Thing, Verify
from ayni_console.view.metric import Series
from ayni_console.view.page import Window
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_io.i18n import _

_NOTICE_S = 6.0
_FIRST_PAINTS_S = (0.1, 0.25, 0.5)
"""The first news comes within the first second: it is not kept waiting for the second to end."""


class ConsoleApp(ThriftyDisplay):
    """Screens show the model of `feed`; `run_feed` keeps it coming while the app runs."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { layers: base; background: $background; }"

    def __init__(
        self,
        feed: Feed,
        *,
        run_feed: Callable[[], Coroutine[Any, Any, None]] | None = None,
        ascii_only: bool = False,
        colour: bool = True,
        clock: Callable[[], float] = time.time,
        copied_to: Path | None = None,
    ) -> None:
        super().__init__()
        self.feed = feed
        self.ascii_only = ascii_only
        self.looks = theme.styles(colour)
        self.paused = False
        self.progress: dict[Thing, Progress] = {}
        self.verifying: dict[Thing, Verify] = {}
        self._run_feed = run_feed
        self._clock = clock
        self._paused_at = 0.0
        self._copied_to = copied_to
        self._notice = ("", 0.0)
        self.animation_level = "none"
        if colour:
            self.register_theme(theme.THEME)
            self.theme = theme.THEME.name

    @property
    def model(self) -> Model:
        """The picture of the network."""
        return self.feed.model

    def now(self) -> float:
        """The central's time now, standing still while paused."""
        return self._paused_at if self.paused else self.model.now(self._clock())

    def get_default_screen(self) -> Screen[None]:
        """Home is what everything stands on."""
        return HomePage()

    def on_mount(self) -> None:
        """Let the news come, and paint it once a second."""
        if self._run_feed is not None:
            self.run_worker(self._run_feed(), group="feed")
        self.set_interval(1.0, self.tick)
        for after_s in _FIRST_PAINTS_S:
            self.set_timer(after_s, self.repaint_page)

    def page(self) -> Page | None:
        """The screen that is shown; None while the console begins or ends."""
        try:
            shown = self.screen
        except ScreenStackError:
            return None
        return shown if isinstance(shown, Page) else None

    def tick(self) -> None:
        """Once a second: what is being verified, what the screen asks for, what it shows."""
        now = self.model.now(self._clock())
        if self.verifying:
            troubled = verify.troubled(self.model, now)
            for watched in self.verifying.values():
                watched.update(troubled, now)
        page = self.page()
        if page is not None:
            page.tick(now)
            if not self.paused:
                page.paint()

    def repaint_page(self) -> None:
        """Show what is known now."""
        page = self.page()
        if page is not None:
            page.paint()

    # going places

    def crumbs(self) -> list[str]:
        """The way to the screen that is shown."""
        return [page.crumb() for page in self.screen_stack if isinstance(page, Page)]

    def go_back(self) -> None:
        """One step back; Home is the end."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def go_home(self) -> None:
        """All steps back, and the worst selected again."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        page = self.page()
        if page is not None:
            page.window = Window()
            page.paint()

    def _go(self, page: Page) -> None:
        """Open a screen, in place of one of its own kind."""
        if type(self.screen) is type(page):
            self.pop_screen()
        self.push_screen(page)

    def open_thing(self, kind: str, name: str) -> None:
        """The screen of a link, device or site; for other things the site they stand at."""
        if kind == "link" and name in self.model.links:
            self._go(LinkPage(name))
        elif kind == "device" and name in self.model.devices:
            self._go(DevicePage(name))
        else:
            site = self.model.site_of(kind, name)
            if site is not None and site in self.model.sites:
                self._go(SitePage(site))
            else:
                self.tell(_("Nothing more is known of {name}.", name=name))

    def open_advice(self, subject: tuple[str, str] | None) -> None:
        """Advice on a thing; where none is chosen, on the worst there is."""
        worst = attention.items(self.model, self.now())
        if subject is None and worst:
            subject = (worst[0].kind, worst[0].name)
        if subject is None:
            self.tell(_("Nothing needs you."))
        elif not isinstance(self.screen, AdvicePage):
            self._go(AdvicePage(*subject))

    def open_events(self, about: tuple[str, str] | None) -> None:
        """Events of a thing, or of all."""
        if not isinstance(self.screen, EventsPage):
            self._go(EventsPage(about))

    def open_messages(self) -> None:
        """Messages to people."""
        if not isinstance(self.screen, MessagesPage):
            self._go(MessagesPage())

    def open_map(self) -> None:
        """The map."""
        if not isinstance(self.screen, MapPage):
            self._go(MapPage())

    def open_lab(self) -> None:
        """The lab."""
        if not isinstance(self.screen, LabPage):
            self._go(LabPage())

    def open_metric(self, series: Series, title: str) -> None:
        """One number over time."""
        self._go(MetricPage(series, title))

    def open_help(self, topic: str, meaning: str, shown: tuple[str, ...]) -> None:
        """Help for a screen."""
        self._go(HelpPage(topic, meaning, shown))

    def open_palette(self, below: Page) -> None:
        """Find a command."""
        if not isinstance(below, PalettePage):
            self.push_screen(PalettePage(below))

    # what keys everywhere do

    def pause(self) -> None:
        """Hold the screen still, or let it go on."""
        if not self.paused:
            self._paused_at = self.now()
        self.paused = not self.paused
        self.repaint_page()

    def tell(self, words: str) -> None:
        """Say something for a few seconds, above the keys."""
        self._notice = (words, self._clock() + _NOTICE_S)
        self.repaint_page()

    def notice_shown(self) -> str:
        """What is being said."""
        words, until = self._notice
        return words if self._clock() < until else ""

    def copy(self, words: str) -> None:
        """Into the clipboard of the terminal (OSC 52), and into a file for terminals without."""
        shown = "\n".join(plain(displayed(line(each), self.ascii_only)) for each in words.splitlines())
        self.copy_to_clipboard(shown)
        path = self._copied_to or clipboard.default_path(os.environ)
        problem = clipboard.write(path, shown)
        self.tell(problem or _("Copied; also in {path}", path=clipboard.short(path)))
