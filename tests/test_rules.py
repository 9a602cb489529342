"""Rules fire late and clear late: persistence and hysteresis, the same at the site and at the hub."""

from __future__ import annotations

import pytest

from ayni_core.rates import rates, reboots
from ayni_core.rules import EMPTY, Rule, step


def run(
    rule: Rule, values: list[float], normal: float | None = None, every_s: float = 60.0
) -> list[str | None]:
    track, levels = EMPTY, []
    for i, value in enumerate(values):
        track = step(rule, track, value, i * every_s, normal)
        levels.append(track.level)
    return levels


SIGNAL = Rule(
    name="signal-low", scope="end", metric="signal_dbm", test="below_normal", text="rule.signal_low",
    warn=4, critical=8, margin=2, polls=3, clear_polls=3,
)  # fmt: skip
SILENT = Rule(
    name="s", scope="device", metric="answered", test="equals", text="rule.device_silent", critical=0, polls=3
)


@pytest.mark.parametrize(
    ("rule", "values", "levels"),
    [
        pytest.param(SILENT, [1, 0, 0, 0, 1], [None, None, None, "critical", None], id="three failures"),
        pytest.param(
            SILENT, [0, 0, 1, 0, 0, 0], [None] * 5 + ["critical"], id="an answer starts the count anew"
        ),
        pytest.param(SIGNAL, [-58, -63, -63, -63], [None, None, None, "warn"], id="5 dB low for three polls"),
        pytest.param(SIGNAL, [-63, -63, -58, -63, -63], [None] * 5, id="a passing dip"),
        pytest.param(
            SIGNAL, [-63] * 3 + [-61] * 5, [None, None] + ["warn"] * 6, id="3 dB low is not clearly over"
        ),
        pytest.param(
            SIGNAL, [-63] * 3 + [-59] * 3, [None, None, "warn", "warn", "warn", None], id="1 dB low is over"
        ),
        pytest.param(
            SIGNAL,
            [-63] * 3 + [-70] * 3,
            [None, None, "warn", "warn", "warn", "critical"],
            id="it gets worse",
        ),
        pytest.param(
            SIGNAL, [-70] * 3 + [-63] * 3, [None, None] + ["critical"] * 3 + ["warn"], id="it gets less bad"
        ),
    ],
)
def test_levels_follow_the_numbers_with_patience(
    rule: Rule, values: list[float], levels: list[str | None]
) -> None:
    assert run(rule, values, normal=-58) == levels


def test_without_a_normal_nothing_is_below_it() -> None:
    assert run(SIGNAL, [-90] * 5) == [None] * 5


def test_a_level_must_hold_for_its_seconds_too() -> None:
    rule = Rule(name="n", scope="node", metric="m", test="equals", text="t", critical=0, for_s=10)
    assert run(rule, [1, 0, 0, 0, 0], every_s=4.0) == [None, None, None, None, "critical"]
    track = EMPTY
    for at in (0.0, 4.0, 8.0, 12.0):
        track = step(rule, track, 0, at)
    assert track.since == 0.0, "an alarm began when its first evidence was measured"


def test_a_port_is_slow_against_the_best_it_ever_had() -> None:
    rule = Rule(name="p", scope="interface", metric="speed_bps", test="below_best", text="t", polls=2)
    assert run(rule, [1e8, 1e9, 1e8, 1e8, 1e9]) == [None, None, None, "warn", None]


def test_only_what_was_there_can_be_lost() -> None:
    rule = Rule(
        name="c", scope="cable", metric="if_oper", test="lost", text="t", warn=2, polls=2, clear_polls=2
    )
    assert run(rule, [2, 2, 2, 2]) == [None] * 4, "a port that never had a cable"
    assert run(rule, [2, 1, 2, 2, 1, 1]) == [None, None, None, "warn", "warn", None]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([(0, 100), (10, 200)], [(10, 10.0)], id="plain"),
        pytest.param([(0, 2**32 - 100), (10, 900)], [(10, 100.0)], id="32 bits wrap"),
        pytest.param([(0, 2**40), (10, 900), (20, 1900)], [(20, 100.0)], id="64 bits do not wrap: a reset"),
        pytest.param([(0, 2**31), (10, 5), (20, 1005)], [(20, 100.0)], id="an implausible wrap is a reset"),
        pytest.param([(0, 0), (1000, 10**6), (1010, 10**6 + 50)], [(1010, 5.0)], id="a gap gives nothing"),
        pytest.param([(0, 0), (0, 5), (10, 100)], [(10, 10.0)], id="the same time twice"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_counters_become_rates(
    samples: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    assert list(rates(samples, max_gap_s=60)) == expected


def test_no_rate_reaches_across_a_reboot() -> None:
    restarts = list(reboots([(0, 5000.0), (60, 5060.0), (120, 30.0), (180, 90.0)]))
    assert restarts == [90.0]
    counter = [(0, 2**32 - 10.0), (60, 2**32 - 5.0), (120, 100.0), (180, 700.0)]
    assert list(rates(counter, max_gap_s=90, reboots=restarts)) == [(60, 5 / 60), (180, 10.0)]


def test_sys_uptime_wraps_without_a_reboot() -> None:
    end = 2**32 / 100
    assert list(reboots([(0, end - 30), (60, 30.0)])) == []
