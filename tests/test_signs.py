"""The signs that speak for a probable cause, read from numbers, normals and the past."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from ayni_core import signs
from ayni_core.diagnosis import Signs
from ayni_core.signs import OF_CAUSE, Around, fell, of_cause
from ayni_core.texts import TEXTS
from ayni_core.wire.messages import EndView

WELL = EndView(
    site="torre", device="t", answers=True, signal_dbm=-59, normal_dbm=-59, noise_dbm=-95, tx_rate_bps=130e6,
    retry_pct=3, ccq_pct=92,
)  # fmt: skip
USUAL = {
    (side, metric): value
    for side in "ab"
    for metric, value in {"noise_dbm": -95.0, "tx_rate_bps": 130e6, "retry_pct": 3.0}.items()
}


def around(a: dict[str, object], b: dict[str, object] | None = None, **known: object) -> Around:
    ends = (replace(WELL, **change) for change in (a, a if b is None else b))  # type: ignore[arg-type]
    first, second = ends
    state = str(known.pop("state", "weak"))
    facts = Signs(state=state, a=first, b=second, titles={}, **known)  # type: ignore[arg-type]
    return Around(known=facts, normals=USUAL)


def noisy(levels: list[float], seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [level + rng.choice((-1.0, 0.0, 0.0, 1.0)) for level in levels]


STEP = [-59.0] * 100 + [-71.0] * 72
SLOW = [-59.0 - 12 * each / 171 for each in range(172)]


@pytest.mark.parametrize(
    ("past", "how"),
    [
        (STEP, "step"),
        (SLOW, "slow"),
        ([-59.0] * 168 + [-71.0] * 4, "step"),
        ([-59.0] * 172, None),
        (STEP[::-1], None),
        ([-59.0] * 5, None),
        ([], None),
    ],
    ids=["step", "slow", "a step four hours ago", "flat", "rising", "too little", "nothing"],
)
@pytest.mark.parametrize("seed", range(5))
def test_a_fall_is_a_step_or_slow(past: list[float], how: str | None, seed: int) -> None:
    assert fell(noisy(past, seed)) == how


def test_an_antenna_that_moved_shows_four_signs_and_one_that_only_eyes_see() -> None:
    moved = around({"signal_dbm": -71, "tx_rate_bps": 39e6, "retry_pct": 18})
    moved = replace(moved, past={"a": noisy(STEP), "b": noisy(STEP, 2)})
    assert dict(of_cause("antenna_moved", moved)) == {
        "step": True, "both_ends": True, "noise_flat": True, "rates_follow": True, "by_eye": None,
    }  # fmt: skip


def test_signs_that_are_not_seen_speak_against_a_cause() -> None:
    """Only one end has dropped, and noise rose: then an antenna has hardly moved."""
    other = around({"signal_dbm": -71, "noise_dbm": -80}, {})
    seen = dict(of_cause("antenna_moved", other))
    assert (seen["both_ends"], seen["noise_flat"], seen["step"]) == (False, False, None)


@pytest.mark.parametrize(
    ("cause", "situation", "expected"),
    [
        ("interference", around({"noise_dbm": -80, "retry_pct": 20}, {}), [True, True, True]),
        ("interference", around({}), [False, True, False]),
        ("cable", around({}, slow_port_device="ap"), [True, True, None]),
        (
            "no_power",
            around({}, {"answers": True, "signal_dbm": None}, dark_site="Escuela"),
            [True, True, None],
        ),
        ("device", around({}, silent_device="ap", state="down"), [True, True, None]),
        ("connector", around({"chains_dbm": (-60, -67)}), [True, True, None, True, None]),
        ("connector", around({"noise_dbm": -80}), [None, None, None, False, None]),
        ("monitor_silent", around({}, state="no_news"), [True]),
        ("behind", around({}, cut_by="Torre-Cerro", state="down"), [True]),
        ("unknown", around({}), []),
        ("of_the_future", around({}), []),
    ],
)
def test_each_cause_has_its_signs(cause: str, situation: Around, expected: list[bool | None]) -> None:
    assert [seen for _name, seen in of_cause(cause, situation)] == expected


def test_twenty_db_under_the_budget_is_a_side_lobe() -> None:
    for plans, seen in (({"a": -58.0, "b": -58.0}, True), ({}, None), ({"a": -70.0}, False)):
        lobe = around({"signal_dbm": -79}, plans_dbm=plans)
        assert dict(of_cause("side_lobe", lobe))["side_lobe"] is seen


EVEN, WET, DEAF = (-60.0, -61.0), (-60.0, -67.0), (-60.0, -96.0)
"""Signals of H and V: as they should be, with water at one, and where a half is not fitted."""


@pytest.mark.parametrize(
    ("a", "b", "one", "both"),
    [
        (WET, WET, True, True),
        (WET, EVEN, True, False),
        (EVEN, EVEN, False, False),
        (WET, (), True, None),
        ((), (), None, None),
        (DEAF, DEAF, None, None),
        (DEAF, WET, True, None),
        ((-60.0, -65.0), (-60.0, -65.0), False, False),
        ((-60.0, -65.5), (-60.0, -65.5), True, True),
        ((-60.0,), (-60.0,), None, None),
        ((-60.0, -60.0, -69.0), WET, True, True),
    ],
)
def test_water_in_a_connector_makes_the_halves_uneven_at_both_ends(
    a: tuple[float, ...], b: tuple[float, ...], one: bool | None, both: bool | None
) -> None:
    found = dict(of_cause("connector", around({"chains_dbm": a}, {"chains_dbm": b})))
    assert (found["uneven"], found["uneven_at_both"]) == (one, both)


RAIN, SUN = [1.0] * 60 + [14.0] * 6, [14.0 - 8.0 * each / 40 for each in range(40)]


@pytest.mark.parametrize(
    ("apart", "seen"),
    [
        ({"a": RAIN + SUN}, True),
        ({"a": RAIN + SUN, "b": RAIN + SUN}, True),
        ({"a": RAIN + SUN, "b": [1.0] * 100}, True),
        ({"a": RAIN + [14.0] * 40}, None),
        ({"a": RAIN}, None),
        ({"a": [1.0] * 60 + [14.0] * 20 + [7.0] * 20}, False),
        ({"a": [7.0] * 100}, None),
        ({"a": [14.0, 7.0]}, None),
        ({}, None),
    ],
    ids=[
        "it dries", "at both ends", "heard at one end", "still wet", "just wet",
        "better at once: a plug was pushed", "as ever", "too little", "nothing",
    ],
)  # fmt: skip
def test_what_was_wet_gets_better_slowly(apart: dict[str, list[float]], seen: bool | None) -> None:
    wet = replace(around({"chains_dbm": WET}), apart={side: noisy(each) for side, each in apart.items()})
    assert dict(of_cause("connector", wet))["dries"] is seen


def test_where_nothing_is_known_nothing_is_claimed() -> None:
    empty = EndView(site="a", device="a")
    blank = Around(known=Signs(state="weak", a=empty, b=empty, titles={}))
    for cause in OF_CAUSE:
        for name, seen in of_cause(cause, blank):
            assert seen is not True or name == "others_answer", (cause, name)


def test_every_sign_has_a_short_text() -> None:
    names = {name for listed in OF_CAUSE.values() for name in listed}
    assert names <= set(signs._SEEN)
    for name in signs._SEEN:
        assert 0 < len(TEXTS[f"sign.{name}"]) <= 20
