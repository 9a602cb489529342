"""`L`: a language or other colours at once, on every screen, and kept for the next time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import pytest
from console_pages import visit_all
from console_village import Village
from test_console_app import press, shown
from textual.pilot import Pilot

from ayni_console import terminal, theme
from ayni_console.app import ConsoleApp
from ayni_console.screens.page import Page
from ayni_console.view import language as view
from ayni_console.view.page import Look
from ayni_io import i18n

Scene = Callable[[ConsoleApp, Pilot[None]], Coroutine[None, None, None]]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = i18n.language()
    i18n.use("en")
    yield
    i18n.use(before)


def run(scene: Scene, folder: Path, size: tuple[int, int] = (80, 24), **options: object) -> None:
    village = Village()
    kept_in = {"XDG_CONFIG_HOME": str(folder)}
    app = ConsoleApp(village, clock=village.clock, kept_in=kept_in, **options)  # type: ignore[arg-type]

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await scene(app, pilot)

    asyncio.run(play())


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=["80x24", "60x20"])
def test_a_language_is_taken_at_once_and_kept(size: tuple[int, int], tmp_path: Path) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "L")
        page = "\n".join(shown(app))
        assert "LANGUAGE" in page
        assert "● English" in page
        assert "Português" in page
        await press(pilot, "down", "enter")
        assert "● Español" in "\n".join(shown(app))
        assert "LANGUAGE" not in "\n".join(shown(app))
        await press(pilot, "escape")
        assert "oye" in "\n".join(shown(app)), "the screens below speak it, too"
        await press(pilot, "h")
        assert "PRIMERO" in "\n".join(shown(app))

    run(scene, tmp_path, size)
    assert (tmp_path / "ayni" / "language").read_text() == "es\n"
    assert i18n.language() == "es"


def test_the_language_in_use_is_selected_and_the_key_closes_nothing_twice(tmp_path: Path) -> None:
    i18n.use("fr")

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "L", "L")
        assert len(app.crumbs()) == 2
        assert any(each.startswith(">● Français") for each in shown(app))

    run(scene, tmp_path)


def test_light_colours_change_every_cell_and_are_kept(tmp_path: Path) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert app.looks[""].bgcolor is not None
        assert app.looks[""].bgcolor.name == theme.GROUND
        await press(pilot, "L", "end", "enter")
        assert app.colours == "light"
        assert app.looks[""].bgcolor.name == theme.LIGHT_GROUND
        await press(pilot, "escape")
        grounds = {
            segment.style.bgcolor.name
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None and segment.style.bgcolor is not None
        }
        assert grounds == {theme.LIGHT_GROUND, theme.LIGHT_TEXT}

    run(scene, tmp_path)
    assert (tmp_path / "ayni" / "colours").read_text() == "light\n"


@pytest.mark.parametrize("options", [{"colour": False}, {"few_colours": True}], ids=["none", "sixteen"])
def test_where_colours_are_few_there_is_no_choice_of_them(options: dict[str, object], tmp_path: Path) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "L")
        assert "COLOURS" not in "\n".join(shown(app))

    run(scene, tmp_path, **options)


def test_a_choice_that_cannot_be_kept_is_taken_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "ayni").write_text("no folder")

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "L", "end", "enter")
        assert app.colours == "light"
        assert "Not kept for the next time" in "\n".join(shown(app))

    run(scene, tmp_path)


def test_every_page_changes_its_language_at_once(tmp_path: Path) -> None:
    """Nothing that was drawn in the language before is kept."""
    kept: list[str] = []

    async def visit(name: str, app: ConsoleApp, page: Page, pilot: Pilot[None]) -> None:
        if page.prompt is not None:  # what is being asked stays as it was asked
            return
        before = set(shown(app))
        app.choose_language("xx")
        english = [each for each in set(shown(app)) & before if re.search(r"[a-z]{4}", each)]
        named = "Ana|Torre|Escuela|Cerro|Molino|Radio|LiteBeam|Fibra|Clínica|Português"
        kept.extend(f"{name}: {each}" for each in english if not re.search(named, each))
        if "⟦" not in shown(app)[-1]:
            kept.append(f"{name}: {shown(app)[-1]}")
        app.choose_language("en")

    visit_all(visit, "en", (80, 24), tmp_path / "copied")
    assert not kept, "\n".join(kept)


def test_how_to_leave_is_said_in_words_of_ours(tmp_path: Path) -> None:
    """Textual would show a box in English."""

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "ctrl+c")
        assert "Ctrl+Q leaves the console." in "\n".join(shown(app))
        assert not list(app._notifications)

    run(scene, tmp_path)


@pytest.mark.parametrize("language", sorted(i18n.LANGUAGES))
@pytest.mark.parametrize("width", [60, 80])
def test_the_page_says_what_is_chosen(language: str, width: int) -> None:
    i18n.use(language)
    rows = view.rows(language, "light", Look(width=width))
    chosen = [row.key for row in rows if row.key and "●" in "".join(span.text for span in row.draw())]
    assert chosen == [f"language:{language}", "colours:light"]
    assert all(sum(len(span.text) for span in row.draw()) <= width for row in rows)


@pytest.mark.parametrize(
    ("said", "ground"),
    [("", "dark"), ("15;0", "dark"), ("0;15", "light"), ("0;default;7", "light"), ("x", "dark")],
)
def test_a_terminal_may_say_that_its_ground_is_light(said: str, ground: str) -> None:
    assert terminal.ground({"COLORFGBG": said}) == ground
    assert terminal.ground({}) == "dark"


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_on_light_is_seven_to_one_too() -> None:
    assert set(theme.LIGHT_COLOURS) == set(theme.COLOURS)
    for name, colour in theme.LIGHT_COLOURS.items():
        assert (_light(theme.LIGHT_GROUND) + 0.05) / (_light(colour) + 0.05) >= 7, name
