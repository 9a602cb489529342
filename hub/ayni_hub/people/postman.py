"""Carries what waits: one message at a time to a target, a few at once, and again after growing pauses.

A message is written down as under way before it leaves. After a day it is given up, and that is an event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from ayni_core.inventory import Person
from ayni_core.message import Message
from ayni_core.reach import Target
from ayni_core.wire.messages import Event
from ayni_hub.people.memory import GIVEN_UP, MOOT, SENDING, SENT, WAITING, Notice
from ayni_hub.people.outbox import Outbox
from ayni_hub.people.senders import Result
from ayni_hub.people.wording import fit

log = logging.getLogger("hub")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 3600.0
GIVEN_UP_AFTER_S = 86400.0
AT_ONCE = 4
_FAILING_AFTER = 3
FAILING = "failing"
"""Marks that begin so name a target that does not work; the value is why."""
Send = Callable[[str, Target, str, str], Awaitable[Result]]


@dataclass(slots=True)
class Way:
    """How it goes with one target: failures in a row, and not to be tried before."""

    failures: int = 0
    not_before: float = 0.0
    reason: str = ""


class Postman:
    """Sends for an outbox. `again` is what stands below a message that may have arrived already, `may_go`
    whether one may disturb its person now."""

    def __init__(
        self,
        outbox: Outbox,
        people: Mapping[str, Person],
        send: Send,
        clock: Callable[[], float],
        again: Callable[[str], str],
        may_go: Callable[[Notice, float], bool] = lambda _notice, _now: True,
    ) -> None:
        self._outbox = outbox
        self._targets = {
            (person.name, target.name): target
            for person in people.values()
            for target in person.contact.targets
        }
        self._people = people
        self._send = send
        self._clock = clock
        self._again = again
        self._may_go = may_go
        self.ways: dict[tuple[str, str], Way] = {where: Way() for where in self._targets}
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}
        self.events: list[Event] = []
        self.on_free: Callable[[], None] = lambda: None
        """Called when something more may be sent."""

    def pump(self, now: float) -> None:
        """Begin to send what may be sent; needs a running loop."""
        for notice in self._outbox.waiting(now):
            where = (notice.person, notice.target)
            way = self.ways.get(where)
            if way is None:  # the target left the inventory
                self._outbox.change(replace(notice, state=MOOT, changed=now))
            elif now - max(notice.made, notice.due) >= GIVEN_UP_AFTER_S:
                self._give_up(notice, way.reason, now)
            elif (
                where not in self._under_way
                and len(self._under_way) < AT_ONCE
                and self._may_go(notice, now)
                and (
                    now >= way.not_before or way.not_before - now > LONGEST_PAUSE_S
                )  # the clock was set back
            ):
                self._begin(notice, now)
        self._outbox.commit()

    async def stop(self) -> None:
        """Leave what is under way; it counts as perhaps sent."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for notice in list(self._outbox.notices.values()):
            if notice.state == SENDING:
                self._outbox.change(replace(notice, state=WAITING, again=True))
        self._outbox.commit()

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._under_way)

    def _begin(self, notice: Notice, now: float) -> None:
        notice = replace(notice, state=SENDING, tries=notice.tries + 1, changed=now)
        self._outbox.change(notice)
        where = (notice.person, notice.target)
        task = asyncio.get_running_loop().create_task(self._carry(notice))
        self._under_way[where] = task
        task.add_done_callback(lambda _done: self._is_free(where))

    def _is_free(self, where: tuple[str, str]) -> None:
        self._under_way.pop(where, None)
        self.on_free()

    async def _carry(self, notice: Notice) -> None:
        """The task starts after `pump` has written that it is under way."""
        target = self._targets[notice.person, notice.target]
        title, body = notice.title, notice.body
        if notice.again and target.form == "short":
            title = fit([title, self._again(notice.person)])
        elif notice.again:
            body = "\n".join(part for part in (body, self._again(notice.person)) if part)
        try:
            result = await self._send(notice.person, target, title, body)
        except Exception as problem:
            log.exception("sending failed person=%s target=%s", notice.person, notice.target)
            result = Result(ok=False, reason=type(problem).__name__)
        now = self._clock()
        if result.ok:
            self._outbox.change(replace(notice, state=SENT, reason="", changed=now))
            self._arrived(notice, now)
        else:
            again = notice.again or result.unknown
            self._outbox.change(
                replace(notice, state=WAITING, again=again, reason=result.reason, changed=now)
            )
            self._failed(notice, result, now)
        self._outbox.commit()

    def _arrived(self, notice: Notice, now: float) -> None:
        way = self.ways[notice.person, notice.target]
        way.failures, way.not_before, way.reason = 0, 0.0, ""
        mark = f"{FAILING}/{notice.person}/{notice.target}"
        if self._outbox.marks.get(mark):
            self._outbox.mark(mark, "")
            log.info("messages arrive again person=%s target=%s", notice.person, notice.target)
            self._happened("event.target_works", notice, "", now)

    def _failed(self, notice: Notice, result: Result, now: float) -> None:
        way = self.ways[notice.person, notice.target]
        way.failures += 1
        pause = min(FIRST_PAUSE_S * 2 ** min(way.failures - 1, 10), LONGEST_PAUSE_S)
        way.not_before, way.reason = now + max(pause, min(result.wait_s, LONGEST_PAUSE_S)), result.reason
        mark = f"{FAILING}/{notice.person}/{notice.target}"
        if way.failures >= _FAILING_AFTER and not self._outbox.marks.get(mark):
            self._outbox.mark(mark, result.reason)
            log.warning(
                "messages do not arrive person=%s target=%s cause=%s",
                notice.person,
                notice.target,
                result.reason,
            )
            self._happened("event.target_failing", notice, result.reason, now)

    def _give_up(self, notice: Notice, reason: str, now: float) -> None:
        self._outbox.change(replace(notice, state=GIVEN_UP, changed=now, reason=reason or notice.reason))
        self._happened("event.not_told", notice, reason or notice.reason, now)

    def _happened(self, context: str, notice: Notice, reason: str, now: float) -> None:
        person = self._people.get(notice.person)
        values = {
            "person": person.title if person else notice.person,
            "target": notice.target,
            "reason": reason,
        }
        level = "info" if context == "event.target_works" else "warn"
        self.events.append(Event(at=now, text=Message(context, values), level=level))
