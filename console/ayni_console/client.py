"""The console's side of MQTT: messages into the model, questions out, answers back to who asked.

Every so often something small is asked, so that LIVE means what it says even when the network is quiet.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from ayni_console import no_way
from ayni_console.feed import Answer, NoAnswer
from ayni_core.onlooking.model import KINDS, Model
from ayni_core.wire import topics
from ayni_core.wire.errors import WireError
from ayni_core.wire.shape import pack, unpack
from ayni_io.i18n import _, say
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttError
from ayni_io.mqtt_trouble import Trouble

if TYPE_CHECKING:  # what is asked is imported when it is asked: the first screen comes sooner
    from ayni_core.wire.messages import LabDo
    from ayni_core.wire.questions import AskCommand, CommandNews, Question

TIMEOUT_S = 10.0
WATCH_S, RENEW_S = 60.0, 30.0
_BEAT_S = 40.0
"""The central says something every 30 s; when it did not, it is asked."""
_FIRST_BEAT_S = 0.5
"""At the beginning the first screen comes first."""
_KEEPALIVE_S, _PAUSE_S = 30, 5.0
"""Somebody sits and waits: a dead connection is noticed sooner, and a new one tried more often."""
_CONFIRMED_S = 3.0
_LIVELY_S = 20.0
"""After a question a dead connection is noticed within 15 s, also when nobody waits any more."""
FOLLOW_S = 20.0


class ConsoleClient:
    """A feed from a real broker. `run` keeps it going until cancelled.

    `settled` is set once the first try to connect has ended, well or badly. What the first screen shows is
    subscribed to first: with a thousand links all that is retained takes half a second.
    """

    def __init__(
        self,
        broker: BrokerConfig,
        user: str,
        *,
        watch_all: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.model = Model()
        self.user = user
        self._where = str(broker)
        self.session = secrets.token_hex(4)
        self._watch_all = watch_all
        self._sites: tuple[str, ...] = ()
        self._watch_changed = asyncio.Event()
        self._came_up = asyncio.Event()
        self.settled = asyncio.Event()
        self._clock = clock
        self._asked = 0
        self._up_at = 0.0
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._following: dict[str, asyncio.Queue[bytes]] = {}
        self._mqtt = MqttClient(
            broker, f"console-{user}-{self.session}", keepalive_s=_KEEPALIVE_S, longest_pause_s=_PAUSE_S
        )
        self._mqtt.on_connect = self._up
        self._mqtt.on_disconnect = self._down
        self._mqtt.on_message = self._message
        self._mqtt.subscribe(
            topics.HUB, topics.BEAT, topics.answer(user, self.session, "#"), topics.LAB,
            topics.alert("#"), topics.state("#"), *(topics.net(kind, "#") for kind in KINDS),
        )  # fmt: skip

    @property
    def trouble(self) -> Trouble | None:
        """Why there is no connection, None while there is one."""
        return self._mqtt.trouble

    async def run(self) -> None:
        """Stay connected, keep contact fresh, renew watches."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._mqtt.run())
            group.create_task(self._beat())
            group.create_task(self._renew())
            group.create_task(self._confirm())

    async def ask(self, question: Question, answer: type[Answer]) -> Answer:
        """The hub's answer; `NoAnswer` says why there is none."""
        self._asked += 1
        name = str(self._asked)
        self._mqtt.ping_soon(_LIVELY_S)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[name] = future
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._publish(topics.ask(self.user, self.session, name), pack(question))
                result = unpack(answer, await future)
        except TimeoutError:
            raise NoAnswer(_("The central did not answer.")) from None
        except WireError as error:
            raise NoAnswer(_("The central's answer was not understood: {problem}", problem=error)) from None
        finally:
            del self._waiting[name]
        if result.error is not None:
            raise NoAnswer(say(result.error), result.error.context)
        return result

    async def follow(self, asked: AskCommand, *, silent_s: float) -> AsyncIterator[CommandNews]:
        """Everything that the hub says about a command, until it has ended. `NoAnswer` says why there is no
        more.

        When nothing came for a while it is asked again: the same id does nothing twice, and brings what was
        missed.
        """
        from ayni_core.commands import FINAL

        self._asked += 1
        name = str(self._asked)
        topic = topics.ask(self.user, self.session, name)
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._following[name] = heard
        loop = asyncio.get_running_loop()
        end, wait_s = loop.time() + silent_s, TIMEOUT_S
        try:
            await self._publish(topic, pack(asked))
            while loop.time() < end:
                try:
                    payload = await asyncio.wait_for(heard.get(), wait_s)
                except TimeoutError:
                    if wait_s == TIMEOUT_S:
                        raise NoAnswer(_("The central did not answer.")) from None
                    with contextlib.suppress(NoAnswer):
                        await self._publish(topic, pack(asked))
                    continue
                end, wait_s = loop.time() + silent_s, FOLLOW_S
                news = _command_news(payload)
                yield news
                if news.plan is not None or (news.state is not None and news.state.state in FINAL):
                    return
            raise NoAnswer(_("The central says nothing about the command any more."))
        finally:
            del self._following[name]

    async def lab_do(self, what: LabDo) -> None:
        """Tell the lab."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._publish(topics.lab_do(self.user), pack(what))
        except TimeoutError:
            raise NoAnswer(_("The lab did not answer.")) from None

    def look_at(self, sites: tuple[str, ...]) -> None:
        """Ask for copies of these sites' polls, as long as they are looked at."""
        if sites != self._sites:
            self._sites = sites
            self._watch_changed.set()

    async def _publish(self, topic: str, payload: bytes) -> None:
        try:
            heard = await self._mqtt.publish(topic, payload)
        except MqttError:
            raise NoAnswer(_("There is no way to the central just now.")) from None
        if heard is False:
            raise NoAnswer(_("Nobody listens: the central is not there."))

    def _up(self) -> None:
        self._up_at = self._clock()
        self.model.linked(True)
        self.settled.set()
        self._came_up.set()
        self._watch_changed.set()

    def _down(self, reason: str) -> None:
        trouble = self._mqtt.trouble
        self.model.linked(False, no_way.sentence(trouble, self._where) if trouble else reason)
        self._came_up.clear()
        self.settled.set()

    def _message(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic.startswith(f"{topics.PREFIX}/answer/"):
            name = topic.rpartition("/")[2]
            if name in self._following:
                self._following[name].put_nowait(payload)
            waiting = self._waiting.get(name)
            if waiting is not None and not waiting.done():
                waiting.set_result(payload)
            self.model.heard(self._clock())
        else:
            self.model.apply(topic, payload, retained, self._clock())

    async def _beat(self) -> None:
        """Ask something small whenever the central was not heard for a while."""
        while True:
            await self._came_up.wait()
            if self.model.contact_at is None:
                await asyncio.sleep(_FIRST_BEAT_S)
            age = self.model.contact_age(self.model.now(self._clock()))
            if age is None or age > _BEAT_S:
                from ayni_core.wire.questions import AskEvents, Events

                self._mqtt.ping_soon()  # is it the central that is away, or the way there?
                await self._quietly(AskEvents(limit=1), Events)
            await asyncio.sleep(1.0 if self.model.contact_at is None else 10.0)

    async def _confirm(self) -> None:
        """After a break: once the central is heard again and tells nothing more of what was known before,
        the rest of that is gone."""
        before = 0
        while True:
            await asyncio.sleep(_CONFIRMED_S)
            left = self.model.unconfirmed if self._mqtt.connected else 0
            if left and left == before:
                if (self.model.contact_at or 0.0) >= self._up_at:
                    self.model.confirm()
                else:
                    from ayni_core.wire.questions import AskEvents, Events

                    await self._quietly(AskEvents(limit=1), Events)
            before = left

    async def _renew(self) -> None:
        """Keep watches alive while somebody looks."""
        while True:
            self._watch_changed.clear()
            if self._mqtt.connected and (self._sites or self._watch_all):
                from ayni_core.wire.questions import AskWatch, Done

                sites = () if self._watch_all else self._sites
                await self._quietly(AskWatch(sites=sites, for_s=WATCH_S), Done)
            try:
                async with asyncio.timeout(RENEW_S):
                    await self._watch_changed.wait()
            except TimeoutError:
                continue

    async def _quietly(self, question: Question, answer: type[Answer]) -> None:
        try:
            await self.ask(question, answer)
        except NoAnswer:
            return  # the head of the screen shows that contact gets old


def _command_news(payload: bytes) -> CommandNews:
    from ayni_core.wire.questions import CommandNews

    try:
        news = unpack(CommandNews, payload)
    except WireError as error:
        raise NoAnswer(_("The central's answer was not understood: {problem}", problem=error)) from None
    if news.error is not None:
        raise NoAnswer(say(news.error))
    return news
