"""Commands from the hub: taken on, done once, told, and never forgotten half way.

Theory of operation. A command is for one start of one boot of this agent, and only until a moment of its own
clock; any other is *expired*. It is checked against the same closed list as at the hub. The logbook has it
before anything is done, so the same id brings the same answer, now and after a restart. One command at a time
per device. What it changes goes through the guard. Answers are kept until the hub has them.

`take` is for what comes on `cmd/NODE`; `run` is a task beside the others, which first undoes what an earlier
process left undone; `connected` is called whenever the hub is there (again).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ayni_agent.doings import ALL
from ayni_agent.doings.family import Families
from ayni_agent.doings.job import Access, Failed, Ground, Job, Refused
from ayni_agent.guard import Guard, GuardError, NotUndoneError, TurnBack, Undo
from ayni_agent.logbook import Logbook, LogbookError, Record
from ayni_agent.teller import Teller
from ayni_core import commands
from ayni_core.commands import Order, OrderError
from ayni_core.message import Message
from ayni_core.schema import ConfigError
from ayni_core.wire.messages import Command, CommandState
from ayni_io import clock as wall
from ayni_io.snmp_errors import SnmpError
from ayni_io.snmp_set import SnmpSetRefused
from ayni_io.waiting import BootClock, Clock, within

log = logging.getLogger("agent")
MOST_AT_ONCE = 4
_LONGEST_CAUSE = 200
_UNDOING = Message("running.undoing")


@dataclass(slots=True)
class _Running:
    """A command under way and what was told of it last."""

    command: Command
    state: CommandState


class Commands:
    """One agent's commands. `folder` is the agent's `state_dir`; None: nothing is done that needs a way
    back."""

    def __init__(
        self,
        *,
        node: str,
        epoch: str,
        boot: str,
        ground: Ground,
        access: Access,
        families: Families,
        folder: Path | None,
        clock: Clock | None = None,
    ) -> None:
        self._node = node
        self._epoch = epoch
        self._boot = boot
        self._ground = ground
        self._access = access
        self._families = families
        self._clock = clock or BootClock()
        self._guard = Guard(folder, access, self._clock)
        self._book = Logbook(folder)
        self._running: dict[str, _Running] = {}
        self._left = {undo.id: undo for undo in self._guard.pending()}
        self._tasks: set[asyncio.Task[None]] = set()
        self._later: dict[str, asyncio.Task[None]] = {}
        self._teller = Teller(lambda state: ground.tell(state), self._book.told, self.connected, self._clock)

    async def run(self) -> None:
        """Undo and answer what was left behind, then tell what there is to tell, until cancelled."""
        for undo in list(self._left.values()):
            self._spawn(self._undo_left(undo))
        for record in self._book.unfinished():
            if record.command.id not in self._left and record.command.id not in self._running:
                self._end(record.command, self._cut_short(record))
        self.connected()
        try:
            await self._teller.run()
        finally:
            for task in (*self._tasks, *self._later.values()):
                task.cancel()
            await asyncio.gather(*self._tasks, *self._later.values(), return_exceptions=True)
            await self._last_words()

    def connected(self) -> None:
        """The hub is there: tell it what it may have missed."""
        for record in self._book.untold():
            self._teller.send(record.state)

    def take(self, command: Command, *, retained: bool = False) -> None:
        """What came on `cmd/NODE`."""
        if retained:
            log.warning("retained command ignored do=%s id=%s", command.do[:30], command.id[:80])
        elif command.do == "watch" and not command.until_s:
            if command.epoch == self._epoch and self._ground.watch(command.for_s) and command.device:
                self._ground.hasten(command.device, command.for_s)
        elif not commands.is_identifier(command.id):
            log.warning("command without a proper id ignored do=%s by=%s", command.do[:30], command.by[:48])
        elif command.do == "confirm":
            if not self._guard.confirm(command.id, command.nonce):
                log.warning("confirmation of nothing ignored id=%s", command.id)
        elif command.do == "hello":
            hello = self._state(command, "done")
            self._teller.send(replace(hello, epoch=self._epoch, boot=self._boot))
        else:
            self._order(command)

    # ---- taking on

    def _order(self, command: Command) -> None:
        running, record = self._running.get(command.id), self._book.get(command.id)
        if running is not None:
            self._teller.send(replace(running.state, lines=()))
            return
        if record is not None:
            self._teller.send(record.state if record.final else self._state(command, "running", _UNDOING))
            return
        late = self._clock.now() > command.until_s
        late = late or command.until_s > self._clock.now() + commands.MOST_VALID_S
        if command.epoch != self._epoch or command.boot != self._boot or late:
            start = command.epoch != self._epoch or command.boot != self._boot
            state = self._state(command, "expired", Message("expired.start" if start else "expired.late"))
            self._book.audit(command, state)
            self._teller.send(state)
            return
        try:
            order = self._checked(command)
            state = self._state(command, "accepted")
            if order.doing.changes:
                self._book.begin(command, state)
            else:
                self._book.remember(command, state)
        except (OrderError, Refused) as refusal:
            self._refuse(command, refusal.text)
        except LogbookError as error:
            self._refuse(command, Message("refused.not_noted", {"cause": str(error)}))
        else:
            self._running[command.id] = _Running(command, state)
            self._book.audit(command, state)
            self._teller.send(state)
            self._spawn(self._do(command, order))

    def _checked(self, command: Command) -> Order:
        order = commands.check(command)
        doing = order.doing
        if not commands.may(command.role, doing):
            raise Refused("refused.role", user=command.by[:48], role=doing.role)
        if command.device and command.device not in self._access.names():
            raise Refused("refused.not_mine", node=self._node, device=command.device[:48])
        if doing.where == "device" and not command.device:
            raise Refused("refused.wants_device", do=doing.name, name=self._node)
        if doing.where == "node" and command.device:
            raise Refused("refused.wants_node", do=doing.name, name=command.device)
        if command.risk and not command.force:
            far = command.risk == "far"
            context = "refused.far" if far else "refused.on_path"
            raise Refused(context, device=command.device or self._node, node=self._node)
        if (doing.undo == "guard" or doing.name == "poe") and not self._guard.keeps:
            raise Refused("refused.no_folder", node=self._node)
        self._check_free(command, order)
        return order

    def _check_free(self, command: Command, order: Order) -> None:
        """One at a time per device; a restart of the agent waits for nobody and disturbs nobody."""
        if len(self._running) >= MOST_AT_ONCE:
            raise Refused("refused.many")
        for other in self._running.values():
            if other.command.device == command.device or order.doing.name == "restart":
                name = other.command.device or self._node
                raise Refused("refused.busy", name=name, do=other.command.do, by=other.command.by)
        for undo in self._left.values():
            if undo.device == command.device or order.doing.name == "restart":
                raise Refused("refused.busy", name=undo.device, do="undo", by=self._node)

    def _refuse(self, command: Command, text: Message) -> None:
        state = self._state(command, "refused", text)
        self._book.remember(command, state)
        self._book.audit(command, state)
        self._teller.send(state)

    # ---- doing

    async def _do(self, command: Command, order: Order) -> None:
        doing = order.doing
        limit_s = doing.limit_s + (order.for_s if doing.name in ("port", "poe") else 0.0)
        job = Job(
            command=command,
            order=order,
            node=self._node,
            ground=self._ground,
            access=self._access,
            families=self._families,
            guard=self._guard,
            clock=self._clock,
            say=lambda progress, text, lines: self._say(command.id, progress, text, lines),
            probation=lambda nonce, left_s: self._on_probation(command.id, nonce, left_s),
            later=self._call_later,
        )
        lines: tuple[str, ...] = ()
        try:
            outcome = await within(self._clock, limit_s, ALL[doing.name](job))
            state, text, lines = "done", outcome.text, outcome.lines
        except (Refused, GuardError) as refusal:
            state, text = "refused", refusal.text
        except (Failed, TurnBack) as failure:
            state, text = "failed", failure.text
        except NotUndoneError:
            state, text = "failed", self._not_undone(command.device)
        except TimeoutError:  # an OSError, too
            state, text = "failed", Message("failed.late", {"seconds": int(limit_s)})
        except SnmpSetRefused as error:
            state, text = "refused", _device(error)
        except (SnmpError, OSError) as error:
            state, text = "failed", _device(error)
        except ConfigError as error:
            state, text = "failed", _device(error.faults[0])
        except Exception as error:  # whatever it trips over, the agent goes on
            log.exception("command tripped do=%s id=%s", command.do, command.id)
            cause = f"{type(error).__name__}: {error}"
            state, text = "failed", Message("failed.inside", {"cause": cause[:_LONGEST_CAUSE]})
        undo = self._guard.pending_of(command.id)
        if undo is not None:
            if not text.context.startswith("undone."):
                text = Message("undone.failed", undo.place(_cause(text)))
            state, text = await self._turn_back(undo, text, job.undoing)
        self._end(command, self._state(command, state, text, lines))

    async def _turn_back(
        self, undo: Undo, text: Message, undoing: Callable[[int, str], None]
    ) -> tuple[str, Message]:
        running = self._running.get(undo.id)
        if running is not None:
            self._book.progress(undo.id, self._state(running.command, "running", _UNDOING))
        try:
            await self._guard.undo(undo, undoing)
        except NotUndoneError:
            return "failed", self._not_undone(undo.device)
        return "undone", text

    def _not_undone(self, device: str) -> Message:
        return Message("failed.not_undone", {"device": device, "hours": 24})

    async def _undo_left(self, undo: Undo) -> None:
        """What an earlier process did and could not finish."""
        text = Message("undone.restart", undo.place())
        state, text = await self._turn_back(undo, text, lambda _tries, _cause: None)
        del self._left[undo.id]
        record = self._book.get(undo.id)
        command = record.command if record else Command(
            id=undo.id, do="undo", epoch=self._epoch, device=undo.device, item=undo.item
        )  # fmt: skip
        if record is not None and record.final:
            log.warning("undone although it had ended id=%s state=%s", undo.id, record.state.state)
        self._end(command, self._state(command, state, text))

    def _cut_short(self, record: Record) -> CommandState:
        """What to say of a command that was under way when the agent ended; its undo, if any, is not
        pending."""
        command = record.command
        doing = commands.COMMANDS.get(command.do)
        if command.do == "restart" and command.epoch != self._epoch:
            return self._state(command, "done", Message("done.restart", {"node": self._node}))
        if record.state.state == "probation":  # its undo leaves the disk when the confirmation came
            values = {"item": command.item, "device": command.device, "value": command.value}
            return self._state(command, "done", Message("done.port", values))
        if doing is not None and doing.undo == "guard" and record.state.text is not None:
            place = {"item": command.item, "device": command.device}
            if record.state.text == _UNDOING:
                return self._state(command, "undone", Message("undone.restart", place))
        return self._state(command, "failed", Message("failed.cut_short"))

    def _end(self, command: Command, state: CommandState) -> None:
        self._running.pop(command.id, None)
        self._book.finish(command, state)
        self._book.audit(command, state)
        self._teller.send(state)

    async def _last_words(self) -> None:
        """The agent ends: what can still be undone within a moment is."""
        for undo in await self._guard.last_try():
            record = self._book.get(undo.id)
            if record is not None:
                state = self._state(record.command, "undone", Message("undone.restart", undo.place()))
                self._book.finish(record.command, state)
                self._book.audit(record.command, state)

    # ---- telling

    def _state(
        self, command: Command, state: str, text: Message | None = None, lines: tuple[str, ...] = ()
    ) -> CommandState:
        return CommandState(
            id=command.id,
            do=command.do,
            state=state,
            progress=1.0 if state in commands.FINAL else 0.0,
            text=text,
            lines=lines,
            at=round(wall.wall_s(), 1),
            mono_s=round(self._clock.now(), 2),
        )

    def _say(self, identifier: str, progress: float, text: Message | None, lines: tuple[str, ...]) -> None:
        """How far it is."""
        running = self._running.get(identifier)
        if running is None:
            return
        text = text or (running.state.text if running.state.state == "running" else None)
        state = self._state(running.command, "running", text, lines)
        running.state = self._teller.send(replace(state, progress=round(progress, 2)))

    def _on_probation(self, identifier: str, nonce: str, left_s: float) -> None:
        running = self._running[identifier]
        first = running.state.state != "probation"
        text = Message("probation.waiting", {"seconds": round(left_s)})
        state = replace(self._state(running.command, "probation", text), progress=0.5, nonce=nonce)
        running.state = state
        if first:
            self._book.progress(identifier, state)
        self._teller.send(state)

    # ---- tasks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _call_later(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        async def wait() -> None:
            await self._clock.sleep(seconds)
            action()

        earlier = self._later.get(name)
        if earlier is not None:
            earlier.cancel()
        self._later[name] = asyncio.get_running_loop().create_task(wait())


def _device(error: Exception | str) -> Message:
    return Message("failed.device", {"cause": str(error)[:_LONGEST_CAUSE]})


def _cause(text: Message) -> str:
    """The cause within a sentence, to be told in another one."""
    if text.context == "failed.late":
        return f"no end within {text.values['seconds']} s"
    return str(text.values.get("cause") or text.context)
