"""The end of a pretend village, and the line that says on every screen that there is no contact."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest
from console_village import NOW, Village
from textual.pilot import Pilot

from ayni_console.app import ConsoleApp
from ayni_console.lines import plain, width
from ayni_console.screens.farewell import FarewellPage
from ayni_console.view import farewell, frame
from ayni_console.view.page import Look, Row, Window, arrange, text
from ayni_io.process import OWN_DEVICES

LOOKS = [Look(width=80, height=24, now=NOW), Look(width=60, height=20, now=NOW)]


def said(rows: list[Row]) -> list[str]:
    return [plain(row.draw()) for row in rows]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: str(look.width))
@pytest.mark.parametrize("teaching", [False, True])
def test_every_line_fits_and_all_three_ways_are_seen_at_once(look: Look, teaching: bool) -> None:
    model = Village(lab=True).model
    rows = farewell.rows(model, look, teaching=teaching)
    assert all(width(row.draw()) <= look.width for row in rows)
    assert len(rows) <= look.height - 3
    keys = [row.key for row in rows if row.key]
    assert keys == ([] if teaching else ["devices", "teach", "leave"])


def test_the_lesson_names_what_can_break_here() -> None:
    model = Village(lab=True).model
    assert model.lab is not None
    shown = "\n".join(said(farewell.rows(model, LOOKS[0], teaching=True)))
    assert shown.count("\n   ") == len(model.lab.faults)
    assert "docs/lesson-1.en.md" in shown


@pytest.mark.parametrize("rows", [3, 60])
def test_words_in_the_place_of_the_rule_stay_when_the_rows_are_counted_there(rows: int) -> None:
    look = LOOKS[0]
    body = [text(f"row {number}") for number in range(rows)]
    drawn = arrange(look, text("head").draw(), body, [text(" ? No way").draw(), ()], Window())
    last = plain(drawn.lines[-2])
    assert last.startswith(" ? No way")
    assert ("/60" in last) == (rows == 60)
    ruled = arrange(look, (), body, [frame.rule(look), ()], Window()).lines[-2]
    assert "…" not in plain(ruled)


def run(app: ConsoleApp, scene: Callable[[Pilot[None]], Coroutine[None, None, None]]) -> None:
    async def play() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await scene(pilot)

    asyncio.run(play())


def test_who_ends_a_village_is_asked_what_comes_next() -> None:
    app = ConsoleApp(Village(lab=True), village=True)

    async def scene(pilot: Pilot[None]) -> None:
        assert "You cannot break anything here" in app.notice_shown()
        await pilot.press("ctrl+q")
        assert isinstance(app.screen, FarewellPage)
        await pilot.press("down", "enter")
        assert app.screen.teaching
        await pilot.press("escape", "up", "enter")

    run(app, scene)
    assert app.return_code == OWN_DEVICES


def test_a_second_ctrl_q_leaves_and_elsewhere_the_first_does() -> None:
    async def twice(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+q", "ctrl+q")

    async def once(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+q")

    for village, scene in ((True, twice), (False, once)):
        app = ConsoleApp(Village(lab=True), village=village)
        run(app, scene)
        assert app.return_code == 0
        assert app._exit


@pytest.mark.parametrize("keys", ["m", "e", "b", "a", "i", "question_mark"])
def test_lost_contact_is_said_on_every_screen(keys: str) -> None:
    village = Village()
    app = ConsoleApp(village, clock=village.clock)

    async def scene(pilot: Pilot[None]) -> None:
        await pilot.press(keys)
        village.model.linked(False, "127.0.0.1:1883: nothing listens there.")
        app.repaint_page()
        page = app.page()
        assert page is not None
        drawn = arrange(page.look(), (), page.rows(page.look()), page._foot(page.look()), page.window)
        foot = [plain(each) for each in drawn.lines[-4:]]
        assert any(each.startswith(" ? No way to the central: 127.0.0.1") for each in foot)

    run(app, scene)
