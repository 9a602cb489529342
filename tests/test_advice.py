"""Advice: for every cause that the central can name, in an order that is cheap and safe."""

from __future__ import annotations

import asyncio

import pytest
from console_village import NOW, Village
from textual.pilot import Pilot

from ayni_console import advice
from ayni_console.app import ConsoleApp
from ayni_console.lines import cells, plain, width
from ayni_console.screens.advice import AdvicePage
from ayni_console.screens.link import LinkPage
from ayni_console.view import repair
from ayni_console.view.page import Look
from ayni_core.message import Message
from ayni_core.rules import Rule
from ayni_core.texts import TEXTS
from ayni_io.i18n import say
from ayni_io.rulebook import load_rules

CAUSES = list(advice.LOOK_ALIKES)
NAMED = sorted(key.removeprefix("cause.") for key in TEXTS if key.startswith("cause."))


@pytest.mark.parametrize("cause", NAMED)
def test_each_cause_that_the_central_can_name_has_advice_of_its_own(cause: str) -> None:
    assert advice.cause_of(f"cause.{cause}") == cause
    assert f"headline.{cause}" in TEXTS
    unknown = advice.steps("unknown")
    assert (advice.steps(cause) == unknown) == (cause == "unknown")
    assert (advice.name_of(cause) == advice.name_of("unknown")) == (cause == "unknown")


@pytest.mark.parametrize("cause", NAMED)
def test_it_begins_as_the_message_to_people_does(cause: str) -> None:
    assert advice.steps(cause)[0].text == say(Message(f"first.{cause}"))


def suspected() -> list[Rule]:
    return [rule for rule in load_rules() if rule.suspect is not None]


def test_what_rules_suspect_is_among_them() -> None:
    assert {rule.suspect for rule in suspected()} <= set(CAUSES)
    assert len({rule.suspect for rule in suspected()}) >= 10


@pytest.mark.parametrize("cause", CAUSES)
def test_other_ideas_are_causes_with_advice_and_never_the_same_one(cause: str) -> None:
    others = advice.LOOK_ALIKES[cause]
    assert set(others) <= set(CAUSES)
    assert cause not in others
    assert "unknown" not in others
    assert len(others) == len(set(others)) >= 2


@pytest.mark.parametrize("cause", CAUSES)
def test_steps_are_few_and_in_a_safe_order(cause: str) -> None:
    steps = advice.steps(cause)
    kinds = [step.kind for step in steps]
    assert 3 <= len(steps) <= 6
    assert set(kinds) <= {"ask", "look", "safe", "act", "verify"}
    assert kinds.count("verify") == 1
    assert kinds[-1] == "verify"
    assert kinds[0] in ("ask", "look") or cause in ("supply", "worn"), "the cheapest check comes first"
    assert len({step.text for step in steps}) == len(steps)
    for step in steps:
        assert cells(step.text) <= 100
        assert cells(step.more) <= 100


@pytest.mark.parametrize("cause", CAUSES)
def test_what_is_done_up_on_a_mast_or_on_wires_comes_after_the_word_of_safety(cause: str) -> None:
    kinds = [step.kind for step in advice.steps(cause)]
    touched = ("Loosen", "Sweep", "connectors", "swap that radio", "injector;", "clamps", "Mend that client")
    for at, step in enumerate(advice.steps(cause)):
        if any(word in step.text for word in touched):
            assert "safe" in kinds[:at], step.text


def test_the_headlines_of_new_causes_are_short() -> None:
    for cause in ("side_lobe", "connector"):
        headline = say(Message(f"headline.{cause}", {"site": "Torre"}))
        assert cells(headline) <= 60
        assert len(headline.split()) <= 12
        assert cells(say(Message(f"cause.{cause}"))) <= 22


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("cells_wide", [60, 80])
def test_every_line_of_advice_fits_and_nothing_is_lost(cause: str, cells_wide: int) -> None:
    model = Village().model
    look = Look(width=cells_wide, height=24, now=NOW)
    headline = "Torre-Clínica: " + "a long headline that goes on and on " * 3
    rows = repair.advice_rows(model, "link", "torre-clinica", headline, advice.Progress(cause), None, look)
    shown = [plain(row.draw()) for row in rows]
    assert all(width(row.draw()) <= look.width for row in rows)
    text = " ".join(" ".join(shown).split())
    assert " ".join(headline.split()) in text
    assert advice.goal(cause) in text
    for step in advice.steps(cause):
        assert step.text in text


# ---- the way to the numbers


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


def test_below_the_steps_a_line_leads_to_the_numbers_and_is_no_step() -> None:
    village = Village()
    app = ConsoleApp(village, clock=village.clock)

    async def play() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await press(pilot, "down", "a", "end")
            page = app.screen
            assert isinstance(page, AdvicePage)
            assert page._sheet is not None
            assert any("See both ends of Torre-Clínica" in plain(each) for each in page._sheet.lines)
            assert page.enter_does() == "open"
            await press(pilot, "x")
            assert page.progress().marks == {}, "it is no step that could not be done"
            await press(pilot, "enter")
            assert isinstance(app.screen, LinkPage)
            await press(pilot, "escape", "home", "enter")
            assert list(page.progress().marks) == [0]

    asyncio.run(play())


def test_the_line_names_what_it_shows() -> None:
    model = Village().model
    assert repair._see(model, "link", "torre-clinica") == "See both ends of Torre-Clínica"
    assert repair._see(model, "node", "molino-pi") == "See Monitor Molino"
    assert repair._see(model, "device", "torre-radio") == "See Radio Torre"
