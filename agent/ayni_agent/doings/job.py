"""What a doing is given: its order, what it may touch, and whom it tells how far it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ayni_agent.config import DeviceConfig
from ayni_agent.doings.family import Families, ask_family
from ayni_agent.guard import Guard, Object, Undo
from ayni_core.commands import Order
from ayni_core.message import Message
from ayni_core.profile import Actions
from ayni_core.readings import Poll
from ayni_core.snmp import VarBind
from ayni_core.wire.messages import Command, CommandState
from ayni_io.snmp import SnmpReader
from ayni_io.snmp_set import SnmpWriter
from ayni_io.waiting import Clock

LONGEST_LINE = 160


class Ground(Protocol):
    """What commands stand on: the agent that they are given to."""

    async def tell(self, state: CommandState) -> bool:
        """Send it to `done/NODE`, never retained. False when the hub is not there to hear it."""
        ...

    async def poll(self, device: str) -> Poll:
        """Poll a device of this node now; what came goes the way of every poll, too."""
        ...

    def watch(self, for_s: float) -> bool:
        """Send copies of every poll for so long; a longer watch that runs already stays. False: none are
        sent, to save data."""
        ...

    def hasten(self, device: str, for_s: float) -> None:
        """Poll a device every few seconds for so long; one that is not polled here is passed over."""
        ...

    def pace(self) -> tuple[float, float]:
        """Seconds between polls and between reports, as configured."""
        ...

    def replan(self, poll_s: float, flush_s: float) -> None:
        """From now on poll and report so often."""
        ...

    def restart(self) -> None:
        """End tidily, so that whoever started the agent starts it again."""
        ...


class Access(Protocol):
    """Sessions with devices; `ayni_agent.devices.Devices` is one."""

    def names(self) -> tuple[str, ...]:
        """The devices of this node."""
        ...

    def config(self, name: str) -> DeviceConfig | None:
        """What is known of one."""
        ...

    def reader(self, name: str) -> SnmpReader:
        """A session of its own to read."""
        ...

    def writer(self, name: str) -> SnmpWriter | None:
        """A session to change the device; None where nobody may."""
        ...


class Refused(Exception):  # noqa: N818  what happened, named as such
    """Nothing was done; `text` says why."""

    def __init__(self, context: str, **values: str | float) -> None:
        super().__init__(context)
        self.text = Message(context, values)


class Failed(Exception):  # noqa: N818
    """It was tried; `text` says what went wrong."""

    def __init__(self, context: str, **values: str | float) -> None:
        super().__init__(context)
        self.text = Message(context, values)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, as a sentence and as lines for the eye."""

    text: Message
    lines: tuple[str, ...] = ()


Say = Callable[[float, Message | None, tuple[str, ...]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One command under way. `say` tells progress (0 to 1), a sentence and new lines; `later` calls something
    after so many seconds, instead of what was to be called under the same name; `probation` tells a nonce of
    the guard."""

    command: Command
    order: Order
    node: str
    ground: Ground
    access: Access
    families: Families
    guard: Guard
    clock: Clock
    say: Say
    probation: Callable[[str, float], None]
    later: Callable[[str, float, Callable[[], None]], None]

    @property
    def device(self) -> str:
        """The device that it is about; empty for the node itself."""
        return self.command.device

    @contextlib.contextmanager
    def reading(self, device: str = "") -> Iterator[SnmpReader]:
        """A session to read the device."""
        config = self.access.config(device or self.device)
        if config is not None and config.source is not None:
            raise Refused("refused.not_snmp", device=config.name)
        reader = self.access.reader(device or self.device)
        try:
            yield reader
        finally:
            reader.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[SnmpWriter]:
        """A session to change the device. Raises `Refused` where nobody may."""
        try:
            writer = self.access.writer(self.device)
        except ModuleNotFoundError:
            raise Refused("refused.no_pysnmp", node=self.node) from None
        if writer is None:
            raise Refused("refused.no_write", device=self.device)
        try:
            yield writer
        finally:
            writer.close()

    async def actions(self, reader: SnmpReader) -> tuple[str, Actions]:
        """The profile of the device, and what it says about changing it."""
        config = self.access.config(self.device)
        family = config.profile if config is not None else None
        if family is None:
            family, _answers = await ask_family(reader, self.families)
        return family, self.families.load(family).actions

    def undo(self, item: str, *before: VarBind) -> Undo:
        """The way back of this command: these values."""
        objects = tuple(Object.of(each) for each in before)
        return Undo(id=self.command.id, device=self.device, item=item, objects=objects)

    def undoing(self, tries: int, cause: str) -> None:
        """Tell that undoing goes on: the first time, and now and then."""
        if tries == 1 or tries % 10 == 0:
            self.say(1.0, Message("running.undo_failed", {"n": tries, "cause": cause[:LONGEST_LINE]}), ())
