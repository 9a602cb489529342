"""Huge numbers, to be read from the mast: digits of three by five blocks, as large as there is room."""

from __future__ import annotations

_FONT = {
    "0": "### # # # # # # ###", "1": " #  ##   #   #  ###", "2": "###   # ### #   ###",
    "3": "###   # ###   # ###", "4": "# # # # ###   #   #", "5": "### #   ###   # ###",
    "6": "### #   ### # # ###", "7": "###   #   #   #   #", "8": "### # # ### # # ###",
    "9": "### # # ###   # ###", "-": "        ###        ", " ": "                   ",
}  # fmt: skip
ROWS = 5
_ACROSS, _APART = 3, 1


def rows(text: str, wide: int, tall: int) -> list[str]:
    """The text in lines of at most `wide` cells, at most `tall` of them; one line of plain text where there
    is no room for more. Characters that are no digits are left out."""
    known = [char for char in text if char in _FONT]
    across = len(known) * (_ACROSS + _APART) - _APART
    dot = wide // across if known else 0
    if dot < 1 or tall < ROWS:
        return [text[:wide]]
    high = min(tall // ROWS, 2 * dot // 3 + 1)
    made = []
    for row in range(ROWS):
        parts = [_FONT[char][4 * row : 4 * row + _ACROSS] for char in known]
        line = "".join((mark * dot) for mark in (" " * _APART).join(parts))
        made += [line.replace("#", "█")] * high
    return made
