"""Pure heart of Ayni: values, wire codec, SNMP codec, profiles, rules. No clock, no disk, no network."""

__version__ = "0.1.0"
