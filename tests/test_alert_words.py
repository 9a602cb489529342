"""What people write and read about alarms: powered_by and maintenance in the inventory, lines, marks."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import pytest
from test_alert_life import VILLAGE
from test_alert_storm import read

from ayni_console import command_maintenance
from ayni_console.view import alarms
from ayni_core.message import Message
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_core.power_tree import PoweredBy
from ayni_core.schema import ConfigError
from ayni_core.topology import build
from ayni_core.wire import topics
from ayni_core.wire.messages import Alert
from ayni_core.wire.shape import pack, unpack
from ayni_hub.alerting.ground import Ground
from ayni_io import i18n, phrases

NOW = 1_760_000_000.0
ONCE = {"start": "2026-01-31 08:00", "end": "2026-01-31 09:00"}


@pytest.fixture(autouse=True)
def _english() -> None:
    i18n.use("en")


def devices(**powered: Any) -> dict[str, Any]:
    return {
        name: VILLAGE["devices"][name] | ({"powered_by": powered[name]} if name in powered else {})
        for name in ("gw", "hill-st", "hill-ap", "far-st", "sector", "switch")
    }


def test_a_device_may_say_what_powers_it_with_its_port_or_without() -> None:
    network = read(VILLAGE | {"devices": devices(gw="switch", switch={"device": "hill-ap"})})
    assert network.devices["gw"].powered_by == PoweredBy(device="switch")
    assert network.devices["sector"].powered_by == PoweredBy(device="switch", port="3")
    assert Ground(network, build(network)).feeders["sector"] == ("hill-ap", "switch")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"devices": devices(gw="swich")},
         'devices.gw.powered_by: unknown device "swich"; did you mean "switch"?'),
        ({"devices": devices(gw="gw")}, "devices.gw.powered_by: goes round in a circle: gw <- gw"),
        (
            {"devices": devices(switch="sector")},
            "devices.sector.powered_by: goes round in a circle: sector <- switch <- sector",
        ),
        ({"devices": devices(gw={"device": "switch", "prot": 1})}, "devices.gw.powered_by.prot: unknown key"),
        ({"maintenance": {"m": {"site": "hil", **ONCE}}},
         'maintenance.m.site: unknown site "hil"; did you mean "hill"?'),
        ({"maintenance": {"m": {"site": "hill", "link": "town-hill", **ONCE}}},
         "maintenance.m.link: stands beside site"),
        ({"maintenance": {"m": {}}}, "maintenance.m: expected start and end, or weekdays with from and to"),
        ({"maintenance": {"m": {"start": "2026-02-31 08:00", "end": "2026-03-01 08:00"}}},
         'maintenance.m: "2026-02-31 08:00" is no day and time that there is'),
        ({"maintenance": {"m": {"start": "2026-01-31 08:00", "end": "2028-01-31 08:00"}}},
         "maintenance.m: it lasts longer than a year"),
        ({"maintenance": {"m": {"weekdays": ["sun"], "from": "8", "to": "9:00"}}},
         'maintenance.m: "8": expected a clock time such as 08:00'),
        ({"network": {"title": "T", "timezone": "Lima!"}},
         'network.timezone: "Lima!" is no name of a time zone'),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_inventory_is_told_in_a_sentence(changed: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(VILLAGE | changed)
    (said,) = caught.value.faults
    assert said.startswith(f"network.yaml: {fault}")


# ---- lines


def alert(name: str, **changed: Any) -> Alert:
    made = Alert(
        id=f"link-down--link--{name}", rule="link-down", kind="link", name=name, level="critical",
        since=NOW - 2040, text=Message("rule.link_down", {"link": name.title()}), homes=46,
    )  # fmt: skip
    return replace(made, **changed)


def model(*alerts: Alert) -> Model:
    made = Model()
    made.linked(True)
    for each in alerts:
        made.apply(topics.alert(each.id), pack(each), True, NOW)
    return made


def test_alarms_are_listed_the_worst_first_with_what_they_explain() -> None:
    root = alert("a", behind_sites=12, behind_alerts=1, cause=Message("cause.no_power"))
    child = alert("b", silenced_by=root.id)
    weak = alert(
        "c", rule="signal-low", level="warn", text=Message("rule.port_slow", {"device": "x"}), homes=0
    )
    taken = alert("d", homes=9, acked_by="Ana\x1b", ack_note="I go")
    shown = list(alarms.lines(model(weak, child, taken, root), NOW, whole=True))
    assert shown[:4] == [
        "DOWN A is down",
        "  for 34 min; 46 homes; 12 sites are behind it; it explains 1 more alarm; probably no power",
        "  link-down--link--a",
        "    DOWN B is down  link-down--link--b",
    ]
    assert shown[5] == "  for 34 min; 9 homes; Ana  is at it", "what comes from afar moves no cursor"
    assert shown[6] == "  note: I go"
    assert len(list(alarms.lines(model(root, child), NOW, whole=False))) == 3
    assert list(alarms.lines(model(), NOW, whole=True)) == ["No alarms."]


def test_a_name_means_the_alarms_about_it_that_speak() -> None:
    root, child = alert("a"), alert("b", silenced_by="x")
    found = model(root, child, alert("a", id="signal-low--link--a--b", silenced_by=root.id))
    assert [each.id for each in alarms.about(found, "a")] == [root.id]
    assert [each.id for each in alarms.about(found, "b")] == [child.id], "if none of them speaks, all"
    assert [each.id for each in alarms.about(found, "signal-low--link--a--b")] == ["signal-low--link--a--b"]
    assert alarms.about(found, "nothing") == []


def test_what_somebody_has_in_hand_stands_last_says_so_and_needs_nobody() -> None:
    found = model(
        alert("a", acked_by="Ana"),
        alert("b", maintenance="m1"),
        alert("c", flapping=True, holds=False),
        alert("d", homes=1, level="warn", rule="signal-low", text=Message("rule.signal_low")),
    )
    listed = attention.items(found, NOW)
    assert [item.name for item in listed] == ["c", "d", "a", "b"]
    assert [phrases.mark(item) for item in listed] == ["comes and goes", "", "Ana is at it", "maintenance"]
    assert attention.counts(found, NOW, listed).need == 2
    assert listed[0].state == "weak", "it is not down just now"
    assert phrases.item_message(found, listed[2], 60).endswith("(Ana is at it)")


def test_people_are_called_for_what_is_sure_their_own_and_in_nobodys_hand() -> None:
    assert alert("a").calls
    for held in ("settled", "silenced_by", "maintenance", "acked_by", "flapping"):
        value: Any = {"settled": False, "flapping": True}.get(held, "x")
        assert not alert("a", **{held: value}).calls, held
    old = b'{"id":"i","rule":"r","kind":"link","name":"l","level":"warn","since":1.0,"text":["rule.x",{}]}'
    assert unpack(Alert, old).calls, "one that an earlier version wrote"


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), ("9min", 540), ("4h", 14400), ("2d", 172_800)])
def test_spans_are_written_short(text: str, seconds: float) -> None:
    assert command_maintenance.span(text) == seconds


@pytest.mark.parametrize("text", ["", "4", "h", "-1h", "1.5h", "99999d"])
def test_what_is_no_span_is_told(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected such as 90m"):
        command_maintenance.span(text)
