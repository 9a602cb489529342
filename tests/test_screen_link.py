"""From a link down to single values, and alignment: keys, questions, the bell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace

import pytest
from console_village import Village
from pilot_keys import press, without_clock
from textual.pilot import Pilot

from ayni_console.app import ConsoleApp
from ayni_console.lines import plain
from ayni_console.screens.align import AlignPage
from ayni_console.screens.link import LinkPage
from ayni_console.screens.page import Page
from ayni_core.wire.questions import AskEvidence, AskHistory, AskSamples, AskWatch

Scene = Callable[[ConsoleApp, Pilot[None]], Coroutine[None, None, None]]


def shown(app: ConsoleApp) -> str:
    page = app.screen
    assert isinstance(page, Page)
    assert page._sheet is not None
    return "\n".join(plain(each) for each in page._sheet.lines)


def run(village: Village, scene: Scene, size: tuple[int, int] = (80, 24), **options: object) -> None:
    app = without_clock(ConsoleApp(village, clock=village.clock, **options))  # type: ignore[arg-type]

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await scene(app, pilot)

    asyncio.run(play())


def asked(village: Village, kind: type) -> list:  # type: ignore[type-arg]
    return [each for each in village.asked if isinstance(each, kind)]


def test_from_home_down_to_single_values_and_back() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "end", "enter")
        assert app.crumbs() == ["Home", "Torre-Clínica", "Torre"]
        await press(pilot, "down", "enter")
        assert app.crumbs()[2:] == ["Torre", "hears"]
        await press(pilot, "enter")
        assert app.crumbs()[3:] == ["hears", "as measured"]
        assert "200 values as measured" in shown(app)
        (question,) = asked(village, AskSamples)
        assert (question.link, question.side, question.metric) == ("torre-clinica", "a", "signal_dbm")
        assert question.before <= village.now
        await press(pilot, "escape", "escape", "escape")
        assert app.crumbs() == ["Home", "Torre-Clínica"]

    run(village, scene)


def test_older_values_come_as_one_goes_down() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "enter", "enter")
        app.tick()
        await pilot.pause()
        assert len(asked(village, AskSamples)) == 1, "nobody has gone down"
        await press(pilot, "end")
        app.tick()
        await pilot.pause()
        first, second = asked(village, AskSamples)
        assert second.before == first.before - 30 * 200
        assert "400 values as measured" in shown(app)

    run(village, scene)


def test_values_that_did_not_come_are_asked_for_again_a_while_later() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "enter")
        village.silent = True
        await press(pilot, "enter")
        assert "The central did not answer." in shown(app)
        for _each in range(3):
            app.tick()
            await pilot.pause()
        assert len(asked(village, AskSamples)) == 1
        village.silent = False
        village.now += 31
        app.tick()
        await pilot.pause()
        assert "200 values as measured" in shown(app)

    run(village, scene)


def test_both_halves_of_the_signal_are_found_at_their_end() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "down", "down", "enter")
        assert app.crumbs() == ["Home", "Torre-Clínica", "Torre"]
        await press(pilot, "tab")
        assert app.crumbs() == ["Home", "Torre-Clínica", "Clínica"]
        assert "B  Radio Clínica" in shown(app)
        await press(pilot, "enter")
        assert app.crumbs()[-1] == "Radio Clínica"

    run(Village(), scene)


def test_v_plots_one_number_after_the_other_and_asks_once_for_each() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter")
        for title in ("NOISE at Torre", "RATE from Torre", "REPEATS at Torre", "SIGNAL at both ends"):
            await press(pilot, "v")
            assert title in shown(app)
        before = len(asked(village, AskHistory))
        assert [each.metric for each in asked(village, AskHistory)] == [
            "signal_dbm", "noise_dbm", "tx_rate_bps", "retry_pct", "signal_dbm",
        ]  # fmt: skip
        for _each in range(5):
            await press(pilot, "v")
        assert len(asked(village, AskHistory)) == before, "what is known is shown at once"

    run(village, scene)


def test_z_and_Z_go_from_an_hour_to_a_year_and_say_where_it_ends() -> None:  # noqa: N802
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter")
        for span in ("30 days", "1 year"):
            await press(pilot, "Z")
            assert f"SIGNAL at Torre, {span}" in shown(app)
        await press(pilot, "Z")
        assert "Nothing longer than a year." in shown(app)
        await press(pilot, "z", "z", "z", "z")
        assert "SIGNAL at Torre, 1 hour" in shown(app)
        await press(pilot, "z")
        assert "Nothing shorter than an hour." in shown(app)
        spans = [round(each.end - each.start) for each in asked(village, AskHistory)]
        assert spans == [604800, 2592000, 31536000, 86400, 3600]

    run(village, scene)


def test_what_is_normal_is_asked_for_soon_again_and_then_seldom() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter")
        for _each in range(120):
            village.now += 10
            app.tick()
            await pilot.pause()
        assert 3 <= len(asked(village, AskEvidence)) <= 6
        count = len(asked(village, AskEvidence))
        village.link_becomes("torre-clinica", state="down")
        village.now += 25
        app.tick()
        await pilot.pause()
        assert len(asked(village, AskEvidence)) == count + 1, "another state has other signs"

    run(village, scene)


def test_without_an_answer_the_links_own_normal_is_shown() -> None:
    village = Village()
    village.silent = True

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter")
        text = shown(app)
        assert "normal" in text
        assert "-59" in text
        assert "SIGNS" not in text

    run(village, scene)


def test_with_braille_a_plot_asks_for_twice_as_many_steps() -> None:
    steps = {}
    for braille in (False, True):
        village = Village()

        async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
            await press(pilot, "down", "enter")
            assert any(0x2800 < ord(char) < 0x2900 for char in shown(app)) == app.braille

        run(village, scene, braille=braille)
        steps[braille] = asked(village, AskHistory)[0].step_s
    assert steps[True] == pytest.approx(steps[False] / 2)


def test_a_screen_that_stands_still_asks_nothing() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for keys in (
            ["down", "enter"],
            ["enter"],
            ["enter"],
            ["escape", "escape", "end", "enter"],
            ["escape", "l"],
        ):
            await press(pilot, *keys, "p")
            count = len(village.asked)
            for _each in range(3):
                village.now += 1000
                app.tick()
                await pilot.pause()
            assert len(village.asked) == count, app.crumbs()
            await press(pilot, "p")

    run(village, scene)


def test_no_second_counts_on_a_steady_link() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter")
        village.now += 1.0
        app.tick()
        await pilot.pause()
        before = shown(app).splitlines()[1:]
        village.now += 4.0
        app.tick()
        await pilot.pause()
        assert shown(app).splitlines()[1:] == before, "but for the head, which says how fresh contact is"

    run(village, scene)


# alignment


def rings(app: ConsoleApp, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    heard: list[float] = []
    monkeypatch.setattr(app, "bell", lambda: heard.append(1.0))
    return heard


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=["80x24", "60x20"])
def test_l_aligns_with_quick_polls_of_both_ends(size: tuple[int, int]) -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "l")
        assert app.crumbs() == ["Home", "Torre-Clínica", "Align"]
        assert "█████" in shown(app)
        assert village.looked_at == ("torre", "clinica")
        (watch,) = asked(village, AskWatch)
        assert watch == AskWatch(
            sites=("torre", "clinica"), devices=("torre-radio", "clinica-radio"), for_s=60.0
        )
        village.now += 10
        app.tick()
        await pilot.pause()
        assert len(asked(village, AskWatch)) == 1
        village.now += 16
        app.tick()
        await pilot.pause()
        assert len(asked(village, AskWatch)) == 2, "renewed before it ends"
        await press(pilot, "escape")
        village.now += 60
        app.tick()
        await pilot.pause()
        assert len(asked(village, AskWatch)) == 2, "and no longer than somebody looks"

    run(village, scene, size)


def test_the_bell_sounds_until_it_is_silenced_and_only_while_numbers_are_new() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "l")
        page = app.screen
        assert isinstance(page, AlignPage)
        assert page.stroke_s() is not None
        await press(pilot, "q")
        assert "The bell is quiet." in shown(app)
        assert page.stroke_s() is None
        await press(pilot, "q", "p")
        assert page.stroke_s() is None, "the screen stands still"
        await press(pilot, "p")
        far = page.stroke_s()
        assert far is not None
        village.now += 30
        assert page.stroke_s() is None, "an old number makes no sound"
        link = village.model.links["torre-clinica"]
        village.link_becomes("torre-clinica", a=replace(link.a, signal_dbm=-60, as_of=village.now))
        near = page.stroke_s()
        assert near is not None
        assert near < far
        await press(pilot, "tab")
        assert page.stroke_s() is None, "the other end is still old"
        await press(pilot, "tab", "escape")
        assert page.stroke_s() is None

    run(village, scene)


def test_a_page_that_was_left_rings_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        heard = rings(app, monkeypatch)
        link = village.model.links["torre-clinica"]
        near = replace(link.a, signal_dbm=-59, as_of=village.now)
        village.link_becomes("torre-clinica", a=near, b=near)
        await press(pilot, "down", "enter", "l")
        await pilot.pause(0.9)
        assert heard
        await press(pilot, "escape")
        assert isinstance(app.screen, LinkPage)
        count = len(heard)
        await pilot.pause(0.6)
        assert len(heard) == count

    run(village, scene)


def test_who_may_not_hasten_is_told_and_sees_what_comes() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        village.silent = True
        await press(pilot, "down", "enter", "l")
        text = shown(app)
        assert "The monitors do not measure more often: The central did not answer." in text
        assert "best so far -71" in text
        village.silent = False
        village.now += 11
        app.tick()
        await pilot.pause()
        assert "do not measure more often" not in shown(app)

    run(village, scene)


def test_the_best_is_kept_while_the_antenna_turns() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "l")
        link = village.model.links["torre-clinica"]
        for signal in (-66.0, -61.0, -64.0):
            village.now += 5
            village.link_becomes("torre-clinica", a=replace(link.a, signal_dbm=signal, as_of=village.now))
            app.tick()
        await pilot.pause()
        assert "best so far -61 " in shown(app)
        assert "▲ 5 dB to go" in shown(app)

    run(village, scene)
