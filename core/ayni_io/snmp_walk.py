"""A walk of all that a device has, at a rate that leaves it time for its work, bounded, and never in vain.

One request at a time. What was read stays in `objects` whatever ends the walk: bounds, Ctrl+C, the device.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from ayni_core.ber import encode_oid
from ayni_core.convert import Raw
from ayni_core.snmp import V1, V2C, V3
from ayni_core.snmpfollow import read_after
from ayni_core.snmpread import Pace
from ayni_io import clock
from ayni_io.snmp import ReadingSession, SnmpReader

BEGINNING = encode_oid("0.0")
VERSIONS = {"1": V1, "2c": V2C, "3": V3}


class PoliteWalk:
    """Walks the device behind `reader`, `per_s` requests a second at most.

    `run` ends when the device has no more (`complete` is true then), or after `most_objects` or `within_s`.
    """

    def __init__(
        self,
        reader: SnmpReader,
        *,
        version: str = "2c",
        tries: int = 3,
        per_s: float = 20,
        most_objects: int = 20_000,
        within_s: float = 600,
    ) -> None:
        self.objects: dict[bytes, Raw] = {}
        self.complete = False
        self.elapsed_s = 0.0
        self._reader = reader
        self._pace = Pace(version=VERSIONS[version], tries=tries)
        self._per_s = per_s
        self._most_objects = most_objects
        self._within_s = within_s

    async def run(self, tell: Callable[[int, float], None], root: bytes = b"") -> None:
        """Walk everything, or what lies below `root`; `tell` hears of objects and seconds as it goes.

        Raises `SnmpError` where the device fails; a walk that is cancelled may be looked at all the same.
        """
        session = cast(ReadingSession, self._reader)
        begun = clock.monotonic_s()
        before = self._reader.cost.pdus
        at = root or BEGINNING
        while len(self.objects) < self._most_objects and self.elapsed_s < self._within_s:
            found = await session.run(read_after(at, self._pace), "walking")
            inside = [each for each in found if each[0].startswith(root)]
            room = self._most_objects - len(self.objects)
            self.objects.update({oid: (tag, value) for oid, tag, value in inside[:room]})
            self.complete = not found or len(inside) < len(found)
            self.elapsed_s = clock.monotonic_s() - begun
            tell(len(self.objects), self.elapsed_s)
            if self.complete:
                return
            at = found[-1][0]
            due = begun + (self._reader.cost.pdus - before) / self._per_s
            await asyncio.sleep(max(0.0, due - clock.monotonic_s()))
            self.elapsed_s = clock.monotonic_s() - begun
