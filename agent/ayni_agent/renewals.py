"""A new password for this node's account: kept beside the one that works, and used once the broker takes it.

Theory of operation. The keeper of accounts drives it and may send the same password as often as it likes; the
node only answers how far it is, so a message that is lost, or a crash on either side, costs another message.

    it is none of ours yet     written down beside the others, on the disk:  stored
    the broker took it         it is the first from now on:                  used

Only after `stored` does the keeper give it to the broker, which ends this session; the next one tries what
worked last, then the rest. So at no moment is there a password at the broker that the node does not have.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from ayni_core.message import Message
from ayni_core.schema import ConfigError
from ayni_core.wire.keys import LONGEST_PASSWORD, Renewal, Renewed
from ayni_io import keyring
from ayni_io.keyring import Keyring
from ayni_io.mqtt import MqttClient
from ayni_io.secret import Secret

log = logging.getLogger("agent")


class Renewals:
    """Of the account behind one client. `path` is where its passwords are kept; None: nowhere."""

    def __init__(self, client: MqttClient, path: Path | None) -> None:
        self._client = client
        self._path = path
        self._ring = Keyring(path) if path is not None else None
        self._turn = asyncio.Lock()
        client.on_password = self._proven

    async def take(self, renewal: Renewal) -> Renewed:
        """What came on `renew/NODE`, and what to answer to it."""
        async with self._turn:
            state, text = await self._keep(renewal.password)
        return Renewed(id=renewal.id, state=state, text=text)

    async def _keep(self, text: str) -> tuple[str, Message | None]:
        if self._ring is None or self._path is None:
            return "refused", Message("renewed.no_folder")
        if not (text.isascii() and text.isprintable() and text == text.strip()) or not text:
            return "refused", Message("renewed.no_password")
        if len(text) > LONGEST_PASSWORD:
            return "refused", Message("renewed.no_password")
        password = Secret(text)
        if self._ring.works(password):
            return "used", None
        try:
            await asyncio.to_thread(self._ring.add, password)
            kept = password in keyring.read(self._path)
            cause = "it is not there after writing"
        except (OSError, ConfigError) as error:
            kept, cause = False, getattr(error, "strerror", None) or str(error)
        if not kept:
            log.error("new password not kept cause=%s", cause)
            return "refused", Message("renewed.not_kept", {"cause": cause[:200]})
        self._client.try_also(password)
        log.info("new password kept")
        return "stored", None

    def _proven(self, password: Secret) -> None:
        """The broker took this one."""
        if self._ring is None:
            return
        news = not self._ring.is_first(password)
        try:
            self._ring.proven(password)
        except OSError as error:  # it stays one of those that are tried
            log.error("password that works not noted cause=%s", error.strerror)
        else:
            if news:
                log.info("another password is in use")
