"""Site and device without a terminal: alarms, what stands there, every reading, ports, neighbours, power."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from console_village import NOW, Village, readings

from ayni_console import state_names
from ayni_console.lines import displayed, plain, width
from ayni_console.view import device, site, tables
from ayni_console.view import readings as said
from ayni_console.view.page import Look, Row
from ayni_core.message import Message
from ayni_core.metrics import METRICS
from ayni_core.readings import Value
from ayni_core.wire import topics
from ayni_core.wire.messages import SiteView
from ayni_core.wire.questions import Reading
from ayni_io import values
from ayni_io.readings import natural, parts, running

LOOK = Look(width=80, height=24, now=NOW)
SMALL = Look(width=60, height=20, now=NOW)
WIDE = Look(width=300, height=80, now=NOW)
LOOKS = pytest.mark.parametrize("look", [LOOK, SMALL, WIDE], ids=["80x24", "60x20", "300x80"])
ETH0 = ("interface", "eth0")
MAC = "000c42ddeeff"


@pytest.fixture
def village() -> Village:
    return Village()


def shown(rows: list[Row]) -> list[str]:
    return [plain(displayed(row.draw(), False)) for row in rows]


def reading(group: str, item: str, metric: str, value: Value, per_s: float | None = None) -> Reading:
    return Reading(group=group, item=item, metric=metric, value=value, at=NOW - 12, per_s=per_s)


SWITCH = (
    *(
        each
        for number, (oper, speed, per_s) in enumerate(
            [(1, 1e9, 1.5e5), (2, None, None), (1, 1e8, 2e6)] + [(2, None, None)] * 8, 1
        )
        for each in (
            reading("interface", f"ether{number}", "if_oper", oper),
            reading("interface", f"ether{number}", "if_admin", 2 if number == 4 else 1),
            reading("interface", f"ether{number}", "speed_bps", speed),
            reading("interface", f"ether{number}", "in_octets", 9e9, per_s=per_s),
            reading("interface", f"ether{number}", "out_octets", 9e9, per_s=0.0),
            reading("interface", f"ether{number}", "in_errors", 12 if number == 3 else 0),
        )
    ),
    reading("interface", "ether1", "if_alias", "uplink"),
    reading("poe", "port 3", "power_w", 6.5),
    reading("poe", "port 3", "poe_state", 2),
    reading("power", "Board 48V", "voltage_v", 49.8),
    reading("power", "DC input", "current_a", 1.25),
    reading("neighbour", "", "neighbours", 2),
    reading("neighbour", "lldp/ether1/1", "neighbour_name", "core-sw"),
    reading("neighbour", "lldp/ether1/1", "neighbour_port", "sfp9"),
    reading("neighbour", "mndp/ether3/1", "neighbour_name", "MikroTik"),
    reading("neighbour", "mndp/ether3/1", "neighbour_ip", "10.9.9.9"),
)  # fmt: skip


def device_rows(village: Village, told: tuple[Reading, ...], look: Look = LOOK, **more: object) -> list[str]:
    found = village.model.devices["torre-radio"]
    return shown(device.device_rows(village.model, found, look, told, "", **more))  # type: ignore[arg-type]


# a site


def test_a_site_says_what_is_wrong_and_lists_what_stands_there(village: Village) -> None:
    lines = shown(site.site_rows(village.model, village.model.sites["escuela"], LOOK))
    assert lines[:2] == [
        " 46 homes here, power from the grid, reached by Escuela-Cerro",
        " ■ Escuela has probably lost power.",
    ]
    text = "\n".join(lines)
    assert re.search(r" ALARMS\n ■ DOWN +Escuela-Cerro is down +34m\n", text)
    assert re.search(r"■ DOWN +Radio Escuela does not answer \(explained by: Escuela-Cerro", text)
    assert re.search(r" DEVICES\n ■ Radio Escuela +SILENT +timed out +10 s ago\n", text)
    assert re.search(r" LINKS\n ■ Escuela-Cerro +DOWN +34 min ago\n", text)


def test_a_site_with_a_monitor_and_a_way_out_shows_them(village: Village) -> None:
    text = "\n".join(shown(site.site_rows(village.model, village.model.sites["torre"], LOOK)))
    assert re.search(r" MONITORS\n ● Torre +OK +0\.1 +10 s ago\n", text)
    assert re.search(r" INTERNET\n ● Fibra +OK +since ", text)
    assert "ALARMS" in text
    assert re.search(r"▲ WEAK +Torre-Clínica: Torre hears -71 dBm", text)


def test_what_is_only_behind_says_where_to_look_first(village: Village) -> None:
    for name in ("a3", "a4"):
        village.send(topics.alert(name), None)
    village.send(topics.net("node", "molino-pi"), None)
    village.send(topics.net("link", "cerro-molino"), None)
    link = replace(village.model.links["escuela-cerro"], id="x", a=village.model.links["escuela-cerro"].b)
    village.send(topics.net("link", "x"), link)
    molino = replace(village.model.sites["molino"], state="down", parent="x")
    village.send(topics.net("site", "molino"), molino)
    lines = shown(site.site_rows(village.model, village.model.sites["molino"], LOOK))
    assert " ■ It is behind Escuela-Cerro: look there first." in lines


def test_power_of_a_site_is_that_of_its_devices_with_ages(village: Village) -> None:
    power = site.Power({"cerro-radio": [reading("power", "battery", "charge_pct", 81), *readings(NOW)]})
    lines = shown(site.site_rows(village.model, village.model.sites["cerro"], LOOK, power))
    at = lines.index(" POWER")
    assert re.match(r"   Radio Cerro +voltage 24\.1 V +10 s ago", lines[at + 1])
    assert re.match(r"   Radio Cerro, battery +battery charge 81 % +10 s ago", lines[at + 2])
    power.problem = "The central did not answer."
    assert "The central did not answer." in "\n".join(
        shown(site.site_rows(village.model, village.model.sites["cerro"], LOOK, power))
    )


def test_a_filter_leaves_what_fits(village: Village) -> None:
    torre = village.model.sites["torre"]
    lines = shown(site.site_rows(village.model, torre, LOOK, wanted="clinica"))
    assert [each for each in lines if "Cerro" in each] == []
    assert any("Torre-Clínica" in each for each in lines)
    assert shown(site.site_rows(village.model, torre, LOOK, wanted="zzz")) == [
        "   Nothing here fits the filter."
    ]


@LOOKS
def test_a_site_fits(village: Village, look: Look) -> None:
    power = site.Power({"escuela-radio": list(SWITCH)})
    for each in village.model.sites.values():
        for row in site.site_rows(village.model, each, look, power):
            assert width(row.draw()) <= look.width


def test_what_is_said_of_the_selected_line(village: Village) -> None:
    power = site.Power()
    model = village.model
    voltage = reading("power", "", "voltage_v", 24.1)
    assert site.about(model, site.power_key("x", voltage), power, NOW).startswith("voltage: voltage")
    assert "watched by Torre" in site.about(model, "device:cerro-radio", power, NOW)
    assert site.about(model, "alert:a2", power, NOW) == (
        "Escuela-Cerro is down · Escuela has probably lost power"
    )
    assert site.about(model, "link:torre-clinica", power, NOW) == "An antenna has probably moved."
    assert site.about(model, "alert:gone", power, NOW) == ""


# a device


def test_a_device_shows_readings_and_ages_under_what_they_are_about(village: Village) -> None:
    lines = device_rows(village, readings(NOW), opened={ETH0})
    assert re.match(r" ● OK since ", lines[0])
    assert lines[1] == " measured 10 s ago · LiteBeam 5AC · 8.7.11 · 10.1.0.2 · watched by Torre"
    assert any(re.match(r" ▲ Torre-Clínica +WEAK +-71/-70 dBm +10 s ago", each) for each in lines)
    assert any(re.match(r"     speed +100 Mb/s +10 s ago", each) for each in lines)
    assert any(re.match(r"     received +1\.2 Mb/s   \(123 MB\) +10 s ago", each) for each in lines)
    assert any(re.match(r"   voltage +24\.1 V +10 s ago", each) for each in lines)
    assert lines.index(" DEVICE") > lines.index(" POWER")


def test_an_other_side_has_the_name_that_the_network_knows(village: Village) -> None:
    end = replace(village.model.links["torre-clinica"].a, group="station", item=MAC)
    village.link_becomes("torre-clinica", a=end)
    told = (reading("station", MAC, "signal_dbm", -57), reading("station", MAC, "tx_rate_bps", 130e6))
    lines = device_rows(village, told, opened={("station", MAC)})
    assert any(re.match(r" ● Clínica \(Torre-Clínica\) +-57 dBm +130 Mb/s", each) for each in lines)
    assert any("link Torre-Clínica" in each for each in lines)
    rows = device.device_rows(
        village.model, village.model.devices["torre-radio"], LOOK, told, "", "", {("station", MAC)}
    )
    assert "link:torre-clinica" in [row.key for row in rows]


def test_ports_stand_in_a_table_in_the_order_of_their_numbers(village: Village) -> None:
    lines = device_rows(village, SWITCH)
    at = next(place for place, each in enumerate(lines) if each.startswith(" PORTS 11"))
    assert re.match(r" ● ether1 uplink +up +1 Gb/s +1\.2 Mb/s +0 b/s +0 +10s", lines[at + 1])
    assert re.match(r" - ether2 +down +0 +10s", lines[at + 2])
    assert re.match(r" ● ether3 +up +100 Mb/s +16 Mb/s +0 b/s +12 +6\.5 W +10s", lines[at + 3])
    assert re.match(r" - ether4 +off ", lines[at + 4])
    assert lines[at + 10].startswith(" - ether10")
    assert "     works" not in "\n".join(lines)


def test_damaged_packets_are_told_as_they_come(village: Village) -> None:
    errors = Reading(group="interface", item="e", metric="in_errors", value=500, at=NOW, per_s=0.25)
    assert tables.damaged(tables.facts([errors])) == "0.2/s"
    assert tables.damaged(tables.facts([replace(errors, per_s=0.0)])) == "500"
    assert tables.damaged(tables.facts([replace(errors, per_s=None, value=2_500_000)])) == "2.5 M"
    assert tables.damaged({}) == ""


def test_a_port_that_an_alarm_speaks_of_is_marked(village: Village) -> None:
    alert = replace(
        village.model.alerts["a4"], id="p", name="torre-radio", silenced_by=None,
        text=Message("rule.cable_out", {"device": "Radio Torre", "port": "ether2"}),
    )  # fmt: skip
    village.send(topics.alert("p"), alert)
    lines = device_rows(village, SWITCH)
    assert any(re.match(r" ■ ether2 +down", each) for each in lines)
    assert any("Radio Torre ether2: the cable is out or dead" in each for each in lines)


def test_neighbours_are_named_by_our_own_names_where_they_are_ours(village: Village) -> None:
    village.send(
        topics.net("device", "molino-radio"),
        replace(village.model.devices["molino-radio"], address="10.9.9.9"),
    )
    part = ("neighbour", "mndp/ether3/1")
    lines = device_rows(village, SWITCH, opened={part})
    assert any(re.match(r" · ether1: core-sw +sfp9 +LLDP +10s", each) for each in lines)
    assert any(re.match(r" · ether3: Radio Molino +MNDP +10s", each) for each in lines)
    assert any("this is Radio Molino" in each for each in lines)
    assert any(re.match(r" NEIGHBOURS 2 ", each) for each in lines)
    assert not any(re.match(r"   neighbours ", each) for each in lines)


@pytest.mark.parametrize(
    ("port", "power"), [("ether3", "6.5 W"), ("PORT 3", "6.5 W"), ("ether13", ""), ("sfp", "")]
)
def test_power_over_a_cable_finds_its_port(port: str, power: str) -> None:
    poe = {"port 3": tables.facts([reading("poe", "port 3", "power_w", 6.5)])}
    found = tables.poe_of(port, poe)
    assert (values.value("power_w", found["power_w"].value) if found else "") == power


def test_a_filter_finds_readings_by_name_part_and_metric(village: Village) -> None:
    lines = device_rows(village, SWITCH, wanted="ether3")
    assert not any("ether1" in each for each in lines)
    assert any(re.match(r"   speed +100 Mb/s", each) for each in lines)
    assert any(
        re.match(r"   voltage|   Board 48V: voltage", each)
        for each in device_rows(village, SWITCH, wanted="voltage")
    )
    assert device_rows(village, SWITCH, wanted="zzz") == ["   Nothing here fits the filter."]


def test_without_readings_it_says_why(village: Village) -> None:
    found = village.model.devices["torre-radio"]
    assert "Asking the central …" in "\n".join(device_rows(village, ()))
    lines = shown(device.device_rows(village.model, found, LOOK, (), "The central did not answer."))
    assert any("The central did not answer." in each for each in lines)


@LOOKS
def test_a_device_fits(village: Village, look: Look) -> None:
    found = village.model.devices["escuela-radio"]
    opened = set(parts(SWITCH))
    for row in device.device_rows(village.model, found, look, SWITCH, "", "", opened):
        assert width(row.draw()) <= look.width


def test_what_is_said_of_the_selected_number(village: Village) -> None:
    told = readings(NOW)
    model = village.model
    hears = said.reading_key(told[3])
    assert device.about(model, hears, told, NOW) == (
        "hears: how loud the other side is heard; nearer to 0 is louder"
    )
    assert device.about(model, said.reading_key(told[2]), told, NOW) == "LiteBeam 5AC (model: hardware model)"
    assert device.about(model, said.part_key(ETH0), told, NOW).startswith(
        "works up, speed 100 Mb/s, received"
    )
    assert device.about(model, "", told, NOW) == ""


@pytest.mark.parametrize("metric", list(METRICS))
def test_every_metric_shows_its_values_in_a_line_of_any_width(metric: str) -> None:
    for value in (None, 0, 3, 2.5, 123_456_789_012, "a text"):
        for look in (LOOK, SMALL):
            each = reading("sensor", "an item with a long name", metric, value)
            assert width(said.reading_line(each, look, of=each.item)) <= look.width


@pytest.mark.parametrize(
    ("metric", "per_s", "shown_as"),
    [
        ("in_octets", 150_000, "1.2 Mb/s"),
        ("in_errors", 0, "0/s"),
        ("in_errors", 0.25, "0.2/s"),
        ("in_errors", 31, "31/s"),
        ("in_errors", 0.02, "0.02/s"),
    ],
)
def test_counters_run(metric: str, per_s: float, shown_as: str) -> None:
    assert running(metric, per_s) == shown_as


def test_ten_comes_after_nine() -> None:
    names = ["ether10", "ether9", "Ether1", "sfp1", "ether", ""]
    assert sorted(names, key=natural) == ["", "ether", "Ether1", "ether9", "ether10", "sfp1"]


def test_a_device_as_a_message(village: Village) -> None:
    text = device.device_message(village.model.devices["torre-radio"], readings(NOW), LOOK)
    assert text.startswith("Radio Torre 10.1.0.2 (")
    assert "hears: -57 dBm" in text


def test_a_site_nobody_knows_much_of_is_shown_all_the_same(village: Village) -> None:
    empty = SiteView(id="x", title="X", state="unknown", homes=0, homes_behind=0, power="wind")
    assert shown(site.site_rows(village.model, empty, LOOK)) == [" 0 homes here, power: wind", ""]


def test_makers_numbers_have_the_names_of_their_profile() -> None:
    names = state_names.of_profile("netonix")
    told = (
        reading("poe", "port 1", "poe_state", 2),
        reading("poe", "port 2", "poe_state", 99),
        reading("poe", "1/0/3", "poe_state", 3),
        reading("interface", "Port 1", "if_oper", 1),
        reading("power", "", "voltage_v", 3),
    )
    assert [each.value for each in state_names.named(told, names)] == ["24V", 99, "delivering", 1, 3]
    assert state_names.of_profile("of-the-future") == {}
    assert state_names.of_profile("../../etc/passwd") == {}


def test_what_a_radio_says_of_a_chain_is_with_what_it_says_of_both(village: Village) -> None:
    told = (
        reading("station", MAC, "signal_dbm", -57),
        reading("station", f"{MAC} chain 0", "signal_chain_dbm", -59),
        reading("station", f"{MAC} chain 1", "signal_chain_dbm", -60),
        reading("radio", "wlan1 chain 0", "noise_dbm", -101),
    )
    lines = device_rows(village, told, opened={("station", MAC)})
    assert any(re.match(r" HEARS 1 ", each) for each in lines)
    assert any(re.match(r"     chain 1: H/V +-60 dBm", each) for each in lines)
    assert any(re.match(r" Radio wlan1 chain 0", each) for each in lines)
