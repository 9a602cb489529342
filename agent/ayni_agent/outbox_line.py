"""What waits for the hub, and all that the file does not know of it yet.

What is new, acknowledged, refused or dropped since the last commit that succeeded stays here: a commit that
fails loses nothing, and the next one writes it all. Methods may be called from any thread; they hold the lock
for moments and never touch the disk.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ayni_agent.outbox import FIRST_RESEND_S, Limits, MemoryOutbox, Row
from ayni_agent.outbox_file import Book, Changes, Refusal
from ayni_core.clockwatch import Moment
from ayni_core.wire.messages import Ack

log = logging.getLogger("agent")
_MOST_REFUSALS = 50
_DICTIONARY = "dictionary"


@dataclass(slots=True)
class Pending:
    """What the file does not know yet, besides what is new."""

    stored: list[Row] = field(default_factory=list)
    dropped: list[Row] = field(default_factory=list)
    refused: list[tuple[Row, Refusal]] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def rows(self) -> Iterator[Row]:
        """Every frame that has left the line."""
        yield from self.stored
        yield from self.dropped
        yield from (row for row, _refusal in self.refused)

    def before(self, later: Pending) -> Pending:
        """Both, this one first."""
        return Pending(
            self.stored + later.stored,
            self.dropped + later.dropped,
            self.refused + later.refused,
            self.replaced + later.replaced,
            self.keys | later.keys,
        )


class Line:
    """Frames on their way, and small blobs of `state` that others want to find again.

    `past` is the book of the run before, None where there was none or it is not known.
    """

    def __init__(self, limits: Limits, live_s: float) -> None:
        self.past: Book | None = None
        self.damaged = self.refused = 0
        self._memory = MemoryOutbox(limits, live_s)
        self._lock = threading.Lock()
        self._pending = Pending()
        self._state: dict[str, bytes] = {}
        self._refusals: deque[Refusal] = deque(maxlen=_MOST_REFUSALS)
        self._last_seq: dict[str, int] = {}
        self._newest: Row | None = None
        self._dropped_before = 0
        self._dropping = False

    def put(self, rows: Sequence[Row], state: Mapping[str, bytes] | None = None) -> None:
        """Take frames, and what shall be found again; `write` makes them durable."""
        with self._lock:
            for row in rows:
                self._memory.add(row)
                self._last_seq[row.epoch] = max(row.seq, self._last_seq.get(row.epoch, 0))
            self._trim()
            for key, value in (state or {}).items():
                if self._state.get(key) != value:
                    self._state[key] = value
                    self._pending.keys.add(key)

    def _trim(self) -> None:
        dropped = self._memory.trim()
        self._pending.dropped += dropped
        if dropped and not self._dropping:
            self._dropping = True
            log.error("outbox full: the oldest frames are dropped size_bytes=%d", self._memory.size_bytes)

    def state(self, key: str) -> bytes | None:
        """What was put under a key, also by an earlier run."""
        return self._state.get(key)

    def last_seq(self, epoch: str) -> int:
        """The highest number of an epoch that was ever taken; 0 where it is not known."""
        return self._last_seq.get(epoch, 0)

    def due(self, now_s: float, most: int, *, history: bool = True) -> list[Row]:
        """See `Outbox.due`."""
        with self._lock:
            return self._memory.due(now_s, most, history=history)

    def sent(self, row: Row, now_s: float) -> None:
        """See `Outbox.sent`."""
        self._memory.sent(row, now_s)

    def all_due(self) -> None:
        """See `Outbox.all_due`."""
        with self._lock:
            self._memory.all_due()

    def acknowledge(self, ack: Ack, wall_s: float) -> list[str]:
        """See `Outbox.acknowledge`; a frame whose dictionary the hub does not know is due without it."""
        with self._lock:
            settled = self._memory.settle(ack)
            self._pending.stored += settled.stored
            refused = settled.refused
            for unread in ack.unread:
                row = self._memory.find(unread.crc)
                if row is not None and unread.reason == _DICTIONARY and not row.bare:
                    row.bare, row.due_s = True, 0.0
                elif row is not None:
                    self._memory.forget(row.name)
                    refused.append((row, unread.reason))
            for row, reason in refused:
                text = reason.encode("utf-8", "replace").decode()[:200]
                refusal = Refusal(epoch=row.epoch, seq=row.seq, at=round(wall_s, 1), reason=text)
                self._refusals.append(refusal)
                self._pending.refused.append((row, refusal))
            self.refused += len(refused)
            self._dropping = self._dropping and len(self._memory) > 0
        return [reason for _row, reason in refused]

    def unsettle(self, earliest_s: float) -> int:
        """What was acknowledged and made since, and what the file does not know of yet, waits again; how many
        frames."""
        with self._lock:
            back = [row for row in self._pending.stored if row.made_s >= earliest_s]
            self._pending.stored = [row for row in self._pending.stored if row.made_s < earliest_s]
            for row in back:
                row.live, row.due_s, row.pause_s = False, 0.0, FIRST_RESEND_S
                self._memory.add(row)
            self._memory.sort()
        return len(back)

    def __len__(self) -> int:
        """How many frames the hub does not have yet."""
        return len(self._memory)

    @property
    def size_bytes(self) -> int:
        """How many bytes they have."""
        return self._memory.size_bytes

    @property
    def oldest_s(self) -> float | None:
        """When the oldest was made, monotonic."""
        with self._lock:
            return next((row.made_s for row in self._memory.rows.values()), None)

    @property
    def dropped(self) -> int:
        """How many were dropped because there was no room, of all time."""
        return self._dropped_before + self._memory.dropped

    def in_memory(self) -> list[Row]:
        """The frames that would be lost with this process, oldest first."""
        with self._lock:
            return [row for row in self._memory.rows.values() if not row.place]

    def refusals(self) -> list[Refusal]:
        """The last frames that the hub refused for good, oldest first."""
        with self._lock:
            return list(self._refusals)

    # ---- one frame

    def refill(self, row: Row, payload: bytes) -> None:
        """The same frame in other bytes."""
        with self._lock:
            if self._memory.rows.get(row.name) is row:
                self._memory.size_bytes += len(payload) - row.size
                if row.place:
                    self._pending.replaced.append(row.place)
                row.fill(payload)

    def lose(self, row: Row) -> None:
        """A frame that is no longer what was written."""
        with self._lock:
            self.damaged += 1
            self._memory.forget(row.name)
            self._pending.dropped.append(row)

    # ---- for the file

    def take_changes(
        self, moment: Moment, *, clean: bool, journal: bool, keep: bool
    ) -> tuple[Changes, Pending]:
        """What is to be written now; `give_back` if that fails, else `written`."""
        with self._lock:
            pending, self._pending = self._pending, Pending()
            rows = self._memory.rows.values()
            changes = Changes(
                moment=moment,
                new=[(row, row.payload) for row in rows if not row.place and row.payload is not None],
                stored=[row for row in pending.stored if row.place],
                gone=[*(row.place for row in pending.dropped if row.place), *pending.replaced],
                refused=pending.refused,
                waiting=sorted(row.place for row in rows if row.place),
                state={key: self._state[key] for key in pending.keys},
                clean=clean,
                journal=journal,
                dropped=self.dropped,
                damaged=self.damaged,
                refused_count=self.refused,
                keep=keep,
            )
        return changes, pending

    def give_back(self, pending: Pending) -> None:
        """Nothing was written."""
        with self._lock:
            self._pending = pending.before(self._pending)

    def written(self, changes: Changes, places: Sequence[int]) -> None:
        """All was written. Only the newest frame keeps its bytes in memory: it is what is sent next."""
        with self._lock:
            for (row, payload), place in zip(changes.new, places, strict=True):
                if row.payload is not payload:  # encoded anew meanwhile
                    self._pending.replaced.append(place)
                    continue
                row.place = place
                if self._newest is not None and self._newest.place:
                    self._newest.payload = None
                row.payload, self._newest = payload, row

    def write_state_again(self) -> None:
        """The file does not know the state yet."""
        with self._lock:
            self._pending.keys |= self._state.keys()

    def forget_pending(self) -> None:
        """There is no file that wants to know."""
        with self._lock:
            self._pending = Pending()

    def know(self, book: Book | None, state: Mapping[str, bytes], refusals: Iterable[Refusal] = ()) -> None:
        """What an earlier run knew, where this one does not know better."""
        with self._lock:
            for key in state.keys() - self._state.keys():
                self._state[key] = state[key]
            if not self._refusals:
                self._refusals.extend(refusals)
            if book is None or self.past is not None:
                return
            self.past = book
            self._dropped_before = book.dropped
            self.damaged += book.damaged
            self.refused += book.refused
            for epoch, seq in book.last_seq.items():
                self._last_seq[epoch] = max(seq, self._last_seq.get(epoch, 0))

    def join(self, rows: Iterable[Row], odd: Sequence[int] = (), *, unreadable: bool = False) -> None:
        """Frames out of a file, beside those that are known already; `odd` are places to be cleared. With
        `unreadable` what has a place cannot be read there now.
        """
        with self._lock:
            self.damaged += len(odd)
            self._pending.replaced += odd
            settled = {row.name: row for row in self._pending.rows()}
            for row in rows:
                known = self._memory.rows.get(row.name)
                if row.name in settled:
                    settled[row.name].place = row.place
                elif known is None:
                    self._memory.add(row)
                elif row.place and known.crc == row.crc:
                    known.place, known.payload = row.place, None
                elif row.place:
                    self._pending.replaced.append(row.place)
                elif known.payload is None and (unreadable or not known.place):
                    known.payload = row.payload
            self._memory.sort()
            self._trim()

    def uproot(self) -> None:
        """The file is gone: no frame has a place, and a new file knows nothing."""
        with self._lock:
            for row in (*self._memory.rows.values(), *self._pending.rows()):
                row.place = 0
            self._pending.replaced.clear()

    def drop_rootless(self) -> int:
        """Forget the frames whose bytes are nowhere; how many there were."""
        with self._lock:
            lost = [row for row in self._memory.rows.values() if not row.place and row.payload is None]
            for row in lost:
                self._memory.forget(row.name)
            self.damaged += len(lost)
        return len(lost)
