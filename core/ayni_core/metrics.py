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
    """One entry: `unit` is "" for counts, states and texts; `bits` is a counter's width. What is `private` is
    shown to whoever reads the device, and never leaves the site.
    """

    name: str
    unit: str
    kind: Kind
    meaning: str
    bits: int = 64
    states: Mapping[int, str] = field(default_factory=dict)
    private: bool = False


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

_STATES: dict[str, Mapping[int, str]] = {
    "if_oper": IF_OPER,
    "if_admin": IF_ADMIN,
    "answered": {0: "no", 1: "yes"},
    "supply_state": {0: "good", 1: "was low since the start", 2: "low now"},
    "throttle_state": {0: "no", 1: "did since the start", 2: "slowed now"},
    "clock_synced": {0: "no", 1: "yes"},
    "probe_state": {0: "good", 1: "warning", 2: "critical", 3: "unknown"},
    "duplex": {1: "unknown", 2: "half", 3: "full"},
}


def _m(name: str, unit: str, kind: Kind, meaning: str) -> tuple[str, str, Kind, str]:
    """One row; the name also marks the meaning for translators as its context."""
    return name, unit, kind, meaning


_TABLE: tuple[tuple[str, str, Kind, str], ...] = (
    # system
    _m("name", "", "text", "name the device was given (sysName)"),
    _m("description", "", "text", "what the device says of itself (sysDescr)"),
    _m("object_id", "", "text", "the maker's number of this kind of device (sysObjectID)"),
    _m("model", "", "text", "hardware model"),
    _m("version", "", "text", "firmware version"),
    _m("serial", "", "text", "serial number"),
    _m("location", "", "text", "place written into the device (sysLocation)"),
    _m("profile", "", "text", "the Ayni profile that reads this device"),
    _m("uptime_s", "s", "gauge", "time since the device or its agent started"),
    _m("cpu_pct", "%", "gauge", "share of processor time in use"),
    _m("load_1m", "", "gauge", "processes wanting to run, mean of 1 minute"),
    _m("load_5m", "", "gauge", "processes wanting to run, mean of 5 minutes"),
    _m("load_15m", "", "gauge", "processes wanting to run, mean of 15 minutes"),
    _m("memory_total_bytes", "B", "gauge", "memory fitted"),
    _m("memory_free_bytes", "B", "gauge", "memory not in use at all"),
    _m("memory_used_bytes", "B", "gauge", "memory in use"),
    _m("memory_and_cache_bytes", "B", "gauge", "memory in use, buffers and cache counted in"),
    _m("memory_buffers_bytes", "B", "gauge", "memory that holds buffers; given back when needed"),
    _m("memory_cached_bytes", "B", "gauge", "memory that holds cached files; given back when needed"),
    _m("memory_used_pct", "%", "gauge", "share of memory in use"),
    _m("storage_total_bytes", "B", "gauge", "size of a disk or card"),
    _m("storage_used_bytes", "B", "gauge", "part of a disk or card in use"),
    _m("dhcp_leases", "", "gauge", "addresses lent out by the DHCP server"),
    _m("connections", "", "gauge", "connections that the firewall keeps track of"),
    _m("access_points", "", "gauge", "access points that a controller looks after"),
    _m("networks", "", "gauge", "wireless networks that are set up"),
    _m("latitude_deg", "°", "gauge", "where the device stands, degrees north; south is negative"),
    _m("longitude_deg", "°", "gauge", "where the device stands, degrees east; west is negative"),
    _m("sync_state", "", "state", "whether the device keeps step with its source of time"),
    _m("license_state", "", "state", "whether the licence of the device is in force"),
    _m("answered", "", "state", "whether the device answered this poll"),
    # the monitor itself, and what it reaches
    _m("supply_state", "", "state", "whether the monitor's own power supply holds its voltage"),
    _m("throttle_state", "", "state", "whether the monitor slows itself down, for heat or want of voltage"),
    _m("clock_synced", "", "state", "whether the clock follows a source of time"),
    _m("wear_pct", "%", "gauge", "share of a card's or disk's life used up, as it tells itself"),
    _m("loss_pct", "%", "gauge", "share of echo requests that nobody answered"),
    _m("rtt_ms", "ms", "gauge", "time to the answer and back, mean of the answered requests"),
    _m("rtt_best_ms", "ms", "gauge", "time to the answer and back, the quickest"),
    _m("rtt_worst_ms", "ms", "gauge", "time to the answer and back, the slowest"),
    _m("jitter_ms", "ms", "gauge", "mean difference between one answer's time and the next one's"),
    _m("response_ms", "ms", "gauge", "time until a service had answered"),
    _m("http_status", "", "state", "status that a web server answered with"),
    _m("probe_state", "", "state", "what a probe found"),
    _m("probe_text", "", "text", "what a probe says in its first line"),
    _m("perf_value", "", "gauge", "a number that a probe measured, in its own unit"),
    _m("perf_s", "s", "gauge", "a time that a probe measured"),
    _m("perf_bytes", "B", "gauge", "an amount of bytes that a probe measured"),
    _m("perf_pct", "%", "gauge", "a share that a probe measured"),
    _m("perf_count", "", "counter", "something that a probe counts up"),
    # interface
    _m("if_oper", "", "state", "whether the interface works (ifOperStatus)"),
    _m("if_admin", "", "state", "whether the interface is wanted up (ifAdminStatus)"),
    _m("if_index", "", "gauge", "the interface's number inside the device (ifIndex)"),
    _m("if_alias", "", "text", "description an operator gave the interface (ifAlias)"),
    _m("if_type", "", "state", "kind of interface (IANAifType)"),
    _m("if_mac", "", "text", "hardware address of the interface"),
    _m("mtu_bytes", "B", "gauge", "largest packet the interface carries"),
    _m("speed_bps", "bps", "gauge", "negotiated speed; none where the device gives 0"),
    _m("duplex", "", "state", "whether both ends may send at once: full or half (dot3StatsDuplexStatus)"),
    _m("in_octets", "B", "counter", "bytes received"),
    _m("out_octets", "B", "counter", "bytes sent"),
    _m("in_ucast_pkts", "", "counter", "packets received for this device"),
    _m("out_ucast_pkts", "", "counter", "packets sent to one receiver"),
    _m("in_errors", "", "counter", "received packets that were damaged"),
    _m("out_errors", "", "counter", "packets that could not be sent because of faults"),
    _m("in_discards", "", "counter", "sound packets dropped on receipt, mostly for want of room"),
    _m("out_discards", "", "counter", "sound packets dropped instead of sent, mostly congestion"),
    # radio and station
    _m("signal_dbm", "dBm", "gauge", "how loud the other side is heard; nearer to 0 is louder"),
    _m("signal_chain_dbm", "dBm", "gauge", "signal of one chain (H or V polarisation)"),
    _m("remote_signal_dbm", "dBm", "gauge", "how loud the other side hears us, as it reports"),
    _m("reference_signal_dbm", "dBm", "gauge", "signal as the community wrote it down while all was well"),
    _m("noise_dbm", "dBm", "gauge", "background noise; nearer to 0 is worse"),
    _m("snr_db", "dB", "gauge", "signal over noise; larger is better"),
    _m("remote_snr_db", "dB", "gauge", "signal over noise at the other side, as it reports"),
    _m("mse_db", "dB", "gauge", "mean square error of the received signal; more negative is better"),
    _m("ssr_db", "dB", "gauge", "signal of one polarisation over that of the other; nearer to 0 is better"),
    _m("xpd_db", "dB", "gauge", "how well the two polarisations are kept apart; larger is better"),
    _m("rssi_index", "", "gauge", "signal as a bare positive index of the maker; not dBm"),
    _m("ccq_pct", "%", "gauge", "client connection quality: share of first-try transmissions"),
    _m("rx_ccq_pct", "%", "gauge", "client connection quality of what is received"),
    _m("quality_pct", "%", "gauge", "link quality as the maker computes it"),
    _m("capacity_pct", "%", "gauge", "link capacity as the maker computes it"),
    _m("airtime_pct", "%", "gauge", "share of air time in use"),
    _m("rx_airtime_own_pct", "%", "gauge", "share of air time in which the radio itself receives"),
    _m("tx_airtime_own_pct", "%", "gauge", "share of air time in which the radio itself sends"),
    _m("foreign_airtime_pct", "%", "gauge", "share of air time that other networks take"),
    _m("utilization_pct", "%", "gauge", "share of the sector's frame time in use"),
    _m("tx_airtime_pct", "%", "gauge", "share of air time in use towards the other side"),
    _m("rx_airtime_pct", "%", "gauge", "share of air time in use from the other side"),
    _m("retry_pct", "%", "gauge", "share of frames that had to be repeated"),
    _m("frame_errors", "", "counter", "frames that were damaged on the air"),
    _m("error_pct", "%", "gauge", "share of what is sent over the air that arrives damaged"),
    _m("bit_error_ratio", "", "gauge", "damaged bits per bit received"),
    _m("tx_rate_bps", "bps", "gauge", "modulation rate towards the other side"),
    _m("rx_rate_bps", "bps", "gauge", "modulation rate from the other side"),
    _m("tx_capacity_bps", "bps", "gauge", "what the link could carry towards the other side"),
    _m("rx_capacity_bps", "bps", "gauge", "what the link could carry from the other side"),
    _m("capacity_bps", "bps", "gauge", "what the link could carry, both directions together"),
    _m("mcs", "", "gauge", "modulation and coding in use; larger is faster"),
    _m("rx_mcs", "", "gauge", "modulation and coding of what is received; larger is faster"),
    _m("modulation", "", "state", "modulation in use, as the maker numbers it"),
    _m("rx_modulation", "", "state", "modulation of what is received, as the maker numbers it"),
    _m("tx_power_dbm", "dBm", "gauge", "transmit power"),
    _m("tx_muted", "", "state", "whether the transmitter is switched off on purpose"),
    _m("cable_loss_db", "dB", "gauge", "signal lost in the cable to the antenna"),
    _m("eirp_dbm", "dBm", "gauge", "transmit power with the gain of the antenna"),
    _m("ideal_signal_dbm", "dBm", "gauge", "signal that the radio computes for a clear path"),
    _m("frequency_mhz", "MHz", "gauge", "centre frequency"),
    _m("rx_frequency_mhz", "MHz", "gauge", "centre frequency of reception, where it differs"),
    _m("channel", "", "gauge", "number of the channel"),
    _m("channel_width_mhz", "MHz", "gauge", "channel width"),
    _m("distance_m", "m", "gauge", "distance of the other side as the radio measures it"),
    _m("clients", "", "gauge", "stations registered"),
    _m("ssid", "", "text", "network name"),
    _m("radio_mode", "", "state", "what the radio is: access point, station, repeater"),
    _m("radio_security", "", "state", "encryption in use"),
    _m("link_state", "", "state", "whether the radio has its other side"),
    _m("protection_state", "", "state", "which of two radios or links is in use, where one stands by"),
    _m("dfs_state", "", "state", "what the watch for radar is doing"),
    _m("radar_events", "", "counter", "times that radar was heard"),
    _m("radio_mac", "", "text", "hardware address of the radio"),
    _m("antenna", "", "state", "antenna that is fitted, as the maker numbers it"),
    _m("peer_mac", "", "text", "hardware address of the access point or peer on the other side"),
    _m("gps_fix", "", "state", "whether the GPS receiver knows where it is"),
    _m("gps_state", "", "state", "whether the radio takes its time from GPS"),
    _m("satellites_visible", "", "gauge", "GPS satellites in view"),
    _m("satellites_tracked", "", "gauge", "GPS satellites in use"),
    _m("rssi_dbm", "dBm", "gauge", "power received in the whole channel (mobile network)"),
    _m("rsrp_dbm", "dBm", "gauge", "power of the reference signal (mobile network); nearer to 0 is louder"),
    _m("rsrq_db", "dB", "gauge", "quality of the reference signal (mobile network); nearer to 0 is better"),
    _m("sinr_db", "dB", "gauge", "signal over interference and noise (mobile network); larger is better"),
    _m("cell_id", "", "gauge", "number of the mobile network's cell"),
    _m("mobile_technology", "", "state", "generation of the mobile network in use"),
    _m("network_state", "", "state", "whether the modem is registered with a mobile network"),
    _m("connection_state", "", "state", "whether a mobile connection, a way out or a tunnel stands"),
    _m("sim_state", "", "state", "whether the SIM card is there, and whether it is unlocked"),
    _m("imei", "", "text", "number of the modem (mobile network)"),
    _m("imsi", "", "text", "number of the SIM card (mobile network)"),
    _m("tx_octets_today", "B", "gauge", "bytes sent over the mobile network since midnight"),
    _m("rx_octets_today", "B", "gauge", "bytes received over the mobile network since midnight"),
    _m("etx", "", "gauge", "transmissions that a packet takes to cross a mesh link; 1 is best"),
    _m("link_cost", "", "gauge", "what a mesh protocol counts a link for; smaller is better"),
    _m("tx_octets", "B", "counter", "bytes sent over the air to this station"),
    _m("rx_octets", "B", "counter", "bytes received over the air from this station"),
    _m("connected_s", "s", "gauge", "time since this station registered"),
    _m("station_name", "", "text", "name the other side gives itself"),
    _m("station_ip", "", "text", "address of the other side"),
    # power, sensors
    _m("voltage_v", "V", "gauge", "voltage"),
    _m("current_a", "A", "gauge", "current"),
    _m("power_w", "W", "gauge", "power"),
    _m("apparent_power_va", "VA", "gauge", "volts times amperes: what cables and fuses have to bear"),
    _m("energy_kwh", "kWh", "gauge", "energy counted so far"),
    _m("energy_today_kwh", "kWh", "gauge", "energy counted since midnight, or since dawn at a solar charger"),
    _m("charger_error", "", "state", "what keeps the charger from charging; 0 is nothing"),
    _m("frequency_hz", "Hz", "gauge", "frequency of the mains, or of a motor"),
    _m("temperature_c", "°C", "gauge", "temperature"),
    _m("humidity_pct", "%", "gauge", "relative humidity"),
    _m("fan_rpm", "rpm", "gauge", "fan speed"),
    _m("airflow_cfm", "cfm", "gauge", "air moved, in cubic feet per minute"),
    _m("pressure_kpa", "kPa", "gauge", "pressure"),
    _m("cooling_kw", "kW", "gauge", "heat that a cooling unit takes away or is asked to"),
    _m("output_pct", "%", "gauge", "share of its full output that a part gives or is asked for"),
    _m("operating_h", "h", "gauge", "hours a part has been in operation"),
    _m("fitted", "", "gauge", "how many of these parts there are"),
    _m("faulty", "", "gauge", "how many of these parts are out of order; 0 is good"),
    _m("part_errors", "", "counter", "errors that a part has counted"),
    _m("sensor_state", "", "state", "whether a part is in order, as the device says"),
    _m("io_state", "", "state", "level of a digital input or output"),
    _m("io_direction", "", "state", "whether a digital contact is an input or an output"),
    _m("contact_state", "", "state", "whether a contact, relay or breaker is open or closed"),
    _m("operating_state", "", "state", "what a part is doing, as the maker numbers it"),
    _m("optical_tx_dbm", "dBm", "gauge", "light sent by an optical module"),
    _m("optical_rx_dbm", "dBm", "gauge", "light received by an optical module"),
    _m("optical_rx_loss", "", "state", "whether an optical module receives no light"),
    _m("optical_tx_fault", "", "state", "whether the sender of an optical module is broken"),
    _m("poe_state", "", "state", "what the port that gives power over Ethernet is doing"),
    _m("charge_pct", "%", "gauge", "battery charge"),
    _m("load_pct", "%", "gauge", "share of what the power system can give"),
    _m("runtime_min", "min", "gauge", "time the battery lasts at this load"),
    _m("on_battery_s", "s", "gauge", "time since the mains went away; 0 on mains"),
    _m("battery_state", "", "state", "condition of the battery"),
    _m("charger_state", "", "state", "what the charger does with the battery"),
    _m("outlet_state", "", "state", "whether an outlet for power is switched on"),
    _m("output_source", "", "state", "where the output gets its power from"),
    _m("alarms", "", "gauge", "alarms that the device itself reports"),
    # neighbour
    _m("neighbours", "", "gauge", "neighbours that the device told of when it was last asked for them"),
    _m("neighbour_mac", "", "text", "hardware address of a neighbour"),
    _m("neighbour_name", "", "text", "name that a neighbour gives itself"),
    _m("neighbour_port", "", "text", "port of the neighbour at which the cable or radio ends"),
    _m("neighbour_ip", "", "text", "address of a neighbour"),
    _m("neighbour_quality", "", "gauge", "how well a mesh neighbour is heard, as its protocol counts"),
)


PRIVATE = frozenset(("imei", "imsi"))
"""They tell of a person's telephone contract: they are read, and stay where they are read."""

METRICS: dict[str, Metric] = {
    name: Metric(
        name=name,
        unit=unit,
        kind=kind,
        meaning=meaning,
        states=_STATES.get(name, {}),
        private=name in PRIVATE,
    )
    for name, unit, kind, meaning in _TABLE
}


def unit_of(metric: str) -> str:
    """The unit of a metric; "" for a name that is not in the list."""
    entry = METRICS.get(metric)
    return entry.unit if entry else ""
