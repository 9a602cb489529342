"""`kind: nut`: an uninterruptible supply that a NUT server (upsd) looks after."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ayni_core.reference import read_reference
from ayni_core.schema import Fields
from ayni_core.sources.address import host_and_port

_WORD = re.compile(r"[A-Za-z0-9_.@-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nut:
    """`ups` as the server names it; without it, the only one there. `password` is a reference."""

    KIND: ClassVar[str] = "nut"
    host: str
    port: int
    ups: str = ""
    username: str = ""
    password: str = ""

    @property
    def where(self) -> str:
        """The supply and its server."""
        return f"{self.ups}@{self.host}:{self.port}" if self.ups else f"{self.host}:{self.port}"

    @property
    def secrets(self) -> Mapping[str, str]:
        """The password."""
        return {"password": self.password} if self.password else {}

    @classmethod
    def read(cls, fields: Fields) -> Nut:
        """The section; a user has a password."""
        host, port = host_and_port(fields, "address", 3493)
        found = cls(
            host=host,
            port=port,
            ups=fields.text("ups", ""),
            username=fields.text("username", ""),
            password=read_reference(fields, "password", ""),
        )
        for key in ("ups", "username"):
            if (text := getattr(found, key)) and not _WORD.fullmatch(text):
                fields.fault(key, "fault.one_word", given=text)
        if bool(found.username) != bool(found.password):
            fields.fault("username", "fault.together", one="username", other="password")
        return found
