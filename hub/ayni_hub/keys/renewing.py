"""A new password for a node, handed over its own connection: never a moment in which it knows none.

Theory of operation. Mosquitto has one password per account, so the order is the law of this file:

    1  written down here           a crash: the same one is used again
    2  sent to the node            lost: it is sent again
    3  the node has it on disk     it answers `stored`, however often it is asked
    4  given to the broker         its session ends, and the next one tries the old, then the new
    5  the node came with it       it answers `used`: forgotten here

Before 4 the old one works, and from 4 on the new one, which the node has. Whoever crashes between two steps
goes on from what is written down: every step may be done twice.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from ayni_core.message import Message
from ayni_core.wire import WireError, topics
from ayni_core.wire.keys import STATES, Renewal, Renewed
from ayni_core.wire.shape import pack, unpack
from ayni_hub.keys.record import Record, Underway
from ayni_io import clock
from ayni_io.control import Control
from ayni_io.mqtt import MqttClient, MqttError
from ayni_io.secret import Secret

log = logging.getLogger("keeper")
PAUSE_S = 3.0
WITHIN_S = 45.0
_MOST_WAITING = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How far it came: `used`; `refused` by the node; `away`: it does not answer; `waiting`: the broker has
    it, the node has not come back yet. The last two go on later."""

    state: str
    text: Message | None = None


class Renewing:
    """Over a connection of the keeper, which hears where nodes tell of it. `pause_s` is between two tries."""

    def __init__(
        self,
        client: MqttClient,
        control: Control,
        record: Record,
        *,
        within_s: float = WITHIN_S,
        pause_s: float = PAUSE_S,
        now: Callable[[], float] = clock.wall_s,
    ) -> None:
        self._client = client
        self._control = control
        self._record = record
        self._within_s, self._pause_s = within_s, pause_s
        self._now = now
        self._answers: dict[str, asyncio.Queue[Renewed]] = {}

    def hear(self, node: str, payload: bytes) -> None:
        """What came on `renewed/NODE`; nothing, where nobody waits for it. Raises `WireError`."""
        queue = self._answers.get(node)
        if queue is None or queue.qsize() >= _MOST_WAITING:
            return
        answer = unpack(Renewed, payload)
        if answer.state not in STATES:
            raise WireError("Renewed.state: unknown")
        queue.put_nowait(answer)

    def busy(self, node: str) -> bool:
        """Whether this is doing it just now."""
        return node in self._answers

    async def renew(self, node: str) -> Result:
        """Bring it as far as it goes. Raises `ControlError` and `RecordError`."""
        queue = self._answers.setdefault(node, asyncio.Queue())
        try:
            return await self._drive(node, queue)
        finally:
            del self._answers[node]

    async def _drive(self, node: str, queue: asyncio.Queue[Renewed]) -> Result:
        fresh = Underway(id=secrets.token_hex(8), password=secrets.token_urlsafe(24), since=self._now())
        underway = await asyncio.to_thread(self._record.begin, node, fresh)
        given, answered = False, False
        end_s = clock.monotonic_s() + self._within_s
        while clock.monotonic_s() < end_s:
            answer = await self._ask(node, underway, queue)
            if answer is None:
                if not answered and clock.monotonic_s() > end_s - self._within_s * 2 / 3:
                    break  # it was never there: others wait
                continue
            answered = True
            if answer.state == "used":
                await asyncio.to_thread(self._record.finish, node, self._now())
                log.info("password renewed node=%s", node)
                return Result(state="used")
            if answer.state == "refused":
                if underway.set_at is None:
                    await asyncio.to_thread(self._record.finish, node, None)
                return Result(state="refused", text=answer.text)
            if not given:
                await self._control.set_password(f"n-{node}", Secret(underway.password))
                underway = await asyncio.to_thread(self._record.given, node, underway, self._now())
                given = True
        return Result(state="away" if underway.set_at is None else "waiting")

    async def _ask(self, node: str, underway: Underway, queue: asyncio.Queue[Renewed]) -> Renewed | None:
        """Send it, and what the node answers; None when it does not, for now."""
        payload = pack(Renewal(id=underway.id, password=underway.password))
        end_s = clock.monotonic_s() + self._pause_s
        try:
            if not await self._client.publish(topics.renew(node), payload):
                await asyncio.sleep(self._pause_s / 3)  # the broker says that nobody listens
                return None
            while True:
                async with asyncio.timeout(end_s - clock.monotonic_s()):
                    answer = await queue.get()
                if answer.id == underway.id:
                    return answer
        except TimeoutError:
            return None
        except MqttError:
            await asyncio.sleep(self._pause_s / 3)
            return None
