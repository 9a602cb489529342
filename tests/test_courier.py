"""The courier before a broker that does only what it is told: what is on its way, and what follows when."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field

import pytest

from ayni_agent import courier as courier_module
from ayni_agent.config import AgentConfig
from ayni_agent.contact import Contact
from ayni_agent.courier import Courier
from ayni_agent.outbox import MemoryOutbox, row_of
from ayni_core.window import BEGIN_BYTES, Window
from ayni_core.wire import topics
from ayni_core.wire.messages import HubState
from ayni_core.wire.shape import pack
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, BrokerReference

SUCCESS, NOBODY, DENIED = 0x00, 0x10, 0x87
SIZE = 1000
AT_ONCE = BEGIN_BYTES // SIZE


@dataclass
class Broker:
    """MQTT 5 (OASIS, 2019), by hand: one connection at a time, frames are acknowledged only when asked."""

    receive_maximum: int = 20
    frames: list[tuple[str, bytes]] = field(default_factory=list)
    """(kind, payload) of every frame that came."""
    waiting: list[bytes] = field(default_factory=list)
    """Packet identifiers that have no PUBACK yet."""
    writer: asyncio.StreamWriter | None = None
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listening.bind(("127.0.0.1", 0))
        self.reading.set()
        server = await asyncio.start_server(self._serve, sock=listening, limit=4096)
        self.port = listening.getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.waiting.clear()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await self.reading.wait()
                kind, body = await _packet(reader)
                match kind >> 4:
                    case 1:
                        self._send(0x20, b"\0\0\x03\x21" + self.receive_maximum.to_bytes(2, "big"))
                    case 3:
                        self._take(kind & 0x06, body)
                    case 8:
                        self._send(0x90, body[:2] + b"\0\x01")
                    case 12:
                        self._send(0xD0, b"")

    def _take(self, qos: int, body: bytes) -> None:
        end = 2 + int.from_bytes(body[:2], "big")
        topic, rest = body[2:end].decode(), body[end:]
        identifier, rest = (rest[:2], rest[2:]) if qos else (b"", rest)
        if "/in/" not in topic:
            self._send(0x40, identifier)
            return
        self.frames.append((topic.rpartition("/")[2], rest[1:]))
        if qos:
            self.waiting.append(identifier)

    def acknowledge(self, count: int = 1_000_000, reason: int = SUCCESS) -> None:
        for identifier in self.waiting[:count]:
            self._send(0x40, identifier + bytes((reason, 0)))
        del self.waiting[:count]

    def hub(self, state: str, closed: tuple[int, ...] = ()) -> None:
        topic = topics.HUB.encode()
        said = pack(HubState(state=state, closed=closed))
        self._send(0x30, len(topic).to_bytes(2, "big") + topic + b"\0" + said)

    def cut(self) -> None:
        if self.writer is not None:
            self.writer.close()

    def _send(self, kind: int, body: bytes) -> None:
        assert self.writer is not None and len(body) < 128
        self.writer.write(bytes((kind, len(body))) + body)

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _kind, payload in self.frames]


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    (kind,) = await reader.readexactly(1)
    length = shift = 0
    for _ in range(4):
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return kind, await reader.readexactly(length)


class Town:
    """A courier with a backlog of frames 0, 1, 2 …, before a broker."""

    def __init__(self, broker: Broker, backlog: int, size: int = SIZE) -> None:
        self.broker = broker
        self.outbox = MemoryOutbox()
        self.size = size
        for seq in range(backlog):
            self.put(seq, live=False)
        reference = BrokerReference(
            host="127.0.0.1", port=broker.port, username=None, password=None, ca=None, protocol="5"
        )
        config = AgentConfig(
            node="pi", broker=reference, poll_s=60, flush_s=300, encoding="field", state_dir=None,
            runtime_dir=None, devices={},
        )  # fmt: skip
        self.contact = Contact("", 0.0)
        self.courier = Courier(config, BrokerConfig(port=broker.port), "e", "b", self.outbox, self.contact)

    def put(self, seq: int, *, live: bool) -> None:
        made_s = clock.monotonic_s() - (0.0 if live else 1000.0)
        self.outbox.put(row_of("e", seq, b"%07d-" % seq + b"x" * (self.size - 8), made_s, live=live))

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not true():
                await asyncio.sleep(0.005)

    async def came(self, count: int) -> list[int]:
        """Wait until so many frames have come, and for a moment whether more do; their numbers."""
        await self.until(lambda: len(self.broker.frames) >= count)
        await asyncio.sleep(0.05)
        assert len(self.broker.frames) == count
        return [int(payload[:7]) for payload in self.broker.payloads]


def play(scene: Callable[[Town, Broker], Coroutine[None, None, None]], backlog: int, **options: int) -> None:
    async def run() -> None:
        broker = Broker(receive_maximum=options.get("receive_maximum", 20))
        async with broker.serving():
            town = Town(broker, backlog, options.get("size", SIZE))
            task = asyncio.create_task(town.courier.run())
            try:
                await town.until(lambda: town.contact.status(0.0).connected)
                broker.hub("ready")
                await scene(town, broker)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_more_follows_with_each_acknowledgement_and_every_frame_comes_once() -> None:
    async def scene(town: Town, broker: Broker) -> None:
        assert await town.came(AT_ONCE) == list(range(AT_ONCE)), "oldest first, no more than the window"
        town.courier.wake()
        await town.came(AT_ONCE)
        broker.acknowledge(1)
        await town.until(lambda: len(broker.frames) > AT_ONCE)
        assert len(broker.waiting) >= AT_ONCE, "the others were not waited for"
        for _ in range(1000):
            broker.acknowledge()
            await asyncio.sleep(0.002)
            if len(broker.frames) == 40 and not broker.waiting:
                break
        assert await town.came(40) == list(range(40))

    play(scene, 40)


def test_news_do_not_wait_for_the_backlog_that_is_on_its_way() -> None:
    async def scene(town: Town, broker: Broker) -> None:
        await town.came(AT_ONCE)
        town.put(100, live=True)
        town.courier.wake()
        await town.came(AT_ONCE + 1)
        assert broker.frames[-1][0] == "live"
        assert broker.payloads[-1].startswith(b"0000100")

    play(scene, 40)


def test_no_more_than_the_broker_may_have_unacknowledged() -> None:
    """MQTT 5, 3.3.4: a client that does not keep to Receive Maximum is thrown out. Two places are for news,
    two for words about the node."""

    async def scene(town: Town, broker: Broker) -> None:
        await town.came(2)
        for seq in (100, 101, 102):
            town.put(seq, live=True)
        town.courier.wake()
        assert await town.came(4) == [0, 1, 102, 101]

    play(scene, 40, receive_maximum=6, size=100)


def test_when_the_hub_goes_nothing_more_is_sent() -> None:
    async def scene(town: Town, broker: Broker) -> None:
        await town.came(AT_ONCE)
        broker.hub("gone")
        await town.until(lambda: not town.contact.there)
        broker.acknowledge()
        await town.came(AT_ONCE)
        broker.hub("ready")
        await town.until(lambda: len(broker.frames) > AT_ONCE)

    play(scene, 40)


def test_while_nobody_takes_in_its_bucket_a_node_waits_and_others_do_not_matter() -> None:
    async def scene(town: Town, broker: Broker) -> None:
        await town.came(AT_ONCE)
        own = topics.bucket("pi")
        broker.hub("ready", (own - 1, own, own + 1))
        await town.until(lambda: not town.contact.there)
        assert town.contact.status(0.0).state == "store-down"
        broker.acknowledge()
        await town.came(AT_ONCE)
        broker.hub("ready", (own + 1,))
        await town.until(lambda: len(broker.frames) > AT_ONCE)

    play(scene, 40)


def test_what_was_on_a_connection_that_broke_is_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(town: Town, broker: Broker) -> None:
        await town.came(AT_ONCE)
        broker.acknowledge(1)
        await town.until(lambda: len(broker.frames) > AT_ONCE)
        await asyncio.sleep(0.05)
        before = len(broker.frames)
        broker.cut()
        await town.until(lambda: not town.contact.status(0.0).connected)
        await town.until(lambda: town.contact.status(0.0).connected)
        assert town.courier._flying == {}
        assert town.courier._window == Window(), "what is learned of one connection is not true of another"
        broker.hub("ready")
        again = (await town.came(before + AT_ONCE))[before:]
        assert again == list(range(AT_ONCE)), "all is due: the hub that comes back may have lost it"
        told = [record.getMessage().split()[:2] for record in caplog.records]
        assert sorted(told) == [["broker", "lost"], ["frames", "held"]], "one line each"

    with caplog.at_level(logging.WARNING, "agent"):
        play(scene, 40)


def test_frames_that_are_refused_are_tried_later_and_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(courier_module, "_TICK_S", 0.1)

    async def scene(town: Town, broker: Broker) -> None:
        await town.came(1)
        for count in (2, 3, 4):
            broker.acknowledge(reason=DENIED)
            assert await town.came(count - 1), "not at once"
            await town.until(lambda count=count: len(broker.frames) == count)  # type: ignore[misc]
        assert town.contact.status(0.0).problem == "denied"
        assert len([record for record in caplog.records if "held" in record.getMessage()]) == 1

    with caplog.at_level(logging.WARNING, "agent"):
        play(scene, 1)


def test_frames_that_nobody_hears_stay_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_module, "_TICK_S", 0.1)

    async def scene(town: Town, broker: Broker) -> None:
        await town.came(1)
        broker.acknowledge(reason=NOBODY)
        assert await town.came(1), "not at once"
        await town.until(lambda: len(broker.frames) == 2)
        broker.acknowledge()
        await asyncio.sleep(0.25)
        assert await town.came(2), "after it was heard the pause is long"
        assert town.outbox.due(clock.monotonic_s()) == []

    play(scene, 1)


def test_copies_for_a_watcher_do_not_pile_up_before_a_link_that_is_behind() -> None:
    async def scene(town: Town, broker: Broker) -> None:
        broker.reading.clear()
        sent = 0
        for number in range(500):
            before = town.courier._copies_bytes
            town.courier.send_copy(b"%03d" % number + b"c" * 2000)
            sent += town.courier._copies_bytes > before
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if number % 50 == 0:
                await asyncio.sleep(0.01)
        assert sent * 2000 < 60_000, "what paho, the kernel and the other side hold"
        town.put(0, live=True)
        town.courier.wake()
        broker.reading.set()
        await town.until(lambda: any(kind == "live" for kind, _payload in broker.frames))

    play(scene, 0)
