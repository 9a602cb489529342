"""Who acts: the person of the login, or of the people who share it the one who proved it by a PIN.

On a shared login everybody can write that they are Ana. A note is worth no more than that. What changes
something takes Ana's PIN: a console sends it once, with a long random key of its own, and goes on to act with
that key. Questions cannot be read by others of the same login, answers can: so all that is secret goes up,
nothing comes down. A key is forgotten when nothing was done with it for a while, when the PIN changes, and
when the central starts anew; wrong PINs are not.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ayni_core import commands, pin
from ayni_core.inventory import Network, Person
from ayni_core.message import Message
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import AskPin, Colleague, Done, Me
from ayni_hub.pin_tries import PinTries
from ayni_hub.pins import Pins, PinsError
from ayni_io import clock

log = logging.getLogger("hub")
IDLE_S, LONGEST_S = 900.0, 12 * 3600.0
"""A key is forgotten when it did nothing for so long, and at last after so long."""
LONGEST_AUTHOR = 40
_MOST_KEYS = 500
_KEY = re.compile(r"[A-Za-z0-9_-]{22,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who wants something. `shown` is how others read the name; `login` the account it came by."""

    name: str
    shown: str
    role: str
    login: str
    shares: bool = False


@dataclass(slots=True)
class _Grant:
    """That a key is a person's: `kept` is the PIN that proved it."""

    login: str
    name: str
    kept: str
    since_s: float
    used_s: float


@dataclass(slots=True)
class Who:
    """Knows the people of the inventory. `clock` is one that nobody can set."""

    network: Network
    pins: Pins = field(default_factory=Pins)
    clock: Callable[[], float] = clock.monotonic_s
    tell: Callable[[Message, str], None] = lambda _text, _login: None
    """Called with what should be written down, and the login that it is about."""
    tries: PinTries = field(default_factory=PinTries)
    _grants: dict[str, _Grant] = field(default_factory=dict)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    def actor(self, login: str, author: str) -> Actor | Message:
        """Who says to be there; why nobody is where that has to be said. The role is empty for strangers."""
        person = self.network.people.get(login)
        if person is None:
            return Actor(name=login, shown=login, role="", login=login)
        if not person.shared:
            shown = person.title
            if author and author != shown:  # somebody else may sit there: people say who they are
                shown = f"{author[:LONGEST_AUTHOR]} ({shown})"
            return Actor(name=login, shown=shown, role=person.role, login=login)
        if not author:
            return Message("answer.who_are_you", {"login": person.title, "people": self._listed(person)})
        found = self._among(person, author)
        if found is None:
            values = {
                "name": author[:LONGEST_AUTHOR], "login": person.title, "people": self._listed(person)
            }  # fmt: skip
            return Message("answer.not_among", values)
        role = commands.lesser(person.role, found.role)
        return Actor(name=found.name, shown=found.title, role=role, login=login, shares=True)

    def doubt(self, actor: Actor, key: str) -> Message | None:
        """Why somebody may not act yet; None: they are who they say."""
        if not actor.shares:
            return None
        try:
            kept = self.pins.of(actor.name)
        except PinsError as problem:
            return Message("answer.pins_unread", {"problem": str(problem)})
        if kept is None:
            return Message("answer.pin_none", {"who": actor.shown, "name": actor.name})
        grant, now_s = self._grants.get(_digest(key)), self.clock()
        if grant is None or (grant.login, grant.name, grant.kept) != (actor.login, actor.name, kept):
            return Message("answer.pin_wanted", {"who": actor.shown})
        if now_s - grant.used_s > IDLE_S or now_s - grant.since_s > LONGEST_S:
            del self._grants[_digest(key)]
            return Message("answer.pin_wanted", {"who": actor.shown})
        grant.used_s = now_s
        return None

    async def prove(self, asked: AskPin, login: str) -> Done:
        """Take a PIN. One is looked at at a time, beside the loop; after some wrong ones people wait."""
        actor = self.actor(login, asked.person)
        if isinstance(actor, Message):
            return Done(error=actor)
        if not actor.shares:
            return Done(error=Message("answer.pin_not_needed"))
        if not _KEY.fullmatch(asked.key):
            problem = "key: expected 22 to 128 random letters and digits"
            return Done(error=Message("answer.bad_question", {"problem": problem}))
        async with self._one:
            return Done(error=await self._try(asked, actor))

    async def _try(self, asked: AskPin, actor: Actor) -> Message | None:
        wait_s = self.tries.wait_s(actor.login, actor.name)
        if wait_s > 0:
            return Message("answer.pin_wait", {"who": actor.shown, "seconds": int(wait_s) + 1})
        try:
            kept = self.pins.of(actor.name)
        except PinsError as problem:
            return Message("answer.pins_unread", {"problem": str(problem)})
        if kept is None:
            return Message("answer.pin_none", {"who": actor.shown, "name": actor.name})
        right = await asyncio.to_thread(pin.matches, asked.pin, kept)
        if not right:
            wrong = await asyncio.to_thread(self.tries.was_wrong, actor.login, actor.name)
            log.warning("pin wrong login=%s person=%s in_a_row=%d", actor.login, actor.name, wrong)
            if wrong >= pin.FREE and wrong % pin.FREE == 0:
                text = Message("event.pin_wrong", {"login": actor.login, "n": wrong, "who": actor.shown})
                self.tell(text, actor.login)
            return Message("answer.pin_wrong", {"who": actor.shown})
        await asyncio.to_thread(self.tries.was_right, actor.login, actor.name)
        now_s = self.clock()
        if len(self._grants) >= _MOST_KEYS:
            del self._grants[min(self._grants, key=lambda each: self._grants[each].used_s)]
        self._grants[_digest(asked.key)] = _Grant(actor.login, actor.name, kept, now_s, now_s)
        return None

    def me(self, login: str, *, acts: bool) -> Me:
        """What somebody is told of themselves."""
        person = self.network.people.get(login)
        if person is None:
            return Me(name=login, title=login, acts=acts)
        people = tuple(
            Colleague(
                name=each.name, title=each.title, role=commands.lesser(person.role, each.role),
                pin=self._has_pin(each.name),
            )
            for each in self._people(person)
        )  # fmt: skip
        return Me(
            name=login, title=person.title, role=person.role,
            language=person.language or self.network.language, acts=acts, people=people,
        )  # fmt: skip

    def _has_pin(self, name: str) -> bool:
        try:
            return self.pins.of(name) is not None
        except PinsError:
            return False  # who acts is told why

    def _people(self, person: Person) -> list[Person]:
        return [self.network.people[name] for name in person.shared]

    def _listed(self, person: Person) -> str:
        return ", ".join(each.title for each in self._people(person))

    def _among(self, person: Person, author: str) -> Person | None:
        """Whom a name means: that of the inventory first, then what people call them."""
        people, wanted = self._people(person), author.strip().casefold()
        named = [each for each in people if each.name == wanted]
        called = [each for each in people if each.title.casefold() == wanted]
        return next(iter(named or called), None)


def event(text: Message, login: str, at: float) -> Event:
    """What `tell` hands over, as it is written down."""
    return Event(at=at, text=text, level="warn", author=login)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
