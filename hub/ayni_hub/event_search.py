"""Looking for events over all that is remembered: by a word, by their kind, page after page without end.

What somebody looks for is compared with what they read, in their language, so every event has to be put into
words. That takes a while over years of them: a search works in short slices, between which others are
answered, and stops after a moment. The answer says how far back it looked; whoever wants more asks on from
there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from ayni_core.inventory import Network
from ayni_core.matching import matches
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import AskEvents, Events
from ayni_hub.ledger import ONLY, Ledger
from ayni_io import clock
from ayni_io.i18n import LANGUAGES, _, say, speaking

MOST = 500
"""Events of one answer; of the moment of the last one all are told, up to as many more."""
LONGEST_WORDS = 100
_SLICE_S, _LOOK_S = 0.05, 1.0
_SPAN, _WORDY_SPAN = 10_000, 400
"""So many events are looked at in one go, and where each has to be put into words."""


class Search:
    """One question. `slice` looks a little further; when it is False, `answer` says what was found."""

    def __init__(
        self,
        ledger: Ledger,
        network: Network,
        asked: AskEvents,
        user: str,
        now_s: Callable[[], float] = clock.monotonic_s,
    ) -> None:
        self._ledger, self._network, self._asked = ledger, network, asked
        self._limit = max(1, min(asked.limit, MOST))
        self._only = asked.only if asked.only in ONLY else ""
        self._words = asked.words[:LONGEST_WORDS]
        person = network.people.get(user)
        wanted = (asked.language, person.language if person else None, network.language)
        self._language = next((each for each in wanted if each in LANGUAGES), "en")
        few = not self._words and not self._only and asked.kind is None and asked.name is None
        self._count = self._limit + 1 if few else _WORDY_SPAN if self._words else _SPAN
        self._now_s = now_s
        self._end_s = now_s() + _LOOK_S
        self._before = asked.before
        self._found: list[Event] = []
        self._looked_back: float | None = None

    def slice(self) -> bool:
        """Look for a moment; whether there is more to do. Raises `LedgerError`."""
        pause_s = self._now_s() + _SLICE_S
        with speaking(self._language):
            while not self._look():
                if self._now_s() > pause_s:
                    return True
        return False

    def _look(self) -> bool:
        """Look at some more; whether that is all for now."""
        asked = self._asked
        events, floor = self._ledger.event_span(self._before, self._count, asked.kind, asked.name, self._only)
        for event in events:
            if self._words and not matches(self._words, *self._said(event)):
                continue
            if self._is_enough(event):
                return True
            self._found.append(event)
        self._before = floor
        over = floor is None or len(self._found) >= self._limit or self._now_s() > self._end_s
        if over:
            self._looked_back = floor
        return over

    def _is_enough(self, event: Event) -> bool:
        """Whether this one is told another time; what happened in one moment is told together."""
        if len(self._found) < self._limit:
            return False
        last = self._found[-1].at
        if event.at == last and len(self._found) < 2 * MOST:
            return False
        self._looked_back = last
        return True

    def answer(self) -> Events:
        """What was found so far."""
        return Events(events=tuple(self._found), looked_back=self._looked_back)

    def _said(self, event: Event) -> Iterable[str]:
        yield say(event.text)
        if event.level == "clear":
            yield _("Over: {what}", what="")
        if event.name:
            title = self._title(event.kind, event.name)
            yield title
            if event.kind == "node":
                yield _("Monitor {name}", name=title)
            elif event.kind == "upstream":
                yield _("Internet {name}", name=title)
        if event.author:
            person = self._network.people.get(event.author)
            yield f"{event.author} {person.title}" if person else event.author

    def _title(self, kind: str, name: str) -> str:
        tables = {
            "link": self._network.links,
            "site": self._network.sites,
            "device": self._network.devices,
            "node": self._network.nodes,
            "upstream": self._network.upstreams,
        }
        found = tables.get(kind, {}).get(name)
        return str(getattr(found, "title", "") or name)


async def find(search: Search) -> Events:
    """All of it, with pauses in which the loop does other things."""
    more = True
    while more:
        more = search.slice()
        await asyncio.sleep(0)
    return search.answer()


def find_now(search: Search) -> Events:
    """All of it at once."""
    more = True
    while more:
        more = search.slice()
    return search.answer()
