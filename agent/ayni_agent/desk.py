"""What the agent knows of itself and says on the spot: to whoever asks at the socket, and to systemd.

It looks on. Polls, transitions and contact pass by here; what it has to tell the central first after an
outage it hands to the keeper. What must outlive this process (verdicts, the outage so far) goes with each
commit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ayni_agent import alarms, standing, status_socket, verdict_memory
from ayni_agent.account import OutageAccount
from ayni_agent.config import AgentConfig
from ayni_agent.contact import Contact
from ayni_agent.keeper import Keeper
from ayni_agent.sightings import Sightings
from ayni_agent.status import BudgetStatus, Status, age
from ayni_agent.today import Today
from ayni_agent.verdict import Transition, Verdicts
from ayni_core import __version__
from ayni_core.clockwatch import Moment
from ayni_core.readings import Poll
from ayni_core.wire.note import MAX_NOTES, FrameNote
from ayni_io import clock
from ayni_io.i18n import _, _n
from ayni_io.service import Service, Vitals, keep_watch

log = logging.getLogger("agent")
VERDICTS, ACCOUNT = "verdicts", "account"
_PAST_WITHIN_S = 3.0
_TELL_EVERY_S = 10.0
_MOST_PEERS, _MOST_VERDICTS = MAX_NOTES // 2, MAX_NOTES * 3 // 4
"""So full may a frame's notes be for news of stations, and of all else that rules say: what the node has to
tell of itself still finds room."""
_GRACE_S = 300.0
"""What a part may be late before it counts as stuck: a poll of a device may hang for two minutes."""


class Desk:
    """One agent's. `config` is replaced when another one is in force."""

    def __init__(
        self, config: AgentConfig, keeper: Keeper, verdicts: Verdicts, broker: str, service: Service
    ) -> None:
        now_s = clock.monotonic_s()
        self.config = config
        self.contact = Contact(broker, now_s)
        self.vitals = Vitals()
        self.service = service
        self._keeper = keeper
        self._verdicts = verdicts
        self._boot = keeper.collector.boot
        self._started_s = now_s
        self.budget: Callable[[], BudgetStatus | None] = lambda: None
        self._clock = standing.ClockMemory()
        self._sightings = Sightings()
        self._today = Today(
            self._boot, now_s, lambda at_s, for_s, most: keeper.outbox.recent(at_s, for_s=for_s, most=most)
        )
        self._account = OutageAccount(now_s)
        keeper.on_moment = self._moment
        self.contact.on_away = self._went
        keeper.remember(VERDICTS, lambda: verdict_memory.pack(self._verdicts, self._boot))
        keeper.remember(ACCOUNT, lambda: self._account.to_bytes(self._boot))

    def recall(self) -> None:
        """Remember what the run before this one knew; to be called before the keeper begins to write."""
        outbox, at = self._keeper.outbox, self._keeper.look()
        past, account = outbox.past, outbox.state(ACCOUNT)
        names = self.config.devices
        verdict_memory.unpack(outbox.state(VERDICTS), self._verdicts, self._boot, at, past, names)
        later_s = verdict_memory.moved_s(self._account.made_in(account), self._boot, at, past)
        self._account.restore(account, later_s, at.mono_s)

    # ---- what passes by

    def take(self, poll: Poll, patience_s: float) -> None:
        """A poll that was just made."""
        self._sightings.take(poll, clock.monotonic_s(), patience_s)
        self._today.take(poll)
        self.vitals.sign("polling", 2 * self.config.poll_s + _GRACE_S)

    def changed(self, transition: Transition, at_s: float) -> None:
        """A rule changed its level: a note of the open frame, and while the central is away a line of the
        account."""
        text = alarms.transition_text(self._verdicts, transition)
        level, device, most = transition.level, transition.device, _MOST_VERDICTS
        if transition.rule == alarms.PEER_LOST:
            level, most = level and "warn", _MOST_PEERS  # of many stations one is often away
        if len(self._keeper.collector.notes) < most:
            note = alarms.as_note(text)
            self._keeper.note(FrameNote(at_s=at_s, text=note, level=level or "clear", device=device))
        if self._account.since_s is not None:
            self._account.changed(transition.rule, device, transition.item, level, text, at_s)

    def flushing(self, within_s: float) -> None:
        """The next report is due within so long."""
        self.vitals.sign("reports", within_s + _GRACE_S)

    def _moment(self, at: Moment) -> None:
        self._clock.take(at)
        told = at.told()
        if told is not None:
            log.warning("clock set by_s=%.1f step=%d", at.jump_s or 0.0, at.step)
            self._keeper.note(FrameNote(at_s=at.mono_s, text=told, level="note"))

    def _went(self) -> None:
        """The central is not there any more."""
        self._account.away(clock.monotonic_s(), self._keeper.outbox.dropped)

    def came(self) -> bool:
        """The central is there again: whether there is an account to tell it first."""
        notes = self._account.back(clock.monotonic_s(), self._keeper.outbox.dropped)
        for note in notes:
            self._keeper.note(note)
        return bool(notes)

    def use(self, config: AgentConfig, verdicts: Verdicts) -> None:
        """Another configuration is in force."""
        self.config, self._verdicts = config, verdicts
        self._sightings.keep(config.devices)
        self._today.keep(config.devices)
        self.begin()

    # ---- what it says

    def begin(self) -> None:
        """From now on there must be polls, if there is anything to poll."""
        if self.config.devices:
            self.vitals.sign("polling", 2 * self.config.poll_s + _GRACE_S)
        else:
            self.vitals.forget("polling")

    async def run(self) -> None:
        """Answer at the socket and tell systemd, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(status_socket.serve(self.config.runtime_dir, self.status))
            tasks.create_task(keep_watch(self.service, self.vitals))
            while self.service.there:
                self.service.status(self.line())
                await asyncio.sleep(_TELL_EVERY_S)

    def line(self) -> str:
        """It in a line, for `systemctl status`."""
        count, silent = len(self.config.devices), self._sightings.silent()
        waiting = len(self._keeper.outbox)
        return " · ".join(
            [
                _n("{n} device", "{n} devices", count) + (f", {silent} {_('SILENT')}" if silent else ""),
                _("the central is there") if self.contact.there else _("no contact with the central"),
                _n("{n} report waits", "{n} reports wait", waiting),
            ]
        )

    async def status(self) -> Status:
        """All of it."""
        at = self._keeper.look()
        await self._today.read_past(at, _PAST_WITHIN_S)
        config, outbox = self.config, self._keeper.outbox
        return Status(
            node=config.node,
            version=__version__,
            up_s=age(at.mono_s, self._started_s),
            poll_s=config.poll_s,
            flush_s=config.flush_s,
            clock=self._clock.status(at),
            hub=self.contact.status(at.mono_s, self._account.since_s),
            outbox=standing.outbox_status(outbox.statistics(), outbox.refusals(), at),
            budget=self.budget(),
            devices=tuple(
                self._sightings.status(name, device.address, at.mono_s)
                for name, device in config.devices.items()
            ),
            alarms=alarms.alarms(self._verdicts, at.mono_s),
            day=self._today.status(config.devices, at.mono_s),
            day_whole=self._today.whole,
        )
