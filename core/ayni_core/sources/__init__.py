"""Where readings come from when it is not SNMP: the section `source:` of a device.

`kind` says what is asked, the other keys how. Each kind is a frozen value in a module of its own, so that the
inventory and the agent read the same section by the same rules; what opens one is `ayni_agent.eyes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

from ayni_core.schema import Fields
from ayni_core.sources.host import Host
from ayni_core.sources.ina219 import Ina219
from ayni_core.sources.modbus import Modbus
from ayni_core.sources.nut import Nut
from ayni_core.sources.probes import Probes
from ayni_core.sources.vedirect import VeDirect
from ayni_core.sources.web import Json, OpenMetrics


class Source(Protocol):
    """What the device is asked, and how. Compared by value: an equal one is the same source."""

    KIND: ClassVar[str]

    @property
    def where(self) -> str:
        """What people call the place: an address, a port, a file."""
        ...

    @property
    def secrets(self) -> Mapping[str, str]:
        """References of secrets by the key in the file that holds each."""
        ...


KINDS: Mapping[str, Callable[[Fields], Source]] = {
    Probes.KIND: Probes.read,
    Host.KIND: Host.read,
    OpenMetrics.KIND: OpenMetrics.read,
    Json.KIND: Json.read,
    VeDirect.KIND: VeDirect.read,
    Modbus.KIND: Modbus.read,
    Ina219.KIND: Ina219.read,
    Nut.KIND: Nut.read,
}


def read(fields: Fields) -> Source:
    """The section as a value; faults are noted, and then what is returned is not to be used."""
    kind: str = fields.choice("kind", tuple(KINDS))
    source = KINDS[kind](fields)
    fields.done()
    return source
