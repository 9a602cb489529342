"""A scenario file: who plays the devices of a network, and what can be broken in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ayni_core.inventory import Network
from ayni_core.message import Phrase
from ayni_core.schema import Fields, did_you_mean
from ayni_lab.cast import Role, read_role
from ayni_lab.faults import FaultPlan, read_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`cast` by device; `faults` in the order in which the lab offers them."""

    cast: Mapping[str, Role]
    faults: Mapping[str, FaultPlan]


def parse(fields: Fields, network: Network) -> Scenario:
    """Read a scenario for a network."""
    cast = fields.named("devices", lambda _name, below: read_role(below))
    for name in cast:
        if name not in network.devices:
            what, hint = Phrase("word.device"), did_you_mean(name, network.devices)
            fields.faults.add(f"devices.{name}", "fault.unknown", what=what, name=name, hint=hint)
    faults = fields.named("faults", lambda name, below: read_fault(name, below, network), required=True)
    return Scenario(cast=cast, faults=faults)
