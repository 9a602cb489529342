"""The map as a screen: its keys, what stays selected, where Enter and advice lead, what a step costs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine

import pytest
from console_village import Village
from textual.geometry import Offset
from textual.pilot import Pilot

from ayni_console.app import ConsoleApp
from ayni_console.lines import plain, width
from ayni_console.screens.network import MapPage
from ayni_console.screens.page import Page

Scene = Callable[[ConsoleApp, Pilot[None]], Coroutine[None, None, None]]


def shown(app: ConsoleApp) -> list[str]:
    page = app.screen
    assert isinstance(page, Page)
    assert page._sheet is not None
    return [plain(each) for each in page._sheet.lines]


def text(app: ConsoleApp) -> str:
    return "\n".join(shown(app))


def run(village: Village, scene: Scene, size: tuple[int, int] = (80, 24), **options: object) -> None:
    app = ConsoleApp(village, clock=village.clock, **options)  # type: ignore[arg-type]

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await scene(app, pilot)

    asyncio.run(play())


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


def the_map(app: ConsoleApp) -> MapPage:
    assert isinstance(app.screen, MapPage)
    return app.screen


def test_the_map_begins_at_what_needs_somebody_and_enter_opens_the_site() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m")
        assert any(each.startswith(">■ │  ├─ Escuela") for each in shown(app))
        await press(pilot, "enter")
        assert app.crumbs() == ["Home", "Map", "Escuela"]
        await press(pilot, "escape", "a")
        assert app.crumbs()[-1] == "What do I do now?"
        assert "Escuela-Cerro" in text(app)

    run(Village(), scene)


def test_m_on_a_site_shows_where_it_is() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("site", "molino")
        await press(pilot, "m")
        assert the_map(app).selected() == "molino"
        await press(pilot, "v")
        assert the_map(app).selected() == "molino"
        assert "Molino" in shown(app)[-4]

    run(Village(), scene)


def test_v_changes_the_view_and_keeps_the_site() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "down", "v")
        assert the_map(app).selected() == "molino"
        assert "│ 2 km" in text(app)
        await press(pilot, "v")
        assert any(re.match(r">● │  └─ Molino", each) for each in shown(app))

    run(Village(), scene)


def test_the_first_look_at_the_places_counts_the_sites_that_have_one() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "v")
        assert "no place" not in shown(app)[0]
        await press(pilot, "z")
        assert re.search(r"[1-5] of 5 sites", shown(app)[0])

    run(Village(), scene)


def test_arrows_go_to_the_nearest_site_and_the_line_below_says_which() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "v")
        way = []
        for key in ("left", "left", "right", "down", "right", "up", "right"):
            await press(pilot, key)
            way.append(the_map(app).selected())
            title = app.model.title("site", way[-1] or "")
            sign = "■" if title == "Escuela" else "●"
            assert shown(app)[-4].startswith(f">{sign} {title} ")
            sheet = shown(app)[2:-4]
            assert any(f">{sign} {title}" in each or f"{title}>{sign}" in each for each in sheet)
        assert way == ["cerro", "molino", "cerro", "torre", "clinica", "cerro", "escuela"]
        assert app.cursor_position != Offset(0, 0)

    run(Village(), scene)


def test_zoom_says_how_much_is_seen_and_goes_back() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "v")
        whole = shown(app)
        await press(pilot, "z", "z")
        assert re.search(r"[1-4] of 5 sites", shown(app)[0])
        assert ">■ Escuela" in text(app)
        await press(pilot, *["Z"] * 5)
        assert shown(app)[2:] == whole[2:]
        await press(pilot, *["z"] * 30)
        assert ">■" in text(app)
        assert " m" in shown(app)[-3]

    run(Village(), scene)


def test_home_and_end_go_to_the_most_and_the_least_urgent() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "v", "end")
        assert the_map(app).selected() == "cerro"
        await press(pilot, "home")
        assert the_map(app).selected() == "escuela"
        await press(pilot, "pagedown")
        assert the_map(app).selected() == "clinica"

    run(Village(), scene)


def test_branches_fold_and_unfold() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "left")
        assert the_map(app).selected() == "cerro"
        await press(pilot, "left")
        assert any(re.match(r">● ├─ Cerro \(\+2\) .* ■ DOWN: 1 behind it", each) for each in shown(app))
        await press(pilot, "v", "left", "v")
        assert the_map(app).selected() == "molino"
        assert any(re.match(r">● │  └─ Molino", each) for each in shown(app))
        await press(pilot, "up", "up", "Z")
        assert the_map(app).selected() == "cerro"
        assert "(+2)" in text(app)
        await press(pilot, "z")
        assert "(+2)" not in text(app)
        await press(pilot, "right")
        assert the_map(app).selected() == "escuela"

    run(Village(), scene)


def test_the_map_is_found_again_as_it_was_left() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "v", "z", "h", "m")
        assert the_map(app).seen.by_place
        assert re.search(r"\d of 5 sites", shown(app)[0])

    run(Village(), scene)


def test_a_filter_on_the_map_leads_to_what_fits() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "v", "slash", *"clini", "enter")
        assert the_map(app).selected() == "clinica"
        assert "only lines with: clini" in text(app)
        await press(pilot, "left")
        assert the_map(app).selected() == "clinica"
        await press(pilot, "escape", "left")
        assert the_map(app).selected() == "torre"

    run(Village(), scene)


def test_a_finger_selects_a_site_and_opens_it() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "v")
        row = next(y for y, each in enumerate(shown(app)) if "● Torre" in each)
        column = shown(app)[row].index("● Torre")
        await pilot.click(offset=(column + 3, row))
        await pilot.pause()
        assert the_map(app).selected() == "torre"
        await pilot.click(offset=(column, row))
        await pilot.pause()
        assert app.crumbs()[-1] == "Torre"
        await press(pilot, "escape")
        await pilot.click(offset=(1, 3))
        await pilot.pause()
        assert the_map(app).selected() == "torre", "beside all of them nothing happens"
        await pilot.click(offset=(3, 23))
        await pilot.pause()
        assert app.crumbs()[-1] == "Torre", "the words of the foot do what they say here, too"

    run(Village(), scene)


def test_a_finger_on_a_mark_selects_as_arrows_do_and_the_same_mark_opens_as_enter_does() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "v", "left", "left")
        assert the_map(app).selected() == "molino"
        by_keys = shown(app)
        await press(pilot, "home")
        drawing = the_map(app).seen.place.drawing
        assert drawing is not None
        cell = drawing.cell_of("molino")
        assert cell is not None
        place = (cell[0], cell[1] + the_map(app)._above(the_map(app).look()))
        await pilot.click(offset=place)
        await pilot.pause()
        assert shown(app) == by_keys
        assert app.cursor_position == Offset(*place)
        await pilot.click(offset=place)
        await pilot.pause()
        assert app.crumbs() == ["Home", "Map", "Molino"]

    run(Village(), scene)


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (132, 43), (300, 80)])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_both_views_fit_every_terminal(size: tuple[int, int], ascii_only: bool) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for keys in (["m"], ["v"], ["z"], ["left"], ["Z", "slash", "t"]):
            await press(pilot, *keys)
            page = app.page()
            assert page is not None and page._sheet is not None
            assert {width(each) for each in page._sheet.lines} == {size[0]}
            assert len(page._sheet.lines) == size[1]
            assert not ascii_only or text(app).isascii()

    run(Village(more_links=3), scene, size, ascii_only=ascii_only, colour=not ascii_only)


def test_a_network_without_sites_or_places_says_so() -> None:
    village = Village()
    for name in list(village.model.sites):
        village.send(f"ayni/v1/net/site/{name}", None)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m")
        assert "No site is known yet." in text(app)
        for key in ("v", "left", "up", "z", "Z", "enter", "home", "a", "escape", "v"):
            await press(pilot, key)
            assert app.is_running

    run(village, scene)


def test_a_steady_map_paints_nothing_again() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "m", "v")
        before = shown(app)
        for _each in range(3):
            village.now += 1
            village.model.heard(village.now)
            app.tick()
        assert shown(app)[1:] == before[1:]

    run(village, scene)
