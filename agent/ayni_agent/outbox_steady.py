"""The outbox that agents use: frames on disk while the disk works, in memory while it does not.

Theory of operation. The line knows every frame; the file under it makes them durable, one commit a flush.
After a failure everything goes on in memory, and the next try waits 30 s, doubling to 15 min. A file that is
damaged is set aside, what can be read of it is put into a new one (`outbox_rescue`), and it is told.

Nothing here raises for what the disk does. What `Line` offers is quick and belongs on the loop; `write`,
`read` and `recent` may take as long as a slow card, so they belong in a thread. One lock is for the line,
held for moments, and one for the file, always taken first.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from ayni_agent import outbox_rescue
from ayni_agent.outbox import DAY_S, MIB, Limits, Row, Statistics, without_dictionary
from ayni_agent.outbox_file import FileOutbox, OutboxError
from ayni_agent.outbox_line import Line
from ayni_agent.outbox_rescue import Wreck
from ayni_agent.outbox_trouble import Trouble
from ayni_core.clockwatch import Moment

log = logging.getLogger("agent")
_REOPEN_AFTER, _MOST_RESCUES = 3, 3
_TAKEN_BACK = "taken back"
"""The key in `state` of the last mark of `take_back`."""
_RESCUE_BATCH = MIB


class SteadyOutbox(Line):
    """See the module. `path` None: memory only. `journal` is noted in the book: whether the open frame of
    this run is kept elsewhere.
    """

    def __init__(
        self,
        path: Path | None,
        moment: Moment,
        boot: str,
        *,
        live_s: float = 600.0,
        limits: Limits | None = None,
        journal: bool = False,
    ) -> None:
        self.limits = limits or Limits()
        super().__init__(self.limits, live_s)
        self._path = path
        self._boot = boot
        self._journal = journal
        self._file_lock = threading.Lock()
        self._file: FileOutbox | None = None
        self._rescues = 0
        self._wrecks = True
        self._looked = False
        self._trouble = Trouble() if path else Trouble("none", "no state_dir is given")
        if path is not None:
            try:
                self._ready(path, moment)
            except (OutboxError, OSError) as error:
                self._give_up(error, path, moment)

    def statistics(self) -> Statistics:
        """How the outbox is."""
        return Statistics(
            frames=len(self),
            size_bytes=self.size_bytes,
            oldest_s=self.oldest_s,
            dropped=self.dropped,
            damaged=self.damaged,
            refused=self.refused,
            storage="memory" if self._trouble.kind else "disk",
            trouble=self._trouble.kind,
            why=self._trouble.why,
        )

    # ---- reading

    def read(self, row: Row) -> bytes | None:
        """See `Outbox.read`. A frame that is damaged leaves the line and is counted."""
        payload = row.payload or self._from_disk(row)
        if payload is None or not row.bare:
            return payload
        bare = without_dictionary(payload)
        if bare is None:
            return payload
        self.refill(row, bare)
        return bare

    def _from_disk(self, row: Row) -> bytes | None:
        with self._file_lock:
            if self._file is None or not row.place:
                return row.payload
            try:
                payload = self._file.payload(row)
            except OutboxError as error:
                log.warning("frame not read seq=%d cause=%s", row.seq, error)
                return None
        if payload is None:
            log.warning("frame damaged on disk and left out seq=%d", row.seq)
            self.lose(row)
        return payload

    def recent(self, now_s: float, *, for_s: float = DAY_S, most: int = 1000) -> list[bytes]:
        """The frames of the last day that are kept, newest first, whether the hub has them or not."""
        rows = [row for row in reversed(self.in_memory()) if now_s - row.made_s <= for_s]
        found = [row.payload for row in rows if row.payload is not None][:most]
        with self._file_lock:
            if self._file is not None and len(found) < most:
                with contextlib.suppress(OutboxError):
                    found += self._file.recent(now_s, for_s, most - len(found))
        return found

    def take_back(self, mark: str, for_s: float, now_s: float) -> int | None:
        """See `Outbox.take_back`."""
        with self._file_lock:
            if self.state(_TAKEN_BACK) == mark.encode():
                return 0
            if self._file is None and self._path is not None:
                return None
            rows: list[Row] = []
            if self._file is not None:
                try:
                    rows = self._file.take_back(now_s, for_s)
                except OutboxError as error:
                    log.warning("frames not read again cause=%s", error)
                    return None
            count = len(rows) + self.unsettle(now_s - for_s)
            self.join(rows)
            self.put((), {_TAKEN_BACK: mark.encode()})
        return count

    # ---- writing

    def commit(self, rows: Sequence[Row], state: Mapping[str, bytes] | None, moment: Moment) -> bool:
        """`put` and `write` in one."""
        self.put(rows, state)
        return self.write(moment)

    def write(self, moment: Moment, *, clean: bool = False) -> bool:
        """Make durable what is not yet; False while the disk does not work. `clean`: this run ends here, as
        it should.
        """
        if self._path is None:
            self.forget_pending()
            return False
        with self._file_lock:
            if not clean and not self._trouble.may_try(moment.mono_s):
                return False
            try:
                self._ready(self._path, moment)
                self._write(moment, clean=clean)
            except (OutboxError, OSError) as error:
                if not self._mended(error, self._path, moment, clean=clean):
                    self._give_up(error, self._path, moment)
                    return False
            self._trouble.over(len(self))
        return True

    def close(self) -> None:
        """Give the file back."""
        with self._file_lock:
            self._shut()

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, moment: Moment, *, clean: bool = False) -> None:
        assert self._file is not None  # noqa: S101  _ready opened it
        keep = self._trouble.kind != "full"
        changes, pending = self.take_changes(moment, clean=clean, journal=self._journal, keep=keep)
        try:
            places = self._file.commit(changes)
        except BaseException:
            self.give_back(pending)
            raise
        self.written(changes, places)

    # ---- opening, and what may be wrong

    def _ready(self, path: Path, moment: Moment) -> None:
        """Have the file open and everything rescued. Raises `OutboxError` or `OSError`."""
        if self._file is None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            try:
                file = FileOutbox(path, moment, self._boot)
            except OutboxError as error:
                if error.kind != "damaged" or self._rescues >= _MOST_RESCUES:
                    raise
                self._set_aside(path, error)
                file = FileOutbox(path, moment, self._boot)
            self.know(file.found, file.state, file.refusals)
            self.join(file.rows, file.odd)
            file.rows.clear()
            self._file, self._looked = file, False
        if self._wrecks:
            self._rescue(path, moment)
            self._wrecks = False

    def _set_aside(self, path: Path, error: OutboxError) -> None:
        """Make room for a new file. No frame has a place until it is rescued."""
        self._shut()
        outbox_rescue.set_aside(path)
        self._rescues += 1
        self._wrecks = True
        self.uproot()
        log.error("outbox damaged and set aside cause=%s", error)

    def _rescue(self, path: Path, moment: Moment) -> None:
        """Take out of the files that were set aside what can be read."""
        rescued = 0
        wrecks = outbox_rescue.to_rescue(path)
        for each in wrecks:
            try:
                rescued += self._read_out(each, moment)
            except OSError as error:
                log.error("outbox not rescued cause=%s", error)
            self._write(moment)
            with contextlib.suppress(OSError):  # it would only be rescued again
                outbox_rescue.put_away(path, each)
        if wrecks:
            log.warning("outbox rescued frames=%d lost=%d", rescued, self.drop_rootless())

    def _read_out(self, path: Path, moment: Moment) -> int:
        with contextlib.closing(Wreck(path)) as wreck:
            self.know(wreck.book, wreck.state)
            self.write_state_again()
            count = size = 0
            batch: list[Row] = []
            for row in wreck.rows(moment.mono_s):
                count += 1
                size += row.size
                batch.append(row)
                if size > _RESCUE_BATCH:
                    self.join(batch)
                    self._write(moment)
                    size = 0
                    batch.clear()
            self.join(batch)
        return count

    def _look_at(self, path: Path, moment: Moment) -> None:
        """The file cannot be opened: take the newest of its frames into memory; the others stay there."""
        try:
            wreck = Wreck(path)
        except OSError:
            return
        room = self.limits.memory_bytes // 2
        rows: list[Row] = []
        with contextlib.closing(wreck):
            for row in wreck.rows(moment.mono_s, newest_first=True):
                room -= row.size
                if room < 0:
                    break
                rows.append(row)
        self.know(wreck.book, wreck.state)
        self.join(reversed(rows), unreadable=True)

    def _mended(self, error: OutboxError | OSError, path: Path, moment: Moment, *, clean: bool) -> bool:
        """Whether the cause of a failure could be put right at once, and the commit was done."""
        if not isinstance(error, OutboxError):
            return False
        try:
            if error.kind == "full" and self._file is not None and self._trouble.kind != "full":
                self._trouble.kind = "full"  # without what is kept only to be shown there may be room
            elif error.kind == "damaged" and self._file is not None and self._rescues < _MOST_RESCUES:
                self._set_aside(path, error)
                self._ready(path, moment)
            else:
                return False
            self._write(moment, clean=clean)
        except (OutboxError, OSError):
            return False
        return True

    def _give_up(self, error: OutboxError | OSError, path: Path, moment: Moment) -> None:
        self._trouble.met(error, path, moment.mono_s)
        if self._trouble.kind in ("failing", "damaged") and self._trouble.times % _REOPEN_AFTER == 0:
            self._shut()
        if self._file is None and self._trouble.kind != "busy" and not self._looked:
            self._looked = True
            self._look_at(path, moment)
