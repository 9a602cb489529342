"""A broker in pure Python for this machine alone: the only file that knows amqtt. MQTT 3.1.1, QoS 1.

It takes the accounts file of Mosquitto's dynamic-security plugin, so that the same people may do the same.
Two habits of amqtt 0.12 are worked around: it walks its subscriptions while others change them (a message
then reached nobody), and it sent every retained message to whoever connects, asked for or not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import ItemsView, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import Action
from amqtt.errors import BrokerError
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin

from ayni_core.fault import fault
from ayni_core.schema import ConfigError
from ayni_io import accounts

log = logging.getLogger("broker")
_HERE = "ayni_lab.embedded_broker"


class AccountPlugin(BaseAuthPlugin):  # type: ignore[misc]
    """Who may connect."""

    @dataclass
    class Config:
        """`accounts` is the file."""

        accounts: str

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        clients = accounts.read(Path(self.config.accounts)).get("clients", [])
        self._clients = {client["username"]: client for client in clients}

    async def authenticate(self, *, session: Any) -> bool:
        """Whether name and password fit."""
        client = self._clients.get(session.username or "")
        return client is not None and accounts.fits(client, session.password or "")


class RightsPlugin(BaseTopicPlugin):  # type: ignore[misc]
    """Who may publish and subscribe where."""

    @dataclass
    class Config:
        """`accounts` is the file."""

        accounts: str

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._rights: dict[tuple[str, str], list[str]] = {}
        for role in accounts.read(Path(self.config.accounts)).get("roles", []):
            for acl in role["acls"]:
                self._rights.setdefault((role["rolename"], acl["acltype"]), []).append(acl["topic"])

    async def topic_filtering(
        self, *, session: Any = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Whether a right of the account covers the topic or filter."""
        kinds = {
            Action.PUBLISH: "publishClientSend",
            Action.SUBSCRIBE: "subscribePattern",
            Action.RECEIVE: "publishClientReceive",
        }
        allowed = self._rights.get((session.username or "", kinds[action])) if session and action else None
        return any(covers(right, topic or "") for right in allowed or ())


class _Subscriptions(dict[str, Any]):
    """Subscriptions by filter; whoever walks them walks a copy."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().keys()))

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """Filters with the sessions that were subscribed when this was asked."""
        return {key: list(value) for key, value in super().items()}.items()


class _Broker(Broker):  # type: ignore[misc]
    """amqtt's broker without the two habits."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._subscriptions = _Subscriptions()

    async def _publish_retained_messages_for_subscription(self, subscription: Any, session: Any) -> None:
        subscribed = self._subscriptions.get(subscription[0], ())
        if any(other is session for other, _qos in subscribed):
            await super()._publish_retained_messages_for_subscription(subscription, session)


def covers(right: str, wanted: str) -> bool:
    """Whether every topic that `wanted` (a topic or a filter) names is one that `right` allows."""
    allowed, asked = right.split("/"), wanted.split("/")
    for place, level in enumerate(allowed):
        if level == "#":
            return True
        if place >= len(asked) or asked[place] == "#":
            return False
        if level != "+" and level != asked[place]:
            return False
    return len(allowed) == len(asked)


async def run(port: int, accounts_file: Path) -> int:
    """Serve until cancelled. Raises `ConfigError` when the port is taken or there are no accounts."""
    if not accounts.read(accounts_file).get("clients"):
        raise ConfigError([fault(f"{accounts_file}", "fault.no_accounts")])
    for noisy in ("amqtt", "transitions"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    options = {"accounts": str(accounts_file)}
    broker = _Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 100}},
            "plugins": {f"{_HERE}.AccountPlugin": options, f"{_HERE}.RightsPlugin": options},
        }
    )
    try:
        await broker.start()
    except BrokerError as error:
        raise ConfigError([fault(f"127.0.0.1:{port}", "fault.cannot_listen", cause=str(error))]) from None
    log.info("started port=%d", port)
    try:
        await asyncio.Event().wait()
    finally:
        await broker.shutdown()
    return 0
