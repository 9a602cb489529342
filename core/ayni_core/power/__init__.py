"""What chargers, batteries and supplies say in their own languages, as readings. Pure: octets and texts in.

Items and metrics are those of the SNMP profiles of solar chargers (`array`, `battery`, `load`, `charged`), so
that a rule about the voltage of a battery holds for all of them.
"""
