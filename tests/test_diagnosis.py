"""The probable cause by plain signs: what a technician would suspect first."""

from __future__ import annotations

import pytest

from ayni_core.diagnosis import Signs, cause_of
from ayni_core.wire.messages import EndView

TITLES = {"torre": "Torre", "cerro": "Cerro"}


def end(site: str, **known: object) -> EndView:
    return EndView(site=site, device=f"{site}-ap", normal_dbm=-58, **known)  # type: ignore[arg-type]


def cause(state: str, a: EndView, b: EndView, **around: str) -> tuple[str, dict[str, object]] | None:
    found = cause_of(Signs(state=state, a=a, b=b, titles=TITLES, **around))  # type: ignore[arg-type]
    return None if found is None else (found[0].context, dict(found[1].values))


GOOD: dict[str, object] = {"signal_dbm": -58.0, "noise_dbm": -95.0, "ccq_pct": 97.0}


@pytest.mark.parametrize(
    ("state", "a", "b", "around", "expected"),
    [
        ("ok", GOOD, GOOD, {}, None),
        ("no_news", GOOD, GOOD, {}, ("cause.monitor_silent", {})),
        ("down", {}, {}, {"dark_site": "Cerro"}, ("cause.no_power", {"site": "Cerro"})),
        ("down", {}, {}, {"dark_site": "Cerro", "cut_by": "X-Y"}, ("cause.behind", {"link": "X-Y"})),
        ("down", {}, GOOD, {"silent_device": "Radio"}, ("cause.device", {"device": "Radio"})),
        ("weak", GOOD | {"signal_dbm": -70.0}, GOOD | {"signal_dbm": -71.0}, {}, ("cause.antenna_moved", {})),
        (
            "weak",
            GOOD,
            GOOD | {"noise_dbm": -80.0, "ccq_pct": 45.0},
            {},
            ("cause.interference", {"site": "Cerro"}),
        ),
        ("weak", GOOD | {"ccq_pct": 60.0}, GOOD, {}, ("cause.interference", {"site": "Torre"})),
        ("weak", GOOD, GOOD, {"slow_port_device": "Radio"}, ("cause.cable", {"device": "Radio"})),
        ("weak", GOOD, GOOD, {}, ("cause.unknown", {})),
        ("weak", GOOD | {"signal_dbm": -78.0}, GOOD | {"signal_dbm": -79.0}, {}, ("cause.side_lobe", {})),
        (
            "weak",
            GOOD | {"signal_dbm": -78.0, "noise_dbm": -80.0},
            GOOD | {"signal_dbm": -79.0},
            {},
            ("cause.side_lobe", {}),
        ),
        ("weak", GOOD | {"signal_dbm": -78.0}, GOOD | {"signal_dbm": -60.0}, {}, ("cause.unknown", {})),
        ("weak", GOOD | {"signal_dbm": -88.0}, GOOD | {"signal_dbm": -89.0}, {}, ("cause.antenna_moved", {})),
        (
            "weak",
            GOOD | {"chains_dbm": (-58.0, -70.0)},
            GOOD | {"chains_dbm": (-58.0, -60.0)},
            {},
            ("cause.connector", {"site": "Torre"}),
        ),
        (
            "weak",
            GOOD | {"signal_dbm": -70.0, "chains_dbm": (-70.0, -78.0)},
            GOOD | {"signal_dbm": -71.0, "chains_dbm": (-71.0, -79.0)},
            {},
            ("cause.antenna_moved", {}),
        ),
        ("ok", GOOD | {"chains_dbm": (-58.0, -70.0)}, GOOD, {}, None),
        ("weak", GOOD, GOOD | {"chains_dbm": (-58.0, -63.5)}, {}, ("cause.connector", {"site": "Cerro"})),
        ("weak", GOOD | {"chains_dbm": (-58.0, -63.0)}, GOOD, {}, ("cause.unknown", {})),
        ("weak", GOOD | {"chains_dbm": (-58.0, -96.0)}, GOOD, {}, ("cause.unknown", {})),
    ],
)
def test_signs_lead_to_a_cause(
    state: str,
    a: dict[str, object],
    b: dict[str, object],
    around: dict[str, str],
    expected: tuple[str, dict[str, object]] | None,
) -> None:
    assert cause(state, end("torre", **a), end("cerro", **b), **around) == expected


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        ({}, "cause.unknown"),
        ({"a": -58.0}, "cause.unknown"),
        ({"a": -58.0, "b": -58.0}, "cause.side_lobe"),
        ({"a": -40.0, "b": -40.0}, "cause.unknown"),
    ],
)
def test_an_aim_that_was_wrong_from_the_beginning_shows_against_the_plan(
    plans: dict[str, float], expected: str
) -> None:
    """What is normal was measured when it already aimed beside."""
    usual = {"normal_dbm": -78.0, "signal_dbm": -78.0}
    a, b = (EndView(site=site, device="x", **usual) for site in ("torre", "cerro"))  # type: ignore[arg-type]
    found = cause_of(Signs(state="weak", a=a, b=b, titles=TITLES, plans_dbm=plans))
    assert found is not None
    assert found[0].context == expected
