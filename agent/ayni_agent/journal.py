"""The open frame, poll by poll, where it survives this process: files in memory that /run keeps.

Theory of operation. One segment a frame: a file to which each poll is appended as it comes, without fsync, so
that SIGKILL loses nothing and the card is not touched. When the frame is closed, the segment is replaced in
one step by the frames that were made of it, with their names and bytes: what may have been sent is never made
a second time. When they are safe elsewhere, the segment goes. At the next start the segments that are left
tell what must still be delivered. A lock keeps a second agent out.

Notes are kept like polls, and how the clock stood whenever that changed.

A record is its length, its CRC-32, and a tuple by `marshal` (version 2: plain values, no references, the same
in every Python). The series of a device are written once and then only their values. Reading stops at
the first record that is not whole. Nothing here raises for what the disk does.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import marshal
import os
import re
import struct
import zlib
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ayni_agent.outbox import Name, Row, row_of
from ayni_core.message import Message
from ayni_core.readings import Names, Poll, Series, Value
from ayni_core.readings import Row as Readings
from ayni_core.wire.note import FrameNote

log = logging.getLogger("agent")
_HEAD = struct.Struct("<II")
_LARGEST = 16 * 1024 * 1024
_MARSHAL = 2
_SEGMENT = re.compile(r"segment-(\d{8,12})")
_BEGIN, _SERIES, _POLL, _FRAME, _LAST = "begin", "series", "poll", "frame", "last"
_NOTE, _CLOCK = "note", "clock"
_MOST_SEGMENTS = 10_000
_NOTHING = Readings(Names(()), [])


@dataclass(slots=True)
class Segment:
    """One frame as it was found. Either it was open: `polls` with the wall time of each, `notes` (`at_s` is
    monotonic), how the clock stood at last, and `last_seq`, the number of the frame before it; or it was
    closed: `rows` were made of it.
    """

    path: Path
    node: str = ""
    epoch: str = ""
    boot: str = ""
    last_seq: int = 0
    polls: list[tuple[Poll, float]] = field(default_factory=list)
    notes: list[FrameNote] = field(default_factory=list)
    step: int = 0
    synced: bool = False
    rows: list[Row] = field(default_factory=list)


class Journal:
    """The segments of one agent. `folder` None: nothing is kept."""

    def __init__(self, folder: Path | None, node: str, epoch: str, boot: str) -> None:
        self._folder = folder
        self._begin = (_BEGIN, node, epoch, boot)
        self._epoch, self._last_seq = epoch, 0
        self._number = 0
        self._file: int | None = None
        self._path: Path | None = None
        self._size = 0
        self._layouts: dict[str, tuple[int, Names]] = {}
        self._closed: dict[Path, frozenset[Name]] = {}
        self._failing = False
        self._lock: int | None = None
        self._clock: tuple[int, bool] = (0, False)
        self._begun = False

    @property
    def kept(self) -> bool:
        """Whether there is a place to keep the open frame."""
        return self._folder is not None

    def recover(self) -> tuple[bool, list[Segment]]:
        """(whether an earlier run left its folder, what it left in it, oldest first)."""
        self._begun = True
        if self._folder is None:
            return False, []
        try:
            there = self._folder.is_dir()
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._lock = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
            if os.fstat(self._lock).st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, "it belongs to another user")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            numbered = sorted(
                (int(match[1]), path)
                for path in self._folder.iterdir()
                if (match := _SEGMENT.fullmatch(path.name))
            )
        except BlockingIOError:
            log.error("open frame not kept: another agent uses folder=%s", self._folder)
            self._folder = None
            return False, []
        except PermissionError as error:
            self._failed(error)
            self._folder = None
            return False, []
        except OSError as error:
            self._failed(error)
            return False, []
        self._number = numbered[-1][0] if numbered else 0
        return there, [_read(path) for _number, path in numbered[:_MOST_SEGMENTS]]

    def add(self, poll: Poll, wall_s: float) -> None:
        """Keep a poll of the open frame, made at `wall_s` on the wall clock."""
        if self._folder is None:
            return
        if self._file is None and not self._open(self._folder):
            return
        known = self._layouts.get(poll.device)
        row = Readings.of(poll.values, known[1] if known else None) if poll.values else _NOTHING
        records = b""
        if known is None or (row.names is not known[1] and row is not _NOTHING):
            known = (len(self._layouts) if known is None else known[0], row.names)
            self._layouts[poll.device] = known
            records = _record(_SERIES, known[0], poll.device, [tuple(each) for each in row.names.series])
        said = (known[0], float(poll.at_s), float(wall_s), poll.error)
        try:
            records += _record(_POLL, *said, row.cells)
        except ValueError:  # a value of a type of its own
            records += _record(_POLL, *said, [_plain(value) for value in row.cells])
        self._append(records)

    def note(self, note: FrameNote) -> None:
        """Keep a note of the open frame; none before `recover`, which tells where there is room."""
        if self._folder is None or not self._begun or (self._file is None and not self._open(self._folder)):
            return
        values = {key: _plain(value) for key, value in note.text.values.items()}
        self._append(_record(_NOTE, float(note.at_s), note.text.context, values, note.level, note.device))

    def clock(self, step: int, synced: bool) -> None:
        """How often the wall clock was set, and whether it is synchronised now."""
        if self._clock != (step, synced):
            self._clock = step, synced
            if self._file is not None:
                self._append(_record(_CLOCK, step, synced))

    def turn(self) -> Path | None:
        """The frame is closed: its segment, for `closed`; the next poll begins a new one."""
        path, self._path = self._path, None
        if self._file is not None:
            os.close(self._file)
            self._file = None
        return path

    def closed(self, segment: Path | None, rows: Sequence[Row]) -> None:
        """What became of the frame of a segment; with no rows it goes."""
        numbers = [row.seq for row in rows if row.epoch == self._epoch]
        if numbers:
            self._last_seq = max(numbers)
            if self._file is not None:  # the next frame began meanwhile
                self._append(_record(_LAST, self._last_seq))
        if segment is None:
            return
        try:
            if not rows:
                segment.unlink(missing_ok=True)
                return
            frames = (_record(_FRAME, row.epoch, row.seq, float(row.made_s), row.payload) for row in rows)
            draft = segment.with_name(f"{segment.name}.new")
            draft.write_bytes(b"".join((_record(*self._begin), *frames)))
            draft.replace(segment)
            self._closed[segment] = frozenset(row.name for row in rows)
        except OSError as error:
            self._failed(error)

    def keep_only(self, names: Container[Name]) -> None:
        """Let go of the segments whose frames are all safe elsewhere, that is, not among `names`."""
        for segment, made in list(self._closed.items()):
            if not any(name in names for name in made):
                with contextlib.suppress(OSError):
                    segment.unlink(missing_ok=True)
                del self._closed[segment]

    def leave(self) -> None:
        """Close what is open; the folder goes where nothing is left in it."""
        self.turn()
        if self._folder is not None and self._lock is not None:
            with contextlib.suppress(OSError):
                self._folder.rmdir()
            os.close(self._lock)
            self._folder = self._lock = None

    def _open(self, folder: Path) -> bool:
        self._number += 1
        path = folder / f"segment-{self._number:08d}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)  # somebody may have tidied up
            self._file = os.open(path, flags, 0o640)
        except OSError as error:
            self._failed(error)
            return False
        self._path, self._size, self._layouts = path, 0, {}
        begin = _record(*self._begin) + _record(_LAST, self._last_seq) + _record(_CLOCK, *self._clock)
        if self._append(begin):
            return True
        self.closed(self.turn(), ())
        return False

    def _append(self, records: bytes) -> bool:
        assert self._file is not None  # noqa: S101
        try:
            if os.write(self._file, records) < len(records):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._failed(error)
            self._layouts = {}
            with contextlib.suppress(OSError):  # half a record would hide all that follow
                os.ftruncate(self._file, self._size)
            return False
        self._size += len(records)
        self._failing = False
        return True

    def _failed(self, error: OSError) -> None:
        if not self._failing:
            self._failing = True
            log.warning("open frame not kept folder=%s cause=%s", self._folder, error.strerror or error)


def _record(*fields: Any) -> bytes:
    body = marshal.dumps(fields, _MARSHAL)
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def _plain(value: Value) -> Value:
    """The same value in a type that can be written."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    return None


def _read(path: Path) -> Segment:
    segment = Segment(path)
    layouts: dict[int, tuple[str, Names]] = {}
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, EOFError):
        for kind, *rest in _records(path):
            match kind, rest:
                case "begin", [str(node), str(epoch), str(boot)]:
                    segment.node, segment.epoch, segment.boot = node, epoch, boot
                case "last", [int(seq)]:
                    segment.last_seq = seq
                case "series", [int(number), str(device), list(series)]:
                    layouts[number] = (device, Names(Series(*each) for each in series))
                case "poll", [int(number), float(at_s), float(wall_s), (str() | None) as error, list(values)]:
                    device, names = layouts[number]
                    if values and len(values) != len(names.series):
                        raise ValueError("as many values as names")
                    row = Readings(names, values) if values else {}
                    poll = Poll(device=device, at_s=at_s, values=row, error=error)
                    segment.polls.append((poll, wall_s))
                case "note", [float(at_s), str(context), dict(said), str(level), str(device)]:
                    text = Message(context, said)
                    segment.notes.append(FrameNote(at_s=at_s, text=text, level=level, device=device))
                case "clock", [int(step), bool(synced)]:
                    segment.step, segment.synced = step, synced
                case "frame", [str(epoch), int(seq), float(made_s), bytes(payload)]:
                    segment.rows.append(row_of(epoch, seq, payload, made_s))
    return segment


def _records(path: Path) -> Iterator[tuple[Any, ...]]:
    text = path.read_bytes()
    place = 0
    while place + _HEAD.size <= len(text):
        length, crc = _HEAD.unpack_from(text, place)
        body = text[place + _HEAD.size : place + _HEAD.size + length]
        if length > _LARGEST or len(body) < length or zlib.crc32(body) != crc:
            return
        place += _HEAD.size + length
        yield marshal.loads(body)  # noqa: S302  written by this program, and its CRC-32 is right
