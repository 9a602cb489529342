"""The agent: device loops feed the open frame; frames wait in the outbox until the hub has them.

Theory of operation. Polls go to the `Keeper` and through the local `Verdicts`. A frame is closed when
the flush is due, when the first round is complete, or early on a transition: critical ones always, others
at most twelve times an hour. A short pause before closing lets the neighbours' failures of the same event
travel in the same frame. `Courier` sends; only the hub's acknowledgement empties the outbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ayni_agent import identities
from ayni_agent.commands import Commands
from ayni_agent.courier import Courier
from ayni_agent.desk import Desk
from ayni_agent.devices import Devices
from ayni_agent.health_report import HealthReport
from ayni_agent.keeper import Keeper
from ayni_agent.lights_out import LightsOut
from ayni_agent.poller import Families
from ayni_agent.polling import Polling
from ayni_agent.purse import Purse
from ayni_agent.reload import Setup, read_again
from ayni_agent.schedule import SLOW_POLLS
from ayni_agent.status import BudgetStatus
from ayni_agent.verdict import Transition, Verdicts
from ayni_core.readings import Poll
from ayni_core.schema import ConfigError
from ayni_core.wire import WireError, codec
from ayni_core.wire.messages import CommandState
from ayni_core.wire.note import FrameNote
from ayni_io import clock
from ayni_io.service import Service
from ayni_io.traffic import Traffic

if TYPE_CHECKING:
    from ayni_agent.traps.listener import Traps

log = logging.getLogger("agent")
EARLY_PER_HOUR = 12
_GATHER_S = 0.5
_LAST_WORDS_S = 5.0
_COUNT_EVERY_S = 60.0
AGAIN = 75
"""Exit status of an agent that wants to be started again (EX_TEMPFAIL of sysexits.h)."""
IDENTITIES = "identities"


class Agent:
    """One node's agent. `run` goes on until it is cancelled, then says good-bye.

    `load` reads the configuration anew for `reload`.
    """

    def __init__(
        self, setup: Setup, families: Families, service: Service, load: Callable[[], Setup] | None = None
    ) -> None:
        self._setup = setup
        self._config = setup.config
        self._load = load
        self._service = service
        self._epoch, self._boot = secrets.token_hex(8), clock.boot_id()
        self._keeper = Keeper(self._config, self._epoch, self._boot)
        self._verdicts = _verdicts(setup)
        self._desk = Desk(self._config, self._keeper, self._verdicts, str(setup.broker), service)
        self._devices = Devices(self._config.devices, setup.access, setup.write)
        self._purse = Purse(self._keeper, self._config.data_cap_mb_per_month)
        self._spent = Traffic()
        self._desk.budget = self._budget
        outbox = self._keeper.outbox
        self._health = HealthReport(outbox.statistics, self._purse.status, outbox.limits, clock.monotonic_s())
        self._keeper.health = self._health
        self._polling = Polling(
            families, self._on_poll, identities.unpack(self._keeper.outbox.state(IDENTITIES))
        )
        self._traps = self._listener()
        self._lights = LightsOut(
            self._config.shutdown, self._config.runtime_dir, self._tell_at_once, lambda: len(outbox)
        )
        self._keeper.remember(IDENTITIES, lambda: identities.pack(self._polling.identities()))
        self._keeper.on_frames = lambda: self._courier.wake()
        self._commands = Commands(
            node=self._config.node,
            epoch=self._epoch,
            boot=self._boot,
            ground=self,
            access=self._devices,
            families=families,
            folder=self._config.state_dir,
        )
        self._courier = self._new_courier()
        self._courier_task: asyncio.Task[None] | None = None
        self._courier_changes = asyncio.Lock()
        self._reloading = asyncio.Lock()
        self._close_soon = asyncio.Event()
        self._ended = asyncio.Event()
        self._early: deque[float] = deque()
        self._waiting = set(self._config.devices)
        self._last_close_s = clock.monotonic_s()

    async def run(self) -> int:
        """Poll and report until cancelled, or told to restart (`AGAIN`); then send what is open and leave."""
        self._desk.recall()
        self._keeper.note_ending(self._keeper.begin())
        log.info(
            "started node=%s devices=%d storage=%s waiting=%d",
            self._config.node, len(self._config.devices),
            self._keeper.outbox.statistics().storage, len(self._keeper.outbox),
        )  # fmt: skip
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry())
                tasks.create_task(self._flush_loop())
                tasks.create_task(self._desk.run())
                tasks.create_task(self._commands.run())
                tasks.create_task(self._lights.run())
                tasks.create_task(self._count())
                self._desk.begin()
                self._polling.slow_every = SLOW_POLLS * self._purse.saving.slow
                self._polling.use(self._config.devices, self._setup.access, self._config.poll_s)
                tasks.create_task(self._polling.run())
                if self._traps is not None:
                    tasks.create_task(self._traps.run())
                self._service.ready(self._desk.line())
                await self._ended.wait()
                raise _RestartError
        except* _RestartError:
            log.info("restarting on command")
        finally:
            self._service.stopping()
            await self._good_bye()
            await self._end_courier()
        return AGAIN

    # ---- what devices report by themselves

    def _listener(self) -> Traps | None:
        if self._config.traps is None:
            return None
        from ayni_agent.traps.listener import Traps  # pysnmp, which most do without

        listener = Traps(self._config.traps, self._report, self._polling.now)
        listener.use(self._config.devices, self._setup.access, self._setup.traps)
        return listener

    def _report(self, note: FrameNote) -> None:
        self._keeper.note(note)
        if note.level in ("warn", "critical"):
            self._soon(critical=False)  # a trap may be forged: it must not open the purse

    def _tell_at_once(self, note: FrameNote) -> None:
        self._keeper.note(note)
        self._soon(critical=True)

    # ---- the courier

    def _new_courier(self) -> Courier:
        courier = Courier(
            self._config, self._setup.broker, self._epoch, self._boot, self._keeper.outbox, self._desk.contact
        )
        courier.on_back = self._welcome
        courier.on_command = lambda command, retained: self._commands.take(command, retained=retained)
        courier.history = self._purse.saving.history
        courier.earlier = lambda: self._keeper.watch.earlier
        return courier

    async def _carry(self) -> None:
        """Have a courier under way; it outlives this, to say good-bye, and another may take its place."""
        while True:
            self._courier_task = asyncio.create_task(self._courier.run())
            self._desk.vitals.task("courier", self._courier_task)
            await asyncio.wait([self._courier_task])
            if not self._courier_task.cancelled():
                self._courier_task.result()
            async with self._courier_changes:
                pass

    async def _end_courier(self) -> None:
        if self._courier_task is not None:
            self._courier_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._courier_task

    async def _welcome(self) -> None:
        """The central is back: what happened meanwhile is the first thing that it hears."""
        self._health.again()
        if self._desk.came():
            await self._keeper.close()
        self._commands.connected()

    # ---- what it costs

    async def _count(self) -> None:
        """Book what the connection costs, and save where the cap is near."""
        while True:
            await asyncio.sleep(_COUNT_EVERY_S)
            self._book()

    def _book(self) -> None:
        if self._purse.count(self._spent + self._courier.traffic()):
            self._pay()

    def _budget(self) -> BudgetStatus:
        self._book()
        return self._purse.status()

    def _pay(self) -> None:
        """Another step of saving is in force."""
        self._courier.history = self._purse.saving.history
        self._polling.slow_every = SLOW_POLLS * self._purse.saving.slow
        self._keeper.use(replace(self._config, flush_s=self._flush_s))
        self._close_soon.set()

    @property
    def _flush_s(self) -> float:
        return self._purse.saving.flush_s(self._config.flush_s, self._config.poll_s)

    # ---- the ground that commands stand on

    async def tell(self, state: CommandState) -> bool:
        """See `doings.job.Ground`."""
        return await self._courier.tell(state)

    async def poll(self, device: str) -> Poll:
        """See `doings.job.Ground`."""
        return await self._polling.now(device)

    def watch(self, for_s: float) -> bool:
        """See `doings.job.Ground`."""
        if self._purse.saving.copies:
            self._courier.watch(for_s)
        return self._purse.saving.copies

    def hasten(self, device: str, for_s: float) -> None:
        """See `doings.job.Ground`."""
        self._polling.hasten(device, for_s)

    def pace(self) -> tuple[float, float]:
        """See `doings.job.Ground`."""
        return self._setup.config.poll_s, self._setup.config.flush_s

    def replan(self, poll_s: float, flush_s: float) -> None:
        """See `doings.job.Ground`."""
        log.info("poll plan poll_s=%g flush_s=%g", poll_s, flush_s)
        self._config = replace(self._config, poll_s=poll_s, flush_s=flush_s)
        self._desk.use(self._config, self._verdicts)
        self._polling.use(self._config.devices, self._setup.access, poll_s)
        self._pay()

    def restart(self) -> None:
        """See `doings.job.Ground`."""
        self._ended.set()

    # ---- another configuration

    async def reload(self) -> None:
        """Read the configuration anew; with any fault the one in force stays."""
        if self._load is None:
            return
        async with self._reloading:
            self._service.reloading()
            try:
                new, changes = await asyncio.to_thread(read_again, self._load, self._setup)
                log.info("configuration taken %s", changes)
                if changes:
                    await self._use(new)
            except ConfigError as error:
                for fault in error.faults:
                    log.error("configuration not taken: %s", fault)
            finally:
                self._service.ready(self._desk.line())

    async def _use(self, new: Setup) -> None:
        self._setup, self._config = new, new.config
        self._purse.use(new.config.data_cap_mb_per_month)
        self._keeper.use(replace(new.config, flush_s=self._flush_s))
        self._devices.use(new.config.devices, new.access, new.write)
        tracks, missed = self._verdicts.tracks, self._verdicts.missed
        self._verdicts = _verdicts(new)
        names = new.config.devices
        self._verdicts.tracks |= {key: track for key, track in tracks.items() if key[0] in names}
        self._verdicts.missed |= {name: peers for name, peers in missed.items() if name in names}
        self._desk.use(new.config, self._verdicts)
        self._lights.use(new.config.shutdown)
        self._waiting &= names.keys()
        self._polling.use(names, new.access, new.config.poll_s)
        if self._traps is not None:
            self._traps.use(names, new.access, new.traps)
        async with self._courier_changes:
            await self._end_courier()
            self._spent += self._courier.traffic()
            self._courier = self._new_courier()
        self._close_soon.set()

    # ---- polls and reports

    def _on_poll(self, poll: Poll) -> None:
        now_wall = clock.wall_s() - (clock.monotonic_s() - poll.at_s)
        self._keeper.add(poll, now_wall)
        if self._keeper.collector.full:
            self._close_soon.set()
        self._desk.take(poll, self._polling.patience_s)
        if self._traps is not None:
            self._traps.seen(poll)
        self._lights.take(poll)
        for transition in self._verdicts.judge(poll, now_wall if clock.synchronised() else None):
            self._desk.changed(transition, poll.at_s)
            self._consider(transition)
        if self._purse.saving.copies and self._courier.watched():
            copy = self._keeper.collector.copy(poll, now_wall, clock.synchronised())
            with contextlib.suppress(WireError):  # what is wrong with it is told when the frame is closed
                self._courier.send_copy(codec.encode(copy, self._config.encoding))
        if self._waiting:
            self._waiting.discard(poll.device)
            if not self._waiting:
                self._close_soon.set()

    def _consider(self, transition: Transition) -> None:
        log.info(
            "verdict device=%s rule=%s item=%s level=%s",
            transition.device, transition.rule, transition.item or "-", transition.level or "clear",
        )  # fmt: skip
        self._soon(critical=transition.critical)

    def _soon(self, *, critical: bool) -> None:
        """Close the frame early, if there were not too many of these."""
        now = clock.monotonic_s()
        while self._early and now - self._early[0] > 3600:
            self._early.popleft()
        self._courier.lively()
        if critical or len(self._early) < EARLY_PER_HOUR:
            self._close_soon.set()

    async def _flush_loop(self) -> None:
        while True:
            left = self._flush_s - (clock.monotonic_s() - self._last_close_s)
            self._desk.flushing(max(0.0, left))
            try:
                async with asyncio.timeout(max(0.0, left)):
                    await self._close_soon.wait()
                await asyncio.sleep(_GATHER_S)
                self._early.append(clock.monotonic_s())
            except TimeoutError:
                pass
            self._close_soon.clear()
            self._last_close_s = clock.monotonic_s()
            await self._keeper.close()

    async def _good_bye(self) -> None:
        try:
            await self._keeper.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS_S):
                    await self._courier.last_words()
        finally:
            await self._keeper.leave()
        log.info("stopped node=%s", self._config.node)


class _RestartError(Exception):
    """Somebody asked for a restart."""


def _verdicts(setup: Setup) -> Verdicts:
    devices = setup.config.devices
    return Verdicts.over(
        setup.rules,
        {name: device.expected_dbm for name, device in devices.items()},
        sections={name: (setup.config.rules, device.rules) for name, device in devices.items()},
        places={name: device.place for name, device in devices.items()},
    )
