"""Who feeds whom: `powered_by` of a device, as in PoE: a switch, and perhaps the port of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ayni_core.message import Phrase
from ayni_core.schema import Fields, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class PoweredBy:
    """The device that another one is dead without, and the port it hangs on, where that is known."""

    device: str
    port: str = ""


class _Fed(Protocol):
    @property
    def powered_by(self) -> PoweredBy | None: ...


def read(fields: Fields) -> PoweredBy | None:
    """`powered_by: NAME`, or `powered_by: {device: NAME, port: PORT}`."""
    if "powered_by" not in fields:
        return None
    if not isinstance(fields.raw("powered_by"), Mapping):
        return PoweredBy(device=fields.name("powered_by"))
    below = fields.child("powered_by")
    found = PoweredBy(device=below.name("device"), port=below.text("port", ""))
    below.done()
    return found


def check(devices: Mapping[str, _Fed], fields: Fields) -> None:
    """What feeds a device must be there, and nothing feeds itself, not even by way of others."""
    for name, device in devices.items():
        path = f"devices.{name}.powered_by"
        if device.powered_by is None:
            continue
        source = device.powered_by.device
        if source and source not in devices:
            what, hint = Phrase("word.device"), did_you_mean(source, devices)
            fields.faults.add(path, "fault.unknown", what=what, name=source, hint=hint)
        elif name == min(_circle(name, devices), default=None):
            way = " <- ".join((*_circle(name, devices), name))
            fields.faults.add(path, "fault.circle", way=way)


def _circle(name: str, devices: Mapping[str, _Fed]) -> list[str]:
    """The circle that leads from a device back to it; empty where there is none."""
    way = [name]
    while True:
        fed = devices[way[-1]].powered_by
        if fed is None or fed.device not in devices:
            return []
        if fed.device == name:
            return way
        if fed.device in way:  # somebody else's circle
            return []
        way.append(fed.device)
