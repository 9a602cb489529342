"""Time zones by their IANA names, out of the machine's own list (Debian: tzdata)."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, tzinfo

from ayni_core.fault import fault
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError, did_you_mean


def find(name: str, where: str) -> tzinfo:
    """The zone of a name such as America/Lima. Raises `ConfigError`; `where` says what asks for it."""
    if name == "UTC":  # this one needs no list
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass
    known = zoneinfo.available_timezones()
    if not known:
        raise ConfigError([fault(where, "fault.no_zones")])
    what, hint = Phrase("word.zone"), did_you_mean(name, known)
    raise ConfigError([fault(where, "fault.unknown", what=what, name=name, hint=hint)])
