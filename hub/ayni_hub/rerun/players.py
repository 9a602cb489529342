"""Who looks at the past just now: a process each, for a few people at once, ended when nobody asks more."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ayni_core.message import Message
from ayni_core.wire.past import AskPast, Past
from ayni_core.wire.questions import AskEvidence, AskReadings, Evidence, Readings
from ayni_core.wire.shape import pack, unpack
from ayni_io import clock

log = logging.getLogger("past")

MOST = 2
IDLE_S = 120.0
OLDEST = 946_684_800.0
"""Nobody measured anything before 2000."""
_WITHIN_S = 9.0
"""A little less than a console waits."""
_LONGEST_LINE = 4_000_000
_Where = tuple[str, str]


class PlayerError(Exception):
    """The process has ended, or does not answer."""


@dataclass(slots=True)
class _Player:
    process: asyncio.subprocess.Process
    asked_at: float
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    lost: bool = False
    """An answer did not come in time: whatever comes now belongs to no question."""

    async def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """One answer. Raises `PlayerError`."""
        if self.lost or self.process.stdin is None or self.process.stdout is None:
            raise PlayerError
        self.lost = True
        try:
            async with asyncio.timeout(_WITHIN_S):
                self.process.stdin.write(json.dumps(question).encode() + b"\n")
                await self.process.stdin.drain()
                line = await self.process.stdout.readline()
        except (TimeoutError, OSError, ValueError):
            raise PlayerError from None
        if not line:
            raise PlayerError
        self.lost = False
        answer: dict[str, Any] = json.loads(line)
        return answer


class Players:
    """`config` is the hub.yaml. What answers is for the hub's loop; `run` goes on until it is cancelled, and
    leaves no process behind."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._players: dict[_Where, _Player] = {}

    async def run(self) -> None:
        """End those that nobody asks any more."""
        try:
            while True:
                await asyncio.sleep(IDLE_S / 4)
                for who, player in list(self._players.items()):
                    if clock.monotonic_s() - player.asked_at > IDLE_S:
                        await self._end(who)
        finally:
            for who in list(self._players):
                await self._end(who)

    async def answer(self, asked: AskPast, user: str) -> Past:
        """The past at a moment, or how far the way there is."""
        now = clock.wall_s()
        if not OLDEST <= asked.at <= now or not 0 < len(asked.id) <= 32:
            return Past(error=Message("answer.bad_question", {"problem": "expected a time of the past"}))
        who = (user, asked.id)
        if asked.begin:
            await self._end(who)
            await self._drop_others(user)
        player = self._players.get(who)
        if player is None:
            if not asked.begin:
                return Past(error=Message("answer.past_over"))
            if len(self._players) >= MOST:
                return Past(error=Message("answer.past_busy", {"most": MOST}))
            player = await self._begin(who, asked.at)
        answer = await self._ask(who, player, {"to": asked.at, "whole": asked.begin or asked.whole})
        if isinstance(answer, Message):
            return Past(error=answer)
        return Past(
            at=answer["at"],
            done=answer["done"],
            more=answer["more"],
            news=tuple((topic, payload) for topic, payload in answer["news"]),
        )

    async def readings(self, asked: AskReadings, user: str) -> Readings:
        """The newest readings of a device then."""
        answer = await self._then(asked, user)
        return Readings(error=answer) if isinstance(answer, Message) else unpack(Readings, answer)

    async def evidence(self, asked: AskEvidence, user: str) -> Evidence:
        """What was normal then, and the signs of what was probable."""
        answer = await self._then(asked, user)
        return Evidence(error=answer) if isinstance(answer, Message) else unpack(Evidence, answer)

    async def _then(self, asked: AskReadings | AskEvidence, user: str) -> bytes | Message:
        player = self._players.get((user, asked.past))
        if player is None:
            return Message("answer.past_over")
        answer = await self._ask((user, asked.past), player, {asked.ask: json.loads(pack(asked))})
        return answer if isinstance(answer, Message) else str(answer[asked.ask]).encode()

    async def _ask(
        self, who: _Where, player: _Player, question: Mapping[str, Any]
    ) -> dict[str, Any] | Message:
        player.asked_at = clock.monotonic_s()
        try:
            async with player.busy:
                answer = await player.ask(question)
        except PlayerError:
            await self._end(who)
            return Message("answer.past_over")
        if "error" in answer:
            log.warning("past not shown cause=%s", str(answer["error"])[:200])
            await self._end(who)
            return Message("answer.store_down")
        return answer

    async def _begin(self, who: _Where, start: float) -> _Player:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ayni_hub.rerun.process", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=_LONGEST_LINE,
        )  # fmt: skip
        player = self._players[who] = _Player(process, clock.monotonic_s())
        first = json.dumps({"config": str(self._config), "start": start})
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.write(first.encode() + b"\n")
        return player

    async def _drop_others(self, user: str) -> None:
        """A person looks at one past at a time, from as many consoles as there are."""
        for who in [each for each in self._players if each[0] == user]:
            await self._end(who)

    async def _end(self, who: _Where) -> None:
        player = self._players.pop(who, None)
        if player is None:
            return
        with contextlib.suppress(ProcessLookupError):
            player.process.kill()
        await player.process.wait()
