"""The probable cause by plain signs: what a technician would suspect first."""

from __future__ import annotations

import pytest

from ayni_core.diagnosis import Signs, cause_of
from ayni_core.wire.messages import EndView

TITLES = {"torre": "Torre", "cerro": "Cerro"}


def end(site: str, **known: float) -> EndView:
    return EndView(site=site, device=f"{site}-ap", normal_dbm=-58, **known)  # type: ignore[arg-type]


def cause(state: str, a: EndView, b: EndView, **around: str) -> tuple[str, dict[str, object]] | None:
    found = cause_of(Signs(state=state, a=a, b=b, titles=TITLES, **around))  # type: ignore[arg-type]
    return None if found is None else (found[0].context, dict(found[1].values))


GOOD = {"signal_dbm": -58.0, "noise_dbm": -95.0, "ccq_pct": 97.0}


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
    ],
)
def test_signs_lead_to_a_cause(
    state: str,
    a: dict[str, float],
    b: dict[str, float],
    around: dict[str, str],
    expected: tuple[str, dict[str, object]] | None,
) -> None:
    assert cause(state, end("torre", **a), end("cerro", **b), **around) == expected
