"""Events and notebook: pages without end, searching over all history, only notes or alarms, notes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from console_village import NOW, Village
from textual.pilot import Pilot

from ayni_console import command_events
from ayni_console.app import ConsoleApp
from ayni_console.lines import plain, width
from ayni_console.screens.events import EventsPage
from ayni_console.screens.page import Page
from ayni_console.view import events as view
from ayni_console.view import plain_events
from ayni_console.view.page import Look
from ayni_core.message import Message
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import AskEvents, AskNote, Events, Question

Scene = Callable[[ConsoleApp, Pilot[None]], Coroutine[None, None, None]]
LOOK = Look(width=80, height=24, now=NOW)


def note(at: float, words: str) -> Event:
    text = Message("event.note", {"author": "Ana", "text": words})
    return Event(at=at, text=text, level="note", kind="site", name="torre", author="ana")


# ---- the list


def page(*events: Event, looked_back: float | None = None) -> Events:
    return Events(events=events, looked_back=looked_back)


def test_a_list_grows_backwards_until_there_is_no_more() -> None:
    listing = view.Listing()
    assert listing.before() is None
    listing.take_newest(page(note(9, "c"), note(8, "b"), looked_back=8.0), 2)
    assert (listing.asked, listing.whole, listing.before()) == (True, False, 8.0)
    listing.take_older(page(note(7, "a")), 2)
    assert [event.at for event in listing.events] == [9, 8, 7]
    assert listing.whole


def test_a_central_that_does_not_say_how_far_it_looked_is_asked_for_the_moment_again() -> None:
    listing = view.Listing()
    listing.take_newest(page(note(9, "c"), note(8, "b")), 2)
    assert not listing.whole
    assert listing.before() == 8 + view.MOMENT_S
    listing.take_older(page(note(8, "b"), note(8, "a")), 2)
    assert [event.text.values["text"] for event in listing.events] == ["c", "b", "a"]
    listing.take_older(page(note(8, "b"), note(8, "a")), 2)
    assert listing.whole, "nothing new came"


def test_a_search_that_found_nothing_yet_goes_on_from_where_it_stopped() -> None:
    listing = view.Listing(words="mast")
    listing.take_newest(page(looked_back=500.0), 50)
    assert (listing.whole, listing.before()) == (False, 500.0)
    shown = [plain(row.draw()) for row in view.rows(Village().model, LOOK, (), "", True, "", listing)]
    assert shown[1].startswith("   Looked back to 1970-01-01, going on …")
    listing.take_older(page(), 50)
    shown = [plain(row.draw()) for row in view.rows(Village().model, LOOK, (), "", True, "", listing)]
    assert shown[1:] == ["   Nothing happened that is noted here."]


def test_what_came_since_is_put_on_top_and_older_ones_stay() -> None:
    listing = view.Listing()
    listing.take_newest(page(note(9, "c"), note(8, "b"), looked_back=8.0), 2)
    listing.take_older(page(note(7, "a"), looked_back=7.0), 2)
    listing.take_newest(page(note(10, "d"), note(9, "c"), looked_back=9.0), 2)
    assert [event.at for event in listing.events] == [10, 9, 8, 7]
    assert listing.before() == 7.0
    listing.take_newest(page(note(30, "z"), note(29, "y"), looked_back=29.0), 2)
    assert [event.at for event in listing.events] == [30, 29], "what lies between is not known"
    assert listing.before() == 29.0


def test_two_of_one_moment_are_two() -> None:
    assert view.key_of(note(1, "a")) != view.key_of(note(1, "b"))
    assert len(view.joined((note(1, "a"),), (note(1, "a"), note(1, "b")))) == 2


def test_a_note_in_full_says_who_wrote_it() -> None:
    model = Village().model
    shown = view.full(model, note(NOW - 60, "Antenna tilted"), LOOK)
    assert shown[1:] == ["Ana: Antenna tilted", "", "By ana"]
    assert "By" not in " ".join(view.full(model, Event(at=NOW, text=Message("event.hub_started")), LOOK))


# ---- the screen


class History(Village):
    """A central with years of events, an hour apart; of a search it looks at a hundred at a time."""

    def __init__(self, count: int = 1000) -> None:
        super().__init__()
        self.all = [note(NOW - 3600.0 * each, f"entry {each}") for each in range(count)]

    async def ask(self, question: Question, kind: type[Any]) -> Any:
        if not isinstance(question, AskEvents):
            return await super().ask(question, kind)
        self.asked.append(question)
        await asyncio.sleep(0)
        older = [each for each in self.all if question.before is None or each.at < question.before]
        if question.words:
            seen = older[:100]
            found = [each for each in seen if question.words in str(each.text.values["text"])]
        else:
            found = seen = older[: question.limit]
        return Events(events=tuple(found), looked_back=seen[-1].at if len(older) > len(seen) else None)


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


def events_page(app: ConsoleApp) -> EventsPage:
    page = app.screen
    assert isinstance(page, EventsPage)
    return page


def questions(village: Village) -> list[AskEvents]:
    return [each for each in village.asked if isinstance(each, AskEvents)]


def test_going_down_brings_older_ones_without_end() -> None:
    village = History()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "e")
        for _page in range(30):
            await press(pilot, "end")
            app.tick()
            await pilot.pause()
        assert len(events_page(app).events) == 1000
        assert len({view.key_of(each) for each in events_page(app).events}) == 1000
        await press(pilot, "end", "down")
        assert "Ana: entry 999" in shown(app)
        assert "That is all." in shown(app)

    run(village, scene)


def test_a_slow_central_is_not_asked_twice_for_the_same() -> None:
    village = History()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "e")
        page = events_page(app)
        count = len(questions(village))
        page._loading = True
        await press(pilot, "end")
        for _second in range(5):
            page.tick(NOW)
            await pilot.pause()
        assert len(questions(village)) == count

    run(village, scene)


def test_what_is_typed_filters_and_what_is_entered_is_looked_for_over_all_history() -> None:
    village = History()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "e", "slash", *"entry")
        await press(pilot, "space", *"777")
        assert "Nothing happened that is noted here." in shown(app), "of what came it is none"
        assert {each.words for each in questions(village)} == {""}
        await press(pilot, "enter")
        assert questions(village)[-1].words == "entry 777"
        assert questions(village)[-1].language == "en"
        assert "going on …" in shown(app)
        for _second in range(12):
            app.tick()
            await pilot.pause()
        assert "Ana: entry 777" in shown(app)
        assert "That is all." in shown(app)
        assert "only lines with: entry 777" in shown(app)
        await press(pilot, "escape")
        assert questions(village)[-1].words == ""
        assert "Ana: entry 3" in shown(app)
        await press(pilot, "escape")
        assert app.crumbs() == ["Home"]

    run(village, scene)


def test_typing_that_is_given_up_asks_the_central_nothing() -> None:
    village = History()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "e")
        count = len(questions(village))
        await press(pilot, "slash", "x", "escape")
        assert "Ana: entry 3" in shown(app)
        assert len(questions(village)) == count

    run(village, scene)


def test_v_shows_only_notes_then_only_alarms_then_all() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "e", "v")
        assert app.crumbs()[-1] == "Notes"
        assert questions(village)[-1].only == "notes"
        assert "rosa: Antenna" in shown(app)
        assert "is down" not in shown(app)
        await press(pilot, "v")
        assert app.crumbs()[-1] == "Alarms"
        assert "rosa: Antenna" not in shown(app)
        assert "Escuela-Cerro is down" in shown(app)
        await press(pilot, "v")
        assert app.crumbs()[-1] == "Events"
        await press(pilot, "escape", "down", "enter", "e", "v")
        assert app.crumbs()[-1] == "Notes on Torre-Clínica"
        await press(pilot, "v")
        assert app.crumbs()[-1] == "Alarms of Torre-Clínica"

    run(village, scene)


def test_a_note_stands_in_the_list_at_once() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "e", "down", "n", "o", "k", "enter")
        assert [(each.kind, each.name, each.text) for each in village.asked if isinstance(each, AskNote)] == [
            ("link", "torre-clinica", "ok")
        ]
        count = len(questions(village))
        await pilot.pause()
        assert count >= 2, "the list was asked for again"

    run(village, scene)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
def test_every_line_fits(size: tuple[int, int]) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for keys in (["e"], ["v"], ["slash", "z", "enter"], ["escape"]):
            await press(pilot, *keys)
            page = events_page(app)
            assert page._sheet is not None
            assert {width(each) for each in page._sheet.lines} == {size[0]}

    run(History(70), scene, size)


# ---- in a shell


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("entry 777", ["Ana: entry 777"]),
        ("entry 99", [f"Ana: entry {each}" for each in (99, *range(990, 1000))]),
    ],
)
def test_ayni_events_finds_over_all_history(words: str, found: list[str]) -> None:
    village = History()
    asked = asyncio.run(command_events.ask(village, 0.0, None, 200, words=words))
    assert [view.said(event) for event in asked.events] == found
    assert asked.whole
    lines = list(plain_events.lines(village.model, asked, NOW))
    count = len(found)
    assert lines[0] == (f"1 event with “{words}”" if count == 1 else f"{count} events with “{words}”")
    assert {each.words for each in questions(village)} == {words}


def test_ayni_events_stops_at_its_limit_and_at_its_span() -> None:
    village = History()
    asked = asyncio.run(command_events.ask(village, 0.0, None, 5, words="entry"))
    assert (len(asked.events), asked.whole) == (5, False)
    asked = asyncio.run(command_events.ask(village, NOW - 7200.0, None, 200, words="entry"))
    assert (len(asked.events), asked.whole) == (3, True)
    assert len(questions(village)) == 2, "no further back than that"


def test_ayni_events_shows_only_notes_or_alarms() -> None:
    village = Village()
    for only, count in (("notes", 1), ("alarms", 2), ("", 3)):
        asked = asyncio.run(command_events.ask(village, 0.0, None, 200, only=only))
        assert len(asked.events) == count


@pytest.mark.parametrize(
    ("argv", "only", "words", "last"),
    [
        ([], "", "", None),
        (["--find", "mast", "--only", "notes"], "notes", "mast", None),
        (["--last", "2w"], "", "", 14 * 86400),
    ],
)
def test_the_options_of_ayni_events(argv: list[str], only: str, words: str, last: float | None) -> None:
    arguments = command_events.parser().parse_args(argv)
    assert (arguments.only, arguments.find, arguments.last) == (only, words, last)
