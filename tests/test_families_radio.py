"""Radios, licensed links, cellular routers and switches, each against a few objects made up for the purpose.

An object is written `oid|type|value` as in a recording; one that begins with a dot continues the root of its
device.
"""

from __future__ import annotations

import asyncio

import pytest

from ayni_agent.poller import Poller
from ayni_core.mibview import MibView
from ayni_core.readings import Value
from ayni_core.snmprec import parse_snmprec
from ayni_io.profiles import Profiles
from ayni_io.snmp_recording import RecordedReader

PROFILES = Profiles()
NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"
MAC = "0.4.86.171.67.188"
Expected = dict[tuple[str, str, str], Value]

EPMP = "1.3.6.1.4.1.17713.21"
PMP = "1.3.6.1.4.1.161.19.3"
MIMOSA = "1.3.6.1.4.1.43356.2.1.2"
SIAE = "1.3.6.1.4.1.3373.1103"
TELTONIKA = "1.3.6.1.4.1.48690"
MIKROTIK = "1.3.6.1.4.1.14988.1.1"
EDGEMAX = "1.3.6.1.4.1.41112.1.5"
FASTPATH = "1.3.6.1.4.1.4413.1.1"


def read(object_id: str, description: str, root: str, objects: list[str]) -> tuple[str | None, Expected]:
    """(family, readings) of a device with these objects, after a second poll."""
    lines = [
        f"1.3.6.1.2.1.1.1.0|4|{description}",
        f"1.3.6.1.2.1.1.2.0|6|{object_id}",
        "1.3.6.1.2.1.1.3.0|67|4200",
        *(root + line if line.startswith(".") else line for line in objects),
    ]
    poller = Poller("x", RecordedReader(MibView(parse_snmprec("\n".join(lines)))), PROFILES)
    asyncio.run(poller.poll(0.0))
    values = asyncio.run(poller.poll(60.0)).values
    return poller.family, {(series.group, series.item, series.metric): v for series, v in values.items()}


RADIOS = [
    pytest.param(
        "airos-af", "1.3.6.1.4.1.10002.1", "Linux 2.6.33", "1.3.6.1.4.1.41112.1.3",
        [
            ".2.1.40.1|4|v4.0.3", ".1.1.5.1|2|11485000", ".1.1.6.1|2|10995000", ".2.1.11.1|2|-42",
            ".2.1.26.1|2|1", ".2.1.27.1|2|1", ".2.1.45.1|4|00:04:56:AB:43:BC", ".3.1.7.1|70|9000",
            "1.3.6.1.2.1.2.2.1.1.3|2|3", "1.3.6.1.2.1.2.2.1.2.3|4|eth0", "1.3.6.1.2.1.2.2.1.8.3|2|2",
            "1.3.6.1.2.1.2.2.1.10.3|65|0", "1.2.840.10036.3.1.2.1.3.5|4|AF11X",
        ],
        {
            ("system", "", "model"): "AF11X", ("radio", "1", "frequency_mhz"): 11485,
            ("radio", "1", "rx_frequency_mhz"): 10995, ("interface", "eth0", "if_oper"): 1,
            ("interface", "eth0", "in_octets"): 9000, ("interface", "eth0", "if_index"): 3,
            ("station", "000456ab43bc", "signal_dbm"): -42,
        },
        set(),
        id="airFiber, whose data port looks dead in IF-MIB",
    ),
    pytest.param(
        "epmp", EPMP, "ePMP 1000", EPMP,
        [
            ".3.8.2.1.0|2|1", ".1.1.17.0|4|4.7.0.1", ".1.1.31.0|4|E1", ".2.1.64.0|2|235", ".1.2.1.0|2|5500",
            ".1.2.3.0|2|0", ".1.2.10.0|2|1", ".1.1.6.0|2|3", ".1.1.18.0|4|-13.5", ".1.2.7.0|2|9",
            ".1.2.30.1.1.1|4|00:04:56:AB:43:BC", ".1.2.30.1.4.1|2|-61", ".1.2.30.1.5.1|2|-58",
            ".1.2.30.1.6.1|2|30", ".1.2.30.1.9.1|2|13", ".1.2.30.1.10.1|64|10.1.2.3",
            ".1.2.30.1.28.1|4|86.5", ".1.2.30.1.29.1|2|1800",
        ],
        {
            ("system", "", "model"): "ePMP 1000", ("system", "", "serial"): "E1",
            ("system", "", "cpu_pct"): 23.5, ("system", "", "latitude_deg"): -13.5,
            ("radio", "", "radio_mode"): 1, ("radio", "", "frequency_mhz"): 5500,
            ("radio", "", "signal_dbm"): None, ("radio", "", "clients"): 1, ("radio", "", "dfs_state"): 3,
            ("station", "000456ab43bc", "signal_dbm"): -61,
            ("station", "000456ab43bc", "remote_signal_dbm"): -58,
            ("station", "000456ab43bc", "mcs"): 13, ("station", "000456ab43bc", "distance_m"): 1800,
            ("station", "000456ab43bc", "tx_rate_bps"): 86500000,
            ("station", "000456ab43bc", "station_ip"): "10.1.2.3",
        },
        {("radio", "", "rx_mcs")},
        id="ePMP access point",
    ),
    pytest.param(
        "pmp", "1.3.6.1.4.1.161.19.250.256", "CANOPY 21.1 AP", PMP,
        [
            ".1.7.1.0|2|1", ".1.7.37.0|2|5755000", ".1.12.2.1.0|2|37", ".3.1.35.0|2|41",
            ".1.4.1.3.2|4x|0a003e112233", ".1.4.1.19.2|2|1", ".1.4.1.34.2|4|-61.5", ".1.4.1.35.2|4|-62.0",
            ".1.4.1.74.2|2|28", ".1.4.1.84.2|2|31", ".1.4.1.86.2|4|-1.5", ".1.4.1.87.2|4|-64.0",
            ".1.4.1.33.2|4|school", ".1.4.1.46.2|67|360000", ".1.4.1.91.2|2|8", ".1.4.1.7.2|65|1000",
            ".1.4.1.3.3|4x|0a003e112234", ".1.4.1.19.3|2|0", ".1.4.1.35.3|4|-70.0",
        ],
        {
            ("radio", "", "frequency_mhz"): 5755, ("radio", "downlink 5 min", "utilization_pct"): 37,
            ("station", "0a003e112233", "signal_dbm"): -61.5,
            ("station", "0a003e112233 horizontal", "snr_db"): 31,
            ("station", "0a003e112233 horizontal", "signal_chain_dbm"): -64,
            ("station", "0a003e112233", "ssr_db"): -1.5, ("station", "0a003e112233", "modulation"): 8,
            ("station", "0a003e112233", "station_name"): "school",
            ("station", "0a003e112233", "connected_s"): 3600, ("station", "0a003e112233", "rx_octets"): 1000,
        },
        {("station", "0a003e112234", "signal_dbm")},
        id="PMP 450 access point, one station idle",
    ),
    pytest.param(
        "ptp600", "1.3.6.1.4.1.17713.6",
        "Cambium PTP 58600 Full PTP Wireless Ethernet Bridge, Version 58600-10-08",
        "1.3.6.1.4.1.17713.6",
        [".12.1.0|2|-553", ".12.3.0|2|180", ".12.8.0|2|24", ".12.13.0|2|-12", ".20.1.0|66|150000"],
        {
            ("system", "", "model"): "PTP 58600 Full PTP", ("system", "", "version"): "58600-10-08",
            ("radio", "", "signal_dbm"): -55.3, ("radio", "", "tx_power_dbm"): 18,
            ("radio", "", "rx_modulation"): 24, ("radio", "", "ssr_db"): -1.2,
            ("radio", "", "rx_rate_bps"): 150000000,
        },
        set(),
        id="PTP 600",
    ),
    pytest.param(
        "ptp650", "1.3.6.1.4.1.17713.7", "Cambium PTP 50650 Wireless Ethernet Bridge, Version 50650-01-20",
        "1.3.6.1.4.1.17713.7",
        [".12.4.0|2|230", ".12.12.0|2|-481", ".12.15.0|2|19", ".20.3.0|66|300000", ".13.11.0|2|0"],
        {
            ("radio", "", "tx_power_dbm"): 23, ("radio", "", "signal_dbm"): -48.1,
            ("radio", "", "modulation"): 19, ("radio", "", "capacity_bps"): 300000000,
            ("radio", "TDD", "sync_state"): 0,
        },
        set(),
        id="PTP 650",
    ),
    pytest.param(
        "cnpilote", "1.3.6.1.4.1.17713.22", "Linux", "1.3.6.1.4.1.17713.22.1",
        [
            ".1.1.14.0|2|1", ".2.1.6.0|4|36", ".2.1.7.0|4|80MHz", ".2.1.8.0|2|20", ".2.1.16.0|4|-95",
            ".3.1.2.0|4x|000456ab43bc", ".3.1.5.0|4|valley", ".3.1.11.0|2|33", ".3.1.12.0|4|433.3",
        ],
        {
            ("radio", "", "clients"): 1, ("radio", "0", "channel"): 36, ("radio", "0", "noise_dbm"): -95,
            ("radio", "0", "channel_width_mhz"): 80, ("radio", "0", "tx_power_dbm"): 20,
            ("station", "000456ab43bc", "snr_db"): 33, ("station", "000456ab43bc", "ssid"): "valley",
            ("station", "000456ab43bc", "tx_rate_bps"): 433300000,
        },
        set(),
        id="cnPilot E",
    ),
    pytest.param(
        "cnwave60", "1.3.6.1.4.1.17713.60.1", "Cambium cnWave V3000 Client Node, Version 1.2.1",
        "1.3.6.1.4.1.17713.60.1.1",
        [".1.5.7|2|9", ".1.6.7|2|15", ".1.7.7|2|-56", "1.3.6.1.2.1.31.1.1.1.1.7|4|terra0"],
        {
            ("system", "", "model"): "V3000", ("system", "", "version"): "1.2.1",
            ("radio", "terra0", "mcs"): 9, ("radio", "terra0", "snr_db"): 15,
            ("radio", "terra0", "signal_dbm"): -56,
        },
        set(),
        id="cnWave 60",
    ),
    pytest.param(
        "mimosa", "1.3.6.1.4.1.43356.1.1.1", "MIMOSA B5", MIMOSA,
        [
            ".1.3.0|4|2.5.1", ".1.8.0|2|427", ".6.1.1.2.1|2|150", ".6.1.1.3.1|2|-553", ".6.1.1.4.1|2|-921",
            ".6.1.1.5.1|2|368", ".6.1.1.6.1|2|5200", ".6.2.1.2.1|2|433", ".7.3.0|2|125",
        ],
        {
            ("system", "", "model"): "B5", ("sensor", "", "temperature_c"): 42.7,
            ("radio", "chain 1", "tx_power_dbm"): 15, ("radio", "chain 1", "signal_dbm"): -55.3,
            ("radio", "chain 1", "noise_dbm"): -92.1, ("radio", "chain 1", "snr_db"): 36.8,
            ("radio", "stream 1", "tx_rate_bps"): 433000000, ("radio", "sent", "error_pct"): 1.25,
        },
        set(),
        id="Mimosa B5",
    ),
    pytest.param(
        "mimosa", "1.3.6.1.4.1.43356.1.1.3", "MIMOSA A5-360-14", MIMOSA,
        [
            ".9.3.3.1.2.1|4|5 GHz", ".9.3.3.1.7.1|2|5745", ".9.3.3.1.10.1|2|21",
            ".9.6.1.1.2.4|4x|000456ab43bc", ".9.6.1.1.8.4|66|390", ".9.6.1.1.11.4|2|-581",
            ".9.5.1.1.2.4|4x|000456ab43bc", ".9.5.1.1.3.4|4|school",
        ],
        {
            ("radio", "5 GHz", "frequency_mhz"): 5745, ("radio", "5 GHz", "tx_power_dbm"): 21,
            ("station", "000456ab43bc", "rx_rate_bps"): 390000000,
            ("station", "000456ab43bc", "signal_dbm"): -58.1,
            ("station", "000456ab43bc", "station_name"): "school",
        },
        set(),
        id="Mimosa A5",
    ),
    pytest.param(
        "radwin", "1.3.6.1.4.1.4458.20.5.1.1", "Wireless Link", "1.3.6.1.4.1.4458.1000.1",
        [
            ".5.4.0|2|18", ".5.9.1.0|2|-61", ".5.16.0|2|5820000", ".5.24.0|2|20000", ".5.29.0|2|4200",
            ".5.5.0|2|3", ".1.51.7.0|2|-150",
        ],
        {
            ("radio", "", "frequency_mhz"): 5820, ("radio", "", "channel_width_mhz"): 20,
            ("radio", "", "signal_dbm"): -61, ("radio", "", "distance_m"): 4200,
            ("radio", "", "link_state"): 3, ("radio", "management Wi-Fi", "signal_dbm"): None,
        },
        set(),
        id="RADWIN, whose Wi-Fi for installing is off",
    ),
    pytest.param(
        "ligoos", "0.0", "LigoDLB 5-90n, v7.55.52345", "1.3.6.1.4.1.32750.3.10",
        [
            ".1.2.1.1.6.5|2|5500", ".1.2.1.1.11.5|66|300000", ".1.2.1.1.14.5|2|-60", ".1.2.1.1.16.5|66|1",
            f".1.3.2.1.2.5.{MAC}|2|1", f".1.3.2.1.5.5.{MAC}|2|-63", "1.3.6.1.2.1.31.1.1.1.1.5|4|ath0",
        ],
        {
            ("system", "", "model"): "LigoDLB 5-90n", ("radio", "ath0", "frequency_mhz"): 5500,
            ("radio", "ath0", "tx_rate_bps"): 300000000, ("radio", "ath0", "signal_dbm"): -60,
            ("radio", "ath0", "clients"): 1, ("station", "000456ab43bc", "signal_dbm"): -63,
        },
        set(),
        id="LigoDLB",
    ),
    pytest.param(
        "deliberant", "0.0", "Deliberant DLB APC 5M-18, v5.10-1", "1.3.6.1.4.1.32761.3.5",
        [".1.2.1.1.16.5|66|3", ".1.2.1.1.15.5|2|-95"],
        {("radio", "5", "clients"): 3, ("radio", "5", "noise_dbm"): -95, ("system", "", "model"): "5M-18"},
        set(),
        id="Deliberant by the part that LigoWave has too",
    ),
    pytest.param(
        "zyxelnwa", "1.3.6.1.4.1.890.1.15", "NWA1123", "1.3.6.1.4.1.890.1",
        [".6.22.1.1.0|2|12", ".15.3.5.1.1.2.1|2|4", ".15.3.5.1.1.6.1|2|2437", ".15.3.5.15.0|2|4"],
        {
            ("system", "", "cpu_pct"): 12, ("radio", "1", "clients"): 4,
            ("radio", "1", "frequency_mhz"): 2437, ("radio", "", "clients"): 4,
        },
        set(),
        id="Zyxel NWA",
    ),
    pytest.param(
        "grandstream-ap", NET_SNMP, "Linux Grandstream 4.4.60", "1.3.6.1.4.1.42397.1.1",
        [
            ".2.1.0|4|GWN7660", ".3.1.1.2.1|4|wifi0", ".3.1.1.4.1|65|11",
            ".3.3.1.1.12.48.48.48.52.53.54.97.98.52.51.98.99|4|000456ab43bc",
            ".3.3.1.5.12.48.48.48.52.53.54.97.98.52.51.98.99|2|-55",
        ],
        {("radio", "wifi0", "channel"): 11, ("station", "000456ab43bc", "signal_dbm"): -55},
        set(),
        id="Grandstream GWN",
    ),
    pytest.param(
        "routeros", "1.3.6.1.4.1.14988.1", "RouterOS wAP 60G", MIKROTIK,
        [
            ".1.8.1.2.3|2|1", ".1.8.1.4.3|2|1", ".1.8.1.6.3|2|60480", ".1.8.1.12.3|2|-61",
            ".1.8.1.13.3|66|2310", ".1.9.1.3.4|4x|000456ab43bc", ".1.9.1.10.4|2|72400",
            ".19.1.1.2.9|4|sfp1", ".19.1.1.6.9|2|38", ".19.1.1.2.10|4|", ".19.1.1.6.10|2|0",
            ".7.4.0|4|7.14",
        ],
        {
            ("radio", "3", "frequency_mhz"): 60480, ("radio", "3", "tx_rate_bps"): 2310000000,
            ("station", "000456ab43bc", "distance_m"): 724, ("sensor", "sfp1", "temperature_c"): 38,
            ("system", "", "version"): "7.14",
        },
        {("sensor", "10", "temperature_c")},
        id="RouterOS at 60 GHz, with an empty cage",
    ),
]  # fmt: skip

LICENSED = [
    pytest.param(
        "aviat-wtm", "1.3.6.1.4.1.2509.11.1.1.8", "WTM 4000", "1.3.6.1.4.1.2509.9",
        [
            "1.3.6.1.2.1.47.1.1.1.1.7.59|4|Carrier1/1", ".5.2.1.1.1.59|2|11565000",
            ".3.2.1.1.12.59|66|730000", ".3.2.1.1.14.59|2|13", ".15.2.2.1.4.59|2|-367",
            ".33.2.2.1.3.59|2|450",
            "1.3.6.1.2.1.47.1.1.1.1.7.5|4|board", "1.3.6.1.2.1.99.1.1.1.1.5|2|8",
            "1.3.6.1.2.1.99.1.1.1.2.5|2|9", "1.3.6.1.2.1.99.1.1.1.3.5|2|3",
            "1.3.6.1.2.1.99.1.1.1.4.5|2|42562",
        ],
        {
            ("radio", "Carrier1/1", "frequency_mhz"): 11565, ("radio", "Carrier1/1", "signal_dbm"): -36.7,
            ("radio", "Carrier1/1", "rx_capacity_bps"): 730000000,
            ("radio", "Carrier1/1", "rx_modulation"): 13, ("radio", "Carrier1/1", "snr_db"): 45,
            ("sensor", "board", "temperature_c"): 42.562,
        },
        set(),
        id="Aviat, whose sensors give no status",
    ),
    pytest.param(
        "ceraos", "1.3.6.1.4.1.2281.1.20.2.2", "High capacity packet radio", "1.3.6.1.4.1.2281.10",
        [
            "1.3.6.1.2.1.2.2.1.2.268451905|4|Radio: Slot 1, Port 1", ".5.1.1.2.268451905|2|-45",
            ".7.1.1.2.268451905|2|-3828", ".7.4.1.1.7.268451905|66|180000", ".5.1.1.25.268451905|2|0",
            "1.3.6.1.2.1.2.2.1.2.268451906|4|Radio: Slot 1, Port 2", ".5.1.1.2.268451906|2|-99",
            ".7.1.1.2.268451906|2|-9900", ".7.1.1.5.268451906|2|3",
        ],
        {
            ("radio", "Radio: Slot 1, Port 1", "signal_dbm"): -45,
            ("radio", "Radio: Slot 1, Port 1", "mse_db"): -38.28,
            ("radio", "Radio: Slot 1, Port 1", "tx_rate_bps"): 180000000,
            ("radio", "Radio: Slot 1, Port 1", "tx_muted"): 0,
            ("radio", "Radio: Slot 1, Port 2", "signal_dbm"): None,
            ("radio", "Radio: Slot 1, Port 2", "mse_db"): None,
            ("radio", "Radio: Slot 1, Port 2", "xpd_db"): None,
        },
        set(),
        id="Ceragon, a radio that hears nothing",
    ),
    pytest.param(
        "saf-integra-e", "1.3.6.1.4.1.7571.100.1.1.7.9", "Integra;Prod: Integra-E;Vers: 3.1;HW: 1;S/N: 42;",
        "1.3.6.1.4.1.7571.100.1.1.7.9",
        [
            ".2.1.0|2|5", ".2.2.0|2|73500000", ".2.3.0|2|-38", ".3.2.0|2|-301", ".3.10.0|4|256QAM",
            ".3.11.0|2|990000", ".3.12.0|2|980000", ".4.2.0|2|512", ".4.5.0|2|48100", ".4.10.0|2|870",
        ],
        {
            ("system", "", "model"): "Integra-E", ("system", "", "serial"): "42",
            ("radio", "", "frequency_mhz"): 73500, ("radio", "", "mse_db"): -30.1,
            ("radio", "", "rx_capacity_bps"): 990000000, ("radio", "", "tx_capacity_bps"): 980000000,
            ("sensor", "processor", "temperature_c"): 51.2, ("power", "", "voltage_v"): 48.1,
            ("system", "", "cpu_pct"): 13,
        },
        set(),
        id="SAF Integra-E",
    ),
    pytest.param(
        "saf", "1.3.6.1.4.1.7571.100.1.1.5", "SAF radio;CFIP Lumina v1.99;x;SN: 77;",
        "1.3.6.1.4.1.7571.100.1.1.5.1.1.1",
        [".10.1.5.1|2|-40", ".10.1.5.2|2|-42", ".10.1.9.1|2|23100000", ".12.1.10.1|2|-315", ".5.0|2|35"],
        {
            ("radio", "", "signal_dbm"): -40, ("radio", "", "remote_signal_dbm"): -42,
            ("radio", "", "frequency_mhz"): 23100, ("radio", "", "mse_db"): -31.5,
            ("sensor", "", "temperature_c"): 35,
        },
        set(),
        id="SAF CFIP",
    ),
    pytest.param(
        "saf-cfm", "1.3.6.1.4.1.7571.100.1.1.2.22", "CFM", "1.3.6.1.4.1.7571.100.1.1.2.22",
        [".3.6.0|4|Tx=7443.5MHz", ".4.10.0|4|Rx -43 dBm", ".5.1.0|2|2", ".1.28.0|2|9"],
        {
            ("radio", "radio 1", "frequency_mhz"): 7443.5, ("radio", "radio 2", "signal_dbm"): -43,
            ("radio", "active link", "protection_state"): 2, ("system", "", "cpu_pct"): 9,
        },
        set(),
        id="SAF CFM, whose figures stand in texts",
    ),
    pytest.param(
        "ray3", "1.3.6.1.4.1.33555.4.1", "RAy3", "1.3.6.1.4.1.33555.4",
        [
            ".1.1.1.0|4|RAy3-17", ".2.1.4.0|2|17120000", ".2.1.14.0|2|359", ".2.1.13.0|2|358000",
            ".3.2.1.0|2|-524", ".3.2.11.0|4|1.5e-07", ".1.4.2.0|2|3825", ".1.4.3.0|2|541", ".2.1.7.0|2|9",
        ],
        {
            ("system", "", "model"): "RAy3-17", ("radio", "", "frequency_mhz"): 17120,
            ("radio", "", "capacity_bps"): 359000000, ("radio", "", "tx_rate_bps"): 358000000,
            ("radio", "", "signal_dbm"): -52.4, ("radio", "", "bit_error_ratio"): 0.00000015,
            ("sensor", "radio", "temperature_c"): 38.25, ("power", "", "voltage_v"): 54.1,
            ("radio", "", "modulation"): 9,
        },
        set(),
        id="Racom RAy3",
    ),
    pytest.param(
        "sm-os", "1.3.6.1.4.1.3373.1103", "ALFOplus2", SIAE,
        [
            ".80.2.1.2.1|4|1A", ".80.12.1.3.1|2|-38", ".80.12.1.28.1|2|285", ".80.9.1.4.1|2|18200000",
            ".80.6.1.3.1|4|Link 1", ".80.17.1.10.1.1|2|450000", ".74.7.1.1.1|2|1", ".74.7.1.6.1|2|405",
            ".74.7.1.9.1|2|510", ".74.7.1.1.2|2|2", ".74.7.1.6.2|2|0",
        ],
        {
            ("radio", "1A", "signal_dbm"): -38, ("radio", "1A", "xpd_db"): 28.5,
            ("radio", "1A", "frequency_mhz"): 18200,
            ("radio", "Link 1 polarisation 1", "tx_capacity_bps"): 450000000,
            ("sensor", "SFP 1", "temperature_c"): 40.5, ("sensor", "SFP 1 light sent", "power_w"): 0.00051,
        },
        {("sensor", "SFP 2", "temperature_c")},
        id="SIAE",
    ),
    pytest.param(
        "extendair", "1.3.6.1.4.1.25651.1.9", "ExtendAir G2", "1.3.6.1.4.1.25651.1.2",
        [".3.1.57.1.0|2|185", ".3.1.57.4.0|2|18140000", ".4.3.1.3.0|2|-44", ".4.5.1.0|2|370"],
        {
            ("radio", "", "tx_power_dbm"): 18.5, ("radio", "", "frequency_mhz"): 18140,
            ("radio", "", "signal_dbm"): -44, ("radio", "", "capacity_bps"): 370000000,
        },
        set(),
        id="Exalt ExtendAir",
    ),
]  # fmt: skip

CELLULAR = [
    pytest.param(
        "rutos-rutx", NET_SNMP, "Linux RUTX11", TELTONIKA,
        [
            ".1.2.0|4|RUTX11", ".1.3.0|4|RUTX11000", ".1.6.0|4|RUTX_R_00.07", ".2.2.1.3.1|4|860000000000001",
            ".2.2.1.9.1|4|Inserted", ".2.2.1.10.1|4|OK", ".2.2.1.11.1|4|Registered, home",
            ".2.2.1.12.1|2|-71",
            ".2.2.1.15.1|4|Connected", ".2.2.1.16.1|4|4G+", ".2.2.1.17.1|2|420", ".2.2.1.19.1|4|6.7",
            ".2.2.1.20.1|4|-98", ".2.2.1.22.1|70|5000", ".6.2.1.2.1|4|adc0", ".6.2.1.6.1|4|12.31 V",
            ".6.2.1.7.1|2|1", ".6.2.1.2.2|4|dout1", ".6.2.1.6.2|4|High level", ".6.2.1.7.2|2|0",
        ],
        {
            ("system", "", "model"): "RUTX11", ("radio", "modem 1", "imei"): "860000000000001",
            ("radio", "modem 1", "sim_state"): 0, ("radio", "modem 1 PIN", "sim_state"): 5,
            ("radio", "modem 1", "network_state"): 5, ("radio", "modem 1", "rssi_dbm"): -71,
            ("radio", "modem 1", "connection_state"): 0, ("radio", "modem 1", "mobile_technology"): None,
            ("radio", "modem 1", "sinr_db"): 6.7, ("radio", "modem 1", "rsrp_dbm"): -98,
            ("radio", "modem 1", "tx_octets"): 5000, ("sensor", "modem 1", "temperature_c"): 42,
            ("sensor", "adc0", "voltage_v"): 12.31, ("sensor", "dout1", "io_state"): 1,
            ("sensor", "dout1", "io_direction"): 0,
        },
        {("sensor", "adc0", "io_state")},
        id="Teltonika RUTX, with a technology nobody knows",
    ),
    pytest.param(
        "rutos-2xx", NET_SNMP, "Linux Teltonika-RUT240", TELTONIKA,
        [
            ".2.14.0|4|RUT2XX_R_00.01.14", ".2.3.0|4|registered (home)", ".2.4.0|2|-67", ".2.8.0|4|LTE",
            ".2.9.0|2|380", ".2.22.0|4|-12", ".2.23.0|4|-101",
        ],
        {
            ("radio", "modem", "network_state"): 1, ("radio", "modem", "rssi_dbm"): -67,
            ("radio", "modem", "mobile_technology"): 0, ("radio", "modem", "sinr_db"): 12,
            ("radio", "modem", "rsrp_dbm"): -101, ("sensor", "modem", "temperature_c"): 38,
        },
        set(),
        id="Teltonika RUT2xx with older firmware",
    ),
    pytest.param(
        "icr-os", "1.3.6.1.4.1.30140.1", "Linux", "1.3.6.1.4.1.30140",
        [".3.6.0|2|7", ".3.8.0|2|25", ".3.10.0|2|100", ".3.4.0|2|12616", ".4.32.0|2|-92", ".2.3.1.0|2|1"],
        {
            ("system", "", "cpu_pct"): 7, ("system", "", "memory_used_pct"): 25,
            ("power", "", "voltage_v"): 12.616, ("radio", "modem 0", "rsrp_dbm"): -92,
            ("sensor", "input 0", "io_state"): 1,
        },
        set(),
        id="ICR-OS",
    ),
    pytest.param(
        "pepwave", "1.3.6.1.4.1.27662", "Pepwave MAX", "1.3.6.1.4.1.27662",
        [
            "1.3.6.1.4.1.23695.200.1.12.1.1.1.7.2|2|-95", "1.3.6.1.4.1.23695.200.1.12.1.1.1.5.2|2|14",
            ".2.1.2.1.2.0|4|Cellular", ".2.1.2.1.3.0|2|3", ".2.1.2.1.5.0|2|-9999", ".4.1.1.6.0|2|2",
        ],
        {
            ("radio", "modem 2", "rsrp_dbm"): -95, ("radio", "modem 2", "sinr_db"): 14,
            ("system", "Cellular", "connection_state"): 3, ("system", "", "access_points"): 2,
        },
        {("radio", "Cellular", "signal_dbm")},
        id="Pepwave",
    ),
]  # fmt: skip

SWITCHES = [
    pytest.param(
        "swos", "1.3.6.1.4.1.14988.2", "CSS610 SwOS v2.13", MIKROTIK,
        [
            ".3.8.0|2|236", ".3.100.1.2.1|4|volts", ".3.100.1.3.1|2|2412", ".3.100.1.4.1|2|3",
            ".3.100.1.2.2|4|amps", ".3.100.1.3.2|2|315", ".3.100.1.4.2|2|4", ".15.1.1.2.2|4|Port1",
            ".15.1.1.3.2|2|3", ".15.1.1.6.2|2|71", ".19.1.1.2.5|4|SFP", ".19.1.1.6.5|66|4294967168",
            ".19.1.1.7.5|66|0",
        ],
        {
            ("system", "", "model"): "CSS610", ("power", "", "voltage_v"): 23.6,
            ("power", "volts", "voltage_v"): 24.12, ("power", "amps", "current_a"): 0.315,
            ("poe", "Port1", "poe_state"): 3, ("poe", "Port1", "power_w"): 7.1,
            ("sensor", "SFP", "temperature_c"): None, ("sensor", "SFP", "voltage_v"): None,
        },
        set(),
        id="SwOS",
    ),
    pytest.param(
        "edgeswitch", "1.3.6.1.4.1.4413", "US-24-250W, 3.9.6.7613, Linux 3.6.5", FASTPATH,
        [
            ".1.1.4.9.0|4|    5 Secs ( 12.5300%)   60 Secs ( 11.0%)  300 Secs ( 10.9%)",
            ".1.1.4.1.0|66|250000", ".1.1.4.2.0|66|500000", ".43.1.6.1.3.1.1|2|2", ".43.1.6.1.4.1.1|2|3300",
            ".43.1.8.1.5.1.1|2|47",
        ],
        {
            ("system", "", "model"): "US-24-250W", ("system", "", "version"): "3.9.6.7613",
            ("system", "", "cpu_pct"): 12.53, ("system", "", "memory_used_pct"): 50,
            ("sensor", "fan 1.1", "fan_rpm"): 3300, ("sensor", "temperature 1.1", "temperature_c"): 47,
        },
        set(),
        id="UniFi switch, whose processor load is a sentence",
    ),
    pytest.param(
        "edgeosolt", "1.3.6.1.4.1.41112.1.5", "UFiber OLT v4.1.0", EDGEMAX,
        [
            ".1.1.0|4|UFiber OLT", ".4.2.1.3.1|2|41500", ".6.1.0|66|1",
            ".6.2.1.2.2.65.66|4|00:04:56:ab:43:bc",
            ".6.2.1.3.2.65.66|2|1", ".6.2.1.9.2.65.66|2|-1942", ".7.2.1.2.0|4|pon1", ".7.2.1.3.0|2|1",
        ],
        {
            ("sensor", "1", "temperature_c"): 41.5, ("radio", "PON", "clients"): 1,
            ("station", "000456ab43bc", "link_state"): 1,
            ("station", "000456ab43bc", "optical_rx_dbm"): -19.42, ("sensor", "pon1", "link_state"): 1,
        },
        set(),
        id="UFiber OLT in thousandths of a degree",
    ),
    pytest.param(
        "edgeos", "1.3.6.1.4.1.41112.1.5", "EdgeOS v2.0.9", EDGEMAX,
        ["1.3.6.1.2.1.25.4.2.1.5.9|4|-LSd UBNT EdgeRouter X 5-Port running on MIPS"],
        {("system", "", "model"): "EdgeRouter X 5-Port", ("system", "", "version"): "2.0.9"},
        set(),
        id="EdgeRouter that tells its model in the list of processes",
    ),
    pytest.param(
        "cnmatrix", "1.3.6.1.4.1.17713.24.1", "cnMatrix", "1.3.6.1.4.1.2076",
        [
            ".81.1.68.0|2|18", ".81.1.66.0|2|52", ".103.1.3.1.4.1.3|2|535", ".103.1.3.1.5.1.3|2|6400",
            "1.3.6.1.2.1.31.1.1.1.1.3|4|Gi0/3",
        ],
        {
            ("system", "", "cpu_pct"): 18, ("sensor", "", "temperature_c"): 52,
            ("poe", "Gi0/3", "voltage_v"): 53.5, ("poe", "Gi0/3", "power_w"): 6.4,
        },
        set(),
        id="cnMatrix",
    ),
    pytest.param(
        "jetstream", "1.3.6.1.4.1.11863.5.86", "JetStream", "1.3.6.1.4.1.11863.6",
        [
            ".4.1.1.1.1.2.1|2|31", ".4.1.2.1.1.2.1|2|75", ".56.1.1.1.3.0|2|412",
            ".56.1.1.2.1.1.7.4|2|63", ".56.1.1.2.1.1.11.4|2|2", ".56.1.1.2.1.1.7.5|2|0",
            ".56.1.1.2.1.1.11.5|2|0", ".96.1.7.1.1.5.49|4|0.5", ".96.1.7.1.1.8.49|2|0",
            ".96.1.7.1.1.9.49|2|2",
        ],
        {
            ("system", "1", "cpu_pct"): 31, ("system", "1", "memory_used_pct"): 75,
            ("poe", "used", "power_w"): 41.2, ("poe", "port 4", "power_w"): 6.3,
            ("poe", "port 5", "poe_state"): 0, ("sensor", "49", "optical_tx_dbm"): pytest.approx(-3.01),
            ("sensor", "49", "optical_rx_loss"): 0,
        },
        {("poe", "port 5", "power_w"), ("sensor", "49", "optical_tx_fault")},
        id="JetStream",
    ),
    pytest.param(
        "netonix", "1.3.6.1.4.1.46242", "Netonix WS-12-250-AC", "1.3.6.1.4.1.46242",
        [
            ".1.0|4|1.5.6", ".3.1.2.1|4|Board", ".3.1.3.1|2|43", ".4.1.2.1|4|48V rail", ".4.1.3.1|2|4980",
            ".5.1.2.3|4|48VH", ".5.1.2.4|2|1", ".6.0|2|330", ".7.0|2|14",
        ],
        {
            ("system", "", "version"): "1.5.6", ("sensor", "Board", "temperature_c"): 43,
            ("power", "48V rail", "voltage_v"): 49.8, ("poe", "port 3", "poe_state"): 5,
            ("poe", "port 4", "poe_state"): 1, ("power", "", "power_w"): 33,
            ("power", "DC input", "current_a"): 1.4,
        },
        set(),
        id="Netonix, by name or by number of a state",
    ),
    pytest.param(
        "cmm", "1.3.6.1.4.1.161.19.250.256", "CMM 3.0", "1.3.6.1.4.1.161.19.3.4",
        [".4.1.1.5.2|2|1"],
        {("poe", "port 2", "poe_state"): 1, ("system", "", "version"): "3.0"},
        set(),
        id="CMM3",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("family", "object_id", "description", "root", "objects", "expected", "absent"),
    [*RADIOS, *LICENSED, *CELLULAR, *SWITCHES],
)
def test_family(
    family: str,
    object_id: str,
    description: str,
    root: str,
    objects: list[str],
    expected: Expected,
    absent: set[tuple[str, str, str]],
) -> None:
    found, values = read(object_id, description, root, objects)
    assert found == family
    assert {key: values.get(key, "absent") for key in expected} == expected
    assert not absent & values.keys()
