"""A Victron device at its VE.Direct port: once a second it says everything, whether asked or not.

The port stays open; it is listened to only while somebody reads, so that it costs nothing in between. One
burst of blocks is enough: a battery monitor sends two, one right after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ayni_agent.eyes import EyeError, Sight
from ayni_agent.eyes.serial_port import SerialPort
from ayni_core.power.vedirect import Block, Blocks
from ayni_core.power.vedirect_readings import STATES, readings
from ayni_core.readings import Series, Value
from ayni_core.sources.vedirect import VeDirect
from ayni_io.i18n import _

BAUD = 19200
_LISTEN_S = 4.5
"""Four bursts: one may be cut by where it began, another by a HEX message."""
_PAUSE_S = 0.25
"""Between two bursts nothing comes for longer than that, within one for less."""


class VeDirectEye:
    """See `ayni_agent.eyes.Eye`."""

    states: Mapping[Series, Mapping[int, str]] = STATES

    def __init__(self, source: VeDirect, patience_s: float = 30.0) -> None:
        self._path = source.port
        self._patience_s = patience_s
        self._port: SerialPort | None = None

    async def read(self) -> dict[Series, Value]:
        """What the next burst says."""
        try:
            if self._port is None:
                self._port = SerialPort(self._path, BAUD)
            self._port.forget()
            return readings(await self._burst(self._port))
        except EyeError:
            self.close()  # opened anew: the adapter may have come back under the same name
            raise

    async def _burst(self, port: SerialPort) -> Block:
        blocks, fresh = Blocks(), False
        found: Block = {}
        loop = asyncio.get_running_loop()
        end_s = loop.time() + min(_LISTEN_S, 0.85 * self._patience_s)  # to say what is wrong takes time, too
        while loop.time() < end_s:
            octets = await port.read(_PAUSE_S)
            if not octets:
                if found and fresh:
                    return found
                blocks.quiet()
                fresh, found = True, {}  # what came before may be the last block of two
            for block in blocks.feed(octets):
                if found.keys() & block.keys():
                    return found | block  # the next burst: nothing new will come
                found |= block
        if found:
            return found
        raise EyeError(self._why(blocks))

    def _why(self, blocks: Blocks) -> str:
        if blocks.wrong:
            return _(
                "{port}: every VE.Direct block comes with a wrong checksum; is the cable sound, and shorter "
                "than 10 m?",
                port=self._path,
            )
        if blocks.octets:
            return _(
                "{port}: octets come, but no VE.Direct block; is a VE.Direct device at this port, and its"
                " speed {baud}?",
                port=self._path, baud=BAUD,
            )  # fmt: skip
        return _(
            "{port}: nothing comes; is the device on, and the cable in its VE.Direct port?", port=self._path
        )

    def close(self) -> None:
        """Give the port back."""
        if self._port is not None:
            self._port.close()
            self._port = None


def open_eye(sight: Sight) -> VeDirectEye:
    """See `ayni_agent.eyes`."""
    assert isinstance(sight.source, VeDirect)  # noqa: S101  the registry says so
    return VeDirectEye(sight.source, sight.patience_s)
