"""Probes: what this monitor reaches. A probe that fails is a finding, not a fault of the source."""

from __future__ import annotations

import asyncio

from ayni_agent.eyes import EyeError, Sight
from ayni_core.readings import Series, Value
from ayni_core.sources.probes import PingProbe, Probes
from ayni_io import ping
from ayni_io.i18n import _
from ayni_io.ping import PingError


class ProbesEye:
    """All probes of one device, side by side."""

    def __init__(self, probes: Probes) -> None:
        self._probes = probes.probes

    async def read(self) -> dict[Series, Value]:
        """See `Eye.read`."""
        found = await asyncio.gather(*(_ping(name, probe) for name, probe in self._probes.items()))
        return {series: value for each in found for series, value in each.items()}

    def close(self) -> None:
        """Nothing is held between two reads."""


def open_eye(sight: Sight) -> ProbesEye:
    """See `ayni_agent.eyes`."""
    assert isinstance(sight.source, Probes)  # noqa: S101  the registry says so
    return ProbesEye(sight.source)


async def _ping(name: str, probe: PingProbe) -> dict[Series, Value]:
    times: list[float] = []
    try:
        address = await ping.resolve(probe.host)
        async for echo in ping.ping(address, count=probe.count):
            times += [echo.ms] if echo.ms is not None else []
    except PingError as error:
        raise EyeError(
            _("probe {name}: this machine may not ping: {cause}", name=name, cause=error)
        ) from None
    except (OSError, UnicodeError):
        times = []
    loss = round(100 * (1 - len(times) / probe.count), 1)
    mean = round(sum(times) / len(times), 2) if times else None
    return {Series("ping", name, "loss_pct"): loss, Series("ping", name, "rtt_ms"): mean}
