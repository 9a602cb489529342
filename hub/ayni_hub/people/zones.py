"""The time zones of a network and its people."""

from __future__ import annotations

from datetime import tzinfo

from ayni_core.inventory import Network
from ayni_io import timezones


def zones_of(network: Network, source: str) -> tuple[tzinfo, dict[str, tzinfo]]:
    """The zone of the network and that of each person. Raises `ConfigError`."""
    zone = timezones.find(network.timezone, f"{source}: network.timezone")
    own = {
        name: timezones.find(person.contact.timezone, f"{source}: people.{name}.timezone")
        for name, person in network.people.items()
        if person.contact.timezone
    }
    return zone, {name: own.get(name, zone) for name in network.people}
