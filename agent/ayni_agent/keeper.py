"""From polls to frames that are safe: the open frame, its journal, the outbox; and how the last run ended.

Theory of operation. A poll goes into the open frame and into the journal. `close` makes the bytes of a frame
(in a thread: a Pi takes its time), puts them into the journal in place of the polls, and commits them to the
outbox. What the journal held is let go when the outbox has it on disk. A card that stalls holds up nothing:
after `_PATIENCE_S` the frame travels from memory, and the journal keeps it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ayni_agent.collector import Collector
from ayni_agent.config import AgentConfig
from ayni_agent.health_report import HealthReport
from ayni_agent.journal import Journal, Segment
from ayni_agent.outbox import Row, row_of
from ayni_agent.outbox_steady import SteadyOutbox
from ayni_core.clockwatch import STEP_S, ClockWatch, Moment
from ayni_core.message import Message
from ayni_core.readings import Poll
from ayni_core.wire import WireError, codec
from ayni_core.wire.frame import Frame
from ayni_core.wire.note import MAX_NOTES, FrameNote
from ayni_io import clock

log = logging.getLogger("agent")
OUTBOX = "agent.sqlite"
JOURNAL = "journal"
CLOCK = "clock"
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the run before this one ended. `how`: `first` (there was none that is known), `clean`, `killed` (in
    this boot), or `power-cut`. `frames` were found in the journal. With `lost`, what was polled after
    `since_s` is missing, at most one flush; nothing was polled until `until_s`. Wall clocks of then and of
    now; `synced`: both can be believed.
    """

    how: str
    lost: bool
    frames: int
    since_s: float | None
    until_s: float
    synced: bool


class Keeper:
    """What was polled, until the hub has it. Others keep small blobs beside it: `remember` one, and find it
    with `outbox.state` at the next start.
    """

    def __init__(self, config: AgentConfig, epoch: str, boot: str) -> None:
        self._config = config
        self._boot = boot
        self.collector = Collector(node=config.node, epoch=epoch, boot=boot, flush_s=config.flush_s)
        folder = config.runtime_dir / JOURNAL if config.runtime_dir else None
        self.journal = Journal(folder, config.node, epoch, boot)
        self.outbox = SteadyOutbox(
            config.state_dir / OUTBOX if config.state_dir else None,
            clock.look(ClockWatch(boot)),
            boot,
            live_s=2 * config.flush_s,
            journal=folder is not None,
        )
        self.watch = ClockWatch.from_bytes(self.outbox.state(CLOCK), boot)
        self.on_frames: Callable[[], None] = lambda: None
        self.on_moment: Callable[[Moment], None] = lambda _at: None
        self.health: HealthReport | None = None
        self._offset_s: float | None = None
        self._remembered: dict[str, Callable[[], bytes]] = {CLOCK: self.watch.to_bytes}
        self._closing = asyncio.Lock()
        self._writing: asyncio.Task[bool] | None = None
        self._slow = False
        self._tasks: set[asyncio.Task[None]] = set()

    def use(self, config: AgentConfig) -> None:
        """From now on by this configuration; node and folders are the same."""
        self._config = config
        self.collector.flush_s = config.flush_s

    def remember(self, key: str, pack: Callable[[], bytes]) -> None:
        """Keep what `pack` returns with every commit."""
        self._remembered[key] = pack

    def look(self) -> Moment:
        """What the clocks say now; `on_moment` gets it, too."""
        at = clock.look(self.watch)
        self._offset_s = at.wall_s - at.mono_s
        self.journal.clock(at.step, at.synced)
        self.on_moment(at)
        return at

    # ---- the beginning

    def begin(self) -> Ending:
        """Take over what an earlier run left; to be called once, before anything is polled."""
        at = self.look()
        there, segments = self.journal.recover()
        for note in self.collector.notes:  # told before there was a place for them
            self.journal.note(note)
        rows = list(self._recovered(segments, at))
        self.outbox.put(rows, self._state())
        self.outbox.write(at)
        self._let_go()
        ending = self._ending(at, len(rows), there)
        _tell(ending)
        return ending

    def _recovered(self, segments: list[Segment], at: Moment) -> Iterator[Row]:
        """The frames that an earlier run closed or left open, unless the outbox has had them."""
        last: dict[str, int] = {}
        for segment in segments:
            for row in segment.rows:
                last[row.epoch] = max(row.seq, last.get(row.epoch, 0))
        for segment in segments:
            rows = [row for row in segment.rows if row.seq > self.outbox.last_seq(row.epoch)]
            if (segment.polls or segment.notes) and segment.node == self._config.node:
                epoch = segment.epoch
                before = max(last.get(epoch, 0), self.outbox.last_seq(epoch), segment.last_seq)
                made_s = min(at.mono_s, _end_s(segment))
                rows = self._rows(self._frame_of(segment, before, at), made_s)
                last[epoch] = max([before, *(row.seq for row in rows)])
            if segment.boot != self._boot:
                for row in rows:
                    row.made_s, row.live = at.mono_s, False
            self.journal.closed(segment.path, rows)
            yield from rows

    def _frame_of(self, segment: Segment, before: int, at: Moment) -> Frame | None:
        collector = Collector(
            node=segment.node,
            epoch=segment.epoch,
            boot=segment.boot,
            flush_s=self._config.flush_s,
            seq=before,
        )
        for poll, _wall_s in segment.polls:
            collector.add(poll)
        collector.notes = segment.notes[:MAX_NOTES]
        if segment.boot == self._boot:
            return collector.close(at)
        if not segment.polls:  # nobody knows the time of these notes any more: what the clock says now
            return collector.close(Moment(mono_s=_end_s(segment), wall_s=at.wall_s, synced=False))
        last_poll, wall_s = segment.polls[-1]
        then = Moment(mono_s=last_poll.at_s, wall_s=wall_s, synced=segment.synced, step=segment.step)
        return collector.close(then)

    def _ending(self, at: Moment, frames: int, there: bool) -> Ending:
        past = self.outbox.past
        same_boot = past is not None and past.boot == self._boot
        if past is None:
            how = "killed" if frames else "first"
        elif past.clean:
            how = "clean"
        else:
            how = "killed" if same_boot else "power-cut"
        kept = frames > 0 or (past is not None and same_boot and past.journal and there)
        return Ending(
            how=how,
            lost=past is not None and not past.clean and not kept,
            frames=frames,
            since_s=past.wall_s if past else None,
            until_s=at.wall_s,
            synced=at.synced and past is not None and past.synced,
        )

    # ---- the open frame

    def note_ending(self, ending: Ending) -> None:
        """Tell how the run before this one ended, where people should know."""
        if ending.lost:
            text = Message("note.power_cut", {"since": _readable(ending.since_s)[:16].replace("T", " ")})
        elif ending.how == "killed":
            text = Message("note.killed")
        else:
            return
        self.note(FrameNote(at_s=self.look().mono_s, text=text, level="note"))

    def add(self, poll: Poll, wall_s: float) -> None:
        """Keep a poll, made at `wall_s` on the wall clock."""
        if self._offset_s is None or abs(wall_s - poll.at_s - self._offset_s) > STEP_S:
            self.look()  # somebody has set the clock: what comes now belongs to another step
        self.collector.add(poll)
        self.journal.add(poll, wall_s)

    def note(self, note: FrameNote) -> None:
        """Tell something with the next frame; `at_s` is monotonic here."""
        if self.collector.note(note):
            self.journal.note(note)

    async def close(self) -> None:
        """Close the open frame and keep it; it is done to the end even if the caller is cancelled."""
        task = asyncio.create_task(self._close())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    async def _close(self) -> None:
        async with self._closing:  # numbers and bytes in the order of time
            at = self.look()
            frame = self.collector.close(at)
            if frame is not None and self.health is not None:
                frame = replace(frame, health=self.health.due(at))
            segment = self.journal.turn()
            rows = await asyncio.to_thread(self._rows, frame, at.mono_s)
            if self.health is not None:
                self.health.made(sum(row.size for row in rows))
            self.collector.seq = max([self.collector.seq, *(row.seq for row in rows)])
            self.journal.closed(segment, rows)
            self.outbox.put(rows, self._state())
            await self._write(at)
        self.on_frames()

    def _rows(self, frame: Frame | None, made_s: float) -> list[Row]:
        """The frame as bytes; several where it is too large for one."""
        if frame is None:
            return []
        try:
            pieces = codec.pieces(frame, self._config.encoding)
        except WireError as error:
            log.error("frame left out seq=%d cause=%s", frame.seq, error)
            return []
        except Exception:  # a bug of ours; at the next start it would meet the same frame again
            log.exception("frame left out seq=%d", frame.seq)
            return []
        return [row_of(part.epoch, part.seq, payload, made_s) for part, payload in pieces]

    async def _write(self, at: Moment) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(asyncio.to_thread(self.outbox.write, at))
        done, _pending = await asyncio.wait([self._writing], timeout=_PATIENCE_S)
        if bool(done) == self._slow:
            self._slow = not done
            log.warning("card slow" if self._slow else "card no longer slow")
        if done:
            self._writing.result()
            self._let_go()

    def _let_go(self) -> None:
        if not len(self.outbox):
            self.watch.forget_earlier()
        self.journal.keep_only({row.name for row in self.outbox.in_memory()})

    def _state(self) -> dict[str, bytes]:
        return {key: pack() for key, pack in self._remembered.items()}

    # ---- the end

    async def leave(self) -> None:
        """Note what the hub has said meanwhile, and that this run ends as it should."""
        async with self._closing:
            if self._writing is not None:
                await asyncio.wait([self._writing], timeout=_PATIENCE_S)
            at = self.look()
            self.outbox.put((), self._state())
            writing = asyncio.to_thread(self.outbox.write, at, clean=True)
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await writing
            except TimeoutError:
                log.warning("card slow; this end will look like a power cut")
                return
            self._let_go()
            self.journal.leave()
            await asyncio.to_thread(self.outbox.close)


def _end_s(segment: Segment) -> float:
    """When an open frame ended, as far as is known."""
    return segment.polls[-1][0].at_s if segment.polls else segment.notes[-1].at_s


def _tell(ending: Ending) -> None:
    if ending.lost:
        since, until = _readable(ending.since_s), _readable(ending.until_s)
        log.warning("readings lost how=%s from=%s to=%s", ending.how, since, until)
    elif ending.how == "killed":
        log.warning("the last run was killed; nothing was lost frames=%d", ending.frames)


def _readable(wall_s: float | None) -> str:
    try:
        return datetime.fromtimestamp(wall_s or 0.0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return "?"
