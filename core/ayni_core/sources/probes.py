"""`kind: probes`: what this monitor reaches, tried anew at each poll. The name of a probe is its item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ayni_core.message import Phrase
from ayni_core.schema import Fields

_LONGEST_S = 20.0
"""What a probe may take: a poll every minute waits half a minute for its source."""
_MOST = 50
_ADDRESS = (
    r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?|[0-9a-fA-F:]+:[0-9a-fA-F:.]*|\[[0-9a-fA-F:.]+\](?::\d{1,5})?"
)
"""A name server stands there by its address: whoever asks for names has none to ask yet."""


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

    @classmethod
    def read(cls, fields: Fields) -> PingProbe:
        """The keys of `what: ping`."""
        probe = cls(
            host=fields.text("host"),
            count=fields.number("count", 5, at_least=1, at_most=_MOST, whole=True),
            every_s=fields.number("every_s", 0.2, at_least=0.05, at_most=5),
        )
        if probe.count * probe.every_s > _LONGEST_S:
            every, most = f"{probe.every_s:g}", f"{_LONGEST_S:g}"
            fields.fault("count", "fault.probe_long", n=probe.count, every=every, most=most)
        return probe


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsProbe:
    """Addresses of `name`, asked of `server` or of whatever this machine asks; `expected` are all that may
    be answered, if there are any."""

    name: str
    server: str
    family: str
    expected: tuple[str, ...]
    timeout_s: float

    @property
    def where(self) -> str:
        """What is asked for, and of whom."""
        return f"{self.name} @{self.server}" if self.server else self.name

    @classmethod
    def read(cls, fields: Fields) -> DnsProbe:
        """The keys of `what: dns`."""
        return cls(
            name=fields.text("name"),
            server=fields.text("server", "", pattern=_ADDRESS),
            family=fields.choice("type", ("A", "AAAA"), "A"),
            expected=fields.texts("expected"),
            timeout_s=fields.number("timeout_s", 5, at_least=0.5, at_most=_LONGEST_S),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """A page that must answer one of `status` (none: 200 to 299) and contain a text. `verify`: whether the
    certificate of a page over TLS must be right."""

    url: str
    status: tuple[int, ...]
    contains: str
    verify: bool
    timeout_s: float

    @property
    def where(self) -> str:
        """The page, without what a query may hold."""
        return self.url.partition("?")[0]

    @classmethod
    def read(cls, fields: Fields) -> HttpProbe:
        """The keys of `what: http`."""
        return cls(
            url=fields.text("url", pattern=r"https?://[^\s/@]+(?:/\S*)?"),
            status=_statuses(fields),
            contains=fields.text("contains", ""),
            verify=fields.boolean("verify", True),
            timeout_s=fields.number("timeout_s", 10, at_least=0.5, at_most=_LONGEST_S),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginProbe:
    """A monitoring plugin: a program with arguments, never a line for a shell."""

    command: tuple[str, ...]
    timeout_s: float

    @property
    def where(self) -> str:
        """The program. Its arguments may tell more than people should see."""
        return self.command[0] if self.command else ""

    @classmethod
    def read(cls, fields: Fields) -> PluginProbe:
        """The keys of `what: plugin`."""
        given = fields.raw("command")
        if not isinstance(given, list) or not given:
            fields.fault("command", "fault.expected", wanted=Phrase("word.command"))
        command = fields.texts("command") if isinstance(given, list) else ()
        if command and not command[0].startswith("/"):
            example = "/usr/lib/nagios/plugins/check_ssh"
            fields.fault("command", "fault.whole_path", given=command[0], example=example)
        if any("\0" in word for word in command):
            fields.fault("command", "fault.must_not_hold", what=Phrase("word.zero_byte"))
        return cls(
            command=command, timeout_s=fields.number("timeout_s", 10, at_least=0.5, at_most=_LONGEST_S)
        )


Probe = PingProbe | DnsProbe | HttpProbe | PluginProbe
WHAT: Mapping[str, Callable[[Fields], Probe]] = {
    "ping": PingProbe.read,
    "dns": DnsProbe.read,
    "http": HttpProbe.read,
    "plugin": PluginProbe.read,
}


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
        probes = fields.named("probes", _probe, required=True)
        if not 1 <= len(probes) <= _MOST:
            fields.fault("probes", "fault.between", least=1, most=_MOST, got=len(probes))
        return cls(probes=probes)


def _probe(_name: str, fields: Fields) -> Probe:
    probe = WHAT[fields.choice("what", tuple(WHAT))](fields)
    fields.done()
    return probe


def _statuses(fields: Fields) -> tuple[int, ...]:
    given = fields.raw("status", [])
    each = given if isinstance(given, list) else [given]
    if not all(isinstance(one, int) and not isinstance(one, bool) and 100 <= one <= 599 for one in each):
        fields.fault("status", "fault.expected", wanted=Phrase("word.statuses"))
        return ()
    return tuple(each)
