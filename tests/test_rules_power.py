"""Rules of batteries, panels and supplies, each with what fires it and with what only looks like it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ruled import Ruled, levels, short

from ayni_core.readings import Series, Value
from ayni_core.rules.place import Place
from ayni_core.rules.readers import is_battery
from ayni_core.rules.sun import elevation_deg

Poll = dict[Series, Value]
SOLAR = Place(latitude=-13.5, longitude=-72.0, power="solar", battery_v=24)
LITHIUM = Place(power="solar", battery="lifepo4", battery_v=48)
MAINS, UPS_KNOWN = Place(), Place(battery_v=12)
UNSAID = Place(latitude=-13.5, longitude=-72.0, power="solar")
DAWN = 1_760_004_000.0 + 6 * 3600  # 2025-10-09 16:00 UTC, 11:00 at -72°


def battery(item: str = "battery", **values: float) -> Poll:
    return {Series("power", item, metric): value for metric, value in values.items()}


def volts(*each: float) -> list[Poll]:
    return [battery(voltage_v=one) for one in each]


def sensor(item: str, celsius: float) -> Poll:
    return {Series("sensor", item, "temperature_c"): celsius}


def node(**values: float) -> Poll:
    return {Series("node", "", metric): value for metric, value in values.items()}


LOW, LITHIUM_LOW, LEFT = "battery-low", "battery-low-lithium", "battery-left"


@pytest.mark.parametrize(
    ("rule", "polls", "place", "expected"),
    [
        pytest.param(LOW, volts(*[24.0] * 7), SOLAR, ".5 w2", id="24 V at 24.0"),
        pytest.param(LOW, volts(*[23.1] * 7), SOLAR, ".5 c2", id="24 V at 23.1"),
        pytest.param(LOW, volts(*[24.3] * 7), SOLAR, ".7", id="24 V at 24.3"),
        pytest.param(LOW, volts(*[23.0] * 4, 24.8, *[23.0] * 4), SOLAR, ".9", id="a pump started"),
        pytest.param(LOW, volts(*[48.2] * 7), UNSAID, ".5 w2", id="48 V, which nobody wrote down"),
        pytest.param(LOW, volts(*[12.0] * 7), UPS_KNOWN, ".5 w2", id="12 V, which somebody wrote down"),
        pytest.param(
            LOW, volts(*[11.1] * 9), MAINS, ".9", id="three lithium cells beside a router, for all we know"
        ),
        pytest.param(LOW, volts(*[3.3] * 9), UNSAID, ".9", id="no battery of any kind that we know"),
        pytest.param(LOW, volts(*[38.0] * 9), UNSAID, ".9", id="three of 12 V, or four that are dead"),
        pytest.param(LOW, volts(*[0.0] * 9), SOLAR, ".9", id="0 V: not connected"),
        pytest.param(
            LOW, [battery("load", voltage_v=21.0) | battery("battery target", voltage_v=20.0)] * 9,
            SOLAR, ".9",
            id="what is no battery",
        ),
        pytest.param(LITHIUM_LOW, volts(*[49.5] * 7), LITHIUM, ".5 w2", id="16 cells at 49.5"),
        pytest.param(LITHIUM_LOW, volts(*[47.9] * 7), LITHIUM, ".5 c2", id="16 cells at 47.9"),
        pytest.param(LITHIUM_LOW, volts(*[51.0] * 7), LITHIUM, ".7", id="16 cells at 51.0"),
        pytest.param(LITHIUM_LOW, volts(*[48.0] * 7), SOLAR, ".7", id="they are lead and acid"),
        pytest.param(
            LITHIUM_LOW, [battery(voltage_v=49.5, charge_pct=80)] * 9, LITHIUM, ".9",
            id="the charge is measured",
        ),
        pytest.param(
            LEFT, [battery(voltage_v=49.5, charge_pct=25)] * 5, LITHIUM, ".2 w3", id="a quarter is left"
        ),
        pytest.param(
            LEFT, [battery(voltage_v=49.5, charge_pct=10)] * 5, LITHIUM, ".2 c3", id="a tenth is left"
        ),
        pytest.param(LEFT, [battery(voltage_v=53.0, charge_pct=60)] * 5, LITHIUM, ".5", id="more than half"),
        pytest.param(LEFT, [battery(charge_pct=12)] * 5, MAINS, ".2 c3", id="a UPS that runs out"),
        pytest.param(
            LEFT, [battery(voltage_v=25.2, charge_pct=12)] * 5, SOLAR, ".5",
            id="what a charger believes of lead and acid: its voltage tells",
        ),
        pytest.param(
            "on-battery", [battery(on_battery_s=each) for each in (0, 30, 90, 150)], MAINS, ".3 w1", id="cut"
        ),
        pytest.param(
            "on-battery", [battery(on_battery_s=each) for each in (0, 20, 0, 20)], MAINS, ".4", id="flicker"
        ),
        pytest.param(
            "charger-fault", [battery(charger_error=17)] * 4, SOLAR, ".2 w2", id="too hot to charge"
        ),
        pytest.param("charger-fault", [battery(charger_error=0)] * 4, SOLAR, ".4", id="no error"),
        pytest.param("overload", [battery("", load_pct=95)] * 8, MAINS, ".5 w3", id="95 % of a UPS"),
        pytest.param("overload", [battery("", load_pct=110)] * 8, MAINS, ".5 c3", id="more than it can"),
        pytest.param("overload", [battery("", load_pct=70)] * 8, MAINS, ".8", id="70 %"),
    ],
)  # fmt: skip
def test_batteries_and_supplies(rule: str, polls: list[Poll], place: Place, expected: str) -> None:
    item = "" if rule == "overload" else "battery"
    assert short(levels(rule, polls, item=item, place=place)) == expected


@pytest.mark.parametrize(
    ("rule", "polls", "item", "expected"),
    [
        pytest.param("battery-hot", [sensor("battery", 41)] * 6, "battery", ".4 w2", id="41 °C"),
        pytest.param("battery-hot", [sensor("battery", 45)] * 6, "battery", ".4 c2", id="45 °C"),
        pytest.param("battery-hot", [sensor("battery", 38)] * 6, "battery", ".6", id="38 °C"),
        pytest.param(
            "battery-hot", [sensor("heat sink", 60)] * 6, "heat sink", ".6", id="a heat sink may be"
        ),
        pytest.param("pi-hot", [sensor("cpu-thermal", 81)] * 4, "cpu-thermal", ".2 w2", id="81 °C"),
        pytest.param("pi-hot", [sensor("cpu_thermal", 86)] * 4, "cpu_thermal", ".2 c2", id="86 °C"),
        pytest.param("pi-hot", [sensor("cpu-thermal", 70)] * 4, "cpu-thermal", ".4", id="70 °C"),
        pytest.param("pi-hot", [sensor("switch", 90)] * 4, "switch", ".4", id="not the Pi"),
        pytest.param(
            "pi-voltage", [node(supply_state=each) for each in (0, 2, 1, 1, 1)], "", ".1 c3 w1", id="now"
        ),
        pytest.param("pi-voltage", [node(supply_state=1)] * 2, "", "w2", id="since it started"),
        pytest.param("pi-voltage", [node(supply_state=0)] * 3, "", ".3", id="good"),
        pytest.param("pi-slowed", [node(throttle_state=2)] * 4, "", ".2 w2", id="slowed down now"),
        pytest.param("pi-slowed", [node(throttle_state=1)] * 4, "", ".4", id="was slowed down once"),
    ],
)  # fmt: skip
def test_heat_and_the_monitors_own_supply(rule: str, polls: list[Poll], item: str, expected: str) -> None:
    assert short(levels(rule, polls, item=item)) == expected


# ---- the sun


@pytest.mark.parametrize(
    ("latitude", "longitude", "when", "degrees"),
    [
        pytest.param(0.0, 0.0, (2026, 3, 20, 12, 7), 90.0, id="equator, noon of an equinox"),
        pytest.param(51.48, 0.0, (2026, 6, 21, 12, 2), 61.96, id="Greenwich, midsummer noon"),
        pytest.param(51.48, 0.0, (2026, 12, 21, 11, 58), 15.08, id="Greenwich, midwinter noon"),
        pytest.param(-13.5, -72.0, (2026, 11, 22, 16, 34), 83.3, id="Cusco, a November noon"),
        pytest.param(-13.5, -72.0, (2026, 11, 22, 4, 34), -56.4, id="Cusco, its midnight"),
        pytest.param(69.65, 18.96, (2026, 12, 21, 10, 42), -3.1, id="Tromsø, polar night"),
    ],
)
def test_the_sun_stands_where_it_must(
    latitude: float, longitude: float, when: tuple[int, int, int, int, int], degrees: float
) -> None:
    """At noon 90° less the distance from where it stands overhead: 23.44° north or south at a solstice."""
    at = datetime(*when, tzinfo=UTC).timestamp()
    assert elevation_deg(latitude, longitude, at) == pytest.approx(degrees, abs=0.5)


RULE = "battery-not-charging"


def day(*hours: tuple[float, Poll], place: Place = SOLAR, start: float = DAWN) -> Ruled:
    """Each poll for so many hours, every five minutes."""
    ruled = Ruled(place=place, start=start)
    for many, values in hours:
        for _ in range(int(many * 12)):
            ruled.poll(values, after_s=300.0)
    return ruled


DRAINS, CHARGES = battery(voltage_v=24.6, current_a=-2.0), battery(voltage_v=27.0, current_a=4.0)


def fired(ruled: Ruled) -> list[str | None]:
    return [level for rule, level in ruled.fired if rule == RULE]


def test_a_battery_that_only_gives_in_daylight_is_told_after_two_hours_and_is_bad_after_a_day() -> None:
    assert fired(day((1.9, DRAINS))) == []
    assert fired(day((2.5, DRAINS))) == ["warn"]
    assert fired(day((9.0, DRAINS), start=DAWN - 4 * 3600)) == ["warn", "critical"]


def test_at_night_every_battery_gives() -> None:
    assert fired(day((10.0, DRAINS), start=DAWN + 9 * 3600)) == [], "from 20:00"


def test_a_night_does_not_count_between_an_evening_and_a_morning() -> None:
    evening = DAWN + 4.5 * 3600  # 15:30; the sun is low an hour and a half later
    assert fired(day((1.5, DRAINS), (14.0, DRAINS), (0.5, DRAINS), start=evening)) == []


def test_clouds_are_no_fault() -> None:
    assert fired(day((1.5, DRAINS), (0.5, CHARGES), (1.5, DRAINS))) == []


def test_it_is_over_when_the_battery_is_charged_again() -> None:
    assert fired(day((3.0, DRAINS), (1.0, CHARGES))) == ["warn", None]


def test_a_charger_that_gives_nothing_while_the_voltage_falls_is_found_too() -> None:
    falling = [(0.25, battery(voltage_v=24.9 - 0.05 * n, current_a=0.0)) for n in range(24)]
    assert fired(day(*falling, start=DAWN - 2 * 3600)) == ["warn"]


def test_a_voltage_that_falls_after_a_full_charge_means_nothing() -> None:
    falling = [(0.25, battery(voltage_v=28.8 - 0.12 * n)) for n in range(24)]
    assert fired(day(*falling, start=DAWN - 2 * 3600)) == []


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(Place(latitude=-13.5, longitude=-72.0, battery_v=24), id="no panel: the mains were cut"),
        pytest.param(Place(power="solar", battery_v=24), id="nobody knows where the sun stands"),
    ],
)
def test_where_the_sun_says_nothing_of_the_battery(place: Place) -> None:
    assert fired(day((6.0, DRAINS), place=place)) == []


def test_a_monitor_without_the_time_says_nothing_of_daylight() -> None:
    ruled = Ruled(place=SOLAR, start=DAWN)
    names, cells = tuple(DRAINS), tuple(DRAINS.values())
    for n in range(100):
        polls = [(300.0 * n, cells)]
        assert ruled.bench.judge(ruled.device, names, polls, kind_of=lambda _item: None, wall_s=None) == []


@pytest.mark.parametrize(
    ("item", "expected"),
    [("battery", True), ("battery 2", True), ("battery target", False), ("ups battery", False), ("", False)],
)
def test_what_is_a_whole_battery(item: str, expected: bool) -> None:
    assert is_battery(Series("power", item, "voltage_v")) is expected
