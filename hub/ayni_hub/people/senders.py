"""How a message leaves: by Apprise in a process of its own, or by Telegram. Bounded in time and number."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass

from ayni_core.inventory import Network
from ayni_core.reach import Target
from ayni_core.schema import ConfigError
from ayni_hub.people.telegram import Telegram, TelegramError
from ayni_io import i18n, secret
from ayni_io.i18n import _

_PROGRAM = "ayni_hub.people.apprise_send"
_WITHIN_S = 60.0
_MOST_ANSWER = 64 * 1024
_AT_ONCE = 2
"""Each takes 50 MB while it lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came back; `reason` is a sentence where it was not taken. `wait_s`: not before. `unknown`: it may
    have arrived all the same."""

    ok: bool
    reason: str = ""
    wait_s: float = 0.0
    unknown: bool = False


class Senders:
    """Sends to any target of the network."""

    def __init__(self, network: Network, source: str) -> None:
        self._source = source
        self._room = asyncio.Semaphore(_AT_ONCE)
        access = network.reach.telegram
        self.telegram = (
            Telegram(access.server, lambda: secret.resolve(access.token, f"{source}: network.telegram.token"))
            if access is not None
            else None
        )

    async def send(self, person: str, target: Target, title: str, body: str) -> Result:
        """Send, and say what came back; never raises for what goes wrong on the way."""
        if target.kind == "telegram":
            return await self._by_telegram(target, title, body)
        try:
            where = f"{self._source}: people.{person}.notify.{target.name}.address"
            address = secret.resolve(target.address or "", where)
        except ConfigError as error:
            return Result(ok=False, reason=i18n.reason(error))
        async with self._room:
            return await _by_apprise(address.reveal(), title, body)

    async def _by_telegram(self, target: Target, title: str, body: str) -> Result:
        if self.telegram is None or target.chat is None:
            return Result(ok=False, reason=_("network.telegram is missing"))
        try:
            await self.telegram.send(target.chat, f"{title}\n{body}" if body else title)
        except TelegramError as error:
            return Result(ok=False, reason=str(error), wait_s=error.wait_s, unknown=error.unknown)
        return Result(ok=True)


async def _by_apprise(address: str, title: str, body: str) -> Result:
    asked = json.dumps({"address": address, "title": title, "body": body}).encode()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", _PROGRAM,  # -P: nothing from the folder that we happen to stand in
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        return Result(ok=False, reason=_("no process could be started: {cause}", cause=error.strerror))
    try:
        async with asyncio.timeout(_WITHIN_S):
            out, _err = await process.communicate(asked)
    except TimeoutError:
        reason = _("no answer within {within} s", within=f"{_WITHIN_S:g}")
        return Result(ok=False, reason=reason, unknown=True)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())
    try:
        answer = json.loads(out[:_MOST_ANSWER])
        return Result(ok=answer["ok"] is True, reason=str(answer["reason"]))
    except (ValueError, KeyError, TypeError):
        return Result(
            ok=False, reason=_("the program that sends ended with {status}", status=process.returncode)
        )
