"""The console's program: one feed, one picture, a stack of screens, one paint a second."""

from __future__ import annotations

import asyncio
import functools
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import ScreenStackError
from textual.screen import Screen

from ayni_console import clipboard, screens, theme, verify
from ayni_console.display import ThriftyDisplay
from ayni_console.feed import Feed
from ayni_console.lines import displayed, line, plain
from ayni_console.screens.home import HomePage
from ayni_console.screens.page import Page
from ayni_console.sheet import Sheet
from ayni_console.view.page import Window
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_io import chosen, i18n
from ayni_io.i18n import _

if TYPE_CHECKING:
    from ayni_console.advice import Progress
    from ayni_console.deeds import Deeds
    from ayni_console.replay import Replay
    from ayni_console.verify import Thing, Verify
    from ayni_console.view.metric import Series

_NOTICE_S, _WELCOME_S = 6.0, 60.0
_FIRST_PAINTS_S = (0.1, 0.25, 0.5)
"""The first news comes within the first second: it is not kept waiting for the second to end."""
_REST_AFTER_S, _REST_PAUSE_S = 0.5, 0.02
"""When the other screens are imported, and what is left to all else in between."""


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
        few_colours: bool = False,
        braille: bool = False,
        clock: Callable[[], float] = time.time,
        copied_to: Path | None = None,
        light: bool = False,
        kept_in: Mapping[str, str] | None = None,
        village: bool = False,
        notes_in: Path | None = None,
        all_imported: Callable[[], None] = lambda: None,
    ) -> None:
        """`village`: a pretend one that ends with this console. `notes_in` keeps notes written without
        contact. `all_imported` is called once every screen is."""
        super().__init__()
        self.feed = feed
        self.ascii_only = ascii_only
        self.braille = braille and not ascii_only
        self.colours = "" if not colour or few_colours else "light" if light else "dark"
        self.looks = theme.styles(colour, few=few_colours, light=light)
        self.paused = False
        self.replay: Replay | None = None
        self.progress: dict[Thing, Progress] = {}
        self.verifying: dict[Thing, Verify] = {}
        self._now_feed = feed
        self._run_feed = run_feed
        self._clock = clock
        self._paused_at = 0.0
        self._copied_to = copied_to
        self.notes_in = notes_in
        self._notice = ("", 0.0)
        self.animation_level = "none"
        self._disable_tooltips = self._disable_notifications = True  # two widgets a screen that nobody sees
        self._kept_in = kept_in
        self.village = village
        self._all_imported = all_imported
        if colour:
            for each in theme.THEMES.values():
                self.register_theme(each)
            self.theme = theme.THEMES[self.colours or "dark"].name

    @property
    def model(self) -> Model:
        """The picture of the network."""
        return self.feed.model

    @functools.cached_property
    def deeds(self) -> Deeds:
        """What this console does; the first screen only shows, and comes sooner without."""
        from ayni_console.deeds import Deeds

        return Deeds(self)

    @functools.cached_property
    def map_view(self) -> screens.MapView:
        """How the map was left."""
        return screens.MapView()

    def now(self) -> float:
        """The central's time now, standing still while paused."""
        if self.replay is not None:
            return self.replay.now()
        return self._paused_at if self.paused else self.model.now(self._clock())

    def get_default_screen(self) -> Screen[None]:
        """Home is what everything stands on."""
        return HomePage()

    def on_mount(self) -> None:
        """Let the news come, and paint it once a second."""
        if self._run_feed is not None:
            self.run_worker(self._run_feed(), group="feed")
        if self.village:
            self.tell(
                _("You cannot break anything here. ? explains, b breaks, a says what to do."), _WELCOME_S
            )
        self.set_interval(1.0, self.tick)
        for after_s in _FIRST_PAINTS_S:
            self.set_timer(after_s, self.repaint_page)
        self.run_worker(self._prepare(), group="rest")

    async def _prepare(self) -> None:
        """Import the other screens: whoever opens one does not wait for that. Some take 200 ms, so that is
        done beside: a key waits 5 ms for its turn."""
        await asyncio.sleep(_REST_AFTER_S)
        await asyncio.to_thread(self._import_rest)
        from ayni_console.prompt import Prompt

        Prompt()._post_register(self)  # the first one would have its style sheet read
        self.stylesheet.parse()
        self._all_imported()

    def _import_rest(self) -> None:
        for _each in screens.rest():
            if not self.is_running:
                return
            time.sleep(_REST_PAUSE_S)

    def page(self) -> Page | None:
        """The screen that is shown; None while the console begins or ends."""
        try:
            shown = self.screen
        except ScreenStackError:
            return None
        return shown if isinstance(shown, Page) else None

    def tick(self) -> None:
        """Once a second: what is being verified, what the screen asks for, what it shows."""
        now = self._now_feed.model.now(self._clock())
        if self.verifying:
            troubled = verify.troubled(self._now_feed.model, now)
            for watched in self.verifying.values():
                watched.update(troubled, now)
        self.deeds.tick(now)
        page = self.page()
        if page is not None:
            page.tick(now if self.replay is None else self.replay.now())
            if not self.paused:
                page.paint()

    def repaint_page(self) -> None:
        """Show what is known now."""
        page = self.page()
        if page is not None:
            page.paint()

    def look_at(self, sites: tuple[str, ...]) -> None:
        """These sites are on the screen now, or none."""
        if sites or "deeds" in vars(self):
            self.deeds.look_at(sites)

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
        """The screen of a link, device, monitor or site; of the central Health; of others the site they stand
        at."""
        if kind == "link" and name in self.model.links:
            self._go(screens.LinkPage(name))
        elif kind == "device" and name in self.model.devices:
            self._go(screens.DevicePage(name))
        elif kind == "node" and name in self.model.nodes:
            self._go(screens.MonitorPage(name))
        elif kind == "central":
            self.open_health()
        else:
            site = self.model.site_of(kind, name)
            if site is not None and site in self.model.sites:
                self._go(screens.SitePage(site))
            else:
                self.tell(_("Nothing more is known of {name}.", name=name))

    def open_line(self, kind: str, name: str) -> None:
        """What Enter shows of a line: the thing itself, the advice on an alarm, how monitors are."""
        alert = self.model.alerts.get(name) if kind == "alert" else None
        if alert is not None:
            self.open_advice((alert.kind, alert.name))
        elif kind in ("link", "device", "site", "node"):
            self.open_thing(kind, name)

    def open_advice(self, subject: tuple[str, str] | None) -> None:
        """Advice on a thing; where none is chosen, on the worst there is."""
        worst = attention.items(self.model, self.now())
        if subject is None and worst:
            subject = (worst[0].kind, worst[0].name)
        if subject is None:
            self.tell(_("Nothing needs you."))
        elif not isinstance(self.screen, screens.AdvicePage):
            self._go(screens.AdvicePage(*subject))

    def open_events(self, about: tuple[str, str] | None) -> None:
        """Events of a thing, or of all."""
        if not isinstance(self.screen, screens.EventsPage):
            self._go(screens.EventsPage(about))

    def open_health(self) -> None:
        """How the central and the monitors are."""
        if not isinstance(self.screen, screens.HealthPage):
            self._go(screens.HealthPage())

    def open_messages(self) -> None:
        """Messages to people."""
        if not isinstance(self.screen, screens.MessagesPage):
            self._go(screens.MessagesPage())

    def open_map(self, about: tuple[str, str] | None = None) -> None:
        """The map, with the site of a thing selected."""
        if not isinstance(self.screen, screens.MapPage):
            self._go(screens.MapPage(self.map_view, self.model.site_of(*about) if about else None))

    def leave(self) -> None:
        """End the console; whoever would end a village with it is asked what comes next."""
        if self.village and not isinstance(self.screen, screens.FarewellPage):
            self._go(screens.FarewellPage())
        else:
            self.exit()

    async def action_quit(self) -> None:
        """Textual's own Ctrl+Q, which comes before ours."""
        self.leave()

    def open_lab(self) -> None:
        """The lab."""
        if not isinstance(self.screen, screens.LabPage):
            self._go(screens.LabPage())

    def open_language(self) -> None:
        """Choose the language and the colours."""
        if not isinstance(self.screen, screens.LanguagePage):
            self._go(screens.LanguagePage())

    def open_metric(self, series: Series, title: str) -> None:
        """One number over time."""
        self._go(screens.MetricPage(series, title))

    def open_help(self, topic: str, meaning: str, shown: tuple[str, ...]) -> None:
        """Help for a screen."""
        self._go(screens.HelpPage(topic, meaning, shown))

    def open_palette(self, below: Page) -> None:
        """Find a command."""
        if not isinstance(below, screens.PalettePage):
            self.push_screen(screens.PalettePage(below))

    # the past

    def open_replay(self) -> None:
        """Where the past begins, and where it ends."""
        if not isinstance(self.screen, screens.ReplayPage):
            self._go(screens.ReplayPage())

    def look_back(self, start: float) -> None:
        """Show the past from a moment on, from Home."""
        live = self.feed if self.replay is None else self._now_feed
        self._now_feed, self.paused = live, False
        from ayni_console.replay import Replay

        self.feed = self.replay = Replay(live, start, self._moved_on, self._clock)
        self.run_worker(self.replay.run(), group="replay", exclusive=True)
        self.go_home()

    def back_to_now(self) -> None:
        """End the past."""
        if self.replay is not None:
            self.workers.cancel_group(self, "replay")
            self.feed, self.replay = self._now_feed, None
            self.go_home()

    def faster(self) -> None:
        """The past goes by at another speed."""
        if self.replay is None:
            self.tell(_("Only the past goes faster: r shows it."))
        else:
            self.replay.faster()
            self.repaint_page()

    def _moved_on(self) -> None:
        """The past is at another moment, or says why not."""
        if self.replay is not None and self.replay.problem:
            self.tell(self.replay.problem)
        elif self.replay is not None and self.replay.ended:
            self.back_to_now()
            self.tell(_("This is now again."))
        self.repaint_page()

    # what keys everywhere do

    def choose_language(self, short: str) -> None:
        """Speak another language from now on, on every screen, and the next time too."""
        i18n.use(short)
        self._keep(chosen.LANGUAGE, short)

    def choose_colours(self, colours: str) -> None:
        """Other colours from now on, and the next time too."""
        self.colours = colours
        self.looks.update(theme.styles(True, light=colours == "light"))
        self.theme = theme.THEMES[colours].name
        for screen in self.screen_stack:
            for sheet in screen.query(Sheet):
                sheet.recolour()
        self._keep(chosen.COLOURS, colours)

    def _keep(self, name: str, word: str) -> None:
        problem = "" if self._kept_in is None else chosen.write(name, word, self._kept_in)
        self.tell(_("Not kept for the next time: {reason}", reason=problem) if problem else "")

    def action_help_quit(self) -> None:
        """Ctrl+C: Textual would say in English how to leave, in a box of its own."""
        self.tell(_("Ctrl+Q leaves the console."))

    def pause(self) -> None:
        """Hold the screen still, or let it go on."""
        if self.replay is not None:
            self.replay.toggle()
            self.repaint_page()
            return
        if not self.paused:
            self._paused_at = self.now()
        self.paused = not self.paused
        self.repaint_page()

    def tell(self, words: str, for_s: float = _NOTICE_S) -> None:
        """Say something for a few seconds, above the keys."""
        self._notice = (words, self._clock() + for_s)
        self.repaint_page()

    def notice_shown(self) -> str:
        """What is being said."""
        words, until = self._notice
        return words if self._clock() < until else ""

    def copy(self, words: str) -> None:
        """Into the clipboard of the terminal (OSC 52), and into a file for terminals without."""
        shown = "\n".join(plain(displayed(line(each), self.ascii_only)) for each in words.splitlines())
        self.copy_to_clipboard(shown)
        if self.is_web:  # a file here would be on another machine
            self.tell(_("Copied."))
            return
        path = self._copied_to or clipboard.default_path(os.environ)
        problem = clipboard.write(path, shown)
        self.tell(problem or _("Copied; also in {path}", path=clipboard.short(path)))
