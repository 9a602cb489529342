"""The keeper of accounts beside a running hub: renews passwords that are old, goes on with renewals that were
cut off, answers machines that were invited, and ends invitations whose time is over.

Its trouble is told in the log, once for each cause, and never ends the hub.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ayni_core import installed
from ayni_core.message import Message
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import Event
from ayni_core.wire.shape import pack
from ayni_hub.config import HubConfig
from ayni_hub.keys.enrolling import Enrolling
from ayni_hub.keys.line import Line
from ayni_hub.keys.record import Kept, Record, RecordError
from ayni_io import clock
from ayni_io.control import ControlError
from ayni_io.i18n import say
from ayni_io.mqtt import BrokerConfig, MqttError

log = logging.getLogger("keeper")
_LOOK_S = 5.0
_AGAIN_S = 600.0
_OTHERS_S = 90.0
"""A renewal that is younger is still in the hands of whoever began it."""
_UNUSED_S = 24 * 3600.0
_DAY_S = 86_400.0
_MOST_AT_ONCE, _MOST_ASKS = 8, 100

Present = Callable[[], Mapping[str, str]]
"""The nodes that are there now, each with the epoch of its start."""


class Keeper:
    """Runs until cancelled. `config.accounts` is there; `tell` is given what people should know."""

    def __init__(
        self,
        config: HubConfig,
        broker: BrokerConfig,
        present: Present,
        tell: Callable[[Event], None],
        *,
        look_s: float = _LOOK_S,
        now: Callable[[], float] = clock.wall_s,
    ) -> None:
        assert config.accounts is not None  # noqa: S101  the caller looked
        self._renew_days = config.accounts.renew_days
        self._present, self._tell, self._look_s, self._now = present, tell, look_s, now
        self._record = Record(config.data_dir)
        self._line = Line(broker, self._record, broker.username or "")
        self._enrolling = Enrolling(
            self._line.control,
            self._record,
            hub=config.name,
            network=config.network,
            ca=Path(config.broker.ca or installed.CA),
            now=now,
        )
        self._line.listen_for_enrolment(self._asked)
        self._line.client.on_disconnect = self._lost
        self._tried: dict[str, tuple[str, float]] = {}
        self._invited: set[str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering: set[str] = set()
        self._asks: dict[str, int] = {}
        self._cause = ""
        self._swept = False

    async def run(self) -> None:
        """See `hub.companions`."""
        connection = asyncio.create_task(self._line.client.run())
        try:
            while True:
                if self._line.client.connected:
                    await self._guarded(self._look())
                await asyncio.sleep(self._look_s)
        finally:
            for task in (connection, *self._tasks):
                task.cancel()
            await asyncio.gather(connection, *self._tasks, return_exceptions=True)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
            self._cause = ""
        except (ControlError, RecordError, MqttError) as error:
            if str(error) != self._cause:
                self._cause = str(error)
                log.warning("accounts not kept cause=%s", error)

    def _lost(self, reason: str) -> None:
        if reason != self._cause:
            self._cause = reason
            log.warning("broker lost cause=%s", reason)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- passwords

    async def _look(self) -> None:
        now = self._now()
        kept = await asyncio.to_thread(self._record.read)
        await self._look_at_invitations(kept, now)
        await self._look_at_unused(kept, now)
        node = await self._next(kept, now)
        if node is not None:
            await self._renew(node)

    async def _next(self, kept: Kept, now: float) -> str | None:
        """Whose password is to be renewed now: first what was cut off, then the oldest."""
        present = self._present()
        begun = [node for node, each in kept.underway.items() if now - each.since > _OTHERS_S]
        old: list[str] = []
        if self._renew_days is not None:
            unknown = {node: now for node in present if node not in kept.renewed}
            if unknown:  # nobody knows how old theirs are: they count from now on
                await asyncio.to_thread(self._record.note, unknown)
            until = now - self._renew_days * _DAY_S
            due = [node for node in present if kept.renewed.get(node, now) < until]
            old = sorted(due, key=lambda node: kept.renewed[node])
        for node in (*begun, *old):
            if node in present and not self._line.renewing.busy(node):
                epoch, at = self._tried.get(node, ("", 0.0))
                if epoch != present[node] or not 0 <= now - at < _AGAIN_S:
                    self._tried[node] = (present[node], now)
                    return node
        return None

    async def _renew(self, node: str) -> None:
        result = await self._line.renewing.renew(node)
        if result.state == "used":
            self._say(node, "info", Message("event.password_renewed", {"node": node}))
        elif result.state == "refused" and result.text is not None:
            values = {"node": node, "cause": say(result.text)}
            self._say(node, "warn", Message("event.password_refused", values))

    async def _look_at_unused(self, kept: Kept, now: float) -> None:
        """Whoever has not come back with a new password for a day may need a visit."""
        for node, each in kept.underway.items():
            if each.set_at is not None and not each.told and now - each.set_at > _UNUSED_S:
                await asyncio.to_thread(self._record.change, node, replace(each, told=True))
                hours = round((now - each.set_at) / 3600)
                self._say(node, "warn", Message("event.password_unused", {"node": node, "hours": hours}))

    # ---- invitations

    async def _look_at_invitations(self, kept: Kept, now: float) -> None:
        known, self._invited = self._invited, set(kept.invited)
        self._asks = {node: asks for node, asks in self._asks.items() if node in self._invited}
        for node in self._invited - (self._invited if known is None else known):
            hours = round((kept.invited[node].until - now) / 3600)
            self._say(node, "info", Message("event.invited", {"node": node, "hours": hours}))
        for node, invitation in kept.invited.items():
            if now > invitation.until:
                await self._enrolling.end(node)
                self._say(node, "info", Message("event.invitation_ended", {"node": node}))
        if not self._swept:
            await self._enrolling.sweep()
            self._swept = True

    def _asked(self, node: str, payload: bytes) -> None:
        """Somebody wants to become a node. One that asks without end is heard no more until it is invited
        anew."""
        asks = self._asks[node] = self._asks.get(node, 0) + 1
        if node not in self._answering and len(self._answering) < _MOST_AT_ONCE and asks <= _MOST_ASKS:
            self._answering.add(node)
            self._spawn(self._answer(node, payload))

    async def _answer(self, node: str, payload: bytes) -> None:
        try:
            welcome = await self._enrolling.answer(node, payload)
            await self._line.client.publish(topics.welcome(node), pack(welcome))
            if welcome.done and await self._enrolling.end(node):
                self._say(node, "info", Message("event.enrolled", {"node": node}))
        except WireError as error:
            log.warning("not understood topic=%s cause=%s", topics.enrol(node), error)
        finally:
            self._answering.discard(node)

    def _say(self, node: str, level: str, text: Message) -> None:
        self._tell(Event(at=self._now(), text=text, level=level, kind="node", name=node))
