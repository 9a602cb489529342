"""The plot in text: resampling, scale, bands, axis."""

from __future__ import annotations

import pytest

from ayni_console.lines import plain
from ayni_console.plot import Curve, Frame, axis, draw, resample, scale
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


def drawn(*curves: list[Bucket], rows: int = 5, columns: int = 3, **options: object) -> list[str]:
    frame = Frame(start=0, end=3, columns=columns, rows=rows, label=lambda v: f"{v:.0f}", **options)  # type: ignore[arg-type]
    return [plain(each) for each in draw([Curve(steps=curve) for curve in curves], frame)]


def test_what_a_scale_has_to_spare_lies_on_both_sides_but_not_below_zero() -> None:
    assert scale(-71, -59, 24) == (-76, 1)
    assert scale(0, 3, 8) == (0, 0.5)
    assert scale(2, 3, 101)[0] >= 0


def test_a_plot_shows_mean_and_band() -> None:
    assert drawn([bucket(0, -60, 5), bucket(2, -70)]) == [
        "-50 │",
        "-55 │░",
        "-60 │█",
        "-65 │░",
        "-70 │  █",
    ]


def test_nothing_known_gives_no_plot() -> None:
    assert drawn([]) == []
    assert drawn([bucket(0, 1)], rows=2) == []


def test_least_span_keeps_a_steady_value_calm() -> None:
    lines = drawn([bucket(each, -60, 0.5) for each in range(3)], least_span=10)
    assert sum("█" in line for line in lines) == 1
    assert not any("░" in line for line in lines)


def test_a_level_is_drawn_straight_across_and_lies_within_the_scale() -> None:
    lines = drawn([bucket(0, -70), bucket(1, -70)], levels=(-59.0,), least_span=10)
    (level,) = [line for line in lines if "─" in line]
    assert level.endswith("───")
    assert level.startswith("-60")


def test_the_mean_hides_the_level_and_the_level_the_band() -> None:
    (line,) = [
        line for line in drawn([bucket(0, -60, 9), bucket(1, -70, 12)], levels=(-60.0,)) if "─" in line
    ]
    assert line.endswith("│█──")


def test_two_curves_have_signs_of_their_own_and_no_bands() -> None:
    lines = drawn([bucket(0, -60, 4), bucket(1, -60, 4)], [bucket(0, -60, 4), bucket(1, -70, 4)])
    assert [line[4:].strip() for line in lines if line[5:].strip()] == ["│██", "│ ▒"]


def test_braille_draws_two_columns_and_four_dots_in_a_cell() -> None:
    steps = [
        Bucket(at=each / 2, low=value, mean=value, high=value) for each, value in enumerate((0, 0, 4, 4))
    ]
    lines = drawn(steps, rows=3, columns=2, braille=True)
    dots = {line[line.index("│") + 1 :] for line in lines}
    assert all(char == " " or 0x2800 < ord(char) <= 0x28FF for line in dots for char in line)
    assert any(char != " " for line in dots for char in line)


def test_a_step_is_one_line_in_braille() -> None:
    """Where a value jumps, the dots between are filled, so that the eye follows."""
    frame = Frame(start=0, end=4, columns=2, rows=3, label=str, braille=True)
    curve = Curve(steps=[bucket(0, -60), bucket(1, -60), bucket(2, -70), bucket(3, -70)])
    rows = ["".join(span.text for span in each).partition("│")[2].ljust(2) for each in draw([curve], frame)]
    assert all(row[1] != " " for row in rows), "the jump goes through every row"
    assert rows[0][0] != " "
    assert rows[-1][0] == " "


def test_a_level_in_braille_is_sparse_and_at_its_own_height() -> None:
    steps = [bucket(each / 2, -60) for each in range(6)]
    frame = Frame(start=0, end=3, columns=3, rows=5, label=str, levels=(-58.0,), least_span=4, braille=True)
    rows = [plain(each).partition("│")[2] for each in draw([Curve(steps=steps)], frame)]
    (level,) = [row for row in rows if row.strip() and row.count(" ") == 1]
    assert level[0] != " "
    assert level[1] == " "


def test_every_style_of_a_plot_is_one_of_the_theme() -> None:
    for braille in (False, True):
        frame = Frame(
            start=0, end=3, columns=6, rows=5, label=str, levels=(-62.0,), least_span=30, braille=braille
        )
        for curves in ([Curve(steps=[bucket(0, -60, 3)])], [Curve(steps=[bucket(0, -60)])] * 2):
            styles = {span.style for each in draw(curves, frame) for span in each}
            assert styles <= {"", "plot", "meaning", "dim", "rule"}


def test_the_axis_leaves_out_what_does_not_fit() -> None:
    text = axis([(0, "Mon"), (1, "Tue"), (50, "Wed"), (99, "Thu")], 0, 100, 40)
    assert text == "Mon".ljust(20) + "Wed".ljust(20)


def test_what_the_axis_ends_with_has_its_room() -> None:
    text = axis([(0, "Mon"), (95, "Sun")], 0, 100, 20, " now")
    assert text == "Mon".ljust(16) + " now"
