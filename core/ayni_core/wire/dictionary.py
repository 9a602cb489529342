"""Preset dictionaries of the field encoding, by the Adler-32 that the zlib stream carries.

A dictionary never changes once it was released: new words make a new one, and old ones stay here so
that a node stored for years is still understood. The most frequent words stand last (RFC 1950, 2.2).
"""

from __future__ import annotations

import zlib

_TEXT_1 = "".join(
    (
        "humidity_pct fan_rpm charge_pct runtime_min load_pct power_w current_a station_name station_ip "
        "ssid radio_mode channel_width_mhz distance_m connected_s quality_pct capacity_pct airtime_pct "
        "rssi_index snr_db remote_signal_dbm storage_total_bytes storage_used_bytes load_1m load_5m load_15m "
        "memory_used_bytes memory_used_pct mtu_bytes if_type if_alias if_mac object_id description location "
        "serial version model profile name RouterOS Linux Ubiquiti wlan1 ath0 eth0 br-lan lo bridge1 sfp1",
        ',"power":{"":{"voltage_v":[1,240,0,0,-1,0,1]}},"sensor":{"temperature":{"temperature_c":[1,410,'
        '"storage":{"',
        '"poe":{"',
        '"station":{"000c42'
        '":{"signal_dbm":[0,-63,0,1,-1,0],"noise_dbm":-95,"ccq_pct":[0,92,1,-2,0],"tx_rate_bps":130000000,'
        '"rx_rate_bps":[0,117000000,0,13000000,-13000000],"tx_octets":[0,"rx_octets":[0,"retry_pct":[0,'
        '"radio":{"wlan1":{"signal_dbm":[0,-62,"signal_chain_dbm":[0,-65,"frequency_mhz":5745,"tx_power_dbm":23,'
        '"clients":1,"memory_total_bytes":67108864,"memory_free_bytes":[0,"cpu_pct":[0,14,1,-3,"uptime_s":[2,'
        '6000,6000,6000,6001,5999,"interface":{"ether1":{"if_index":1,"speed_bps":1000000000,'
        '"in_errors":0,"out_errors":0,"in_discards":0,"out_discards":0},"ether2":{"if_oper":2,"if_admin":1,'
        '"speed_bps":null,"in_octets":0,"out_octets":0,"in_ucast_pkts":0,"out_ucast_pkts":0,"in_errors":0,'
        '"out_errors":0,"in_discards":0,"out_discards":0},"ether3":{"if_oper":1,"if_admin":1,"speed_bps":100000000,'
        '"in_octets":[0,"out_octets":[0,"in_ucast_pkts":[0,"out_ucast_pkts":[0,"in_errors":0,"out_errors":0,'
        '"in_discards":[0,0,0,0,0],"out_discards":0}}}],"[[0,6000,6000,6000,6000],{"system":{"":{"answered":1,'
        '[1,{"n":"","e":"","q":1,"b":"","m":1000.0,"w":1760000000.0,"y":1,"x":310.0},{"',
    )
)
_ALL = (_TEXT_1.encode("ascii"),)

DICTIONARIES: dict[int, bytes] = {zlib.adler32(text): text for text in _ALL}
DICTIONARY_ID = zlib.adler32(_ALL[-1])
"""The one that we send with."""
