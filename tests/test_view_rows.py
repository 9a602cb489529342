"""A body of thousands of rows: it is moved in like a list, and only what is seen is made."""

from __future__ import annotations

import random

from ayni_console.lines import plain
from ayni_console.view.page import BLANK, Look, Row, Rows, Window, arrange, room_for, text
from ayni_console.view.page import line as line_of

LOOK = Look(width=40, height=24)
ABOVE = [text("DO FIRST"), Row(lambda: line_of("   it burns"), "first"), BLANK]
HEAD = Row(lambda: line_of(" ALL"), sticky=True)


def row(at: int) -> Row:
    return Row(lambda: line_of(f"   row {at}"), f"row:{at}")


def test_thousands_of_rows_are_moved_in_like_a_list_of_them() -> None:
    dice = random.Random(0)
    seen, wanted = Window(), Window()
    count = 300
    for step in range(400):
        if dice.random() < 0.1:
            count = dice.choice([0, 1, 5, 300, 2000])
        above = [*ABOVE[: dice.choice([0, 3])], HEAD]
        lazy = Rows(above, [f"row:{at}" for at in range(count)], row)
        whole = [*above, *map(row, range(count))]
        way = dice.choice([-1_000_000, -20, -1, 1, 1, 20, 1_000_000])
        for window, rows in ((seen, lazy), (wanted, whole)):
            window.move(rows, way, room_for(LOOK))
        found = arrange(LOOK, line_of("head"), lazy, [line_of("-"), ()], seen)
        assert found == arrange(LOOK, line_of("head"), whole, [line_of("-"), ()], wanted), step
        assert seen == wanted, step


def test_only_rows_that_are_seen_are_made() -> None:
    made: list[int] = []

    def counted(at: int) -> Row:
        made.append(at)
        return row(at)

    rows = Rows([HEAD], [f"row:{at}" for at in range(10_000)], counted)
    window = Window()
    for _each in range(3):
        window.move(rows, 4000, room_for(LOOK))
        arrange(LOOK, (), rows, [(), ()], window)
    assert len(made) <= 3 * room_for(LOOK)
    assert rows[-1].key == "row:9999"
    assert [each.key for each in rows[9998:]] == ["row:9997", "row:9998", "row:9999"]
    assert plain(rows[1].draw()) == "   row 0"
