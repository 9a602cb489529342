"""Which frames an agent hands to its broker, read off its plain MQTT 5 connections: how often each, and
whether its bytes were always the same."""

from __future__ import annotations

import zlib

from ayni_core.wire import codec, topics

_PUBLISH = 3


class WireTap:
    """Takes what went up, connection by connection. `published` counts frames, `resent_octets` the size of
    those that had been published before, `changed` names of frames that were sent with different contents."""

    def __init__(self) -> None:
        self.published = 0
        self.resent_octets = 0
        self.changed: set[tuple[str, int]] = set()
        self._contents: dict[tuple[str, int], int] = {}
        self._streams: dict[int, bytearray] = {}

    @property
    def resent(self) -> int:
        """How many of the published frames had been published before."""
        return self.published - len(self._contents)

    def __call__(self, connection: int, data: bytes) -> None:
        stream = self._streams.setdefault(connection, bytearray())
        stream += data
        while (packet := _first_packet(stream)) is not None:
            kind, body = packet
            if kind >> 4 == _PUBLISH:
                self._publication(kind & 0x06, body)

    def _publication(self, qos: int, body: bytes) -> None:
        """MQTT 5, 3.3: topic, packet identifier (unless QoS 0), properties, payload."""
        length = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + length].decode(), body[2 + length + (2 if qos else 0) :]
        properties, size = _number(rest, 0)
        if not topic.startswith(f"{topics.PREFIX}/in/") or topic.endswith("/watch"):
            return
        payload = rest[size + properties :]
        name = codec.name_of(payload)
        if name is None:
            return
        self.published += 1
        crc = zlib.crc32(payload)
        if name in self._contents:
            self.resent_octets += len(payload)
        if self._contents.setdefault(name, crc) != crc:
            self.changed.add(name)


def _first_packet(stream: bytearray) -> tuple[int, bytes] | None:
    """Take the first whole control packet out of a stream: (first byte, what follows its length)."""
    if len(stream) < 2:
        return None
    length, size = _number(stream, 1)
    end = 1 + size + length
    if not size or len(stream) < end:
        return None
    packet = stream[0], bytes(stream[1 + size : end])
    del stream[:end]
    return packet


def _number(data: bytes | bytearray, start: int) -> tuple[int, int]:
    """A variable byte integer (MQTT 5, 1.5.5) and how long it is; (0, 0) where it is not there yet."""
    value = 0
    for index, byte in enumerate(data[start : start + 4]):
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, index + 1
    return 0, 0
