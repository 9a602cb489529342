"""`kind: probes`: what this monitor reaches, tried anew at each poll. The name of a probe is its item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ayni_core.schema import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class PingProbe:
    """`count` echo requests to `host`, `every_s` apart."""

    host: str
    count: int
    every_s: float

    @property
    def where(self) -> str:
        """What is reached."""
        return self.host


Probe = PingProbe
WHAT = ("ping",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """Probes by name."""

    KIND: ClassVar[str] = "probes"
    probes: Mapping[str, Probe]

    @property
    def where(self) -> str:
        """What is reached, as far as a line holds."""
        return ", ".join(probe.where for probe in self.probes.values())[:80]

    @property
    def secrets(self) -> Mapping[str, str]:
        """None."""
        return {}

    @classmethod
    def read(cls, fields: Fields) -> Probes:
        """The key `probes`: a mapping of names to probes."""
        return cls(probes=fields.named("probes", _probe, required=True))


def _probe(_name: str, fields: Fields) -> Probe:
    fields.choice("what", WHAT)
    probe = PingProbe(
        host=fields.text("host"),
        count=fields.number("count", 5, at_least=1, at_most=50, whole=True),
        every_s=fields.number("every_s", 0.2, at_least=0.05, at_most=5),
    )
    fields.done()
    return probe
