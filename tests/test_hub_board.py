"""The board tells a hundred thousand topics, and nobody else waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from parts import free_port
from test_mqtt_client import mosquitto

from ayni_core.wire import topics
from ayni_hub.board import Board
from ayni_hub.voice import Voice
from ayni_io.mqtt import BrokerConfig, MqttClient

LINKS = [topics.net("link", f"l{number}") for number in range(300)]
ALERT = topics.alert("a1")


class Broker:
    """Has so many places; what was said, in order. `words` is what each topic should say."""

    def __init__(self, places: int = 20) -> None:
        self.said: list[tuple[str, bytes]] = []
        self.words: dict[str, bytes] = {}
        self.most = self.now = 0
        self.up = True
        self._room = asyncio.Semaphore(places)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.board = Board(lambda topic: self.words.get(topic, b""), self.publish, self.spawn, lambda: places)

    async def publish(self, topic: str, payload: bytes) -> bool:
        async with self._room:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
            if self.up:
                self.said.append((topic, payload))
            return self.up

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def calm(self) -> None:
        while self._tasks:
            await asyncio.gather(*self._tasks)


def test_half_of_the_places_stay_free() -> None:
    async def play() -> None:
        broker = Broker(places=20)
        broker.words = dict.fromkeys(LINKS, b"ok")
        broker.board.put(LINKS)
        for _each in range(5):
            broker.board.send()
            await asyncio.sleep(0)
        before = len(broker.said)
        await broker.publish("ack", b"7")
        assert len(broker.said) - before < 30, "the acknowledgement did not wait for the picture"
        await broker.calm()
        assert broker.most <= 11
        assert [topic for topic, _words in broker.said if topic != "ack"] == LINKS
        one = Broker(places=1)
        one.words = {LINKS[0]: b"ok"}
        one.board.put(LINKS[:1])
        one.board.send()
        await one.calm()
        assert one.said == [(LINKS[0], b"ok")]

    asyncio.run(play())


def test_news_goes_before_what_is_told_again_and_says_what_is_so_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ayni_hub.board._LOOK_S", 0.0)

    async def play() -> None:
        broker = Broker(places=4)
        broker.words = {**dict.fromkeys(LINKS, b"ok"), ALERT: b"fires"}
        telling = asyncio.create_task(broker.board.tell_all([ALERT, *LINKS]))
        await asyncio.sleep(0)
        broker.words[LINKS[250]] = b"down"
        broker.board.put([topics.alert("a2"), LINKS[250]])
        broker.words[topics.alert("a2")] = b"fires"
        broker.board.send()
        await telling
        await broker.calm()
        order = [topic for topic, _words in broker.said]
        assert order.index(LINKS[250]) < order.index(topics.alert("a2")) < 6
        assert order[-1] == ALERT
        assert sorted(order) == sorted({ALERT, topics.alert("a2"), *LINKS}), "each is told once"
        assert (LINKS[250], b"down") in broker.said

    asyncio.run(play())


def test_what_could_not_be_said_is_said_later_and_what_is_over_is_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ayni_hub.board._LOOK_S", 0.0)

    async def play() -> None:
        broker = Broker()
        broker.words = dict.fromkeys(LINKS, b"ok")
        broker.up = False
        broker.board.put(LINKS)
        broker.board.send()
        await broker.calm()
        assert broker.said == []
        broker.up = True
        broker.words[LINKS[0]] = b"down"
        broker.board.connected()
        broker.board.found(topics.net("link", "of-old"))
        broker.board.found(LINKS[1])
        await broker.board.tell_all(LINKS)
        await broker.calm()
        told = dict(broker.said)
        assert len(broker.said) == len(LINKS) + 1
        assert told.pop(topics.net("link", "of-old")) == b""
        assert told == broker.words

    asyncio.run(play())


@pytest.mark.real("mosquitto")
def test_over_a_real_broker_an_acknowledgement_overtakes_the_picture(tmp_path: Path) -> None:
    """Ten thousand views wait; an acknowledgement is there before a hundredth of them."""
    views = [topics.net("device", f"d{number}") for number in range(10_000)]

    async def play(port: int) -> None:
        heard: list[str] = []
        client = MqttClient(BrokerConfig(port=port), "h-hub", window=100)
        ear = MqttClient(BrokerConfig(port=port), "n-pi", window=100)
        ear.on_message = lambda topic, _payload, _retained: heard.append(topic)
        ear.subscribe(topics.ack("pi"), topics.net("device", "#"))
        voice = Voice(client)
        board = Board(lambda _topic: b"x" * 200, voice.keep, voice.spawn, lambda: client.at_once)
        running = [asyncio.create_task(each.run()) for each in (client, ear)]
        while not (client.connected and ear.connected):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # until the broker has taken the subscription
        board.put(views)
        board.send()
        await asyncio.sleep(0)
        voice.spawn(voice.say(topics.ack("pi"), b"{}", qos=0))
        while topics.ack("pi") not in heard:
            await asyncio.sleep(0.01)
        assert len(heard) < 2000
        assert heard.index(topics.ack("pi")) < 300
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    port = free_port()
    with mosquitto(tmp_path, port):
        asyncio.run(play(port))
