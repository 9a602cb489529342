"""Health as a screen: its key, what it asks and when, where Enter leads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from console_village import NOW, Village
from textual.pilot import Pilot

from ayni_console.app import ConsoleApp
from ayni_console.feed import NoAnswer
from ayni_console.lines import plain
from ayni_console.screens.health import HealthPage, MonitorPage
from ayni_console.screens.page import Page
from ayni_core.message import Message
from ayni_core.wire import topics
from ayni_core.wire.health import MOST_MONITORS, AskHealth
from ayni_core.wire.messages import Event, NodeView
from ayni_core.wire.questions import AskDeliveries, AskEvents, Events, Question

Scene = Callable[[ConsoleApp, Pilot[None]], Coroutine[None, None, None]]


def shown(app: ConsoleApp) -> str:
    page = app.screen
    assert isinstance(page, Page)
    assert page._sheet is not None
    return "\n".join(plain(each) for each in page._sheet.lines)


def run(village: Village, scene: Scene, size: tuple[int, int] = (80, 24)) -> None:
    app = ConsoleApp(village, clock=village.clock)

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await scene(app, pilot)

    asyncio.run(play())


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def tick(app: ConsoleApp, pilot: Pilot[None], village: Village, seconds: float) -> None:
    village.now += seconds
    app.tick()
    await pilot.pause()


def asked(village: Village, kind: type) -> list[Any]:
    return [each for each in village.asked if isinstance(each, kind)]


def test_i_shows_health_from_anywhere_and_enter_a_monitor_in_full() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "i")
        assert isinstance(app.screen, HealthPage)
        assert "1 of 2 monitors OK" in shown(app)
        assert "It takes everything in." in shown(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, MonitorPage)
        assert app.crumbs()[-2:] == ["Health", "Monitor Molino"]
        assert "61 reports wait, 210 kB" in shown(app)
        await press(pilot, "enter")
        assert app.crumbs()[-1] == "Molino", "the site where it stands"
        await press(pilot, "escape", "down", "enter")
        assert app.crumbs()[-1] == "Radio Molino", "a device of it"
        await press(pilot, "escape", "escape", "i")
        assert [type(page).__name__ for page in app.screen_stack].count("HealthPage") == 1

    run(village, scene)


def test_g_shows_messages_from_anywhere_and_enter_on_a_way_to_people_too() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "g")
        assert "WAYS TO PEOPLE" in shown(app)
        await press(pilot, "h", "i", "end", "enter")
        assert "WAYS TO PEOPLE" in shown(app)

    run(village, scene)


def test_a_monitor_on_home_opens_in_full() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "down", "enter")
        assert app.crumbs() == ["Home", "Monitor Molino"]
        await press(pilot, "e")
        assert app.crumbs()[-1] == "Events of Molino"

    run(Village(), scene)


def test_it_is_asked_once_a_minute_and_events_less_often() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "i")
        await tick(app, pilot, village, 30)
        assert len(asked(village, AskHealth)) == 1
        await tick(app, pilot, village, 31)
        assert len(asked(village, AskHealth)) == len(asked(village, AskDeliveries)) == 2
        assert len(asked(village, AskEvents)) == 1
        for _minute in range(5):
            await tick(app, pilot, village, 61)
        assert len(asked(village, AskEvents)) == 2

    run(village, scene)


def test_without_an_answer_it_says_so_asks_again_soon_and_keeps_what_it_had() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        village.silent = True
        await press(pilot, "i")
        assert "? NOT KNOWN The central did not answer." in shown(app)
        village.silent = False
        await tick(app, pilot, village, 11)
        assert "It takes everything in." in shown(app)
        village.silent = True
        await tick(app, pilot, village, 61)
        assert "61 · 210 kB" in shown(app), "old, and better than nothing"
        assert "12345 reports" in shown(app)

    run(village, scene)


class Old(Village):
    """A central that does not know the question."""

    async def ask(self, question: Question, kind: type[Any]) -> Any:
        if isinstance(question, AskHealth):
            raise NoAnswer("the central did not understand the question")
        return await super().ask(question, kind)


def test_an_older_central_leaves_the_rest_of_it() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "i")
        assert "did not understand" in shown(app)
        assert "Ana, mail" in shown(app)

    run(Old(), scene)


def test_of_very_many_monitors_those_that_are_seen_are_asked_for() -> None:
    village = Village()
    for number in range(3 * MOST_MONITORS):
        name = f"pi-{number:04}"
        view = NodeView(id=name, title=name, site="torre", state="ok", since=NOW, as_of=NOW - 10)
        village.send(topics.net("node", name), view)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "i")
        (first,) = asked(village, AskHealth)
        assert len(first.monitors) == MOST_MONITORS
        assert first.monitors[0] == "molino-pi", "what does not report comes first"
        await press(pilot, "end")
        await tick(app, pilot, village, 61)
        assert "torre-pi" in asked(village, AskHealth)[-1].monitors

    run(village, scene)


class Blind(Village):
    """A central that was blind, and says so."""

    async def ask(self, question: Question, kind: type[Any]) -> Any:
        if isinstance(question, AskEvents) and not question.name:
            text = Message("event.blind_broker", {"start": "10:00", "end": "12:00"})
            old = Event(at=NOW - 30 * 86400, text=text, level="warn")
            other = Event(at=NOW - 50, text=Message("event.note", {"author": "a", "text": "x"}))
            return Events(events=(other, Event(at=NOW - 60, text=text, level="warn"), old))
        return await super().ask(question, kind)


def test_what_the_central_told_of_itself_lately_stands_below_and_opens() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "i")
        assert shown(app).count("The central was blind") == 1
        await press(pilot, "end", "enter")
        assert "it could not reach its broker" in shown(app)

    run(Blind(), scene)


def test_a_steady_page_stays_as_it_is() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "i")
        before = shown(app).splitlines()
        await tick(app, pilot, village, 1)
        after = shown(app).splitlines()
        changed = [one for one, other in zip(before, after, strict=True) if one != other]
        assert len(changed) <= 2, "the head and the age of the newest reading"

    run(village, scene)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
def test_the_whole_page_can_be_copied(size: tuple[int, int], tmp_path: Any) -> None:
    village = Village()
    app = ConsoleApp(village, clock=village.clock, copied_to=tmp_path / "copied.txt")

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await press(pilot, "i", "c")

    asyncio.run(play())
    assert "CENTRAL" in (tmp_path / "copied.txt").read_text()
