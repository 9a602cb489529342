"""The bot listens: status, ack, note and help, in the language of who writes; its long polls pass any NAT.

Only people whose chat stands in the inventory are heard, in that chat or in a group that stands there too.
All others get nothing, and one line an hour in the log. The place in Telegram's queue is written down before
anything is done: what was asked is done once or, after a kill at that moment, not at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ayni_core.inventory import Network, Person
from ayni_core.message import Message
from ayni_hub.people.digest import is_open
from ayni_hub.people.people import People
from ayni_hub.people.telegram import Said, Telegram, TelegramError
from ayni_hub.people.wording import Reader
from ayni_hub.tally import Tally

log = logging.getLogger("hub")
LISTENS_S = 50.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
MOST_ORDERS, WITHIN_S = 20, 60.0
_OFFSET = "telegram/offset"
_STRANGERS_S = 3600.0
_MOST_LINES = 15
_WORDS = ("status", "ack", "note", "help")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doings:
    """What the bot does for a person, the way a console's question does it; each gives back why not, or None.

    `take_on(alert, note, person)`, `write(kind, name, text, person)`.
    """

    take_on: Callable[[str, str, str], Awaitable[Message | None]]
    write: Callable[[str, str, str, str], Awaitable[Message | None]]


class Listener:
    """Answers whom the inventory knows."""

    def __init__(
        self,
        network: Network,
        telegram: Telegram,
        people: People,
        doings: Doings,
        clock: Callable[[], float],
        listens_s: float = LISTENS_S,
    ) -> None:
        self._network = network
        self._telegram = telegram
        self._people = people
        self._doings = doings
        self._clock = clock
        self._listens_s = listens_s
        self._chats = {
            target.chat: person
            for person in network.people.values()
            for target in person.contact.targets
            if target.chat
        }
        self._strangers: Tally[str] = Tally(_STRANGERS_S, "others", most=50)
        self._heard: dict[str, deque[float]] = {}

    async def run(self) -> None:
        """Listen until cancelled; after a failure again, with growing pauses."""
        if not self._chats:
            return
        pause = 0.0
        while True:
            try:
                said = await self._listen()
            except TelegramError as error:
                if not pause:
                    log.warning("telegram lost cause=%s", error)
                pause = min(max(2 * pause, FIRST_PAUSE_S, error.wait_s), LONGEST_PAUSE_S)
                await asyncio.sleep(pause)
                continue
            if pause:
                log.info("telegram found")
                pause = 0.0
            for each in said:
                await self._hear(each)
            for who, count, _detail in self._strangers.due(self._clock()):
                log.warning("telegram: unknown chat %s wrote count=%d", who, count)
            await asyncio.sleep(0.05)  # a server that answers at once must not keep us busy

    async def _listen(self) -> list[Said]:
        marks = self._people.outbox.marks
        offset, said = await self._telegram.listen(int(marks.get(_OFFSET, "0")), self._listens_s)
        self._people.outbox.mark(_OFFSET, str(offset))
        return said if self._people.outbox.commit() else []

    async def _hear(self, said: Said) -> None:
        person = self._chats.get(said.sender)
        if person is None or said.chat not in self._chats:
            self._strangers.add(said.chat[:24])
            return
        now = self._clock()
        heard = self._heard.setdefault(person.name, deque())
        while heard and not 0 <= now - heard[0] < WITHIN_S:
            heard.popleft()
        if len(heard) > MOST_ORDERS:
            return
        heard.append(now)
        reader = self._people.readers[person.name]
        answer = (
            reader.say("bot.too_fast")
            if len(heard) > MOST_ORDERS
            else await self.answer(said.text, person, reader)
        )
        try:
            await self._telegram.send(said.chat, answer)
        except TelegramError as error:
            log.warning("telegram: no answer to %s cause=%s", person.name, error)

    async def answer(self, text: str, person: Person, reader: Reader) -> str:
        """What the bot says to somebody's words, after doing what they ask."""
        first, _space, rest = text.strip().partition(" ")
        order = first.lstrip("/").partition("@")[0].casefold()
        known = {reader.say(f"bot.{word}").casefold(): word for word in _WORDS} | {
            word: word for word in _WORDS
        }
        match known.get(order):
            case "status":
                return self._status(reader)
            case "ack":
                return await self._take_on(rest.strip(), person, reader)
            case "note":
                return await self._note(rest.strip(), person, reader)
        return self._usage(reader)

    def _usage(self, reader: Reader) -> str:
        return reader.say("bot.usage", **{word: reader.say(f"bot.{word}") for word in _WORDS})

    def _status(self, reader: Reader) -> str:
        now, alerts = self._clock(), self._people.alerts
        roots = [alert for alert in alerts.values() if is_open(alert)]
        if not roots:
            return reader.say("bot.all_well", network=self._network.title)
        roots.sort(key=lambda each: (each.level != "critical", -each.homes, each.since))
        lines = [reader.say("bot.open", network=self._network.title, n=len(roots))]
        for alert in roots[:_MOST_LINES]:
            number = self._people.outbox.number(alert.id, alerts)
            time = reader.time(alert.since, now)
            line = reader.say("bot.line", n=number, what=reader.text(alert.text), time=time)
            if alert.acked_by:
                line += f" ({reader.say('tell.has_it', who=alert.acked_by)})"
            lines.append(line)
        if len(roots) > _MOST_LINES:
            lines.append(reader.say("tell.more", n=len(roots) - _MOST_LINES))
        self._people.outbox.commit()
        return "\n".join(lines)

    async def _take_on(self, rest: str, person: Person, reader: Reader) -> str:
        word, _space, note = rest.partition(" ")
        alerts = self._people.alerts
        if word.isdecimal() and len(word) <= 4:
            identifier = self._people.outbox.numbered(int(word))
            if identifier is None or identifier not in alerts:
                return reader.say("bot.no_such", n=int(word))
        else:
            free = [alert.id for alert in alerts.values() if is_open(alert) and alert.acked_by is None]
            if len(free) != 1:
                return reader.say("bot.which", word=reader.say("bot.ack"), n=12) + "\n" + self._status(reader)
            identifier, note = free[0], rest
        what = reader.text(alerts[identifier].text)
        problem = await self._doings.take_on(identifier, note.strip(), person.name)
        return reader.text(problem) if problem else reader.say("bot.you_have_it", what=what)

    async def _note(self, rest: str, person: Person, reader: Reader) -> str:
        word, _space, text = rest.partition(" ")
        kind = name = ""
        if word.isdecimal() and len(word) <= 4:
            alert = self._people.alerts.get(self._people.outbox.numbered(int(word)) or "")
            if alert is None:
                return reader.say("bot.no_such", n=int(word))
            kind, name, rest = alert.kind, alert.name, text
        problem = await self._doings.write(kind, name, rest.strip(), person.name)
        return reader.text(problem) if problem else reader.say("bot.noted")
