"""Probes: what this monitor reaches. A probe that fails is a finding, not a fault of the source."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass, field
from itertools import pairwise

from ayni_agent.eyes import Sight
from ayni_core import perfdata
from ayni_core.fault import fault
from ayni_core.readings import MAX_TEXT, Series, Value
from ayni_core.schema import ConfigError
from ayni_core.sources.probes import DnsProbe, HttpProbe, PingProbe, PluginProbe, Probe, Probes
from ayni_io import dns, ping, program
from ayni_io.aside import Aside, BusyError
from ayni_io.dns import DnsError
from ayni_io.i18n import _
from ayni_io.ping import PingError
from ayni_io.web import Ask, Web, WebError

GOOD, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
_MOST_PAGE = 256 * 1024
_SHARE = 0.9
"""Of the time for the whole read: a probe that takes longer must not take the others' readings away."""


class ProbesEye:
    """All probes of one device, side by side, none longer than `within_s`."""

    def __init__(self, probes: Probes, within_s: float) -> None:
        self._probes = [_Probing(name, probe, within_s) for name, probe in probes.probes.items()]

    async def read(self) -> dict[Series, Value]:
        """See `Eye.read`."""
        found = await asyncio.gather(*(probing.read() for probing in self._probes))
        return {series: value for each in found for series, value in each.items()}

    def close(self) -> None:
        """Nothing is held between two reads."""


def check(source: Probes, where: str) -> None:
    """Raise `ConfigError` if what a probe needs is not installed."""
    named = [name for name, probe in source.probes.items() if isinstance(probe, DnsProbe) and probe.server]
    if named and not dns.may_ask_servers():
        raise ConfigError([fault(f"{where}.probes.{named[0]}", "fault.needs_dnspython")])


def open_eye(sight: Sight) -> ProbesEye:
    """See `ayni_agent.eyes`."""
    assert isinstance(sight.source, Probes)  # noqa: S101  the registry says so
    return ProbesEye(sight.source, sight.patience_s * _SHARE)


@dataclass(slots=True)
class _Probing:
    """One probe, and what it keeps between two reads."""

    name: str
    probe: Probe
    within_s: float
    aside: Aside = field(init=False)
    web: Web = field(init=False)
    found: dict[Series, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.aside, self.web = Aside(f"probe {self.name}"), Web(f"probe {self.name}")

    async def read(self) -> dict[Series, Value]:
        """What the probe found, be it that it failed."""
        self.found = {}
        try:
            async with asyncio.timeout(self.within_s):
                match self.probe:
                    case PingProbe():
                        await self._ping(self.probe)
                    case DnsProbe():
                        await self._dns(self.probe)
                    case HttpProbe():
                        await self._http(self.probe)
                    case PluginProbe():
                        await self._plugin(self.probe)
        except TimeoutError:
            if Series("ping", self.name, "probe_state") not in self.found:
                self._tell(UNKNOWN, _("nothing came within {within} s", within=f"{self.within_s:.0f}"))
        return self.found

    def _put(self, metric: str, value: Value, label: str = "") -> None:
        item = f"{self.name}/{label}" if label else self.name
        self.found[Series("ping", item, metric)] = value[:MAX_TEXT] if isinstance(value, str) else value

    def _tell(self, state: int, text: str | None = None) -> None:
        self._put("probe_state", state)
        self._put("probe_text", text or None)

    async def _ping(self, probe: PingProbe) -> None:
        times: list[float] = []
        tried = 0
        for metric in ("rtt_ms", "rtt_best_ms", "rtt_worst_ms", "jitter_ms"):
            self._put(metric, None)
        self._put("loss_pct", None)
        try:
            address = await ping.resolve(probe.host, self.aside)
            async for echo in ping.ping(address, count=probe.count, every_s=probe.every_s):
                tried += 1
                times += [echo.ms] if echo.ms is not None else []
                self._summary(times, tried)
        except PingError as error:
            self._tell(UNKNOWN, _("this machine may not ping: {cause}", cause=error))
        except BusyError:
            self._put("loss_pct", 100.0)
            self._tell(CRITICAL, _("the name server has not answered since the last time"))
        except (OSError, UnicodeError) as error:
            self._put("loss_pct", 100.0)
            why = error.strerror if isinstance(error, OSError) else None
            self._tell(CRITICAL, why or str(error))

    def _summary(self, times: list[float], tried: int) -> None:
        self._put("loss_pct", round(100 * (1 - len(times) / tried), 1))
        self._tell(GOOD if times else CRITICAL)
        if times:
            self._put("rtt_ms", round(sum(times) / len(times), 2))
            self._put("rtt_best_ms", round(min(times), 2))
            self._put("rtt_worst_ms", round(max(times), 2))
        if len(times) > 1:
            steps = [abs(after - before) for before, after in pairwise(times)]
            self._put("jitter_ms", round(sum(steps) / len(steps), 2))

    async def _dns(self, probe: DnsProbe) -> None:
        self._put("response_ms", None)
        begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(probe.timeout_s):
                found = await dns.ask(probe.name, probe.family, probe.server, probe.timeout_s, self.aside)
        except DnsError as error:
            self._tell(CRITICAL, str(error))
            return
        except TimeoutError:
            self._tell(CRITICAL, _("no answer within {within} s", within=f"{probe.timeout_s:g}"))
            return
        self._put("response_ms", round((asyncio.get_running_loop().time() - begun) * 1000, 1))
        answer = ", ".join(found)
        if not found:
            self._tell(CRITICAL, _("{name} has no such address", name=probe.name))
        elif probe.expected and not {*map(_address, found)} <= {*map(_address, probe.expected)}:
            expected = ", ".join(probe.expected)
            self._tell(CRITICAL, _("{answer}; expected {expected}", answer=answer, expected=expected))
        else:
            self._tell(GOOD, answer)

    async def _http(self, probe: HttpProbe) -> None:
        self._put("http_status", None)
        self._put("response_ms", None)
        ask = Ask(url=probe.url, within_s=probe.timeout_s, most=_MOST_PAGE, verify=probe.verify)
        try:
            answer = await self.web.ask(ask)
        except WebError as error:
            self._tell(CRITICAL, str(error))
            return
        self._put("http_status", answer.status)
        self._put("response_ms", round(answer.took_s * 1000, 1))
        if not (answer.status in probe.status if probe.status else 200 <= answer.status < 300):
            wanted = ", ".join(map(str, probe.status)) or "200–299"
            self._tell(CRITICAL, _("status {status}; expected {wanted}", status=answer.status, wanted=wanted))
        elif probe.contains.encode() not in answer.body:
            self._tell(CRITICAL, _('the page does not contain "{text}"', text=probe.contains))
        else:
            self._tell(GOOD)

    async def _plugin(self, probe: PluginProbe) -> None:
        try:
            ended = await program.run(probe.command, probe.timeout_s)
        except OSError as error:
            self._tell(UNKNOWN, _("{program}: {cause}", program=probe.command[0], cause=error.strerror))
            return
        said = perfdata.parse(ended.output)
        for perf in said.perf:
            self._put(perf.metric, perf.value, perf.label)
        if ended.status is None:
            self._tell(UNKNOWN, _("it was not done within {within} s", within=f"{probe.timeout_s:g}"))
        else:
            known = ended.status in (GOOD, WARNING, CRITICAL, UNKNOWN)
            ending = "" if known else _("it ended with status {status}", status=ended.status)
            self._tell(ended.status if known else UNKNOWN, said.text or ending)


def _address(text: str) -> str:
    """One form of an address, so that two are equal that mean the same."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text
