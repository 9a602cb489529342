"""`kind: openmetrics` and `kind: json`: what a device says over HTTP, and by which map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ayni_core.message import Phrase
from ayni_core.reference import read_reference
from ayni_core.schema import Fields

_URL = r"https?://[^\s/@?#]+(?:/[^\s#]*)?"
"""No user and password in it: people see where a device is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSource:
    """What stands at `url`, read by a map. `verify`: whether a certificate must be right."""

    KIND: ClassVar[str] = ""
    url: str
    map: str
    user: str
    password: str | None
    verify: bool
    timeout_s: float

    @property
    def where(self) -> str:
        """The address, without what a query may hold."""
        return self.url.partition("?")[0]

    @property
    def secrets(self) -> Mapping[str, str]:
        """The password."""
        return {} if self.password is None else {"password": self.password}

    @classmethod
    def _keys(cls, fields: Fields, default_map: str | None) -> dict[str, Any]:
        url = fields.text("url", pattern=_URL)
        user = fields.text("user", "")
        password = read_reference(fields, "password", None)
        if bool(user) != bool(password):
            key = "password" if user else "user"
            fields.fault(key, "fault.together", one="user", other="password")
        if ":" in user:
            fields.fault("user", "fault.must_not_hold", what=Phrase("word.colon"))
        return {
            "url": url,
            "map": fields.name("map") if default_map is None else fields.name("map", default_map),
            "user": user,
            "password": password or None,
            "verify": fields.boolean("verify", True),
            "timeout_s": fields.number("timeout_s", 10, at_least=0.5, at_most=20),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMetrics(WebSource):
    """A page of metrics, as Prometheus reads it."""

    KIND: ClassVar[str] = "openmetrics"

    @classmethod
    def read(cls, fields: Fields) -> OpenMetrics:
        """The keys of the section."""
        return cls(**cls._keys(fields, "node"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Json(WebSource):
    """Pages of JSON, or ubus by JSON-RPC where the address ends in /ubus."""

    KIND: ClassVar[str] = "json"

    @property
    def by_ubus(self) -> bool:
        """Whether it is a JSON-RPC that is asked, not pages."""
        return is_ubus(self.url)

    @classmethod
    def read(cls, fields: Fields) -> Json:
        """The keys of the section."""
        return cls(**cls._keys(fields, None))


def is_ubus(url: str) -> bool:
    """Whether an address is that of ubus, by its end."""
    return urlsplit(url).path.rstrip("/").endswith("/ubus")
