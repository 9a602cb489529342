"""The plot in text: resampling, scale, bands, axis."""

from __future__ import annotations

import pytest

from ayni_console.plot import axis, plot, resample, scale
from ayni_core.wire.questions import Bucket


def bucket(at: float, mean: float, spread: float = 0.0) -> Bucket:
    return Bucket(at=at, low=mean - spread, mean=mean, high=mean + spread)


def test_one_bucket_a_column_lands_in_its_column() -> None:
    step = 7 * 86400 / 69
    buckets = [bucket(1000 + step * each, each) for each in range(69)]
    columns = resample(buckets, 1000, 1000 + 7 * 86400, 69, step)
    assert [column.mean for column in columns if column] == list(range(69))


def test_several_buckets_in_a_column_keep_least_and_largest() -> None:
    (column,) = resample([bucket(0, -60, 1), bucket(5, -70, 2)], 0, 10, 1)
    assert column == Bucket(at=5, low=-72, mean=-65, high=-59)


def test_a_long_bucket_fills_its_columns_and_a_gap_stays_empty() -> None:
    columns = resample([bucket(0, 1), bucket(60, 2)], 0, 100, 10, step_s=30)
    assert [column and column.mean for column in columns] == [1, 1, 1, None, None, None, 2, 2, 2, None]


def test_buckets_outside_are_left_out() -> None:
    assert resample([bucket(-5, 1), bucket(10, 1)], 0, 10, 2) == [None, None]
    assert resample([bucket(1, 1)], 0, 0, 2) == []


@pytest.mark.parametrize(
    ("low", "high", "rows"), [(-71, -57, 5), (0, 0, 4), (1e8, 1.3e8, 6), (0.001, 0.002, 3), (-3, 99, 3)]
)
def test_a_scale_holds_all_values_on_round_numbers(low: float, high: float, rows: int) -> None:
    base, step = scale(low, high, rows)
    assert base <= low + 1e-9
    assert base + step * (rows - 1) >= high - 1e-9 * max(abs(high), 1)


def test_a_plot_shows_mean_and_band() -> None:
    columns = [bucket(0, -60, 5), None, bucket(2, -70)]
    lines = plot(columns, 5, label=lambda value: f"{value:.0f}")
    assert lines == [
        "-50 │   ",
        "-55 │░  ",
        "-60 │█  ",
        "-65 │░  ",
        "-70 │  █",
    ] or [line[5:] for line in lines if line[5:].strip()] == ["░  ", "█  ", "░  ", "  █"]


def test_nothing_known_gives_no_plot() -> None:
    assert plot([None, None], 5, label=str) == []


def test_least_span_keeps_a_steady_value_calm() -> None:
    lines = plot([bucket(0, -60, 0.5)] * 3, 5, label=lambda value: f"{value:.0f}", least_span=10)
    assert sum("█" in line for line in lines) == 1
    assert not any("░" in line for line in lines)


def test_the_axis_leaves_out_what_does_not_fit() -> None:
    text = axis([(0, "Mon"), (1, "Tue"), (50, "Wed"), (99, "Thu")], 0, 100, 40)
    assert text == "Mon".ljust(20) + "Wed".ljust(20)
