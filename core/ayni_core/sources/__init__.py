"""Where readings come from when it is not SNMP: the section `source:` of a device.

`kind` says what is asked, the other keys how. Each kind is a frozen value in a module of its own, so that the
inventory and the agent read the same section by the same rules; what opens one is `ayni_agent.eyes`. A module
is imported where its kind is met: most agents have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar, Protocol

from ayni_core.schema import Fields


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


KINDS: Mapping[str, tuple[str, str]] = {
    "probes": ("probes", "Probes"),
    "host": ("host", "Host"),
    "openmetrics": ("web", "OpenMetrics"),
    "json": ("web", "Json"),
    "ve-direct": ("vedirect", "VeDirect"),
    "modbus": ("modbus", "Modbus"),
    "ina219": ("ina219", "Ina219"),
    "nut": ("nut", "Nut"),
}
"""Module here and class of each kind."""


def read(fields: Fields) -> Source:
    """The section as a value; faults are noted, and then what is returned is not to be used."""
    kind: str = fields.choice("kind", tuple(KINDS))
    module, name = KINDS[kind]
    source: Source = getattr(import_module(f"{__name__}.{module}"), name).read(fields)
    fields.done()
    return source
