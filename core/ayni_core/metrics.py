"""The closed list of metrics: name, unit, kind and one line of meaning each.

A metric never changes its type. Counters travel as the device gave them; rates are computed when asked
for. A state keeps its number; `states` gives the names of standard ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["gauge", "counter", "state", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One entry: `unit` is "" for counts, states and texts; `bits` is a counter's width."""

    name: str
    unit: str
    kind: Kind
    meaning: str
    bits: int = 64
    states: Mapping[int, str] = field(default_factory=dict)


IF_OPER = {
    1: "up",
    2: "down",
    3: "testing",
    4: "unknown",
    5: "dormant",
    6: "notPresent",
    7: "lowerLayerDown",
}
IF_ADMIN = {1: "up", 2: "down", 3: "testing"}

_TABLE: tuple[tuple[str, str, Kind, str], ...] = (
    # system
    ("name", "", "text", "name the device was given (sysName)"),
    ("description", "", "text", "what the device says of itself (sysDescr)"),
    ("object_id", "", "text", "the maker's number of this kind of device (sysObjectID)"),
    ("model", "", "text", "hardware model"),
    ("version", "", "text", "firmware version"),
    ("serial", "", "text", "serial number"),
    ("location", "", "text", "place written into the device (sysLocation)"),
    ("profile", "", "text", "the Ayni profile that reads this device"),
    ("uptime_s", "s", "gauge", "time since the device or its agent started"),
    ("cpu_pct", "%", "gauge", "share of processor time in use"),
    ("load_1m", "", "gauge", "processes wanting to run, mean of 1 minute"),
    ("load_5m", "", "gauge", "processes wanting to run, mean of 5 minutes"),
    ("load_15m", "", "gauge", "processes wanting to run, mean of 15 minutes"),
    ("memory_total_bytes", "B", "gauge", "memory fitted"),
    ("memory_free_bytes", "B", "gauge", "memory not in use at all"),
    ("memory_used_bytes", "B", "gauge", "memory in use"),
    ("memory_and_cache_bytes", "B", "gauge", "memory in use, buffers and cache counted in"),
    ("memory_buffers_bytes", "B", "gauge", "memory that holds buffers; given back when needed"),
    ("memory_cached_bytes", "B", "gauge", "memory that holds cached files; given back when needed"),
    ("memory_used_pct", "%", "gauge", "share of memory in use"),
    ("storage_total_bytes", "B", "gauge", "size of a disk or card"),
    ("storage_used_bytes", "B", "gauge", "part of a disk or card in use"),
    ("dhcp_leases", "", "gauge", "addresses lent out by the DHCP server"),
    ("connections", "", "gauge", "connections that the firewall keeps track of"),
    # interface
    ("if_index", "", "gauge", "the interface's number inside the device (ifIndex)"),
    ("if_alias", "", "text", "description an operator gave the interface (ifAlias)"),
    ("if_type", "", "state", "kind of interface (IANAifType)"),
    ("if_mac", "", "text", "hardware address of the interface"),
    ("mtu_bytes", "B", "gauge", "largest packet the interface carries"),
    ("speed_bps", "bps", "gauge", "negotiated speed; none where the device gives 0"),
    ("duplex", "", "state", "whether both ends may send at once: full or half (dot3StatsDuplexStatus)"),
    ("in_octets", "B", "counter", "bytes received"),
    ("out_octets", "B", "counter", "bytes sent"),
    ("in_ucast_pkts", "", "counter", "packets received for this device"),
    ("out_ucast_pkts", "", "counter", "packets sent to one receiver"),
    ("in_errors", "", "counter", "received packets that were damaged"),
    ("out_errors", "", "counter", "packets that could not be sent because of faults"),
    ("in_discards", "", "counter", "sound packets dropped on receipt, mostly for want of room"),
    ("out_discards", "", "counter", "sound packets dropped instead of sent, mostly congestion"),
    # radio and station
    ("signal_dbm", "dBm", "gauge", "how loud the other side is heard; nearer to 0 is louder"),
    ("signal_chain_dbm", "dBm", "gauge", "signal of one chain (H or V polarisation)"),
    ("remote_signal_dbm", "dBm", "gauge", "how loud the other side hears us, as it reports"),
    ("noise_dbm", "dBm", "gauge", "background noise; nearer to 0 is worse"),
    ("snr_db", "dB", "gauge", "signal over noise; larger is better"),
    ("remote_snr_db", "dB", "gauge", "signal over noise at the other side, as it reports"),
    ("rssi_index", "", "gauge", "signal as a bare positive index of the maker; not dBm"),
    ("ccq_pct", "%", "gauge", "client connection quality: share of first-try transmissions"),
    ("rx_ccq_pct", "%", "gauge", "client connection quality of what is received"),
    ("quality_pct", "%", "gauge", "link quality as the maker computes it"),
    ("capacity_pct", "%", "gauge", "link capacity as the maker computes it"),
    ("airtime_pct", "%", "gauge", "share of air time in use"),
    ("rx_airtime_own_pct", "%", "gauge", "share of air time in which the radio itself receives"),
    ("tx_airtime_own_pct", "%", "gauge", "share of air time in which the radio itself sends"),
    ("foreign_airtime_pct", "%", "gauge", "share of air time that other networks take"),
    ("utilization_pct", "%", "gauge", "share of the sector's frame time in use"),
    ("tx_airtime_pct", "%", "gauge", "share of air time in use towards the other side"),
    ("rx_airtime_pct", "%", "gauge", "share of air time in use from the other side"),
    ("retry_pct", "%", "gauge", "share of frames that had to be repeated"),
    ("frame_errors", "", "counter", "frames that were damaged on the air"),
    ("tx_rate_bps", "bps", "gauge", "modulation rate towards the other side"),
    ("rx_rate_bps", "bps", "gauge", "modulation rate from the other side"),
    ("tx_capacity_bps", "bps", "gauge", "what the link could carry towards the other side"),
    ("rx_capacity_bps", "bps", "gauge", "what the link could carry from the other side"),
    ("mcs", "", "gauge", "modulation and coding in use; larger is faster"),
    ("rx_mcs", "", "gauge", "modulation and coding of what is received; larger is faster"),
    ("modulation", "", "state", "modulation in use, as the maker numbers it"),
    ("rx_modulation", "", "state", "modulation of what is received, as the maker numbers it"),
    ("tx_power_dbm", "dBm", "gauge", "transmit power"),
    ("eirp_dbm", "dBm", "gauge", "transmit power with the gain of the antenna"),
    ("ideal_signal_dbm", "dBm", "gauge", "signal that the radio computes for a clear path"),
    ("frequency_mhz", "MHz", "gauge", "centre frequency"),
    ("rx_frequency_mhz", "MHz", "gauge", "centre frequency of reception, where it differs"),
    ("channel", "", "gauge", "number of the channel"),
    ("channel_width_mhz", "MHz", "gauge", "channel width"),
    ("distance_m", "m", "gauge", "distance of the other side as the radio measures it"),
    ("clients", "", "gauge", "stations registered"),
    ("ssid", "", "text", "network name"),
    ("radio_mode", "", "state", "what the radio is: access point, station, repeater"),
    ("radio_security", "", "state", "encryption in use"),
    ("link_state", "", "state", "whether the radio has its other side"),
    ("radio_mac", "", "text", "hardware address of the radio"),
    ("antenna", "", "state", "antenna that is fitted, as the maker numbers it"),
    ("peer_mac", "", "text", "hardware address of the access point or peer on the other side"),
    ("gps_fix", "", "state", "whether the GPS receiver knows where it is"),
    ("gps_state", "", "state", "whether the radio takes its time from GPS"),
    ("satellites_visible", "", "gauge", "GPS satellites in view"),
    ("satellites_tracked", "", "gauge", "GPS satellites in use"),
    ("rssi_dbm", "dBm", "gauge", "power received in the whole channel (mobile network)"),
    ("rsrp_dbm", "dBm", "gauge", "power of the reference signal (mobile network); nearer to 0 is louder"),
    ("rsrq_db", "dB", "gauge", "quality of the reference signal (mobile network); nearer to 0 is better"),
    ("sinr_db", "dB", "gauge", "signal over interference and noise (mobile network); larger is better"),
    ("cell_id", "", "gauge", "number of the mobile network's cell"),
    ("mobile_technology", "", "state", "generation of the mobile network in use"),
    ("tx_octets", "B", "counter", "bytes sent over the air to this station"),
    ("rx_octets", "B", "counter", "bytes received over the air from this station"),
    ("connected_s", "s", "gauge", "time since this station registered"),
    ("station_name", "", "text", "name the other side gives itself"),
    ("station_ip", "", "text", "address of the other side"),
    # power, sensors
    ("voltage_v", "V", "gauge", "voltage"),
    ("current_a", "A", "gauge", "current"),
    ("power_w", "W", "gauge", "power"),
    ("frequency_hz", "Hz", "gauge", "mains frequency"),
    ("temperature_c", "°C", "gauge", "temperature"),
    ("humidity_pct", "%", "gauge", "relative humidity"),
    ("fan_rpm", "rpm", "gauge", "fan speed"),
    ("sensor_state", "", "state", "whether a part is in order, as the device says"),
    ("optical_tx_dbm", "dBm", "gauge", "light sent by an optical module"),
    ("optical_rx_dbm", "dBm", "gauge", "light received by an optical module"),
    ("optical_rx_loss", "", "state", "whether an optical module receives no light"),
    ("optical_tx_fault", "", "state", "whether the sender of an optical module is broken"),
    ("poe_state", "", "state", "what the port that gives power over Ethernet is doing"),
    ("charge_pct", "%", "gauge", "battery charge"),
    ("load_pct", "%", "gauge", "share of what the power system can give"),
    ("runtime_min", "min", "gauge", "time the battery lasts at this load"),
    ("on_battery_s", "s", "gauge", "time since the mains went away; 0 on mains"),
    ("battery_state", "", "state", "condition of the battery"),
    ("output_source", "", "state", "where the output gets its power from"),
    ("alarms", "", "gauge", "alarms that the device itself reports"),
)


def _entry(name: str, unit: str, kind: Kind, meaning: str) -> Metric:
    return Metric(name=name, unit=unit, kind=kind, meaning=meaning)


METRICS: dict[str, Metric] = {row[0]: _entry(*row) for row in _TABLE}
METRICS["if_oper"] = Metric(
    name="if_oper",
    unit="",
    kind="state",
    meaning="whether the interface works (ifOperStatus)",
    states=IF_OPER,
)
METRICS["if_admin"] = Metric(
    name="if_admin",
    unit="",
    kind="state",
    meaning="whether the interface is wanted up (ifAdminStatus)",
    states=IF_ADMIN,
)

METRICS["answered"] = Metric(
    name="answered",
    unit="",
    kind="state",
    meaning="whether the device answered this poll",
    states={0: "no", 1: "yes"},
)
METRICS["duplex"] = Metric(
    name="duplex",
    unit="",
    kind="state",
    meaning=METRICS["duplex"].meaning,
    states={1: "unknown", 2: "half", 3: "full"},
)


def unit_of(metric: str) -> str:
    """The unit of a metric; "" for a name that is not in the list."""
    entry = METRICS.get(metric)
    return entry.unit if entry else ""
