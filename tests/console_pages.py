"""Every page of the console and a way to it, for the tests that look at all of them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from console_village import ME, NOW, Village
from textual.pilot import Pilot

from ayni_console.app import ConsoleApp
from ayni_console.screens.end import EndPage
from ayni_console.screens.farewell import FarewellPage
from ayni_console.screens.metric import SamplesPage
from ayni_console.screens.page import Page
from ayni_console.view.metric import Series
from ayni_core.wire.questions import Colleague, Me
from ayni_io import i18n

SIZES = ((80, 24), (60, 20))
WAYS: dict[str, list[str]] = {
    "home": [],
    "find": ["slash", "c", "l", "i"],
    "note": ["n"],
    "link": ["down", "enter"],
    "link-other": ["down", "enter", "tab", "v"],
    "end": [],
    "metric": ["down", "enter", "down", "enter"],
    "samples": [],
    "align": ["down", "enter", "l"],
    "site": [],
    "device": [],
    "events": ["e"],
    "event": ["e", "enter"],
    "health": ["i"],
    "monitor": [],
    "messages": ["g"],
    "map": ["m"],
    "map-tree": ["m", "v"],
    "advice": ["a"],
    "ideas": ["a", "w"],
    "lab": ["b"],
    "do": ["down", "enter", "d"],
    "ports": [],
    "command": [],
    "who": [],
    "language": ["L"],
    "replay": ["r"],
    "farewell": [],
    "help": ["question_mark"],
    "palette": ["ctrl+p"],
}
"""A page's name here, and the keys from Home to it."""


def _who(app: ConsoleApp) -> None:
    people = (
        Colleague(name="ana", title="Ana", role="operator", pin=True),
        Colleague(name="eva", title="Eva", role="viewer"),
    )
    app.deeds.acting.me = Me(name="sala", title="Sala", role="operator", people=people)
    app.deeds.open_who(None)


SIGNAL = Series(metric="signal_dbm", device="torre-radio", group="station", item="000c42aabbcc")
OPENED: dict[str, Callable[[ConsoleApp], object]] = {
    "end": lambda app: app.push_screen(EndPage("torre-clinica", "a")),
    "samples": lambda app: app.push_screen(SamplesPage(SIGNAL, NOW)),
    "site": lambda app: app.open_thing("site", "clinica"),
    "device": lambda app: app.open_thing("device", "torre-radio"),
    "monitor": lambda app: app.open_thing("node", "molino-pi"),
    "ports": lambda app: app.deeds.open_ports("torre-radio", "port"),
    "command": lambda app: app.deeds.open_command("device", "torre-radio", "reboot"),
    "who": _who,
    "farewell": lambda app: app.push_screen(FarewellPage()),
}
"""Pages to which more than keys lead."""

Visit = Callable[[str, ConsoleApp, Page, "Pilot[None]"], Coroutine[None, None, None]]


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything in one language and in one zone of time."""
    before, zone = i18n.language(), os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    i18n.use(language)
    try:
        yield
    finally:
        i18n.use(before)
        os.environ.pop("TZ", None)
        if zone is not None:
            os.environ["TZ"] = zone
        time.tzset()


async def _settled(app: ConsoleApp, pilot: Pilot[None]) -> None:
    """What was asked is answered; what never ends is not waited for."""
    for _each in range(8):
        await pilot.pause()
        if not any(worker.is_running for worker in app.workers):
            return


def visit_all(
    visit: Visit, language: str, size: tuple[int, int], copied_to: Path, *,
    only: Sequence[str] = (), **options: object,
) -> set[type[Page]]:  # fmt: skip
    """Go to every page, one after another, in one console; the kinds of pages that were met."""
    village = Village(lab=True)
    app = ConsoleApp(village, clock=village.clock, copied_to=copied_to, **options)  # type: ignore[arg-type]
    met: set[type[Page]] = set()
    # one tick a page, when it is called: those of the clock come sooner or later on a busy machine
    app.set_interval = lambda *_words, **_options: None  # type: ignore[method-assign,assignment,return-value]

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            for name, keys in WAYS.items():
                if only and name not in only:
                    continue
                app.go_home()
                app.progress.clear()
                await pilot.press("home", *keys)
                if name in OPENED:
                    OPENED[name](app)
                await _settled(app, pilot)
                app.tick()
                await _settled(app, pilot)
                app.repaint_page()
                page = app.page()
                assert page is not None, name
                met.add(type(page))
                await visit(name, app, page, pilot)
                app.deeds.acting.me = ME
                for _each in range(3):
                    if page.prompt is not None or page.wanted:
                        await pilot.press("escape")

    with speaking(language):
        asyncio.run(play())
    return met
