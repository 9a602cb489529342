"""A machine as RouterOS shows it: wireless tables of the classic package, health, host resources.

Source: MIKROTIK-MIB. A radio stands in the station table or in the access point table according to its
mode; the registration table lists the other side in both.
"""

from __future__ import annotations

from ayni_lab.machine import Machine, Peer, Port, Radio
from ayni_lab.mib import (
    Objects,
    counter32,
    gauge,
    integer,
    octets,
    oid,
    put_interfaces,
    put_processor,
    put_storage,
    put_system,
    text,
    ticks,
)

_MTXR = "1.3.6.1.4.1.14988.1.1"
_STATION, _REGISTERED, _AP = f"{_MTXR}.1.1.1", f"{_MTXR}.1.2.1", f"{_MTXR}.1.3.1"


def objects(machine: Machine, now: float) -> Objects:
    """Everything this machine answers."""
    result: Objects = {}
    description = f"RouterOS {machine.model}"
    put_system(result, machine, now, description=description, object_id="1.3.6.1.4.1.14988.1")
    put_interfaces(result, machine)
    put_processor(result, 1, machine.cpu_pct)
    put_storage(result, 65536, name="main memory", unit=1024,
                total_bytes=machine.memory_total_bytes, used_bytes=machine.memory_used_bytes)  # fmt: skip
    put_storage(result, 131072, name="system disk", unit=1024,
                total_bytes=16 * 2**20, used_bytes=11 * 2**20, flash=True)  # fmt: skip
    _put_health(result, machine)
    result[oid(_MTXR, 4, 3, 0)] = integer(4)
    result[oid(_MTXR, 4, 4, 0)] = text(machine.version)
    result[oid(_MTXR, 7, 3, 0)] = text(machine.ports["ether1"].mac.hex().upper()[-8:])
    result[oid(_MTXR, 7, 4, 0)] = text(machine.version)
    result[oid(_MTXR, 7, 9, 0)] = text(machine.model)
    if machine.radio is not None:
        _put_radio(result, machine.radio, machine.port_of("radio"), now)
    return result


def _put_health(result: Objects, machine: Machine) -> None:
    if machine.voltage_v is not None:
        result[oid(_MTXR, 3, 8, 0)] = integer(machine.voltage_v * 10)
    result[oid(_MTXR, 3, 10, 0)] = integer(machine.temperature_c * 10)


def _put_radio(result: Objects, radio: Radio, port: Port, now: float) -> None:
    first = next(iter(radio.peers.values()), None)
    band = f"{radio.frequency_mhz}/{radio.width_mhz}/an"
    if radio.mode == "station":
        cells = {
            2: gauge(first.tx_rate_bps if first else 0),
            3: gauge(first.rx_rate_bps if first else 0),
            4: integer(first.signal_dbm if first else 0),
            5: text(radio.ssid),
            6: octets(first.mac if first else bytes(6)),
            7: integer(radio.frequency_mhz),
            8: text(band),
            9: counter32(first.ccq_pct if first else 0),
            10: counter32(first.ccq_pct if first else 0),
        }
        table = _STATION
    else:
        cells = {
            2: gauge(max((peer.tx_rate_bps for peer in radio.peers.values()), default=0)),
            3: gauge(max((peer.rx_rate_bps for peer in radio.peers.values()), default=0)),
            4: text(radio.ssid),
            5: octets(port.mac),
            6: counter32(len(radio.peers)),
            7: integer(radio.frequency_mhz),
            8: text(band),
            9: integer(radio.noise_dbm),
            10: counter32(min((peer.ccq_pct for peer in radio.peers.values()), default=0)),
            11: counter32(len(radio.peers)),
        }
        table = _AP
    for column, cell in cells.items():
        result[oid(table, column, port.index)] = cell
    for peer in radio.peers.values():
        _put_registered(result, peer, port.index, now)
    result[oid(_MTXR, 1, 4, 0)] = gauge(len(radio.peers))


def _put_registered(result: Objects, peer: Peer, port: int, now: float) -> None:
    cells = {
        3: integer(peer.signal_dbm),
        4: counter32(peer.tx_octets),
        5: counter32(peer.rx_octets),
        6: counter32(peer.tx_octets / 900),
        7: counter32(peer.rx_octets / 900),
        8: gauge(peer.tx_rate_bps),
        9: gauge(peer.rx_rate_bps),
        10: text(""),
        11: ticks(now - peer.since),
        12: integer(peer.signal_dbm - peer.noise_dbm),
        13: integer(peer.remote_signal_dbm - 3),
        14: integer(peer.signal_dbm - 3),
        15: integer(peer.remote_signal_dbm - 3),
        16: integer(peer.signal_dbm - 3),
        19: integer(peer.remote_signal_dbm),
        20: text(peer.name),
    }
    for column, cell in cells.items():
        result[oid(_REGISTERED, column, *peer.mac, port)] = cell
