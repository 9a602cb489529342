"""The console as a program: every screen at both sizes, keys, thrift, and what the terminal shows."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import pytest
from console_village import Village
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.pilot import Pilot

from ayni_console import theme
from ayni_console.app import ConsoleApp
from ayni_console.display import PLAIN, Picture, Shade, change, shade_of
from ayni_console.lines import displayed, plain, width
from ayni_console.screens.page import Page
from ayni_core.wire.messages import LabDo
from ayni_core.wire.questions import AskHistory, AskReadings

SIZES = ((80, 24), (60, 20))
WAYS: dict[str, tuple[list[str], list[str]]] = {
    "home": ([], ["DO FIRST", "Escuela-Cerro", "ALL LINKS 4", "needs you|need you"]),
    "link": (["down", "enter"], ["Torre-Clínica", "hears", "week|norm", "SIGNAL at", "-71 dBm", "WEAK"]),
    "end": (["down", "enter", "end", "enter"], ["Radio Torre", "hears", "plan", "age"]),
    "as measured": (["down", "enter", "enter", "enter"], ["values as measured", "-57 dBm"]),
    "align": (["down", "enter", "l"], ["█████", "best so far -71", "12 dB to go", "Bell"]),
    "link metric": (["down", "enter", "down", "enter"], ["Torre: noise", "background noise", "least"]),
    "site": (["down", "down", "enter", "enter"], ["DEVICES", "Radio Molino", "MONITORS", "8 homes here"]),
    "device": (
        ["down", "down", "enter", "enter", "enter"],
        ["Radio Molino", "-57 dBm", "10 s ago", "hears"],
    ),
    "events": (["e"], ["Events", "Escuela-Cerro is down", "rosa: Antenna"]),
    "one event": (["e", "enter"], ["Event", "Escuela-Cerro is down"]),
    "messages": (["g"], ["WAYS TO PEOPLE", "Ana, mail", "does not work", "GIVEN UP", "ana/phone"]),
    "map": (["m"], ["Torre", "├─ Cerro", "└─ Clínica"]),
    "drawn map": (["m", "v"], ["● Torre", "■ Escuela", "x x"]),
    "advice": (["a"], ["What do I do now?", "step 1 of 5", "GOAL", "Call the site", "Not this?"]),
    "other ideas": (["a", "w"], ["What else may it be?", "cable or plug"]),
    "lab": (["b"], ["BREAK SOMETHING", "antenna moved", "TRY A REPAIR"]),
    "help": (["question_mark"], ["KEYS", "Enter", "F1"]),
    "palette": (["ctrl+p"], ["Commands", "Go to Home"]),
    "find": (["slash", "c", "l", "i", "n"], ["Torre-Clínica", "Find"]),
    "note": (["n"], ["Note on Escuela-Cerro"]),
}


def shown(app: ConsoleApp) -> list[str]:
    page = app.screen
    assert isinstance(page, Page)
    assert page._sheet is not None
    return [plain(each) for each in page._sheet.lines]


def run(
    village: Village,
    scene: Callable[[ConsoleApp, Pilot[None]], Coroutine[None, None, None]],
    size: tuple[int, int] = (80, 24),
    **options: object,
) -> ConsoleApp:
    """Play a scene in the console."""
    app = ConsoleApp(village, clock=village.clock, **options)  # type: ignore[arg-type]

    async def play() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await scene(app, pilot)

    asyncio.run(play())
    return app


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "60x20"])
def test_every_screen_says_its_thing_and_fits(size: tuple[int, int]) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for name, (keys, texts) in WAYS.items():
            app.go_home()
            app.progress.clear()
            await press(pilot, "home", *keys)
            page = app.screen
            assert isinstance(page, Page)
            lines = page._sheet.lines if page._sheet else []
            text = "\n".join(map(plain, lines))
            for wanted in texts:
                assert re.search(wanted.replace("?", r"\?"), text), f"{name} lacks {wanted!r}:\n{text}"
            assert len(lines) == size[1], name
            assert {width(each) for each in lines} == {size[0]}, name
            assert "TRAINING" in text, name
            if page.prompt is not None:
                await press(pilot, "escape", "escape")

    run(Village(lab=True), scene, size)


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "60x20"])
def test_ascii_and_no_colour_show_the_same_words(size: tuple[int, int]) -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for keys in (["home"], ["down", "enter"], ["m"], ["e"]):
            await press(pilot, *keys)
            text = "\n".join(shown(app))
            assert text.isascii()
        app.go_home()
        await press(pilot, "home")
        assert any(re.match(r"[ >]X DOWN    Escuela-Cerro", each) for each in shown(app))
        assert any(re.match(r" ! WEAK    Torre-Clinica", each) for each in shown(app))

    app = run(Village(), scene, size, ascii_only=True, colour=False)
    assert all(style.color is None and style.bgcolor is None for style in app.looks.values())


def test_escape_walks_back_the_breadcrumbs_and_h_goes_home() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "enter")
        assert app.crumbs() == ["Home", "Torre-Clínica", "Torre: hears"]
        await press(pilot, "escape")
        assert app.crumbs() == ["Home", "Torre-Clínica"]
        await press(pilot, "a", "e", "question_mark")
        assert len(app.crumbs()) == 5
        await press(pilot, "f2")
        assert app.crumbs() == ["Home"]
        await press(pilot, "escape")
        assert app.crumbs() == ["Home"]

    run(Village(), scene)


def test_from_alarm_to_advice_is_one_key_and_steps_are_marked() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "a", "enter", "x")
        text = "\n".join(shown(app))
        assert re.search(r"● 1 .*done", text)
        assert re.search(r"× 2 .*could not", text)
        await press(pilot, "enter", "enter", "enter")
        assert "Watching: not well yet" in "\n".join(shown(app))
        for name in list(village.model.alerts):
            village.send(f"ayni/v1/alert/{name}", None)
        village.link_becomes("escuela-cerro", state="ok", next_by=village.now + 5000)
        app.tick()
        village.now += 601
        village.model.heard(village.now)
        app.tick()
        assert "FIXED: Escuela-Cerro. Well for 10 min." in "\n".join(shown(app))

    run(village, scene)


def test_links_are_watched_only_while_they_are_looked_at() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert village.looked_at == ()
        await press(pilot, "down", "enter")
        assert village.looked_at == ("torre", "clinica")
        await press(pilot, "escape")
        assert village.looked_at == ()

    run(village, scene)


def test_a_link_asks_for_both_pasts_and_zooms() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "tab", "z")
        asked = [
            each for each in village.asked if isinstance(each, AskHistory) and each.metric == "signal_dbm"
        ]
        assert [each.side for each in asked] == ["a", "b", "b"]
        assert [round(each.end - each.start) for each in asked] == [604800, 604800, 86400]
        assert asked[0].step_s == pytest.approx(604800 / 69)
        assert "SIGNAL at Clínica, 24 hours" in "\n".join(shown(app))

    run(village, scene)


def test_without_an_answer_the_screen_says_so_and_asks_again() -> None:
    village = Village()
    village.silent = True

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter")
        assert "The central did not answer." in "\n".join(shown(app))
        village.silent = False
        village.now += 31
        app.tick()
        await pilot.pause()
        assert "█" in "\n".join(shown(app))

    run(village, scene)


def test_a_device_is_read_again_when_it_was_measured_anew() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.open_thing("device", "torre-radio")
        await pilot.pause()
        app.tick()
        await pilot.pause()
        assert sum(isinstance(each, AskReadings) for each in village.asked) == 1
        village.now += 31
        app.tick()
        await pilot.pause()
        assert sum(isinstance(each, AskReadings) for each in village.asked) == 2

    run(village, scene)


def test_notes_are_written_on_the_thing_shown() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "n", *"Hi a", "enter")
        assert "Noted." in "\n".join(shown(app))

    run(village, scene)
    (note,) = village.notes()
    assert (note.kind, note.name, note.text) == ("link", "torre-clinica", "Hi a")


def test_the_lab_breaks_repairs_and_proves_it() -> None:
    village = Village(lab=True)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "f7", "enter")
        assert village.done == [LabDo(do="break", what="cut")]
        await press(pilot, "down", "down", "enter")
        assert village.done[-1] == LabDo(do="repair", what="plug")
        assert "Watching" in "\n".join(shown(app))
        village.now += 95
        village.model.heard(village.now)
        app.tick()
        assert "NOT FIXED" in "\n".join(shown(app))

    run(village, scene)


def test_without_a_lab_nothing_can_be_broken() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "b")
        assert "nothing can be broken" in "\n".join(shown(app))

    run(Village(), scene)


def test_pause_holds_the_screen_still_and_says_so() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "p")
        before = shown(app)
        assert "PAUSED" in before[0]
        village.link_becomes("torre-cerro", state="down")
        village.now += 60
        app.tick()
        assert shown(app) == before
        await press(pilot, "p")
        assert "PAUSED" not in shown(app)[0]
        assert any("■ Torre-Cerro" in each for each in shown(app))

    run(village, scene)


def test_copy_goes_to_a_file_of_ones_own(tmp_path: Path) -> None:
    target = tmp_path / "state" / "copied.txt"

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "down", "enter", "c")

    run(Village(), scene, copied_to=target)
    assert "Torre-Clínica: WEAK 3 days" in target.read_text(encoding="utf-8")
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_palette_finds_things_and_commands_by_name() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "ctrl+p", *"radio cle", "backspace", "backspace", "enter")
        assert app.crumbs() == ["Home", "Radio Clínica"]
        await press(pilot, "h", "ctrl+p", *"map", "enter")
        await pilot.pause()
        assert app.crumbs() == ["Home", "Map"]

    run(Village(), scene)


def test_the_selection_stays_on_its_link_when_the_order_changes() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "end")
        assert app.page() is not None
        assert app.page().window.key == "link:torre-cerro"  # type: ignore[union-attr]
        village.link_becomes("torre-cerro", state="down")
        app.tick()
        assert any(re.match(r">■ Torre-Cerro", each) for each in shown(app))

    run(village, scene)


def test_a_thousand_links_cost_little_to_paint() -> None:
    village = Village(more_links=1000)

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        page = app.page()
        assert page is not None
        await press(pilot, "end")
        assert any("Torre-Cerro" in each for each in shown(app))
        assert sum(row.key is not None for row in page.rows(page.look())) > 1000
        started = time.process_time()
        for _each in range(5):
            app.tick()
        assert (time.process_time() - started) / 5 < 0.15

    run(village, scene)


def test_a_is_about_the_worst_where_the_selected_link_is_well() -> None:
    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await press(pilot, "end", "a")
        assert "Escuela-Cerro: Escuela has probably lost power." in "\n".join(shown(app))

    run(Village(), scene)


def test_until_somebody_moves_the_worst_is_selected() -> None:
    village = Village()

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        alert = next(each for each in village.model.alerts.values() if each.name == "torre-clinica")
        village.send("ayni/v1/alert/new", replace(alert, id="new", rule="link-down", homes=99))
        app.tick()
        assert any(re.match(r">■ DOWN    Torre-Clínica", each) for each in shown(app))

    run(village, scene)


PICTURE = Path(__file__).parent.parent / "docs" / "images" / "home.svg"


def test_the_picture_in_the_docs_is_the_real_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a change of Home: `AYNI_DRAW=1 pytest tests/test_console_app.py -k picture`."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    drawn = []

    async def scene(app: ConsoleApp, pilot: Pilot[None]) -> None:
        # a picture that asks for fonts from outside would tell somebody who reads it, and when
        svg = app.export_screenshot(title="ayni console")
        drawn.append(re.sub(r"\s*@font-face \{[^}]*\}", "", svg))

    run(Village(lab=True), scene)
    monkeypatch.undo()
    time.tzset()
    if os.environ.get("AYNI_DRAW"):
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        PICTURE.write_text(drawn[0], encoding="utf-8")
    picture = PICTURE.read_text(encoding="utf-8")
    assert words_of(picture) == words_of(drawn[0])
    assert "url(http" not in picture


def words_of(svg: str) -> list[str]:
    return re.findall(r">([^<]+)</text>", svg)


def test_contrast_is_seven_to_one() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name, colour in theme.COLOURS.items():
        assert (light(colour) + 0.05) / (light(theme.GROUND) + 0.05) >= 7, name


# what is written to the terminal


class Terminal:
    """As much of a terminal as the display writes for: cursor movements, SGR, text."""

    def __init__(self, columns: int, rows: int) -> None:
        self.cells = [[("", "")] * columns for _row in range(rows)]
        self.y = self.x = 0
        self.codes = ""

    def feed(self, text: str) -> None:
        for code, char in re.findall(r"\x1b\[([\d;]*[Hm])|(.)", text, re.DOTALL):
            if code.endswith("H"):
                self.y, self.x = (int(part) - 1 for part in code[:-1].split(";"))
            elif code:
                self.codes = self._style(code[:-1])
            else:
                self.cells[self.y][self.x] = (char, self.codes)
                self.x += 1
                if ord(char) > 0x2E80:
                    self.cells[self.y][self.x] = ("", self.codes)
                    self.x += 1

    def _style(self, codes: str) -> str:
        words = codes.split(";")
        kept = "" if words[0] in ("0", "") else self.codes
        words = words[1:] if words[0] in ("0", "") else words
        shade = dict(part.split("=") for part in kept.split() if part)
        while words:
            size = 5 if words[0] in ("38", "48") else 1
            part = {"38": "front", "48": "back"}.get(words[0], "bold")
            shade[part] = ";".join(words[:size])
            words = words[size:]
        return " ".join(f"{key}={value}" for key, value in sorted(shade.items()))


STYLES = [
    Style(color="#ffffff", bgcolor="#11161b"),
    Style(color="#ffffff", bgcolor="#11161b", bold=True),
    Style(color="#ff0000", bgcolor="#11161b"),
    Style(color="#11161b", bgcolor="#e6e6e6"),
]
FRAMES = [
    ["Home        ", "● Torre  -57", "日本 wide   "],
    ["Home        ", "● Torre  -58", "日本 wide   "],
    ["Link        ", "■ Torre  -58", "a本日wide   "],
    ["            ", "            ", " 日本wide   "],
    ["Home        ", "● Torre  -57", "日本 wide   "],
]


def test_differences_alone_make_the_same_picture() -> None:
    live = Picture(12, 3)
    terminal = Terminal(12, 3)
    for number, frame in enumerate(FRAMES):
        for shift in range(len(STYLES)):
            segments = [
                [Segment(each[:4], STYLES[(shift + number) % 4]), Segment(each[4:], STYLES[shift])]
                for each in frame
            ]
            pieces = [(y, 0, each) for y, each in enumerate(segments)]
            terminal.feed(live.update(pieces, ColorSystem.TRUECOLOR))
            whole = Terminal(12, 3)
            whole.feed(Picture(12, 3).update(pieces, ColorSystem.TRUECOLOR))
            assert terminal.cells == whole.cells
            assert live.update(pieces, ColorSystem.TRUECOLOR) == ""


def test_one_changed_cell_costs_a_few_bytes() -> None:
    picture = Picture(80, 24)
    line = [Segment("LIVE 12s".ljust(80), STYLES[0])]
    picture.update([(0, 0, line)], ColorSystem.TRUECOLOR)
    again = picture.update([(0, 0, [Segment("LIVE 13s".ljust(80), STYLES[0])])], ColorSystem.TRUECOLOR)
    assert "3" in again
    assert len(again) < 70


def test_shades_change_by_their_difference() -> None:
    white, bold, red, _chosen = (shade_of(style, ColorSystem.TRUECOLOR) for style in STYLES)
    assert bold == Shade("1", "38;2;255;255;255", "48;2;17;22;27")
    assert change(white, red) == "\x1b[38;2;255;0;0m"
    assert change(white, bold) == "\x1b[1m"
    assert change(bold, white).startswith("\x1b[0;")
    assert change(red, PLAIN) == "\x1b[0m"


def test_displayed_merges_neighbours_of_one_style() -> None:
    from ayni_console.lines import Span

    assert displayed((Span("a", "x"), Span("b", "x"), Span("", "y"), Span("↑", "x")), False) == (
        Span("ab▲", "x"),
    )
