"""Site and device as screens: where Enter leads, what opens in place, what is asked of the central."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace

import pytest
from console_village import Village
from textual.pilot import Pilot

from ayni_console.app import ConsoleApp
from ayni_console.lines import plain, width
from ayni_console.screens.page import Page
from ayni_core.wire import topics
from ayni_core.wire.questions import AskReadings

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


async def open_thing(app: ConsoleApp, pilot: Pilot[None], kind: str, name: str) -> None:
    app.open_thing(kind, name)
    for _each in range(3):
        await pilot.pause()


def asked(village: Village) -> list[AskReadings]:
    return [each for each in village.asked if isinstance(each, AskReadings)]


def selected(app: ConsoleApp) -> str:
    return next((each[1:] for each in shown(app) if each.startswith(">")), "")


def test_a_site_opens_at_its_first_device_below_the_alarms() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "site", "escuela")
        assert selected(app).startswith("■ Radio Escuela")
        assert "watched by Torre" in text(app)
        await press(pilot, "enter")
        assert app.crumbs() == ["Home", "Escuela", "Radio Escuela"]

    run(Village(), scene)


def test_enter_on_an_alarm_is_advice_and_on_a_link_the_link() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "site", "escuela")
        await press(pilot, "home")
        assert selected(app).startswith("■ DOWN      Escuela-Cerro is down")
        assert app.page().subject() == ("link", "escuela-cerro")  # type: ignore[union-attr]
        await press(pilot, "enter")
        assert app.crumbs()[-1] == "What do I do now?"
        await press(pilot, "escape", "down", "down", "down", "enter")
        assert app.crumbs()[-1] == "Escuela-Cerro"

    run(Village(), scene)


def test_advice_on_a_site_is_about_what_explains_it() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "site", "clinica")
        await press(pilot, "a")
        assert "Torre-Clínica" in text(app)

    run(Village(), scene)


def test_enter_on_power_shows_it_over_time() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "site", "cerro")
        await press(pilot, "end")
        assert "Radio Cerro" in selected(app) and "voltage 24.1 V" in selected(app)
        assert "voltage: voltage" in text(app)
        await press(pilot, "enter")
        assert app.crumbs()[-1] == "Radio Cerro voltage"

    run(Village(), scene)


def test_only_power_is_asked_of_the_devices_of_a_site() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "site", "cerro")
        assert [(each.device, each.groups) for each in asked(village)] == [
            ("cerro-radio", ("power", "poe", "sensor"))
        ]
        app.tick()
        await pilot.pause()
        assert len(asked(village)) == 1
        village.now += 10
        device = replace(village.model.devices["cerro-radio"], as_of=village.now)
        village.send(topics.net("device", "cerro-radio"), device)
        app.tick()
        await pilot.pause()
        assert len(asked(village)) == 2

    run(village, scene)


def test_a_device_asks_for_rates_and_opens_at_its_first_number() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "device", "torre-radio")
        assert [each.rates for each in asked(village)] == [True]
        assert selected(app).strip().startswith("hears ")
        assert "hears: how loud the other side is heard; nearer to 0 is louder" in text(app)
        await press(pilot, "enter")
        assert app.crumbs()[-1].endswith("hears")

    run(village, scene)


def test_a_port_opens_in_place_and_closes_again() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "device", "torre-radio")
        while not selected(app).startswith("● eth0"):
            await press(pilot, "down")
        assert "Enter more" in shown(app)[-1]
        assert "works up, speed 100 Mb/s, received 1.2 Mb/s" in text(app)
        await press(pilot, "enter")
        assert "     works" in text(app)
        assert "Enter less" in shown(app)[-1]
        await press(pilot, "left")
        assert "     works" not in text(app)
        await press(pilot, "right", "down", "down")
        assert selected(app).strip().startswith("speed ")
        await press(pilot, "enter")
        assert app.crumbs()[-1] == "eth0 speed"

    run(Village(), scene)


def test_a_filter_on_a_device_shows_only_what_fits() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "device", "torre-radio")
        await press(pilot, "slash", *"speed", "enter")
        assert selected(app).strip().startswith("speed ")
        assert "hears " not in "\n".join(shown(app)[2:-4])
        await press(pilot, "escape")
        assert "     hears" in text(app)

    run(Village(), scene)


def test_without_an_answer_site_and_device_say_so() -> None:
    village = Village()
    village.silent = True

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "site", "cerro")
        assert "The central did not answer." in text(app)
        await press(pilot, "enter")
        await pilot.pause()
        assert "The central did not answer." in text(app)

    run(village, scene)


def test_a_name_that_the_central_forgot_breaks_nothing() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "site", "cerro")
        village.send(topics.net("site", "cerro"), None)
        app.tick()
        assert "The central does not know this site." in text(app)
        await press(pilot, "escape")
        await open_thing(app, pilot, "device", "torre-radio")
        village.send(topics.net("device", "torre-radio"), None)
        app.tick()
        assert "The central does not know this device." in text(app)
        await press(pilot, "enter", "left", "right", "c", "question_mark")
        assert app.is_running

    run(village, scene)


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (132, 43), (300, 80)])
def test_both_fit_every_terminal(size: tuple[int, int]) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for kind, names in (("site", app.model.sites), ("device", app.model.devices)):
            for name in list(names):
                await open_thing(app, pilot, kind, name)
                page = app.page()
                assert page is not None and page._sheet is not None
                assert {width(each) for each in page._sheet.lines} == {size[0]}
                assert len(page._sheet.lines) == size[1]
                app.go_home()

    run(Village(more_links=2), scene, size)


def test_a_steady_device_paints_nothing_again() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await open_thing(app, pilot, "device", "torre-radio")
        before = shown(app)
        for _each in range(5):
            village.now += 1
            village.model.heard(village.now)
            app.tick()
            await pilot.pause()
        assert shown(app)[1:] == before[1:]

    run(village, scene)
