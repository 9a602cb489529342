"""Every key of the help does what the help says: a flow for each, by its letter and by its F-key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from console_pages import speaking
from console_village import NOW, Village
from test_console_app import press, shown
from textual.pilot import Pilot

from ayni_console import keys
from ayni_console.app import ConsoleApp
from ayni_console.screens.align import AlignPage
from ayni_console.screens.network import MapPage
from ayni_console.screens.page import Page
from ayni_core.wire.questions import AskAck

LINK = ("down", "enter")


@dataclass(frozen=True)
class Flow:
    """`before` is pressed first, then the key; then `there` has to hold."""

    there: Callable[[ConsoleApp, Village, str], bool]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def at(*crumbs: str) -> Callable[[ConsoleApp, Village, str], bool]:
    """The way here ends like this."""
    return lambda app, village, text: tuple(app.crumbs()[-len(crumbs) :]) == crumbs


def says(*words: str) -> Callable[[ConsoleApp, Village, str], bool]:
    """All these words are shown."""
    return lambda app, village, text: all(word in text for word in words)


def page(app: ConsoleApp) -> Page:
    found = app.page()
    assert found is not None
    return found


REPAINTED: list[str] = []
FLOWS: dict[str, Flow] = {
    "open": Flow(at("Home", "Torre-Clínica"), ("down",)),
    "back": Flow(at("Home"), LINK),
    "home": Flow(lambda app, village, text: app.crumbs() == ["Home"], (*LINK, "e")),
    "advice": Flow(says("What do I do now?", "step 1 of")),
    "map": Flow(at("Home", "Map")),
    "events": Flow(at("Home", "Events")),
    "health": Flow(at("Home", "Health")),
    "messages": Flow(says("WAYS TO PEOPLE")),
    "lab": Flow(says("BREAK SOMETHING")),
    "side": Flow(says("SIGNAL at Clínica"), LINK),
    "zoom": Flow(lambda app, village, text: page(app).past.zoom == "day", LINK),  # type: ignore[attr-defined]
    "zoom_out": Flow(lambda app, village, text: page(app).past.zoom == "month", LINK),  # type: ignore[attr-defined]
    "other_view": Flow(
        lambda app, village, text: isinstance(page(app), MapPage) and "├─ Cerro" not in text, ("m",)
    ),
    "align": Flow(lambda app, village, text: isinstance(page(app), AlignPage), LINK),
    "sound": Flow(says("lets it sound"), (*LINK, "l")),
    "filter": Flow(lambda app, village, text: page(app).wanted == "cl", after=("c", "l", "enter")),
    "sort": Flow(says("Links by name")),
    "ideas": Flow(says("What else may it be?"), ("a",)),
    "could_not": Flow(says("× 1"), ("a",)),
    "do": Flow(lambda app, village, text: app.crumbs()[-1].startswith("Do"), LINK),
    "take_on": Flow(
        lambda app, village, text: any(isinstance(each, AskAck) for each in village.asked),
        after=("enter",),
    ),
    "note": Flow(
        lambda app, village, text: [each.text for each in village.notes()] == ["Hi"],
        after=("H", "i", "enter"),
    ),
    "copy": Flow(says("Copied; also in")),
    "pause": Flow(says("PAUSED")),
    "replay": Flow(says("BEGIN AT")),
    "faster": Flow(says("Only the past goes faster")),
    "language": Flow(says("LANGUAGE", "Português")),
    "help": Flow(says("KEYS", "Go to Home")),
    "palette": Flow(says("Commands", "Go to Home")),
    "repaint": Flow(lambda app, village, text: "all" in REPAINTED),
    "leave": Flow(lambda app, village, text: not app.is_running or app._exit),
}


def test_every_key_of_the_help_has_its_flow() -> None:
    assert set(FLOWS) == {key.action for key in keys.KEYS}
    assert set(keys.texts(str)) == set(FLOWS), "and its words"
    assert set(keys.EVERYWHERE) <= set(FLOWS)


CASES = [(key.action, each) for key in keys.KEYS for each in key.keys.split(",")]


@pytest.mark.parametrize(("action", "key"), CASES, ids=[f"{action}-{key}" for action, key in CASES])
def test_the_key_does_what_the_help_says(
    action: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    village, flow = Village(lab=True, now=NOW), FLOWS[action]
    app = ConsoleApp(village, clock=village.clock, copied_to=tmp_path / "copied")
    held: list[bool] = []

    async def play() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            app.tick()
            await pilot.pause()
            REPAINTED.clear()
            monkeypatch.setattr(app, "show_all", lambda: REPAINTED.append("all"))
            await press(pilot, *flow.before)
            before = "" if action == "leave" else "\n".join(shown(app))
            assert action == "leave" or not flow.there(app, village, before), "it does something"
            await press(pilot, key)
            if action != "leave":
                await press(pilot, *flow.after)
                await _settled(pilot)
            held.append(flow.there(app, village, "" if action == "leave" else "\n".join(shown(app))))

    with speaking("en"):
        asyncio.run(play())
    assert held == [True], f"{key} on {flow.before}"


async def _settled(pilot: Pilot[None]) -> None:
    for _each in range(3):
        await pilot.pause()
