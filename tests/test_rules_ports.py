"""Rules of Ethernet ports, each with what fires it and with what only looks like it."""

from __future__ import annotations

import pytest
from ruled import Ruled, levels, short

from ayni_core.rates import rates, reboots
from ayni_core.readings import Series, Value
from ayni_core.rules.readers import is_port

Poll = dict[Series, Value]
HUNDRED, TEN = 100_000_000, 10_000_000


def port(item: str = "ether1", kind: int = 6, **values: float) -> Poll:
    found: Poll = {Series("interface", item, "if_type"): kind}
    return found | {Series("interface", item, metric): value for metric, value in values.items()}


def oper(*states: int, kind: int = 6, item: str = "ether1") -> list[Poll]:
    return [port(item, kind, if_oper=each) for each in states]


def speeds(*bps: float, up: int = 1) -> list[Poll]:
    return [port(speed_bps=each, if_oper=up) for each in bps]


def counted(metric: str, steps: list[float], first: float = 1000) -> list[Poll]:
    """Polls in which a counter moves on by these steps."""
    found, value = [port(**{metric: first})], first
    for each in steps:
        value += each
        found.append(port(**{metric: value}))
    return found


def octets(*shares: float, bps: float = HUNDRED) -> list[Poll]:
    """Polls a minute apart in which so much of the port's speed was in use, inwards."""
    found, value = [port(in_octets=0, out_octets=0, speed_bps=bps)], 0.0
    for share in shares:
        value += share * bps / 8 * 60
        found.append(port(in_octets=value, out_octets=value / 10, speed_bps=bps))
    return found


FLAP = [1, 2] * 3


@pytest.mark.parametrize(
    ("rule", "polls", "expected"),
    [
        pytest.param("port-slow", speeds(1e9, HUNDRED, HUNDRED, HUNDRED), ".2 w2", id="a gigabit became 100"),
        pytest.param("port-slow", speeds(HUNDRED, TEN, TEN, TEN), ".2 c2", id="100 became 10"),
        pytest.param("port-slow", speeds(HUNDRED, HUNDRED, 1e9), ".3", id="a better switch"),
        pytest.param("port-slow", speeds(TEN, TEN, TEN), ".3", id="it never was better"),
        pytest.param(
            "port-slow", speeds(HUNDRED, HUNDRED) + speeds(TEN, TEN, TEN, up=2), ".5", id="down, and says 10"
        ),
        pytest.param("cable-out", oper(1, 2, 2, 2), ".2 w2", id="the cable of a radio was pulled out"),
        pytest.param("cable-out", oper(2, 2, 2, 2), ".4", id="a port that never had a cable"),
        pytest.param("cable-out", oper(1, 2, 1, 2), ".4", id="it comes and goes: another rule"),
        pytest.param("cable-out", oper(1, 2, 2, 2, kind=71), ".4", id="a radio is no port"),
        pytest.param("port-flaps", oper(*FLAP, 1, 1), ".5 w3", id="down three times in ten minutes"),
        pytest.param("port-flaps", oper(*[1, 2] * 10, 1), ".5 w14 c2", id="down ten times in an hour"),
        pytest.param("port-flaps", oper(1, 2, 1, 2, 1, 1, 1, 1), ".8", id="somebody plugged it in twice"),
        pytest.param(
            "port-flaps", oper(*FLAP, item="br-lan"), ".6", id="a bridge that calls itself Ethernet"
        ),
        pytest.param("port-flaps", oper(2, 2, 2, 2, 2, 2), ".6", id="always down"),
        pytest.param(
            "port-errors", counted("in_errors", [10] * 6), ".5 w2", id="ten a minute, again and again"
        ),
        pytest.param("port-errors", counted("in_errors", [300] * 8), ".5 w1 c3", id="five a second"),
        pytest.param(
            "port-errors", counted("in_errors", [50] + [0] * 7), ".9", id="one burst, as of lightning"
        ),
        pytest.param("port-errors", counted("in_errors", [0] * 9 + [10] * 6), ".14 w2", id="after a while"),
        pytest.param("port-errors", counted("in_errors", [1] * 9), ".10", id="one a minute is nothing"),
        pytest.param("port-errors", counted("in_errors", [0] * 9, 5e6), ".10", id="many, long ago"),
        pytest.param(
            "port-errors", counted("in_errors", [10] * 9, 2.0**32 - 45)[:1]
            + [port(in_errors=(2**32 - 45 + 10 * n) % 2**32) for n in range(1, 7)], ".5 w2",
            id="a counter of 32 bits that wraps on the way",
        ),
        pytest.param(
            "port-errors", [port(in_errors=0), port(in_errors=None)] * 9, ".18", id="now and then nothing"
        ),
        pytest.param("port-busy", octets(*[0.9] * 20), ".16 w5", id="90 % for a quarter of an hour"),
        pytest.param("port-busy", octets(*[0.99] * 20), ".16 c5", id="99 %"),
        pytest.param(
            "port-busy", octets(*[0.9] * 10, 0.2, *[0.9] * 9), ".21", id="it had a breath in between"
        ),
        pytest.param("port-busy", octets(*[0.5] * 20), ".21", id="half of it"),
        pytest.param("port-busy", octets(*[0.9] * 20, bps=0), ".21", id="a port that tells no speed"),
    ],
)  # fmt: skip
def test_ports(rule: str, polls: list[Poll], expected: str) -> None:
    assert short(levels(rule, polls, item="ether1")) == expected


def test_a_counter_that_began_anew_with_its_device_is_no_error() -> None:
    ruled = Ruled()
    ruled.poll(port(in_errors=4_000_000_000))
    for n in range(8):
        ruled.poll(port(in_errors=10 * n), uptime=30.0 + 60 * n)
    errors = [fired for fired in ruled.fired if fired[0] == "port-errors"]
    assert errors == [("port-errors", "warn")], "only what was counted since"


def test_a_device_that_started_anew_did_not_flap() -> None:
    ruled = Ruled()
    for n in range(12):
        ruled.poll(port(if_oper=1 + n % 2), uptime=20.0)
    assert ruled.level("port-flaps", "ether1") is None


def test_a_gap_in_the_polls_makes_no_rate() -> None:
    ruled = Ruled()
    for n in range(10):
        ruled.poll(port(in_errors=1e6 * n), after_s=1000.0)
    assert ruled.level("port-errors", "ether1") is None


@pytest.mark.parametrize(
    ("item", "kind", "expected"),
    [
        ("ether1", 6.0, True), ("eth0", None, True), ("sfp1", 6.0, True), ("lan1", 6.0, True),
        ("eth0.10", 6.0, False), ("wlan0", 6.0, False), ("br-lan", 6.0, False), ("wlan1", 71.0, False),
        ("bridge1", 209.0, False), ("tun0", 6.0, False), ("eth0@if3", 6.0, False),
    ],
)  # fmt: skip
def test_what_is_an_ethernet_port(item: str, kind: float | None, expected: bool) -> None:
    assert is_port(Series("interface", item, "in_errors"), kind) is expected


def test_rates_at_a_poll_are_those_of_history() -> None:
    """What a rule sees is what a graph shows: wraps, resets, gaps, reboots."""
    wrap = 2.0**32
    counter = [(0, wrap - 600), (60, wrap - 300), (120, 0.0), (180, 300.0), (1400, 9000.0), (1460, 9300.0),
               (1520, 100.0), (1580, 400.0)]  # fmt: skip
    uptimes = [(at, 5000.0 + at if at < 1520 else at - 1500.0) for at, _value in counter]
    seen = list(rates(counter, max_gap_s=900, reboots=list(reboots(uptimes))))
    ruled = Ruled(start=0.0)
    found = []
    (seat,) = _seats_of(ruled, "port-errors", port(in_errors=1))
    for (at, value), (_at, uptime) in zip(counter, uptimes, strict=True):
        ruled.bench._memories["dev"].begin(uptime, float(at))
        rate = seat((0, value), float(at))
        if rate is not None:
            found.append((at, rate))
    assert found == [(at, pytest.approx(rate)) for at, rate in seen]


def _seats_of(ruled: Ruled, rule: str, values: Poll) -> list:  # type: ignore[type-arg]
    names = tuple(values)
    ruled.bench.judge(ruled.device, names, [], kind_of=lambda _item: 6.0)
    return [seat.read for seat in ruled.bench._sheets["dev"].still if seat.rule.name == rule]
