"""In which order the frames of the box travel: news first, the newest ahead; the backlog oldest first.

What the server's broker has taken and its hub has not acknowledged is due again after a pause that doubles.
Only a look ahead is in memory, never the whole box. Times are monotonic seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ayni_core.wire.topics import bucket
from ayni_hub.feeding.box import FeedBox, Row

_NEWS_S = 600.0
_MOST_NEWS = 500
_FIRST_AGAIN_S, _LONGEST_AGAIN_S = 30.0, 3600.0
_MOST_OUT = 5000
"""Frames that wait for an acknowledgement; beyond that only news are sent."""
_LOOK_AHEAD = 50


class FeedLine:
    """`flying` are under way to the broker; nodes of `closed` buckets wait."""

    def __init__(self, box: FeedBox) -> None:
        self._box = box
        self.flying: dict[int, Row] = {}
        self.closed: frozenset[int] = frozenset()
        self._news: list[Row] = []
        self._ahead: deque[Row] = deque()
        self._newest = self._behind = 0
        self._out: dict[int, tuple[float, float]] = {}
        self._late: deque[int] = deque()
        self._late_s = 0.0

    def all_due(self) -> None:
        """The server came back: everything may be sent again."""
        self._out.clear()
        self._late.clear()
        self._ahead.clear()
        self._behind = 0
        self._news = self._box.news(_NEWS_S, _MOST_NEWS)[::-1]
        self._newest = self._news[-1].id if self._news else 0

    def next(self, now_s: float, *, backlog: bool) -> Row | None:
        """What is to be sent now, None if there is nothing; `backlog`: whether that may be sent."""
        return self._next_news() or (self._next_of_backlog(now_s) if backlog else None)

    def is_news(self, row: Row) -> bool:
        """Whether it is young enough to be news."""
        return row.live and row.lived_s > self._box.lived_s - _NEWS_S

    def taken(self, row: Row) -> None:
        """It is on its way."""
        self.flying[row.id] = row

    def landed(self, row: Row, now_s: float, *, heard: bool) -> None:
        """The server's broker has it; or not, then it is due again in a moment."""
        self.flying.pop(row.id, None)
        pause_s = self._out.get(row.id, (0.0, _FIRST_AGAIN_S))[1]
        if heard:
            self._out[row.id] = (now_s + pause_s, min(2 * pause_s, _LONGEST_AGAIN_S))
        else:
            self._out[row.id] = (now_s, pause_s)

    def gone(self, identifiers: Iterable[int]) -> None:
        """These are no longer in the box."""
        for identifier in identifiers:
            self._out.pop(identifier, None)
            self.flying.pop(identifier, None)

    def _next_news(self) -> Row | None:
        fresh = self._box.after(self._newest, _MOST_NEWS) if self._box.last_id > self._newest else []
        if fresh:
            self._newest = fresh[-1].id
            self._news += [row for row in fresh if row.live]
            del self._news[:-_MOST_NEWS]
        while self._news:
            row = self._news[-1]
            if self.is_news(row) and self._is_new(row):
                return row
            self._news.pop()
        return None

    def _next_of_backlog(self, now_s: float) -> Row | None:
        while len(self._out) < _MOST_OUT:
            if not self._ahead:
                self._ahead.extend(self._box.after(self._behind, _LOOK_AHEAD))
                if not self._ahead:
                    break
                self._behind = self._ahead[-1].id
            if self._is_new(self._ahead[0]):
                return self._ahead[0]
            self._ahead.popleft()
        return self._next_late(now_s)

    def _next_late(self, now_s: float) -> Row | None:
        """What was sent long enough ago."""
        if not self._late and now_s - self._late_s >= 1.0:
            self._late_s = now_s
            self._late.extend(sorted(each for each, (due_s, _pause) in self._out.items() if due_s <= now_s))
        while self._late:
            identifier = self._late[0]
            due_s = self._out.get(identifier, (now_s + 1.0, 0.0))[0]
            found = self._box.after(identifier - 1, 1) if due_s <= now_s else []
            if found and found[0].id == identifier and self._may(found[0]):
                return found[0]
            self._late.popleft()
            if due_s <= now_s and not (found and found[0].id == identifier):
                self._out.pop(identifier, None)
        return None

    def _is_new(self, row: Row) -> bool:
        return row.id not in self._out and self._may(row)

    def _may(self, row: Row) -> bool:
        return row.id not in self.flying and bucket(row.node) not in self.closed
