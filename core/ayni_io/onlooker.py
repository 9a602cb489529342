"""A person's connection without a screen: keeps what is said, waits for things to become true, asks.

`ayni start` and `ayni demo` use it to see whether a network is alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TypeVar

from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import HubState, NodeState
from ayni_core.wire.questions import Question
from ayni_core.wire.shape import pack, unpack
from ayni_io.mqtt import BrokerConfig, MqttClient

T = TypeVar("T")


class Onlooker:
    """Used as `async with Onlooker(broker, filters) as eyes`. `said` holds the last payload of each topic;
    an empty payload takes its topic out."""

    def __init__(self, broker: BrokerConfig, *filters: str) -> None:
        self.user = (broker.username or "").partition("-")[2]
        self.said: dict[str, bytes] = {}
        self.on_news: Callable[[str, bytes], None] | None = None
        self._session = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._followed: dict[str, asyncio.Queue[bytes]] = {}
        self._news = asyncio.Event()
        self._client = MqttClient(broker, f"{broker.username}-{self._session}")
        self._client.on_message = self._hear
        own = topics.answer(self.user, self._session, "+")
        self._client.subscribe(topics.HUB, topics.state("+"), own, *filters)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Onlooker:
        self._task = asyncio.create_task(self._client.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def sees_hub(self) -> bool:
        """Whether the hub says that it is ready."""
        state = self.read(HubState, topics.HUB)
        return state is not None and state.state == "ready"

    async def sees_node(self, node: str) -> bool:
        """Whether an agent says that it is there."""
        state = self.read(NodeState, topics.state(node))
        return state is not None and state.up

    def read(self, kind: type[T], topic: str) -> T | None:
        """What stands on a topic, or None."""
        payload = self.said.get(topic)
        if not payload:
            return None
        try:
            return unpack(kind, payload)
        except WireError:
            return None

    def below(self, prefix: str, kind: type[T]) -> list[T]:
        """What stands on all topics that begin like this."""
        found = (self.read(kind, topic) for topic in sorted(self.said) if topic.startswith(prefix))
        return [each for each in found if each is not None]

    async def until(self, true: Callable[[], bool], within_s: float) -> bool:
        """Wait until something is true; False when the time was not enough."""
        end = time.monotonic() + within_s
        while not true():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(left, 1.0))
        return True

    async def ask(self, question: Question, answer: type[T], within_s: float = 5.0) -> T | None:
        """Ask the hub; None when no answer comes. Raises `MqttError` without a connection."""
        number = str(next(self._numbers))
        topic = topics.answer(self.user, self._session, number)
        await self._client.publish(topics.ask(self.user, self._session, number), pack(question))
        await self.until(lambda: topic in self.said, within_s)
        found = self.read(answer, topic)
        self.said.pop(topic, None)
        return found

    async def follow(self, question: Question, answer: type[T], silent_s: float = 30.0) -> AsyncIterator[T]:
        """All the answers to a question that has several, until nothing came for `silent_s` seconds or nobody
        wants more. Raises `MqttError` without a connection."""
        number = str(next(self._numbers))
        topic = topics.answer(self.user, self._session, number)
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._followed[topic] = heard
        try:
            await self._client.publish(topics.ask(self.user, self._session, number), pack(question))
            while True:
                try:
                    payload = await asyncio.wait_for(heard.get(), silent_s)
                except TimeoutError:
                    return
                with contextlib.suppress(WireError):
                    yield unpack(answer, payload)
        finally:
            del self._followed[topic]

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish as this person. Raises `MqttError`."""
        await self._client.publish(topic, payload)

    def _hear(self, topic: str, payload: bytes, _retained: bool) -> None:
        if topic in self._followed:
            self._followed[topic].put_nowait(payload)
            return
        if payload:
            self.said[topic] = payload
        else:
            self.said.pop(topic, None)
        if self.on_news:
            self.on_news(topic, payload)
        self._news.set()
