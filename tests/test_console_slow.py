"""Only differences go to the terminal, and yet it shows what Textual composed."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import importlib.metadata
import importlib.util
import inspect
import os
import random
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

import console_pages
import pytest
from console_village import ME, Village
from textual import events
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual.app import App
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import Screen as TextualScreen
from textual.widget import Widget

from ayni_console import keys, screens
from ayni_console.app import ConsoleApp
from ayni_console.screens.page import Page

BENCH = Path(__file__).parent.parent / "bench"
SIZES = ((80, 24), (60, 20))
MORE = {
    "link, other end, a day": ["down", "enter", "tab", "z"],
    "link, all plots": ["down", "enter", "v", "v", "v", "Z"],
    "a monitor's site": ["down", "down", "enter", "enter"],
    "only notes": ["e", "v"],
    "looked for": ["e", "slash", "c", "l", "i", "enter"],
    "map, looked closer": ["m", "z", "right", "down"],
    "a step could not be done": ["a", "x"],
    "palette, typed and closed": ["ctrl+p", "m", "a", "escape"],
    "find, nothing fits": ["slash", "q", "q", "q", "enter"],
    "note, begun": ["n", "H", "i"],
    "scrolled": ["end", "pageup", "pagedown", "pagedown"],
    "sorted": ["s", "s"],
    "copied": ["c"],
    "paused": ["p"],
    "repainted": ["ctrl+l"],
}
WAYS = {**console_pages.WAYS, **MORE}
"""Every page, and what else can be seen on some."""


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


terminal = load("terminal")
RUBBISH = terminal.Char("~", fg="red")


class Screen(HeadlessDriver):
    """The driver of an emulated terminal; `sent` counts characters."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        assert self._size is not None
        self.terminal = terminal.Terminal(*self._size)
        self.terminal.feed("\x1b[?7l")
        self.sent = 0

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.sent += len(data.replace("\a", ""))  # a bell comes in its own time, and shows nothing
        self.terminal.feed(data)

    def flush(self) -> None:
        """Nothing waits."""

    def become(self, columns: int, rows: int) -> None:
        """The terminal is resized, and as some do, it leaves rubbish on the screen."""
        self._size = (columns, rows)
        self.terminal.resize(columns, rows)
        self.spoil()
        self._app.post_message(events.Resize(Size(columns, rows), Size(columns, rows)))

    def spoil(self) -> None:
        columns, rows = self._size or (0, 0)
        for y in range(rows):
            self.terminal.screen.buffer[y].update(dict.fromkeys(range(columns), RUBBISH))


Scene = Callable[[ConsoleApp, "Pilot[None]", Screen], Coroutine[None, None, None]]


def play(village: Village, scene: Scene, size: tuple[int, int] = (80, 24), **options: Any) -> None:
    """A scene on an emulated terminal."""
    full_frames = options.pop("full_frames", False)
    app = ConsoleApp(village, clock=village.clock, **options)
    app.full_frames = full_frames
    app.driver_class = Screen
    failed: list[BaseException] = []

    async def pilot(hand: Pilot[None]) -> None:
        try:
            await hand.pause()
            driver = app._driver
            assert isinstance(driver, Screen)
            await scene(app, hand, driver)
        except BaseException as error:
            failed.append(error)
        finally:
            app.exit()

    asyncio.run(app.run_async(headless=False, size=size, mouse=False, auto_pilot=pilot))
    if failed:
        raise failed[0]
    assert app._exception is None


def same(app: ConsoleApp, screen: Screen, after: str) -> None:
    """The terminal shows what Textual composed, cell by cell, in the same looks."""
    columns, _rows = app.size
    strips = app.screen._compositor.render_strips(app.size)
    for y, (shown, strip) in enumerate(zip(screen.terminal.cells(), strips, strict=True)):
        line, composed = as_a_line(strip.render(app.console), columns)
        differing = [] if shown == composed else [x for x in range(columns) if shown[x] != composed[x]]
        assert not differing, (
            f"{after}: line {y}, column {differing[0]}: the terminal shows {shown[differing[0]]}, "
            f"composed was {composed[differing[0]]}\n{screen.terminal.lines[y]}\n{line}"
        )


@functools.cache
def as_a_line(octets: str, columns: int) -> tuple[str, list[Any]]:
    """What a terminal of one line makes of it: its text and its cells. The same lines come again."""
    alone = terminal.Terminal(columns, 1)
    alone.feed(f"\x1b[?7l\x1b[1;1H{octets}")
    return alone.lines[0], alone.cells()[0]


async def press(hand: Pilot[None], *names: str) -> None:
    await hand.press(*names)
    await hand.pause()


def strange() -> Village:
    """A village with names that take two cells a sign, or none."""
    village = Village(lab=True, more_links=25)
    village.link_becomes("torre-clinica", title="日本語-Cli\u0301nica")
    village.link_becomes("torre-cerro", title="Torre-한국 Ｗide")
    return village


async def go(app: ConsoleApp, hand: Pilot[None], name: str) -> None:
    """From wherever one is to one of WAYS, by way of Home with nothing left over."""
    page = app.page()
    for _each in range(3):
        if page is not None and (page.prompt is not None or page.wanted):
            await press(hand, "escape")
    app.go_home()
    app.progress.clear()
    app.deeds.acting.me = ME
    if app.paused:
        app.pause()
    await press(hand, "home", *WAYS[name])
    if name in console_pages.OPENED:
        console_pages.OPENED[name](app)
    for _each in range(4):
        await hand.pause()


@pytest.mark.parametrize(
    ("size", "colour"), [*zip(SIZES, (True, False), strict=True)], ids=["80x24", "60x20, no colour"]
)
def test_every_screen_shows_what_was_composed(size: tuple[int, int], colour: bool) -> None:
    """At first, when the terminal has forgotten it, after a second in which nothing came, and left again.

    Nothing new sends nothing; a second that went by sends its few digits; a whole page is 8 kB at most.
    """
    village = strange()
    met: set[type[Page]] = set()

    async def scene(app: ConsoleApp, hand: Pilot[None], screen: Screen) -> None:
        same(app, screen, "start")
        for name in WAYS:
            before = screen.sent
            await go(app, hand, name)
            page = app.page()
            assert page is not None
            met.add(type(page))
            same(app, screen, name)
            assert screen.sent - before < 8000 * (1 + len(WAYS[name])), name
            screen.become(*size)
            await asyncio.sleep(0.08)
            await hand.pause()
            same(app, screen, f"{name}, the terminal was away")
            app.tick()
            for _each in range(4):  # what it asks for is answered
                await hand.pause()
            before = screen.sent
            app.tick()
            await hand.pause()
            assert screen.sent == before, f"{name} sends what did not change"
            village.now += 1
            app.tick()
            await hand.pause()
            assert screen.sent - before < 300, f"{name} sends {screen.sent - before} a second"
            same(app, screen, f"{name}, a second later")
            village.now -= 1
        await go(app, hand, "home")
        same(app, screen, "left")

    play(village, scene, size, colour=colour)
    for _each in screens.rest():
        pass
    assert met == pages(), "a screen that is met here nowhere"


def pages() -> set[type[Page]]:
    """Every kind of page there is."""
    found, waiting = set(), [Page]
    while waiting:
        below = [each for each in waiting.pop().__subclasses__() if each.__module__.startswith("ayni_")]
        found |= {each for each in below if each.TOPIC}
        waiting += below
    return found


@pytest.mark.parametrize("seed", range(1))
def test_any_walk_with_news_and_other_sizes_shows_what_was_composed(seed: int) -> None:
    """Keys, news, sizes, ticks and floods of rubbish in any order; the seed says which."""
    dice = random.Random(seed)
    names = [name for key in keys.KEYS for name in key.keys.split(",") if key.action != "leave"]
    names += [name for name, _action in keys.MOVES] * 4 + ["escape"] * 5
    village = strange()

    async def scene(app: ConsoleApp, hand: Pilot[None], screen: Screen) -> None:
        for step in range(50):
            what = dice.random()
            if what < 0.7:
                done = dice.choice(names)
                await press(hand, done)
            elif what < 0.85:
                done = "news"
                link = dice.choice(sorted(village.model.links))
                village.link_becomes(link, state=dice.choice(["ok", "weak", "down", "no_news"]))
                village.now += dice.choice([1, 7, 4000])
                app.tick()
                await hand.pause()
            elif what < 0.92:
                size = dice.choice([*SIZES, (120, 40), (72, 21)])
                done = f"{size} cells"
                screen.become(*size)
                await asyncio.sleep(0.12)
                await hand.pause()
            else:
                done = "repaint"
                screen.spoil()
                await press(hand, "ctrl+l")
            same(app, screen, f"seed {seed}, step {step}, {done}")

    play(village, scene)


def test_a_size_that_was_another_for_a_moment_leaves_nothing_behind() -> None:
    """80x24, 60x20 and back within a hundredth of a second: Textual sees no change and draws nothing."""

    async def scene(app: ConsoleApp, hand: Pilot[None], screen: Screen) -> None:
        for way in ([], ["down", "enter"], ["m"]):
            await press(hand, *way)
            screen.become(60, 20)
            screen.become(80, 24)
            await asyncio.sleep(0.15)
            await hand.pause()
            same(app, screen, f"back at 80x24 {way}")
            screen.become(80, 24)
            await asyncio.sleep(0.15)
            same(app, screen, f"told the same size {way}")

    play(strange(), scene)


def test_another_theme_is_shown_whole() -> None:
    async def scene(app: ConsoleApp, hand: Pilot[None], screen: Screen) -> None:
        for name in ("textual-light", "ansi-dark", "nord", "ayni"):
            app.theme = name
            await hand.pause()
            await press(hand, "ctrl+p")
            same(app, screen, name)
            await press(hand, "escape")
            same(app, screen, f"{name}, without a palette")

    play(strange(), scene)


def test_whole_frames_show_the_same_and_cost_more() -> None:
    sent: dict[bool, int] = {}

    def scene_of(full: bool) -> Scene:
        async def scene(app: ConsoleApp, hand: Pilot[None], screen: Screen) -> None:
            for key in ("down", "enter", "tab", "escape", "m", "escape", "ctrl+p", "escape", "e"):
                await press(hand, key)
                same(app, screen, f"whole frames {full}, {key}")
            screen.become(60, 20)
            await asyncio.sleep(0.12)
            await hand.pause()
            same(app, screen, f"whole frames {full}, 60x20")
            sent[full] = screen.sent

        return scene

    for full in (False, True):
        play(strange(), scene_of(full), full_frames=full)
    assert sent[True] > 1.5 * sent[False]


def test_nothing_new_sends_nothing_and_a_digit_sends_little() -> None:
    village = Village()

    async def scene(app: ConsoleApp, hand: Pilot[None], screen: Screen) -> None:
        await asyncio.sleep(0.6)
        before = screen.sent
        app.tick()
        await hand.pause()
        assert screen.sent == before
        village.now += 1
        app.tick()
        await hand.pause()
        assert 0 < screen.sent - before < 80
        before = screen.sent
        await press(hand, "down")
        assert 0 < screen.sent - before < 400
        await press(hand, "p")
        before = screen.sent
        for _each in range(5):
            village.now += 61
            app.tick()
            await hand.pause()
        assert screen.sent == before

    play(village, scene)


CHILD = """
import os, sys
sys.path[:0] = {paths!r}
from console_village import Village
from ayni_console.app import ConsoleApp
village = Village(lab=True)
app = ConsoleApp(village, clock=village.clock)
app.full_frames = bool(os.environ.get("AYNI_FULL_FRAMES"))
app.run(mouse=False)
"""


@pytest.mark.parametrize("full", [False, True], ids=["differences", "whole frames"])
def test_stopped_and_gone_on_everything_is_there_again(full: bool, tmp_path: Path) -> None:
    """A real terminal: stopped as by a shell, gone on, and resized while it was stopped."""
    script = tmp_path / "console.py"
    paths = [str(Path(__file__).parent)]
    script.write_text(textwrap.dedent(CHILD).format(paths=paths))
    session = terminal.Session(
        [sys.executable, str(script)],
        environment={"AYNI_FULL_FRAMES": "1" if full else "", "TZ": "UTC"},
    )
    try:
        assert session.until(lambda: "ALL LINKS 4" in "\n".join(session.terminal.lines), 20) is not None
        session.calm(0.5)
        for keys, there in ((b"", "ALL LINKS 4"), (b"\x1b[B\r", "SIGNAL at"), (b"m", "Cerro")):
            session.press(keys)
            assert (
                session.until(lambda there=there: there in "\n".join(session.terminal.lines), 10) is not None
            )
            session.calm(0.7)
            before = session.terminal.cells()
            os.kill(session.pid, signal.SIGTSTP)
            assert stopped(session), "the console did not stop"
            session.calm(0.2)
            os.kill(session.pid, signal.SIGCONT)
            session.calm(0.7)
            assert session.terminal.cells() == before, f"{there}: {session.terminal.lines}"
        session.resize(60, 20)
        session.calm(0.5)
        small = session.terminal.lines
        assert all(len(each) == 60 for each in small)
        session.resize(80, 24)
        session.calm(0.7)
        assert session.terminal.cells() == before
    finally:
        session.end()


def stopped(session: Any) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        session.pump(0.02)
        if Path(f"/proc/{session.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return True
    return False


LEANS_ON = {
    App._display: "4b78dff6669a",
    App._on_resize: "62d14429be32",
    App._check_resize: "66ccc6e5bae7",
    App.run_async: "821674591dfc",
    Compositor.render_update: "772c6b21953a",
    Compositor.render_full_update: "ce99ccda4d24",
    Compositor.render_partial_update: "888dccc892d8",
    LayoutUpdate.render_segments: "ff329c722506",
    ChopsUpdate.render_segments: "4c1cdb567e0b",
    Driver.resume_application_mode: "f223590ce241",
    LinuxDriver.run_input_thread: "d796af6d69db",
    LinuxDriver.start_application_mode: "7c41f5ba11a8",
    LinuxDriver._sigcont_application: "1d7463a74df1",
    TextualScreen._extend_compose: "b80043bc2e09",
    TextualScreen._on_screen_resume: "f39caa8ec442",
    Widget.render_lines: "1f2a11f3d518",
    DOMNode._post_register: "3b5b87b333a8",
    Widget._post_register: "bd34440de552",
}


def test_textual_is_the_one_that_was_looked_at() -> None:
    """Our display, sheet and app change what is private to Textual: look at what changed.

    Compare what `App._display` does with its update now, what updates there are and what they hold, and when
    it draws nothing after a resize. When all other tests here pass, put the new numbers in.
    """
    assert importlib.metadata.version("textual") == "8.2.8"
    found = {
        method: hashlib.sha256(inspect.getsource(method).encode()).hexdigest()[:12] for method in LEANS_ON
    }
    changed = {f"{method.__module__}.{method.__qualname__}": found[method]
               for method in LEANS_ON if found[method] != LEANS_ON[method]}  # fmt: skip
    assert not changed, f"Textual changed what the display leans on: {changed}"
    assert list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"]
