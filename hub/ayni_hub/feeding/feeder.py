"""The feeder: brings a server what the village has stored, what happened here, and the village's verdict.

Theory of operation. A frame lies in the box before it counts as safe here, and leaves it when the server says
that it has it: `ack/NODE` on the server's broker, as for a monitor. Only while the server's hub says `ready`
is anything sent, as much at a time as the link takes (`Window`), news first and the backlog behind them at
the pace of the budget. What was not acknowledged is sent again after a pause that doubles, and all of it when
the server comes back. A server that is away costs the village nothing but room in the box.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ayni_core import __version__
from ayni_core.message import Message
from ayni_core.window import Window
from ayni_core.wire import WireError, fed, topics
from ayni_core.wire.health import PartHealth
from ayni_core.wire.messages import Ack, Event, Heard, HubState, PartState
from ayni_core.wire.shape import pack, unpack
from ayni_hub.config import FeedConfig
from ayni_hub.feeding.box import FeedBox, FeedError, Row, Waiting
from ayni_hub.feeding.feed_line import FeedLine
from ayni_hub.feeding.pace import Pace
from ayni_hub.feeding.showcase import UNSURE, Showcase
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.tally import Tally
from ayni_hub.told import Teller
from ayni_hub.voice import Voice
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttError, Will

if TYPE_CHECKING:
    from ayni_hub.ingest import Placed

log = logging.getLogger("feed")
_TICK_S = 1.0
_LOOK_S = 0.25
_FOR_WORDS, _FOR_NEWS = 2, 2
_TELL_EVERY_S = 3600.0
_AWAY_S = 3600.0


class Feeder:
    """Between the box and the server's broker. `keep` is called for every new frame and never fails: a
    village must not go blind for the sake of a copy."""

    def __init__(
        self, name: str, config: FeedConfig, server: BrokerConfig, box: FeedBox, ledger: Ledger
    ) -> None:
        self._name = name
        self._box = box
        self._show_s = config.show_s
        will = Will(topic=topics.part(name), payload=pack(_presence("gone")))
        client = MqttClient(server, f"b-{name}", will=will, will_at_end=True)
        client.on_connect = self._connected
        client.on_disconnect = lambda reason: log.warning("server lost cause=%s", reason)
        client.on_message = self._message
        client.subscribe(topics.HUB, topics.ack("+"), topics.heard(name))
        self._voice = Voice(client)
        self._teller = Teller(ledger, self._tell)
        self._showcase: Showcase | None = None
        self._topics: Callable[[], set[str]] = set
        self._pace = Pace(config.mb_per_day)
        self._window = Window()
        self._ready = False
        self._since_s = clock.monotonic_s()
        self._away_told = False
        self._line = FeedLine(box)
        self._held_until_s = 0.0
        self._acks: list[tuple[str, Ack]] = []
        self._wake = asyncio.Event()
        self._troubles: Tally[str] = Tally(_TELL_EVERY_S, "many")
        self._trouble = ""

    # ---- from the village

    def keep(self, frames: Sequence[Placed], now: float) -> None:
        """Frames that were stored here."""
        waiting = []
        for each in frames:
            frame, body = each.frame, each.kept().body
            waiting.append(
                Waiting(
                    node=frame.node, epoch=frame.epoch, seq=frame.seq, crc=zlib.crc32(body),
                    start=each.start, live=each.kind == "live", body=body,
                )
            )  # fmt: skip
        try:
            gone = self._box.put(waiting, clock.monotonic_s())
        except FeedError as error:
            self._failed(error)
            gone = len(waiting)
        if gone:
            self._troubles.add("event.feed_dropped", count=gone)
        self._wake.set()

    def show(self, changed: set[str]) -> None:
        """Retained topics that may say something new."""
        if self._showcase is not None:
            self._showcase.put(changed)

    def events(self, now: float) -> list[Event]:
        """What people should know."""
        found = [
            Event(at=now, text=Message(what, {"count": count, "reason": reason}), level="warn")
            for what, count, reason in self._troubles.due(now)
        ]
        away = not self._ready and clock.monotonic_s() - self._since_s > _AWAY_S
        if away and not self._away_told:
            self._away_told = True
            found.append(Event(at=now, text=Message("event.server_away"), level="warn"))
        elif self._ready and self._away_told:
            self._away_told = False
            waiting = Message("event.server_back", {"count": self._box.count})
            found.append(Event(at=now, text=waiting, level="clear"))
        return found

    def health(self) -> PartHealth:
        """How the server is that we feed, and what waits for it."""
        reached = self._voice.connected and self._ready
        return PartHealth(
            name=self._name,
            role="server",
            state="ready" if reached else "gone",
            since=round(clock.wall_s() - (clock.monotonic_s() - self._since_s), 1),
            waiting=self._box.count,
        )

    async def run(self, current: Callable[[str], bytes], topics_now: Callable[[], set[str]]) -> None:
        """Feed until cancelled; then say that the village is gone. `current` says what a retained topic has
        to say, `topics_now` which there are."""
        self._topics = topics_now
        with contextlib.suppress(FeedError):
            self._showcase = Showcase(self._box.shown(), current, self._show_s)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._voice.client.run())
            tasks.create_task(self._deliver_always())
            tasks.create_task(self._show_always())

    # ---- to the server

    async def _deliver_always(self) -> None:
        looked_s = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._wake.wait()
            self._wake.clear()
            try:
                now_s = clock.monotonic_s()
                if now_s - looked_s >= _LOOK_S:  # each is a commit
                    looked_s = now_s
                    self._settle()
                    if self._ready and self._voice.connected:
                        self._teller.look(now_s)
                self._deliver(now_s)
                self._trouble = ""
            except (FeedError, LedgerError) as error:
                self._failed(error)
                await asyncio.sleep(_TICK_S)

    def _deliver(self, now_s: float) -> None:
        """Send what is due, as far as there is room."""
        while self._ready and self._voice.connected and now_s >= self._held_until_s:
            row = self._line.next(now_s, backlog=self._pace.allows(now_s))
            if row is None or not self._has_room(row):
                return
            body = self._box.body(row.id)
            self._line.taken(row)
            if body is None:
                self._line.gone([row.id])
                continue
            topic = topics.fed(row.node, self._name, "live" if self._line.is_news(row) else "history")
            self._voice.spawn(self._fly(row, topic, fed.encode(row.start, body)))

    def _has_room(self, row: Row) -> bool:
        left = self._voice.client.at_once - _FOR_WORDS - (0 if self._line.is_news(row) else _FOR_NEWS)
        flying = self._line.flying.values()
        return len(flying) < max(left, 1) and self._window.has_room(
            sum(each.size for each in flying), row.size
        )

    async def _fly(self, row: Row, topic: str, payload: bytes) -> None:
        """See one frame to the server's broker; the window learns from it."""
        flying = sum(each.size for each in self._line.flying.values())
        window, begun_s = self._window, clock.monotonic_s()
        heard = False
        try:
            heard = await self._voice.client.publish(topic, payload)
            self._pace.spend(len(topic) + len(payload))
            window.landed(len(payload), flying, clock.monotonic_s() - begun_s)
        except MqttError as error:
            self._failed(error)
        finally:
            now_s = clock.monotonic_s()
            self._line.landed(row, now_s, heard=heard)
            if not heard:
                self._held_until_s = now_s + _TICK_S
            self._wake.set()

    async def _show_always(self) -> None:
        """What is retained at the server for people; one after the other, so that frames find room."""
        while True:
            await asyncio.sleep(_TICK_S)
            if self._showcase is None or not self._voice.connected:
                continue
            due = self._showcase.due(clock.monotonic_s())
            # written down before it is told: what is told and ends while we are dead has to be taken away
            self._note_shown([(topic, UNSURE) for topic, _payload in due if self._showcase.begin(topic)])
            noted: list[tuple[str, int | None]] = []
            for topic, payload in due:
                if not await self._voice.keep(topic, payload):
                    break
                self._pace.spend(len(topic) + len(payload))
                noted.append((topic, self._showcase.said(topic, payload, clock.monotonic_s())))
            self._note_shown(noted)

    def _note_shown(self, found: Sequence[tuple[str, int | None]]) -> None:
        if found:
            with contextlib.suppress(FeedError):  # told when frames fail
                self._box.note_shown(found)

    def _tell(self, told: bytes) -> None:
        self._pace.spend(len(told))
        self._voice.spawn(self._voice.say(topics.told(self._name), told))

    # ---- from the server

    def _connected(self) -> None:
        log.info("server found waiting=%d", self._box.count)
        self._ready = False
        self._window = Window()
        self._voice.spawn(self._voice.keep(topics.part(self._name), pack(_presence("ready"))))
        if self._showcase is not None:
            self._showcase.all(self._topics(), clock.monotonic_s())

    def _message(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            address = topics.parse(topic)
            match address.root:
                case "hub":
                    self._hub(unpack(HubState, payload) if payload else HubState(state="gone"))
                case "ack":
                    self._acks.append((address.words[0], unpack(Ack, payload)))
                    self._wake.set()
                case "heard" if not retained:
                    self._teller.heard(unpack(Heard, payload))
                    self._wake.set()
        except (WireError, LedgerError) as error:
            self._failed(error)

    def _hub(self, state: HubState) -> None:
        ready = state.state == "ready"
        if ready != self._ready:
            log.info("server state=%s waiting=%d", state.state, self._box.count)
            self._since_s = clock.monotonic_s()
        if ready and (not self._ready or self._line.closed - set(state.closed)):
            self._line.all_due()
            self._held_until_s = 0.0
        self._ready, self._line.closed = ready, frozenset(state.closed)
        self._wake.set()

    def _settle(self) -> None:
        acks, self._acks = self._acks, []
        if not acks:
            return
        try:
            gone, reasons = self._box.settle(acks)
        except FeedError:
            self._acks = acks + self._acks
            raise
        self._line.gone(gone)
        for reason in reasons:
            log.error("the server refused a frame reason=%s", reason)
            self._troubles.add("event.feed_refused", reason)

    def _failed(self, error: Exception) -> None:
        """Told when it begins, and not again while it lasts."""
        if str(error) != self._trouble:
            self._trouble = str(error)
            log.warning("not fed cause=%s", error)


def _presence(state: str) -> PartState:
    return PartState(role="village", state=state, at=round(clock.wall_s(), 1), version=__version__)
