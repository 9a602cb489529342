"""A sign of life to an address outside: a dead hub cannot announce itself, but it can be missed.

Only while the hub is really well: it takes in, its memory can be written, its broker is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ayni_core.message import Message
from ayni_core.reach import Heartbeat
from ayni_core.schema import ConfigError
from ayni_core.wire.messages import Event
from ayni_io import i18n, secret
from ayni_io.i18n import _
from ayni_io.web import Ask, Web, WebError

log = logging.getLogger("hub")
_WITHIN_S = 20.0
_MOST_BYTES = 64 * 1024
_LOOK_S = 5.0


class Heart:
    """Beats every few minutes. `well` tells whether there is anything to announce; it may write a little."""

    def __init__(
        self, heartbeat: Heartbeat, source: str, well: Callable[[], bool], clock: Callable[[], float]
    ) -> None:
        self._heartbeat = heartbeat
        self._where = f"{source}: network.heartbeat.url"
        self._well = well
        self._clock = clock
        self._web = Web("heartbeat")
        self._failing = False
        self.events: list[Event] = []

    async def run(self) -> None:
        """Beat until cancelled. A hub that is not well is looked at again soon."""
        while True:
            if not self._well():
                await asyncio.sleep(_LOOK_S)
                continue
            await self.beat()
            await asyncio.sleep(self._heartbeat.every_min * 60)

    async def beat(self) -> None:
        """One beat; that it fails, or works again, is told once."""
        reason = await self._ask()
        if bool(reason) == self._failing:
            return
        self._failing = bool(reason)
        if reason:
            log.warning("heartbeat lost cause=%s", reason)
            text = Message("event.heartbeat_failing", {"reason": reason})
        else:
            log.info("heartbeat found")
            text = Message("event.heartbeat_works")
        self.events.append(Event(at=self._clock(), text=text, level="warn" if reason else "info"))

    async def _ask(self) -> str:
        """Why it did not arrive; empty when it did."""
        try:
            url = secret.resolve(self._heartbeat.url, self._where).reveal()
            if not _is_private(url):
                return _("the address must begin with https://")
            answer = await self._web.ask(Ask(url=url, within_s=_WITHIN_S, most=_MOST_BYTES))
        except ConfigError as error:
            return i18n.reason(error)
        except WebError as error:
            return str(error).replace(url, "…").replace(url[:80], "…")
        return (
            "" if 200 <= answer.status < 300 else _("it answers with status {status}", status=answer.status)
        )


def _is_private(url: str) -> bool:
    """Whether nobody on the way can read the address, which is a secret."""
    return url.startswith(("https://", "http://127.", "http://localhost", "http://[::1]"))
