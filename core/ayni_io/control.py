"""Accounts of a running Mosquitto: asked and changed over its topic for the dynamic-security plugin.

One request at a time; an answer carries the number of its request. Seen with Mosquitto 2.0.11: deleting or
disabling a client, and giving it another password or other roles, ends its session at once; changing a role
does not, but is asked at each message that is written or delivered from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from ayni_core import account_plan
from ayni_core.account_plan import Broker, Command
from ayni_core.wire import topics
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttDenied, MqttError
from ayni_io.secret import Secret

_ANSWERS_WITHIN_S = 15.0
_CONNECTS_WITHIN_S = 15.0
_AT_ONCE = 50
_PAGE = 500
_LARGEST = 8 * 1024 * 1024


class ControlError(Exception):
    """The broker was not reached, or did not do it: what was attempted, and why not."""


class Control:
    """Over one connection, of somebody who may. `take` is given what comes at `topics.CONTROL_ANSWER`."""

    def __init__(self, client: MqttClient) -> None:
        self._client = client
        self._turn = asyncio.Lock()
        self._asked = ""
        self._answer: asyncio.Future[list[Any]] | None = None
        client.subscribe(topics.CONTROL_ANSWER)

    def take(self, payload: bytes) -> None:
        """An answer of the broker; anything else is passed over."""
        if self._answer is None or self._answer.done() or len(payload) > _LARGEST:
            return
        with contextlib.suppress(ValueError, KeyError, TypeError, IndexError, AttributeError):
            responses = json.loads(payload)["responses"]
            if responses[0].get("correlationData") == self._asked:
                self._answer.set_result(responses)

    async def ask(self, *commands: Command) -> list[Any]:
        """What the broker answers to each command. Raises `ControlError` with the first refusal; what was
        asked before and after it was done."""
        async with self._turn:
            answers: list[Any] = []
            for start in range(0, len(commands), _AT_ONCE):
                answers += await self._some(commands[start : start + _AT_ONCE])
        for command, answer in zip(commands, answers, strict=True):
            error = answer.get("error")
            if error:
                about = command.get("username") or command.get("rolename") or ""
                raise ControlError(f"{command['command']} {about}: {str(error)[:200].lower()}")
        return answers

    async def _some(self, commands: Sequence[Command]) -> list[Any]:
        self._asked = secrets.token_hex(8)
        self._answer = asyncio.get_running_loop().create_future()
        request = {"commands": [{**each, "correlationData": self._asked} for each in commands]}
        try:
            await self._client.publish(topics.CONTROL, json.dumps(request).encode("utf-8"))
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                found = await self._answer
        except MqttDenied:
            who = self._client.broker.username
            raise ControlError(f"broker {self._client.broker}: {who} may not change accounts there") from None
        except MqttError as error:
            raise ControlError(str(error)) from None
        except TimeoutError:
            raise ControlError(
                f"broker {self._client.broker}: it does not answer about accounts; expected Mosquitto with "
                "its dynamic-security plugin, and an account that may change them"
            ) from None
        finally:
            self._answer = None
        if len(found) != len(commands) or not all(isinstance(each, dict) for each in found):
            raise ControlError(f"broker {self._client.broker}: its answer about accounts makes no sense")
        return found

    async def look(self) -> Broker:
        """Every account and role. Raises `ControlError`."""
        try:
            clients = await self._list("listClients", "clients")
            roles = await self._list("listRoles", "roles")
            (defaults,) = await self.ask({"command": "getDefaultACLAccess"})
            return account_plan.read_broker(clients, roles, defaults["data"])
        except (KeyError, TypeError, ValueError):
            where = self._client.broker
            raise ControlError(f"broker {where}: its answer about accounts makes no sense") from None

    async def _list(self, command: str, key: str) -> list[Any]:
        found: list[Any] = []
        while True:
            page = {"command": command, "verbose": True, "count": _PAGE, "offset": len(found)}
            (answer,) = await self.ask(page)
            rows = answer["data"][key]
            found += rows
            if not rows or len(found) >= answer["data"]["totalCount"]:
                return found

    async def set_password(self, account: str, password: Secret) -> None:
        """Another password for an account; its session ends. Raises `ControlError`."""
        await self.ask({"command": "setClientPassword", "username": account, "password": password.reveal()})


@contextlib.asynccontextmanager
async def controlling(broker: BrokerConfig) -> AsyncIterator[Control]:
    """A connection for a moment, as the account in `broker`. Raises `ControlError` when there is no way."""
    client = MqttClient(broker, f"{broker.username}-{secrets.token_hex(4)}")
    control = Control(client)
    client.on_message = lambda topic, payload, _kept: (
        control.take(payload) if topic == topics.CONTROL_ANSWER else None
    )
    async with connected(client):
        yield control


@contextlib.asynccontextmanager
async def connected(client: MqttClient, within_s: float = _CONNECTS_WITHIN_S) -> AsyncIterator[None]:
    """A client that is connected; it ends with this. Raises `ControlError`, saying why it cannot be."""
    up = asyncio.Event()
    reason: list[str] = []
    client.on_connect = up.set

    def failed(cause: str) -> None:
        reason.append(cause)
        up.set()

    client.on_disconnect = failed
    task = asyncio.create_task(client.run())
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await up.wait()
        if not client.connected:
            raise ControlError(reason[-1] if reason else f"broker {client.broker}: no answer")
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def takes(broker: BrokerConfig, account: str, password: Secret) -> bool:
    """Whether a broker takes this password for this account. Raises `ControlError` when that cannot be known.

    It is asked under a name of its own, so that no session of the account ends.
    """
    there = replace(broker, username=account, password=password, others=())
    client = MqttClient(there, f"try-{secrets.token_hex(6)}")
    try:
        async with connected(client):
            return True
    except ControlError:
        if client.trouble is not None and client.trouble.kind == "refused":
            return False
        raise
