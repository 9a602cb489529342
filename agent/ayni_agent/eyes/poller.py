"""Polls one eye as `ayni_agent.poller.Poller` polls a device over SNMP."""

from __future__ import annotations

import asyncio

from ayni_agent.eyes import Eye, EyeError
from ayni_core.identify import Identity
from ayni_core.readings import Names, Poll, Row, Series

_PROFILE = Series("system", "", "profile")


class EyePoller:
    """Reads `eye`, which is called `name`, within `patience_s`; `kind` stands for the profile."""

    def __init__(self, name: str, eye: Eye, kind: str, patience_s: float) -> None:
        self.name = name
        self.identity: Identity | None = None
        self.slow_every = 1
        self._eye = eye
        self._kind = kind
        self._patience_s = patience_s
        self._names: Names | None = None

    async def poll(self, now_s: float) -> Poll:
        """Everything the source says now; `now_s` is monotonic. It never raises for what the source does."""
        try:
            async with asyncio.timeout(self._patience_s):
                found = await self._eye.read()
        except EyeError as error:
            return Poll(device=self.name, at_s=now_s, values={}, error=str(error))
        except TimeoutError:
            late = f"{self._kind}: nothing came within {self._patience_s:.0f} s"
            return Poll(device=self.name, at_s=now_s, values={}, error=late)
        row = Row.of({**found, _PROFILE: self._kind}, self._names)
        self._names = row.names
        return Poll(device=self.name, at_s=now_s, values=row)

    async def pulse(self, now_s: float) -> Poll:
        """Whether the source answers: there is nothing cheaper than to read it."""
        poll = await self.poll(now_s)
        return poll if poll.error else Poll(device=self.name, at_s=now_s, values={})

    def close(self) -> None:
        """Give back what the eye holds."""
        self._eye.close()
