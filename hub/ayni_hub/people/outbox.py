"""The notices that are not done, in memory and on disk: written before they are sent.

Where the disk fails, people are told all the same: that it fails may be what they must hear. What could not
be written is written with what comes next.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ayni_hub.people.herald import Told
from ayni_hub.people.memory import GATHERED, OPEN, SENDING, TOLD, WAITING, Memory, Notice, PeopleError

log = logging.getLogger("hub")
MOST_NUMBERS = 999
_COUNTER = "number"
_FARTHEST_S = 2 * 86400.0


def is_due(notice: Notice, now: float) -> bool:
    """Whether it may go; one that is due in days was made while the clock was wrong."""
    return notice.due <= now or notice.due - now > _FARTHEST_S


class Outbox:
    """Everything that is to be sent, or was sent about what is not over. One `commit` after some changes."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._next_id = memory.next_id()
        self.notices: dict[int, Notice] = {}
        self.marks: dict[str, str] = memory.marks()
        self._numbers = memory.numbers()
        self._new_notices: dict[int, Notice] = {}
        self._new_told: dict[str, Told | None] = {}
        self._new_numbers: dict[str, int | None] = {}
        self._new_marks: dict[str, str] = {}
        self._failing = False
        self._holding = set(memory.told())
        for notice in memory.working_set():
            if notice.state == SENDING:  # it was under way when we were killed
                notice = replace(notice, state=WAITING, again=True)
            self.notices[notice.id] = notice

    def add(self, made: Notice) -> Notice:
        """Take a notice; it gets its number here."""
        notice = replace(made, id=self._next_id)
        self._next_id += 1
        self.notices[notice.id] = self._new_notices[notice.id] = notice
        return notice

    def change(self, notice: Notice) -> None:
        """A notice is otherwise than before."""
        self.notices[notice.id] = self._new_notices[notice.id] = notice

    def mark(self, name: str, value: str) -> None:
        """Remember something by its name."""
        if self.marks.get(name) != value:
            self.marks[name] = self._new_marks[name] = value

    def remember(self, told: Mapping[str, Told | None]) -> None:
        """What was told, by alert; None: it is over, and its notices need not be at hand."""
        self._new_told.update(told)
        self._holding = (self._holding | {each for each, new in told.items() if new}) - {
            each for each, new in told.items() if not new
        }

    def of(self, alert: str) -> Iterator[Notice]:
        """The notices of an alert that is not over."""
        return (each for each in list(self.notices.values()) if each.alert == alert)

    def told(self, alert: str, since: float) -> list[Notice]:
        """What people have, or may have, of an alert that was first told at a time."""
        return [each for each in self.of(alert) if each.state in TOLD and each.made >= since]

    def waiting(self, now: float) -> list[Notice]:
        """What may be sent now, the oldest first."""
        due = [each for each in self.notices.values() if each.state == WAITING and is_due(each, now)]
        return sorted(due, key=lambda each: (each.due, each.id))

    def gathered(self) -> list[Notice]:
        """What waits to be told with other things."""
        return [each for each in self.notices.values() if each.state == GATHERED]

    def number(self, alert: str, alerts: Iterable[str]) -> int:
        """The short number of an alert; numbers of those that are not among `alerts` are given back."""
        if alert not in self._numbers:
            holding = set(alerts)
            for each in [each for each in self._numbers if each not in holding]:
                del self._numbers[each]
                self._new_numbers[each] = None
            taken = set(self._numbers.values())
            last = int(self.marks.get(_COUNTER, "0"))
            free = (n % MOST_NUMBERS + 1 for n in range(last, last + MOST_NUMBERS))
            number = next((n for n in free if n not in taken), MOST_NUMBERS + 1)
            self.mark(_COUNTER, str(number % (MOST_NUMBERS + 1)))
            self._numbers[alert] = number
            self._new_numbers[alert] = number
        return self._numbers[alert]

    def numbered(self, number: int) -> str | None:
        """The alert that has a number."""
        return next((alert for alert, each in self._numbers.items() if each == number), None)

    def commit(self) -> bool:
        """Write what is new; whether it is safe now."""
        if not (self._new_notices or self._new_told or self._new_numbers or self._new_marks):
            return True
        try:
            self._memory.write(self._new_notices.values(), self._new_told, self._new_numbers, self._new_marks)
        except PeopleError as error:
            if not self._failing:
                log.error("notifications cannot be written down cause=%s", error)
            self._failing = True
            return False
        if self._failing:
            log.info("notifications are written down again")
        self._failing = False
        self._new_notices, self._new_told, self._new_numbers, self._new_marks = {}, {}, {}, {}
        self._drop_done()
        return True

    def _drop_done(self) -> None:
        """Of what is done, only notices of alerts that hold are of use."""
        for notice in list(self.notices.values()):
            if notice.alert not in self._holding and notice.state not in OPEN:
                del self.notices[notice.id]

    def forget(self, now: float) -> None:
        """Drop from the disk what was done long ago."""
        try:
            self._memory.forget(now)
        except PeopleError as error:
            log.warning("old notifications stay cause=%s", error)

    def newest(self, limit: int) -> list[Notice]:
        """What was told last, newest first, as far as it can be read."""
        try:
            return self._memory.newest(limit)
        except PeopleError:
            return sorted(self.notices.values(), key=lambda each: -each.id)[:limit]
