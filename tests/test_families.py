"""The shipped families of radios and routers, each against a small device made up for the purpose."""

from __future__ import annotations

import asyncio

import pytest

from ayni_agent.poller import Poller
from ayni_core.mibview import MibView
from ayni_core.readings import Series, Value
from ayni_core.snmprec import parse_snmprec
from ayni_io.profiles import Profiles
from ayni_io.snmp_recording import RecordedReader

PROFILES = Profiles()
NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"
EXTEND = "1.3.6.1.4.1.8072.1.3.2.3.1.1"
AIR = "1.3.6.1.4.1.41112.1.4"
TIK = "1.3.6.1.4.1.14988.1.1"


def system(object_id: str, description: str) -> list[str]:
    return [
        f"1.3.6.1.2.1.1.1.0|4|{description}",
        f"1.3.6.1.2.1.1.2.0|6|{object_id}",
        "1.3.6.1.2.1.1.3.0|67|4200",
    ]


def extend(name: str, output: str) -> str:
    index = ".".join(str(ord(letter)) for letter in name)
    return f"{EXTEND}.{len(name)}.{index}|4|{output}"


def interface(index: int, name: str) -> list[str]:
    return [f"1.3.6.1.2.1.2.2.1.2.{index}|4|{name}", f"1.3.6.1.2.1.31.1.1.1.1.{index}|4|{name}"]


AIROS_STATION = [
    *system("1.3.6.1.4.1.10002.1", "Linux 2.6.33 #1 mips"),
    "1.2.840.10036.3.1.2.1.3.5|4|NanoBeam 5AC",
    "1.2.840.10036.3.1.2.1.4.5|4|WA.ar934x.v8.7.4.45112",
    f"{AIR}.1.1.2.1|2|1", f"{AIR}.1.1.4.1|2|5745", f"{AIR}.1.1.6.1|2|23", f"{AIR}.1.1.7.1|2|4500",
    f"{AIR}.2.1.2.1.1|2|34", f"{AIR}.2.1.2.1.2|2|32",
    f"{AIR}.5.1.2.1|4|valley", f"{AIR}.5.1.4.1|4x|000456ab43ba", f"{AIR}.5.1.5.1|2|-61",
    f"{AIR}.5.1.6.1|2|35", f"{AIR}.5.1.7.1|2|91", f"{AIR}.5.1.8.1|2|-96",
    f"{AIR}.5.1.9.1|2|270000000", f"{AIR}.5.1.10.1|2|240000000", f"{AIR}.5.1.15.1|66|1",
    f"{AIR}.6.1.3.1|2|98", f"{AIR}.6.1.4.1|2|77", f"{AIR}.6.1.7.1|2|125",
    f"{AIR}.8.3.0|2|1250", f"{AIR}.8.4.0|2|515000000",
    "1.3.6.1.4.1.10002.1.1.1.1.1.0|66|62384", "1.3.6.1.4.1.10002.1.1.1.1.2.0|66|38688",
    "1.3.6.1.4.1.10002.1.1.1.1.3.0|66|0", "1.3.6.1.4.1.10002.1.1.1.1.4.0|66|1000",
]  # fmt: skip
AIROS_AP = [
    *system(AIR, "Linux 2.6.32 #1 mips"),
    f"{AIR}.1.1.2.1|2|2", f"{AIR}.5.1.4.1|4x|000456ab43ba", f"{AIR}.5.1.5.1|2|0", f"{AIR}.8.4.0|2|52",
    *(
        f"{AIR}.7.1.{column}.1.0.4.86.171.67.187|{kind}|{value}"
        for column, kind, value in (
            (2, 4, "school"), (3, 2, -58), (4, 2, -95), (5, 2, 1800), (6, 2, 99), (10, 64, "10.1.2.3"),
            (11, 2, 130000000), (12, 2, 117000000), (13, 70, 12345678901), (14, 70, 987), (15, 67, 360000),
            (17, 2, 45000), (19, 2, 105),
        )
    ),
]  # fmt: skip
ROUTEROS_AP = [
    *system("1.3.6.1.4.1.14988.1", "RouterOS RB912UAG-5HPnD"),
    *interface(6, "wlan1"), *interface(7, "lte1"),
    f"{TIK}.1.3.1.2.6|66|0", f"{TIK}.1.3.1.4.6|4|valley", f"{TIK}.1.3.1.6.6|65|1", f"{TIK}.1.3.1.7.6|2|5180",
    f"{TIK}.1.3.1.9.6|2|-104", f"{TIK}.1.3.1.10.6|65|0",
    *(
        f"{TIK}.1.2.1.{column}.0.4.86.171.67.188.6|{kind}|{value}"
        for column, kind, value in (
            (3, 2, -64), (4, 65, 111), (5, 65, 222), (8, 66, 130000000), (9, 66, 6500000), (11, 67, 8640000),
            (12, 2, 40), (14, 2, -66), (16, 2, -68), (19, 2, -70), (20, 4, "school"),
        )
    ),
    f"{TIK}.16.1.1.2.7|2|-71", f"{TIK}.16.1.1.4.7|2|-99", f"{TIK}.16.1.1.7.7|2|12",
    f"{TIK}.3.10.0|2|410", f"{TIK}.3.100.1.2.14|4|voltage", f"{TIK}.3.100.1.3.14|2|238",
    f"{TIK}.3.100.1.4.14|2|3", f"{TIK}.15.1.1.2.1|4|ether1", f"{TIK}.15.1.1.3.1|2|3",
    f"{TIK}.15.1.1.5.1|2|250", "1.3.6.1.2.1.25.3.3.1.2.1|2|7",
]  # fmt: skip
ROUTEROS_WIFI = [
    *system("1.3.6.1.4.1.14988.1", "RouterOS cAPGi-5HaxD2HaxD"),
    f"{TIK}.21.4.1.3.0.4.86.171.67.189.9|4|valley", f"{TIK}.21.4.1.6.0.4.86.171.67.189.9|2|-57",
    f"{TIK}.21.4.1.13.0.4.86.171.67.189.9|70|5000", f"{TIK}.21.5.1.2.9|4|wifi1",
    f"{TIK}.21.5.1.4.9|4|5180/ax/Ceee",
]  # fmt: skip
OPENWRT = [
    *system(NET_SNMP, "Linux ap 5.15.150 #0 mips"),
    extend("distro", "OpenWrt 23.05.3"), extend("hardware", "TP-Link CPE510 v3"),
    extend("clients-wlan", "9"), extend("clients-wlan0", "4"), extend("clients-phy1-ap0", "5"),
    extend("frequency-wlan0", "5240"), extend("noise-floor-wlan0", "-92"),
    extend("rate-tx-wlan0-avg", "115600000"), extend("rate-tx-wlan0-min", "6000000"),
    extend("snr-wlan0-avg", "37"), extend("other", "x"),
    "1.3.6.1.4.1.2021.10.1.3.1|4|0.42", "1.3.6.1.4.1.2021.11.11.0|2|88",
]  # fmt: skip
LINUX = [
    *system(NET_SNMP, "Linux hub.lan 6.1.0-18-amd64 #1 SMP x86_64"),
    "1.3.6.1.4.1.2021.13.16.2.1.2.1|4|Core 0", "1.3.6.1.4.1.2021.13.16.2.1.3.1|66|47500",
    "1.3.6.1.2.1.25.3.3.1.2.196608|2|12", "1.3.6.1.4.1.2021.11.11.0|2|50",
]  # fmt: skip


@pytest.mark.parametrize(
    ("objects", "family", "expected", "absent"),
    [
        pytest.param(
            AIROS_STATION,
            "airos",
            {
                ("system", "", "model"): "NanoBeam 5AC",
                ("system", "", "version"): "WA.ar934x.v8.7.4.45112",
                ("system", "", "cpu_pct"): 12.5,
                ("system", "", "memory_used_bytes"): (62384 - 38688 - 1000) * 1024,
                ("sensor", "", "temperature_c"): 51.5,
                ("radio", "1", "radio_mode"): 1,
                ("radio", "1", "frequency_mhz"): 5745,
                ("radio", "1", "distance_m"): 4500,
                ("radio", "1", "signal_dbm"): -61,
                ("radio", "1", "rssi_index"): 35,
                ("radio", "1 chain 2", "rssi_index"): 32,
                ("radio", "1", "airtime_pct"): 12.5,
                ("radio", "1", "clients"): 1,
                ("station", "000456ab43ba", "signal_dbm"): -61,
                ("station", "000456ab43ba", "ccq_pct"): 91,
            },
            set(),
            id="airOS as a station",
        ),
        pytest.param(
            AIROS_AP,
            "airos",
            {
                ("sensor", "", "temperature_c"): 52,
                ("radio", "1", "signal_dbm"): None,
                ("station", "000456ab43bb", "signal_dbm"): -58,
                ("station", "000456ab43bb", "station_name"): "school",
                ("station", "000456ab43bb", "station_ip"): "10.1.2.3",
                ("station", "000456ab43bb", "tx_octets"): 12345678901,
                ("station", "000456ab43bb", "connected_s"): 3600,
                ("station", "000456ab43bb", "tx_capacity_bps"): 45000000,
                ("station", "000456ab43bb", "tx_airtime_pct"): 10.5,
            },
            {("station", "000456ab43ba", "signal_dbm")},
            id="airOS as an access point",
        ),
        pytest.param(
            ROUTEROS_AP,
            "routeros",
            {
                ("system", "", "model"): "RB912UAG-5HPnD",
                ("system", "1", "cpu_pct"): 7,
                ("radio", "wlan1", "frequency_mhz"): 5180,
                ("radio", "wlan1", "ccq_pct"): None,
                ("radio", "wlan1", "noise_dbm"): -104,
                ("radio", "wlan1", "clients"): 1,
                ("station", "000456ab43bc", "signal_dbm"): -64,
                ("station", "000456ab43bc", "remote_signal_dbm"): -70,
                ("station", "000456ab43bc", "snr_db"): 40,
                ("station", "000456ab43bc", "connected_s"): 86400,
                ("station", "000456ab43bc chain 1", "signal_chain_dbm"): -68,
                ("radio", "lte1", "rsrp_dbm"): -99,
                ("radio", "lte1", "sinr_db"): 12,
                ("sensor", "device", "temperature_c"): 41,
                ("power", "voltage", "voltage_v"): 23.8,
                ("poe", "ether1", "poe_state"): 3,
                ("poe", "ether1", "current_a"): 0.25,
            },
            set(),
            id="RouterOS access point with modem, gauges and PoE",
        ),
        pytest.param(
            ROUTEROS_WIFI,
            "routeros",
            {
                ("station", "000456ab43bd", "signal_dbm"): -57,
                ("station", "000456ab43bd", "ssid"): "valley",
                ("station", "000456ab43bd", "tx_octets"): 5000,
                ("radio", "wifi1", "frequency_mhz"): 5180,
            },
            set(),
            id="RouterOS with the newer WiFi packages",
        ),
        pytest.param(
            OPENWRT,
            "openwrt",
            {
                ("system", "", "model"): "TP-Link CPE510 v3",
                ("system", "", "version"): "23.05.3",
                ("system", "", "cpu_pct"): 12,
                ("system", "", "load_1m"): 0.42,
                ("radio", "", "clients"): 9,
                ("radio", "wlan0", "clients"): 4,
                ("radio", "phy1-ap0", "clients"): 5,
                ("radio", "wlan0", "frequency_mhz"): 5240,
                ("radio", "wlan0", "noise_dbm"): -92,
                ("radio", "wlan0", "tx_rate_bps"): 115600000,
                ("radio", "wlan0 min", "tx_rate_bps"): 6000000,
                ("radio", "wlan0", "snr_db"): 37,
            },
            {("radio", "wlan", "clients")},
            id="OpenWrt with its scripts",
        ),
        pytest.param(
            LINUX,
            "linux",
            {
                ("system", "", "version"): "6.1.0-18-amd64",
                ("system", "", "cpu_pct"): 12,
                ("sensor", "Core 0", "temperature_c"): 47.5,
            },
            set(),
            id="plain Linux",
        ),
    ],
)
def test_family(
    objects: list[str],
    family: str,
    expected: dict[tuple[str, str, str], Value],
    absent: set[tuple[str, str, str]],
) -> None:
    poller = Poller("x", RecordedReader(MibView(parse_snmprec("\n".join(objects)))), PROFILES)
    for now_s in (0.0, 60.0):
        values = asyncio.run(poller.poll(now_s)).values
        assert poller.family == family
        assert {key: values.get(Series(*key), "absent") for key in expected} == expected
        assert not absent & {tuple(series) for series in values}
