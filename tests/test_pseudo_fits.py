"""Every page in a language a third longer than English: nothing is cut but names, at both sizes.

The language puts each text between ⟦ and ⟧, so an end that is cut off is missed. What is translated nowhere
stands in no brackets. `faults_of` is asked where every page is shown anyway, in test_snapshots.py.
"""

from __future__ import annotations

import re

import pytest

from ayni_console import keys
from ayni_console.lines import crop, plain
from ayni_console.screens.page import Page
from ayni_console.view import frame
from ayni_io import i18n
from ayni_io.pseudo import CLOSES, OPENS

NAME_OR_REASON = r"^.[■▲?●] "
MAY_BE_CUT = {
    "home": NAME_OR_REASON,
    "find": NAME_OR_REASON,
    "note": NAME_OR_REASON,
    "map": NAME_OR_REASON,
    "map-tree": NAME_OR_REASON,
    "events": r"^.[■▲?●·n] |\d\d:\d\d ",
    "device": r"^.[■▲?] ",
    "site": r"^.[■▲?] |\d\d:\d\d ",
    "monitor": r"\d\d:\d\d ",
    "replay": r"\d\d:\d\d ",
    "advice": r"w: ",
    "end": r"^ {3}⟦",
    "health": NAME_OR_REASON,
    "messages": NAME_OR_REASON,
    "do": r"^.{2} ⟦(Táákéé íít óñ|ÉÉñd théé)",
    "palette": r"^. {2}\S+ ",
}
"""Lines of a list that may be cut, by page: Enter shows the whole; of the palette `?`, of other ideas `w`."""


def cut(lines: list[str], allowed: str = "") -> list[str]:
    """The lines on which a text ends before its end."""
    found = []
    for number, each in enumerate(lines):
        if each.count(OPENS) > each.count(CLOSES):
            open_ones, depth = each.count(OPENS) - each.count(CLOSES), 0
            for char in "".join(lines[number + 1 :]):
                depth += (char == OPENS) - (char == CLOSES)
                if depth == -open_ones:
                    break
            else:
                if not (allowed and re.search(allowed, each)):
                    found.append(each)
    return found


def test_a_cut_text_is_found_and_a_wrapped_one_is_none() -> None:
    assert cut(["⟦Hómé⟧ ⟦híš…", "name"]) == ["⟦Hómé⟧ ⟦híš…"]
    assert cut(["⟦óñé tééxt", "óf twó líñéš⟧", "⟦wéll⟧"]) == []
    assert cut(["⟦óñé tééxt", "óf twó líñéš⟧", "⟦bá", "⟦wéll⟧"]) == ["⟦bá"]


def faults_of(name: str, page: Page) -> list[str]:
    """What is cut on a page that is shown, and a foot that names fewer than four keys."""
    look = page.look()
    body = [plain(crop(row.draw(), look.width)) for row in page.rows(look)]
    assert page._sheet is not None
    frame_lines = [plain(page._sheet.lines[0]), *map(plain, page._sheet.lines[-2:])]
    faults = [f"{name}: {each}" for each in cut(body, MAY_BE_CUT.get(name, ""))]
    faults += [f"{name}: {each}" for each in frame_lines if cut([each]) and " > " not in each]
    wanted = keys.footer(page.foot_keys(), page.enter_does())
    foot = plain(frame.keys(wanted, look)) + " "
    if sum(f" {key} {word} " in foot for key, word in wanted) < min(len(wanted), 4):
        faults.append(f"{name}: fewer than four keys: {foot}")
    return faults


@pytest.mark.parametrize("language", sorted(i18n.LANGUAGES))
def test_real_languages_are_no_longer_than_the_made_up_one_allows(language: str) -> None:
    """The words of the foot, which have the least room, stay short."""
    i18n.use(language)
    try:
        words = {action: word for action, (word, _sentence) in keys.texts(i18n._).items()}
    finally:
        i18n.use("en")
    assert {action: word for action, word in words.items() if len(word) > 12} == {}
