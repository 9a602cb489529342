"""English texts of the rules beyond the first ones: what is wrong, why probably, what a monitor says of it.

Of a rule that a monitor judges by itself there are three sentences: while it holds (`rule.X`), as the
monitor's own verdict (`note.verdict_X`), and when it was over before the central could know
(`note.meanwhile_X`).
"""

from __future__ import annotations

RULE_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    RULE_TEXTS[context] = english


# What is wrong (alerts): a headline of at most 60 characters
_text("rule.signal_sank", "{link}: {end} hears {signal} dBm, at first {normal}")
_text("rule.signal_week", "{link}: {end} hears {signal} dBm, a week ago {normal}")
_text("rule.signal_weak", "{link}: {end} hears only {signal} dBm")
_text("rule.snr_low", "{link}: {end} hears only {value} dB over noise")
_text("rule.chains_uneven", "{link}: H and V at {end} differ by {value} dB")
_text("rule.rates_differ", "{link}: one end sends {value} % slower")
_text("rule.short_outages", "{link} broke off for a moment")
_text("rule.airtime_high", "{device}: its channel is in use {value} % of the time")
_text("rule.port_errors", "{device} {port}: {value} damaged packets a second")
_text("rule.port_flaps", "{device} {port}: the cable comes and goes")
_text("rule.port_busy", "{device} {port} is {value} % full")
_text("rule.packet_loss", "{device} {port}: {value} % of packets get lost")
_text("rule.latency", "{device} {port}: answers take {value} ms")
_text("rule.probe_failed", "{device}: {port} fails")
_text("rule.battery_low", "{device}: battery low, {value} V for each 12 V")
_text("rule.battery_left", "{device}: {value} % of the battery is left")
_text("rule.not_charging", "{device}: the battery is not charged in daylight")
_text("rule.battery_hot", "{device}: the battery is at {value} °C")
_text("rule.pi_hot", "{device}: the monitor is at {value} °C")
_text("rule.pi_voltage", "{device}: the monitor's supply is too weak")
_text("rule.pi_slowed", "{device}: the monitor slows itself down")
_text("rule.on_battery", "{device} runs on battery: no mains")
_text("rule.overload", "{device} {port}: {value} % of its power is drawn")
_text("rule.charger_fault", "{device}: the charger reports fault {value}")
_text("rule.device_alarms", "{device} reports alarms: {value}")
_text("rule.part_faulty", "{device} {port}: {value} out of order")
_text("rule.part_state", "{device} {port}: not as usual (state {value})")
_text("rule.device_restarts", "{device} started anew")
_text("rule.cpu_high", "{device}: the processor is {value} % busy")
_text("rule.memory_high", "{device}: {value} % of its memory is in use")
_text("rule.disk_full", "{device} {port}: {value} % full")
_text("rule.card_worn", "{device} {port}: {value} % worn")
_text("rule.clock_unset", "Monitor {node} does not know the time")
_text("rule.clock_unsynced", "{device} does not know the time")
_text("rule.data_cap", "{upstream}: {value} % of the month's data is used")

# Why, probably (short enough for a column of Home)
_text("cause.battery", "battery or panel")
_text("cause.supply", "power supply")
_text("cause.mains", "no mains")
_text("cause.heat", "too hot")
_text("cause.busy", "too much traffic")
_text("cause.path", "the way there")
_text("cause.worn", "worn part")
_text("cause.full", "no room left")
_text("cause.clock", "nobody to ask")
_text("cause.plan", "data plan")

# Why, probably (one plain sentence)
_text("headline.battery", "The battery at {device} is probably weak.")
_text("headline.supply", "The power supply of {device} is probably too weak.")
_text("headline.mains", "{device} probably has no mains: a cut, or a fuse.")
_text("headline.heat", "{device} probably lacks air or shade.")
_text("headline.busy", "{device} probably has more to carry than it can.")
_text("headline.path", "Something on the way there probably loses or delays packets.")
_text("headline.worn", "A part of {device} is probably worn out.")
_text("headline.full", "Logs or records fill {device} up.")
_text("headline.clock", "It probably finds nobody to ask for the time.")
_text("headline.plan", "More is used than the month's plan has.")

# What happened at a monitor while it had no contact
_text("note.meanwhile_signalsank", "{link}: {end} heard a weaker signal than at first for {span}")
_text("note.meanwhile_signalweek", "{link}: {end} heard a weaker signal than a week ago for {span}")
_text("note.meanwhile_signalweak", "{link}: {end} heard hardly anything for {span}")
_text("note.meanwhile_snrlow", "{link}: {end} heard the signal hardly over noise for {span}")
_text("note.meanwhile_chainsuneven", "{link}: H and V at {end} differed for {span}")
_text("note.meanwhile_shortoutages", "{link} broke off for moments during {span}")
_text("note.meanwhile_airtimehigh", "{device}: its channel was crowded for {span}")
_text("note.meanwhile_porterrors", "{device} {port} received damaged packets for {span}")
_text("note.meanwhile_portflaps", "{device} {port}: the cable came and went for {span}")
_text("note.meanwhile_portbusy", "{device} {port} was full for {span}")
_text("note.meanwhile_packetloss", "{device} {port}: packets got lost for {span}")
_text("note.meanwhile_latency", "{device} {port}: answers took long for {span}")
_text("note.meanwhile_probefailed", "{device}: {port} failed for {span}")
_text("note.meanwhile_batterylow", "{device}: the battery was low for {span}")
_text("note.meanwhile_batteryleft", "{device}: little of the battery was left for {span}")
_text("note.meanwhile_notcharging", "{device}: the battery was not charged in daylight for {span}")
_text("note.meanwhile_batteryhot", "{device}: the battery was hot for {span}")
_text("note.meanwhile_pihot", "{device}: the monitor was hot for {span}")
_text("note.meanwhile_pivoltage", "{device}: the monitor's supply was too weak for {span}")
_text("note.meanwhile_pislowed", "{device}: the monitor slowed itself down for {span}")
_text("note.meanwhile_onbattery", "{device} ran on battery for {span}")
_text("note.meanwhile_overload", "{device} {port}: too much power was drawn for {span}")
_text("note.meanwhile_chargerfault", "{device}: the charger reported a fault for {span}")
_text("note.meanwhile_devicealarms", "{device} reported alarms for {span}")
_text("note.meanwhile_partfaulty", "{device} {port}: something was out of order for {span}")
_text("note.meanwhile_partstate", "{device} {port} was not as usual for {span}")
_text("note.meanwhile_devicerestarts", "{device} started anew during {span}")
_text("note.meanwhile_cpuhigh", "{device}: the processor was busy for {span}")
_text("note.meanwhile_memoryhigh", "{device}: its memory was full for {span}")
_text("note.meanwhile_diskfull", "{device} {port} was full for {span}")
_text("note.meanwhile_cardworn", "{device} {port} was called worn for {span}")
_text("note.meanwhile_clockunsynced", "{device} did not know the time for {span}")

# What a monitor judged by itself; the central has its own verdict of what reaches it in time
_text("note.verdict_signalsank", "Seen by the monitor alone: {end} hears {signal} dBm, at first {normal}")
_text("note.verdict_signalweek", "Seen by the monitor alone: {end} hears {signal} dBm, a week ago {normal}")
_text("note.verdict_signalweak", "Seen by the monitor alone: {end} hears only {signal} dBm")
_text("note.verdict_snrlow", "Seen by the monitor alone: {end} hears only {value} dB over noise")
_text("note.verdict_chainsuneven", "Seen by the monitor alone: H and V at {end} differ by {value} dB")
_text("note.verdict_shortoutages", "Seen by the monitor alone: {link} broke off for a moment")
_text(
    "note.verdict_airtimehigh",
    "Seen by the monitor alone: {device}: its channel is in use {value} % of the time",
)
_text(
    "note.verdict_porterrors", "Seen by the monitor alone: {device} {port}: {value} damaged packets a second"
)
_text("note.verdict_portflaps", "Seen by the monitor alone: {device} {port}: the cable comes and goes")
_text("note.verdict_portbusy", "Seen by the monitor alone: {device} {port} is {value} % full")
_text("note.verdict_packetloss", "Seen by the monitor alone: {device} {port}: {value} % of packets get lost")
_text("note.verdict_latency", "Seen by the monitor alone: {device} {port}: answers take {value} ms")
_text("note.verdict_probefailed", "Seen by the monitor alone: {device}: {port} fails")
_text("note.verdict_batterylow", "Seen by the monitor alone: {device}: battery low, {value} V for each 12 V")
_text("note.verdict_batteryleft", "Seen by the monitor alone: {device}: {value} % of the battery is left")
_text(
    "note.verdict_notcharging", "Seen by the monitor alone: {device}: the battery is not charged in daylight"
)
_text("note.verdict_batteryhot", "Seen by the monitor alone: {device}: the battery is at {value} °C")
_text("note.verdict_pihot", "Seen by the monitor alone: {device}: the monitor is at {value} °C")
_text("note.verdict_pivoltage", "Seen by the monitor alone: {device}: the monitor's supply is too weak")
_text("note.verdict_pislowed", "Seen by the monitor alone: {device}: the monitor slows itself down")
_text("note.verdict_onbattery", "Seen by the monitor alone: {device} runs on battery: no mains")
_text("note.verdict_overload", "Seen by the monitor alone: {device} {port}: {value} % of its power is drawn")
_text("note.verdict_chargerfault", "Seen by the monitor alone: {device}: the charger reports fault {value}")
_text("note.verdict_devicealarms", "Seen by the monitor alone: {device} reports alarms: {value}")
_text("note.verdict_partfaulty", "Seen by the monitor alone: {device} {port}: {value} out of order")
_text("note.verdict_partstate", "Seen by the monitor alone: {device} {port}: not as usual (state {value})")
_text("note.verdict_devicerestarts", "Seen by the monitor alone: {device} started anew")
_text("note.verdict_cpuhigh", "Seen by the monitor alone: {device}: the processor is {value} % busy")
_text("note.verdict_memoryhigh", "Seen by the monitor alone: {device}: {value} % of its memory is in use")
_text("note.verdict_diskfull", "Seen by the monitor alone: {device} {port}: {value} % full")
_text("note.verdict_cardworn", "Seen by the monitor alone: {device} {port}: {value} % worn")
_text("note.verdict_clockunsynced", "Seen by the monitor alone: {device} does not know the time")
