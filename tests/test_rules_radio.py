"""Rules of radio links, each with what fires it and with what only looks like it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ruled import SHIPPED, Ruled, levels, short

from ayni_core.readings import Series, Value
from ayni_core.rules.bench import Mouth

Poll = dict[Series, Value]


def radio(item: str = "wlan1", **values: float) -> Poll:
    return {Series("radio", item, metric): value for metric, value in values.items()}


def signal(*dbm: float) -> list[Poll]:
    return [radio(signal_dbm=each) for each in dbm]


def chains(*pairs: tuple[float, float]) -> list[Poll]:
    return [
        radio(signal_dbm=max(a, b))
        | radio("wlan1 chain 0", signal_chain_dbm=a)
        | radio("wlan1 chain 1", signal_chain_dbm=b)
        for a, b in pairs
    ]


BUDGET, REFERENCE = {"budget": -58.0}, {"reference": -58.0}


@pytest.mark.parametrize(
    ("rule", "polls", "normals", "expected"),
    [
        pytest.param("signal-low", signal(*[-63] * 4), BUDGET, ".2 w2", id="5 dB under the budget"),
        pytest.param("signal-low", signal(*[-78] * 4), BUDGET, ".2 c2", id="20 dB under it: a side lobe"),
        pytest.param("signal-low", signal(*[-62] * 9), BUDGET, ".9", id="4 dB are within the limit"),
        pytest.param("signal-low", signal(*[-63, -63, -60] * 3), BUDGET, ".9", id="gusts of wind"),
        pytest.param("signal-low", signal(*[-90] * 9), {}, ".9", id="nobody knows what is normal"),
        pytest.param("signal-sank", signal(*[-64] * 6), REFERENCE, ".4 w2", id="6 dB under the first week"),
        pytest.param("signal-sank", signal(*[-70] * 6), REFERENCE, ".4 c2", id="12 dB under the first week"),
        pytest.param("signal-sank", signal(*[-64] * 6), BUDGET, ".6", id="only the budget is known"),
        pytest.param("signal-week", signal(*[-66] * 6), {"last_week": -58.0}, ".4 w2", id="since last week"),
        pytest.param("signal-week", signal(*[-62] * 9), {"last_week": -58.0}, ".9", id="a little since then"),
        pytest.param("signal-weak", signal(*[-71] * 6), {}, ".4 w2", id="faint, and no normal is known"),
        pytest.param("signal-weak", signal(*[-83] * 6), {}, ".4 c2", id="hardly heard"),
        pytest.param("signal-weak", signal(*[-75] * 9), {"budget": -74.0}, ".9", id="faint by design"),
        pytest.param("signal-weak", signal(*[-75] * 9), REFERENCE, ".9", id="then signal-sank judges"),
        pytest.param("signal-weak", signal(*[0] * 9), {}, ".9", id="0 dBm is no signal"),
        pytest.param("signal-weak", signal(*[-95] * 9), {}, ".9", id="nothing but noise is no link"),
    ],
)
def test_signals_are_held_against_what_is_normal(
    rule: str, polls: list[Poll], normals: Mapping[str, float], expected: str
) -> None:
    assert short(levels(rule, polls, normals=normals)) == expected


SNR, MANY = "snr-low", 15


@pytest.mark.parametrize(
    ("rule", "polls", "expected"),
    [
        pytest.param(
            SNR, [radio(signal_dbm=-70, noise_dbm=-90)] * MANY, ".10 w5", id="20 dB, of two readings"
        ),
        pytest.param(SNR, [radio(signal_dbm=-60, snr_db=12)] * MANY, ".10 c5", id="12 dB, as given"),
        pytest.param(
            SNR, [radio(signal_dbm=-40, snr_db=12, frequency_mhz=62640)] * MANY, ".15", id="millimetre waves"
        ),
        pytest.param(SNR, [radio(signal_dbm=-60, snr_db=30)] * MANY, ".15", id="30 dB are enough"),
        pytest.param(SNR, [radio(signal_dbm=-90)] * MANY, ".15", id="a radio without a figure of noise"),
        pytest.param(SNR, [radio(signal_dbm=-90, noise_dbm=0)] * MANY, ".15", id="0 is no noise"),
        pytest.param(SNR, [radio(signal_dbm=-60, snr_db=0)] * MANY, ".15", id="0 dB: not given"),
        pytest.param(
            SNR, [radio(signal_dbm=-60, snr_db=each) for each in [20] * 8 + [30] + [20] * 6], ".15",
            id="a burst that passes within ten minutes",
        ),
        pytest.param(
            SNR,
            [radio(signal_dbm=-70) | radio("sector", noise_dbm=-88)] * MANY, ".10 w5",
            id="the noise of the whole sector serves",
        ),
        pytest.param("quality-low", [radio(ccq_pct=70)] * 4, ".2 w2", id="70 %"),
        pytest.param("quality-low", [radio(ccq_pct=40)] * 4, ".2 c2", id="40 %"),
        pytest.param(
            "quality-low", [radio(ccq_pct=70), radio(ccq_pct=40)] * 3, ".2 w4", id="now this, now that"
        ),
        pytest.param("quality-low", [radio(ccq_pct=0)] * 6, ".6", id="0 % of a link that carries nothing"),
        pytest.param("quality-low", [radio(ccq_pct=85)] * 6, ".6", id="85 %"),
        pytest.param("quality-poor", [radio(quality_pct=45)] * 6, ".4 w2", id="as the maker computes it"),
        pytest.param("quality-poor", [radio(quality_pct=25)] * 6, ".4 c2", id="nearly nothing"),
        pytest.param("quality-poor", [radio(quality_pct=60)] * 6, ".6", id="its 60 % are no 60 % of CCQ"),
        pytest.param("chains-uneven", chains(*[(-60, -66.5)] * MANY), ".10 w5", id="6.5 dB between H and V"),
        pytest.param("chains-uneven", chains(*[(-75, -60)] * MANY), ".10 c5", id="15 dB between them"),
        pytest.param("chains-uneven", chains(*[(-60, -96)] * MANY), ".15", id="a chain that is not fitted"),
        pytest.param("chains-uneven", chains(*[(-60, -64)] * MANY), ".15", id="4 dB are usual"),
        pytest.param(
            "chains-uneven", [radio(signal_dbm=-60) | radio("wlan1", signal_chain_dbm=-60)] * MANY, ".15",
            id="one chain alone",
        ),
        pytest.param(
            "airtime-high", [radio("sector", airtime_pct=60)] * 20, ".15 w5",
            id="busy for a quarter of an hour",
        ),
        pytest.param("airtime-high", [radio(airtime_pct=80)] * 20, ".15 c5", id="crowded"),
        pytest.param(
            "airtime-high", [radio(airtime_pct=each) for each in [90] * 10 + [20] + [90] * 9], ".20",
            id="a download",
        ),
    ],
)  # fmt: skip
def test_noise_quality_chains_and_air_time(rule: str, polls: list[Poll], expected: str) -> None:
    item = "sector" if "airtime" in rule and Series("radio", "sector", "airtime_pct") in polls[0] else ""
    item = item or ("wlan1" if "airtime" in rule else "")
    assert short(levels(rule, polls, item=item)) == expected


def heard(connected_s: float | None = None) -> Poll:
    return radio(signal_dbm=-60) | (radio(connected_s=connected_s) if connected_s is not None else {})


def outages(polls: list[tuple[Poll, float]], rule: str = "short-outages") -> list[str | None]:
    ruled, found = Ruled(rules=[SHIPPED[rule]]), []
    for values, after_s in polls:
        ruled.poll(values, after_s=after_s)
        found.append(ruled.level(rule))
    return found


def test_a_link_that_registered_anew_between_two_polls_was_broken_for_a_moment() -> None:
    polls = [(heard(500), 60.0), (heard(560), 60.0), (heard(10), 60.0)]
    polls += [(heard(10 + 60 * n), 60.0) for n in range(1, 13)]
    assert short(outages(polls)) == ".2 w11 .2", "it is told for ten minutes"


def test_three_short_outages_within_an_hour_are_critical() -> None:
    polls = [(heard(500), 60.0)]
    for _ in range(3):
        polls += [(heard(10), 60.0), *((heard(10 + 60 * n), 60.0) for n in range(1, 12))]
    found = outages(polls)
    assert short(found) == ".1 w11 .1 w11 .1 c12", "the first, the second, and the third"


@pytest.mark.parametrize(
    "polls",
    [
        pytest.param([(heard(500), 60.0), (heard(560), 60.0), (heard(45), 60.0)], id="15 s at most"),
        pytest.param([(heard(500), 60.0), (heard(530), 60.0)] * 1, id="a counter that lags"),
        pytest.param([(heard(500), 60.0), (heard(10), 3600.0)], id="nobody looked for an hour"),
        pytest.param(
            [(heard(), 60.0), ({}, 60.0), ({}, 60.0), ({}, 60.0), (heard(), 60.0)], id="then it was down"
        ),
        pytest.param([(heard(), 60.0)] * 5, id="nothing happened"),
    ],
)
def test_what_is_no_short_outage(polls: list[tuple[Poll, float]]) -> None:
    assert set(outages(polls)) == {None}


def test_the_other_side_was_not_heard_in_one_poll() -> None:
    assert short(outages([(heard(), 60.0), (heard(), 60.0), ({}, 60.0), (heard(), 60.0)])) == ".3 w1"


def test_a_radio_that_started_anew_had_no_outage_of_its_link() -> None:
    ruled = Ruled(rules=[SHIPPED["short-outages"]])
    ruled.poll(heard(500))
    ruled.poll(heard(5), uptime=10.0)
    assert ruled.level("short-outages") is None


def test_stations_that_are_no_end_of_a_link_are_not_judged() -> None:
    ruled = Ruled(mouth=Mouth("station", "0a0000000001", "torre-cerro", "a"))
    homes: Poll = {Series("station", f"0b00000000{n:02}", "signal_dbm"): -85 for n in range(10)}
    homes |= {Series("station", "0a0000000001", "signal_dbm"): -60}
    for _ in range(20):
        ruled.poll(homes)
    assert ruled.fired == []
