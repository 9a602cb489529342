"""The HTTP interface of Telegram's bots, as much of it as we need (core.telegram.org/bots/api).

The token stands in the path of every address: reasons never quote that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ayni_core.schema import ConfigError
from ayni_io import i18n
from ayni_io.i18n import _
from ayni_io.secret import Secret
from ayni_io.web import Answer, Ask, Web, WebError

LONGEST = 4096
"""Characters of one message."""
_MOST_BYTES = 1024 * 1024
_SEND_WITHIN_S = 20.0
_SLACK_S = 10.0
_MOST_UPDATES = 20


class TelegramError(Exception):
    """It was not done; a sentence without the token. `wait_s` is how long to leave the service alone;
    `unknown`: it was asked, and no answer came."""

    def __init__(self, text: str, wait_s: float = 0.0, *, unknown: bool = False) -> None:
        super().__init__(text)
        self.wait_s = wait_s
        self.unknown = unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message that somebody wrote to the bot: in which chat, who, and what."""

    update: int
    chat: str
    sender: str
    text: str


class Telegram:
    """A bot. One question of a kind at a time: `send` and `listen` may run side by side."""

    def __init__(self, server: str, token: Callable[[], Secret]) -> None:
        self._server = server
        self._token = token
        self._sending = Web("telegram-send")
        self._listening = Web("telegram-listen")

    async def send(self, chat: str, text: str) -> None:
        """Write into a chat. Raises `TelegramError`."""
        what = {"chat_id": chat, "text": text[:LONGEST], "disable_web_page_preview": True}
        await self._call(self._sending, "sendMessage", what, _SEND_WITHIN_S)

    async def listen(self, offset: int, wait_s: float) -> tuple[int, list[Said]]:
        """What was written since `offset`, and the next offset; comes back after `wait_s` with nothing.
        Raises `TelegramError`."""
        what = {
            "offset": offset, "timeout": int(wait_s), "limit": _MOST_UPDATES, "allowed_updates": ["message"],
        }  # fmt: skip
        result = await self._call(self._listening, "getUpdates", what, wait_s + _SLACK_S)
        if not isinstance(result, list):
            raise TelegramError(_("what answers is not Telegram"))
        said = []
        for update in result[:_MOST_UPDATES]:
            number = update.get("update_id") if isinstance(update, dict) else None
            if not isinstance(number, int):
                raise TelegramError(_("what answers is not Telegram"))
            offset = max(offset, number + 1)
            message = _message(number, update.get("message"))
            if message is not None:
                said.append(message)
        return offset, said

    async def _call(self, web: Web, method: str, what: dict[str, Any], within_s: float) -> Any:
        try:
            token = self._token().reveal()
        except ConfigError as error:
            raise TelegramError(i18n.reason(error)) from None
        ask = Ask(
            url=f"{self._server}/bot{token}/{method}",
            within_s=within_s,
            most=_MOST_BYTES,
            headers={"Content-Type": "application/json"},
            body=json.dumps(what).encode(),
        )
        begun = asyncio.get_running_loop().time()
        try:
            answer = await web.ask(ask)
        except WebError as error:
            late = asyncio.get_running_loop().time() - begun >= within_s
            raise TelegramError(str(error).replace(token, "…"), unknown=late) from None
        return _result(answer, token)


def _message(number: int, value: object) -> Said | None:
    """A text out of an update; None for pictures, edits and whatever else there is."""
    if not isinstance(value, dict):
        return None
    chat, sender, text = value.get("chat"), value.get("from"), value.get("text")
    if not isinstance(chat, dict) or not isinstance(sender, dict) or not isinstance(text, str):
        return None
    return Said(update=number, chat=str(chat.get("id")), sender=str(sender.get("id")), text=text[:LONGEST])


def _result(answer: Answer, token: str) -> Any:
    try:
        value = json.loads(answer.body) if answer.whole else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or "ok" not in value:
        raise TelegramError(_("what answers is not Telegram (status {status})", status=answer.status))
    if value["ok"] is True:
        return value.get("result")
    parameters = value.get("parameters")
    wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
    description = str(value.get("description") or answer.status)[:160].replace(token, "…")
    if answer.status == 401:
        raise TelegramError(_("Telegram does not know the token of the bot: {cause}", cause=description))
    if answer.status == 409:
        raise TelegramError(_("somebody else listens for this bot: {cause}", cause=description))
    raise TelegramError(
        _("Telegram refused: {cause}", cause=description),
        float(wait) if isinstance(wait, int) and 0 < wait < 86400 else 0.0,
    )
