"""`kind: host`: the machine that the monitor itself runs on, as its kernel tells in /proc and /sys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ayni_core.schema import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """This machine. There is nothing to say about it."""

    KIND: ClassVar[str] = "host"

    @property
    def where(self) -> str:
        """The name that every machine has for itself."""
        return "localhost"

    @property
    def secrets(self) -> Mapping[str, str]:
        """None."""
        return {}

    @classmethod
    def read(cls, _fields: Fields) -> Host:
        """No further keys."""
        return cls()
