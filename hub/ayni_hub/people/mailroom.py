"""Makes notices for people, as many as a person can bear: what is too much at once, or must not disturb them
now, is gathered and told together later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ayni_core.reach import Target
from ayni_hub.people.audience import Audience
from ayni_hub.people.memory import GATHERED, MOOT, SUMMED, WAITING, Notice
from ayni_hub.people.outbox import Outbox, is_due
from ayni_hub.people.wording import Reader, Text, fit

MOST_MESSAGES, WITHIN_S = 6, 600.0
"""Of one person; what comes beyond is told together."""
_MOST_LINES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Something for one person: `urgent` goes through quiet hours, `asked` is what they wanted at this time.
    `only` names the targets; None: all of them."""

    person: str
    what: str
    text: Callable[[Target], Text]
    alert: str = ""
    urgent: bool = False
    asked: bool = False
    only: frozenset[str] | None = None


class Mailroom:
    """`open_count`: how many alerts are open, for a summary. `recent`: notices of the last minutes."""

    def __init__(
        self,
        outbox: Outbox,
        audience: Audience,
        readers: Mapping[str, Reader],
        open_count: Callable[[], int],
        recent: Iterable[Notice],
    ) -> None:
        self._outbox = outbox
        self._audience = audience
        self._readers = readers
        self._open_count = open_count
        self._recent: dict[str, deque[float]] = {name: deque() for name in readers}
        for notice in {(each.person, each.made): each for each in recent}.values():
            if notice.person in self._recent and notice.state not in (GATHERED, SUMMED, MOOT):
                self._recent[notice.person].append(notice.made)

    def put(self, letter: Letter, now: float) -> None:
        """A notice for each target, to be sent alone or to be gathered."""
        person = letter.person
        state, due = WAITING, now
        if not letter.asked:
            due = self._audience.due(person, now, urgent=letter.urgent)
            if due <= now:
                due = self._opens(person, now)
            state = GATHERED if due > now else WAITING
            if state == WAITING:
                self._recent[person].append(now)
        for target in self._audience.people[person].contact.targets:
            if letter.only is None or target.name in letter.only:
                self._add(letter, target, letter.text(target), state, due, now)

    def _add(self, letter: Letter, target: Target, said: Text, state: str, due: float, now: float) -> None:
        title, body = (said.short, "") if target.form == "short" else (said.title, said.body)
        self._outbox.add(
            Notice(
                id=0,
                made=now,
                alert=letter.alert,
                what=letter.what,
                person=letter.person,
                target=target.name,
                title=title,
                body=body,
                urgent=letter.urgent or letter.asked,
                due=due,
                state=state,
                changed=now,
            )
        )

    def _opens(self, person: str, now: float) -> float:
        """When the person may be told something again by itself; now, unless they were told much."""
        recent = self._recent[person]
        while recent and not 0 <= now - recent[0] < WITHIN_S:
            recent.popleft()
        return recent[0] + WITHIN_S if len(recent) >= MOST_MESSAGES else now

    def may_go(self, notice: Notice, now: float) -> bool:
        """Whether it may disturb its person now: what failed in the evening must not ring at night."""
        if notice.urgent and notice.what == "digest":
            return True
        known = notice.person in self._audience.people
        return not known or self._audience.due(notice.person, now, urgent=notice.urgent) <= now

    def release(self, now: float) -> None:
        """What was gathered and may be told: one as it is, more of them in one message."""
        gathered: dict[str, list[Notice]] = {}
        for notice in self._outbox.gathered():
            if is_due(notice, now) and self.may_go(notice, now):
                gathered.setdefault(notice.person, []).append(notice)
        for person, notices in gathered.items():
            if person not in self._readers:
                for notice in notices:
                    self._outbox.change(replace(notice, state=MOOT, changed=now))
                continue
            if self._opens(person, now) > now:
                continue
            self._recent[person].append(now)
            if len({(each.made, each.alert, each.what) for each in notices}) == 1:
                for notice in notices:
                    self._outbox.change(replace(notice, state=WAITING, due=now))
                continue
            for target in self._audience.people[person].contact.targets:
                own = [each for each in notices if each.target == target.name]
                if own:
                    self._sum_up(person, target, own, now)

    def _sum_up(self, person: str, target: Target, notices: list[Notice], now: float) -> None:
        reader = self._readers[person]
        first = reader.time(min(each.made for each in notices), now)
        title = reader.say("tell.summary", n=len(notices), time=first, open=self._open_count())
        lines = [each.title for each in notices[-_MOST_LINES:]]
        if len(notices) > _MOST_LINES:
            lines.append(reader.say("tell.more", n=len(notices) - _MOST_LINES))
        for notice in notices:
            self._outbox.change(replace(notice, state=SUMMED, changed=now))
        said = Text(title=title, body="\n".join(lines), short=fit([title]))
        urgent = any(each.urgent for each in notices)
        letter = Letter(person=person, what="summary", text=lambda _target: said, urgent=urgent)
        self._add(letter, target, said, WAITING, now, now)
