"""Who plays a device of the inventory: the family and model that the lab gives it."""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.inventory import Device
from ayni_core.schema import Fields
from ayni_lab.machine import FAMILIES, Machine, ports

_MODELS = {
    "routeros": ("SXTsq 5 ac", "6.49.10"),
    "airos": ("LiteBeam 5AC Gen2", "XC.v8.7.11"),
    "linux": ("server", "6.1.0-21-arm64"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a device is in the lab. `ethernet` counts its sockets (RouterOS only)."""

    family: str
    model: str
    version: str
    ethernet: int = 1

    @staticmethod
    def for_device(*, radio: bool) -> Role:
        """The role of a device that the scenario does not mention."""
        family = "airos" if radio else "linux"
        model, version = _MODELS[family]
        return Role(family=family, model=model, version=version)


def read_role(fields: Fields) -> Role:
    """One entry of a scenario's `devices:`."""
    family = fields.choice("family", FAMILIES)
    model, version = _MODELS[family]
    role = Role(
        family=family,
        model=fields.text("model", model),
        version=fields.text("version", version),
        ethernet=fields.number("ethernet", 1, at_least=1, at_most=24, whole=True),
    )
    fields.done()
    return role


def machine_of(device: Device, role: Role, booted_at: float, *, radio: bool) -> Machine:
    """The machine that plays a device."""
    memory = (1024 if role.family == "linux" else 64) * 2**20
    return Machine(
        name=device.name,
        title=device.title,
        family=role.family,
        model=role.model,
        version=role.version,
        address=_address(device.host),
        booted_at=booted_at,
        ports=ports(role.family, device.name, radio=radio, ethernet=role.ethernet),
        memory_total_bytes=memory,
        memory_used_bytes=round(memory * 0.45),
    )


def _address(host: str) -> bytes:
    parts = host.split(".")
    if len(parts) == 4 and all(part.isdecimal() and int(part) < 256 for part in parts):
        return bytes(map(int, parts))
    return bytes((127, 0, 0, 1))
