"""Pages of metrics and of JSON, and the maps that make readings of them: pure, bounded, and strict."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from ayni_core.metrics import METRICS
from ayni_core.readings import GROUPS, NEIGHBOURS, Series, Value
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_core.webmap import Map, document, openmetrics, ubus
from ayni_core.webmap.apply import apply, names
from ayni_core.webmap.openmetrics import PageError, Sample
from ayni_core.webmap.reader import read_json_map, read_metrics_map
from ayni_core.wire.limits import check_item, check_value
from ayni_io import web_maps, yamlfile


def metrics_map(text: str) -> Map:
    return _map(text, read_metrics_map)


def json_map(text: str) -> Map:
    return _map(text, read_json_map)


def _map(text: str, read: Any) -> Map:
    value, lines = yamlfile.load(text, "x.yaml")
    faults = Faults("x.yaml", lines)
    found: Map = read("x", Fields(value, "", faults))
    faults.stop()
    return found


def of_metrics(source: Map, page: str) -> dict[Series, Value]:
    return apply(source, {"": openmetrics.parse(page.encode(), names(source))}, {})[0]


# ---- pages of metrics


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        ("a 1", Sample("a", {}, 1)),
        ("a 1.5 1700000000000", Sample("a", {}, 1.5)),
        ("a\t2 # {trace=\"x\"} 1", Sample("a", {}, 2)),
        ('a{} 3', Sample("a", {}, 3)),
        ('a{b="c"} -4', Sample("a", {"b": "c"}, -4)),
        ('a{b="c",d="e",} 5', Sample("a", {"b": "c", "d": "e"}, 5)),
        ('a{ b = "c" , d = "e" } 6', Sample("a", {"b": "c", "d": "e"}, 6)),
        (r'a{b="q\"q\\\n}"} 7', Sample("a", {"b": 'q"q\\\n}'}, 7)),
        ("a 18446744073709551615", Sample("a", {}, 2**64 - 1)),
        ("a 1e3", Sample("a", {}, 1000.0)),
        ("a NaN", Sample("a", {}, None)),
        ("a +Inf", Sample("a", {}, None)),
        ('a{b="ñandú"} 1\r', Sample("a", {"b": "ñandú"}, 1)),
    ],
)  # fmt: skip
def test_lines_of_metrics(line: str, sample: Sample) -> None:
    assert openmetrics.parse(f"# HELP a b\n# TYPE a gauge\n{line}\nother 1\n# EOF\n".encode(), {"a"}) == [
        sample
    ]


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("", "there are no metrics on it"),
        ("<html>login</html>", "line 1 is no metric: '<html>login</html>'"),
        ("a", "line 1 has no value"),
        ("a one", "line 1: 'one' is no number"),
        ('a{b="c} 1', "its labels are not of the form"),
        ('a{b="c"', "its labels are not of the form"),
        ("a{" + ",".join(f'l{n}="x"' for n in range(40)) + "} 1", "more than 32 labels"),
        ("a 1\n" * 10_001, "more than 10000 samples"),
        ("#\n" * 50_001, "more than 50000 lines"),
        ("a{b=\"" + "x" * 5000 + "\"} 1", "longer than 4000 characters"),
    ],
)  # fmt: skip
def test_what_is_no_page_of_metrics_is_told(page: str, why: str) -> None:
    with pytest.raises(PageError) as caught:
        openmetrics.parse(page.encode(), {"a"})
    assert why in str(caught.value)


NODE = """\
node_load1 0.5
node_memory_MemTotal_bytes 1000
node_memory_MemFree_bytes 400
node_memory_Buffers_bytes 100
node_memory_Cached_bytes 200
node_time_seconds 1700000300.5
node_boot_time_seconds 1700000000
node_uname_info{nodename="torre",release="6.1.0",sysname="Linux"} 1
node_cpu_seconds_total{cpu="0",mode="idle"} 100
node_cpu_seconds_total{cpu="0",mode="user"} 50
node_filesystem_size_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"} 1e9
node_filesystem_free_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"} 4e8
node_filesystem_size_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 1e6
node_network_receive_bytes_total{device="eth0"} 5.0e+09
node_network_up{device="eth0"} 1
node_network_info{device="eth0",address="DC:A6:32:01:02:03",duplex="full",operstate="up"} 1
node_network_info{address="00:00:00:00:00:00",device="lo",operstate="unknown"} 1
node_network_up{device="lo"} 0
node_network_speed_bytes{device="eth0"} 1.25e+08
node_network_speed_bytes{device="wlan0"} -125000
"""


def test_a_page_of_node_exporter() -> None:
    source = web_maps.load("openmetrics", "node", "x")
    found, counts = apply(source, {"": openmetrics.parse(NODE.encode(), names(source))}, {})

    def value(group: str, item: str, metric: str) -> Value:
        return found[Series(group, item, metric)]

    assert (value("system", "", "load_1m"), value("system", "", "uptime_s")) == (0.5, 300.5)
    assert value("system", "", "memory_used_pct") == 30.0
    assert value("system", "", "name") == "torre"
    assert value("system", "/", "storage_used_bytes") == 600_000_000
    assert Series("system", "/run", "storage_total_bytes") not in found
    assert value("interface", "eth0", "in_octets") == 5_000_000_000
    assert value("interface", "eth0", "speed_bps") == 1_000_000_000
    assert value("interface", "wlan0", "speed_bps") is None
    assert (value("interface", "eth0", "if_oper"), value("interface", "eth0", "if_mac")) == (
        1,
        "dca632010203",
    )
    assert value("interface", "lo", "if_oper") == 4, "what cannot tell is not down"
    assert value("interface", "lo", "if_mac") is None
    assert value("system", "", "cpu_pct") is None
    assert not any(series.metric.startswith("_") for series in found)
    later = NODE.replace('mode="idle"} 100', 'mode="idle"} 130').replace('mode="user"} 50', 'mode="user"} 60')
    found, _ = apply(source, {"": openmetrics.parse(later.encode(), names(source))}, counts)
    assert value("system", "", "cpu_pct") == 25.0


OPENWRT = """\
# TYPE node_openwrt_info gauge
node_openwrt_info{board_name="tplink,cpe210",id="OpenWrt",model="TP-Link CPE210 v3",release="23.05.3"} 1
wifi_network_noise_dbm{bssid="aa:bb:cc:00:00:01",channel="36",frequency="5180",ifname="ap0",ssid="red"} -95
wifi_network_signal_dbm{bssid="aa:bb:cc:00:00:01",ifname="ap0"} -255
wifi_station_signal_dbm{ifname="ap0",mac="AA:BB:CC:11:22:01"} -55
wifi_station_expected_throughput_kilobits_per_second{ifname="ap0",mac="AA:BB:CC:11:22:01"} 43200
wifi_station_transmit_kilobits_per_second{ifname="ap0",mac="AA:BB:CC:11:22:01"} 72200
wifi_station_receive_kilobits_per_second{ifname="ap0",mac="AA:BB:CC:11:22:01"} 6000
wifi_station_transmit_bytes_total{ifname="ap0",mac="AA:BB:CC:11:22:01"} 103446
wifi_stations{ifname="ap0"} 1
node_load1 0.25
"""


def test_a_page_of_openwrt_with_stations() -> None:
    found = of_metrics(web_maps.load("openmetrics", "openwrt", "x"), OPENWRT)
    station = {series.metric: value for series, value in found.items() if series.group == "station"}
    assert {series.item for series in found if series.group == "station"} == {"aabbcc112201"}
    assert station == {
        "signal_dbm": -55, "tx_capacity_bps": 43_200_000, "tx_rate_bps": 72_200_000,
        "rx_rate_bps": 6_000_000, "tx_octets": 103_446,
    }  # fmt: skip
    radio = {series.metric: value for series, value in found.items() if series.group == "radio"}
    assert radio == {
        "clients": 1, "noise_dbm": -95, "ssid": "red", "radio_mac": "aabbcc000001", "frequency_mhz": 5180,
        "channel": 36, "signal_dbm": None,
    }  # fmt: skip
    assert found[Series("system", "", "model")] == "TP-Link CPE210 v3"
    assert found[Series("system", "", "load_1m")] == 0.25, "what a map includes is read too"


# ---- pages of JSON


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("", "it is not JSON"),
        ("<html>", "it is not JSON at character 0: '<html>'"),
        ("[" * 100_000, "more than 60000 values"),
        ("[" * 40 + "]" * 40, "nested more than 32 deep"),
        ("[" + "1," * 70_000 + "1]", "more than 60000 values"),
        ("[" + "9" * 5000 + "]", "it is not JSON"),
    ],
)
def test_what_is_no_json_is_told(page: str, why: str) -> None:
    with pytest.raises(PageError) as caught:
        document.parse(page)
    assert why in str(caught.value)


def test_paths_reach_into_lists_and_mappings() -> None:
    found = document.parse('{"a": [{"b": 1}, {"b": 2}], "c": {"x": {"b": 3}}, "n": NaN}')
    assert [row.node for row in document.rows(found, ("a", "*", "b"))] == [1, 2]
    assert [(row.node, row.keys) for row in document.rows(found, ("c", "*", "b"))] == [(3, ("x",))]
    assert [row.keys for row in document.rows(found, ("*", "*"))] == [("a", "0"), ("a", "1"), ("c", "x")]
    assert document.get(found, ("a", "1", "b")) == 2
    assert document.get(found, ("a", "7", "b")) is document.get(found, ("a", "-1")) is None
    assert document.get(found, ("n",)) is None
    assert len(list(document.rows({str(n): {"k": [0] * 10} for n in range(5000)}, ("*", "k", "*")))) <= 5000


LINK = {
    "src_mac": "aa:40:41:1c:85:16", "dst_mac": "AE:40:41:1D:F9:35", "signal": -54, "chains": [-56, -57],
    "rx_rate": 270000, "tx_rate": 300000, "iface": "wlan1-mesh", "freq": 5240, "channel": 48,
}  # fmt: skip
BACK = LINK | {"src_mac": "ae:40:41:1d:f9:35", "dst_mac": "aa:40:41:1c:85:16", "signal": -61}
THIRD = BACK | {"dst_mac": "02:00:00:00:00:01", "signal": -30}
FORMS = {
    "newest": {"uno": {"src_loc": {}, "links": {"k": LINK}}, "dos": {"links": {"k": BACK, "l": THIRD}}},
    "by key": {"uno": {"k": LINK}, "dos": {"k": BACK, "l": THIRD}},
    "list": {"uno": [LINK], "dos": [THIRD, BACK]},
    "oldest": {
        "uno": {"bleachTTL": 3, "data": [LINK], "author": "uno"}, "dos": {"data": [BACK, THIRD]},
    },
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_libremesh_tells_both_ends_of_a_link_chains_and_reference(form: str) -> None:
    reference = {"uno": {"k": LINK | {"signal": -48}}}
    bat = [
        {"dst_mac": "ae:40:41:1d:f9:35", "src_mac": "aa:40:41:1c:85:16", "iface": "wlan1-mesh_29", "tq": 251}
    ]
    pages: dict[str, Any] = {
        "board": {"hostname": "uno", "model": "LibreRouter v1", "release": {"version": "2020.3"}},
        "wifi": {"data": FORMS[form], "error": 0},
        "reference": {"data": reference, "error": 0},
        "batman": {"data": {"uno": bat, "dos": bat}},
        "babel": {"data": {"uno": [{"src_ip": "fe80::1", "dst_ip": "fe80::2", "iface": "wlan1-mesh_17"}]}},
    }
    found, _ = apply(web_maps.load("json", "libremesh", "x"), pages, {})
    other = "ae40411df935"
    station = {
        (series.item, series.metric): value for series, value in found.items() if series.group == "station"
    }
    assert station == {
        (other, "signal_dbm"): -54, (f"{other} chain 0", "signal_chain_dbm"): -56,
        (f"{other} chain 1", "signal_chain_dbm"): -57, (other, "tx_rate_bps"): 300_000_000,
        (other, "rx_rate_bps"): 270_000_000, (other, "remote_signal_dbm"): -61,
        (other, "station_name"): "dos", (other, "reference_signal_dbm"): -48,
    }  # fmt: skip
    assert found[Series("radio", "wlan1-mesh", "frequency_mhz")] == 5240
    assert found[Series("neighbour", f"batman/wlan1-mesh_29/{other}", "neighbour_quality")] == 251
    assert found[Series("neighbour", "babel/wlan1-mesh_17/fe80::2", "neighbour_ip")] == "fe80::2"
    assert found[NEIGHBOURS] == 2


@pytest.mark.parametrize(
    ("name", "request_name", "page", "item", "told"),
    [
        (
            "batman", "originators",
            [
                {"hard_ifname": "wlan0", "orig_address": "16:7b:3c:c2:bf:b8", "tq": 236,
                 "neigh_address": "16:7b:3c:c2:bf:b8"},
                {"hard_ifname": "wlan0", "orig_address": "ae:1b:bf:52:25:58", "tq": 100,
                 "neigh_address": "16:7b:3c:c2:bf:b8"},
            ],
            "batman/wlan0/167b3cc2bfb8", {"neighbour_mac": "167b3cc2bfb8", "neighbour_quality": 236},
        ),
        (
            "babel", "neighbours",
            {"IPv6": {"fe80::16cc:20ff:feda:4eac": {"dev": "wlan1-mesh_17", "txcost": 256, "rxcost": 65535}},
             "IPv4": []},
            "babel/wlan1-mesh_17/fe80::16cc:20ff:feda:4eac",
            {"neighbour_ip": "fe80::16cc:20ff:feda:4eac", "link_cost": 256, "neighbour_quality": None},
        ),
        (
            "olsr", "links",
            {"links": [{"localIP": "10.36.197.152", "remoteIP": "10.36.197.6", "ifName": "bbb",
                        "linkCost": 4.25, "linkQuality": 1.0, "neighborLinkQuality": 0.234}]},
            "olsr/bbb/10.36.197.6", {"neighbour_ip": "10.36.197.6", "etx": 4.25, "neighbour_quality": 1},
        ),
    ],
)  # fmt: skip
def test_neighbours_of_meshes(
    name: str, request_name: str, page: Any, item: str, told: dict[str, Value]
) -> None:
    found, _ = apply(web_maps.load("json", name, "x"), {request_name: page}, {})
    assert found == {Series("neighbour", item, metric): value for metric, value in told.items()} | {
        NEIGHBOURS: 1
    }


def test_no_neighbours_is_news_and_no_answer_is_not() -> None:
    source = web_maps.load("json", "babel", "x")
    assert apply(source, {"neighbours": {"IPv6": {}, "IPv4": []}}, {})[0] == {NEIGHBOURS: 0}
    assert apply(source, {}, {})[0] == {}


def test_whatever_stands_in_a_page_the_readings_are_within_bounds() -> None:
    """Pages with values swapped for hostile ones, at random: never an exception, never an odd reading."""
    chance = random.Random(5)
    odd = [
        None, True, [], {}, [[[]]], "", "x" * 5000, "\0\n\u202e", -(10**30), 10**400, 1e308, float("inf"),
        float("nan"), "1e999", "9" * 400, {"a": 1}, "aa:bb:cc:dd:ee:ff", -0.0,
    ]  # fmt: skip

    def spoil(node: Any) -> Any:
        if chance.random() < 0.15:
            return chance.choice(odd)
        if isinstance(node, dict):
            return {
                str(chance.choice([key, key, key, "x" * 300])): spoil(value) for key, value in node.items()
            }
        return [spoil(one) for one in node] if isinstance(node, list) else node

    pages = {
        "board": {"hostname": "uno", "model": "m", "release": {"version": "1"}},
        "info": {"uptime": 5, "load": [1, 2, 3], "memory": {"total": 9, "free": 1, "buffered": 1}},
        "ports": {"eth0": {"up": True, "carrier": False, "speed": "1000F", "statistics": {"rx_bytes": 1}}},
        "wifi": {"data": FORMS["by key"]}, "reference": {"data": FORMS["list"]},
        "batman": {"data": {"uno": [BACK]}},
        "babel": {"data": {"uno": [{"dst_ip": "fe80::2", "iface": ""}]}},
    }  # fmt: skip
    source = web_maps.load("json", "libremesh", "x")
    for _ in range(1500):
        for series, value in apply(source, {name: spoil(page) for name, page in pages.items()}, {})[
            0
        ].items():
            assert series.group in GROUPS and series.metric in METRICS
            check_item(series.item)
            check_value(value)
            kind = METRICS[series.metric].kind
            assert value is None or isinstance(value, str) == (kind == "text"), series


def test_a_page_cut_at_every_byte_is_a_page_or_a_fault() -> None:
    source = web_maps.load("openmetrics", "openwrt", "x")
    page = OPENWRT.encode()
    for cut in range(len(page)):
        try:
            apply(source, {"": openmetrics.parse(page[:cut], names(source))}, {})
        except PageError:
            continue
    text = json.dumps(FORMS["newest"]).encode()
    for cut in range(len(text)):
        with pytest.raises(PageError):
            document.parse(text[:cut])


# ---- ubus


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"result": [0, {"a": 1}]}, {"a": 1}),
        ({"result": [0]}, {}),
        ({"result": [4]}, "no such object"),
        ({"result": [77]}, "status 77"),
        ({"result": []}, "no answer of ubus"),
        ({"result": {"a": 1}}, "no answer of ubus"),
        ([], "no answer of ubus"),
        ({"error": {"code": -32700, "message": "Parse error"}}, "Parse error"),
    ],
)
def test_answers_of_ubus(answer: Any, found: Any) -> None:
    page = json.dumps(answer).encode()
    if isinstance(found, str):
        with pytest.raises(PageError, match=found):
            ubus.answer(page)
    else:
        assert ubus.answer(page) == found


@pytest.mark.parametrize("answer", [{"result": [6]}, {"error": {"code": -32002, "message": "Access denied"}}])
def test_what_is_denied_is_told_apart(answer: Any) -> None:
    with pytest.raises(ubus.DeniedError):
        ubus.answer(json.dumps(answer).encode())


# ---- the files


@pytest.mark.parametrize("kind", ["openmetrics", "json"])
def test_every_shipped_map_is_right(kind: str) -> None:
    assert {"node", "openwrt"} <= set(web_maps.names("openmetrics"))
    for name in web_maps.names(kind):
        assert web_maps.load(kind, name, "x").about


def test_all_faults_of_a_map_are_told_with_their_lines() -> None:
    text = """\
about: x
requests:
  a: {ubus: [one]}
  b: {}
sets:
  own: {from: c, at: x}
tables:
  - from: a
    rows: a..b
    when: [{at: x, in: others}, {key: 9, is: 1, not: 2}, {at: y, matches: '('}]
    group: stations
    item: [{at: a.*.b}, {label: x, key: 1}]
    readings:
      - {at: x, metric: signal, unit: V}
      - {at: x, metric: voltage_v, unit: dBm, none: low, div: 0}
derived:
  - {group: power, metric: power_w, plus: [_u]}
colour: red
"""
    with pytest.raises(ConfigError) as caught:
        json_map(text)
    told = str(caught.value)
    for part in (
        "x.yaml:3: requests.a.ubus: expected a list of two texts",
        "x.yaml:4: requests.b: expected ubus, path, or both",
        'x.yaml:6: sets.own.from: unknown request "c"',
        '"a..b" is no path',
        'unknown set "others"; known are own',
        "when[1]: expected one of is, not, in",
        "when[1].key: must be at most 8",
        '"(" is no regular expression',
        'group: unknown value "stations"; did you mean "station"?',
        "item[0].at: must not hold *",
        "item[1]: expected one of key, label",
        'metric: unknown metric "signal"',
        '"dBm" does not become V',
        "none: expected a number",
        "div: must not be 0",
        'nothing here makes "_u"',
        "x.yaml:18: colour: unknown key",
    ):
        assert part in told, part


def test_readings_may_be_computed_and_states_named() -> None:
    source = metrics_map(
        "about: x\n"
        "metrics:\n"
        "  - {name: u, group: power, item: [battery], metric: voltage_v, unit: mV}\n"
        "  - {name: mode, group: power, item: [battery], metric: charger_state, label: s,"
        " states: {on: 1, off: 0}}\n"
        "  - {name: t, group: sensor, item: {label: n, match: '^(\\w+)-'},"
        " metric: temperature_c, add: -273.15}\n"
        "  - {name: t, when: {label: n, not: a-1}, group: sensor, item: other, metric: temperature_c}\n"
    )
    page = 'u 12600\nmode{s="off"} 1\nt{n="a-1"} 300\nt{n="b"} 301.5\n'
    assert of_metrics(source, page) == {
        Series("power", "battery", "voltage_v"): 12.6,
        Series("power", "battery", "charger_state"): 0,
        Series("sensor", "a", "temperature_c"): 26.85,
        Series("sensor", "other", "temperature_c"): 301.5,
    }
