"""The past instead of now: a feed whose picture goes by at a chosen speed, as the central judges it again.

It asks for one moment after the other, a second apart; what is shown stands still in between. Whoever looks
back does nothing: every question that would is answered by a sentence.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from ayni_console.feed import Answer, Feed, NoAnswer
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import LabDo
from ayni_core.wire.past import AskPast, Past
from ayni_core.wire.questions import (
    AskCommand,
    AskEvents,
    AskEvidence,
    AskHistory,
    AskReadings,
    AskSamples,
    AskWatch,
    CommandNews,
    Question,
)
from ayni_io.i18n import _

SPEEDS = (10.0, 60.0, 600.0, 3600.0)
"""Seconds of the past in a second."""
_STEP_S = 1.0
_AGAIN_S = 3.0
_WARM_S = 2 * 3600.0


class Replay:
    """Begins at `start`; `run` keeps it going until cancelled, or until it has reached now."""

    def __init__(
        self, live: Feed, start: float, changed: Callable[[], None], clock: Callable[[], float] = time.time
    ) -> None:
        self.model = Model()
        self.at = start
        self.speed = SPEEDS[1]
        self.stopped = False
        self.ready = False
        self.ended = False
        self.problem = ""
        self._live = live
        self._changed = changed
        self._clock = clock
        self._id = secrets.token_hex(4)
        self._begun = False
        self.model.linked(True)
        self.model.lab = live.model.lab
        self._show_speed()

    def now(self) -> float:
        """The moment that is shown."""
        return self.at

    def share(self, reached: float) -> float:
        """How much of the way to the first moment is done: the central begins a while before it."""
        return min(max((reached - self.at + _WARM_S) / _WARM_S, 0.0), 1.0)

    def toggle(self) -> None:
        """Stand still, or go on."""
        self.stopped = not self.stopped
        self._show_speed()

    def faster(self) -> None:
        """The next speed; after the fastest comes the slowest."""
        self.speed = SPEEDS[(SPEEDS.index(self.speed) + 1) % len(SPEEDS)]
        self.stopped = False
        self._show_speed()

    def _show_speed(self) -> None:
        self.model.past = 0.0 if self.stopped else self.speed
        self.model.version += 1

    async def run(self) -> None:
        """Go on, a step a second."""
        while not self.ended:
            began = time.monotonic()
            try:
                if not self.ready:
                    await self._reach(self.at)
                elif not self.stopped:
                    await self._reach(self._next())
                self.problem = ""
            except NoAnswer as problem:
                self.problem = str(problem)
                self._begun = self.ready = False
                self._changed()
                await asyncio.sleep(_AGAIN_S)
            await asyncio.sleep(max(began + _STEP_S - time.monotonic(), 0.05))

    def _next(self) -> float:
        latest = self._live.model.now(self._clock()) - self.model.community.poll_s
        if self.at + self.speed * _STEP_S >= latest:
            self.ended = True
        return max(min(self.at + self.speed * _STEP_S, latest), self.at)

    async def _reach(self, at: float) -> None:
        """Ask until the picture is that of the moment. Raises `NoAnswer`."""
        told: list[tuple[str, ...]] = []
        while True:
            asked = AskPast(id=self._id, at=at, begin=not self._begun)
            answer = await self._live.ask(asked, Past)
            self._begun = True
            told += answer.news
            if answer.done and not answer.more:
                break
            if not self.ready:
                self.problem = _(
                    "The central looks back: {share} %", share=round(100 * self.share(answer.at))
                )
                self._changed()
        for topic, payload in told:
            self.model.apply(topic, payload.encode(), True, at)
        self.at, self.ready, self.problem = at, True, ""
        self.model.heard(at)
        self._changed()

    # ---- what the screens ask meanwhile

    async def ask(self, question: Question, answer: type[Answer]) -> Answer:
        """What the central knew then. Raises `NoAnswer`, also for all that would do something."""
        match question:
            case AskReadings() | AskEvidence():
                return await self._live.ask(replace(question, past=self._id), answer)
            case AskEvents():
                before = self.at if question.before is None else min(question.before, self.at)
                return await self._live.ask(replace(question, before=before), answer)
            case AskHistory():
                return await self._live.ask(replace(question, end=min(question.end, self.at)), answer)
            case AskSamples():
                return await self._live.ask(replace(question, before=min(question.before, self.at)), answer)
            case AskWatch():
                return answer()
        raise _refusal()

    async def follow(self, asked: AskCommand, *, silent_s: float) -> AsyncIterator[CommandNews]:
        """No command goes into the past. Raises `NoAnswer`."""
        raise _refusal()
        yield  # what makes it say so only to who listens

    async def lab_do(self, what: LabDo) -> None:
        """Nothing is broken in the past. Raises `NoAnswer`."""
        raise _refusal()

    def look_at(self, sites: tuple[str, ...]) -> None:
        """Nobody has to send copies of what was."""


def _refusal() -> NoAnswer:
    return NoAnswer(_("This is the past: nothing can be done in it. r leads back to now."))
