"""Home Assistant: keeps retained at the broker what it needs to find our things, and takes away what is gone.

A connection of its own, so that a broker that refuses these topics disturbs nothing else. What was published
is remembered by a small file beside the hub's memory: without the option, or with another prefix, the next
start takes everything away again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path

from ayni_core import home_assistant
from ayni_core.home_assistant import Wanted
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.readings import Series
from ayni_hub.numbers import readings
from ayni_hub.numbers.snapshot import Snapshot, Stamp
from ayni_io import clock, files
from ayni_io.i18n import say_in
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttDenied, MqttError

log = logging.getLogger("home-assistant")
MARK = "home-assistant.json"
_PAUSE_S, _BREATH_S, _HEAR_S = 2.0, 0.05, 1.0
_AT_A_TIME = 10


class HomeAssistant:
    """Works until cancelled. `wanted` is None when the option is off: then it only takes away what an earlier
    start left, and is done."""

    def __init__(
        self,
        wanted: Wanted | None,
        network: Network,
        snapshot: Snapshot,
        broker: BrokerConfig,
        client_id: str,
        folder: Path,
    ) -> None:
        self._wanted, self._network, self._snapshot = wanted, network, snapshot
        self._mark = folder / MARK
        self._fixed: dict[str, bytes] = {}
        self._configs: dict[str, tuple[list[Series] | None, dict[str, bytes]]] = {}
        self._stamps: dict[str, Stamp | None] = {}
        self._of_device: dict[str, dict[str, bytes]] = {}
        self._there: dict[str, bytes] = {}
        self._denied = False
        self._connected_at = 0.0
        self._client = MqttClient(broker, client_id)
        self._client.on_message = self._hear
        self._client.on_connect = self._begin_anew
        for prefix in sorted({earlier_prefix(folder), wanted.prefix if wanted else None} - {None}, key=str):
            self._client.subscribe(*home_assistant.own_topics(f"{prefix}"))

    async def run(self) -> None:
        """Keep what is retained as it should be."""
        if self._wanted is not None:
            self._note(self._wanted.prefix)
            self._fixed = self._packed(home_assistant.configs(self._network, self._wanted))
        connection = asyncio.create_task(self._client.run())
        try:
            while True:
                await self._look()
                if self._has_heard() and await self._bring_up_to_date() and self._wanted is None:
                    self._mark.unlink(missing_ok=True)
                    log.info("home assistant: everything is taken away")
                    return
        finally:
            connection.cancel()

    # ---- what should stand there

    async def _look(self) -> None:
        """Once at every device that is wanted and has news, some at a time; the hub has other work, too."""
        names = [
            device.name
            for device in self._network.devices.values()
            if self._wanted is not None and self._wanted.has(device.site)
        ]
        done = 0
        for name in names:
            stamp = self._snapshot.stamp(name)
            if name in self._of_device and self._stamps.get(name) == stamp:
                continue
            self._stamps[name] = stamp
            holding = dict(readings.holding(last)) if (last := self._snapshot.look_at(name)) else {}
            self._of_device[name] = self._look_at(name, holding)
            done += 1
            if done % _AT_A_TIME == 0:
                await asyncio.sleep(_BREATH_S)
        await asyncio.sleep(_PAUSE_S)

    def _look_at(self, name: str, holding: Mapping[Series, int | float]) -> dict[str, bytes]:
        """A sensor stays while anything is remembered of it, its value only while it holds."""
        prefix = self._wanted.prefix if self._wanted else ""
        known = home_assistant.sensors(self._snapshot.known(name))
        before, configs = self._configs.get(name, (None, {}))
        if before != known:
            device = self._network.devices[name]
            configs = self._packed(home_assistant.device_configs(self._network, device, prefix, known))
            self._configs[name] = (known, configs)
        if not known:
            return configs
        values = {home_assistant.key(each): round(holding[each], 2) for each in known if each in holding}
        return configs | self._packed({home_assistant.state_topic(prefix, name): values})

    def _packed(self, said: Mapping[str, object]) -> dict[str, bytes]:
        language = self._network.language
        return {
            topic: json.dumps(_in_words(body, language), ensure_ascii=False, sort_keys=True).encode()
            for topic, body in said.items()
        }

    # ---- what stands there

    def _begin_anew(self) -> None:
        self._connected_at = clock.monotonic_s()
        self._there.clear()

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        if retained and payload:
            self._there.setdefault(topic, payload)

    def _has_heard(self) -> bool:
        """Whether what is retained must have come: it comes first after connecting."""
        return self._client.connected and clock.monotonic_s() - self._connected_at >= _HEAR_S

    async def _bring_up_to_date(self) -> bool:
        """Publish what differs from what stands there; False when that was not possible."""
        should = dict(self._fixed)
        for said in self._of_device.values():
            should |= said
        try:
            for topic in [each for each in self._there if each not in should]:
                await self._client.publish(topic, b"", retain=True)
                del self._there[topic]
            for topic, payload in should.items():
                if self._there.get(topic) != payload:
                    await self._client.publish(topic, payload, retain=True)
                    self._there[topic] = payload
        except MqttDenied as error:
            if not self._denied:
                self._denied = True
                log.error("home assistant: the account of the hub may not write there cause=%s", error)
            return False
        except (MqttError, KeyError):
            return False  # the connection was lost: the next one begins anew
        return True

    def _note(self, prefix: str) -> None:
        try:
            files.write_text(self._mark, json.dumps({"prefix": prefix}) + "\n")
        except OSError as error:
            log.error("home assistant: what is published cannot be noted cause=%s", error)


def earlier_prefix(folder: Path) -> str | None:
    """The prefix that something was published below, and may still stand; None: nothing."""
    try:
        found = json.loads((folder / MARK).read_text(encoding="utf-8"))["prefix"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _in_words(body: object, language: str) -> object:
    if isinstance(body, Message):
        return " ".join(say_in(language, body).split())
    if isinstance(body, Mapping):
        return {name: _in_words(value, language) for name, value in body.items()}
    return body
