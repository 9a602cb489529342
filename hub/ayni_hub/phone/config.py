"""The section `phone` of hub.yaml: where the phone page is, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.schema import Fields
from ayni_io.http_listen import Listen, read_listen

LISTEN = "127.0.0.1:8080"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneConfig:
    """Where it listens, and who may ask."""

    listen: Listen

    @property
    def names_people(self) -> bool:
        """Neighbours see that somebody has taken an alarm on, not who."""
        return not self.listen.neighbours


def read(fields: Fields) -> PhoneConfig | None:
    """The section, if it is there: without it nothing listens. Faults are noted."""
    if fields.raw("phone") is None:
        return None
    below = fields.child("phone")
    config = PhoneConfig(listen=read_listen(below, LISTEN, for_neighbours=True))
    below.done()
    return config
