"""Every terminal: from true colour to none, from UTF-8 to ASCII, from 60x20 to 300x80."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from console_village import Village
from parts import need
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.style import Style
from test_console_app import WAYS
from village_central import village_on_air

from ayni_console import keys, terminal, theme
from ayni_console.app import ConsoleApp
from ayni_console.lines import width
from ayni_console.screens.farewell import FarewellPage
from ayni_console.screens.health import MonitorPage
from ayni_console.screens.page import Page
from ayni_console.terminal import Terminal
from ayni_io.stack import ayni

ROOT = Path(__file__).parent.parent
SIZES = ((60, 20), (300, 80))
"""At 80x24 snapshots show that each screen fits; between the two nothing else happens."""


def load(name: str) -> ModuleType:
    """A module of the benchmarks."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "bench" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


# ---- what a terminal says of itself


UTF8 = {"LANG": "es_PE.UTF-8"}


@pytest.mark.parametrize(
    ("environment", "colours", "ascii_only", "braille"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", **UTF8}, "many", False, True),
        ({"TERM": "xterm-256color", **UTF8}, "256", False, True),
        ({"TERM": "screen-256color", **UTF8}, "256", False, True),
        ({"TERM": "xterm-direct", **UTF8}, "many", False, True),
        ({"TERM": "xterm", **UTF8}, "16", False, True),
        ({"TERM": "screen", **UTF8}, "16", False, True),
        ({"TERM": "linux", **UTF8}, "16", False, False),
        ({"TERM": "vt100", **UTF8}, "none", False, False),
        ({"TERM": "dumb", **UTF8}, "none", False, False),
        (UTF8, "none", False, False),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1", **UTF8}, "none", False, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "", **UTF8}, "256", False, True),
        ({"TERM": "xterm-256color"}, "256", True, False),
        ({"TERM": "xterm-256color", "LANG": "C"}, "256", True, False),
        ({"TERM": "xterm-256color", "LANG": "es_ES"}, "256", True, False),
        ({"TERM": "xterm-256color", "LANG": "es_ES.ISO-8859-1"}, "256", True, False),
        ({"TERM": "xterm-256color", "LC_ALL": "C", **UTF8}, "256", True, False),
        ({"TERM": "xterm-256color", "LC_CTYPE": "C.utf8", "LANG": "C"}, "256", False, True),
        ({"TERM": "xterm-256color", "LC_ALL": "", **UTF8}, "256", False, True),
    ],
)
def test_colours_and_signs_follow_the_environment(
    environment: Mapping[str, str], colours: str, ascii_only: bool, braille: bool
) -> None:
    wanted = Terminal(colours=colours, ascii_only=ascii_only, braille=braille)
    assert terminal.found(environment) == wanted


@pytest.mark.parametrize(
    ("locale", "charset"),
    [
        ("es_PE.UTF-8", "utf-8"), ("es_ES.ISO-8859-15@euro", "ISO-8859-15"), ("es_ES", "latin-1"),
        ("C", "latin-1"), ("", "latin-1"),
    ],
)  # fmt: skip
def test_what_is_typed_is_read_in_the_characters_of_the_locale(locale: str, charset: str) -> None:
    assert terminal.charset({"LANG": locale}) == charset


# ---- contrast


Rgb = tuple[int, int, int]
VGA: tuple[Rgb, ...] = (
    (0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170),
    (170, 170, 170), (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85), (85, 85, 255),
    (255, 85, 255), (85, 255, 255), (255, 255, 255),
)  # fmt: skip
XTERM: tuple[Rgb, ...] = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205),
    (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255),
    (255, 0, 255), (0, 255, 255), (255, 255, 255),
)  # fmt: skip
"""The sixteen colours of a Linux console (and PuTTY, nearly) and of xterm."""


def light(colour: Rgb) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = [each / 255 for each in colour]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def seen(colour: Color, system: ColorSystem, sixteen: tuple[Rgb, ...]) -> tuple[int, int, int]:
    """What a terminal of this kind makes of a colour."""
    shown = colour.downgrade(system)
    if system is ColorSystem.STANDARD:
        assert shown.number is not None
        return sixteen[shown.number]
    triplet: ColorTriplet = shown.get_truecolor()
    return triplet.red, triplet.green, triplet.blue


def contrast(style: Style, system: ColorSystem, sixteen: tuple[Rgb, ...] = VGA) -> float:
    """Of the letters on their ground."""
    assert style.color is not None and style.bgcolor is not None
    shades = sorted(light(seen(each, system, sixteen)) for each in (style.color, style.bgcolor))
    return (shades[1] + 0.05) / (shades[0] + 0.05)


@pytest.mark.parametrize("bright", [False, True], ids=["dark", "light"])
@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT], ids=lambda each: each.name)
def test_with_many_colours_every_style_has_a_contrast_of_seven(bright: bool, system: ColorSystem) -> None:
    for name, style in theme.styles(True, light=bright).items():
        assert contrast(style, system) >= 7, name


@pytest.mark.parametrize("sixteen", [VGA, XTERM], ids=["VGA", "xterm"])
def test_with_sixteen_colours_every_style_has_a_contrast_of_seven(
    sixteen: tuple[Rgb, ...],
) -> None:
    for name, style in theme.styles(True, few=True).items():
        assert contrast(style, ColorSystem.STANDARD, sixteen) >= 7, name


def test_without_colours_what_is_down_or_selected_is_told_by_bold_and_reverse() -> None:
    plainly = theme.styles(False)
    assert all(style.color is None and style.bgcolor is None for style in plainly.values())
    assert plainly["down"].bold
    assert plainly["selected"].reverse
    assert plainly["training"].reverse


# ---- signs


SIGNS = set("·…“”’■●▲▼░▒█─│├└↑↓°×±–—µ¿¡")
"""What Debian's console fonts have of what we use (Lat15, Terminus and Fixed, by their tables)."""


def test_views_use_signs_that_a_linux_console_has_and_braille_only_where_it_is_asked_for() -> None:
    for path in sorted((ROOT / "console" / "ayni_console").rglob("*.py")):
        for char in set(path.read_text(encoding="utf-8")):
            if char.isascii() or char in SIGNS or unicodedata.category(char).startswith("L"):
                continue
            assert 0x2800 <= ord(char) <= 0x28FF or char == "�", f"{path.name}: {char}"


# ---- sizes


PLACES: dict[tuple[int, int], tuple[tuple[str, str] | None, ...]] = {
    (60, 20): (("link", "torre-clinica"), ("device", "torre-radio"), None)
}
"""From where every key is tried, too, where there is little room."""


@pytest.mark.filterwarnings("ignore:coroutine")  # a page is left before it has asked
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_screen_fills_its_terminal_and_not_a_cell_more(size: tuple[int, int]) -> None:
    app = ConsoleApp(Village(lab=True), braille=size[0] > 80)

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            for name, (way, _texts) in WAYS.items():
                await home(app)
                await pilot.press("home", *way)
                await fills(app, size, name)
            for open_it in others(app):
                await home(app)
                open_it()
                await fills(app, size, str(open_it))
            for thing in PLACES.get(size, ()):
                for key in keys.KEYS:
                    await home(app)
                    if thing:
                        app.open_thing(*thing)
                        await fills(app, size, str(thing))
                    page = app.page()
                    if key.action != "leave" and page is not None:
                        await page.run_action(key.action)
                        await fills(app, size, f"{key.shown} at {thing}")

    asyncio.run(play())


def others(app: ConsoleApp) -> Iterator[Callable[[], object]]:
    """The ways to screens that no single key leads to."""
    yield app.open_health
    yield partial(app.push_screen, MonitorPage("torre-pi"))
    yield app.open_language
    yield app.open_replay
    yield partial(app.deeds.open_do, ("device", "torre-radio"))
    yield partial(app.deeds.open_who, None)
    yield partial(app.deeds.open_ports, "torre-radio", "port")
    yield partial(app.deeds.open_command, "device", "torre-radio", "reboot")
    yield partial(app.push_screen, FarewellPage())


async def fills(app: ConsoleApp, size: tuple[int, int], name: str) -> None:
    """The screen is as large as its terminal, as soon as it is drawn."""
    sizes: set[tuple[int, int]] = set()
    for _each in range(4000):
        await asyncio.sleep(0.005)
        page = app.page()
        lines = page._sheet.lines if page is not None and page._sheet else []
        sizes = {(width(each), len(lines)) for each in lines}
        if sizes == {size}:
            return
    raise AssertionError(f"{name}: {sizes}")


async def home(app: ConsoleApp) -> None:
    """With nothing left of where one was."""
    page = app.page()
    if page is not None and page.prompt is not None:
        page.close_prompt()
    app.go_home()
    app.progress.clear()
    app.paused = False
    page = app.page()
    assert page is not None
    page.wanted = ""
    await asyncio.sleep(0)


@pytest.mark.parametrize("size", [(1, 1), (10, 4), (24, 80)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_terminal_too_small_for_anything_ends_nothing(size: tuple[int, int]) -> None:
    app = ConsoleApp(Village(lab=True))

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            for _name, (way, _texts) in WAYS.items():
                await home(app)
                await pilot.press(*way)
                assert isinstance(app.screen, Page)

    asyncio.run(play())


# ---- the real program


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    need("mosquitto")
    with village_on_air(tmp_path_factory.mktemp("broker")) as port:
        yield port


TYPED = re.compile(rb"(\xc3\xb1|\xf1)(\x1b\[[\d;?]*[A-Za-z]|[^A-Za-z\x1b])*x")
"""Both letters, though the second may be painted later: then the cursor is moved between them."""


def colours_in(octets: str) -> set[str]:
    """Which kinds of colours a program asked for."""
    found = set()
    for codes in re.findall(r"\x1b\[([\d;]*)m", octets):
        numbers = [int(each or 0) for each in codes.split(";")]
        while numbers:
            first, *numbers = numbers
            if first in (38, 48):
                found.add("many" if numbers[0] == 2 else "256")
                numbers = numbers[4 if numbers[0] == 2 else 2 :]
            elif first % 60 in range(30, 38) or first % 60 in range(40, 48):
                found.add("16")
    return found


@pytest.mark.real("mosquitto")
@pytest.mark.parametrize(
    ("environment", "colours", "words"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "many", "■ DOWN    Escuela-Cerro"),
        ({"TERM": "xterm-256color", "COLORTERM": ""}, "256", "▲ WEAK    Torre-Clínica"),
        ({"TERM": "xterm", "COLORTERM": ""}, "16", "▲ WEAK    Torre-Clínica"),
        ({"TERM": "linux", "COLORTERM": ""}, "16", "▲ WEAK    Torre-Clínica"),
        ({"TERM": "vt100", "COLORTERM": ""}, "none", "▲ WEAK    Torre-Clínica"),
        ({"TERM": "dumb", "COLORTERM": "", "LC_ALL": "C"}, "none", "! WEAK    Torre-Clinica"),
        ({"NO_COLOR": "1"}, "none", "▲ WEAK    Torre-Clínica"),
        ({"LC_ALL": "es_ES.ISO-8859-1", "AYNI_LANG": "en"}, "many", "! WEAK    Torre-Clinica"),
    ],
    ids=["truecolor", "256", "16", "linux", "vt100", "dumb", "NO_COLOR", "Latin-1"],
)
def test_the_real_console_in_this_terminal(
    tmp_path: Path, broker: int, environment: dict[str, str], colours: str, words: str
) -> None:
    bench = load("terminal")
    locale = environment.get("LC_ALL", "C.UTF-8")
    own = {"XDG_CONFIG_HOME": str(tmp_path), "NO_COLOR": "", "AYNI_LANG": "en", **environment}
    argv = [*ayni("console", "--broker", f"127.0.0.1:{broker}", "--user", "rosa")]
    session = bench.Session(argv, environment=own)
    sent: list[bytes] = []
    pump = session.pump
    session.pump = lambda for_s: sent.append(pump(for_s)) or sent[-1]

    def shows(text: str) -> bool:
        found = session.until(lambda: any(text in each for each in session.terminal.lines), 60)
        return found is not None

    try:
        assert shows(words)
        screen = list(session.terminal.lines)
        session.press(b"n")
        assert shows("Note on")
        session.press("ñx".encode("latin-1" if "8859" in locale else "utf-8"))
        assert locale == "C" or session.until(lambda: TYPED.search(b"".join(sent)), 60)
        session.press(b"\x1b")
        assert shows(words)
    finally:
        session.end()
    octets = b"".join(sent).decode("utf-8", "replace")
    assert colours_in(octets) == ({colours} - {"none"})
    assert not words.isascii() or all(each.isascii() for each in screen)
