"""Alignment as tables: digits, the best so far, how far to go, how old, and how quick the bell is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from console_village import NOW, Village

from ayni_console.lines import plain, width
from ayni_console.view import align, digits
from ayni_console.view.page import Look, Row, room_for
from ayni_core.wire.messages import EndView, LinkView

LOOK, SMALL = Look(width=80, height=24, now=NOW), Look(width=60, height=20, now=NOW)
SIZES = [
    LOOK, SMALL, *(Look(width=w, height=h, now=NOW) for w, h in ((40, 12), (132, 43), (300, 80))),
]  # fmt: skip


@pytest.fixture
def village() -> Village:
    return Village()


def said(rows: list[Row]) -> list[str]:
    return [plain(row.draw()) for row in rows]


def link_with(village: Village, a: float | None, b: float | None, age_s: float = 3.0) -> LinkView:
    link = village.model.links["torre-clinica"]
    return replace(
        link,
        a=replace(link.a, signal_dbm=a, as_of=NOW - age_s),
        b=replace(link.b, signal_dbm=b, as_of=NOW - age_s),
    )


# digits


def test_digits_are_as_large_as_there_is_room() -> None:
    for wide, tall in ((11, 5), (28, 10), (37, 12), (60, 30), (145, 70)):
        rows = digits.rows("-71", wide, tall)
        assert len(rows) % digits.ROWS == 0
        assert 5 <= len(rows) <= tall
        assert {len(row) for row in rows} == {11 * (wide // 11)}
        assert all(set(row) <= {"█", " "} for row in rows)


def test_where_there_is_no_room_the_number_stands_plainly() -> None:
    assert digits.rows("-71", 10, 20) == ["-71"]
    assert digits.rows("-71", 40, 4) == ["-71"]
    assert digits.rows("", 40, 20) == [""]


def test_every_digit_is_another_one() -> None:
    drawn = {tuple(digits.rows(each, 3, 5)) for each in "0123456789-"}
    assert len(drawn) == 11


# the screen


@pytest.mark.parametrize("look", SIZES)
def test_it_fits_and_shows_both_ends(village: Village, look: Look) -> None:
    link = link_with(village, -71, -7)
    aligning = align.Aligning()
    aligning.take(link)
    rows = align.rows(village.model, link, look, aligning)
    assert len(rows) <= room_for(look)
    assert all(width(row.draw()) <= look.width for row in rows)
    text = "\n".join(said(rows))
    for wanted in ("A Torre", "best so far -71", "normal -59"):
        assert wanted[: look.width // 2 - 5] in text


def test_a_link_of_which_nothing_is_known_is_shown_too(village: Village) -> None:
    link = village.model.links["escuela-cerro"]
    for look in SIZES:
        text = "\n".join(said(align.rows(village.model, link, look, align.Aligning())))
        assert "best so far --"[: look.width // 2 - 5] in text


def test_the_best_so_far_is_kept_with_its_time(village: Village) -> None:
    aligning = align.Aligning()
    for a, b in ((-71, -70), (-64, -66), (-68, None)):
        aligning.take(link_with(village, a, b))
    assert (aligning.best["a"].signal_dbm, aligning.best["b"].signal_dbm) == (-64, -66)
    now = link_with(village, -68, -66)
    shown = said(align.rows(village.model, now, LOOK, aligning))
    best = next(each for each in shown if "best so far" in each)
    assert "best so far -64  " in best
    assert best.rstrip().endswith("best so far -66  ● now")


@pytest.mark.parametrize(
    ("signal", "shown"),
    [(-71, "▲ 12 dB to go"), (-63, "▲ 4 dB to go"), (-62, "● reached"), (-50, "● reached")],
)
def test_how_far_it_is_to_normal(village: Village, signal: float, shown: str) -> None:
    rows = said(align.rows(village.model, link_with(village, signal, signal), LOOK, align.Aligning()))
    assert sum(shown in each for each in rows) == 1


def test_an_old_number_is_said_to_be_old_and_its_seconds_do_not_count(village: Village) -> None:
    for age, wanted in (
        (3, "measured just now"),
        (14, "measured 10 s ago"),
        (95, "? OLD: measured 1 min ago"),
    ):
        link = link_with(village, -71, -70, age)
        text = "\n".join(said(align.rows(village.model, link, LOOK, align.Aligning())))
        assert wanted in text
    assert "The bell is silent: the number is old." in text


def test_why_numbers_do_not_come_quickly_is_said(village: Village) -> None:
    aligning = align.Aligning(problem="eva may not do this")
    text = "\n".join(said(align.rows(village.model, link_with(village, -71, -70), LOOK, aligning)))
    assert "The monitors do not measure more often: eva may not do this" in text


def test_it_can_be_sent_to_somebody(village: Village) -> None:
    aligning = align.Aligning()
    link = link_with(village, -64, -66)
    aligning.take(link)
    assert "Torre hears -64 dBm, best -64, normal -59" in align.as_message(village.model, link, aligning, NOW)


# the bell


def end_with(signal: float | None, *, normal: float | None = -59, age_s: float = 3.0) -> EndView:
    return EndView(site="a", device="a", signal_dbm=signal, normal_dbm=normal, as_of=NOW - age_s)


def test_the_bell_grows_quicker_with_every_db_and_is_never_a_drone() -> None:
    pauses = [align.bell_s(end_with(float(dbm)), None, NOW) for dbm in range(-95, -29)]
    known = [pause for pause in pauses if pause is not None]
    assert len(known) == len(pauses)
    assert known == sorted(known, reverse=True)
    assert (known[0], known[-1]) == (align.SLOWEST_S, pytest.approx(align.QUICKEST_S))
    close = [align.bell_s(end_with(dbm), None, NOW) or 0.0 for dbm in (-60.0, -59.0)]
    assert close[0] > 1.05 * close[1], "one decibel can be heard"


def test_the_bell_is_silent_where_nothing_is_known_of_this_moment() -> None:
    assert align.bell_s(end_with(None), None, NOW) is None
    assert align.bell_s(end_with(-60, age_s=21), None, NOW) is None
    assert align.bell_s(EndView(site="a", device="a", signal_dbm=-60), None, NOW) is None


def test_without_a_normal_the_goal_is_the_best_so_far() -> None:
    best = align.Best(-60, NOW)
    assert align.bell_s(end_with(-60, normal=None), best, NOW) == pytest.approx(align.QUICKEST_S)
    worse = align.bell_s(end_with(-70, normal=None), best, NOW)
    assert worse is not None
    assert worse > align.QUICKEST_S
