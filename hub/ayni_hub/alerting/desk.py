"""What people do about alerts: take them on, give them back, and say when nobody is to be called.

Only operators and trainers of the inventory; everything is written down, with who and when, before it is
answered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ayni_core import commands, maintenance
from ayni_core.inventory import Network
from ayni_core.maintenance import Window
from ayni_core.message import Message
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import (
    AskAck,
    AskMaintain,
    AskMaintained,
    AskMaintenance,
    Done,
    Maintenance,
    WindowView,
)
from ayni_hub.alerting.book import AlertBook
from ayni_hub.alerting.memory import AlertMemory
from ayni_hub.alerting.windows import MOST, Windows
from ayni_hub.who import Who
from ayni_io.i18n import say_in

LONGEST_NOTE = 500
Asked = AskAck | AskMaintenance | AskMaintain | AskMaintained


class AlertDesk:
    """Answers these questions. Raises `LedgerError` when nothing can be written; then nothing was done."""

    def __init__(self, network: Network, book: AlertBook, windows: Windows, memory: AlertMemory) -> None:
        self._network = network
        self._book = book
        self._windows = windows
        self._memory = memory
        self._newest_window = 0
        """Not used again: who looks at a picture of a minute ago would end the next one with it."""
        self.who = Who(network)
        """Who acts; a hub with PINs puts its own here."""
        self.acted = False
        """Whether something was done since somebody set this to False: others want to see it at once."""

    def answer(self, asked: Asked, user: str, now: float) -> Done | Maintenance:
        """Do it, or say why not."""
        if isinstance(asked, AskMaintenance):
            return self.maintenance(now)
        actor = self.who.actor(user, asked.author)
        if isinstance(actor, Message):
            return Done(error=actor)
        if not commands.at_least(actor.role, "operator"):
            return Done(error=Message("answer.not_allowed", {"user": actor.name}))
        doubt = self.who.doubt(actor, asked.key)
        if doubt is not None:
            return Done(error=doubt)
        author = actor.shown
        match asked:
            case AskAck():
                refused = self._ack(asked, user, author, now)
            case AskMaintain():
                refused = self._maintain(asked, user, author, now)
            case AskMaintained():
                refused = self._end(asked.id, user, author, now)
        self.acted = self.acted or refused is None
        return Done(error=refused)

    # ---- alerts

    def _ack(self, asked: AskAck, user: str, author: str, now: float) -> Message | None:
        before = self._book.alerts.get(asked.alert)
        if before is None:
            return Message("answer.no_such_alert", {"alert": asked.alert[:120]})
        note = " ".join(asked.note.split())[:LONGEST_NOTE]
        if asked.back:
            if before.acked_by is None:
                return Message("answer.not_taken_on")
            after = replace(before, acked_by=None, acked_at=None, ack_note="")
            text = Message("event.given_back", {"author": author})
        else:
            if (before.acked_by, before.ack_note) == (author, note):
                return None  # asked twice: told once
            after = replace(before, acked_by=author, acked_at=round(now, 1), ack_note=note)
            text = _with_note("event.taken_on", note, {"author": author})
        event = Event(at=now, text=text, level="note", kind=before.kind, name=before.name, author=user)
        self._memory.keep_alert(after, event)
        if asked.back:
            self._book.give_back(asked.alert)
        else:
            self._book.take_on(asked.alert, author, note, now)
        return None

    # ---- maintenance

    def maintenance(self, now: float) -> Maintenance:
        """Every window that is open or will be again, the next first."""
        views = []
        for window in (*self._windows.written.values(), *self._windows.made.values()):
            times = maintenance.occurrence(window, now, self._windows.zone)
            if times is not None:
                views.append(
                    WindowView(
                        id=window.id, kind=window.kind, name=window.name, start=times[0], end=times[1],
                        open=times[0] <= now, weekdays=window.weekdays, from_time=window.from_time,
                        to_time=window.to_time, note=window.note, by=window.by,
                        written=window.id in self._windows.written,
                    )
                )  # fmt: skip
        views.sort(key=lambda view: (view.start, view.id))
        return Maintenance(windows=tuple(views), timezone=self._network.timezone)

    def _maintain(self, asked: AskMaintain, user: str, author: str, now: float) -> Message | None:
        if not maintenance.exists(asked.kind, asked.name, self._network):
            return Message("answer.not_found", {"name": asked.name[:80] or asked.kind[:80]})
        if len(self._windows.made) >= MOST:
            return Message("answer.too_many_windows", {"most": MOST})
        window = self._window(asked, author, now)
        wrong = maintenance.problem(window, self._windows.zone)
        times = None if wrong else maintenance.occurrence(window, now, self._windows.zone)
        if times is None:
            problem = say_in(self._language_of(user), wrong or Message("fault.window_over"))
            return Message("answer.bad_maintenance", {"problem": problem})
        text = _with_note(
            "event.maintenance_added",
            window.note,
            {"author": author, "start": self.clock(times[0]), "end": self.clock(times[1])},
        )
        event = Event(at=now, text=text, level="note", kind=window.kind, name=window.name, author=user)
        self._memory.keep_window(window, event)
        self._windows.made[window.id] = window
        self._newest_window = int(window.id[1:])
        self._windows.look_again()
        return None

    def _language_of(self, user: str) -> str:
        """A message carries plain values only: what is wrong with a window is said here."""
        person = self._network.people.get(user.removeprefix("p-"))
        return (person and person.language) or self._network.language

    def _window(self, asked: AskMaintain, author: str, now: float) -> Window:
        start, end = asked.start, asked.end
        once = not (asked.weekdays or asked.from_time or asked.to_time)
        if once and not start:
            start = _absolute(now)
        if once and asked.for_s and not end:
            begin = now
            if asked.start:
                try:
                    begin = maintenance.moment(asked.start, self._windows.zone)
                except ValueError:
                    begin = now  # what is wrong with it is told below
            end = _absolute(begin + min(max(asked.for_s, 60.0), maintenance.LONGEST_S))
        number = self._newest_window + 1
        while f"m{number}" in self._windows.made or f"m{number}" in self._windows.written:
            number += 1
        return Window(
            id=f"m{number}", kind=asked.kind, name=asked.name, start=start, end=end, weekdays=asked.weekdays,
            from_time=asked.from_time, to_time=asked.to_time,
            note=" ".join(asked.note.split())[:LONGEST_NOTE], by=author, at=round(now, 1),
        )  # fmt: skip

    def _end(self, identifier: str, user: str, author: str, now: float) -> Message | None:
        if identifier in self._windows.written:
            return Message("answer.window_in_file", {"id": identifier})
        window = self._windows.made.get(identifier)
        if window is None:
            return Message("answer.no_such_window", {"id": identifier[:80]})
        text = Message("event.maintenance_ended", {"author": author})
        event = Event(at=now, text=text, level="note", kind=window.kind, name=window.name, author=user)
        self._memory.drop_windows([identifier], [event])
        del self._windows.made[identifier]
        self._windows.look_again()
        return None

    def clock(self, at: float) -> str:
        """A moment as the network's own clock shows it."""
        return shown(at, self._windows)


def shown(at: float, windows: Windows) -> str:
    """A moment on the network's clock, such as `2026-11-23 08:00`."""
    return datetime.fromtimestamp(at, windows.zone).strftime("%Y-%m-%d %H:%M")


def _absolute(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).isoformat(sep=" ")


def _with_note(context: str, note: str, values: dict[str, str]) -> Message:
    if note:
        return Message(f"{context}_note", {**values, "note": note})
    return Message(context, dict(values))
