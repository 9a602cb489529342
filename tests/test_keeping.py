"""Which backups stay, by rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ayni_core.keeping import Keep, to_drop

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("made", "keep", "gone"),
    [
        ([], Keep(), []),
        (["2026-11-22 02:30"], Keep(days=0, weeks=0, months=0), []),
        (["2026-11-22 02:30", "2026-11-21 02:30"], Keep(days=1, weeks=0, months=0), ["2026-11-21 02:30"]),
        (["2026-11-22 02:30", "2026-11-22 01:00"], Keep(days=7, weeks=4, months=12), ["2026-11-22 01:00"]),
        (["2026-11-22 02:30", "2026-01-05 02:30"], Keep(days=1, weeks=1, months=2), []),
        # a week begins on Monday: 2026-11-16
        (
            ["2026-11-22 02:30", "2026-11-16 02:30", "2026-11-15 02:30"],
            Keep(days=1, weeks=2, months=0),
            ["2026-11-16 02:30"],
        ),
        # the first days of 2027 belong to week 53 of 2026
        (
            ["2027-01-03 02:30", "2026-12-31 02:30", "2026-12-27 02:30"],
            Keep(days=1, weeks=2, months=0),
            ["2026-12-31 02:30"],
        ),
        # from the future: nobody knows which clock was wrong
        (["2030-01-01 02:30", "2026-11-22 02:30"], Keep(days=1, weeks=1, months=1), []),
    ],
    ids=["none", "the only one", "yesterday", "twice a day", "long gaps", "weeks", "year's end", "future"],
)  # fmt: skip
def test_the_newest_of_days_weeks_and_months_stay(made: list[str], keep: Keep, gone: list[str]) -> None:
    now = max([NOW.timestamp(), *(at(each) for each in made if each < "2030")])
    assert to_drop([at(each) for each in made], keep, now) == {at(each) for each in gone}


def test_after_years_of_nights_23_at_most_are_left_and_they_reach_back_a_year() -> None:
    kept: set[float] = set()
    for night in range(800):
        now = (NOW + timedelta(days=night)).timestamp()
        kept.add(now)
        kept -= to_drop(kept, Keep(), now)
        assert len(kept) <= 7 + 4 + 12
    assert 330 * 86_400 < max(kept) - min(kept) < 370 * 86_400
    assert {max(kept) - 86_400 * day for day in range(7)} <= kept
