"""The keeper's connection to the broker: what comes on it goes to whoever waits for it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ayni_core.wire import WireError, topics
from ayni_hub.keys import renewing
from ayni_hub.keys.record import Record
from ayni_hub.keys.renewing import Renewing
from ayni_io.control import Control
from ayni_io.mqtt import BrokerConfig, MqttClient

log = logging.getLogger("keeper")
_MOST_TOLD = 100


class Line:
    """Connected while `client` runs. `on_enrol` is given (node, payload) of who asks to become one."""

    def __init__(
        self,
        broker: BrokerConfig,
        record: Record,
        client_id: str,
        *,
        within_s: float = renewing.WITHIN_S,
        pause_s: float = renewing.PAUSE_S,
    ) -> None:
        self.client = MqttClient(broker, client_id)
        self.control = Control(self.client)
        self.renewing = Renewing(self.client, self.control, record, within_s=within_s, pause_s=pause_s)
        self.on_enrol: Callable[[str, bytes], None] | None = None
        self._told: set[str] = set()
        self.client.on_message = self._message
        self.client.subscribe(topics.renewed("+"))

    def listen_for_enrolment(self, on_enrol: Callable[[str, bytes], None]) -> None:
        """Hear who asks to become a node, too."""
        self.on_enrol = on_enrol
        self.client.subscribe(topics.enrol("+"))

    def _message(self, topic: str, payload: bytes, retained: bool) -> None:
        if topic == topics.CONTROL_ANSWER:
            self.control.take(payload)
            return
        if retained:
            return
        try:
            address = topics.parse(topic)
            match address.root:
                case "renewed":
                    self.renewing.hear(address.words[0], payload)
                case "enrol" if self.on_enrol is not None:
                    self.on_enrol(address.words[0], payload)
        except WireError as error:
            if topic not in self._told and len(self._told) < _MOST_TOLD:
                self._told.add(topic)  # once each: who sends nonsense sends much of it
                log.warning("not understood topic=%s cause=%s", topic[:80], error)
