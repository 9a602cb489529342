"""A machine as airOS shows it: one radio in row 1, its stations, FROGFOOT memory and load.

Source: UBNT-AirMAX-MIB, FROGFOOT-RESOURCES-MIB, IEEE802dot11-MIB (the model's only place).
"""

from __future__ import annotations

from ayni_core.snmp import IP_ADDRESS
from ayni_lab.machine import Machine, Peer, Port, Radio
from ayni_lab.mib import (
    Objects,
    counter64,
    gauge,
    integer,
    octets,
    oid,
    put_interfaces,
    put_system,
    text,
    ticks,
)

_UBNT = "1.3.6.1.4.1.41112.1.4"
_RADIO, _CHAIN, _STAT = f"{_UBNT}.1.1", f"{_UBNT}.2.1", f"{_UBNT}.5.1"
_AIRMAX, _STATION, _HOST = f"{_UBNT}.6.1", f"{_UBNT}.7.1", f"{_UBNT}.8"
_FROGFOOT, _DOT11 = "1.3.6.1.4.1.10002.1.1.1", "1.2.840.10036.3.1.2.1"
_TRUE, _FALSE = 1, 2


def objects(machine: Machine, now: float) -> Objects:
    """Everything this machine answers."""
    result: Objects = {}
    description = "Linux 2.6.32.71 #1 Thu Feb 16 11:20:31 EET 2023 mips"
    put_system(result, machine, now, description=description, object_id="1.3.6.1.4.1.10002.1")
    put_interfaces(result, machine)
    result[oid(_FROGFOOT, 1, 1, 0)] = gauge(machine.memory_total_bytes / 1024)
    result[oid(_FROGFOOT, 1, 2, 0)] = gauge((machine.memory_total_bytes - machine.memory_used_bytes) / 1024)
    for index, minutes in enumerate((1, 5, 15), 1):
        result[oid(_FROGFOOT, 4, 2, 1, 2, index)] = text(f"{minutes} Minute Average")
        result[oid(_FROGFOOT, 4, 2, 1, 3, index)] = gauge(machine.cpu_pct)
    result[oid(_HOST, 3, 0)] = integer(machine.cpu_pct * 100)
    result[oid(_HOST, 4, 0)] = integer(machine.temperature_c)
    if machine.radio is not None:
        port = machine.port_of("radio")
        result[oid(_DOT11, 2, port.index)] = text("Ubiquiti Networks, Inc.")
        result[oid(_DOT11, 3, port.index)] = text(machine.model)
        result[oid(_DOT11, 4, port.index)] = text(machine.version)
        _put_radio(result, machine.radio, port)
        for peer in machine.radio.peers.values():
            _put_station(result, peer, now)
    return result


def _put_radio(result: Objects, radio: Radio, port: Port) -> None:
    first = next(iter(radio.peers.values()), None)
    tables = {
        _RADIO: {
            2: integer(1 if radio.mode == "station" else 2),
            3: integer(604),
            4: integer(radio.frequency_mhz),
            5: integer(_FALSE),
            6: integer(radio.tx_power_dbm),
            7: integer(first.distance_m if first else 0),
            8: integer(3),
            9: text("Built in"),
        },
        _STAT: {
            1: integer(1),
            2: text(radio.ssid),
            3: integer(_FALSE),
            4: octets(_access_point(radio, port, first)),
            5: integer(first.signal_dbm if first else 0),
            6: integer(first.signal_dbm + 96 if first else 0),
            7: integer(first.ccq_pct if first else 0),
            8: integer(radio.noise_dbm),
            9: integer(first.tx_rate_bps if first else 0),
            10: integer(first.rx_rate_bps if first else 0),
            11: text("WPA2"),
            12: integer(_TRUE),
            13: integer(_FALSE),
            14: integer(radio.width_mhz),
            15: gauge(len(radio.peers)),
        },
        _AIRMAX: {
            2: integer(_TRUE),
            3: integer(first.ccq_pct if first else 0),
            4: integer(first.tx_rate_bps / 1_300_000 if first else 0),
            5: integer(3),
            6: integer(_FALSE),
            7: integer(radio.airtime_pct * 10),
            8: integer(_FALSE),
            9: integer(_FALSE),
        },
    }
    for table, cells in tables.items():
        for column, cell in cells.items():
            result[oid(table, column, 1)] = cell
    for chain in (1, 2):
        for column in (2, 3, 4):
            result[oid(_CHAIN, column, 1, chain)] = integer(first.signal_dbm + 93 if first else 0)


def _access_point(radio: Radio, port: Port, first: Peer | None) -> bytes:
    if radio.mode == "ap":
        return port.mac
    return first.mac if first else bytes(6)


def _put_station(result: Objects, peer: Peer, now: float) -> None:
    cells = {
        2: text(peer.name),
        3: integer(peer.signal_dbm),
        4: integer(peer.noise_dbm),
        5: integer(peer.distance_m),
        6: integer(peer.ccq_pct),
        7: integer(3),
        8: integer(peer.ccq_pct),
        9: integer(peer.tx_rate_bps / 1_300_000),
        10: (IP_ADDRESS, peer.address),
        11: integer(peer.tx_rate_bps),
        12: integer(peer.rx_rate_bps),
        13: counter64(peer.tx_octets),
        14: counter64(peer.rx_octets),
        15: ticks(now - peer.since),
        16: integer(peer.signal_dbm - peer.noise_dbm),
        17: integer(peer.tx_rate_bps / 1500),
        18: integer(peer.rx_rate_bps / 1500),
    }
    for column, cell in cells.items():
        result[oid(_STATION, column, 1, *peer.mac)] = cell
