"""Preset dictionaries of the field encoding, by the Adler-32 that the zlib stream carries.

A dictionary never changes once it was released: new words make a new one, and old ones stay here so
that a node stored for years is still understood. What stands last is nearest to the start of a frame
(RFC 1950, 2.2). The metrics stand in the order of their list, in which the encoder writes them, so that any
few of them that follow each other are one match.
"""

from __future__ import annotations

import zlib

# Words of names and models; the metrics; constants; groups as routers and radios have them; the first line.
_TEXT_1 = "".join(
    (
        "sector-backhaul-router-switch-radio-station-access-point-tower-office-school-home-gateway-",
        "TP-Link EdgeRouter EdgeSwitch OpenWrt Cambium Mimosa LiteBeam NanoStation Rocket PowerBeam hAP ",
        "hEX LHG SXT wAP CCR CRS3 Ubiquiti airOS net-snmp armv7l aarch64 generic edgeos openwrt",
        '"name","description","object_id","model","version","serial","location","profile","uptime_s",',
        '"cpu_pct","load_1m","load_5m","load_15m","memory_total_bytes","memory_free_bytes",',
        '"memory_used_bytes","memory_and_cache_bytes","memory_buffers_bytes","memory_cached_bytes",',
        '"memory_used_pct","storage_total_bytes","storage_used_bytes","dhcp_leases","connections",',
        '"access_points","networks","latitude_deg","longitude_deg","sync_state","license_state","answered",',
        '"if_oper","if_admin","if_index","if_alias","if_type","if_mac","mtu_bytes","speed_bps","duplex",',
        '"in_octets","out_octets","in_ucast_pkts","out_ucast_pkts","in_errors","out_errors","in_discards",',
        '"out_discards","signal_dbm","signal_chain_dbm","remote_signal_dbm","noise_dbm","snr_db",',
        '"remote_snr_db","mse_db","ssr_db","xpd_db","rssi_index","ccq_pct","rx_ccq_pct","quality_pct",',
        '"capacity_pct","airtime_pct","rx_airtime_own_pct","tx_airtime_own_pct","foreign_airtime_pct",',
        '"utilization_pct","tx_airtime_pct","rx_airtime_pct","retry_pct","frame_errors","error_pct",',
        '"bit_error_ratio","tx_rate_bps","rx_rate_bps","tx_capacity_bps","rx_capacity_bps","capacity_bps",',
        '"mcs","rx_mcs","modulation","rx_modulation","tx_power_dbm","tx_muted","cable_loss_db","eirp_dbm",',
        '"ideal_signal_dbm","frequency_mhz","rx_frequency_mhz","channel","channel_width_mhz","distance_m",',
        '"clients","ssid","radio_mode","radio_security","link_state","protection_state","dfs_state",',
        '"radar_events","radio_mac","antenna","peer_mac","gps_fix","gps_state","satellites_visible",',
        '"satellites_tracked","rssi_dbm","rsrp_dbm","rsrq_db","sinr_db","cell_id","mobile_technology",',
        '"network_state","connection_state","sim_state","imei","imsi","tx_octets_today","rx_octets_today",',
        '"tx_octets","rx_octets","connected_s","station_name","station_ip","voltage_v","current_a",',
        '"power_w","apparent_power_va","energy_kwh","frequency_hz","temperature_c","humidity_pct",',
        '"fan_rpm","airflow_cfm","pressure_kpa","cooling_kw","output_pct","operating_h","fitted","faulty",',
        '"part_errors","sensor_state","io_state","io_direction","contact_state","operating_state",',
        '"optical_tx_dbm","optical_rx_dbm","optical_rx_loss","optical_tx_fault","poe_state","charge_pct",',
        '"load_pct","runtime_min","on_battery_s","battery_state","charger_state","outlet_state",',
        '"output_source","alarms",',
        '],["RouterOS ","Linux ","1.3.6.1.4.1.14988.1","1.3.6.1.4.1.41112.1","1.3.6.1.4.1.8072.3.2.10",',
        '"routeros","airos","linux",null,null,null,1000000000,1000000000,100000000,0,0,0,0,0,0,6,6,6,1500,',
        "1500,1,1,1,1,1,2,2,2,2],[[2,",
        '"system":[[""],["name","description","object_id","model","version","serial","location","profile",',
        '"uptime_s","cpu_pct","memory_total_bytes","memory_free_bytes","memory_used_bytes",',
        '"memory_used_pct","answered"],["/"],["storage_total_bytes","storage_used_bytes"],["1","2"],',
        '["cpu_pct"]],',
        '"interface":[["lo","eth0","wlan0","br-lan"],["if_oper","if_admin","if_alias","if_type","if_mac",',
        '"mtu_bytes","speed_bps","in_octets","out_octets","in_ucast_pkts","out_ucast_pkts","in_errors",',
        '"out_errors","in_discards","out_discards"],["ether1","ether2","ether3","ether4","ether5","ether6",',
        '"ether7","ether8","ether9","ether10","ether11","ether12","sfp1","wlan1","bridge"],["if_oper",',
        '"if_admin","if_index","if_alias","if_type","if_mac","mtu_bytes","speed_bps","duplex","in_octets",',
        '"out_octets","in_ucast_pkts","out_ucast_pkts","in_errors","out_errors","in_discards",',
        '"out_discards"]],',
        '"radio":[["wlan1"],["signal_dbm","noise_dbm","ccq_pct","tx_rate_bps","rx_rate_bps","tx_power_dbm",',
        '"frequency_mhz","channel_width_mhz","distance_m","clients","ssid","radio_mode","radio_mac"],',
        '["wlan1 chain 0","wlan1 chain 1"],["signal_chain_dbm"]],',
        '"station":[["245a4c"],["signal_dbm","remote_signal_dbm","noise_dbm","snr_db","ccq_pct",',
        '"tx_rate_bps","rx_rate_bps","tx_octets","rx_octets","connected_s","station_name"]],',
        '"power":[[""],["voltage_v"]],"poe":[["port 1"],["poe_state"]],"sensor":[["","cpu-temperature"],',
        '["temperature_c"]]}],"',
        '[1,{"n":"","e":"","q":1,"b":"-4","m":1000.0,"w":1790000000.0,"y":1,"x":310.0,"c":1300.0},{"":[[0,',
        '6000,6000,6000,6000],{"system":[[""],["uptime_s","cpu_pct","answered"]',
    )
)
_ALL = (_TEXT_1.encode("ascii"),)

DICTIONARIES: dict[int, bytes] = {zlib.adler32(text): text for text in _ALL}
DICTIONARY_ID = zlib.adler32(_ALL[-1])
"""The one that we send with."""
