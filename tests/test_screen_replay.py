"""The past on the same screens: chosen, shown, faster, stopped, and back to now."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest
from console_village import NOW, Village, retained
from test_console_app import press, run, shown
from textual.pilot import Pilot

from ayni_console.app import ConsoleApp
from ayni_console.feed import NoAnswer
from ayni_console.view import replay as view
from ayni_core.wire.past import AskPast, Past
from ayni_core.wire.questions import AskAck, AskEvents, AskHistory, AskReadings, Question


class Remembering(Village):
    """A village whose central can look back: before the last half hour, all was well."""

    problem = ""

    async def ask(self, question: Question, answer: Any) -> Any:
        if not isinstance(question, AskPast):
            return await super().ask(question, answer)
        self.asked.append(question)
        if self.problem:
            raise NoAnswer(self.problem)
        if question.begin:
            return Past(at=question.at - 3600, done=False)
        news = retained(question.at)
        if question.at < NOW - 34 * 60:
            news = [(topic, body) for topic, body in news if "/alert/" not in topic]
        return Past(at=question.at, done=True, news=tuple((topic, body.decode()) for topic, body in news))


async def until(app: ConsoleApp, pilot: Pilot[None], words: str) -> None:
    for _each in range(60):
        await pilot.pause(0.1)
        if any(words in each for each in shown(app)):
            return
    raise AssertionError(f"{words!r} was never shown: " + "\n".join(shown(app)))


def test_the_past_is_shown_on_home_and_says_so() -> None:
    village = Remembering()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "r")
        assert any("BEGIN AT" in each for each in shown(app))
        assert any("Escuela-Cerro is down" in each for each in shown(app))
        await press(pilot, "enter")
        await until(app, pilot, "PAST")
        begun = NOW - 3600
        assert app.replay is not None
        assert begun <= app.now() <= begun + 600
        assert not app.model.alerts
        head = shown(app)[0]
        assert "LIVE" not in head
        assert "×60" in head
        await press(pilot, "f")
        assert "×600" in shown(app)[0]
        await press(pilot, "p")
        assert "STOPPED" in shown(app)[0]
        at = app.now()
        await pilot.pause(1.3)
        assert app.now() == at
        await press(pilot, "r", "enter")
        assert app.replay is None
        assert "LIVE" in shown(app)[0]
        assert app.model is village.model

    run(village, scene)


def test_it_ends_by_itself_where_now_is_reached() -> None:
    village = Remembering()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.look_back(NOW - 3700)
        await until(app, pilot, "PAST")
        await press(pilot, "f", "f")
        await until(app, pilot, "LIVE")
        assert app.replay is None

    run(village, scene)


def test_nothing_can_be_done_in_the_past_and_questions_are_about_then() -> None:
    village = Remembering()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.look_back(NOW - 7200)
        await until(app, pilot, "PAST")
        assert app.replay is not None
        app.replay.toggle()
        at = app.now()
        feed = app.feed
        with pytest.raises(NoAnswer, match="This is the past"):
            await feed.ask(AskAck(alert="a1"), object)  # type: ignore[type-var]
        await feed.ask(AskEvents(limit=5), object)  # type: ignore[type-var]
        history = AskHistory(start=at - 100, end=NOW, step_s=10, metric="signal_dbm", link="x", side="a")
        await feed.ask(history, object)  # type: ignore[type-var]
        await feed.ask(AskReadings(device="torre-radio"), object)  # type: ignore[type-var]
        events, asked, readings = village.asked[-3:]
        assert isinstance(events, AskEvents)
        assert events.before == at
        assert isinstance(asked, AskHistory)
        assert asked.end == at
        assert isinstance(readings, AskReadings)
        assert readings.past

    run(village, scene)


def test_a_central_that_cannot_says_why_and_is_asked_again() -> None:
    village = Remembering()
    village.problem = "2 people look at the past already; try again in two minutes"

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.look_back(NOW - 7200)
        await until(app, pilot, "2 people look at the past")
        village.problem = ""
        await until(app, pilot, "×60")

    run(village, scene)


def test_a_time_is_typed() -> None:
    village = Remembering()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "r", "down", "down", "down", "down", "enter")
        await press(pilot, *"soon", "enter")
        assert any("That is no time of the past: soon" in each for each in shown(app))
        await press(pilot, "enter", *"3 h", "enter")
        await until(app, pilot, "PAST")
        assert NOW - 3 * 3600 <= app.now() < NOW - 2.5 * 3600

    run(village, scene)


def _at(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("14:30", "2026-11-22 14:30"),
        ("23:15", "2026-11-21 23:15"),
        ("2026-11-20 08:00", "2026-11-20 08:00"),
        ("2026-11-20", "2026-11-20 00:00"),
        ("3 h", "2026-11-22 12:00"),
        ("2d", "2026-11-20 15:00"),
        ("-90 min", "2026-11-22 13:30"),
        ("2026-11-23 08:00", None),
        ("25:00", None),
        ("3 weeks", None),
        ("", None),
        ("99999999999999 d", None),
    ],
)
def test_what_is_a_time(typed: str, found: str | None) -> None:
    assert view.moment(typed, _at("2026-11-22 15:00")) == (None if found is None else _at(found))


def test_speeds_in_words() -> None:
    assert [view.pace(each) for each in (10.0, 60.0, 600.0, 3600.0)] == [
        "10 s a second",
        "1 min a second",
        "10 min a second",
        "1 h a second",
    ]


def test_asking_never_blocks_the_screen() -> None:
    """Keys work while the central is silent."""

    class Silent(Remembering):
        async def ask(self, question: Question, answer: Any) -> Any:
            if isinstance(question, AskPast):
                await asyncio.sleep(60)
            return await super().ask(question, answer)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.look_back(NOW - 7200)
        await press(pilot, "r")
        assert any("Back to now" in each for each in shown(app))
        await press(pilot, "enter")
        assert app.replay is None

    run(Silent(), scene)
