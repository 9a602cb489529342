"""What every page shows, kept as text: each at both sizes, in three languages, and in every kind of colours.

A page is one file of `tests/snapshots`. Below a line of text stands what is not in the plain style: a name
and the cells it reaches over. Colours are no part of it: each style has one in each kind of colours, in
`colours.txt`, and every cell is shown in the colour of its style. After a change that is meant:

    AYNI_DRAW=1 pytest tests/test_snapshots.py

and read the difference before it is kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from console_pages import SIZES, WAYS, visit_all
from rich.style import Style
from test_pseudo_fits import faults_of
from textual.pilot import Pilot
from textual.strip import Strip

from ayni_console import theme
from ayni_console.app import ConsoleApp
from ayni_console.lines import Line, cells
from ayni_console.screens.page import Page

FOLDER = Path(__file__).parent / "snapshots"
IMAGES = Path(__file__).parent.parent / "docs" / "images"
DRAW = bool(os.environ.get("AYNI_DRAW"))
LANGUAGES = ("en", "es", "xx")
LOOKS: Mapping[str, Mapping[str, Style]] = {
    "dark": theme.styles(True),
    "light": theme.styles(True, light=True),
    "none": theme.styles(False),
}
EACH = [(language, size) for language in LANGUAGES for size in SIZES]
WITH_A_PROMPT = ("find", "note", "palette")
"""Where something is typed nobody chooses other colours."""
IDS = [f"{language}-{size[0]}x{size[1]}" for language, size in EACH]


def styled(lines: Sequence[Line]) -> str:
    """Lines as they are kept."""
    made = []
    for each in lines:
        text, runs, at = "", [], 0
        for span in each:
            text += span.text
            size = cells(span.text)
            if span.style and span.text.strip(" ") and size:
                runs.append(f"{span.style} {at}-{at + size - 1}")
            at += size
        made.append("|" + text.rstrip() + "\n" + (f"  {', '.join(runs)}\n" if runs else ""))
    return "".join(made)


def kept(name: str) -> dict[str, str]:
    """The parts of a page's file by their heads, such as `en 80x24`."""
    path = FOLDER / f"{name}.txt"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    parts = re.split(r"^== (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def keep(name: str, part: str, text: str) -> None:
    """Put one part of a page's file anew."""
    parts = {**kept(name), part: text}
    order = [f"{language} {size[0]}x{size[1]}" for language, size in EACH]
    FOLDER.mkdir(exist_ok=True)
    made = "".join(f"== {each}\n{parts[each]}" for each in order if each in parts)
    (FOLDER / f"{name}.txt").write_text(made, encoding="utf-8")


def wrong_cells(strips: Iterable[Strip], lines: Sequence[Line], looks: Mapping[str, Style]) -> list[str]:
    """Cells that are not shown in the colours of their style."""
    wrong = []
    for number, (strip, each) in enumerate(zip(strips, lines, strict=False)):
        wanted = [looks.get(span.style, looks[""]) for span in each for _char in span.text]
        shown = [
            (char, segment.style) for segment in strip for char in segment.text if segment.style is not None
        ]
        for at, ((char, style), want) in enumerate(zip(shown, wanted, strict=False)):
            if char != " " and _seen(style) != _seen(want):
                wrong.append(f"line {number + 1}, cell {at + 1} {char!r}: {style} instead of {want}")
    return wrong


def _seen(style: Style) -> tuple[object, ...]:
    colour = style.color.name if style.color else None
    ground = style.bgcolor.name if style.bgcolor else None
    plain = (None, "default", "ansi_default")
    return (
        None if colour in plain else colour, None if ground in plain else ground, bool(style.bold),
        bool(style.reverse),
    )  # fmt: skip


def visit_and_compare(
    part: str, looks: Sequence[str], size: tuple[int, int], copied_to: Path, *,
    only: Sequence[str] = (), **options: object,
) -> set[type[Page]]:  # fmt: skip
    """Compare every page with what is kept of it, and its cells with the colours of each look; in the
    language that is longer than others, nothing may be cut."""
    changed: list[str] = []
    cut: list[str] = []

    async def visit(name: str, app: ConsoleApp, page: Page, pilot: Pilot[None]) -> None:
        compare(name, app, page, looks[0])
        if part.startswith("xx "):
            cut.extend(faults_of(name, page))
        if name in WITH_A_PROMPT:
            return
        for look in looks[1:]:
            app.choose_colours(look)
            await pilot.pause()
            compare(name, app, page, look)
        if looks[1:]:
            app.choose_colours(looks[0])

    def compare(name: str, app: ConsoleApp, page: Page, look: str) -> None:
        assert page._sheet is not None
        text = styled(page._sheet.lines)
        before = kept(name).get(part, "")
        if DRAW and look == "dark":
            keep(name, part, text)
        elif before != text and not (
            look != "dark" and name == "language"
        ):  # it says which colours there are
            changed.append(f"{name}, {part}, was:\n{before}\nand is:\n{text}")
        strips = app.screen._compositor.render_strips()
        found = wrong_cells(strips, page._sheet.lines[:-1], LOOKS[look])
        assert not found, (name, look, found[:5])

    met = visit_all(visit, part.partition(" ")[0], size, copied_to, only=only, **options)
    assert not changed, f"{len(changed)} pages changed; the first: {changed[0]}"
    assert not cut, "\n".join(cut)
    return met


@pytest.mark.parametrize(("language", "size"), EACH, ids=IDS)
def test_every_page_shows_what_is_kept(language: str, size: tuple[int, int], tmp_path: Path) -> None:
    """In dark and in light; in the longer language nothing is cut but names."""
    part = f"{language} {size[0]}x{size[1]}"
    met = visit_and_compare(part, ("dark", "light"), size, tmp_path / "copied")
    assert {each.__name__ for each in kinds() - met} == set(), (
        "a page without a way to it in console_pages.py"
    )


@pytest.mark.parametrize(("language", "size"), EACH, ids=IDS)
def test_without_colours_every_page_says_the_same(
    language: str, size: tuple[int, int], tmp_path: Path
) -> None:
    part = f"{language} {size[0]}x{size[1]}"
    visit_and_compare(part, ["none"], size, tmp_path / "copied", colour=False)


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "60x20"])
def test_a_console_that_begins_in_light_is_in_light(size: tuple[int, int], tmp_path: Path) -> None:
    """That every page follows when it is chosen, is shown above."""
    visit_and_compare(
        f"en {size[0]}x{size[1]}",
        ["light"],
        size,
        tmp_path / "copied",
        only=("home", *WITH_A_PROMPT),
        light=True,
    )


def test_each_style_has_its_colours() -> None:
    made = "".join(
        f"{name or 'plain':<10}{look:<8}{style}\n"
        for name in LOOKS["dark"]
        for look, style in ((look, styles[name]) for look, styles in LOOKS.items())
    )
    path = FOLDER / "colours.txt"
    if DRAW:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made


def test_every_kind_of_page_is_kept_and_nothing_else() -> None:
    files = {path.stem for path in FOLDER.glob("*.txt")} - {"colours"}
    assert files == set(WAYS)
    for name in WAYS:
        assert list(kept(name)) == [f"{language} {size[0]}x{size[1]}" for language, size in EACH], name


def kinds() -> set[type[Page]]:
    """Every page of the console."""
    found: set[type[Page]] = set()
    left = [Page]
    while left:
        for each in left.pop().__subclasses__():
            if each.__module__.startswith("ayni_console"):
                left.append(each)
                if "crumb" in vars(each):  # others only lend something to pages
                    found.add(each)
    return found


SVG = {"home-light": ("home", True), "link": ("link", False)}


@pytest.mark.parametrize("picture", sorted(SVG))
def test_the_pictures_in_the_docs_are_real(picture: str, tmp_path: Path) -> None:
    page_wanted, light = SVG[picture]
    drawn = []

    async def visit(name: str, app: ConsoleApp, page: Page, pilot: Pilot[None]) -> None:
        app.choose_colours("light" if light else "dark")
        await pilot.pause()
        svg = app.export_screenshot(title="ayni console")
        # a picture that asks for fonts from outside would tell somebody who reads it, and when
        svg = re.sub(r"\s*@font-face \{[^}]*\}", "", svg)
        drawn.append(re.sub(r"terminal-\d+", "terminal", svg))

    visit_all(visit, "en", (80, 24), tmp_path / "copied", only=(page_wanted,))
    path = IMAGES / f"{picture}.svg"
    if DRAW:
        path.write_text(drawn[0], encoding="utf-8")
    assert path.read_text(encoding="utf-8") == drawn[0]
