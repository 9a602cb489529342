"""The account of an outage: what happened at the node while the central was away, in a few notes.

Collected while there is no contact and told first when there is contact again: since when, what alarmed and
whether it still does, what was dropped. The readings themselves follow as history. Times are monotonic
seconds; texts say how long something lasted, never when, because the clock may be wrong: the notes have their
own times, and the central places them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from ayni_agent.alarms import as_note, note_name
from ayni_core.message import Message, Plain, from_wire
from ayni_core.rules import LEVELS
from ayni_core.wire.note import FrameNote

WORTH_S = 120.0
"""A shorter outage in which nothing was dropped is not told: what happened in it arrives at once anyway."""
MOST_LINES = 6
MOST_CHANGES = 200
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A rule that changed its level while the central was away. `text` is what it says while it holds, `past`
    what is said when it is over; `level` None: over since `until_s`, else the level of now."""

    text: Message
    past: str
    device: str
    worst: str
    since_s: float
    until_s: float = 0.0
    level: str | None = None


class OutageAccount:
    """`away` and `back` say when the central goes and comes; between them it takes what changes."""

    def __init__(self, now_s: float) -> None:
        self._since_s: float | None = now_s
        self._dropped = 0
        self._changes: dict[tuple[str, str, str], Change] = {}
        self._more = 0

    @property
    def since_s(self) -> float | None:
        """Since when the central is away; None while it is there."""
        return self._since_s

    def away(self, now_s: float, dropped: int) -> None:
        """The central is not there (any more); `dropped` counts the frames that were dropped in all."""
        if self._since_s is None:
            self._since_s, self._dropped = now_s, dropped

    def changed(
        self, rule: str, device: str, item: str, level: str | None, text: Message, at_s: float
    ) -> None:
        """A rule changed its level for something; `text` is what it says while it holds."""
        if self._since_s is None:
            return
        key = (rule, device, item)
        before = self._changes.get(key)
        if before is None and len(self._changes) >= MOST_CHANGES:
            self._more += 1
        elif before is not None:
            worst = level if level and _rank(level) > _rank(before.worst) else before.worst
            text = text if level else before.text
            self._changes[key] = replace(before, level=level, until_s=at_s, worst=worst, text=text)
        else:
            self._changes[key] = Change(
                text=text, past=_past(text), device=device, worst=level or "warn", level=level, until_s=at_s,
                since_s=self._since_s if level is None else at_s,
            )  # fmt: skip

    def back(self, now_s: float, dropped: int) -> tuple[FrameNote, ...]:
        """The central is there again: what to tell it first; `at_s` of these notes is monotonic."""
        if self._since_s is None:
            return ()
        since_s, lost = self._since_s, max(0, dropped - self._dropped)
        changes, more = sorted(self._changes.values(), key=_order), self._more
        self._since_s, self._changes, self._more = None, {}, 0
        if now_s - since_s < WORTH_S and not lost:
            return ()
        span = Message("note.outage", {"span": lasted(now_s - since_s)})
        notes = [FrameNote(at_s=since_s, text=span, level="note")]
        notes += [_told(change) for change in changes[:MOST_LINES]]
        more += len(changes[MOST_LINES:])
        if more:
            notes.append(FrameNote(at_s=now_s, text=Message("note.outage_more", {"n": more}), level="note"))
        if lost:
            text = Message("note.outage_dropped", {"n": lost})
            notes.append(FrameNote(at_s=now_s, text=text, level="warn"))
        return tuple(notes)

    # ---- over a restart of the agent

    def to_bytes(self, boot: str) -> bytes:
        """As bytes to keep with a frame; the same while nothing changes."""
        changes = [
            [*key, each.text.to_wire(), each.past, each.worst, each.level, each.since_s, each.until_s]
            for key, each in self._changes.items()
        ]
        state = [_VERSION, boot, self._since_s, self._dropped, self._more, changes]
        return json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")

    def made_in(self, data: bytes | None) -> str:
        """The boot that such bytes are of; "" where they are of no use."""
        try:
            version, boot, *_rest = json.loads(data or b"")
        except (ValueError, TypeError):
            return ""
        return boot if version == _VERSION and isinstance(boot, str) else ""

    def restore(self, data: bytes | None, later_s: float, now_s: float) -> None:
        """Go on with an outage in which the agent was restarted; `later_s` moves its times into this boot."""
        try:
            _version, _boot, since_s, dropped, more, changes = json.loads(data or b"")
            if since_s is None:
                return
            found = {tuple(each[:3]): _change(each, later_s, now_s) for each in changes[:MOST_CHANGES]}
            self._since_s = min(float(since_s) + later_s, now_s)
            self._dropped, self._more = int(dropped), int(more)
        except (ValueError, TypeError, LookupError):
            return
        self._changes = {(str(r), str(d), str(i)): change for (r, d, i), change in found.items()}


def _change(kept: list[object], later_s: float, now_s: float) -> Change:
    _rule, device, _item, text, past, worst, level, since_s, until_s = kept
    said = from_wire(text)
    if said is None or worst not in LEVELS or level not in (None, *LEVELS):
        raise ValueError(kept)
    if not isinstance(since_s, int | float) or not isinstance(until_s, int | float):
        raise TypeError(kept)
    return Change(
        text=said, past=str(past), device=str(device), worst=str(worst),
        level=None if level is None else str(level),
        since_s=min(since_s + later_s, now_s), until_s=min(until_s + later_s, now_s),
    )  # fmt: skip


def _order(change: Change) -> tuple[bool, int, float]:
    """What is wrong now first, then what was worse, then what began first."""
    return change.level is None, -_rank(change.worst), change.since_s


def _rank(level: str | None) -> int:
    return 0 if level is None else 1 + LEVELS.index(level)


def _told(change: Change) -> FrameNote:
    if change.level is not None:
        text = as_note(change.text)
        return FrameNote(at_s=change.since_s, text=text, level=change.level, device=change.device)
    values: dict[str, Plain] = {**change.text.values, "span": lasted(change.until_s - change.since_s)}
    return FrameNote(
        at_s=change.since_s, text=Message(change.past, values), level="clear", device=change.device
    )


def _past(text: Message) -> str:
    return note_name("note.meanwhile", text.context)


def lasted(seconds: float) -> str:
    """How long something lasted, the same in all languages: `34 min`, `4 h 28 min`, `3 d 4 h`."""
    minutes = max(1, round(seconds / 60))
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days} d {hours_left} h" if hours_left else f"{days} d"
    if hours:
        return f"{hours} h {minutes_left} min" if minutes_left else f"{hours} h"
    return f"{minutes} min"
