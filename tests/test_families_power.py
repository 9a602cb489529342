"""The shipped families of power supplies, chargers and sensors, each against a small made-up device."""

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
UPS = "1.3.6.1.2.1.33.1"
APC = "1.3.6.1.4.1.318.1.1"
EXTEND = "1.3.6.1.4.1.8072.1.3.2.4.1.2"
RAID = "1.3.6.1.4.1.3582.4.1"
SUN = "1.3.6.1.4.1.33333"
TRIPP = "1.3.6.1.4.1.850"


def system(object_id: str, description: str) -> list[str]:
    return [
        f"1.3.6.1.2.1.1.1.0|4|{description}",
        f"1.3.6.1.2.1.1.2.0|6|{object_id}",
        "1.3.6.1.2.1.1.3.0|67|4200",
    ]


def extend(name: str, *output: str) -> list[str]:
    index = ".".join(str(ord(letter)) for letter in name)
    return [f"{EXTEND}.{len(name)}.{index}.{n}|4|{line}" for n, line in enumerate(output, 1)]


def ups_mib(hertz: int, volts: int, amperes: int) -> list[str]:
    """A UPS by RFC 1628 that scales frequency, voltage and current like this."""
    return [
        f"{UPS}.1.1.0|4|Volt", f"{UPS}.1.2.0|4|Hill 700", f"{UPS}.1.4.0|4|2.11",
        f"{UPS}.2.1.0|2|2", f"{UPS}.2.3.0|2|33", f"{UPS}.2.4.0|2|97", f"{UPS}.2.5.0|2|271",
        f"{UPS}.2.6.0|2|{amperes}", f"{UPS}.3.3.1.2.1|2|{hertz}", f"{UPS}.3.3.1.3.1|2|{volts}",
        f"{UPS}.4.1.0|2|5", f"{UPS}.4.2.0|2|{hertz}", f"{UPS}.4.4.1.2.1|2|{volts}",
        f"{UPS}.4.4.1.3.1.0|2|{amperes}", f"{UPS}.4.4.1.5.1|2|-1", f"{UPS}.6.1.0|66|1", f"{UPS}.7.3.0|2|6",
    ]  # fmt: skip


APC_UPS = [
    *system("1.3.6.1.4.1.318.1.3.27", "APC Web/SNMP Management Card (AF1:v7.0.8 MN:AP9631 SN: CARD1)"),
    f"{APC}.1.1.1.1.0|4|Smart-UPS 750", f"{APC}.1.1.2.3.0|4|UPS1", "1.3.6.1.4.1.318.1.4.2.4.1.4.2|4|v7.0.8",
    f"{APC}.1.2.1.2.0|67|9000", f"{APC}.1.2.2.1.0|66|98", f"{APC}.1.2.3.1.0|66|984",
    f"{APC}.1.2.2.3.0|67|396000",
    f"{APC}.1.2.2.2.0|66|27", f"{APC}.1.2.2.4.0|2|2", f"{APC}.1.3.3.1.0|66|2290", f"{APC}.1.3.2.5.0|2|3",
    f"{APC}.1.4.1.1.0|2|3", f"{APC}.1.4.3.4.0|66|4294967295",
    f"{APC}.10.2.3.2.1.2.1|4|Hut", f"{APC}.10.2.3.2.1.3.1|2|2", f"{APC}.10.2.3.2.1.4.1|2|77",
    f"{APC}.10.2.3.2.1.5.1|2|2", f"{APC}.10.2.3.2.1.6.1|2|-1",
    f"{APC}.10.2.3.2.1.2.2|4|Gone", f"{APC}.10.2.3.2.1.3.2|2|1", f"{APC}.10.2.3.2.1.4.2|2|0",
]  # fmt: skip
APC_PDU = [
    *system("1.3.6.1.4.1.318.1.3.4.6", "APC Web/SNMP Management Card (MN:AP8 SN: PDU1)"),
    f"{APC}.12.1.5.0|4|AP8", f"{APC}.12.1.2.0|4|02", f"{APC}.12.1.15.0|2|-1", f"{APC}.12.1.16.0|2|270",
    f"{APC}.12.2.3.1.1.2.1|66|14", f"{APC}.26.4.3.1.5.1|2|27", f"{APC}.26.4.3.1.9.1|2|19677",
    f"{APC}.26.6.3.1.5.1|2|13", f"{APC}.26.6.3.1.6.1|2|231",
    f"{APC}.26.10.2.2.1.5.1|2|4", f"{APC}.26.10.2.2.1.8.1|2|-1", f"{APC}.26.10.2.2.1.9.1|2|1",
    f"{APC}.4.4.2.1.3.1|2|1", f"{APC}.4.4.2.1.3.2|2|2",
]  # fmt: skip
APC_COOLING = [
    *system("1.3.6.1.4.1.318.1.3.14.23", "APC InRow DX 300mm (AF1:v6.6.9.b MN:0N-9580 SN: JK1)"),
    *(
        f"{APC}.27.1.4.1.2.1.{column}.1.{row}|{2 if column in (3, 5) else 4}|{value}"
        for row, cells in enumerate(
            (("Supply", 194, "C", 10), ("Supply", 671, "F", 10), ("Air", 6862, "CFM", 1),
             ("Cool Output", 108, "kW", 10),
             ("Compressor", 144, "kW", 100), ("Suction", 118, "bar", 10), ("Fan", 163, "%", 10)), 1,
        )
        for column, value in zip((2, 3, 4, 5), cells, strict=True)
    ),
    f"{APC}.27.1.4.2.2.1.2.1.1|4|Relay", f"{APC}.27.1.4.2.2.1.4.1.1|2|1",
    f"{APC}.27.1.4.2.2.1.5.1.1|4|Open(0),Closed(1)",
    f"{APC}.27.1.4.2.2.1.2.1.2|4|Flow", f"{APC}.27.1.4.2.2.1.4.1.2|2|2",
    f"{APC}.27.1.4.2.2.1.5.1.2|4|Under(0),Over(2)",
]  # fmt: skip
CYBERPOWER = [
    *system("1.3.6.1.4.1.3808.1.1.1", "UPS SNMP Card"),
    *(
        f"1.3.6.1.4.1.3808.1.1.{oid}|2|{value}"
        for oid, value in (
            ("1.2.2.4.0", 174000), ("1.3.2.1.0", 1195), ("1.3.2.6.0", 5), ("1.4.2.2.0", 600),
            ("4.2.1.0", 683), ("4.3.1.0", 56), ("4.4.2.1.3.1", 2), ("4.4.2.1.3.2", 1),
        )
    ),
    "1.3.6.1.4.1.3808.1.1.4.4.2.1.2.1|4|Door", "1.3.6.1.4.1.3808.1.1.4.4.2.1.2.2|4|Contact#2",
]  # fmt: skip
EATON = [
    *system("1.3.6.1.4.1.534.1", "ConnectUPS Web/SNMP Card V4.36"),
    "1.3.6.1.4.1.534.1.2.1.0|2|1950", "1.3.6.1.4.1.534.1.2.5.0|2|3", "1.3.6.1.4.1.534.1.4.2.0|2|500",
    "1.3.6.1.4.1.534.1.8.2.0|2|3", "1.3.6.1.4.1.534.1.8.2.0.0|2|2", "1.3.6.1.4.1.534.1.4.4.1.4.2|2|246",
    f"{UPS}.1.5.0|4|ID: GG4 FW: 3",
]  # fmt: skip
SOCOMEC = [
    *system("1.3.6.1.4.1.4555.1.1.7", "NetVision"),
    *(
        f"1.3.6.1.4.1.4555.1.1.7.1.{oid}|2|{value}"
        for oid, value in (
            ("2.1.0", 3), ("2.6.0", 0), ("2.7.0", 210), ("2.8.0", 65535), ("3.3.1.3.1", 655350),
            ("4.1.0", 4), ("4.4.1.3.1", 17), ("6.3.11.0", 1),
        )
    ),
    "1.3.6.1.4.1.4555.1.1.7.1.1.5.0|4|Net Vision 8 v8.00",
]  # fmt: skip
MPPT = [
    *system("1.3.6.1.4.1.33333.2", "MorningStar"),
    f"{SUN}.2.1.0|4|TS-MPPT-45", f"{SUN}.2.30.0|2|12743", f"{SUN}.2.36.0|2|4460", f"{SUN}.2.42.0|2|2048",
    f"{SUN}.2.44.0|2|1200", f"{SUN}.2.46.0|2|5", f"{SUN}.2.47.0|2|128",
    f"{SUN}.2.49.0|2|31", f"{SUN}.2.53.0|2|812",
]  # fmt: skip
PROSTAR = [
    *system("1.3.6.1.4.1.33333.5", "MorningStar"),
    f"{SUN}.5.1.0|4|PS-MPPT-25M", f"{SUN}.5.30.0|4|13.62", f"{SUN}.5.33.0|4|-0.5 A", f"{SUN}.5.53.0|2|3",
]  # fmt: skip
TRIPP_UPS = [
    *system("1.3.6.1.4.1.850.1", "PowerAlert v12.04.0055"),
    *ups_mib(60, 119, 7),
    f"{TRIPP}.1.1.3.1.3.1.1.1.4.1|66|95", f"{TRIPP}.1.1.3.1.3.3.2.1.3.1.1|66|250",
    f"{TRIPP}.1.1.3.2.3.3.1.1.4.1.7|2|2",
]  # fmt: skip
ICT = [
    *system("1.3.6.1.4.1.39145.13", "ICT Modular Power System"),
    "1.3.6.1.4.1.39145.13.7.0|4|54.2", "1.3.6.1.4.1.39145.13.8.0|4|-1.5",
    "1.3.6.1.4.1.39145.13.10.1.2.1|2|2", "1.3.6.1.4.1.39145.13.10.1.4.1|4|54.1",
    "1.3.6.1.4.1.39145.13.10.1.2.2|2|1", "1.3.6.1.4.1.39145.13.10.1.4.2|4|.",
]  # fmt: skip
SITEMONITOR = [
    *system("1.3.6.1.4.1.32050.1.4", "SiteMonitor Base 3"),
    *(
        f"1.3.6.1.4.1.32050.3.2.1.1.{column}.{row}|{kind}|{value}"
        for column, row, kind, value in (
            (3, "0.1", 4, ""), (4, "0.1", 2, 53589600), (5, "0.1", 4, "VinA"),
            (3, "1.1", 4, "Mast"), (4, "1.1", 2, 1963630), (5, "1.1", 4, "VinA"),
        )
    ),
    "1.3.6.1.4.1.32050.3.2.3.1.4.0.1|2|1123", "1.3.6.1.4.1.32050.3.2.3.1.5.0.1|4|Board",
]  # fmt: skip
LINUX = [
    *system("1.3.6.1.4.1.8072.3.2.10", "Linux hub 6.1.0-18-amd64 #1 SMP x86_64"),
    *extend("ups-nut", "88", "20", "1860", "26.9", "24", "230", "228.5", "17", "1", "0"),
    *extend("raspberry", "47.2", "0.8500", "Unknown"),
    f"{RAID}.4.1.2.1.4.0|2|1", f"{RAID}.4.1.2.1.24.0|2|1", f"{RAID}.4.1.2.1.42.0|2|55",
    f"{RAID}.4.1.6.2.1.16.0|4|33 (Normal)", f"{RAID}.4.1.6.2.1.27.0|2|-1",
    f"{RAID}.4.2.1.2.1.7.4|2|3", f"{RAID}.4.2.1.2.1.36.4|2|31", f"{RAID}.5.5.1.3.1|2|2",
]  # fmt: skip


@pytest.mark.parametrize(
    ("objects", "family", "expected", "absent"),
    [
        pytest.param(
            APC_UPS,
            "apc",
            {
                ("system", "", "model"): "Smart-UPS 750",
                ("system", "", "version"): "v7.0.8",
                ("system", "", "serial"): "UPS1",
                ("power", "battery", "charge_pct"): 98.4,
                ("power", "battery", "temperature_c"): 27,
                ("power", "battery", "runtime_min"): 66,
                ("power", "battery", "on_battery_s"): 90,
                ("power", "battery replacement", "sensor_state"): 2,
                ("power", "input", "voltage_v"): 229,
                ("power", "last transfer", "operating_state"): 3,
                ("power", "output", "output_source"): 3,
                ("power", "output", "current_a"): None,
                ("sensor", "Hut", "temperature_c"): 25,
                ("sensor", "Hut", "humidity_pct"): None,
            },
            {("sensor", "Gone", "temperature_c")},
            id="APC UPS: tenths before whole numbers, -1 is none, a probe in Fahrenheit",
        ),
        pytest.param(
            APC_PDU,
            "apc",
            {
                ("system", "", "model"): "AP8 02",
                ("power", "pdu", "voltage_v"): None,
                ("power", "pdu 1", "power_w"): 270,
                ("power", "pdu 1", "energy_kwh"): 1967.7,
                ("power", "phase 1", "current_a"): 1.3,
                ("power", "phase 1", "voltage_v"): 231,
                ("power", "outlet 1", "outlet_state"): 1,
                ("power", "outlet 2", "outlet_state"): 2,
            },
            {
                ("power", "pdu", "power_w"),
                ("power", "pdu 1", "current_a"),
                ("sensor", "probe 1", "temperature_c"),
            },
            id="APC power distribution answers in two generations, of which one is read",
        ),
        pytest.param(
            APC_COOLING,
            "apc",
            {
                ("system", "", "model"): "InRow DX 300mm",
                ("system", "", "serial"): "JK1",
                ("sensor", "Supply", "temperature_c"): 19.4,
                ("sensor", "Air", "airflow_cfm"): 6862,
                ("sensor", "Cool Output", "cooling_kw"): 10.8,
                ("power", "Compressor", "power_w"): 1440,
                ("sensor", "Suction", "pressure_kpa"): 1180,
                ("sensor", "Fan", "output_pct"): 16.3,
                ("sensor", "Relay", "contact_state"): 1,
                ("sensor", "Flow", "operating_state"): 2,
            },
            {("sensor", "Flow", "contact_state")},
            id="APC cooling says in a column what each row measures",
        ),
        *(
            pytest.param(
                [*system("1.3.6.1.2.1.33", "CS141 SNMP Agent"), *ups_mib(hertz, volts, 42)],
                "generex-ups",
                {
                    ("system", "", "model"): "Volt Hill 700",
                    ("system", "", "version"): "2.11",
                    ("power", "battery", "battery_state"): 2,
                    ("power", "battery", "runtime_min"): 33,
                    ("power", "battery", "voltage_v"): 27.1,
                    ("power", "input 1", "frequency_hz"): 50,
                    ("power", "input 1", "voltage_v"): 230,
                    ("power", "output", "frequency_hz"): 50,
                    ("power", "output", "output_source"): 5,
                    ("power", "output 1", "current_a"): 4.2,
                    ("power", "output 1", "load_pct"): None,
                    ("power", "self test", "sensor_state"): 6,
                    ("power", "", "alarms"): 1,
                },
                set(),
                id=f"UPS-MIB that means 50 Hz and 230 V by {hertz} and {volts}",
            )
            for hertz, volts in ((500, 230), (50, 2300), (5000, 230))
        ),
        pytest.param(
            TRIPP_UPS,
            "poweralert",
            {
                ("power", "battery", "charge_pct"): 97,
                ("power", "battery", "current_a"): 7,
                ("power", "output 1", "current_a"): 7,
                ("power", "output", "frequency_hz"): 60,
                ("power", "battery 1", "charge_pct"): 95,
                ("power", "output 1.1", "current_a"): 2.5,
                ("power", "outlet 1.7", "outlet_state"): 2,
            },
            set(),
            id="PowerAlert without tenths",
        ),
        pytest.param(
            CYBERPOWER,
            "cyberpower",
            {
                ("power", "battery", "runtime_min"): 29,
                ("power", "input", "voltage_v"): 119.5,
                ("power", "input", "sensor_state"): 5,
                ("power", "output", "frequency_hz"): 60,
                ("sensor", "environment", "temperature_c"): pytest.approx(20.167, abs=0.001),
                ("sensor", "environment", "humidity_pct"): 56,
                ("sensor", "Door", "sensor_state"): 2,
            },
            {("sensor", "Contact#2", "sensor_state")},
            id="CyberPower with a probe in Fahrenheit and a contact that nobody wired",
        ),
        pytest.param(
            EATON,
            "eatonups",
            {
                ("system", "", "serial"): "GG4",
                ("power", "battery", "runtime_min"): 32.5,
                ("power", "battery", "charger_state"): 3,
                ("power", "battery test", "sensor_state"): 2,
                ("power", "output", "frequency_hz"): 50,
                ("power", "output 2", "power_w"): 246,
            },
            set(),
            id="Eaton with an extra 0",
        ),
        pytest.param(
            SOCOMEC,
            "socomec-ups",
            {
                ("system", "", "version"): "8.00",
                ("power", "battery", "battery_state"): 3,
                ("power", "battery", "temperature_c"): None,
                ("power", "battery", "current_a"): None,
                ("power", "input 1", "current_a"): None,
                ("power", "output 1", "current_a"): 1.7,
                ("power", "output", "output_source"): 4,
                ("power", "general fault", "sensor_state"): 1,
                ("sensor", "ambient", "temperature_c"): 21,
            },
            set(),
            id="Socomec: what is not measured is none",
        ),
        pytest.param(
            MPPT,
            "morningstar-mppt",
            {
                ("system", "", "model"): "TS-MPPT-45",
                ("power", "array", "voltage_v"): pytest.approx(69.999, abs=0.001),
                ("power", "battery", "voltage_v"): pytest.approx(24.4995, abs=0.001),
                ("power", "battery", "current_a"): 5,
                ("power", "output", "power_w"): pytest.approx(131.836, abs=0.001),
                ("power", "battery", "charger_state"): 5,
                ("power", "charged", "energy_kwh"): 812,
                ("sensor", "remote probe", "temperature_c"): None,
                ("sensor", "heat sink", "temperature_c"): 31,
            },
            set(),
            id="Morningstar in binary fractions",
        ),
        pytest.param(
            PROSTAR,
            "morningstar-mppt",
            {
                ("power", "battery", "voltage_v"): 13.62,
                ("power", "charge", "current_a"): -0.5,
                ("power", "load", "operating_state"): 3,
            },
            set(),
            id="Morningstar in texts",
        ),
        pytest.param(
            ICT,
            "ict-mps",
            {
                ("power", "output", "voltage_v"): 54.2,
                ("power", "output", "current_a"): -1.5,
                ("power", "module 1", "voltage_v"): 54.1,
                ("power", "module 2", "sensor_state"): 1,
                ("power", "module 2", "voltage_v"): None,
            },
            set(),
            id="ICT writes numbers as texts, and a point for none",
        ),
        pytest.param(
            SITEMONITOR,
            "sitemonitor3",
            {
                ("power", "VinA slot 0", "voltage_v"): 53.5896,
                ("power", "Mast slot 1", "voltage_v"): 1.96363,
                ("sensor", "Board slot 0", "temperature_c"): 11.23,
            },
            set(),
            id="SiteMonitor with microvolts and slots",
        ),
        pytest.param(
            LINUX,
            "linux",
            {
                ("power", "battery", "charge_pct"): 88,
                ("power", "battery", "runtime_min"): 31,
                ("power", "battery", "voltage_v"): 26.9,
                ("power", "input", "voltage_v"): 228.5,
                ("power", "output", "load_pct"): 17,
                ("power", "ups on line", "operating_state"): 1,
                ("sensor", "cpu", "temperature_c"): 47.2,
                ("power", "core", "voltage_v"): 0.85,
                ("power", "memory controller", "voltage_v"): None,
                ("sensor", "raid 0 disks failed", "faulty"): 1,
                ("sensor", "raid 0", "temperature_c"): 55,
                ("sensor", "raid battery 0", "temperature_c"): 33,
                ("sensor", "raid battery 0", "sensor_state"): -1,
                ("sensor", "disk 4 media", "part_errors"): 3,
                ("sensor", "enclosure supply 1", "sensor_state"): 2,
            },
            set(),
            id="Linux with a UPS, a small board and disk controllers",
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
