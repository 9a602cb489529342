"""The open frame: polls go in, a `Frame` with its name and place in time comes out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ayni_agent.open_polls import OpenPolls
from ayni_core.clockwatch import Moment
from ayni_core.readings import Poll
from ayni_core.wire.frame import Frame
from ayni_core.wire.limits import MAX_VALUES
from ayni_core.wire.note import MAX_NOTES, FrameNote


@dataclass(slots=True, kw_only=True)
class Collector:
    """Collects the polls of a node. `epoch` is new at every start: a cloned card never collides."""

    node: str
    epoch: str
    boot: str
    flush_s: float
    seq: int = 0
    opened_s: float | None = None
    devices: dict[str, OpenPolls] = field(default_factory=dict)
    values: int = 0
    notes: list[FrameNote] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether it is time to close the frame, before it becomes too large for one."""
        return self.values > MAX_VALUES // 2

    def add(self, poll: Poll) -> None:
        """Take one poll; a failed one is a reading too."""
        if self.opened_s is None:
            self.opened_s = poll.at_s
        self.devices.setdefault(poll.device, OpenPolls()).add(poll.at_s - self.opened_s, poll)
        self.values += 1 + len(poll.values)

    def note(self, note: FrameNote) -> bool:
        """Take what the node has to tell; `at_s` is monotonic here. Of too many the first stay."""
        if len(self.notes) >= MAX_NOTES:
            return False
        self.notes.append(note)
        return True

    def close(self, at: Moment) -> Frame | None:
        """The frame with everything since the last one; None if nothing was polled and nothing is to be told.

        Its wall clock is the one of now: however often it was set since the frame was opened, this is what is
        believed now, and the monotonic seconds run through.
        """
        if self.opened_s is None and self.notes:
            self.opened_s = at.mono_s
        if self.opened_s is None:
            return None
        self.seq += 1
        frame = self.frame(
            self.seq, self.opened_s, at.wall_at(self.opened_s), at.synced, self.devices,
            step=at.step, made_s=max(at.mono_s, self.opened_s),
        )  # fmt: skip
        frame = replace(frame, notes=tuple(_relative(note, self.opened_s) for note in self.notes))
        self.opened_s, self.devices, self.values, self.notes = None, {}, 0, []
        return frame

    def copy(self, poll: Poll, wall_s: float, synced: bool) -> Frame:
        """A frame of this one poll, for somebody who is watching: never stored, so it has no number."""
        polls = OpenPolls()
        polls.add(0.0, poll)
        return self.frame(0, poll.at_s, wall_s, synced, {poll.device: polls})

    def frame(
        self,
        seq: int,
        mono_s: float,
        wall_s: float,
        synced: bool,
        devices: dict[str, OpenPolls],
        *,
        step: int = 0,
        made_s: float | None = None,
    ) -> Frame:
        """A frame of this node."""
        return Frame(
            node=self.node,
            epoch=self.epoch,
            seq=seq,
            boot=self.boot,
            mono_s=mono_s,
            wall_s=wall_s,
            synced=synced,
            next_by_s=self.flush_s + 10,
            devices={name: polls.columns() for name, polls in devices.items()},
            step=step,
            made_s=made_s,
        )


def _relative(note: FrameNote, start_s: float) -> FrameNote:
    return replace(note, at_s=note.at_s - start_s)
